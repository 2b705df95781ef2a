"""What of an official set is below the data root, and whether its bytes are the publisher's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from blindspots.data.published import PUBLISHED, PublishedFile, checksum_state
from blindspots.data.root import find_set


@dataclass(frozen=True)
class FileReport:
    """What is known of one file; `checksum` is "ok", "differs" or "unknown" (also if it is not there)."""

    path: str
    present: bool
    optional: bool
    size: int | None
    expected_size: int | None
    checksum: str


@dataclass(frozen=True)
class VerifyReport:
    """The files of a set below the data root.

    `n_other_files` counts the files in the folder about which nothing is published, such as images.
    """

    name: str
    folder: Path
    files: tuple[FileReport, ...]
    n_other_files: int

    @property
    def complete(self) -> bool:
        """Whether every file without which the set cannot be read is there."""
        return all(file.present or file.optional for file in self.files)

    @property
    def official(self) -> bool:
        """Whether there are published checksums and every published file has its own."""
        return bool(self.files) and all(file.checksum == "ok" for file in self.files)


def verify(name: str, *, data_root: str | Path | None = None) -> VerifyReport:
    """Return, file by file, what of a set is there and whether its bytes are the publisher's.

    Of alternative forms of a set (CIFAR-10 has two) the one with the most files there is reported, of equals
    the preferred one.

    Raises:
        ValueError: an unknown name. FileNotFoundError: the data root or the set's folder is not there.
    """
    folder = find_set(name, data_root=data_root)
    variants = PUBLISHED[name].variants
    chosen = max(variants, key=lambda files: sum((folder / file.path).is_file() for file in files))
    reports = tuple(_report(folder, file) for file in chosen)
    published = {folder / file.path for variant in variants for file in variant}
    others = sum(file.is_file() and file not in published for file in folder.rglob("*"))
    return VerifyReport(name, folder, reports, others)


def _report(folder: Path, file: PublishedFile) -> FileReport:
    path = folder / file.path
    if not path.is_file():
        return FileReport(file.path, False, file.optional, None, file.size, "unknown")
    state = checksum_state(path, file)
    return FileReport(file.path, True, file.optional, path.stat().st_size, file.size, state)
