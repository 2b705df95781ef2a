import os

import pytest

from blindspots.reports.writing import write_atomically


def test_writing_makes_the_folder_and_replaces_the_file(tmp_path):
    path = tmp_path / "new" / "one.json"
    write_atomically(path, b"first")
    write_atomically(path, b"second")
    assert path.read_bytes() == b"second"
    assert [file.name for file in path.parent.iterdir()] == ["one.json"]


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_behind(tmp_path, monkeypatch):
    path = write_atomically(tmp_path / "one.json", b"old")

    def fails(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(OSError, match=r"one\.json: cannot be written \(No space left on device\); free some space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["one.json"]


def test_an_interrupted_write_leaves_nothing_behind(tmp_path, monkeypatch):
    def stops(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", stops)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "one.json", b"new")
    assert not list(tmp_path.iterdir())


def test_a_file_where_the_folder_should_be_is_named(tmp_path):
    (tmp_path / "results").write_text("a file")
    with pytest.raises(OSError, match=r"results/one\.json: cannot be written"):
        write_atomically(tmp_path / "results" / "one.json", b"new")
