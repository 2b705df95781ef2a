"""MagNet: the reformer is the autoencoder, detectors refuse their share, and both layouts are the paper's."""

import math

import pytest
import torch
from scipy.spatial.distance import jensenshannon
from torch import nn

from blindspots.purify import train_magnet

FAST = dict(seed=0, epochs=2, batch_size=8)


class Model(nn.Module):
    """Three classes, linear in the mean of each channel."""

    def __init__(self, channels=3):
        super().__init__()
        self.drop = nn.Dropout(0.5)
        weight = torch.linspace(-4, 6, channels * 3, dtype=torch.float64).reshape(channels, 3)
        self.register_buffer("weight", weight.sin() * 20)

    def forward(self, images):
        return self.drop(images.mean(dim=(2, 3))) @ self.weight


@pytest.fixture
def grey(draw):
    return train_magnet(draw(16, 1, 8, 8), **FAST)


@pytest.fixture
def color(draw):
    return train_magnet(draw(16, 3, 8, 8), **FAST)


def test_the_layouts_follow_the_channels(grey, color):
    assert [model.structure for model in grey.autoencoders] == [(3, "average", 3), (3,)]
    assert grey.errors == ((0, 2), (1, 1)) and grey.temperatures == ()
    assert [model.structure for model in color.autoencoders] == [(3,)]
    assert color.errors == ((0, 1),) and color.temperatures == (10.0, 40.0)
    assert [len(losses) for losses in grey.losses] == [2, 2]


def test_the_layout_can_be_chosen(draw):
    images = draw(4, 3, 8, 8)
    magnet = train_magnet(images, layout="mnist", temperatures=(1,), **FAST)
    assert len(magnet.autoencoders) == 2 and magnet.temperatures == (1.0,)
    assert magnet.scores(images, Model()).shape == (4, 3)


def test_purifying_is_the_reformer(grey, draw):
    images = draw(5, 1, 10, 6, seed=1)
    torch.testing.assert_close(grey(images), grey.autoencoders[0](images).clamp(0, 1))


def test_reconstruction_errors_are_means_of_powers(grey, draw):
    images = draw(5, 1, 8, 8, seed=1)
    first, second = (model(images) for model in grey.autoencoders)
    expected = torch.stack([(images - first).square().mean((1, 2, 3)), (images - second).abs().mean((1, 2, 3))], dim=1)
    torch.testing.assert_close(grey.scores(images), expected)


def test_divergences_are_scipys(color, draw):
    images, model = draw(5, 3, 8, 8, seed=1), Model().eval()
    scores = color.scores(images, model)
    for column, temperature in ((1, 10), (2, 40)):
        for row in range(5):
            answers = [(model(batch)[row] / temperature).softmax(0).numpy() for batch in (images, color(images))]
            assert scores[row, column].item() == pytest.approx(jensenshannon(*answers) ** 2, rel=1e-9)


def test_a_detector_refuses_its_share_of_the_validation_images(grey, draw):
    images = draw(40, 1, 8, 8, seed=2)
    for rate, count in ((0.025, 1), (0.1, 4), (0.99, 39)):
        calibrated = grey.calibrated(images, false_positive_rate=rate)
        refused = grey.scores(images) >= torch.tensor(calibrated.thresholds, dtype=torch.float64)
        assert refused.sum(0).tolist() == [count, count]
        assert torch.equal(calibrated.rejects(images), refused.any(1))
    assert grey.thresholds is None, "calibrating makes a new MagNet"


def test_what_is_unlike_the_training_images_is_refused(draw):
    smooth = (0.3 + 0.4 * draw(64, 1, 1, 1)).expand(64, 1, 8, 8).contiguous()
    magnet = train_magnet(smooth[:48], seed=0, epochs=60, batch_size=16, learning_rate=0.02)
    calibrated = magnet.calibrated(smooth[48:], false_positive_rate=1 / 16)
    assert calibrated.rejects(draw(8, 1, 8, 8, seed=5)).all()


def test_divergence_detectors_refuse_by_the_models_answers(color, draw):
    images, model = draw(20, 3, 8, 8, seed=3), Model().eval()
    calibrated = color.calibrated(images, model, false_positive_rate=0.05)
    one, other = calibrated.rejects(images, model), calibrated.rejects(images, lambda x: 3 * model(x))
    assert 1 <= one.sum() <= 3 and other.sum() > 3


def test_the_model_is_left_as_it_was(color, draw):
    model = Model().train()
    color.scores(draw(2, 3, 8, 8), model)
    assert model.training and model.drop.training


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_dtype_and_input_are_kept(grey, draw, dtype):
    images = draw(2, 1, 8, 8, dtype=dtype)
    before = images.clone()
    reformed = grey(images.requires_grad_(True))
    assert reformed.dtype == dtype and not reformed.requires_grad and torch.equal(images, before)
    assert grey.scores(images).dtype == dtype


def test_an_image_alone_is_the_same_image_in_a_batch(color, draw):
    images, model = draw(3, 3, 8, 8), Model().eval()
    torch.testing.assert_close(color(images[1:2])[0], color(images)[1])
    torch.testing.assert_close(color.scores(images[1:2], model)[0], color.scores(images, model)[1])


def test_temperatures_and_seed_matter(draw, color):
    images, model = draw(16, 3, 8, 8), Model().eval()
    other = train_magnet(images, temperatures=(1.0, 2.0), **FAST)
    assert torch.equal(other.scores(images, model)[:, 0], color.scores(images, model)[:, 0])
    assert not torch.allclose(other.scores(images, model)[:, 1:], color.scores(images, model)[:, 1:])
    assert not torch.equal(train_magnet(images, **(FAST | dict(seed=1)))(images), color(images))


def test_missing_pieces_are_named(grey, color, draw):
    images = draw(4, 1, 8, 8)
    with pytest.raises(ValueError, match="thresholds: expected a calibrated MagNet"):
        grey.rejects(images)
    with pytest.raises(ValueError, match=r"false_positive_rate: expected at least 1 / N = 0\.25 for 4 images"):
        grey.calibrated(images, false_positive_rate=0.2)
    with pytest.raises(ValueError, match="model: expected the protected classifier"):
        color.scores(draw(1, 3, 8, 8))
    with pytest.raises(ValueError, match="images: expected 3 channels, as MagNet was trained on, got 1"):
        color(images)
    with pytest.raises(ValueError, match="multiples of 2, got 7x8"):
        grey(draw(1, 1, 7, 8))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(layout="svhn"), "layout: expected one of mnist, cifar"),
        (dict(temperatures=(0,)), "temperatures: expected a finite number > 0"),
        (dict(noise=math.nan), "noise: expected a finite number"),
        (dict(learning_rate=0), "learning_rate: expected"),
    ],
)
def test_bad_options_are_named(draw, options, message):
    with pytest.raises(ValueError, match=message):
        train_magnet(draw(2, 1, 8, 8), **(FAST | options))
