# Which notebook needs which files, and what each one writes. `make book` calls it; on a cluster, add an executor
# (book/guides/cluster.md). Values are plain, so a notebook runs again only when something it needs has changed.
import os
from pathlib import Path

from blindspots.book.graph import notebook_jobs, site_inputs
from blindspots.book.repository import find_layout

LAYOUT = find_layout(workflow.basedir)
PROFILE = config.get("profile", "quick")
JOBS = notebook_jobs(LAYOUT, PROFILE)


rule site:
    input:
        [job.stamp for job in JOBS],
        site_inputs(LAYOUT),
    output:
        "_build/stamps/site.json",
    params:
        profile=PROFILE,
    shell:
        "blindspots site --profile {params.profile} --stamp {output}"


rule notebooks:
    input:
        [job.stamp for job in JOBS],


for job in JOBS:

    rule:
        name:
            job.rule
        input:
            job.inputs,
        output:
            job.stamp,
        benchmark:
            job.benchmark
        params:
            name=job.name,
            profile=PROFILE,
            parameters=job.parameters,
        threads: job.threads
        resources:
            mem_mb=job.memory_mb,
            runtime=job.minutes,
            gpu=job.gpu,
        shell:
            "blindspots run {params.name} --profile {params.profile} --threads {threads} --in-place --stamp {output}"
