"""Keep a run: copy its records and figures to `results/<profile>/`, where the repository holds them.

A recorded number must be traceable to committed code, so nothing is copied unless the tree is clean and each record
was made, with a clean tree, by the present code: at the present commit, or at an earlier one since which neither
`src/` nor `notebooks/` has changed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from blindspots.reports.schema import RecordData, read_record
from blindspots.reports.writing import LARGEST_FILE

RECORDED_PROFILES = ("real", "paper")
CODE = ("src", "notebooks")


def record_run(
    profile: str,
    build_results_dir: str | Path,
    results_dir: str | Path,
    *,
    repository: str | Path,
    notebooks: Sequence[str] | None = None,
) -> tuple[Path, ...]:
    """Copy a run's records and light figures, all of them or none, and return the records' new paths.

    Args:
        profile: "real" or "paper".
        build_results_dir: the folder that holds `<profile>/<part>/<name>.json`.
        results_dir: the repository's folder of recorded runs; changes below it do not make the tree unclean.
        repository: the repository's root.
        notebooks: "<part>/<name>" of those to record; None means all that ran.

    Raises:
        ValueError: another profile, an unclean tree, a record that the present code did not make, an absolute path
            among its parameters, or a file above 1 MB; the message says what to do.
        FileNotFoundError: no such run, no such notebook in it, or a figure is missing.
        OSError: the results cannot be written to; the notebook at hand is left as it was.
    """
    if profile not in RECORDED_PROFILES:
        raise ValueError(f"profile: expected one of {', '.join(RECORDED_PROFILES)}; got {profile!r}")
    source, repository = Path(build_results_dir) / profile, Path(repository)
    target = Path(results_dir) / profile
    names = _chosen(source, notebooks)
    head = _git(repository, "rev-parse", "HEAD")
    unclean = _unclean(repository, Path(results_dir))
    if unclean:
        raise ValueError(f"{repository}: expected a clean tree, got changes in {unclean}; commit them and run again")
    plans = []
    for name in names:
        path = source / f"{name}.json"
        record = read_record(path)
        _check_origin(record, path, profile, head, repository)
        # The dark variant follows from the light one (`style.dark_variant`), and would double what is kept.
        files = [path, *(path.parent / figure["file"] for figure in record["figures"].values())]
        _check_files(files)
        plans.append((name, files))
    return tuple(_copy(name, files, target) for name, files in plans)


def _chosen(source: Path, notebooks: Sequence[str] | None) -> list[str]:
    ran = sorted(f"{path.parent.name}/{path.stem}" for path in source.glob("*/*.json"))
    if not ran:
        raise FileNotFoundError(f"{source}: expected records of a run, got none; run the profile first")
    chosen = ran if notebooks is None else list(notebooks)
    unknown = sorted(set(chosen) - set(ran))
    if unknown or not chosen:
        wanted = ", ".join(unknown) or "no notebook"
        raise FileNotFoundError(f"{source}: no record of {wanted}; it holds {', '.join(ran)}")
    return chosen


def _unclean(repository: Path, results: Path) -> str:
    """Return the changed files as a phrase, "" for a clean tree; the results themselves do not count."""
    arguments = ["status", "--porcelain", "--", "."]
    if results.resolve().is_relative_to(repository.resolve()):
        arguments.append(f":(exclude,top){results.resolve().relative_to(repository.resolve()).as_posix()}")
    changed = [line[3:] for line in _git(repository, *arguments, strip=False).splitlines()]
    return ", ".join(changed[:3]) + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")


def _check_origin(record: RecordData, path: Path, profile: str, head: str, repository: Path) -> None:
    if record["profile"] != profile:
        raise ValueError(f"{path}: profile: expected {profile!r}, got {record['profile']!r}; run the profile again")
    git = record["provenance"]["git"]
    if git is None or not git["clean"]:
        state = "outside a repository" if git is None else "with uncommitted changes"
        raise ValueError(f"{path}: expected a run of committed code, got one {state}; commit, then run it again")
    if git["commit"] != head:
        _check_ancestor(git["commit"], path, head, repository)
    for name, value in record["provenance"]["parameters"].items():
        if isinstance(value, str) and os.path.isabs(value):
            raise ValueError(
                f"{path}: provenance.parameters.{name}: expected nothing of this machine, got the path {value!r}; "
                "set BLINDSPOTS_DATA instead and run it again"
            )


def _check_ancestor(commit: str, path: Path, head: str, repository: Path) -> None:
    started = f"{path}: it was made at commit {commit[:12]}"
    if not _git_agrees(repository, "merge-base", "--is-ancestor", commit, head):
        raise ValueError(f"{started}, which is not an ancestor of the present {head[:12]}; run it again")
    if not _git_agrees(repository, "diff", "--quiet", commit, head, "--", *CODE):
        raise ValueError(f"{started}, and {' or '.join(CODE)} changed up to the present {head[:12]}; run it again")


def _check_files(files: Sequence[Path]) -> None:
    for file in files:
        if not file.is_file():
            raise FileNotFoundError(f"{file}: the record names this figure, and it is missing; run the notebook again")
        size = file.stat().st_size
        if size > LARGEST_FILE:
            raise ValueError(f"{file}: expected at most {LARGEST_FILE:,} bytes, got {size:,}; show or record less")


def _copy(name: str, files: Sequence[Path], target: Path) -> Path:
    """Copy one notebook's files beside their place, then rename them into it: figures first, the record last."""
    record, *figures = files
    place = target / f"{name}.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    waiting = Path(tempfile.mkdtemp(dir=place.parent, prefix=f".{place.stem}-"))
    try:
        new, old, folder = waiting / "new", waiting / "old", place.with_suffix("")
        new.mkdir()
        shutil.copyfile(record, waiting / record.name)
        for figure in figures:
            shutil.copyfile(figure, new / figure.name)
        if folder.exists():
            os.replace(folder, old)
        try:
            if figures:
                os.replace(new, folder)
            os.replace(waiting / record.name, place)
        except OSError:
            if old.exists():
                shutil.rmtree(folder, ignore_errors=True)
                os.replace(old, folder)
            raise
    finally:
        shutil.rmtree(waiting, ignore_errors=True)
    return place


def _git(repository: Path, *arguments: str, strip: bool = True) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(repository), *arguments], capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError) as error:
        reason = str(getattr(error, "stderr", "") or error).strip()
        raise ValueError(f"{repository}: expected a git repository with a commit, got: {reason}") from error
    return done.stdout.strip() if strip else done.stdout


def _git_agrees(repository: Path, *arguments: str) -> bool:
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0
