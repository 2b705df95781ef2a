"""Which device a notebook runs on; kernels themselves take the device of their inputs."""

from __future__ import annotations

import torch

from blindspots.checks import check_choice


def choose_device(name: str = "auto") -> torch.device:
    """Return the device for "auto" (CUDA where there is one, else the CPU), "cpu" or "cuda".

    Raises:
        ValueError: another name, or "cuda" where torch finds no CUDA device.
    """
    check_choice(name, "device", ("auto", "cpu", "cuda"))
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError('device: expected a CUDA device, found none; use device="cpu" or "auto"')
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")
