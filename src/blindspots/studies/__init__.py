"""Experiments that put data, models and kernels together for a notebook; each in the module of its name."""
