"""The loan of a model to an attack: see `blindspots.borrowed`."""

from blindspots.borrowed import judged

__all__ = ["judged"]
