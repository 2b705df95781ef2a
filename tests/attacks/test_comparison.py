"""Attacks side by side: who counts, what is measured, and that chunks change nothing."""

import pytest
import torch

from blindspots.attacks import NamedAttack, compare_attacks, pgd_l2_until_flipped, table_3_1_attacks
from blindspots.attacks.comparison import held_out_measures
from blindspots.perception import JUDGES, SSIMDistance, ssim_distance

MEASURES = {name: JUDGES[name] for name in ("ssim", "gmsd", "haarpsi")}


def two_layers(images):
    side = torch.ones_like(images[:, :1])
    return [torch.cat([images, side], dim=1), torch.cat([images[..., 1:] - images[..., :-1], side[..., 1:]], dim=1)]


def attacks():
    return table_3_1_attacks(
        SSIMDistance(), "ssim", two_layers, confidences=(0.0, 0.5), steps=6, perc_steps=6, ppgd_steps=4, lpa_steps=3,
        start_noise=0.0, seed=0,
    )  # fmt: skip


@pytest.fixture
def subjects(small_network, draw):
    model, images = small_network(channels=3), draw(6, 3, 18, 18)
    labels = model(images).argmax(1)
    labels[2] = (labels[2] + 1) % 4  # already misclassified
    return model, images, labels


def test_rows_are_those_of_the_table_and_the_one_it_lacks():
    assert list(attacks()) == ["PerC-AL", "PGD", "PPGD", "LPA", "ours a=0", "ours a=0.5", "PGD a=0.5"]


def test_misclassified_images_are_not_attacked_nor_counted(subjects):
    model, images, labels = subjects
    correct, rows = compare_attacks(model, images, labels, attacks(), measures=MEASURES, chunk=4)
    assert correct.tolist() == [True, True, False, True, True, True]
    for row in rows.values():
        assert row.images.shape[0] == row.success.shape[0] == row.steps.shape[0] == 5
        flipped = model(row.images).argmax(1) != labels[correct]
        assert torch.equal(row.success, flipped) and row.success_rate == pytest.approx(flipped.double().mean().item())
        assert torch.equal(row.margins > 0, flipped) and row.seconds > 0


def test_distances_are_the_definitions(subjects):
    model, images, labels = subjects
    correct, rows = compare_attacks(model, images, labels, {"PGD": attacks()["PGD"]}, measures=MEASURES)
    row, change = rows["PGD"], (rows["PGD"].images - images[correct]).flatten(1)
    torch.testing.assert_close(row.distances["L1"], change.abs().sum(1))
    torch.testing.assert_close(row.distances["L2"], change.norm(dim=1))
    torch.testing.assert_close(row.distances["Linf"], change.abs().amax(1))
    torch.testing.assert_close(row.distances["ssim"], ssim_distance(row.images, images[correct]))
    assert row.mean_distance("L2", torch.ones(5, dtype=torch.bool)) == pytest.approx(change.norm(dim=1).mean().item())
    assert row.mean_distance("unknown") is None
    assert row.mean_distance("L2", torch.zeros(5, dtype=torch.bool)) is None


def test_an_attack_is_not_measured_by_its_own(subjects):
    _, rows = compare_attacks(*subjects, attacks(), measures={**MEASURES, "features": ssim_distance})
    assert "ssim" not in rows["ours a=0"].distances and "ssim" in rows["PGD"].distances
    assert "features" not in rows["PPGD"].distances and "features" in rows["ours a=0"].distances
    assert list(held_out_measures(MEASURES, ["ms_ssim"])) == ["gmsd", "haarpsi"]


def test_chunks_change_nothing_and_norms_are_kept(subjects):
    several = {name: attacks()[name] for name in ("PGD", "ours a=0.5", "PerC-AL")}
    whole, parts = (compare_attacks(*subjects, several, measures=MEASURES, chunk=size)[1] for size in (6, 2))
    for name in several:
        torch.testing.assert_close(whole[name].images, parts[name].images, rtol=0, atol=1e-7)
        assert torch.equal(whole[name].gradient_evaluations, parts[name].gradient_evaluations)
    assert whole["PGD"].gradient_norms is None and parts["ours a=0.5"].gradient_norms.shape == (6, 5, 2)


def test_bad_input_is_refused(subjects):
    model, images, labels = subjects
    with pytest.raises(ValueError, match="attacks: expected at least one"):
        compare_attacks(model, images, labels, {}, measures={})
    wrong = (model(images).argmax(1) + 1) % 4
    pgd = {"PGD": NamedAttack(pgd_l2_until_flipped)}
    with pytest.raises(ValueError, match="got none of 6"):
        compare_attacks(model, images, wrong, pgd, measures={})
    with pytest.raises(ValueError, match="chunk"):
        compare_attacks(model, images, labels, pgd, measures={}, chunk=0)
