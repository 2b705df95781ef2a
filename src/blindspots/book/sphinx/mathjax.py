"""Equations without a network: MathJax is copied beside the pages, and drawn as SVG so that no font is fetched."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from sphinx.util import logging

logger = logging.getLogger(__name__)
BUNDLE = "tex-svg.js"
ADDRESS = f"../mathjax/{BUNDLE}"  # relative to _static, whose scripts would be linked on every page


def packaged_bundle() -> Path:
    """Return the MathJax bundle of the installed package sphinx-mathjax-offline.

    Raises:
        ValueError: the package is not installed.
    """
    spec = importlib.util.find_spec("sphinx-mathjax-offline")
    if spec is None or not spec.submodule_search_locations:
        raise ValueError("MathJax is missing: install sphinx-mathjax-offline (the extra [book])")
    return Path(spec.submodule_search_locations[0], "static", "mathjax", BUNDLE)


def configure(app, config) -> None:
    """Point the pages at our copy; speech and menus that would fetch further files stay off."""
    config.mathjax_path = ADDRESS
    mathjax = dict(config.mathjax3_config or {})
    options = {"enableMenu": False, "processHtmlClass": "tex2jax_process|mathjax_process|math|output_area"}
    mathjax["options"] = {**options, **mathjax.get("options", {})}
    config.mathjax3_config = mathjax


def copy_bundle(app, exception) -> None:
    """Copy the bundle into the finished site unless it is there already."""
    if exception is not None or app.builder.format != "html":
        return
    try:
        source = packaged_bundle()
    except ValueError as error:
        logger.warning("%s", error, type="blindspots")
        return
    target = Path(app.outdir, "mathjax", BUNDLE)
    if target.is_file() and target.stat().st_size == source.stat().st_size:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".part")
    shutil.copyfile(source, partial)
    partial.replace(target)
