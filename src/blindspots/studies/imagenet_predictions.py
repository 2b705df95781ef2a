"""What networks answer on ImageNet's validation images, which need not fit into memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from jaxtyping import Int
from torch import Tensor, nn

from blindspots import checks
from blindspots.cache import cached_tensors
from blindspots.data.official import ImageFiles
from blindspots.data.published import file_digest
from blindspots.fingerprint import fingerprint
from blindspots.models import compute_logits

N_LISTED = 5


def imagenet_predictions(
    files: ImageFiles,
    networks: Mapping[str, nn.Module],
    *,
    size: int = 224,
    batch_size: int = 64,
    chunk: int = 1000,
) -> dict[str, Int[Tensor, "N 5"]]:
    """Return each network's five likeliest classes for every image, the likeliest first.

    Every image is read once for all networks. Each chunk goes to the cache when it is done, so that an interrupted run
    goes on where it stopped.

    Args:
        files: see `imagenet_val_files`.
        networks: by name; images (n, 3, S, S) in [0, 1] -> logits (n, K), K >= 5.
        size: side S in pixels.
        batch_size: images a network sees at a time.
        chunk: images of an entry of the cache.

    Returns:
        By name (N, 5) int64, on the CPU.

    Raises:
        ValueError: no network, a truncated image (the message names it), a number below 1.

    Source: P4 Section 3.1, which judges a single central crop of 224 pixels.
    """
    if not networks:
        raise ValueError("networks: expected at least one, got none; name some")
    for name, value in (("size", size), ("batch_size", batch_size), ("chunk", chunk)):
        checks.check_number(value, name, at_least=1, integer=True)
    states = [fingerprint(*(value.cpu() for value in net.state_dict().values())) for net in networks.values()]
    parts = []
    for start in range(0, len(files), chunk):
        rows = slice(start, start + chunk)
        part = replace(files, files=files.files[rows], labels=files.labels[rows], numbers=files.numbers[rows])
        entry = cached_tensors(
            "imagenet-predictions",
            lambda part=part: _listed(part, networks, size, batch_size),
            parameters={"networks": list(networks), "size": size},
            data=[*states, *(file_digest(file) for file in part.files)],
            sources=[imagenet_predictions, compute_logits],
        )
        parts.append(entry.tensors)
    return {name: torch.cat([part[name] for part in parts]) for name in networks}


def _listed(files: ImageFiles, networks: Mapping[str, nn.Module], size: int, batch_size: int) -> dict[str, Tensor]:
    found: dict[str, list[Tensor]] = {name: [] for name in networks}
    for images in files.batches(size, batch_size):
        for name, network in networks.items():
            found[name].append(compute_logits(network, images).topk(N_LISTED, dim=1).indices)
    return {name: torch.cat(answers) for name, answers in found.items()}
