"""Official or mirror."""

import pytest

from blindspots.data import published
from blindspots.data.official.origin import origin_of
from blindspots.data.published import PublishedFile, PublishedSet, file_digest


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    files = (PublishedFile("a", 1, None, file_digest(tmp_path / "a")), PublishedFile("b"))
    made = PublishedSet("mine", "mine", "page", "licence", "layout", (files,))
    monkeypatch.setitem(published.PUBLISHED, "mine", made)
    return tmp_path


def test_only_files_with_the_publishers_checksum_are_official(folder):
    assert origin_of("mine", folder, ["a"]) == ("official", "")
    (folder / "a").write_text("x")
    assert origin_of("mine", folder, ["a"]) == ("mirror", "checksum not the publisher's: a")


def test_what_cannot_be_checked_is_not_called_official(folder):
    assert origin_of("mine", folder, ["a", "b"]) == ("mirror", "no published checksum to compare with: b")
