"""Planted data sets: drawn by the package, so that the answers are known."""

from blindspots.data.planted import toy_faces
from blindspots.data.planted.attributes import correlated_attributes, phi_coefficient, phi_range
from blindspots.data.planted.face_drawing import ATTRIBUTES
from blindspots.data.planted.toy_faces import flip_attribute, planted_faces
from blindspots.data.sets import Source

SOURCES: tuple[Source, ...] = (toy_faces.SOURCE,)

__all__ = [
    "ATTRIBUTES",
    "SOURCES",
    "correlated_attributes",
    "flip_attribute",
    "phi_coefficient",
    "phi_range",
    "planted_faces",
]
