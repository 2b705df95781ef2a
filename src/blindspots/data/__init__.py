"""Data sets behind one loader: embedded in a dependency, planted by the package, official in a data root."""

from blindspots.data.age_task import AGE_MARKS, AgeTask, age_task
from blindspots.data.embedded import PHOTOGRAPHS, country_incomes, photograph
from blindspots.data.face_tasks import FaceTasks, face_tasks
from blindspots.data.planted import (
    ATTRIBUTES,
    PlantedSignals,
    correlated_attributes,
    country_mix,
    country_photographs,
    flip_attribute,
    phi_coefficient,
    phi_range,
    planted_faces,
    planted_scenes,
    planted_signals,
    synthesize,
)
from blindspots.data.registry import catalogue, describe, load
from blindspots.data.regrouped_classes import regrouped_classes
from blindspots.data.sets import Card, ImageSet, Source, TableSet, fingerprint, sealed

__all__ = [
    "AGE_MARKS",
    "ATTRIBUTES",
    "PHOTOGRAPHS",
    "AgeTask",
    "Card",
    "FaceTasks",
    "ImageSet",
    "PlantedSignals",
    "Source",
    "TableSet",
    "age_task",
    "catalogue",
    "correlated_attributes",
    "country_incomes",
    "country_mix",
    "country_photographs",
    "describe",
    "face_tasks",
    "fingerprint",
    "flip_attribute",
    "load",
    "phi_coefficient",
    "phi_range",
    "photograph",
    "planted_faces",
    "planted_scenes",
    "planted_signals",
    "regrouped_classes",
    "sealed",
    "synthesize",
]
