"""A state survives on disk, and that of another computation is refused."""

from functools import partial

import pytest
import torch

from blindspots.attacks import NamedAttack, pgd_l2_until_flipped
from blindspots.fairness.kept_progress import described, keep_progress, kept_progress, progress_digest


def test_a_state_comes_back(tmp_path):
    file = tmp_path / "new" / "folder" / "progress.pt"
    assert kept_progress(file, "digest") is None
    keep_progress(file, "digest", {"images": torch.arange(3.0), "seconds": [0.5], "n": 2})
    state = kept_progress(file, "digest")
    assert torch.equal(state["images"], torch.arange(3.0)) and state["seconds"] == [0.5] and state["n"] == 2
    assert [path.name for path in file.parent.iterdir()] == ["progress.pt"]


def test_another_digest_and_a_damaged_file_are_refused(tmp_path):
    file = tmp_path / "progress.pt"
    keep_progress(file, "one", {})
    with pytest.raises(ValueError, match=r"progress_file: .* got that of another model, data, attack or options"):
        kept_progress(file, "two")
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"progress_file: .* cannot be read .* remove it to start anew"):
        kept_progress(file, "one")


def test_a_failed_write_leaves_the_old_state(tmp_path):
    file = tmp_path / "progress.pt"
    keep_progress(file, "one", {"n": 1})
    with pytest.raises(Exception, match="pickle"):
        keep_progress(file, "one", {"n": lambda: 2})
    assert kept_progress(file, "one") == {"n": 1} and len(list(tmp_path.iterdir())) == 1


def test_the_digest_knows_options_and_tensors():
    base = progress_digest({"rounds": 2}, torch.zeros(3))
    assert base == progress_digest({"rounds": 2}, torch.zeros(3))
    assert base != progress_digest({"rounds": 3}, torch.zeros(3))
    assert base != progress_digest({"rounds": 2}, torch.zeros(3, dtype=torch.float64))
    assert base != progress_digest({"rounds": 2}, torch.tensor([0.0, 0.0, 1e-30]))


def test_attacks_are_told_apart_by_name_options_and_settings():
    names = [
        described(pgd_l2_until_flipped),
        described(partial(pgd_l2_until_flipped, steps=3)),
        described(partial(pgd_l2_until_flipped, steps=4)),
        described(NamedAttack(pgd_l2_until_flipped, settings={"steps": 3})),
        described(NamedAttack(pgd_l2_until_flipped, settings={"steps": 4})),
    ]
    assert len(set(names)) == 5 and "pgd_l2_until_flipped" in names[0]
    assert described(partial(pgd_l2_until_flipped, steps=3)) == names[1]
