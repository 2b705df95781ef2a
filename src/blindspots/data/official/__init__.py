"""Official data sets, read in their publishers' layouts from a data root."""

from blindspots.data.sets import Source

SOURCES: tuple[Source, ...] = ()

__all__ = ["SOURCES"]
