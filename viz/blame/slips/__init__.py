"""The classic slips, each with the places where it can happen; every wrong gradient is made with the engine's rules."""

from . import activations, conventions, formulas, locals, losses, names, paths, pools, products, scales, weights

__all__ = [
    "activations", "conventions", "formulas", "locals", "losses", "names", "paths", "pools", "products", "scales",
    "weights",
]  # fmt: skip
