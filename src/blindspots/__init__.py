"""Blindspots: kernels of a book on where machine vision and human vision part ways."""

__version__ = "0.1.0"
