"""Data sets behind one loader: embedded in a dependency, planted by the package, official in a data root."""

from blindspots.data.registry import catalogue, describe, load
from blindspots.data.sets import Card, ImageSet, Source, TableSet, fingerprint

__all__ = ["Card", "ImageSet", "Source", "TableSet", "catalogue", "describe", "fingerprint", "load"]
