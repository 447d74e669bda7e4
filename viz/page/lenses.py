"""What the page's lenses are told: a shared kernel, a pooling layer's route, p − y, the terms of one element, paths."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd import Node
from autograd.rules.linalg import einsum
from autograd.rules.reductions import log_softmax, softmax
from autograd.rules.windows import window_max, window_product, windows

from ..formula.tidy import axes_order
from ..formula.tree import Apply, Symbol
from ..sums.paths import Path, Paths
from ..walk.walk import Step, Walk
from .arrays import Arrays, sliding
from .packing import KERNEL, WHOLE, json_number

_CUT = 2048
"""Up to so many numbers of each array of a shared kernel that is too large for a page are sent, for its lens."""
_MOST_PATHS = 200
_MOST_FACTORS = 2000
"""So many derivatives on edges the paths that a page lists may have between them."""
_MOST_COUNTING = 4_000_000
"""So many records may be looked at to count paths, leaf by leaf."""
_FARTHEST = 4

# --- one operation ----------------------------------------------------------------------------------------------------


def lens_of(step: Step, arrays: Arrays) -> dict[str, Any] | None:
    """What there is to look at more closely in a step that goes backward."""
    find = _LENSES.get(step.node.rule.fn)
    return find(step, arrays) if find is not None else None


def _windows(node: Node) -> tuple[Node, dict[str, list[int]]] | None:
    """The images that an operation on windows slides over, and how."""
    seen = node.operands[0]
    if not isinstance(seen, Node) or seen.rule.fn is not windows.fn or not isinstance(seen.operands[0], Node):
        return None
    return seen.operands[0], sliding(seen)


def _kernel(step: Step, arrays: Arrays) -> dict[str, Any] | None:
    node, walk = step.node, step.walk
    slid = _windows(node)
    if step.operand != 1 or slid is None:
        return None
    x, how = slid
    kernel, groups = node.operands[1], node.kwargs.get("groups", 1)
    kept = _kept(x.shape, node.shape, kernel.shape, groups)
    f, c, per = kept or (node.shape[1], x.shape[1], kernel.shape[1])
    first = f"the first {f} of {node.shape[1]} filters and {c} of {x.shape[1]} channels"
    whole = {
        "x": arrays.value(walk, x), "delta": arrays.gradient(walk, node),
        "dkernel": arrays.kernel(arrays.contribution(step)),
    }  # fmt: skip
    parts = {"x": (slice(None), slice(c)), "delta": (slice(None), slice(f)), "dkernel": (slice(f), slice(per))}
    cut = {name: arrays.part(index, parts[name]) for name, index in whole.items() if kept and index is not None}
    return {
        "kind": "kernel", "name": walk.names.of(kernel), **whole, **cut, "stride": how["stride"],
        "dilation": how["dilation"], "groups": max(1, f * groups // node.shape[1]) if groups > 1 else 1,
        **({"whole": whole, "first": first} if cut else {}),
    }  # fmt: skip


def _kept(
    x: tuple[int, ...], delta: tuple[int, ...], kernel: tuple[int, ...], groups: int
) -> tuple[int, int, int] | None:
    """Of how many filters, channels, and channels of each filter a page shows the sums; None: of all, or of none.

    Their sums are over all images and positions: what is left out are whole filters and channels, or groups of both.
    """
    sizes = [math.prod(shape) for shape in (x, delta, kernel)]
    fits = max(sizes[:2]) <= WHOLE and sizes[2] <= KERNEL
    if fits or not min(sizes) or not len(x) == len(delta) == 4:
        return None
    (filters, channels), per = (delta[1], x[1]), kernel[1]
    if groups > 1:
        fit = min(_CUT * groups // max(sizes), groups)
        return (fit * filters // groups, fit * channels // groups, per) if fit else None
    c = min(channels, _CUT * channels // sizes[0], _CUT * filters * channels // sizes[2])
    f = min(filters, _CUT * filters // sizes[1], _CUT * filters * channels // (sizes[2] * max(c, 1)))
    return (f, c, c) if f and c else None


def _route(step: Step, arrays: Arrays) -> dict[str, Any] | None:
    node, walk = step.node, step.walk
    slid = _windows(node)
    if slid is None:
        return None
    x, how = slid
    return {"kind": "route", "x": arrays.value(walk, x), "upstream": arrays.gradient(walk, node), **how}


def _bars(step: Step, arrays: Arrays) -> dict[str, Any] | None:
    node, walk = step.node, step.walk
    y = _labels(walk, node)
    if y is None or node.ndim not in (1, 2) or node.kwargs.get("axis", -1) not in (-1, node.ndim - 1):
        return None
    k = walk.tape.index(node)
    value = walk.tape.value(node)
    if node.rule.fn is softmax.fn:
        p = arrays.value(walk, node)
    else:
        p = arrays.derived(("p", k), lambda w: np.exp(w.tape.value(w.tape.nodes[k])))
        value = np.exp(value)
    if not _are_multiples(np.atleast_2d(step.contribution), np.atleast_2d(value - y)):
        return None
    return {"kind": "bars", "p": p, "y": arrays.constant(y), "gradient": arrays.contribution(step)}


def _are_multiples(rows: np.ndarray, others: np.ndarray) -> bool:
    """Whether each row is a multiple of the same row of `others`."""
    with np.errstate(all="ignore"):
        factors = np.sum(rows * others, axis=1, keepdims=True) / np.sum(others * others, axis=1, keepdims=True)
        fitted = np.nan_to_num(factors) * others
    return np.allclose(rows, fitted, rtol=0, atol=1e-4 * float(np.abs(rows).max(initial=0.0)))


_LENSES = {window_product.fn: _kernel, window_max.fn: _route, softmax.fn: _bars, log_softmax.fn: _bars}


def _labels(walk: Walk, node: Node) -> np.ndarray | None:
    """What a loss compares probabilities with, as distributions: picked by index, or multiplied by (−y/N, say)."""
    for user in _users(walk, node):
        if user.op == "getitem":
            y = np.zeros(node.shape)
            try:
                y[user.kwargs["index"]] = 1
            except (IndexError, ValueError):
                return None
            rows = y if y.ndim == 2 else y[None]
            return y if (rows.sum(axis=1) == 1).all() else None
        if user.op == "multiply":
            for other in user.operands:
                if isinstance(other, np.ndarray) and other.shape == node.shape:
                    weights = np.abs(other)
                    total = weights.sum(axis=-1, keepdims=True)
                    return weights / total if (total > 0).all() else None
    return None


def _users(walk: Walk, node: Node) -> Iterator[Node]:
    """The operations that a value of unchanged shape goes into, nearest first."""
    reached = {node}
    for later in walk.tape.nodes[walk.tape.index(node) + 1 :]:
        if any(a in reached for a in later.parents):
            yield later
            if later.shape == node.shape and len(reached) < _FARTHEST:
                reached.add(later)


# --- the terms of one element -----------------------------------------------------------------------------------------


def terms_of(step: Step, arrays: Arrays) -> dict[str, Any] | None:
    """How each element of a step's result is a sum of products, where it is one."""
    of = "value" if step.phase == "forward" else "contribution"
    if step.phase == "forward" and step.node.rule.fn is window_product.fn:
        return _slid_terms(step, arrays, of)
    assert step.formula is not None
    found = _contraction(step.formula.tree)
    if found is None:
        return None
    subscripts, symbols = found
    return {
        "of": of, "kind": "einsum", "subscripts": subscripts,
        "operands": [arrays.symbol(step.walk, symbol) for symbol in symbols],
        "names": [symbol.name for symbol in symbols],
    }  # fmt: skip


def _slid_terms(step: Step, arrays: Arrays, of: str) -> dict[str, Any] | None:
    node, walk = step.node, step.walk
    slid = _windows(node)
    kernel = node.operands[1]
    if slid is None or not isinstance(kernel, Node):
        return None
    x, how = slid
    return {
        "of": of, "kind": "windows", "x": arrays.value(walk, x), "kernel": arrays.kernel(arrays.value(walk, kernel)),
        "stride": how["stride"], "dilation": how["dilation"], "groups": node.kwargs.get("groups", 1),
        "names": [walk.names.of(x), walk.names.of(kernel)],
    }  # fmt: skip


def _contraction(tree: Any) -> tuple[str, list[Symbol]] | None:
    """A formula that is one product of two arrays, as the subscripts of ``np.einsum``."""
    if not isinstance(tree, Apply):
        return None
    if tree.fn is einsum.fn and all(isinstance(a, Symbol) for a in tree.args):
        return tree.options["subscripts"], list(tree.args)
    if len(tree.args) != 2 or tree.fn not in (np.matmul, np.inner, np.dot):
        return None
    left, right = (_oriented(a) for a in tree.args)
    if left is None or right is None:
        return None
    (a, a_axes), (b, b_axes) = left, right
    if a.ndim not in (1, 2) or b.ndim not in (1, 2):
        return None
    mine = ("ik" if a.ndim == 2 else "k")[:: -1 if a_axes else 1]
    theirs = {1: "k", 2: "jk" if tree.fn is np.inner else "kj"}[b.ndim][:: -1 if b_axes else 1]
    return f"{mine},{theirs}->{'i' * (a.ndim == 2)}{'j' * (b.ndim == 2)}", [a, b]


def _oriented(tree: Any) -> tuple[Symbol, bool] | None:
    """A symbol, and whether it is transposed; None for anything else."""
    if isinstance(tree, Symbol):
        return tree, False
    if isinstance(tree, Apply) and len(tree.args) == 1:
        inner = tree.args[0]
        if isinstance(inner, Symbol) and inner.ndim == 2 and axes_order(tree) == [1, 0]:
            return inner, True
    return None


# --- paths ------------------------------------------------------------------------------------------------------------


def paths_of(walk: Walk) -> dict[str, Any] | None:
    """How many paths lead from each leaf to the loss; which, where they are few and every number on them a scalar."""
    tape = walk.tape
    leaves = [node for node in tape if node.is_leaf and node in walk.gradients]
    if len(leaves) * len(tape) > _MOST_COUNTING:
        return None
    found, left = {}, _MOST_FACTORS
    for leaf in leaves:
        ways = Paths(walk.run, leaf, _MOST_PATHS)
        told: dict[str, Any] = {"count": ways.count if ways.count < 2**53 else str(ways.count), "edges": ways.edges}
        few = leaf.shape == () and ways.count <= _MOST_PATHS and ways.factors <= left
        if few and all(path.factors is not None for path in ways):
            told["paths"] = [_path(walk, path) for path in ways]
            left -= ways.factors
        found[str(tape.index(leaf))] = told
    return {"nodes": found} if found else None


def _path(walk: Walk, path: Path) -> dict[str, Any]:
    return {
        "nodes": [walk.tape.index(node) for node in path.nodes],
        "locals": [json_number(np.float64(edge.derivative)) for edge in path.edges],
        "product": json_number(np.float64(path.product)),
    }
