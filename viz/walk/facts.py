"""One plain sentence about the numbers of a step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import Node
from autograd.listing import not_finite

from ..formula.notation import printer
from ..formula.tree import Apply, Symbol, evaluate, is_call
from ..formula.writers import PLAIN
from ..plain.numbers import counted, length, listed, numeral, shape_text
from ..tape.births import kinds_listed
from .causes import cause
from .steps import Step

_SQUASHING = {"sigmoid": "The sigmoid", "tanh": "tanh"}
_LITTLE = 0.1
_HUGE = 1e290
_ARRANGING = frozenset({
    "reshape", "ravel", "transpose", "squeeze", "expand_dims", "swapaxes", "moveaxis", "copy", "astype", "positive",
})  # fmt: skip
_ORDERING = frozenset({"flip", "flipud", "fliplr", "rot90", "roll", "sort"})
_CHOOSING = frozenset({"getitem", "take", "take_along_axis"})
_SCALING = frozenset((np.multiply, np.divide))
_PRODUCTS = frozenset((np.matmul, np.inner, np.dot, np.vdot, np.vecdot))


def sentence(step: Step, steps: Sequence[Step] = ()) -> str:
    """A fact of this step of all `steps`, computed from its numbers."""
    if step.phase == "start":
        return _start(step)
    if step.phase == "seed":
        return _seed(step)
    return _not_finite(step, steps) or (_forward(step) if step.phase == "forward" else _backward(step))


def _not_finite(step: Step, steps: Sequence[Step]) -> str:
    if step.born:
        it = "it" if len(step.born) == 1 else "them"
        where = np.argwhere((np.isnan if "NaN" in step.born else np.isinf)(step.result))
        at = f", first at [{', '.join(map(str, where[0]))}]" if where.shape[1] else ""
        why = cause(step, steps)
        free = f"everything that went in is free of {it}"
        said = f"{why}. {free.capitalize()}" if why else free
        return f"{kinds_listed(step.born)} {_is(step.born)} born here{at}: {said}."
    if step.born_in_sum:
        return f"{kinds_listed(step.born_in_sum)} {_is(step.born_in_sum)} born here, in the sum: Inf − Inf."
    kinds = step.inherits.partition(" came")[0]
    return f"{step.inherits}: {'they were' if ' and ' in kinds else 'it was'} not born here." if kinds else ""


def _is(kinds: frozenset[str]) -> str:
    return "is" if len(kinds) == 1 else "are"


def _start(step: Step) -> str:
    nodes = step.run.tape.nodes
    given = [n for n in nodes if n.is_leaf]
    learned = sum(n.op == "parameter" for n in given)
    parts = [counted(len(given) - learned, "input")] if len(given) > learned else []
    parts += [counted(learned, "parameter")] if learned else []
    bad = [n for n in given if not_finite(step.run.tape.value(n))]
    kinds = "/".join(sorted(not_finite(bad[0].value))) if bad else ""
    warning = f" {step.run.names.of(bad[0])} already holds {kinds}." if bad else ""
    operations = len(nodes) - len(given)
    follows = "follows" if operations == 1 else "follow"
    return f"{' and '.join(parts) or 'Nothing'} given; {counted(operations, 'operation')} {follows}.{warning}"


def _seed(step: Step) -> str:
    names, node = step.run.names, step.node
    if node.shape == () and float(step.after) == 1:
        return f"{names.of(node)} changes by 1 when it changes by 1: the chain rule starts with that 1."
    return f"The gradient that was given for {names.of(node)} starts the chain rule."


# --- forward ----------------------------------------------------------------------------------------------------------


def _op(node: Node) -> str:
    """Which function of NumPy or of the engine it is; a primitive of one's own may be called ``sigmoid``, too."""
    home = getattr(node.rule.fn, "__module__", None) or "numpy"
    return node.op if home.partition(".")[0] in ("numpy", "autograd") else ""


def _forward(step: Step) -> str:
    node, value = step.node, np.asarray(step.after)
    fact = _FORWARD.get(_op(node))
    said = fact(step, value) if fact is not None else ""
    if not said and _op(node) in _ARRANGING | _ORDERING:
        said = _arranged(node, value)
    if not said and node.rule.fn in _PRODUCTS:
        said = _of_products(node, value)
    if not said and _is_elementwise(node):
        said = _stretched(step)
    return said or range_of(value)


def _is_elementwise(node: Node) -> bool:
    return isinstance(node.rule.fn, np.ufunc) and node.rule.fn.signature is None


def range_of(value: np.ndarray) -> str:
    if value.size == 0:
        return "It has no elements."
    if value.size == 1:
        return f"One number: {numeral(value.reshape(-1)[0])}."
    if value.dtype == bool:
        return f"{int(value.sum()):,} of {value.size:,} {'is' if value.sum() == 1 else 'are'} true."
    if value.dtype.kind == "c":
        low, high = (numeral(f(np.abs(value))) for f in (np.min, np.max))
        return f"{value.size} complex numbers, of absolute values from {low} to {high}."
    low, high, mean = (numeral(f(value)) for f in (np.min, np.max, _mean))
    if low == high == mean:
        same = bool((value == value.reshape(-1)[0]).all())
        return f"{value.size} numbers, all {'' if same else 'about '}{low}."
    return f"{value.size} numbers from {low} to {high}, {mean} on average."


def _mean(value: np.ndarray) -> Any:
    """Of numbers whose sum may overflow."""
    scale = float(np.abs(value.astype(np.float64)).max()) or 1.0
    return np.mean(value.astype(np.float64) / scale) * scale if scale > _HUGE else np.mean(value, dtype=np.float64)


def _arranged(node: Node, value: np.ndarray) -> str:
    """The same numbers in other places, in another dtype, or simply again."""
    before, op = node.parents[0], _op(node)
    if not value.size:
        return ""
    if op == "astype" and before.dtype != node.dtype:
        return f"{counted(value.size, 'number').capitalize()}, now of dtype {node.dtype}."
    said = "The same number" if value.size == 1 else f"The same {counted(value.size, 'number')}"
    axes_move = op in ("transpose", "swapaxes", "moveaxis") and node.shape == before.shape
    if value.size > 1 and (op in _ORDERING or axes_move):
        said += " in another order"
    return f"{said}." if node.shape == before.shape else f"{said}, arranged as {_shape(node.shape)}."


def _repeated(step: Step, value: np.ndarray) -> str:
    size = step.node.parents[0].size
    if not 0 < size < value.size:
        return ""
    return f"{counted(size, 'number').capitalize()}, repeated to {shape_text(step.node.shape)}."


def _squashed(step: Step, value: np.ndarray) -> str:
    low = -1.0 if _op(step.node) == "tanh" else 0.0
    if value.size == 1:
        return f"{numeral(value.reshape(-1)[0])} on a scale from {numeral(low)} to 1."
    flat = int(((value < low + 0.1 * (1 - low)) | (value > 1 - 0.1 * (1 - low))).sum())
    ends = f"{flat} of {counted(value.size, 'element')} in the flat ends"
    return f"{ends}, where little gradient will come back." if step.node.needs_grad else f"{ends}."


def _rectified(step: Step, value: np.ndarray) -> str:
    zero = int((value == 0).sum())
    if not step.node.needs_grad:
        return ""
    if value.size == 1:
        return "It is held at 0: no gradient will come back." if zero else "It is above 0 and goes through as it is."
    return f"{zero} of {counted(value.size, 'element')} held at 0: there no gradient will come back."


def _largest(step: Step, value: np.ndarray) -> str:
    if not value.size:
        return ""
    at = np.unravel_index(int(value.argmax()), value.shape)
    place = f", at [{', '.join(map(str, at))}]" if value.ndim else ""
    axis = step.node.kwargs.get("axis", -1)
    several = isinstance(axis, int) and value.ndim > 1 and value.size > value.shape[axis]
    along = f" along axis {axis % value.ndim}" if several else ""
    return f"The probabilities add up to 1{along}; the largest is {numeral(value[at])}{place}."


def _of_products(node: Node, value: np.ndarray) -> str:
    shapes = [a.shape for a in node.operands if hasattr(a, "shape") and a.shape]
    if len(shapes) != 2 or not value.size or node.kwargs:
        return ""
    terms = math.prod(shapes[0]) if node.rule.fn is np.vdot else shapes[0][-1]
    return _sum_of(value.size, "result", terms)


def _sum_of(count: int, what: str, terms: int) -> str:
    """How many products each of some numbers is the sum of."""
    each = f"The {what} is" if count == 1 else f"Each of the {count:,} {what}s is"
    return f"{each} {'one product' if terms == 1 else f'a sum of {terms:,} products'}."


def _slid(step: Step, value: np.ndarray) -> str:
    kernel = step.node.operands[1].shape
    terms = math.prod(kernel[1:])
    images, channels, rows, columns = value.shape
    uses = value.size // max(1, channels)
    where = f"{rows}×{columns} positions{f' of each of {images} images' if images > 1 else ''}"
    return (
        f"Each result is a sum of {counted(terms, 'product')}; the kernel slides to {where}, so "
        f"every weight is used {counted(uses, 'time')}."
    )


def _windows(step: Step, value: np.ndarray) -> str:
    rows, columns, kh, kw = value.shape[-4:]
    return f"A view: {rows}×{columns} windows of {kh}×{kw} for each channel; nothing is computed."


def _maximum(step: Step, value: np.ndarray) -> str:
    which = "The window" if value.size == 1 else f"Each of {value.size:,} windows"
    others = "; the others will get no gradient" if step.node.needs_grad else ""
    return f"{which} keeps its largest element{others}."


def _reduced(step: Step, value: np.ndarray) -> str:
    size = next((a.size for a in step.node.parents), 1)
    if size == value.size:
        return ""
    if value.size == 1:
        return f"{counted(size, 'number')} become one: {numeral(value.reshape(-1)[0])}."
    return f"{counted(size, 'number')} become {value.size}."


def _stretched(step: Step) -> str:
    """What broadcasting did to an operand, or what a single number became."""
    node, names = step.node, step.run.names
    if node.size == 1 == max(a.size for a in node.parents):
        return _changed(step)
    for operand in node.parents:
        if 0 < operand.size < node.size:
            times = node.size // operand.size
            of_shape = f" of shape {shape_text(operand.shape)}" if operand.shape else ", a scalar,"
            return f"{names.of(operand)}{of_shape} is used {counted(times, 'time')} over."
    return ""


def _changed(step: Step) -> str:
    """One number made of one or two others, as the operation has it: a sum is more or less, a product so many times."""
    node, names = step.node, step.run.names
    first, fn = node.parents[0], node.rule.fn
    before, after = (np.reshape(step.run.tape.value(n), -1)[0] for n in (first, node))
    it, other = names.of(node), names.of(first)
    if np.iscomplexobj(before) or np.iscomplexobj(after):
        return ""
    if fn is np.negative:
        return f"{it} is {other} with the opposite sign."
    if before == after and fn is not np.positive:
        return f"{it} is as large as {other} here."
    if fn in (np.add, np.subtract) and node.operands[0] is first:
        off = float(after) - float(before)
        how = "more" if off > 0 else "less"
        return f"{it} is {numeral(abs(off))} {how} than {other}." if math.isfinite(off) else ""
    with np.errstate(all="ignore"):
        times = float(np.float64(after) / np.float64(before))
    if fn in _SCALING and node.operands[0] is first and after and math.isfinite(times):
        sign = ", with the opposite sign" if times < 0 else ""
        same = "as large as" if abs(times) == 1 else f"{numeral(abs(times))} times as large as"
        return f"{it} is {same} {other}{sign}."
    given = [numeral(np.reshape(step.run.tape.value(n), -1)[0]) for n in node.parents]
    return f"{listed(given)} {'becomes' if len(given) == 1 else 'become'} {numeral(after)}."


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
    "broadcast_to": _repeated,
}

# --- backward ---------------------------------------------------------------------------------------------------------


def _backward(step: Step) -> str:
    node, names = step.node, step.run.names
    upstream, sent = np.asarray(step.upstream), np.asarray(step.contribution)
    target = names.of(step.target)
    if not sent.size:
        return f"{target} has no elements, so there is nothing to send."
    if not upstream.any():
        return f"The gradient that arrives is 0 everywhere, so {target} gets 0." if upstream.size else (
            f"{names.of(node)} has no elements, so {target} gets 0."
        )  # fmt: skip
    said = _from_formula(step, target)
    if not said and _op(node) in _SQUASHING and upstream.shape == sent.shape:
        said = _let_through(node, upstream, sent)
    if not said and _op(node) == "window_product" and step.operand == 1:
        said = _summed_over_positions(step)
    if not said and (_is_elementwise(node) or _op(node) == "broadcast_to") and sent.size < node.size:
        said = _summed(step, target)
    if not said and node.rule.fn in _PRODUCTS:
        said = _products_sent(step)
    if not said and _op(node) in _ARRANGING | _ORDERING:
        said = _sent_back(step, sent)
    said = said or blocked(step, sent)
    if not said and _op(node) in _CHOOSING and sent.size == upstream.size:
        said = _sent_back(step, sent)
    return said or scaled(step, upstream, sent)


def _from_formula(step: Step, target: str) -> str:
    """Where the rule itself is to hand on the gradient, or its negative: numbers may be alike by chance."""
    upstream, sent = np.asarray(step.upstream), np.asarray(step.contribution)
    if sent.shape != upstream.shape or not np.array_equal(np.abs(sent), np.abs(upstream).astype(sent.dtype)):
        return ""
    assert step.formula is not None
    tree = step.formula.tree

    def is_upstream(part: Any) -> bool:
        return isinstance(part, Symbol) and part.kind == "gradient" and part.node is step.node

    if is_upstream(tree):
        return f"The gradient is handed on unchanged: {target} moves {step.run.names.of(step.node)} one for one."
    if isinstance(tree, Apply) and tree.fn is np.negative and is_upstream(tree.args[0]):
        return "The gradient is handed on with the opposite sign."
    return ""


def _summed(step: Step, target: str) -> str:
    """Where broadcasting is undone."""
    times, size = step.node.size // step.target.size, step.target.size
    used = f"{target} was used {counted(times, 'time')} over by broadcasting"
    return f"{used}, so {times:,} terms are summed{' for each element' if size > 1 else ''}."


def _products_sent(step: Step) -> str:
    """Of how many products an element of a factor's gradient is the sum: as many as it was used in."""
    node, target = step.node, step.target
    shapes = [np.shape(operand) for operand in node.operands]
    if not all(shapes) or not node.size or node.kwargs:
        return ""
    vdot = node.rule.fn is np.vdot
    terms = 1 if vdot else node.size * shapes[0][-1] // target.size
    return _sum_of(target.size, "element", terms)


def _sent_back(step: Step, sent: np.ndarray) -> str:
    node, back = step.node, "The gradient goes back the way the numbers came"
    if node.shape == sent.shape:
        return f"{back}, each to its old place." if sent.size > 1 else f"{back}."
    return f"{back}: from {_shape(node.shape)} to {_shape(sent.shape)}."


def _shape(shape: tuple[int, ...]) -> str:
    return shape_text(shape) if shape else "a scalar"


def _let_through(node: Node, upstream: np.ndarray, sent: np.ndarray) -> str:
    """How much of the gradient gets through, beside how much can: that is where it is steepest, at 0."""
    middle, rule = np.float64(0.0), node.rule.vjps[0]
    assert rule is not None
    most = f"at most {numeral(rule(np.float64(1.0), node.rule.op(middle), middle))}"
    known = upstream != 0
    with np.errstate(all="ignore"):
        slope = sent[known] / upstream[known]
    name = _SQUASHING[_op(node)]
    if slope.size == 1 and sent.size == 1:
        return f"{name} lets through {most}; here {numeral(slope.reshape(-1)[0])}."
    few = int((slope < _LITTLE).sum())
    return f"{name} lets through {most}: {few} of {counted(slope.size, 'element')} under {_LITTLE}."


def _summed_over_positions(step: Step) -> str:
    n, _, rows, columns = np.shape(step.upstream)
    images = f" of each of {n} images" if n > 1 else ""
    terms = n * rows * columns
    summed = "is one product" if terms == 1 else f"is the sum of {terms:,} products"
    return f"Every weight was used at {rows}×{columns} positions{images}: its gradient {summed}."


def blocked(step: Any, sent: np.ndarray) -> str:
    """How many elements get no gradient, and which factor of the formula of a step, or a whole, is why."""
    zero = sent == 0
    count = int(zero.sum())
    if sent.size < 2 or not count:
        return ""
    why = listed(_zero_factors(step, zero), "or")
    said = f"{count:,} of {counted(sent.size, 'element')} {'gets' if count == 1 else 'get'} no gradient"
    return f"{said}: {why} is 0 there." if why else f"{said}."


def _zero_factors(step: Any, zero: np.ndarray) -> list[str]:
    """The factors of a formula of which, where a product is `zero`, at least one is."""
    whole = step.formula and step.formula.tree
    waiting, found, left = [whole] if whole else [], [], zero
    while waiting:
        factor = waiting.pop(0)
        if is_call(factor, np.multiply):
            waiting[:0] = factor.args
            continue
        if is_call(factor, np.divide):
            waiting.insert(0, factor.args[0])
            continue
        if factor is whole and isinstance(factor, Apply):
            break  # no product
        value = np.asarray(evaluate(factor))
        if value.ndim and np.broadcast_shapes(value.shape, zero.shape) == zero.shape and (left & (value == 0)).any():
            found.append(printer(PLAIN, "symbols").arithmetic(factor).text)
            left = left & (value != 0)
    return [] if left.any() else found


def scaled(step: Step, upstream: np.ndarray, sent: np.ndarray) -> str:
    if sent.size == upstream.size == 1:
        before, after = upstream.item(), sent.item()
        if np.iscomplexobj(after) or np.iscomplexobj(before) or not math.isfinite(after / before):
            return f"The gradient goes from {numeral(before)} to {numeral(after)}."
        return f"The local derivative is {numeral(after / before)}{' here' if after == before else ''}."
    if _op(step.node) == "relu" and np.array_equal(sent, upstream):
        return "Every element was above 0: all of the gradient goes through."
    if _is_elementwise(step.node) and sent.shape == upstream.shape and upstream.all():
        slope = sent / upstream
        if (slope == slope.reshape(-1)[0]).all():
            return f"Every local derivative is {numeral(slope.reshape(-1)[0])} here."
    before, after = (length(array) for array in (upstream, sent))
    if not before or not math.isfinite(after / before):
        return f"‖gradient‖ is {numeral(after)} here."
    if numeral(after / before) == "1":
        return f"‖gradient‖ stays {numeral(after)}."
    times = f": ×{numeral(after / before)}" if after else ""
    return f"‖gradient‖ goes from {numeral(before)} to {numeral(after)}{times}."
