"""The command line: run a notebook, build the book, record results. Data commands are in `data_commands`.

Nothing heavy is imported before a command needs it, so `blindspots --help` answers at once.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from blindspots.book.data_commands import data_app
from blindspots.book.progress import Progress

app = typer.Typer(
    help="Blindspots, a book that runs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(data_app, name="data")

ProfileOption = Annotated[str, typer.Option("--profile", help="smoke, quick, real or paper.")]


@app.command("run")
def run_command(
    notebook: Annotated[str, typer.Argument(help="<part>/<name>, or the path of its .py source.")],
    parameter: Annotated[
        list[str] | None, typer.Option("-p", "--parameter", metavar="NAME VALUE", help="A parameter; may be repeated.")
    ] = None,
    profile: Annotated[str, typer.Option("--profile", help="Start from this profile's parameters.")] = "",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Where the executed notebook goes.")] = None,
    threads: Annotated[int, typer.Option("--threads", min=1, help="CPU threads of the kernel.")] = 1,
    in_place: Annotated[bool, typer.Option("--in-place", help="Make this profile's page of the book.")] = False,
    stamp: Annotated[Path | None, typer.Option("--stamp", hidden=True)] = None,
) -> None:
    """Execute one notebook with other parameters; the finished page appears only if it succeeds."""
    from blindspots.book import building, execution
    from blindspots.book.parameters import parse_overrides
    from blindspots.book.profiles import find_notebook, load_profile
    from blindspots.book.repository import find_layout

    layout = find_layout()
    name = find_notebook(layout, notebook)
    overrides = parse_overrides(_pair(text) for text in parameter or [])
    if in_place and (not profile or output or overrides):
        raise ValueError("--in-place: expected --profile alone, without -o or -p; the book's pages follow its profiles")
    plan = load_profile(layout, profile, check=False).notebooks.get(name) if profile else None
    parameters = (plan.parameters if plan else {}) | overrides
    if output is None:
        output = layout.page(profile, name) if in_place else Path.cwd() / f"{Path(name).name}-executed.ipynb"
    results = layout.results if in_place else output.resolve().parent / f"{output.stem}-results"
    with Progress(name) as progress:
        done = execution.run_notebook(
            layout,
            name,
            parameters=parameters,
            profile=profile or "local",
            output=output.resolve(),
            results=results,
            threads=threads,
            reuse=in_place,
            report=progress,
        )
    how = f"executed in {done.seconds:.0f} s" if done.executed else "prose updated, outputs kept"
    typer.echo(f"{name}: {how}" + ("" if in_place else f"\n  page   {done.page}\n  record {done.record}"))
    if stamp is not None:
        building.write_stamp(layout.root / stamp, {"notebook": name, "profile": profile})


@app.command("book")
def book_command(
    profile: ProfileOption = "quick",
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Notebooks at a time.")] = os.cpu_count() or 1,
    site: Annotated[bool, typer.Option(help="Build the site after the notebooks.")] = True,
    explain: Annotated[bool, typer.Option("--explain", help="Say why each notebook runs.")] = False,
) -> None:
    """Execute what changed of a profile and build the site."""
    from blindspots.book.building import build_book
    from blindspots.book.repository import find_layout

    layout = find_layout()
    build_book(layout, profile, jobs=jobs, target="site" if site else "notebooks", explain=explain)
    if site:
        typer.echo(f"The book is ready ({profile}). Open {(layout.site / 'index.html').as_uri()}")


@app.command("site")
def site_command(
    profile: ProfileOption = "quick", stamp: Annotated[Path | None, typer.Option("--stamp", hidden=True)] = None
) -> None:
    """Build the site from pages that are there already."""
    from blindspots.book.building import build_site, write_stamp
    from blindspots.book.repository import find_layout

    layout = find_layout()
    typer.echo("site: building")
    build_site(layout, profile)
    if stamp is not None:
        write_stamp(layout.root / stamp, {"profile": profile})


@app.command("notebooks")
def notebooks_command(
    folder: Annotated[Path | None, typer.Option("--to", help="Folder; by default beside the sources.")] = None,
) -> None:
    """Write every notebook as .ipynb, for Jupyter and plain Papermill."""
    import nbformat

    from blindspots.book.execution import read_notebook
    from blindspots.book.repository import find_layout

    layout = find_layout()
    for name in layout.notebook_names():
        target = (folder or layout.notebooks) / f"{name}.ipynb"
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.tmp")
        nbformat.write(read_notebook(layout.source(name)), temporary)
        os.replace(temporary, target)
        typer.echo(target)


@app.command("record")
def record_command(
    profile: Annotated[str, typer.Argument(help="real or paper.")],
    notebook: Annotated[list[str] | None, typer.Argument(help="<part>/<name>; all of the profile by default.")] = None,
) -> None:
    """Keep this build's results of a profile under version control, in results/<profile>/."""
    from blindspots.book.profiles import find_notebook
    from blindspots.book.repository import find_layout
    from blindspots.reports.claims import PART_TITLES, load_claims
    from blindspots.reports.recorded import record_run
    from blindspots.reports.schema import read_records
    from blindspots.reports.scorecard import scorecard
    from blindspots.reports.summary import write_summary

    layout = find_layout()
    names = [find_notebook(layout, name) for name in notebook or []] or None
    for path in record_run(profile, layout.results, layout.recorded, repository=layout.root, notebooks=names):
        typer.echo(path.relative_to(layout.root))
    records = read_records(layout.recorded / profile)
    claims = [c for c in load_claims(layout.book / "claims") if all(name in records for name in c.notebooks)]
    judged = scorecard(claims, records)
    picture = write_summary(judged, layout.recorded / profile, titles=PART_TITLES)
    typer.echo(f"{picture.light.relative_to(layout.root)}: {judged.summary()}")


@app.command("record-speed")
def record_speed_command() -> None:
    """Keep the medians of `make bench` under version control, in results/speed.json."""
    from blindspots.book.repository import find_layout
    from blindspots.reports.speed import record_speed

    layout = find_layout()
    measured = layout.root / "_build" / "benchmarks" / "medians.json"
    names = record_speed(measured, layout.recorded / "speed.json")
    typer.echo(f"results/speed.json: {', '.join(names)}")


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise ValueError(f"-p: expected NAME VALUE, got {text!r}")
    return name, value


def joined_parameters(arguments: list[str]) -> list[str]:
    """Return the arguments with each `-p NAME VALUE` joined to `-p NAME=VALUE`, Papermill's form to Typer's."""
    joined, rest = [], list(arguments)
    while rest:
        word = rest.pop(0)
        joined.append(word)
        if word in ("-p", "--parameter") and rest:
            name = rest.pop(0)
            joined.append(f"{name}={rest.pop(0)}" if "=" not in name and rest else name)
    return joined


def main() -> None:
    """Run the command line; an expected error is one line on stderr and exit status 1."""
    try:
        app(joined_parameters(sys.argv[1:]))
    except (ValueError, TypeError, OSError, RuntimeError) as error:
        if os.environ.get("BLINDSPOTS_DEBUG"):
            raise
        typer.echo(f"blindspots: {error}", err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
