"""What is there of a set, file by file."""

import os
from pathlib import Path

import pytest

from blindspots.data import published
from blindspots.data.published import PUBLISHED, PublishedFile, PublishedSet, file_digest
from blindspots.data.verify import verify


@pytest.fixture
def root(tmp_path, monkeypatch):
    folder = tmp_path / "mine"
    (folder / "images").mkdir(parents=True)
    (folder / "a").write_text("aaa")
    (folder / "b").write_text("b")
    (folder / "images" / "1.png").write_text("x")
    first = (
        PublishedFile("a", 3, None, file_digest(folder / "a")),
        PublishedFile("b"),
        PublishedFile("c", 7, optional=True),
    )
    made = PublishedSet("mine", "mine", "page", "licence", "layout", (first, (PublishedFile("d"),)))
    monkeypatch.setitem(published.PUBLISHED, "mine", made)
    return tmp_path


def _states(report):
    return {file.path: (file.present, file.size, file.checksum) for file in report.files}


def test_each_file_has_presence_size_and_checksum(root):
    report = verify("mine", data_root=root)
    assert _states(report) == {"a": (True, 3, "ok"), "b": (True, 1, "unknown"), "c": (False, None, "unknown")}
    assert report.files[2].expected_size == 7
    assert report.n_other_files == 1
    assert report.folder == root / "mine"


def test_complete_needs_what_is_not_optional_and_official_needs_every_checksum(root):
    assert verify("mine", data_root=root).complete
    assert not verify("mine", data_root=root).official
    (root / "mine" / "b").unlink()
    assert not verify("mine", data_root=root).complete


def test_exchanged_bytes_differ(root):
    (root / "mine" / "a").write_text("aab")
    assert _states(verify("mine", data_root=root))["a"] == (True, 3, "differs")


def test_the_variant_with_more_files_is_reported(root):
    for name in ("a", "b"):
        (root / "mine" / name).unlink()
    (root / "mine" / "d").write_text("d")
    assert _states(verify("mine", data_root=root)) == {"d": (True, 1, "unknown")}


def test_a_set_that_is_not_there_and_an_unknown_name_are_errors(tmp_path):
    with pytest.raises(FileNotFoundError, match="adult: expected the folder"):
        verify("adult", data_root=tmp_path)
    with pytest.raises(ValueError, match="name: expected one of"):
        verify("nothing", data_root=tmp_path)


@pytest.mark.skipif(not os.environ.get("BLINDSPOTS_DATA"), reason="BLINDSPOTS_DATA is not set")
@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_real_sets_are_complete(name):
    if not (Path(os.environ["BLINDSPOTS_DATA"]) / PUBLISHED[name].folder).is_dir():
        pytest.skip(f"{name} is not below BLINDSPOTS_DATA")
    report = verify(name)
    assert report.complete, [file.path for file in report.files if not file.present]
