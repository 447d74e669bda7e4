"""One plain sentence about the numbers of a step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from autograd import Node
from autograd.listing import not_finite

from ..numbers import length, number, shape_text

if TYPE_CHECKING:
    from .walk import Step

_SQUASHING = {"sigmoid": ("at most ¼", 0.1), "tanh": ("at most 1", 0.1)}
_MOVING = frozenset({
    "reshape", "ravel", "transpose", "squeeze", "expand_dims", "swapaxes", "moveaxis", "flip", "flipud", "fliplr",
    "rot90", "roll", "broadcast_to", "copy", "astype", "positive",
})  # fmt: skip
_PRODUCTS = frozenset(("matmul", "inner", "dot", "vdot", "vecdot", "einsum", "tensordot"))


def sentence(step: Step) -> str:
    """A fact of this step, computed from its numbers."""
    bad = _not_finite(step)
    if bad:
        return bad
    if step.phase == "start":
        return _start(step)
    if step.phase == "seed":
        return _seed(step)
    return _forward(step) if step.phase == "forward" else _backward(step)


def _not_finite(step: Step) -> str:
    if step.alarm:
        kind = step.alarm.split(" born")[0]
        where = np.argwhere(~np.isfinite(np.asarray(step.after)))
        at = f", first at [{', '.join(map(str, where[0]))}]" if len(where) and where.shape[1] else ""
        return f"{kind} is born here: everything that went in is free of it{at}."
    return f"{step.inherits}: it was not born here." if step.inherits else ""


def _start(step: Step) -> str:
    nodes = step.walk.tape.nodes
    given = [n for n in nodes if n.is_leaf]
    learned = sum(n.op == "parameter" for n in given)
    parts = [_count(len(given) - learned, "input")] if len(given) > learned else []
    parts += [_count(learned, "parameter")] if learned else []
    bad = [n for n in given if not_finite(step.walk.tape.value(n))]
    kinds = "/".join(sorted(not_finite(bad[0].value))) if bad else ""
    warning = f" {step.walk.names.of(bad[0])} already holds {kinds}." if bad else ""
    operations = len(nodes) - len(given)
    follows = "follows" if operations == 1 else "follow"
    return f"{' and '.join(parts) or 'Nothing'} given; {_count(operations, 'operation')} {follows}.{warning}"


def _seed(step: Step) -> str:
    names, node = step.walk.names, step.node
    if node.shape == () and float(step.after) == 1:
        return f"{names.of(node)} changes by 1 when it changes by 1: the chain rule starts with that 1."
    return f"The gradient that was given for {names.of(node)} starts the chain rule."


# --- forward ----------------------------------------------------------------------------------------------------------


def _forward(step: Step) -> str:
    node, value = step.node, np.asarray(step.after)
    fact = _FORWARD.get(node.op)
    said = fact(step, value) if fact is not None else ""
    if not said and node.op in _MOVING:
        said = f"The same {_count(value.size, 'number')}, arranged as {shape_text(node.shape)}."
    if not said and node.op in _PRODUCTS:
        said = _of_products(node, value)
    if not said and isinstance(node.rule.fn, np.ufunc):
        said = _stretched(step)
    return said or _range(value)


def _range(value: np.ndarray) -> str:
    if value.size == 0:
        return "It has no elements."
    if value.size == 1:
        return f"One number: {number(value.reshape(-1)[0])}."
    low, high, mean = (number(f(value)) for f in (np.min, np.max, np.mean))
    return f"{value.size} numbers from {low} to {high}, {mean} on average."


def _squashed(step: Step, value: np.ndarray) -> str:
    low = -1.0 if step.node.op == "tanh" else 0.0
    if value.size == 1:
        return f"{number(value.reshape(-1)[0])} on a scale from {number(low)} to 1."
    flat = int(((value < low + 0.1 * (1 - low)) | (value > 1 - 0.1 * (1 - low))).sum())
    return f"{flat} of {_count(value.size, 'element')} in the flat ends, where little gradient will come back."


def _rectified(step: Step, value: np.ndarray) -> str:
    zero = int((value == 0).sum())
    if value.size == 1:
        return "It is held at 0: no gradient will come back." if zero else "It is above 0 and goes through as it is."
    return f"{zero} of {_count(value.size, 'element')} held at 0: there no gradient will come back."


def _largest(step: Step, value: np.ndarray) -> str:
    at = np.unravel_index(int(value.argmax()), value.shape)
    place = f", at [{', '.join(map(str, at))}]" if value.ndim else ""
    axis = step.node.kwargs.get("axis", -1)
    several = isinstance(axis, int) and value.ndim > 1 and value.size > value.shape[axis]
    along = f" along axis {axis % value.ndim}" if several else ""
    return f"The probabilities add up to 1{along}; the largest is {number(value[at])}{place}."


def _of_products(node: Node, value: np.ndarray) -> str:
    shapes = [a.shape for a in node.operands if hasattr(a, "shape") and a.shape]
    if len(shapes) != 2 or not value.size or node.op in ("einsum", "tensordot"):
        return ""
    terms = math.prod(shapes[0]) if node.op == "vdot" else shapes[0][-1]
    each = "The result is" if value.size == 1 else f"Each of the {value.size} results is"
    return f"{each} a sum of {_count(terms, 'product')}."


def _slid(step: Step, value: np.ndarray) -> str:
    kernel = step.node.operands[1].shape
    terms = math.prod(kernel[1:])
    rows, columns = value.shape[2:]
    uses = value.size // max(1, value.shape[1])
    return (
        f"Each result is a sum of {_count(terms, 'product')}; the kernel slides to {rows}×{columns} positions, so "
        f"every weight is used {_count(uses, 'time')}."
    )


def _windows(step: Step, value: np.ndarray) -> str:
    rows, columns, kh, kw = value.shape[-4:]
    return f"A view: {rows}×{columns} windows of {kh}×{kw} for each channel; nothing is computed."


def _maximum(step: Step, value: np.ndarray) -> str:
    return f"Each of {_count(value.size, 'window')} keeps its largest element; the others will get no gradient."


def _reduced(step: Step, value: np.ndarray) -> str:
    size = next((a.size for a in step.node.parents), 1)
    if value.size == 1:
        return f"{_count(size, 'number')} become one: {number(value.reshape(-1)[0])}."
    return f"{_count(size, 'number')} become {value.size}."


def _stretched(step: Step) -> str:
    """What broadcasting did to an operand, or what a single number became."""
    node, names = step.node, step.walk.names
    if node.size == 1 == max(a.size for a in node.parents):
        return _changed(step)
    for operand in node.parents:
        if 0 < operand.size < node.size:
            times = node.size // operand.size
            return f"{names.of(operand)} of shape {shape_text(operand.shape)} is used {_count(times, 'time')} over."
    return ""


def _changed(step: Step) -> str:
    """One number made of one or two others."""
    node, names = step.node, step.walk.names
    first = step.node.parents[0]
    before, after = (float(np.reshape(step.walk.tape.value(n), -1)[0]) for n in (first, node))
    if before == after:
        return f"{names.of(node)} is as large as {names.of(first)}."
    how = "more" if after > before else "less"
    return f"{names.of(node)} is {number(abs(after - before))} {how} than {names.of(first)}."


_FORWARD: dict[str, Callable[[Step, np.ndarray], str]] = {
    "sigmoid": _squashed,
    "tanh": _squashed,
    "relu": _rectified,
    "softmax": _largest,
    "window_product": _slid,
    "windows": _windows,
    "window_max": _maximum,
    "sum": _reduced,
    "mean": _reduced,
}

# --- backward ---------------------------------------------------------------------------------------------------------


def _backward(step: Step) -> str:
    node, names = step.node, step.walk.names
    upstream, sent = np.asarray(step.upstream), np.asarray(step.contribution)
    target = names.of(step.target)
    if upstream.size and not upstream.any():
        return f"The gradient that arrives is 0 everywhere, so {target} gets 0."
    if node.op in _SQUASHING and upstream.shape == sent.shape:
        return _let_through(node.op, upstream, sent)
    if node.op == "window_product" and step.operand == 1:
        return _summed_over_positions(step)
    if sent.shape == upstream.shape and np.array_equal(sent, upstream):
        return _unchanged(step, sent, target)
    if sent.shape == upstream.shape and np.array_equal(sent, -upstream):
        return "The gradient is handed on with the opposite sign."
    if isinstance(node.rule.fn, np.ufunc) and 0 < sent.size < node.size:
        times = node.size // sent.size
        used = f"{target} was used {_count(times, 'time')} over by broadcasting"
        return f"{used}, so {times} terms are summed for each element."
    if node.op in _MOVING:
        way = f"from {shape_text(node.shape)} to {shape_text(sent.shape)}"
        return f"The gradient goes back the way the numbers came: {way}."
    return _blocked(sent) or _scaled(upstream, sent)


def _unchanged(step: Step, sent: np.ndarray, target: str) -> str:
    if step.node.op == "relu" and sent.size > 1:
        return "Every element that got a gradient was above 0: all of it goes through."
    return f"The gradient is handed on unchanged: {target} moves {step.walk.names.of(step.node)} one for one."


def _let_through(op: str, upstream: np.ndarray, sent: np.ndarray) -> str:
    most, little = _SQUASHING[op]
    known = upstream != 0
    with np.errstate(all="ignore"):
        slope = sent[known] / upstream[known]
    name = "The sigmoid" if op == "sigmoid" else "tanh"
    if slope.size == 1 and sent.size == 1:
        return f"{name} lets through {most}; here {number(slope.reshape(-1)[0])}."
    few = int((slope < little).sum())
    return f"{name} lets through {most}: {few} of {_count(slope.size, 'element')} under {little}."


def _summed_over_positions(step: Step) -> str:
    n, _, rows, columns = np.shape(step.upstream)
    images = f" and {n} images" if n > 1 else ""
    where = f"{rows}×{columns} positions{images}"
    return f"Every weight was used at {where}: its gradient is the sum of {n * rows * columns} terms."


def _blocked(sent: np.ndarray) -> str:
    zero = int((sent == 0).sum())
    if sent.size > 1 and zero:
        return f"{zero} of {_count(sent.size, 'element')} get no gradient."
    return ""


def _scaled(upstream: np.ndarray, sent: np.ndarray) -> str:
    if sent.size == upstream.size == 1:
        before, after = float(upstream.reshape(-1)[0]), float(sent.reshape(-1)[0])
        return f"The local derivative is {number(after / before)}." if before else ""
    before, after = (length(array) for array in (upstream, sent))
    if not before or not math.isfinite(after / before):
        return f"‖gradient‖ is {number(after)} here."
    return f"‖gradient‖ goes from {number(before)} to {number(after)}: ×{number(after / before)}."


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'s' * (n != 1)}"
