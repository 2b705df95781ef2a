"""`blindspots data`: what there is, where it comes from, whether the files are right, and fetching by name."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import Annotated

import typer

data_app = typer.Typer(
    help="The data sets: list them, show a card, verify files, fetch one by name.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
NameArgument = Annotated[str, typer.Argument(help="A name from `blindspots data list`.")]
RootOption = Annotated[Path | None, typer.Option("--data-root", help="Folder of official sets; else BLINDSPOTS_DATA.")]


@data_app.command("list")
def list_command(data_root: RootOption = None) -> None:
    """List every data set: its tier, whether it is at hand, and what it is for."""
    from blindspots.data import catalogue

    for source in catalogue():
        typer.echo(f"{source.name:<22}{source.tier:<10}{_at_hand(source, data_root):<12}{source.summary}")


@data_app.command("show")
def show_command(
    name: NameArgument,
    data_root: RootOption = None,
    limit: Annotated[int | None, typer.Option("--limit", help="Read only the first rows of each split.")] = None,
) -> None:
    """Show a set's card: source, licence, citation, splits and fingerprints."""
    from blindspots.data import describe, load
    from blindspots.data.published import PUBLISHED

    source = describe(name)
    at_hand = _at_hand(source, data_root) == "at hand"
    lines = {"name": source.name, "title": source.title, "tier": source.tier, "licence": source.licence}
    if source.name in PUBLISHED:
        lines |= {"page": PUBLISHED[name].page, "layout": f"{PUBLISHED[name].folder}/{PUBLISHED[name].layout}"}
    if source.sizes:
        lines["sizes"] = ", ".join(f"{side} px" for side in source.sizes)
    if at_hand:
        sets = {split: load(name, split=split, limit=limit, data_root=data_root) for split in source.splits}
        card = next(iter(sets.values())).card
        fields = ("source", "citation", "origin", "version", "differs")
        lines |= {field: getattr(card, field) for field in fields if getattr(card, field)}
        lines |= {f"sha256 of {split}": f"{loaded.card.sha256} (n = {len(loaded)})" for split, loaded in sets.items()}
        lines |= {f"note {number}": note for number, note in enumerate(card.notes, start=1)}
    else:
        lines["splits"] = ", ".join(source.splits)
        lines["at hand"] = "no; " + PUBLISHED[name].remedy()
    for field, text in lines.items():
        typer.echo(textwrap.fill(f"{field:<22}{text}", 110, subsequent_indent=" " * 22, break_on_hyphens=False))


@data_app.command("verify")
def verify_command(
    names: Annotated[list[str] | None, typer.Argument(help="Sets; by default those below the data root.")] = None,
    data_root: RootOption = None,
) -> None:
    """Compare the files of official sets with what their publishers say of them."""
    from blindspots.data import catalogue, describe
    from blindspots.data.verify import verify

    chosen = [describe(name) for name in names or []]
    chosen = chosen or [s for s in catalogue() if s.tier == "official" and _at_hand(s, data_root) != "absent"]
    broken = []
    for source in chosen:
        if source.tier != "official":
            typer.echo(f"{source.name}: {source.tier}, nothing to verify")
            continue
        report = verify(source.name, data_root=data_root)
        word = "as published" if report.official else "complete" if report.complete else "INCOMPLETE"
        typer.echo(f"{source.name}: {word} in {report.folder}")
        for file in report.files:
            state = f"checksum {file.checksum}" if file.present else "absent" + (" (optional)" if file.optional else "")
            typer.echo(f"  {file.path:<48}{state}")
        if report.n_other_files:
            typer.echo(f"  and {report.n_other_files:,} files about which nothing is published")
        if not report.complete:
            broken.append(source.name)
    if not chosen:
        typer.echo("no official set below the data root")
    if broken:
        raise ValueError(f"verify: incomplete: {', '.join(broken)}; `blindspots data show NAME` says how to get a set")


@data_app.command("fetch")
def fetch_command(
    name: NameArgument,
    data_root: RootOption = None,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="I have read the licence that is shown and accept it.")
    ] = False,
) -> None:
    """Download one official set from its publisher, where its licence allows, and check it."""
    from tqdm import tqdm

    from blindspots.data.fetch import fetch

    bars: dict[str, tqdm] = {}

    def progress(file: str, done: int, total: int | None) -> None:
        if file not in bars:
            bars[file] = tqdm(total=total, unit="B", unit_scale=True, desc=file, file=sys.stderr)
        bars[file].update(done - bars[file].n)

    try:
        folder = fetch(name, data_root=data_root, accept_licence=accept_licence, progress=progress)
    except ValueError as error:
        if "accept_licence" in str(error):
            raise ValueError(f"{error} (on the command line: --accept-licence)") from None
        raise
    finally:
        for bar in bars.values():
            bar.close()
    typer.echo(f"{name}: in {folder}")


def _at_hand(source, data_root: Path | None) -> str:
    """Return "at hand", "partly" or "absent"."""
    if source.tier != "official":
        return "at hand"
    from blindspots.data.verify import verify

    try:
        return "at hand" if verify(source.name, data_root=data_root).complete else "partly"
    except (OSError, ValueError, KeyError):
        return "absent"
