"""`blindspots data`: what there is, where it comes from, whether the files are right, and fetching by name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

data_app = typer.Typer(
    help="The data sets: list them, show a card, verify files, fetch one by name.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
RootOption = Annotated[Path | None, typer.Option("--data-root", help="Default: BLINDSPOTS_DATA.")]
