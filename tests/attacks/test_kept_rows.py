"""Rows that outlive an interruption: what is kept, what makes a row anew, and that nothing else changes."""

from dataclasses import replace

import pytest
import torch

from blindspots.attacks import NamedAttack, compare_attacks, perceptual_attack, table_3_1_attacks
from blindspots.perception import SSIMDistance


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BLINDSPOTS_CACHE", str(tmp_path))


@pytest.fixture
def subjects(small_network, draw):
    model, images = small_network(channels=3), draw(5, 3, 18, 18)
    return model, images, model(images).argmax(1)


def counted(attack):
    """Return the attack and the list of batch sizes it was called with."""
    calls = []

    def run(model, images, labels):
        calls.append(len(images))
        return attack.run(model, images, labels)

    return replace(attack, run=run), calls


def ours(steps=6):
    settings = {"attack": "perceptual_attack", "distance": "ssim", "steps": steps}
    return NamedAttack(lambda m, x, y: perceptual_attack(m, x, y, SSIMDistance(), steps=steps), ("ssim",), settings)


def assert_equal(kept, made):
    for field in ("images", "success", "rounded_success", "margins", "steps", "gradient_evaluations"):
        assert torch.equal(getattr(kept, field), getattr(made, field)), field
    for name, values in made.distances.items():
        assert torch.equal(kept.distances[name], values), name
    if made.gradient_norms is None:
        assert kept.gradient_norms is None
    else:
        torch.testing.assert_close(kept.gradient_norms, made.gradient_norms, rtol=0, atol=0, equal_nan=True)


def test_a_kept_row_is_the_row_that_was_made(subjects):
    attacks = table_3_1_attacks(
        SSIMDistance(), "ssim", lambda x: [x, x.square()], confidences=(0.0, 0.5), steps=5, perc_steps=5,
        ppgd_steps=3, lpa_steps=2, seed=0,
    )  # fmt: skip
    _, plain = compare_attacks(*subjects, attacks, measures={}, chunk=2)
    _, made = compare_attacks(*subjects, attacks, measures={}, chunk=2, keep={})
    spies = {name: counted(attack) for name, attack in attacks.items()}
    _, kept = compare_attacks(*subjects, {n: spy[0] for n, spy in spies.items()}, measures={}, chunk=2, keep={})
    assert all(not calls for _, calls in spies.values())
    for name in attacks:
        assert_equal(made[name], plain[name])
        assert_equal(kept[name], plain[name])
        assert kept[name].seconds == made[name].seconds


def test_an_interrupted_run_goes_on_with_the_next_row(subjects):
    first, calls = counted(ours())

    def broken(model, images, labels):
        raise KeyboardInterrupt

    later = NamedAttack(broken, settings={"attack": "later"})
    with pytest.raises(KeyboardInterrupt):
        compare_attacks(*subjects, {"first": first, "later": later}, measures={}, keep={})
    _, rows = compare_attacks(*subjects, {"first": first, "later": ours(3)}, measures={}, keep={})
    assert calls == [5] and list(rows) == ["first", "later"]


@pytest.mark.parametrize("change", ["steps", "also", "chunk", "images", "fewer", "model"])
def test_another_setting_is_another_row(subjects, change):
    model, images, labels = subjects
    compare_attacks(model, images, labels, {"a": ours()}, measures={}, keep={"net": "a"})
    attack, calls = counted(ours(7 if change == "steps" else 6))
    keep, chunk = {"net": "b" if change == "also" else "a"}, 2 if change == "chunk" else 50
    if change == "images":
        images = (images + 1e-4).clamp(0, 1)
        labels = model(images).argmax(1)
    if change == "fewer":
        images, labels = images[:4], labels[:4]
    if change == "model":
        with torch.no_grad():
            next(model.parameters()).mul_(1 + 1e-6)
        labels = model(images).argmax(1)
    compare_attacks(model, images, labels, {"a": attack}, measures={}, keep=keep, chunk=chunk)
    assert calls


@pytest.mark.parametrize("keep", [None, {}])
def test_nothing_is_kept_unasked_or_without_settings(subjects, keep):
    attack, calls = counted(ours() if keep is None else replace(ours(), settings=None))
    for _ in range(2):
        compare_attacks(*subjects, {"a": attack}, measures={}, keep=keep)
    assert calls == [5, 5]


def test_a_model_without_weights_to_tell_is_refused(subjects):
    model, images, labels = subjects
    with pytest.raises(TypeError, match="Module"):
        compare_attacks(lambda x: model(x), images, labels, {"a": ours()}, measures={}, keep={})
