"""The data root without any data set: what kernels need of it."""

import subprocess
import sys

import pytest

from blindspots.data_root import VARIABLE, check_folder, find_data_root


def test_the_argument_wins_over_the_environment(tmp_path, monkeypatch):
    (tmp_path / "named").mkdir()
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert find_data_root() == tmp_path
    assert find_data_root(tmp_path / "named") == tmp_path / "named"


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"mine: expected an existing folder, got .*nowhere"):
        check_folder(tmp_path / "nowhere", "mine")


def test_it_needs_no_data_layer():
    code = "import sys, blindspots.data_root; sys.exit('blindspots.data' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
