"""Convolutions as a person writes them: g ⋆ x + b, without the windows that they are computed with."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.registry import RULES, Rule
from autograd.rules import windows

from .tree import Apply, Tree, axes_of, is_call, rebuilt

__all__ = ["correlation", "correlation_weight", "per_channel", "slid"]


def correlation(weight: Any, x: Any, **options: Any) -> Any:
    """What kernels give that slide over images."""
    return windows.window_product.fn(windows.windows.fn(x, weight.shape[-2:]), weight, **options)


def correlation_weight(x: Any, g: Any, kernel_size: Any, **options: Any) -> Any:
    """The gradient of the kernels of `correlation`."""
    return windows.window_product_weight.fn(g, windows.windows.fn(x, kernel_size), **options)


def per_channel(b: Any, shape: Any) -> Any:
    """A number for each channel, beside images."""
    return np.reshape(b, shape)


_CORRELATION, _WEIGHT, _PER_CHANNEL = Rule(correlation), Rule(correlation_weight), Rule(per_channel)


def slid(tree: Tree) -> Tree:
    """A formula with its convolutions as such; its numbers are the same."""
    return rebuilt(tree, _slid)


def _slid(tree: Tree) -> Tree:
    if is_call(tree, windows.window_product.fn) and _is_dense(tree.args[0]):
        w, weight = tree.args
        return Apply(_CORRELATION, (weight, w.args[0]), tree.options, tree.shape, tree.dtype)
    if is_call(tree, windows.window_product_weight.fn) and _is_dense(tree.args[1]):
        g, w = tree.args
        options = {"kernel_size": w.options["kernel_size"], **tree.options}
        return Apply(_WEIGHT, (w.args[0], g), options, tree.shape, tree.dtype)
    if is_call(tree, np.add) and is_call(tree.args[0], windows.window_product.fn, correlation):
        images, b = tree.args
        if is_call(b, np.reshape) and b.args[0].ndim == 1 and b.shape[-3:] == (*b.args[0].shape, 1, 1):
            channels = Apply(_PER_CHANNEL, b.args, {"shape": b.shape}, b.shape, b.dtype)
            return tree.with_args((images, channels))
    if is_call(tree, np.reshape) and is_call(tree.args[0], np.sum) and tree.args[0].args[0].ndim == 4:
        return _summed_by_channel(tree, tree.args[0])
    return tree


def _is_dense(tree: Tree) -> bool:
    """Whether it is all windows that a kernel can see."""
    return is_call(tree, windows.windows.fn) and all(
        tuple(tree.options.get(name, (1, 1))) == (1, 1) for name in ("stride", "dilation")
    )


def _summed_by_channel(tree: Apply, inner: Apply) -> Tree:
    """Σ₂,₃ of a single image, and its axis taken away, as Σ₀,₂,₃."""
    images = inner.args[0]
    if images.shape[0] != 1 or sorted(axes_of(inner)) != [2, 3] or tree.shape != images.shape[1:2]:
        return tree
    return Apply(RULES[np.sum], inner.args, {"axis": (0, 2, 3)}, tree.shape, tree.dtype)
