"""Kept explanations: the same to the bit, made once, told apart by model, image, samples and settings."""

from dataclasses import fields

import pytest
import torch

from blindspots.criticism import explanation_shift, lime_explain
from blindspots.criticism.kept_explanations import kept_explanations
from blindspots.seeding import generator


class Counting(torch.nn.Module):
    """A linear model that counts the images it sees."""

    def __init__(self, scale=1.0):
        super().__init__()
        draws = torch.randn(3 * 64, 4, generator=generator(2), dtype=torch.float64)
        self.weight = torch.nn.Parameter(scale * draws)
        self.seen = 0

    def forward(self, images):
        self.seen += len(images)
        return torch.nn.functional.adaptive_avg_pool2d(images, 8).flatten(1) @ self.weight


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BLINDSPOTS_CACHE", str(tmp_path))


def shifted(model, photograph, segments, *, seed=0, **options):
    return explanation_shift(
        model,
        photograph,
        (photograph + 0.05).clamp(0, 1),
        0,
        1,
        segments=segments,
        generator=generator(seed),
        **{"n_samples": 40, **options},
    )


def test_a_kept_shift_is_the_one_that_was_made(photograph, segments):
    model = Counting()
    made = shifted(model, photograph, segments)
    once, seen = shifted(model, photograph, segments, keep=True), model.seen
    again = shifted(model, photograph, segments, keep=True)
    assert model.seen == seen
    for one in (once, again):
        for name in ("clean", "attacked", "redrawn"):
            for field in fields(getattr(made, name)):
                expected, got = (getattr(getattr(shift, name), field.name) for shift in (made, one))
                same = torch.equal(expected, got) if isinstance(expected, torch.Tensor) else expected == got
                assert same, field.name
        for name in ("moved", "same_label", "same_prediction", "noise", "noise_prediction"):
            assert getattr(one, name) == getattr(made, name)


@pytest.mark.parametrize(
    "change", [{"seed": 1}, {"mode": "library"}, {"n_features": 3}, {"hide": 0.0}, {"hide": torch.zeros(3)}]
)
def test_whatever_fixes_an_explanation_is_in_its_key(photograph, segments, change):
    model = Counting()
    change = {
        name: value.to(photograph) if isinstance(value, torch.Tensor) else value for name, value in change.items()
    }
    shifted(model, photograph, segments, keep=True)
    seen = model.seen
    other = shifted(model, photograph, segments, keep=True, **change)
    assert model.seen > seen
    assert torch.equal(other.clean.weights, shifted(Counting(), photograph, segments, **change).clean.weights)


def test_another_model_or_image_is_explained_anew(photograph, segments):
    first, second = Counting(), Counting(2.0)
    before = shifted(first, photograph, segments, keep=True)
    after = shifted(second, photograph, segments, keep=True)
    assert second.seen > 0 and not torch.equal(before.clean.weights, after.clean.weights)
    seen = first.seen
    shifted(first, photograph.flip(-1), segments, keep=True)
    assert first.seen > seen


def test_what_has_no_weights_to_compare_is_refused(photograph, segments, linear_model):
    def make():
        return [lime_explain(linear_model, photograph, segments=segments, n_samples=10, generator=generator(0))]

    with pytest.raises(TypeError, match=r"model: expected a torch.nn.Module where explanations are kept"):
        kept_explanations(make, lambda images: images, [photograph], {})
