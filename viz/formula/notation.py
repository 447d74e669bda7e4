"""How each function is written: the only table of the formulas. Derivatives are not in it: they come from the rules."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from autograd.rules import elementwise, indexing, linalg, norms, reductions, shapes, windows

from ..plain.numbers import numeral
from . import axes
from .printer import Notation, Printer, What
from .sliding import correlation, correlation_weight, per_channel
from .terms import total
from .tree import Apply, Number, Symbol, axes_of, is_call, same
from .writers import COMPARISON, LOGIC, SUM, Piece, Writer, shape_text, times_text

MOST_TERMS = 5
_BY_PLACE = frozenset(("axes", "shift", "reps", "repeats", "k", "n", "q", "indices_or_sections", "newshape"))
"""Options that need no name beside them."""


def axes_text(tree: Apply) -> str:
    """The axes of a reduction as it shows them; empty for all."""
    if tree.options.get("axis") is None:
        return ""
    axes = axes_of(tree)
    return "" if len(set(axes)) == tree.args[0].ndim > 0 else ",".join(map(str, sorted(axes))) or "()"


def name_of(tree: Apply) -> str:
    """What a function is called; f if it has no name."""
    name = str(tree.rule.name).lstrip("_")
    return name.replace("<lambda>", "f") if name.startswith("<lambda>") else name


def options_of(tree: Apply, *known: str) -> list[str]:
    """The options of a call that are not what they are by default, as text."""
    defaults = tree.rule.defaults() if tree.options else {}
    found = []
    for name, value in tree.options.items():
        default = defaults.get(name, inspect.Parameter.empty)
        if name in known or (type(default) is type(value) and not isinstance(value, Symbol) and default == value):
            continue
        found.append(option_text(value) if name in _BY_PLACE else f"{name}={option_text(value)}")
    return found


def option_text(value: Any) -> str:
    """One option in a few characters."""
    if isinstance(value, Symbol):
        return value.name
    if isinstance(value, tuple):
        return f"({', '.join(option_text(v) for v in value)}{',' * (len(value) == 1)})"
    if isinstance(value, np.dtype | type):
        return np.dtype(value).name
    if isinstance(value, bool | np.bool_ | str) or not isinstance(value, float | int | np.number):
        return str(value)
    return numeral(value)


def _texts(p: Printer, texts: list[str]) -> list[Piece]:
    return [Piece(p.writer.user_text(text)) for text in texts]


def function(name: str = "", *, axis: bool = True) -> Notation:
    """``f(x, y, option=…)``, axes lowered."""

    def write(p: Printer, tree: Apply, top: bool) -> Piece:
        low = axes_text(tree) if axis and tree.args and tree.args[0].ndim else ""
        hidden = ("axis", "keepdims", "dtype", "kind") if axis else ()
        options = _texts(p, options_of(tree, *hidden))
        return p.call(name or name_of(tree), tree.args, low, options)

    return write


def infix(sign: str) -> Notation:
    return lambda p, tree, top: p.add(tree.args[0], tree.args[1], sign)


def floored(left: str, right: str) -> Notation:
    def write(p: Printer, tree: Apply, top: bool) -> Piece:
        inside = p.divide(*tree.args) if len(tree.args) == 2 else p.arithmetic(tree.args[0])
        return Piece(p.writer.fence(left, inside.text, right))

    return write


def compared(sign: str, level: int = COMPARISON) -> Notation:
    return lambda p, tree, top: p.compare(tree.args[0], tree.args[1], sign, level)


def _and(p: Printer, tree: Apply, top: bool) -> Piece:
    """Both conditions; low ≤ x ≤ high where they hold x from both sides."""
    low, high = tree.args
    bounds = is_call(low, np.greater_equal) and is_call(high, np.less_equal)
    if not bounds or low.args[0] is not high.args[0]:
        return compared("∧", LOGIC)(p, tree, top)
    texts = [p.bracketed(p.arithmetic(a), SUM) for a in (low.args[1], low.args[0], high.args[1])]
    sign = p.writer.sign("≤")
    return Piece(p.writer.row(texts[0], sign, texts[1], sign, texts[2]), COMPARISON)


def _positive(p: Printer, tree: Apply, top: bool) -> Piece:
    piece = p.arithmetic(tree.args[0])
    return Piece(p.writer.row(p.writer.sign("+").strip(), p.bracketed(piece, SUM + 1)), SUM, "signed") if top else piece


def _terms(p: Printer, tree: Apply, top: bool) -> Piece:
    """A sum of many terms, the middle ones of very many left out."""
    texts = [p.bracketed(p.arithmetic(a), SUM + (i > 0)) for i, a in enumerate(tree.args)]
    if len(texts) > MOST_TERMS:
        texts = [*texts[:2], p.writer.sign("…"), texts[-1]]
    plus = p.writer.sign("+")
    return Piece(p.writer.row(*(t for i, text in enumerate(texts) for t in ((plus, text) if i else (text,)))), SUM)


def _not(p: Printer, tree: Apply, top: bool) -> Piece:
    piece = p.tree(tree.args[0])
    return Piece(p.writer.row(p.writer.sign("¬"), p.bracketed(piece, COMPARISON + 1)), COMPARISON)


def _remainder(p: Printer, tree: Apply, top: bool) -> Piece:
    left, right = (p.arithmetic(a) for a in tree.args)
    return Piece(p.writer.row(p.bracketed(left, SUM + 2), p.writer.sign("%"), p.bracketed(right, SUM + 2)), SUM + 1)


def _root(degree: str = "") -> Notation:
    def write(p: Printer, tree: Apply, top: bool) -> Piece:
        return Piece(p.writer.root(p.inside(tree.args[0]).text, degree), SUM + 2)

    return write


def _big(sign: str) -> Notation:
    def write(p: Printer, tree: Apply, top: bool) -> Piece:
        return p.big(sign, tree.args[0], axes_text(tree))

    return write


def _sum(p: Printer, tree: Apply, top: bool) -> Piece:
    (x,) = tree.args
    is_trace = is_call(x, np.diagonal) and x.ndim == 1 and not tree.ndim and not x.options
    return p.call("tr", x.args) if is_trace else _big("Σ")(p, tree, top)


def _norm(p: Printer, tree: Apply, top: bool) -> Piece:
    order, axes = tree.options.get("p", 2), axes_text(tree)
    low = [] if order == 2 else [option_text(order)]
    return p.fenced("‖", tree.args[0], "‖", ", ".join([*low, f"axis {axes}"] if axes else low))


def _is_last_swap(tree: Apply) -> bool:
    x = tree.args[0]
    if is_call(tree, np.transpose):
        axes = tree.options.get("axes")
        return x.ndim <= 2 and (axes is None or [a % max(x.ndim, 1) for a in axes] == [1, 0])
    pair = {a % x.ndim for a in (tree.options["axis1"], tree.options["axis2"])} if x.ndim else set()
    return x.ndim >= 2 and pair == {x.ndim - 1, x.ndim - 2}


def _transpose(p: Printer, tree: Apply, top: bool) -> Piece:
    if _is_last_swap(tree):
        return p.transposed(tree.args[0])
    if is_call(tree, np.swapaxes):
        return p.call("swapaxes", [tree.args[0], *_texts(p, [option_text(axis) for axis in tree.options.values()])])
    return _any_other(p, tree, top)


def _dot(p: Printer, tree: Apply, top: bool) -> Piece:
    x, y = tree.args
    if x.dtype.kind == "c" and is_call(tree, np.vdot, np.vecdot):  # which conjugate it
        return _any_other(p, tree, top)
    if x.ndim == 0 or y.ndim == 0:
        return p.multiply(x, y)
    if x.ndim == y.ndim == 1 or is_call(tree, np.vdot, np.vecdot):
        return p.multiply(x, y, "·")
    if is_call(tree, np.inner):
        return _any_other(p, tree, top)
    return p.matmul(x, y) if y.ndim <= 2 or is_call(tree, np.matmul) else _any_other(p, tree, top)


def _outer(p: Printer, tree: Apply, top: bool) -> Piece:
    x, y = tree.args
    if x.ndim != 1 or y.ndim != 1:
        return _any_other(p, tree, top)
    if p.what == "shapes":
        left, right = p.shape((*x.shape, 1)).text, p.shape((1, *y.shape)).text
        return Piece(p.writer.row(left, p.writer.sign("·"), right), SUM + 1, "matmul")
    left_piece = p.vector(x)
    right_text = p.arithmetic(y).text if p.what == "numbers" and isinstance(y, Symbol) else p.transposed(y).text
    sign = "·" if p.what != "symbols" else "invisible"
    left = p.bracketed(left_piece, SUM + 1 if left_piece.kind == "gradient" else SUM + 2)
    return Piece(p.writer.row(left, p.writer.sign(sign), right_text), SUM + 1, "matmul")


def _where(p: Printer, tree: Apply, top: bool) -> Piece:
    condition, x, y = tree.args
    return p.choice([(x, condition), (y, None)])


def _clip(p: Printer, tree: Apply, top: bool) -> Piece:
    x, *bounds = tree.args
    low, high = bounds
    nothing = [isinstance(b, Number) and b.value is None for b in (low, high)]
    if nothing[0]:
        return p.call("min", [x, high])
    return p.call("max", [x, low]) if nothing[1] else p.call("clip", [x, low, high])


def _einsum(p: Printer, tree: Apply, top: bool) -> Piece:
    return p.call("einsum", tree.args, tree.options["subscripts"].replace("->", " → "))


def _tensordot(p: Printer, tree: Apply, top: bool) -> Piece:
    axes = tree.options.get("axes", 2)
    text = f"axes={axes}" if isinstance(axes, int) else f"axes {_axis_list(axes[0])} with {_axis_list(axes[1])}"
    return p.call("tensordot", [*tree.args, Piece(p.writer.user_text(text))])


def _moveaxis(p: Printer, tree: Apply, top: bool) -> Piece:
    x, ends = tree.args[0], (tree.options["source"], tree.options["destination"])
    moved = [[a % x.ndim for a in (end if isinstance(end, tuple) else (end,))] for end in ends]
    text = " → ".join(",".join(map(str, axes)) for axes in moved)
    return p.call("moveaxis", [x, Piece(p.writer.user_text(text))])


def _axis_list(axes: Any) -> str:
    return ",".join(map(str, axes)) or "none" if isinstance(axes, tuple) else str(axes)


def _in_windows(p: Printer, tree: Apply, what: str) -> Piece:
    kernel = Piece(p.writer.user_text(times_text(tree.options["kernel_size"])))
    stride, dilation = (tree.options.get(name, (1, 1)) for name in ("stride", "dilation"))
    more = [Piece(p.writer.user_text(f"{name}={times_text(value)}"))
            for name, value in (("stride", stride), ("dilation", dilation)) if tuple(value) != (1, 1)]  # fmt: skip
    return p.call(what, [tree.args[0], kernel, *more])


def _pooled(what: str) -> Notation:
    """The maximum or mean of each window."""

    def write(p: Printer, tree: Apply, top: bool) -> Piece:
        w = tree.args[0]
        return _in_windows(p, w, what) if is_call(w, windows.windows.fn) else p.call(what, tree.args)

    return write


def _fold(p: Printer, tree: Apply, top: bool) -> Piece:
    return p.call("fold", [tree.args[0], Piece(p.writer.user_text(times_text(tree.shape)))])


def _star(turned: int | None, swapped: bool = False) -> Notation:
    """A product of windows and kernels; its adjoints are written as those of a matrix product, wᵀ ⋆ δ and δ ⋆ gᵀ."""

    def write(p: Printer, tree: Apply, top: bool) -> Piece:
        pair = list(tree.args[::-1] if swapped else tree.args)
        texts = []
        for k, tree_k in enumerate(pair):
            piece = p.transposed(tree_k) if k == turned else p.arithmetic(tree_k)
            texts.append(p.bracketed(piece, SUM + 1 if piece.kind == "gradient" else SUM + 2))
        return Piece(p.writer.row(texts[0], p.writer.sign("⋆"), texts[1]), SUM + 1, "matmul")

    return write


def _first(p: Printer, tree: Apply, top: bool) -> Piece:
    w, out = tree.args
    if is_call(out, windows.window_max.fn) and same(out.args[0], w):
        first = p.writer.user_text("their first maximum")
        return Piece(p.writer.row(p.arithmetic(w).text, p.writer.sign("="), first), COMPARISON)
    text = p.writer.row(p.arithmetic(w).text, p.writer.sign("="), p.arithmetic(out).text, p.writer.sign(","),
                        p.writer.user_text("the first"))  # fmt: skip
    return Piece(text, COMPARISON)


def _astype(p: Printer, tree: Apply, top: bool) -> Piece:
    (x,) = tree.args
    if x.dtype == bool and tree.dtype.kind == "f" and isinstance(x, Apply):
        return p.arithmetic(x)  # the brackets of Iverson make a number of it
    if x.dtype == bool and tree.dtype.kind == "f":
        return Piece(p.writer.fence("[", p.tree(x).text, "]"))
    return p.call(np.dtype(tree.options["dtype"]).name, tree.args)


def _pad(p: Printer, tree: Apply, top: bool) -> Piece:
    widths: Any = tree.options.get("pad_width", tree.options.get("padding"))
    ends = {tuple(w) for w in widths}
    text = str(next(iter(ends))[0]) if len(ends) == 1 and len(set(next(iter(ends)))) == 1 else shape_text_of(widths)
    mode = tree.options.get("mode", "constant")
    more = [] if mode == "constant" else [Piece(p.writer.user_text(mode))]
    return p.call("pad", [tree.args[0], Piece(p.writer.user_text(text)), *more, *tree.args[1:]])


def shape_text_of(widths: Any) -> str:
    return ", ".join(shape_text(w).replace(", ", ",") for w in widths)


def _softmax(name: str) -> Notation:
    def write(p: Printer, tree: Apply, top: bool) -> Piece:
        axis = tree.options.get("axis", -1)
        x = tree.args[0]
        last = isinstance(axis, int) and axis % max(x.ndim, 1) == x.ndim - 1
        return p.call(name, [x], "" if last else axes_text(tree))

    return write


def _logarithm(base: str) -> Notation:
    return lambda p, tree, top: p.call("log", tree.args, base)


def _put_diagonal(p: Printer, tree: Apply, top: bool) -> Piece:
    options = options_of(tree, "shape", *(("axis1", "axis2") if tree.ndim == 2 else ()))
    return p.call("diagonal matrix", tree.args, "", _texts(p, options))


def _sinc(p: Printer, tree: Apply, top: bool) -> Piece:
    order = tree.options["order"]
    name = "sinc" + ("′" * order if order < 4 else f"^({order})")
    return p.call(name, tree.args)


_any_other = function()
_ROWS: tuple[tuple[tuple[Any, ...], Notation], ...] = (
    ((np.add,), infix("+")),
    ((total,), _terms),
    ((np.subtract,), infix("−")),
    ((np.multiply,), lambda p, tree, top: p.multiply(*tree.args)),
    ((np.divide,), lambda p, tree, top: p.divide(*tree.args)),
    ((np.negative,), lambda p, tree, top: p.negative(tree.args[0])),
    ((np.power, np.float_power), lambda p, tree, top: p.power(*tree.args)),
    ((np.square,), lambda p, tree, top: p.power(tree.args[0], Number(2))),
    ((np.reciprocal,), lambda p, tree, top: p.divide(Number(1), tree.args[0])),
    ((np.remainder, np.fmod), _remainder),
    ((np.sqrt,), _root()),
    ((np.cbrt,), _root("3")),
    ((np.exp2,), lambda p, tree, top: p.power(Number(2), tree.args[0])),
    ((np.log2,), _logarithm("2")),
    ((np.log10,), _logarithm("10")),
    ((np.expm1,), lambda p, tree, top: Piece(p.writer.row(p.call("exp", tree.args).text, p.writer.sign("−"),
                                                         p.number(1).text), SUM)),
    ((np.log1p,), lambda p, tree, top: p.call("log", [p.add(Number(1), tree.args[0], "+")])),
    ((np.matmul, np.dot, np.vdot, np.vecdot, np.inner), _dot),
    ((np.outer,), _outer),
    ((np.transpose, np.swapaxes), _transpose),
    ((np.sum,), _sum),
    ((np.prod,), _big("∏")),
    ((np.absolute, np.fabs), lambda p, tree, top: p.fenced("|", tree.args[0], "|")),
    ((np.conjugate,), function("conj")), ((np.real,), function("Re")), ((np.imag,), function("Im")),
    ((norms.norm.fn,), _norm),
    ((np.linalg.inv,), lambda p, tree, top: p.power(tree.args[0], Number(-1))),
    ((np.greater,), compared(">")), ((np.greater_equal,), compared("≥")), ((np.less,), compared("<")),
    ((np.less_equal,), compared("≤")), ((np.equal,), compared("=")), ((np.not_equal,), compared("≠")),
    ((np.logical_and, np.bitwise_and), _and), ((np.logical_or, np.bitwise_or), compared("∨", LOGIC)),
    ((np.logical_not, np.invert), _not),
    ((np.positive,), _positive),
    ((np.floor,), floored("⌊", "⌋")), ((np.ceil,), floored("⌈", "⌉")), ((np.floor_divide,), floored("⌊", "⌋")),
    ((np.maximum, np.fmax), function("max")),
    ((np.minimum, np.fmin), function("min")),
    ((np.max,), function("max")), ((np.min,), function("min")), ((np.mean,), function("mean")),
    ((elementwise.sigmoid.fn,), lambda p, tree, top: Piece(p.writer.applied(p.writer.sign("σ"),
                                                                           p.arithmetic(tree.args[0]).text))),
    ((elementwise.relu.fn,), function("ReLU")),
    ((elementwise.where.fn,), _where),
    ((elementwise.clip.fn,), _clip),
    ((elementwise.sinc_derivative.fn,), _sinc),
    ((reductions.softmax.fn,), _softmax("softmax")),
    ((reductions.log_softmax.fn,), _softmax("log softmax")),
    ((np.reshape, np.expand_dims, np.ravel), axes.reshape),
    ((np.broadcast_to,), axes.broadcast),
    ((shapes.astype.fn,), _astype),
    ((shapes.pad.fn, windows.zero_pad.fn), _pad),
    ((shapes.put_diagonal.fn,), _put_diagonal),
    ((indexing.getitem.fn,), axes.getitem),
    ((indexing.scatter.fn,), axes.scatter),
    ((indexing._set_at.fn,), axes.set_at),
    ((linalg.einsum.fn,), _einsum),
    ((np.tensordot,), _tensordot),
    ((np.moveaxis,), _moveaxis),
    ((linalg.cross.fn,), lambda p, tree, top: p.call("cross", tree.args)),
    ((windows.windows.fn,), lambda p, tree, top: _in_windows(p, tree, "windows")),
    ((windows.fold_windows.fn,), _fold),
    ((windows.window_product.fn,), _star(None)),
    ((windows.window_product_windows.fn,), _star(1)),
    ((windows.window_product_weight.fn,), _star(0, swapped=True)),
    ((inspect.unwrap(windows.first_maximum),), _first),
    ((inspect.unwrap(reductions.product_of_the_others),), function("product of the others")),
    ((inspect.unwrap(reductions.product_before),), function("product of those before")),
    ((inspect.unwrap(reductions.weighted_from_the_end),), function("weighted sum of those after")),
    ((windows.window_max.fn,), _pooled("max of windows")),
    ((windows.window_mean.fn,), _pooled("mean of windows")),
    ((correlation, correlation_weight), _star(None)),
    ((per_channel,), lambda p, tree, top: p.tree(tree.args[0])),
)  # fmt: skip
_NOTATION = {fn: notation for functions, notation in _ROWS for fn in functions}


def printer(writer: Writer, what: What = "symbols", places: dict[int, int] | None = None) -> Printer:
    """A printer that writes each function as the table has it."""
    return Printer(lambda fn: _NOTATION.get(fn, _any_other), writer, what, places or {})
