"""A kept state comes back as it was, and no other computation's or damaged one does."""

import pytest
import torch

from blindspots.kept_state import keep_state, kept_state


def test_a_state_comes_back_as_it_was_kept(tmp_path):
    file = tmp_path / "new" / "state"
    assert kept_state(file, "a") is None
    keep_state(file, "a", {"step": 3, "weights": {"w": torch.arange(3)}, "history": [{"loss": 0.5}]})
    state = kept_state(file, "a")
    assert state["step"] == 3
    assert torch.equal(state["weights"]["w"], torch.arange(3))
    assert state["history"] == [{"loss": 0.5}]
    assert list(file.parent.iterdir()) == [file]


def test_the_state_of_another_computation_is_refused(tmp_path):
    keep_state(tmp_path / "state", "a", {})
    with pytest.raises(ValueError, match=r"progress_file: .* got that of other data, networks or options"):
        kept_state(tmp_path / "state", "b")


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "state").write_bytes(b"no state")
    with pytest.raises(ValueError, match="cannot be read"):
        kept_state(tmp_path / "state", "a")


def test_a_file_that_was_cut_short_is_named(tmp_path):
    keep_state(tmp_path / "state", "a", {})
    (tmp_path / "state").write_bytes((tmp_path / "state").read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"progress_file: .* cannot be read .* remove it to start anew"):
        kept_state(tmp_path / "state", "a")


def test_a_failed_writing_leaves_the_last_state(tmp_path):
    keep_state(tmp_path / "state", "a", {"step": 1})
    with pytest.raises(AttributeError):
        keep_state(tmp_path / "state", "a", {"step": lambda: 0})
    assert kept_state(tmp_path / "state", "a") == {"step": 1}
    assert list(tmp_path.iterdir()) == [tmp_path / "state"]
