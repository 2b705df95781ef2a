"""Which computation a file of progress belongs to."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from typing import Any

from torch import Tensor

from blindspots.fingerprint import fingerprint


def progress_digest(options: dict[str, Any], *tensors: Tensor) -> str:
    """Return the SHA-256 of JSON-able options and of tensors: which computation a file belongs to."""
    text = json.dumps(options, sort_keys=True) + fingerprint(*tensors)
    return hashlib.sha256(text.encode()).hexdigest()


def described(function: object) -> str:
    """Return what can be told of an attack: its settings if it has any (a NamedAttack), else its name and a partial's
    options.

    Two functions made in one place (lambdas, closures) cannot be told apart; tensors and models among the options are
    named by their type only.
    """
    settings = getattr(function, "settings", None)
    if settings is not None:
        return json.dumps(dict(settings), sort_keys=True, default=str)
    if isinstance(function, partial):
        plain = (bool, int, float, str, type(None))
        options = {
            name: value if isinstance(value, plain) else type(value).__name__
            for name, value in function.keywords.items()
        }
        return f"{described(function.func)} {json.dumps(options, sort_keys=True)}"
    return f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', type(function).__qualname__)}"
