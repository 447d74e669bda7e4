"""The derivative rules, family by family. Each file imports the registry and NumPy, and nothing else of the engine."""

from . import (
    assembling,
    composites,
    decompositions,
    elementwise,
    gates,
    indexing,
    linalg,
    reductions,
    refusals,
    sequences,
    shapes,
    statistics,
    windows,
)

__all__ = [
    "assembling", "composites", "decompositions", "elementwise", "gates", "indexing", "linalg", "reductions",
    "refusals", "sequences", "shapes", "statistics", "windows",
]  # fmt: skip
