"""The sparse transformation layer: its pieces put together by hand, sporco's code path, and the strata."""

import numpy as np
import pytest
import torch
from torch import nn

from blindspots.purify import cbpdn, stl_purifier, stratum_features, tikhonov_split


def filters(n=6, channels=3, side=5, seed=1, dtype=torch.float64):
    raw = torch.randn(n, channels, side, side, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    return raw / raw.flatten(1).norm(dim=1)[:, None, None, None]


class Mean(nn.Module):
    """One feature: the mean of the image; it notes what it is shown."""

    def __init__(self):
        super().__init__()
        self.seen = []
        self.drop = nn.Dropout(0.5)

    def forward(self, images):
        self.seen.append(images)
        return self.drop(images.mean(dim=(1, 2, 3)))[:, None]


def test_it_is_the_split_and_the_sparse_code(draw):
    images, dictionary = draw(3, 3, 16, 12), filters()
    low, high = tikhonov_split(images)
    expected = low + cbpdn(high, dictionary, 0.2).synthesize()
    torch.testing.assert_close(stl_purifier(dictionary)(images), expected.clamp(0, 1))
    assert (expected - low).abs().max() > 1e-3, "the codes take part"


def test_it_is_the_released_codes_calls_to_sporco(photograph):
    # The calls of the released code, in red, green, blue and without the division by the maximum.
    util = pytest.importorskip("sporco.signal")
    solver = pytest.importorskip("sporco.admm.cbpdn")
    image, dictionary = photograph(32), filters(12, side=8)
    low, high = util.tikhonov_filter(image[0].permute(1, 2, 0).numpy(), 5, 16)
    # The default stop leaves two solvers a few thousandths apart; run both to the end to compare the images.
    options = solver.ConvBPDN.Options(
        {"Verbose": False, "MaxMainIter": 3000, "RelStopTol": 1e-6, "AuxVarObj": False, "DataType": np.float64}
    )
    solved = solver.ConvBPDN(dictionary.permute(2, 3, 1, 0).numpy(), high, 0.05, options)
    solved.solve()
    expected = torch.tensor(low + solved.reconstruct().squeeze()).permute(2, 0, 1)[None].clamp(0, 1)
    found = stl_purifier(dictionary, lmbda=0.05, max_iterations=3000, tolerance=1e-6)(image)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)
    assert (found - torch.tensor(low).permute(2, 0, 1)).abs().max() > 0.01, "the codes take part"


def test_brightness_is_not_rescaled():
    # The released code divides by the maximum: a dark flat image would come back white.
    flat = torch.full((1, 3, 12, 12), 0.25, dtype=torch.float64)
    torch.testing.assert_close(stl_purifier(filters())(flat), flat)


def test_each_image_is_coded_over_the_dictionary_of_its_stratum(draw):
    dark, bright = 0.3 * draw(2, 3, 12, 12), 0.7 + 0.3 * draw(2, 3, 12, 12, seed=1)
    images = torch.stack([dark[0], bright[0], bright[1], dark[1]])
    first, second = filters(seed=1), filters(seed=2)
    encode, centers = Mean().eval(), torch.tensor([[0.15], [0.85]], dtype=torch.float64)
    layer = stl_purifier([first, second], encode=encode, centers=centers, lmbda=0.05)
    assert layer.assign(images).tolist() == [0, 1, 1, 0]
    purified = layer(images)
    alone = [stl_purifier(dictionary, lmbda=0.05)(images) for dictionary in (first, second)]
    for index, stratum in enumerate([0, 1, 1, 0]):
        torch.testing.assert_close(purified[index], alone[stratum][index])
        assert (purified[index] - alone[1 - stratum][index]).abs().max() > 1e-3


def test_the_encoder_sees_small_images_and_is_left_as_it_was(draw):
    encode, images = Mean().train(), draw(2, 3, 20, 12)
    layer = stl_purifier(
        [filters(seed=1), filters(seed=2)], encode=encode, centers=torch.tensor([[0.0], [1.0]]), side=16
    )
    layer(images)
    assert [tuple(seen.shape) for seen in encode.seen] == [(2, 3, 16, 16)]
    assert encode.training and encode.drop.training
    assert encode.seen[0].min() >= 0 and encode.seen[0].max() <= 1


def test_features_are_the_encoders_whatever_the_batch(draw):
    images, encode = draw(5, 3, 16, 16), Mean().eval()
    features = stratum_features(images, encode, side=16, batch_size=2)
    torch.testing.assert_close(features, images.mean(dim=(1, 2, 3))[:, None])
    assert [len(seen) for seen in encode.seen] == [2, 2, 1]
    # Resizing with smoothing keeps the mean of an image halved in size.
    torch.testing.assert_close(stratum_features(images, encode, side=8), features, atol=0.02, rtol=0)
    with pytest.raises(ValueError, match="encode's features: expected finite"):
        stratum_features(images, lambda x: x.mean(dim=(2, 3)) / 0, side=16)


def test_strata_of_the_features_means_assign_the_training_images(draw):
    images = torch.cat([0.3 * draw(3, 3, 12, 12), 0.7 + 0.3 * draw(3, 3, 12, 12, seed=1)])
    encode = Mean().eval()
    features = stratum_features(images, encode)
    centers = torch.stack([features[:3].mean(0), features[3:].mean(0)])
    layer = stl_purifier([filters(seed=1), filters(seed=2)], encode=encode, centers=centers)
    assert layer.assign(images).tolist() == [0, 0, 0, 1, 1, 1]


def test_solver_records_are_shown(draw):
    low, codes = stl_purifier(filters(), max_iterations=20, tolerance=1e-9).codes(draw(2, 3, 12, 12), 0)
    assert not codes.converged.any() and (codes.iterations <= 20).all() and low.shape == (2, 3, 12, 12)


def test_every_option_matters(draw):
    images, dictionary = draw(1, 3, 12, 12), filters()
    base = stl_purifier(dictionary, lmbda=0.05)(images)
    for options in (
        dict(lmbda=0.1), dict(weight=1.0), dict(pad=0), dict(max_iterations=10), dict(tolerance=1e-4),
    ):  # fmt: skip
        assert not torch.equal(base, stl_purifier(dictionary, **(dict(lmbda=0.05) | options))(images)), options


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_and_input_are_kept(draw, dtype):
    images = draw(2, 1, 12, 12, dtype=dtype)
    before = images.clone()
    purified = stl_purifier(filters(channels=1))(images.requires_grad_(True))
    assert purified.dtype == dtype and not purified.requires_grad and torch.equal(images, before)
    assert purified.min() >= 0 and purified.max() <= 1


def test_an_image_alone_is_the_same_image_in_a_batch(draw):
    images, layer = draw(3, 3, 12, 12), stl_purifier(filters(), lmbda=0.05)
    torch.testing.assert_close(layer(images[1:2])[0], layer(images)[1])


@pytest.mark.parametrize(
    ("dictionaries", "options", "message"),
    [
        ([], {}, "dictionaries: expected at least one"),
        (filters()[0], {}, r"dictionaries: expected shape \(N, C, H, W\)"),
        ([filters(), filters()], {}, "encode, centers: expected both, because 2 dictionaries need strata"),
        (filters(), dict(encode=Mean()), "encode, centers: expected both or neither"),
        (
            [filters(), filters()],
            dict(encode=Mean(), centers=torch.zeros(3, 1)),
            r"centers: expected \(2, D\), one row per dictionary, got \(3, 1\)",
        ),
        (filters(), dict(lmbda=0), "lmbda: expected a finite number > 0"),
        (filters(), dict(weight=-1), "weight: expected"),
        (filters(), dict(side=0), "side: expected"),
    ],
)
def test_bad_arguments_are_named(dictionaries, options, message):
    with pytest.raises(ValueError, match=message):
        stl_purifier(dictionaries, **options)


def test_an_encoder_that_does_not_fit_is_named(draw):
    images, pair = draw(1, 3, 12, 12), [filters(), filters()]
    with pytest.raises(ValueError, match="encode: expected 2 features, as the centers have, got 1"):
        stl_purifier(pair, encode=Mean().eval(), centers=torch.zeros(2, 2))(images)
    with pytest.raises(ValueError, match=r"encode: expected features \(1, D\)"):
        stl_purifier(pair, encode=lambda x: x, centers=torch.zeros(2, 2))(images)
