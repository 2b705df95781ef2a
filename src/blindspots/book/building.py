"""Build the book: hand the graph to Snakemake, recover from an interrupted run, publish the site in one step."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from blindspots.book.profiles import load_profile
from blindspots.book.repository import Layout

CHATTER = re.compile(
    r"\s*$|\[IPKernelApp\] (WARNING|ERROR \| KeyboardInterrupt)|\[\w{3} \w{3} +\d+ [\d:]+ \d{4}\]$"
    r"|Assuming unrestricted shared|Building DAG|Using shell|Provided (cores|resources)|Rules claiming|Job stats"
    r"|job +count|-+ +-+$|\w+ +\d+$|Select jobs|Execute \d+ jobs|Finished jobid|Unlock(ing|ed)|Complete log"
    r"|Elapsed time|Nothing to be done|config: "
)


class BuildFailed(RuntimeError):
    """A step failed; what it printed says why."""


def build_book(layout: Layout, profile: str, *, jobs: int, target: str = "site", explain: bool = False) -> None:
    """Execute what changed of a profile and, for the target "site", build the site.

    One build runs at a time in a checkout. Where an earlier one was killed, its processes are ended, its locks are
    removed and its unfinished notebooks run again; finished ones do not.

    Raises:
        ValueError: an unknown profile, or one that names an unknown notebook or parameter.
        BuildFailed: another build is running, or a notebook or the site failed.
    """
    plan = load_profile(layout, profile)
    gpus = max((notebook.gpu for notebook in plan.notebooks.values()), default=0)
    graph = [sys.executable, "-m", "snakemake", target, "--snakefile", "Snakefile", "--config", f"profile={profile}"]
    command = [
        *graph, "--cores", str(jobs), "--keep-going", "--rerun-incomplete", "--nocolor",
        "--rerun-triggers", "mtime", "params", "input", "--resources", f"gpu={gpus}",
        "--quiet", *(["host"] if explain else ["host", "rules"]),
    ]  # fmt: skip
    with _one_build_at_a_time(layout) as run:
        if any((layout.root / ".snakemake" / "locks").glob("*")):
            run([*graph, "--unlock"], is_chatter)
        if run(command, None if explain else is_chatter) != 0:
            raise BuildFailed(
                "the build stopped, see above; notebooks that succeeded are kept, and the same command resumes"
            )


@contextmanager
def _one_build_at_a_time(layout: Layout) -> Iterator:
    layout.build.mkdir(parents=True, exist_ok=True)
    group_file = layout.build / ".build-group"
    with open(layout.build / ".build-lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BuildFailed("another build runs in this checkout; wait for it or stop it") from None
        _end_orphans(group_file)

        def run(command: list[str], hidden: Callable[[str], bool] | None) -> int:
            path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
            process = subprocess.Popen(
                command,
                cwd=layout.root,
                env=os.environ | {"PATH": path},
                start_new_session=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
            group_file.write_text(str(process.pid))
            try:
                for line in process.stdout:
                    if hidden is None or not hidden(line):
                        sys.stderr.write(line)
                        sys.stderr.flush()
                return process.wait()
            except BaseException:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=10)
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                raise
            finally:
                group_file.unlink(missing_ok=True)

        yield run


def is_chatter(line: str) -> bool:
    """Return whether a line of Snakemake's or the kernel's says nothing to a person who waits for the book."""
    return CHATTER.match(line) is not None


def _end_orphans(group_file: Path) -> None:
    """End the processes of a build whose command was killed: the lock is ours, so nobody waits for them."""
    with suppress(OSError, ValueError):
        group = int(group_file.read_text())
        listed = subprocess.run(["ps", "-eo", "pgid=,args="], capture_output=True, text=True).stdout
        members = [line for line in listed.splitlines() if line.split(maxsplit=1)[0] == str(group)]
        if any("snakemake" in line or "blindspots" in line for line in members):  # the number may have been given anew
            os.killpg(group, signal.SIGKILL)
    group_file.unlink(missing_ok=True)


def build_site(layout: Layout, profile: str) -> None:
    """Build the site of a profile with warnings as errors, and put it into place when it succeeded.

    Raises:
        BuildFailed: a page of the profile is missing, or Jupyter Book reported a warning or an error.
    """
    _place_pages(layout, profile)
    work = layout.build / "site"
    environment = os.environ | {
        "BLINDSPOTS_PROFILE": profile,
        "BLINDSPOTS_RESULTS": str(layout.results),
        "BLINDSPOTS_ROOT": str(layout.root),
    }
    command = [
        str(Path(sys.executable).parent / "jupyter-book"), "build", str(layout.book), "--path-output", str(work),
        "-n", "-W", "--keep-going", "-q",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=layout.root, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        output = f"{done.stdout}\n{done.stderr}".strip()
        raise BuildFailed(f"site: Jupyter Book stopped; the site that was there is unchanged\n{output}")
    _publish(work / "_build" / "html", layout.site)


def _place_pages(layout: Layout, profile: str) -> None:
    """Copy the executed notebooks to where the table of contents sees them; touch only those that changed."""
    target = layout.book / "notebooks"
    names = list(load_profile(layout, profile).notebooks)
    for name in names:
        page, placed = layout.page(profile, name), target / f"{name}.ipynb"
        if not page.is_file():
            raise BuildFailed(f"site: {name} has no page at profile {profile}; run `make book PROFILE={profile}`")
        if not placed.is_file() or placed.read_bytes() != page.read_bytes():
            placed.parent.mkdir(parents=True, exist_ok=True)
            temporary = placed.with_suffix(".tmp")
            shutil.copyfile(page, temporary)
            os.replace(temporary, placed)
    for placed in target.rglob("*.ipynb"):
        if placed.relative_to(target).with_suffix("").as_posix() not in names:
            placed.unlink()


def _publish(built: Path, site: Path) -> None:
    """Replace the site by a copy of what was built, in one rename."""
    fresh, old = site.with_name(f".{site.name}.new"), site.with_name(f".{site.name}.old")
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    shutil.copytree(built, fresh, ignore=shutil.ignore_patterns(".buildinfo*"))
    if site.exists():
        os.replace(site, old)
    os.replace(fresh, site)
    shutil.rmtree(old, ignore_errors=True)


def write_stamp(path: Path, content: dict[str, object]) -> None:
    """Write a stamp of the build graph atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(json.dumps(content, sort_keys=True) + "\n")
    os.replace(temporary, path)
