"""What may have gone wrong, each with the places where it can happen: small edits of the formulas that one would have
written, and what is no edit of a formula. Every wrong gradient is made with the engine's rules."""

from ..trials import Slip
from . import (
    assembled,
    broadcasts,
    carried,
    conventions,
    derivatives,
    formulas,
    losses,
    names,
    pairs,
    paths,
    pools,
    products,
    scales,
    steps,
    views,
    ways,
    weights,
)

__all__ = ["SLIPS"]

_MODULES = (
    assembled, broadcasts, conventions, derivatives, formulas, losses, names, pairs, paths, pools, products, scales,
    carried, steps, views, ways, weights,
)  # fmt: skip

SLIPS = tuple(dict.fromkeys(made for module in _MODULES for made in vars(module).values() if isinstance(made, Slip)))
"""All of them, in the order in which they are written down, each once."""
