"""A planted bias whose recovery is certain, one that is not there, and the correlation that plants it in faces."""

import pytest
import torch

from blindspots.criticism import (
    adversarial_prototypes,
    attribute_skew,
    bias_recovery,
    planted_correlation,
    random_prototypes,
    steps_to_flip,
)
from blindspots.data.planted import phi_coefficient, planted_faces


def two_pixels(images):
    """A model of content (first pixel) and, as a biased one, of the attribute (second pixel)."""
    score = images[:, 0, 0, 0] - 0.5 + images[:, 0, 0, 1]
    return torch.stack([-score, score], dim=1)


def run(strength, repetition):
    """The attribute brightens the second pixel by `strength`; the model is biased by just that."""
    generator = torch.Generator().manual_seed(100 + repetition)
    attribute = torch.rand(200, generator=generator) < 0.5
    content = 0.505 + 0.09 * torch.rand(200, generator=generator)
    images = torch.stack([content, strength * attribute], dim=1)[:, None, None, :]
    steps = steps_to_flip(two_pixels, images, torch.ones(200, dtype=torch.long), step_size=0.01)
    return {
        "adversarial": attribute_skew(attribute, adversarial_prototypes(steps, 10, 10, generator=generator)),
        "random": attribute_skew(attribute, random_prototypes(200, 10, 10, generator=generator)),
    }


def test_power_rises_with_the_planted_strength_for_the_method_that_sees_it_only():
    points = {(p.method, p.strength): p for p in bias_recovery([0.0, 0.5], run, n_repetitions=12)}
    assert list(points) == [("adversarial", 0.0), ("random", 0.0), ("adversarial", 0.5), ("random", 0.5)]
    strong = points["adversarial", 0.5]
    # With the attribute the margin is above 0.5, and ten steps lower it by 0.2; without it by 0.1, which is enough.
    assert strong.power == 1.0 and strong.mean_gap == 1.0
    assert strong.interval == (pytest.approx(0.757, abs=0.001), pytest.approx(1.0))
    assert strong.n_repetitions == 12 and 0.4 < strong.mean_class_share < 0.6
    for key in (("adversarial", 0.0), ("random", 0.0), ("random", 0.5)):
        assert points[key].power <= 0.25 and abs(points[key].mean_gap) < 0.25, key


def test_direction_and_level_decide_what_counts():
    assert bias_recovery([0.5], run, n_repetitions=3, direction=-1)[0].power == 0.0
    assert bias_recovery([0.5], run, n_repetitions=3, alpha=1e-12)[0].power == 0.0


def test_the_repetition_is_handed_on():
    asked = []

    def noting(strength, repetition):
        asked.append((strength, repetition))
        return run(strength, repetition)

    bias_recovery([0.1, 0.2], noting, n_repetitions=2)
    assert asked == [(0.1, 0), (0.1, 1), (0.2, 0), (0.2, 1)]


@pytest.mark.parametrize(("inside", "elsewhere"), [(0.5, 0.5), (0.5, 0.1), (0.3, 0.6)])
def test_planted_faces_get_the_shares_asked_for(inside, elsewhere):
    prevalence, phi = planted_correlation(inside, elsewhere)
    faces = planted_faces(
        400, seed=0, size=16, prevalences={"glasses": prevalence}, correlations={("glasses", "smile"): phi}
    )
    glasses, smile = faces.groups["glasses"], faces.labels
    assert glasses[smile == 1].double().mean().item() == pytest.approx(inside, abs=0.006)
    assert glasses[smile == 0].double().mean().item() == pytest.approx(elsewhere, abs=0.006)
    if inside != elsewhere:
        assert phi_coefficient(glasses, smile) == pytest.approx(phi, abs=0.01)


def test_a_rare_class_moves_the_prevalence_less():
    assert planted_correlation(0.5, 0.1, class_share=0.25)[0] == pytest.approx(0.2)
    assert planted_correlation(0.4, 0.4, class_share=0.25) == (pytest.approx(0.4), pytest.approx(0.0))


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="strengths: expected at least one, got none"):
        bias_recovery([], run)
    with pytest.raises(ValueError, match="n_repetitions: expected a finite number >= 1"):
        bias_recovery([0.1], run, n_repetitions=0)
    with pytest.raises(ValueError, match="direction: expected 1 or -1, got 0"):
        bias_recovery([0.1], run, direction=0)
    with pytest.raises(
        ValueError, match=r"run: expected the methods \['adversarial', 'random'\] at every call, got \["
    ):
        bias_recovery([0.1], lambda s, r: run(s, r) if r == 0 else {"other": None}, n_repetitions=2)
    with pytest.raises(ValueError, match="share_elsewhere: expected a finite number > 0"):
        planted_correlation(0.5, 0.0)
    with pytest.raises(ValueError, match=r"share_in_class: expected a share in \(0, 1\), got 1"):
        planted_correlation(1.0, 0.5)
