"""The build graph's data: for each notebook of a profile, what it needs and how it is run. The Snakefile reads it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from blindspots.book.profiles import load_profile
from blindspots.book.repository import Layout
from blindspots.provenance import PACKAGE_DIRECTORY, source_closure


@dataclass(frozen=True)
class Job:
    """One notebook in the graph; paths are relative to the root, all values are plain.

    `parameters` holds the threads too: Snakemake does not count a changed number of threads as a reason to run again.
    """

    name: str
    rule: str
    inputs: list[str]
    stamp: str
    benchmark: str
    parameters: str
    threads: int
    memory_mb: int
    minutes: int
    gpu: int


def notebook_jobs(layout: Layout, profile: str) -> list[Job]:
    """Return the jobs of a profile; a notebook whose page or record is gone loses its stamp, so it runs again."""
    jobs = []
    claims = sorted((layout.book / "claims").glob("*.yml"))
    for name, plan in load_profile(layout, profile).notebooks.items():
        stamp = layout.stamp(profile, name)
        if not (layout.page(profile, name).is_file() and layout.record(profile, name).is_file()):
            stamp.unlink(missing_ok=True)
        files = [*source_closure(layout.source(name)), *claims]
        jobs.append(
            Job(
                name=name,
                rule=name.replace("/", "__"),
                inputs=[file.relative_to(layout.root).as_posix() for file in files if file.is_relative_to(layout.root)],
                stamp=stamp.relative_to(layout.root).as_posix(),
                benchmark=f"_build/benchmarks/{profile}/{name}.tsv",
                parameters=json.dumps({"parameters": plan.parameters, "threads": plan.threads}, sort_keys=True),
                threads=plan.threads,
                memory_mb=plan.memory_mb,
                minutes=plan.minutes,
                gpu=plan.gpu,
            )
        )
    return jobs


def site_inputs(layout: Layout) -> list[str]:
    """Return what the site is made of besides executed notebooks, relative to the root."""
    executed = layout.book / "notebooks"
    prose = [path for path in layout.book.rglob("*") if path.is_file() and not path.is_relative_to(executed)]
    recorded = list(layout.recorded.rglob("*.json"))
    extension = source_closure(PACKAGE_DIRECTORY / "book" / "sphinx_extension.py")
    static = (PACKAGE_DIRECTORY / "book" / "sphinx" / "static").glob("*")
    files = [layout.root / "_config.yml", *prose, *recorded, *extension, *static]
    return sorted({file.relative_to(layout.root).as_posix() for file in files if file.is_relative_to(layout.root)})
