"""Whether the bytes read are the publisher's ("official") or others in its layout ("mirror")."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from blindspots.data.published import PUBLISHED, checksum_state


def origin_of(name: str, folder: Path, paths: Sequence[str]) -> tuple[str, str]:
    """Return ("official", "") if every file has the publisher's checksum, else ("mirror", how it differs).

    A file whose checksum nobody has published counts as a mirror's: what cannot be checked is not called
    official.
    """
    known = {file.path: file for variant in PUBLISHED[name].variants for file in variant}
    differing, unknown = [], []
    for path in paths:
        state = checksum_state(folder / path, known[path]) if path in known else "unknown"
        if state == "differs":
            differing.append(path)
        elif state == "unknown":
            unknown.append(path)
    said = []
    if differing:
        said.append(f"checksum not the publisher's: {', '.join(differing)}")
    if unknown:
        said.append(f"no published checksum to compare with: {', '.join(unknown)}")
    return ("mirror" if said else "official"), "; ".join(said)
