"""Planted data sets: drawn by the package, so that the answers are known."""

from blindspots.data.planted import convolutional_signals, country_scenes, toy_faces
from blindspots.data.planted.attributes import correlated_attributes, phi_coefficient, phi_range
from blindspots.data.planted.convolutional_signals import PlantedSignals, planted_signals, synthesize
from blindspots.data.planted.country_mix import country_mix
from blindspots.data.planted.country_photographs import SOURCE as _PHOTOGRAPHS
from blindspots.data.planted.country_photographs import country_photographs
from blindspots.data.planted.country_scenes import planted_scenes
from blindspots.data.planted.face_drawing import ATTRIBUTES
from blindspots.data.planted.toy_faces import flip_attribute, planted_faces
from blindspots.data.sets import Source

SOURCES: tuple[Source, ...] = (toy_faces.SOURCE, country_scenes.SOURCE, _PHOTOGRAPHS, convolutional_signals.SOURCE)

__all__ = [
    "ATTRIBUTES",
    "SOURCES",
    "PlantedSignals",
    "correlated_attributes",
    "country_mix",
    "country_photographs",
    "flip_attribute",
    "phi_coefficient",
    "phi_range",
    "planted_faces",
    "planted_scenes",
    "planted_signals",
    "synthesize",
]
