"""The derivative rules, family by family. Each file imports the registry and NumPy, and nothing else of the engine."""

from . import composites, elementwise, gates, indexing, linalg, reductions, refusals, shapes, windows

__all__ = ["composites", "elementwise", "gates", "indexing", "linalg", "reductions", "refusals", "shapes", "windows"]
