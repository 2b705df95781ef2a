"""PieAPP against piq on drawn weights, its laws and its errors."""

import pytest
import torch
from piq.pieapp import PieAPPModel

from blindspots.perception import pieapp_distance


@pytest.fixture(scope="module")
def state():
    """Drawn weights, with the 1 x 1 matrix stored as a vector, as in the published file."""
    generator = torch.Generator().manual_seed(0)
    with torch.device("meta"):
        shapes = {name: value.shape for name, value in PieAPPModel().state_dict().items()}
    drawn = {
        name: torch.randn(shape, generator=generator) * (2.0 / max(1, shape[1:].numel())) ** 0.5
        for name, shape in shapes.items()
    }
    drawn["fc2_weight.bias"] += 1e3  # keeps the sum of the patches' weights away from 0
    drawn["ref_score_subtract.weight"] = drawn["ref_score_subtract.weight"][:, 0]
    return drawn


def pair(draw, noise, *shape):
    images = draw(*shape, dtype=torch.float32)
    return images, (images + 0.1 * noise(*shape, dtype=torch.float32)).clamp(0, 1)


@pytest.mark.parametrize("stride", [27, 9])
def test_it_equals_piq(draw, noise, state, stride, monkeypatch):
    piq = pytest.importorskip("piq")
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", lambda *args, **kwargs: dict(state))
    with torch.random.fork_rng(devices=[]):
        theirs = piq.PieAPP(reduction="none", stride=stride, enable_grad=True)
    images, references = pair(draw, noise, 2, 3, 70, 95)
    expected = theirs(images, references)
    # The same sum in another order: single precision leaves four digits of a difference of sums over 120,832 terms.
    ours = pieapp_distance(weights=state, stride=stride)(images, references)
    torch.testing.assert_close(ours, expected, rtol=1e-3, atol=1e-3)


def test_it_obeys_the_contract(draw, noise, state, obeys_the_contract):
    images, references = pair(draw, noise, 2, 3, 64, 95)
    distance = pieapp_distance(weights=state)
    obeys_the_contract(distance, images, references, tolerance=2e-3)
    assert [tuple(part.shape) for part in distance.prepare(references).encoding] == [(2, 2, 512), (2, 2, 512)]
    forth, back = distance(images, references), distance(references, images)
    assert (forth - back).abs().max() > 1e-2  # the arguments must not be exchanged


def test_gray_counts_as_three_equal_channels_and_inputs_keep_their_values(draw, noise, state):
    images, references = pair(draw, noise, 1, 1, 64, 64)
    before = images.clone()
    distance = pieapp_distance(weights=state)
    torch.testing.assert_close(
        distance(images, references), distance(images.repeat(1, 3, 1, 1), references.repeat(1, 3, 1, 1))
    )
    assert torch.equal(images, before)
    assert state["ref_score_subtract.weight"].ndim == 1


def test_missing_weights_are_named_with_size_licence_source_and_place(no_weights_anywhere):
    with pytest.raises(FileNotFoundError) as caught:
        pieapp_distance()
    for part in ("PieAPPv0.1.pth", "260.8 MiB", "non-commercial", "github.com/photosynthesis-team/piq", "put it at"):
        assert part in str(caught.value)


def test_bad_arguments_are_named(state):
    with pytest.raises(ValueError, match="stride: expected a finite number >= 1"):
        pieapp_distance(weights=state, stride=0)
    with pytest.raises(ValueError, match="expected exactly the 32 tensors of this network"):
        pieapp_distance(weights={"conv1.weight": torch.zeros(1)})
    with pytest.raises(ValueError, match="images: expected sides of at least 64 pixels, got 63x80"):
        pieapp_distance(weights=state)(torch.zeros(1, 3, 63, 80), torch.zeros(1, 3, 63, 80))
