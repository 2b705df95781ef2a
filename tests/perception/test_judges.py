"""Judges are distances, agree with published values, and never judge what was minimized."""

import pandas as pd
import pytest
import torch

from blindspots.perception import JUDGES, SSIMDistance, held_out, judge_images, ssim_distance


def pair(draw, noise, *shape, scale=0.05):
    images = draw(*shape)
    return (images + scale * noise(*shape)).clamp(0, 1), images


@pytest.mark.parametrize("name", JUDGES)
def test_every_judge_is_a_distance(draw, noise, name):
    judge = JUDGES[name]
    side = max(judge.min_side, 32)
    images, references = pair(draw, noise, 2, 3, side, side + 3)
    farther, _ = pair(draw, noise, 2, 3, side, side + 3, scale=0.2)
    near, far = judge(images, references), judge(farther, references)
    assert near.shape == (2,) and near.dtype == torch.float64
    torch.testing.assert_close(judge(references, references), torch.zeros(2, dtype=torch.float64), rtol=0, atol=1e-6)
    assert (near > 0).all() and (far > near).all()
    torch.testing.assert_close(judge(images[1:], references[1:])[0], near[1], rtol=1e-6, atol=1e-9)
    single = judge(images.float(), references.float())
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), near, rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize("name", JUDGES)
def test_every_judge_takes_its_smallest_side_and_gray_images_and_no_smaller_ones(draw, noise, name):
    judge = JUDGES[name]
    images, references = pair(draw, noise, 1, 1, judge.min_side, judge.min_side + 5)
    value = judge(images, references)
    assert torch.isfinite(value).all()
    torch.testing.assert_close(value, judge(images.repeat(1, 3, 1, 1), references.repeat(1, 3, 1, 1)))
    if judge.min_side > 1:
        with pytest.raises(ValueError, match=f"images: expected sides of at least {judge.min_side} pixels"):
            judge(images[..., 1:, :], references[..., 1:, :])


@pytest.mark.parametrize("name", JUDGES)
def test_images_without_contrast_are_at_zero_from_themselves(name):
    judge = JUDGES[name]
    images = torch.full((1, 3, max(judge.min_side, 16), max(judge.min_side, 16)), 0.5, dtype=torch.float64)
    torch.testing.assert_close(judge(images, images), torch.zeros(1, dtype=torch.float64), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("name", "row"), [("fsim", "fsim"), ("gmsd", "gmsd")])
def test_published_values_of_tid2013_pairs_are_met(tid2013, name, row):
    images, references, published = tid2013
    judge = JUDGES[name]
    ours = torch.cat([judge(a.double(), b.double()) for a, b in zip(images, references, strict=True)])
    expected = 1 - published[row] if judge.higher_is_closer else published[row]
    # Published with four decimals, from Matlab; piq subsamples by means where Matlab filters.
    torch.testing.assert_close(ours, expected, rtol=0, atol=3e-4)


def test_scores_make_a_table_of_the_judges_that_fit(draw, noise):
    images, references = pair(draw, noise, 3, 3, 40, 44)
    scores = judge_images(images.requires_grad_(True), references)
    assert list(scores) == [name for name in JUDGES if JUDGES[name].min_side <= 40]
    assert "vif" not in scores and "ms_ssim" not in scores
    assert not any(value.requires_grad for value in scores.values())
    table = pd.DataFrame(scores)
    assert table.shape == (3, len(scores))
    assert table["ssim"].tolist() == ssim_distance(images, references).tolist()
    assert list(judge_images(images, references, ["gmsd", "ssim"])) == ["gmsd", "ssim"]


def test_an_attack_is_not_judged_by_its_own_distance_or_family():
    assert held_out() == tuple(JUDGES)
    assert "ssim" not in held_out(None, "ssim") and "ms_ssim" not in held_out(None, "ssim")
    assert held_out(None, SSIMDistance()) == held_out(None, "ssim") == held_out(None, ["ms_ssim", "l2"])
    assert held_out(["gmsd", "ciede2000", "ssim"], "ciede2000_mean") == ("gmsd", "ssim")
    assert held_out(["gmsd"], "pieapp") == ("gmsd",)
    with pytest.raises(ValueError, match=r"a judge that differs from what was minimized \(ssim\), got only ms_ssim"):
        held_out(["ms_ssim"], "ssim")


def test_bad_arguments_are_named(draw):
    images = draw(1, 3, 16, 16)
    with pytest.raises(ValueError, match=r"names: expected one of ssim, ms_ssim, .* got 'psnr'"):
        judge_images(images, images, ["psnr"])
    with pytest.raises(ValueError, match="names: expected a list of judges, got the text 'ssim'"):
        held_out("ssim")
    with pytest.raises(ValueError, match=r"images: expected values in \[0, 1\]"):
        judge_images(images + 1, images)
    with pytest.raises(ValueError, match="references: expected the shape of images"):
        judge_images(images, images[..., 1:])
    with pytest.raises(ValueError, match=r"images: expected 3 channels .* got 2"):
        judge_images(images[:, :2], images[:, :2])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_gives_what_the_cpu_gives(draw, noise):
    images, references = pair(draw, noise, 2, 3, 48, 56)
    here, there = judge_images(images, references), judge_images(images.cuda(), references.cuda())
    for name, scores in here.items():
        assert not there[name].is_cuda
        torch.testing.assert_close(there[name], scores, rtol=0, atol=1e-6)
