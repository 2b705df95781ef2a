"""Downloading an official set, by name only: licence first, checksum always, all or nothing."""

from __future__ import annotations

import errno
import gzip
import os
import shutil
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import IO

from filelock import FileLock, Timeout

from blindspots.checks import check_choice
from blindspots.data.published import PUBLISHED, PublishedFile, checksum_state, file_digest
from blindspots.data.root import VARIABLE, find_data_root

Progress = Callable[[str, int, int], None]
"""Called with a file's name, the bytes there so far, and the bytes there will be."""

_CHUNK = 1 << 20
_TIMEOUT_S = 60


@dataclass(frozen=True)
class Download:
    """One file to download: its address, size and checksums, and how it becomes files of the set.

    `unpack` is "" (it is the file of the set), "gz" (it packs one) or "tar.gz" (it packs several).
    """

    url: str
    size: int
    gives: tuple[str, ...]
    md5: str | None = None
    sha256: str | None = None
    unpack: str = ""

    @property
    def file_name(self) -> str:
        """The last part of the address."""
        return self.url.rsplit("/", 1)[-1]


_MNIST_URL = "https://ossci-datasets.s3.amazonaws.com/mnist"
_ADULT_URL = "https://archive.ics.uci.edu/ml/machine-learning-databases/adult"


def _plain(name: str, url: str) -> tuple[Download, ...]:
    """Return the downloads of a set whose files stand unpacked below one address."""
    files = PUBLISHED[name].variants[0]
    return tuple(
        Download(f"{url}/{file.path}", file.size or 0, (file.path,), file.md5, file.sha256) for file in files
    )


DOWNLOADS: dict[str, tuple[Download, ...]] = {
    "mnist": tuple(
        Download(f"{_MNIST_URL}/{name}.gz", size, (f"MNIST/raw/{name}",), md5, unpack="gz")
        for name, size, md5 in (
            ("train-images-idx3-ubyte", 9_912_422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
            ("train-labels-idx1-ubyte", 28_881, "d53e105ee54ea40749a09fcbcd1e9432"),
            ("t10k-images-idx3-ubyte", 1_648_877, "9fb629c4189551a2d022fa330f9573f3"),
            ("t10k-labels-idx1-ubyte", 4_542, "ec29112dd5afa0611ce80d1b7f02629c"),
        )
    ),
    "cifar10": (
        Download(
            "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
            170_052_171,
            tuple(file.path for file in PUBLISHED["cifar10"].variants[0]),
            "c32a1d4ab5d03f1284b67883e8d87530",
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            "tar.gz",
        ),
    ),
    "cifar10h": _plain(
        "cifar10h",
        "https://raw.githubusercontent.com/jcpeterson/cifar-10h/597cbc5f07266c9405b830ee4a53463539124c4f/data",
    ),
    "adult": _plain("adult", _ADULT_URL),
}
"""What `fetch` downloads. A set is here only if its licence allows it and every byte can be checked."""


def fetch(
    name: str,
    *,
    data_root: str | Path | None = None,
    accept_licence: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Download an official set into the data root and return its folder.

    Files go to a hidden folder beside the set, are checked, unpacked and checked again, and only then moved
    to their place: an interrupted call leaves no half set, and the next one goes on where it stopped. A set
    that is there already with the publisher's checksums is left as it is, and nothing is ever overwritten.

    Args:
        name: mnist, cifar10, cifar10h or adult. The others have terms that a person must agree to.
        data_root: None = the environment variable BLINDSPOTS_DATA. The folder is made if it is not there.
        accept_licence: True once the licence, which the error message shows, has been read and accepted.
        progress: called after each piece; see `Progress`.

    Raises:
        ValueError: an unknown name, a set that must be got by hand, a licence not accepted, a checksum that
            does not fit, or an archive that holds anything unexpected.
        FileExistsError: other bytes are in the set's place.
        PermissionError: the data root cannot be written.
        OSError: no space left, or the connection failed.
    """
    check_choice(name, "name", tuple(PUBLISHED))
    published = PUBLISHED[name]
    if name not in DOWNLOADS:
        raise ValueError(
            f"name: expected one of {', '.join(DOWNLOADS)}, which may be downloaded; got {name!r} "
            f"({published.licence}); {published.remedy()}"
        )
    if accept_licence is not True:
        raise ValueError(
            f"accept_licence: expected True after reading the licence of {name}: {published.licence} "
            f"({published.page}); got {accept_licence!r}, call again with accept_licence=True"
        )
    root = _make_root(data_root)
    folder = root / published.folder
    files = published.variants[0]
    missing = _missing_files(name, folder, files)
    if not missing:
        return folder
    work, lock = root / f".{name}.partial", root / f".{name}.lock"
    try:
        with FileLock(lock, timeout=0):
            _check_space(root, name, work)
            _download_all(name, work, progress)
            _install(work / "unpacked", folder, files)
            shutil.rmtree(work)
            lock.unlink(missing_ok=True)
    except Timeout:
        raise OSError(f"{name}: expected to be alone, got another download in {root}; wait for it") from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            shutil.rmtree(work, ignore_errors=True)
            lock.unlink(missing_ok=True)
            raise OSError(
                errno.ENOSPC,
                f"{name}: expected {_needed(name) / 2**20:.0f} MiB free in {root}, got no space left; "
                "free some, nothing was left behind",
            ) from error
        raise
    return folder


def _make_root(data_root: str | Path | None) -> Path:
    """Return the data root, made if a path was named and nothing is there; it must be writable."""
    named = data_root if data_root is not None else os.environ.get(VARIABLE)
    if named and isinstance(named, str | Path):
        try:
            Path(named).expanduser().mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            pass  # find_data_root says that it is a file
        except PermissionError as error:
            raise PermissionError(f"data_root: expected to create {named}, got no permission") from error
    root = find_data_root(data_root)
    if not os.access(root, os.W_OK | os.X_OK):
        raise PermissionError(
            f"data_root: expected to write to {root}, got no permission; use chmod or another folder"
        )
    return root


def _missing_files(name: str, folder: Path, files: tuple[PublishedFile, ...]) -> list[str]:
    """Return the published files that are not there; raise if one is there with other bytes."""
    missing = []
    for file in files:
        path = folder / file.path
        if not path.exists():
            missing.append(file.path)
        elif not path.is_file() or checksum_state(path, file) == "differs":
            raise FileExistsError(
                f"{name}: expected nothing or the publisher's file at {path}, got other bytes; it is a "
                f"mirror or half-written, move the folder {folder} away first"
            )
    return missing


def _needed(name: str) -> int:
    unpacked = sum(file.size or 0 for file in PUBLISHED[name].variants[0])
    return unpacked + sum(item.size for item in DOWNLOADS[name])


def _check_space(root: Path, name: str, work: Path) -> None:
    there = sum(file.stat().st_size for file in work.rglob("*") if file.is_file())
    if shutil.disk_usage(root).free < _needed(name) - there:
        raise OSError(errno.ENOSPC, f"no space left in {root}")


def _download_all(name: str, work: Path, progress: Progress | None) -> None:
    """Fill work/unpacked with the checked files of a set."""
    (work / "unpacked").mkdir(parents=True, exist_ok=True)
    published = {file.path: file for file in PUBLISHED[name].variants[0]}
    for item in DOWNLOADS[name]:
        wanted = [published[path] for path in item.gives]
        if all(_is_ok(work / "unpacked" / file.path, file) for file in wanted):
            continue
        packed = _download(name, item, work, progress)
        _unpack(name, item, packed, work / "unpacked", published)
        for file in wanted:
            if not _is_ok(work / "unpacked" / file.path, file):
                shutil.rmtree(work)
                raise ValueError(
                    f"{name}: expected the published checksum for {file.path} out of {item.url}, got other "
                    "bytes; nothing was kept"
                )
        packed.unlink(missing_ok=True)


def _is_ok(path: Path, file: PublishedFile) -> bool:
    return path.is_file() and checksum_state(path, file) == "ok"


def _download(name: str, item: Download, work: Path, progress: Progress | None) -> Path:
    """Return the downloaded file, its checksum checked; go on with what an earlier call left."""
    part, done = work / f"{item.file_name}.part", work / item.file_name
    if not done.is_file():
        if part.is_file() and part.stat().st_size > item.size:
            part.unlink()
        if not part.is_file() or part.stat().st_size < item.size:
            _transfer(name, item, part, progress)
        os.replace(part, done)
    kind = "sha256" if item.sha256 else "md5"
    expected, got = getattr(item, kind), file_digest(done, kind)
    if got != expected:
        done.unlink()
        raise ValueError(
            f"{name}: expected {kind.upper()} {expected} for {item.url}, got {got}; it was removed, "
            f"call again, or get it from {PUBLISHED[name].page}"
        )
    return done


def _transfer(name: str, item: Download, part: Path, progress: Progress | None) -> None:
    """Append to part what is missing of a download, or begin again where the server cannot go on."""
    start = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(item.url, headers={"User-Agent": "blindspots"})
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
            resumed = start > 0 and getattr(answer, "status", None) == 206
            with open(part, "ab" if resumed else "wb") as target:
                _copy(answer, target, item, start if resumed else 0, progress)
    except (urllib.error.URLError, HTTPException, ConnectionError, TimeoutError) as error:
        reason = getattr(error, "reason", None) or error
        raise OSError(
            f"{name}: expected to download {item.url}, got {reason}; call again to go on, or get it from "
            f"{PUBLISHED[name].page}"
        ) from error
    size = part.stat().st_size
    if size < item.size:
        raise OSError(
            f"{name}: expected {item.size} bytes from {item.url}, got {size} before the connection ended; "
            "call again to go on"
        )


def _copy(
    answer: IO[bytes], target: IO[bytes], item: Download, start: int, progress: Progress | None
) -> None:
    n_bytes = start
    while chunk := answer.read(_CHUNK):
        n_bytes += len(chunk)
        if n_bytes > item.size:
            raise ValueError(
                f"download: expected {item.size} bytes from {item.url}, got more; it is another file"
            )
        target.write(chunk)
        if progress is not None:
            progress(item.file_name, n_bytes, item.size)


def _unpack(
    name: str, item: Download, packed: Path, target: Path, published: dict[str, PublishedFile]
) -> None:
    """Write the files that a download gives below target, each no longer than published."""
    if item.unpack == "tar.gz":
        _unpack_tar(name, item, packed, target, published)
        return
    (path,) = item.gives
    (target / path).parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(packed) if item.unpack == "gz" else open(packed, "rb") as source:
        try:
            _write_capped(source, target / path, published[path])
        except (EOFError, gzip.BadGzipFile) as error:
            raise ValueError(f"{name}: expected a whole gzip file at {item.url}, got {error}") from error


def _unpack_tar(
    name: str, item: Download, packed: Path, target: Path, published: dict[str, PublishedFile]
) -> None:
    """Check every member of an archive before writing any, then write those that belong to the set."""
    try:
        with tarfile.open(packed, "r:gz") as archive:
            members = archive.getmembers()
            for member in members:
                _check_member(name, member)
            names = {_plain_name(member): member for member in members if member.isfile()}
            absent = [path for path in item.gives if path not in names]
            if absent:
                raise ValueError(
                    f"{name}: expected {', '.join(absent)} in {item.url}, got an archive without it"
                )
            for path in item.gives:
                source = archive.extractfile(names[path])
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                _write_capped(source, target / path, published[path])
    except (tarfile.TarError, EOFError, gzip.BadGzipFile) as error:
        raise ValueError(f"{name}: expected a whole tar.gz archive at {item.url}, got {error}") from error


def _plain_name(member: tarfile.TarInfo) -> str:
    return str(PurePosixPath(member.name))


def _check_member(name: str, member: tarfile.TarInfo) -> None:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or "\\" in member.name:
        raise ValueError(
            f"{name}: expected relative names in the archive, got {member.name!r}; nothing was unpacked"
        )
    if not (member.isfile() or member.isdir()):
        raise ValueError(
            f"{name}: expected files and folders in the archive, got the link or device {member.name!r}; "
            "nothing was unpacked"
        )


def _write_capped(source: IO[bytes] | None, path: Path, file: PublishedFile) -> None:
    """Copy at most the published size, so that a small archive cannot fill the disk."""
    if source is None or file.size is None:
        raise ValueError(f"archive: expected {file.path} with a published size, got none")
    left = file.size
    with open(path, "wb") as target:
        while chunk := source.read(min(_CHUNK, left + 1)):
            left -= len(chunk)
            if left < 0:
                raise ValueError(f"archive: expected {file.size} bytes for {file.path}, got more")
            target.write(chunk)


def _install(unpacked: Path, folder: Path, files: tuple[PublishedFile, ...]) -> None:
    """Move checked files to their place: the whole folder at once where there is none yet."""
    if not folder.exists():
        os.replace(unpacked, folder)
        return
    for file in files:
        target = folder / file.path
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(unpacked / file.path, target)

