"""Which elements of its operands one element of a result is made of, and about how many operations that takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import Node
from autograd.registry import RULES
from autograd.rules import elementwise, indexing, linalg, norms, reductions, sequences, shapes, windows

Index = tuple[Any, ...]

ELEMENTWISE = frozenset(
    {
        np.nan_to_num, np.fix, np.round, np.around, elementwise.clip.fn, elementwise.sinc_derivative.fn, np.sinc,
        elementwise.sigmoid.fn, elementwise.relu.fn, elementwise.erf.fn, shapes.astype.fn, np.i0,
        sequences.bessel_i.fn,
    }
)  # fmt: skip
"""Functions of single numbers that are not ufuncs: each is one operation of the scalar graph."""

_SOFTMAX = (reductions.softmax.fn, reductions.log_softmax.fn)
# Operations for each element of the operand, and for each of the result.
_COSTS: dict[Any, tuple[int, int]] = {
    np.sum: (0, 1), np.mean: (0, 2), np.max: (0, 1), np.min: (0, 1), np.prod: (1, 0), np.var: (2, 3), np.std: (2, 4),
    np.cumsum: (1, 0), np.cumprod: (1, 0), norms.norm.fn: (1, 2), reductions.logsumexp.fn: (2, 3),
    reductions.softmax.fn: (2, 2), reductions.log_softmax.fn: (2, 3), windows.window_mean.fn: (0, 2),
    windows.window_max.fn: (0, 1), linalg.cross.fn: (0, 3),
}  # fmt: skip
_CONTRACTIONS = frozenset(
    {
        np.matmul, np.dot, np.inner, np.vdot, np.vecdot, np.outer, np.tensordot, linalg.einsum.fn,
        windows.window_product.fn, windows.window_product_weight.fn, windows.window_product_windows.fn,
    }
)  # fmt: skip


_PICKS = frozenset(
    {
        np.reshape, np.ravel, np.squeeze, np.expand_dims, np.transpose, np.swapaxes, np.moveaxis, np.flip, np.flipud,
        np.fliplr, np.rot90, np.roll, np.broadcast_to, np.repeat, np.tile, np.diagonal, np.take, np.take_along_axis,
        np.lib.stride_tricks.sliding_window_view, indexing.getitem.fn, windows.windows.fn,
    }
)  # fmt: skip


_REDUCTIONS = {RULES[fn] for fn in (np.sum, np.mean, np.max, np.min, np.prod, np.var, np.std)}


def picked(node: Node) -> Any:
    """Where in its first operand, counted through, each element of a result comes from, if it only picks; else None."""
    if node.rule.fn not in _PICKS or any(isinstance(a, Node) for a in node.operands[1:]):
        return None
    first, *others = node.operands
    return node.rule.op(np.arange(first.size).reshape(first.shape), *others, **node.kwargs)


def is_elementwise(node: Node) -> bool:
    """Whether each element of a result is one operation of one element of each operand."""
    fn = node.rule.fn
    return fn in ELEMENTWISE or (isinstance(fn, np.ufunc) and fn.signature is None)


def cost(node: Node) -> float:
    """About how many scalar operations one element of a result takes."""
    fn = node.rule.fn
    size = max(1, node.size)
    if is_elementwise(node):
        return 1
    if fn in _CONTRACTIONS:
        if fn is linalg.einsum.fn:
            return _einsum_cost(node) / size
        sizes = [math.prod(np.shape(a)) for a in node.operands]
        # Of two operands, m×k and k×n, the products are m·k·n = √(mk · kn · mn) in number.
        products = max(1, round(math.sqrt(math.prod(sizes) * size) / size))
        return products + (products > 1)
    per_operand, per_result = _COSTS.get(fn, (0, 0))
    return per_result + per_operand * math.prod(np.shape(node.operands[0])) / size if node.operands else 0


def _einsum_cost(node: Node) -> float:
    terms = node.kwargs["subscripts"].split("->")[0].split(",")
    sizes: dict[str, int] = {}
    for term, operand in zip(terms, node.operands, strict=True):
        for letter, n in zip(term, np.shape(operand), strict=True):
            sizes[letter] = max(n, sizes.get(letter, 1))
    products = math.prod(sizes.values())
    return (len(terms) - 1) * products + (node.size if products > node.size else 0)


def cut(node: Node, index: Index) -> list[Index] | None:
    """The part of each operand that one element of a result is made of, where that is easy to say; else None.

    Parameters
    ----------
    node : Node
    index : tuple of int
        Of the element.

    Returns
    -------
    list of index, or None
        The function of these parts of the operands holds the element; alone, unless `place` says where.
    """
    given = [np.shape(a) for a in node.operands]
    if is_elementwise(node):
        return [_stretched(index, shape) for shape in given]
    fn: Callable[..., Any] = node.rule.fn
    if fn in _SOFTMAX and isinstance(node.kwargs.get("axis", -1), int):
        axis = node.kwargs.get("axis", -1) % len(index)
        return [(*index[:axis], slice(None), *index[axis + 1 :])]
    if fn is np.matmul or (fn is np.dot and all(len(shape) in (1, 2) for shape in given)):
        return _matmul(index, *given)
    if fn is np.inner and all(given):
        split = len(given[0]) - 1
        return [_one(index[:split]), _one(index[split:])]
    if fn is windows.window_product.fn and node.kwargs.get("groups", 1) == 1:
        n, f, p, q = _one(index)
        return [(n, slice(None), p, q), (f,)]
    if fn in (windows.window_max.fn, windows.window_mean.fn):
        return [_one(index)]
    if fn is linalg.einsum.fn:
        inputs, output = node.kwargs["subscripts"].split("->")
        at = dict(zip(output, index, strict=True))
        return [
            tuple(_range(at[c]) if c in at and n > 1 else slice(None) for c, n in zip(term, s, strict=True))
            for term, s in zip(inputs.split(","), given, strict=True)
        ]  # fmt: skip
    if RULES.get(fn) in _REDUCTIONS and "axis" in node.kwargs and node.kwargs["axis"] is not None:
        (shape,) = given
        axis = node.kwargs["axis"]
        axes = {a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,))}
        left = list(index) if node.kwargs.get("keepdims") else None
        kept = iter(index)
        where = [
            slice(None) if a in axes else _range(left[a] if left is not None else next(kept)) for a in range(len(shape))
        ]
        return [tuple(where)]
    return None


def place(node: Node, index: Index) -> int:
    """Where, in what the function gives of the parts that `cut` found, the element stands."""
    if node.rule.fn in _SOFTMAX:
        return int(index[node.kwargs.get("axis", -1)])
    return 0


def cut_options(node: Node) -> dict[str, Any]:
    """The options of the function, where it is called with the parts that `cut` found."""
    return {**node.kwargs, "axis": -1} if node.rule.fn in _SOFTMAX else node.kwargs


def _range(i: int) -> slice:
    return slice(i, i + 1)


def _one(index: Index) -> Index:
    """An index that keeps its axes, of length 1."""
    return tuple(_range(i) for i in index)


def _stretched(index: Index, shape: tuple[int, ...]) -> Index:
    """The element of an operand of `shape` that broadcasting puts at `index`."""
    last = index[len(index) - len(shape) :]
    return tuple(0 if n == 1 else i for i, n in zip(last, shape, strict=True))


def _matmul(index: Index, x: tuple[int, ...], y: tuple[int, ...]) -> list[Index]:
    rest = list(index)
    column = _range(rest.pop()) if len(y) > 1 else None
    row = _range(rest.pop()) if len(x) > 1 else None
    whole = slice(None)
    return [
        (*_one(_stretched(tuple(rest), x[:-2])), row, whole) if row is not None else (whole,),
        (*_one(_stretched(tuple(rest), y[:-2])), whole, column) if column is not None else (whole,),
    ]


# --- what is needed of each record, and how much that is --------------------------------------------------------------


def demand(nodes: Sequence[Node], root: Node, index: Index, leaves: frozenset[Node] = frozenset()) -> dict[Node, Any]:
    """Which elements of each record the element of the root is made of, as far as `cut` says so; else all of them."""
    masks: dict[Node, Any] = {root: np.zeros(root.shape, bool)}
    masks[root][index] = True
    for node in reversed(nodes):
        mask = masks.get(node)
        if mask is None or node.is_leaf or node in leaves:
            continue
        for operand in node.parents:
            masks.setdefault(operand, np.zeros(operand.shape, bool))
        source = picked(node)
        if source is not None:
            masks[node.operands[0]].reshape(-1)[source[mask]] = True
            continue
        whole = bool(mask.all())
        for at in [None] if whole else np.argwhere(mask):
            parts = None if at is None and node.size != 1 else cut(node, (0,) * node.ndim if at is None else tuple(at))
            for k, operand in enumerate(node.operands):
                if isinstance(operand, Node):
                    masks[operand][... if parts is None else parts[k]] = True
            if parts is None:
                break
    return masks


def work(node: Node, mask: Any, calls: bool) -> float:
    if node.is_leaf:
        return float(mask.sum())
    count = float(mask.sum())
    if calls and count < node.size and cut(node, (0,) * node.ndim) is None:
        count = node.size
    return count * cost(node)
