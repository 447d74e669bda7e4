"""The derivative rules, family by family. Each file imports the registry and NumPy, and nothing else of the engine."""

from . import (
    assembling,
    complexes,
    composites,
    decompositions,
    elementwise,
    fourier,
    gates,
    indexing,
    linalg,
    norms,
    reductions,
    refusals,
    sequences,
    shapes,
    statistics,
    windows,
)

__all__ = [
    "assembling", "complexes", "composites", "decompositions", "elementwise", "fourier", "gates", "indexing",
    "linalg", "norms", "reductions", "refusals", "sequences", "shapes", "statistics", "windows",
]  # fmt: skip
