"""Embedded data sets: they come with a dependency, and nothing is downloaded."""

from blindspots.data.embedded import digits, faces25, health, photos
from blindspots.data.embedded.countries import country_incomes
from blindspots.data.embedded.photos import PHOTOGRAPHS, photograph
from blindspots.data.sets import Source

SOURCES: tuple[Source, ...] = (digits.SOURCE, photos.SOURCE, faces25.SOURCE, health.SOURCE)

__all__ = ["PHOTOGRAPHS", "SOURCES", "country_incomes", "photograph"]
