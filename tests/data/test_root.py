"""The data root and the folders below it, and the messages when they are not as they should be."""

import os
from pathlib import Path

import pytest

from blindspots.data.published import PUBLISHED
from blindspots.data.root import VARIABLE, find_data_root, find_set, half_written, require_files


def test_the_argument_wins_over_the_environment(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    monkeypatch.setenv(VARIABLE, str(tmp_path / "b"))
    assert find_data_root() == tmp_path / "b"
    assert find_data_root(tmp_path / "a") == tmp_path / "a"
    assert find_data_root(str(tmp_path / "a")) == tmp_path / "a"


@pytest.mark.parametrize("value", [None, ""])
def test_an_unset_or_empty_variable_says_what_to_set(value, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(FileNotFoundError, match=f"set {VARIABLE} or pass data_root"):
        find_data_root()


def test_a_missing_root_and_a_file_as_root_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match=f"{VARIABLE}: expected an existing folder, got .*nowhere"):
        find_data_root()
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotADirectoryError, match=r"data_root: expected a folder, got the file .*file"):
        find_data_root(tmp_path / "file")
    with pytest.raises(TypeError, match="data_root: expected a path, got int 3"):
        find_data_root(3)


def test_a_root_that_cannot_be_listed_is_a_permission_error(tmp_path, monkeypatch):
    # The superuser may list everything, so the refusal is made by hand.
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermissionError, match=r"expected to list .* got no permission"):
        find_data_root(tmp_path)


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_a_set_that_is_not_there_names_the_folder_and_the_remedy(name, tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        find_set(name, data_root=tmp_path)
    message = str(caught.value)
    assert str(tmp_path / PUBLISHED[name].folder) in message
    assert PUBLISHED[name].page in message
    assert (f"blindspots data fetch {name}" in message) == PUBLISHED[name].automatic


def test_an_unknown_set_lists_the_known_ones(tmp_path):
    with pytest.raises(ValueError, match=r"expected one of mnist, cifar10, .*; got 'imagenet'"):
        find_set("imagenet", data_root=tmp_path)


def test_missing_files_are_all_named(tmp_path):
    (tmp_path / "adult.data").write_text("x")
    with pytest.raises(FileNotFoundError, match=r"expected adult.test, adult.names in .* only a part"):
        require_files("adult", tmp_path, ["adult.data", "adult.test", "adult.names"])
    with pytest.raises(FileNotFoundError, match="none of it"):
        require_files("adult", tmp_path, ["adult.test"])


def test_an_empty_file_is_half_written(tmp_path):
    (tmp_path / "adult.data").write_text("")
    with pytest.raises(ValueError, match="got an empty file"):
        require_files("adult", tmp_path, ["adult.data"])


def test_an_unreadable_file_is_a_permission_error(tmp_path, monkeypatch):
    (tmp_path / "adult.data").write_text("x")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError, match=r"expected to read .*adult.data"):
        require_files("adult", tmp_path, ["adult.data"])


def test_half_written_names_the_file_what_was_expected_and_the_remedy():
    error = half_written("adult", Path("/d/adult.data"), "15 columns", "3")
    assert "expected 15 columns in /d/adult.data, got 3" in str(error)
    assert "blindspots data fetch adult" in str(error)
