"""The parts of SciPy that code written for HIPS autograd differentiates through, each loaded once it is asked for."""

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    if name in ("integrate", "linalg", "signal", "special", "stats"):
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
