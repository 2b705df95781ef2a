"""Downloading a set: from files and from a server on the loopback interface, never from the network."""

import errno
import gzip
import hashlib
import http.server
import io
import shutil
import tarfile
import threading
from dataclasses import replace

import pytest

from blindspots.data import fetch as module
from blindspots.data import published
from blindspots.data.fetch import DOWNLOADS, Download, fetch
from blindspots.data.published import PUBLISHED, PublishedFile, PublishedSet

CONTENT = {"a.bin": b"first file " * 4000, "sub/b.bin": b"second file " * 3000}


def _digest(content, kind="sha256"):
    return hashlib.new(kind, content).hexdigest()


def _tar(members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _link(name, target, kind=tarfile.SYMTYPE):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.fixture
def publish(tmp_path, monkeypatch):
    """Return a function that publishes the set "mine" at an address and in a form."""
    server = tmp_path / "server"
    server.mkdir()
    files = tuple(PublishedFile(path, len(data), None, _digest(data)) for path, data in CONTENT.items())
    made = PublishedSet("mine", "mine", "https://page", "some licence", "a.bin", (files,), automatic=True)
    monkeypatch.setitem(published.PUBLISHED, "mine", made)

    def publish(form, *, base=None, archive=None):
        base = base or server.as_uri()
        downloads = []
        if form == "tar.gz":
            served = archive if archive is not None else _tar(CONTENT.items())
            (server / "mine.tar.gz").write_bytes(served)
            item = Download(
                f"{base}/mine.tar.gz", len(served), tuple(CONTENT), None, _digest(served), "tar.gz"
            )
            downloads.append(item)
        else:
            for path, content in CONTENT.items():
                name = path.replace("/", "-") + (".gz" if form == "gz" else "")
                served = gzip.compress(content, mtime=0) if form == "gz" else content
                (server / name).write_bytes(served)
                item = Download(
                    f"{base}/{name}", len(served), (path,), _digest(served, "md5"), unpack=form
                )
                downloads.append(item)
        monkeypatch.setitem(DOWNLOADS, "mine", tuple(downloads))
        return server

    return publish


def _assert_whole(root):
    for path, content in CONTENT.items():
        assert (root / "mine" / path).read_bytes() == content
    assert sorted(entry.name for entry in root.iterdir()) == ["mine"]


@pytest.mark.parametrize("form", ["", "gz", "tar.gz"])
def test_every_form_of_download_gives_the_same_files_and_nothing_else(form, publish, tmp_path):
    publish(form)
    root = tmp_path / "new" / "root"
    assert fetch("mine", data_root=root, accept_licence=True) == root / "mine"
    _assert_whole(root)


def test_progress_ends_at_the_published_size(publish, tmp_path):
    publish("")
    seen = []
    root = tmp_path / "root"
    fetch("mine", data_root=root, accept_licence=True, progress=lambda *state: seen.append(state))
    assert seen[-1] == ("sub-b.bin", len(CONTENT["sub/b.bin"]), len(CONTENT["sub/b.bin"]))


def test_the_licence_is_shown_and_must_be_accepted(publish, tmp_path):
    publish("")
    for answer in (False, "yes", 1):
        with pytest.raises(ValueError, match=r"licence of mine: some licence \(https://page\)"):
            fetch("mine", data_root=tmp_path / "root", accept_licence=answer)
    assert not (tmp_path / "root").exists()


@pytest.mark.parametrize("name", sorted(set(PUBLISHED) - set(DOWNLOADS)))
def test_sets_with_terms_of_their_own_are_never_downloaded(name, tmp_path):
    with pytest.raises(ValueError) as caught:
        fetch(name, data_root=tmp_path, accept_licence=True)
    assert PUBLISHED[name].page in str(caught.value)
    assert PUBLISHED[name].layout in str(caught.value)


def test_unknown_names_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"name: expected one of mnist, .*; got 'imagenet'"):
        fetch("imagenet", data_root=tmp_path, accept_licence=True)


def test_automatic_sets_and_downloads_agree():
    assert {name for name, entry in PUBLISHED.items() if entry.automatic} == set(DOWNLOADS)
    for name, items in DOWNLOADS.items():
        assert sorted(path for item in items for path in item.gives) == sorted(
            file.path for file in PUBLISHED[name].variants[0]
        )
        assert all(item.url.startswith("https://") and item.size > 0 for item in items)
        assert all(item.md5 or item.sha256 for item in items)


def test_a_set_that_is_there_is_left_alone(publish, tmp_path):
    server = publish("")
    root = tmp_path / "root"
    fetch("mine", data_root=root, accept_licence=True)
    shutil.rmtree(server)
    assert fetch("mine", data_root=root, accept_licence=True) == root / "mine"


def test_only_missing_files_are_added_and_others_kept(publish, tmp_path):
    publish("tar.gz")
    root = tmp_path / "root"
    (root / "mine").mkdir(parents=True)
    (root / "mine" / "mine-too.txt").write_text("keep")
    (root / "mine" / "a.bin").write_bytes(CONTENT["a.bin"])
    fetch("mine", data_root=root, accept_licence=True)
    assert (root / "mine" / "mine-too.txt").read_text() == "keep"
    _assert_whole(root)


def test_other_bytes_are_never_overwritten(publish, tmp_path):
    publish("")
    root = tmp_path / "root"
    (root / "mine").mkdir(parents=True)
    (root / "mine" / "a.bin").write_text("a mirror")
    with pytest.raises(FileExistsError, match=r"a\.bin, got other bytes; .* move the folder"):
        fetch("mine", data_root=root, accept_licence=True)
    assert (root / "mine" / "a.bin").read_text() == "a mirror"


def test_a_wrong_checksum_removes_the_download_and_says_both(publish, tmp_path):
    server = publish("")
    damaged = bytearray(CONTENT["sub/b.bin"])
    damaged[100] ^= 1
    (server / "sub-b.bin").write_bytes(damaged)
    with pytest.raises(ValueError) as caught:
        fetch("mine", data_root=tmp_path / "root", accept_licence=True)
    assert f"expected MD5 {_digest(CONTENT['sub/b.bin'], 'md5')}" in str(caught.value)
    assert f"got {_digest(bytes(damaged), 'md5')}" in str(caught.value)
    assert not (tmp_path / "root" / "mine").exists()
    assert not list((tmp_path / "root").rglob("sub-b.bin*"))
    (server / "sub-b.bin").write_bytes(CONTENT["sub/b.bin"])
    fetch("mine", data_root=tmp_path / "root", accept_licence=True)
    _assert_whole(tmp_path / "root")


def test_unpacked_files_are_checked_as_well(publish, tmp_path):
    members = [("a.bin", CONTENT["a.bin"]), ("sub/b.bin", CONTENT["sub/b.bin"][::-1])]
    publish("tar.gz", archive=_tar(members))
    with pytest.raises(ValueError, match=r"published checksum for sub/b\.bin .* nothing was kept"):
        fetch("mine", data_root=tmp_path / "root", accept_licence=True)
    assert not list((tmp_path / "root").rglob("*.bin"))


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (("/absolute", b"x"), "expected relative names"),
        (("../outside", b"x"), "expected relative names"),
        (("sub/../../outside", b"x"), "expected relative names"),
        (("..\\outside", b"x"), "expected relative names"),
        ((_link("link", "/etc/passwd"), b""), "the link or device 'link'"),
        ((_link("link", "a.bin", tarfile.LNKTYPE), b""), "the link or device 'link'"),
        ((_link("pipe", "", tarfile.FIFOTYPE), b""), "the link or device 'pipe'"),
    ],
    ids=["absolute", "outside", "winding", "backslash", "symlink", "hard link", "pipe"],
)
def test_a_dangerous_member_stops_everything_before_any_file_is_written(extra, message, publish, tmp_path):
    publish("tar.gz", archive=_tar([*CONTENT.items(), extra]))
    with pytest.raises(ValueError, match=message):
        fetch("mine", data_root=tmp_path / "root", accept_licence=True)
    assert not list(tmp_path.rglob("outside"))
    assert not list((tmp_path / "root").rglob("*.bin"))


def test_members_that_are_no_part_of_the_set_are_not_written(publish, tmp_path):
    publish("tar.gz", archive=_tar([*CONTENT.items(), ("readme.html", b"hello")]))
    fetch("mine", data_root=tmp_path / "root", accept_licence=True)
    _assert_whole(tmp_path / "root")
    assert not (tmp_path / "root" / "mine" / "readme.html").exists()


def test_an_archive_that_unpacks_to_more_than_published_is_stopped(publish, tmp_path):
    publish("tar.gz", archive=_tar([("a.bin", bytes(50_000_000)), ("sub/b.bin", CONTENT["sub/b.bin"])]))
    with pytest.raises(ValueError, match=r"expected 44000 bytes for a\.bin, got more"):
        fetch("mine", data_root=tmp_path / "root", accept_licence=True)
    assert sum(file.stat().st_size for file in (tmp_path / "root").rglob("*") if file.is_file()) < 1_000_000


def test_an_archive_without_a_file_or_that_is_none_is_refused(publish, tmp_path):
    publish("tar.gz", archive=_tar([("a.bin", CONTENT["a.bin"])]))
    with pytest.raises(ValueError, match=r"expected sub/b\.bin in .* got an archive without it"):
        fetch("mine", data_root=tmp_path / "one", accept_licence=True)
    publish("tar.gz", archive=_tar(CONTENT.items())[:-2000])
    with pytest.raises(ValueError, match=r"expected a whole tar\.gz archive"):
        fetch("mine", data_root=tmp_path / "two", accept_licence=True)


def test_a_download_longer_than_published_is_stopped(publish, tmp_path):
    server = publish("")
    (server / "a.bin").write_bytes(CONTENT["a.bin"] + b"more")
    with pytest.raises(ValueError, match=r"expected 44000 bytes .* got more"):
        fetch("mine", data_root=tmp_path / "root", accept_licence=True)


def test_a_full_disk_is_said_before_work_and_leaves_nothing(publish, tmp_path, monkeypatch):
    publish("")
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: usage._replace(free=10))
    with pytest.raises(OSError, match=r"MiB free in .* got no space left; free some") as caught:
        fetch("mine", data_root=tmp_path / "root", accept_licence=True)
    assert caught.value.errno == errno.ENOSPC
    assert list((tmp_path / "root").iterdir()) == []


def test_a_disk_that_fills_up_on_the_way_leaves_nothing(publish, tmp_path, monkeypatch):
    publish("gz")

    def fill(source, path, file):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "_write_capped", fill)
    with pytest.raises(OSError, match="got no space left") as caught:
        fetch("mine", data_root=tmp_path / "root", accept_licence=True)
    assert caught.value.errno == errno.ENOSPC
    assert list((tmp_path / "root").iterdir()) == []


def test_a_root_that_cannot_be_written_is_a_permission_error(publish, tmp_path, monkeypatch):
    publish("")
    (tmp_path / "root").mkdir()
    monkeypatch.setattr(module.os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError, match=r"expected to write to .*root, got no permission"):
        fetch("mine", data_root=tmp_path / "root", accept_licence=True)


def test_a_root_that_is_a_file_or_unset_is_an_error(publish, tmp_path, monkeypatch):
    publish("")
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotADirectoryError, match="got the file"):
        fetch("mine", data_root=tmp_path / "file", accept_licence=True)
    monkeypatch.delenv("BLINDSPOTS_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match="set BLINDSPOTS_DATA"):
        fetch("mine", accept_licence=True)


def test_the_environment_variable_names_the_root(publish, tmp_path, monkeypatch):
    publish("")
    monkeypatch.setenv("BLINDSPOTS_DATA", str(tmp_path / "root"))
    fetch("mine", accept_licence=True)
    _assert_whole(tmp_path / "root")


def test_two_downloads_at_once_do_not_mix(publish, tmp_path):
    publish("")
    root = tmp_path / "root"
    root.mkdir()
    with (
        module.FileLock(root / ".mine.lock"),
        pytest.raises(OSError, match=r"got another download in .*; wait for it"),
    ):
        fetch("mine", data_root=root, accept_licence=True)
    fetch("mine", data_root=root, accept_licence=True)
    _assert_whole(root)


def test_a_missing_address_says_what_and_where_else(publish, tmp_path):
    server = publish("")
    (server / "a.bin").unlink()
    with pytest.raises(OSError, match=r"expected to download .*a\.bin, got .*; call again .* https://page"):
        fetch("mine", data_root=tmp_path / "root", accept_licence=True)


def test_an_interrupted_download_leaves_no_set_and_goes_on(publish, tmp_path):
    publish("")
    root = tmp_path / "root"

    def interrupt(name, there, whole):
        if name == "sub-b.bin":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch("mine", data_root=root, accept_licence=True, progress=interrupt)
    assert not (root / "mine").exists()
    fetched = []
    fetch("mine", data_root=root, accept_licence=True, progress=lambda name, *sizes: fetched.append(name))
    assert "a.bin" not in fetched
    _assert_whole(root)


class _Handler(http.server.BaseHTTPRequestHandler):
    """Serve a folder; answer ranges if told to, and end the first answers early."""

    def do_GET(self):
        server = self.server
        content = (server.folder / self.path.lstrip("/")).read_bytes()
        server.ranges.append(self.headers.get("Range"))
        start = 0
        if server.resumable and (asked := self.headers.get("Range")):
            start = int(asked.removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        stop = len(content) // 2 if server.cuts > 0 else len(content)
        server.cuts -= 1
        self.wfile.write(content[start:stop])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def web(publish, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.cuts, server.ranges = 0, []
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        server.folder = publish("tar.gz", base=f"http://127.0.0.1:{server.server_port}")
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("resumable", [True, False])
def test_a_cut_connection_is_said_and_the_next_call_goes_on(resumable, web, tmp_path):
    web.cuts, web.resumable = 1, resumable
    root = tmp_path / "root"
    with pytest.raises(OSError, match="call again to go on"):
        fetch("mine", data_root=root, accept_licence=True)
    assert not (root / "mine").exists()
    (part,) = root.rglob("*.part")
    half = part.stat().st_size
    assert half == DOWNLOADS["mine"][0].size // 2
    first = []
    fetch("mine", data_root=root, accept_licence=True, progress=lambda *state: first.append(state[1]))
    _assert_whole(root)
    assert web.ranges == [None, f"bytes={half}-"]


def test_what_an_older_version_left_is_not_mixed_in(web, tmp_path):
    web.resumable = True
    root = tmp_path / "root"
    (root / ".mine.partial").mkdir(parents=True)
    (root / ".mine.partial" / "mine.tar.gz.part").write_bytes(b"older bytes")
    with pytest.raises(ValueError, match=r"expected SHA256 .* it was removed, call again"):
        fetch("mine", data_root=root, accept_licence=True)
    fetch("mine", data_root=root, accept_licence=True)
    _assert_whole(root)


def test_a_server_error_is_said(web, tmp_path, monkeypatch):
    web.resumable = True
    item = DOWNLOADS["mine"][0]
    host = item.url.rsplit("/", 1)[0].rsplit(":", 1)[0]
    monkeypatch.setitem(DOWNLOADS, "mine", (replace(item, url=f"{host}:1/mine.tar.gz"),))
    with pytest.raises(OSError, match=r"expected to download .*mine\.tar\.gz, got .*refused"):
        fetch("mine", data_root=tmp_path / "root", accept_licence=True)
