"""Weight files as part of the data root: see `blindspots.weight_files`, which kernels use too."""

from blindspots.weight_files import FOLDER, KNOWN_WEIGHTS, Weight, describe_weight, find_weight, load_weight

__all__ = ["FOLDER", "KNOWN_WEIGHTS", "Weight", "describe_weight", "find_weight", "load_weight"]
