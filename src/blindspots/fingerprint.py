"""What tensors hold, as one short text: names data and weights in cache keys and on result cards."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor


def fingerprint(*tensors: Tensor) -> str:
    """Return the SHA-256 of tensors: dtype, shape and bytes of each, in order."""
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
        # Cloned flat: an axis of length 1 may carry a stride that forbids the view as bytes.
        flat = tensor.detach().cpu().flatten().clone(memory_format=torch.contiguous_format)
        if flat.numel():
            digest.update(flat.view(torch.uint8).numpy().data)
    return digest.hexdigest()
