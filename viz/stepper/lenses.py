"""What the page's lenses are told: a shared kernel, a pooling layer's route, p − y, the terms of one element, paths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import Node
from autograd.rules.linalg import einsum
from autograd.rules.windows import window_product

from ..formula.tree import Apply, Symbol
from ..paths import paths
from .walk import Step, Walk

if TYPE_CHECKING:
    from .payload import Arrays

_MOST_PATHS = 200
_FARTHEST = 4

# --- one operation ----------------------------------------------------------------------------------------------------


def lens_of(step: Step, arrays: Arrays) -> dict[str, Any] | None:
    """What there is to look at more closely in a step that goes backward."""
    find = {"window_product": _kernel, "window_max": _route, "softmax": _bars, "log_softmax": _bars}.get(step.node.op)
    return find(step, arrays) if find is not None else None


def _windows(node: Node) -> tuple[Node, dict[str, Any]] | None:
    """The images that an operation on windows slides over, and how."""
    seen = node.operands[0]
    if not isinstance(seen, Node) or seen.op != "windows" or not isinstance(seen.operands[0], Node):
        return None
    options = {name: list(seen.kwargs.get(name, (1, 1))) for name in ("stride", "dilation")}
    return seen.operands[0], {**options, "kernel_size": list(seen.shape[-2:])}


def _kernel(step: Step, arrays: Arrays) -> dict[str, Any] | None:
    node, walk = step.node, step.walk
    slid = _windows(node)
    if step.operand != 1 or slid is None:
        return None
    x, how = slid
    kernel = node.operands[1]
    return {
        "kind": "kernel", "name": walk.names.of(kernel), "x": arrays.value(walk, x),
        "delta": arrays.gradient(walk, node), "kernel": arrays.value(walk, kernel),
        "dkernel": arrays.contribution(step), "stride": how["stride"], "dilation": how["dilation"],
        "groups": node.kwargs.get("groups", 1),
    }  # fmt: skip


def _route(step: Step, arrays: Arrays) -> dict[str, Any] | None:
    node, walk = step.node, step.walk
    slid = _windows(node)
    if slid is None:
        return None
    x, how = slid
    return {
        "kind": "route", "x": arrays.value(walk, x), "upstream": arrays.gradient(walk, node),
        "kernel": how["kernel_size"], "stride": how["stride"], "dilation": how["dilation"],
    }  # fmt: skip


def _bars(step: Step, arrays: Arrays) -> dict[str, Any] | None:
    node, walk = step.node, step.walk
    y = _labels(walk, node)
    if y is None or node.ndim not in (1, 2) or node.kwargs.get("axis", -1) not in (-1, node.ndim - 1):
        return None
    k = walk.tape.index(node)
    if node.op == "softmax":
        p = arrays.value(walk, node)
    else:
        p = arrays.derived(("p", k), lambda w: np.exp(w.tape.value(w.tape.nodes[k])))
    return {"kind": "bars", "p": p, "y": arrays.constant(y), "gradient": arrays.contribution(step)}


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
    if step.phase == "forward" and step.node.op == "window_product":
        return _slid_terms(step, arrays, of)
    assert step.formula is not None
    found = _contraction(step.formula.tree)
    if found is None:
        return None
    subscripts, symbols = found
    return {
        "of": of, "kind": "einsum", "subscripts": subscripts, "scale": 1,
        "operands": [_array(step.walk, symbol, arrays) for symbol in symbols],
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
        "of": of, "kind": "windows", "x": arrays.value(walk, x), "kernel": arrays.value(walk, kernel),
        "stride": how["stride"], "dilation": how["dilation"], "groups": node.kwargs.get("groups", 1),
        "names": [walk.names.of(x), walk.names.of(kernel)],
    }  # fmt: skip


def _array(walk: Walk, symbol: Symbol, arrays: Arrays) -> int | None:
    if symbol.kind == "constant" or symbol.node is None:
        return arrays.constant(symbol.array)
    return arrays.value(walk, symbol.node) if symbol.kind == "value" else arrays.gradient(walk, symbol.node)


def _contraction(tree: Any) -> tuple[str, list[Symbol]] | None:
    """A formula that is one product of two arrays, as the subscripts of ``np.einsum``."""
    if not isinstance(tree, Apply):
        return None
    if tree.fn is einsum.fn and all(isinstance(a, Symbol) for a in tree.args):
        return tree.options["subscripts"], list(tree.args)
    if len(tree.args) != 2 or tree.fn not in (np.matmul, np.inner, np.dot, window_product.fn):
        return None
    left, right = (_oriented(a) for a in tree.args)
    if left is None or right is None or tree.fn is window_product.fn:
        return None
    (a, a_axes), (b, b_axes) = left, right
    if a.ndim not in (1, 2) or b.ndim not in (1, 2):
        return None
    mine = ("ik" if a.ndim == 2 else "k")[:: -1 if a_axes else 1]
    theirs = {1: "k", 2: "jk" if tree.fn is np.inner else "kj"}[b.ndim][:: -1 if b_axes else 1]
    out = "".join(c for c in ("i" if a.ndim == 2 else "") + ("j" if b.ndim == 2 else ""))
    return f"{mine},{theirs}->{out}", [a, b]


def _oriented(tree: Any) -> tuple[Symbol, bool] | None:
    """A symbol, and whether it is transposed; None for anything else."""
    if isinstance(tree, Symbol):
        return tree, False
    if isinstance(tree, Apply) and tree.fn in (np.transpose, np.swapaxes) and len(tree.args) == 1:
        inner = tree.args[0]
        if isinstance(inner, Symbol) and inner.ndim == 2:
            return inner, True
    return None


# --- paths ------------------------------------------------------------------------------------------------------------


def paths_of(walk: Walk) -> dict[str, Any] | None:
    """All paths from each leaf to the loss, where every number on the way is a scalar; else how many there are."""
    tape = walk.tape
    found = {}
    for k, node in enumerate(tape):
        if not node.is_leaf or node not in walk.gradients:
            continue
        ways = paths(tape, node, limit=_MOST_PATHS, grad=walk.seed)
        told: dict[str, Any] = {"count": ways.count if ways.count < 2**53 else str(ways.count), "edges": ways.edges}
        if node.shape == () and ways.count <= _MOST_PATHS and all(path.factors is not None for path in ways):
            told["paths"] = [
                {
                    "nodes": [tape.index(n) for n in path.nodes],
                    "locals": [edge.derivative for edge in path.edges],
                    "product": float(path.product),
                }
                for path in ways
            ]
        found[str(k)] = told
    return {"nodes": found} if found else None
