"""The table of what publishers give."""

import re

import pytest

from blindspots.data.official import SOURCES
from blindspots.data.published import PUBLISHED, PublishedFile, checksum_state, file_digest


def test_every_source_has_its_entry_and_licence():
    assert {source.name for source in SOURCES} == set(PUBLISHED)
    for source in SOURCES:
        assert source.licence == PUBLISHED[source.name].licence
        assert source.tier == "official"


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_pages_are_https_paths_are_relative_and_checksums_have_their_length(name):
    published = PUBLISHED[name]
    assert published.page.startswith("https://")
    for file in (file for variant in published.variants for file in variant):
        assert not file.path.startswith("/") and ".." not in file.path
        assert file.md5 is None or re.fullmatch("[0-9a-f]{32}", file.md5)
        assert file.sha256 is None or re.fullmatch("[0-9a-f]{64}", file.sha256)


def test_a_set_is_automatic_only_if_every_file_has_a_checksum():
    for published in PUBLISHED.values():
        if published.automatic:
            assert all(file.sha256 for file in published.variants[0])
            assert "fetch" in published.remedy()


def test_checksum_state_tells_ok_differs_and_unknown_apart(tmp_path):
    file = tmp_path / "f"
    file.write_bytes(b"abc")
    # The digests of "abc" are the test vectors of the standards.
    sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    md5 = "900150983cd24fb0d6963f7d28e17f72"
    assert file_digest(file) == sha256
    assert file_digest(file, "md5") == md5
    assert checksum_state(file, PublishedFile("f", 3, md5, sha256)) == "ok"
    assert checksum_state(file, PublishedFile("f", 3, md5)) == "ok"
    assert checksum_state(file, PublishedFile("f", 3)) == "unknown"
    assert checksum_state(file, PublishedFile("f", 4, md5, sha256)) == "differs"
    assert checksum_state(file, PublishedFile("f", 3, "0" * 32)) == "differs"
    assert checksum_state(file, PublishedFile("f", 3, md5, "0" * 64)) == "differs"
