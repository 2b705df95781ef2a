"""Selection from the Gram matrix alone: best subsets, the lime package, laws, messages."""

import numpy as np
import pytest
import torch

from blindspots.criticism.superpixel_selection import select_superpixels
from blindspots.criticism.weighted_fit import weighted_moments
from blindspots.seeding import generator

WAYS = ["forward_selection", "highest_weights", "lasso_path"]


def problem(n=200, n_superpixels=11, n_classes=5, seed=0):
    draws = generator(seed, "selection")
    masks = torch.rand(n, n_superpixels, generator=draws) < 0.5
    masks[0] = True
    truth = torch.randn(n_superpixels, n_classes, generator=draws, dtype=torch.float64)
    outputs = masks.double() @ truth + torch.randn(n, n_classes, generator=draws, dtype=torch.float64)
    weights = torch.rand(n, generator=draws, dtype=torch.float64)
    return masks, outputs, weights


def moments(given):
    found = weighted_moments(*given, intercept=True)
    return found.gram, found.moments


@pytest.mark.parametrize("way", WAYS)
def test_orthogonal_masks_keep_the_largest_weights(way):
    weights = torch.tensor([[3.0, -0.1, -5.0, 0.2, 1.0], [0.0, 2.0, 0.3, -0.4, 0.1]], dtype=torch.float64)
    kept = select_superpixels(40 * torch.eye(5, dtype=torch.float64), 40 * weights.T, 2, selection=way)
    assert kept.tolist() == [[True, False, True, False, False], [False, True, False, True, False]]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("n_features", [1, 3, 8])
def test_the_lime_package_keeps_the_same(way, n_features):
    lime_base = pytest.importorskip("lime.lime_base", reason="the lime package is an extra ([oracles])")
    masks, outputs, weights = given = problem()
    kept = select_superpixels(*moments(given), n_features, selection=way)
    base = lime_base.LimeBase(kernel_fn=None, random_state=np.random.RandomState(0))
    for row in range(outputs.shape[1]):
        used = base.feature_selection(masks.double().numpy(), outputs[:, row].numpy(), weights.numpy(), n_features, way)
        assert sorted(used.tolist()) == kept[row].nonzero().flatten().tolist()


def test_auto_changes_its_way_after_six():
    given = moments(problem(seed=3))
    for n_features, way in ((6, "forward_selection"), (7, "highest_weights")):
        auto = select_superpixels(*given, n_features)
        assert torch.equal(auto, select_superpixels(*given, n_features, selection=way))


def test_forward_selection_equals_refitting_every_candidate():
    masks, outputs, weights = given = problem(n_superpixels=8, n_classes=3, seed=1)
    kept = select_superpixels(*moments(given), 4, selection="forward_selection")
    root = weights.sqrt()[:, None]
    ones = torch.ones(len(masks), 1, dtype=torch.float64)
    for row in range(3):
        chosen = []
        for _ in range(4):
            losses = {}
            for candidate in set(range(8)) - set(chosen):
                design = root * torch.cat([ones, masks[:, [*chosen, candidate]].double()], dim=1)
                target = root[:, 0] * outputs[:, row]
                fitted = design @ torch.linalg.lstsq(design, target).solution
                losses[candidate] = float((target - fitted).square().sum())
            chosen.append(min(losses, key=losses.get))
        assert sorted(chosen) == kept[row].nonzero().flatten().tolist()


@pytest.mark.parametrize("way", WAYS)
def test_classes_do_not_disturb_each_other_even_when_there_are_many(way):
    gram, right = moments(problem(n_classes=70))
    kept = select_superpixels(gram, right, 4, selection=way)
    assert kept.shape == (70, 11) and (kept.sum(1) <= 4).all() and (kept.sum(1) >= 1).all()
    assert torch.equal(kept[66:67], select_superpixels(gram, right[:, 66:67], 4, selection=way))


def test_asking_for_all_keeps_all_and_a_constant_output_nothing_on_the_path():
    gram, right = moments(problem())
    assert select_superpixels(gram, right, 11).all() and select_superpixels(gram, right, 99).all()
    assert not select_superpixels(gram, torch.zeros_like(right), 3, selection="lasso_path").any()


def test_twin_superpixels_are_not_taken_twice():
    masks, outputs, weights = problem(n_superpixels=4, n_classes=2)
    twins = torch.cat([masks, masks[:, :1]], dim=1)
    kept = select_superpixels(*moments((twins, outputs, weights)), 4, selection="forward_selection")
    assert (kept.sum(1) == 4).all() and kept[:, 1:4].all()


def test_bad_options_are_named():
    gram, right = moments(problem())
    with pytest.raises(ValueError, match="selection: expected one of"):
        select_superpixels(gram, right, 3, selection="best")
    with pytest.raises(ValueError, match="n_features"):
        select_superpixels(gram, right, 0)
