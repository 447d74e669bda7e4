"""Training and evaluation: which of the two each part of a network is in, kept over a block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["modes_kept"]


@contextmanager
def modes_kept(model: Any) -> Iterator[None]:
    """Put every module of a model back into the mode that it was in, however the block is left."""
    modes = [(module, module.training) for module in model.modules()]
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
