"""How indices are written, and axes that a reshape adds or takes away: ``δ[:, new]``."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.rules import elementwise, shapes

from ..plain.numbers import FEW
from .printer import Printer
from .tree import Apply, Number, Symbol, axes_of, is_call
from .writers import SUM, Piece, times_text

_ELEMENTWISE = (elementwise.where.fn, elementwise.clip.fn, shapes.astype.fn)


def _unit(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return [n for n in a if n != 1] == [n for n in b if n != 1]


def _axes_index(old: tuple[int, ...], new: tuple[int, ...]) -> tuple[Any, ...]:
    """The index that makes one shape of another by putting in axes of length 1, and by taking such out."""
    parts: list[Any] = []
    left = list(old)
    for n in new:
        while left and left[0] == 1 != n:
            parts.append(0)
            left.pop(0)
        if left and left[0] == n:
            parts.append(slice(None))
            left.pop(0)
        else:
            parts.append(None)
    parts += [0] * len(left)
    whole = parts.count(slice(None))
    if whole >= 2 and parts[:whole] == [slice(None)] * whole and parts[whole:]:
        return (Ellipsis, *parts[whole:])
    while parts[-1] == slice(None):
        parts.pop()
    return tuple(parts)


def _in_front(old: tuple[int, ...], new: tuple[int, ...]) -> bool:
    """Whether the axes of length 1 that differ are the first ones, as broadcasting puts them there by itself."""
    short, long = sorted((old, new), key=len)
    return long == (1,) * (len(long) - len(short)) + short


def _is_broadcast(p: Printer) -> bool:
    """Whether axes of length 1 in front of what is being printed make no difference to what it is part of."""
    for above in reversed(p.above[:-1]):
        if is_call(above, np.broadcast_to):
            return True
        if not (isinstance(above.fn, np.ufunc) and not above.fn.signature) and not is_call(above, *_ELEMENTWISE):
            return is_call(above, np.sum, np.mean) and above.options.get("axis") is None
    return True


def _keeps_axes(tree: Apply) -> bool:
    """Whether a reshape puts back the axes that a sum took away: sums in formulas keep their axes."""
    x = tree.args[0]
    if not is_call(x, np.sum, np.mean, np.max, np.min, np.prod) or x.options.get("keepdims"):
        return False
    axes = axes_of(x)
    return _in_front(tuple(1 if k in axes else n for k, n in enumerate(x.args[0].shape)), tree.shape)


def reshape(p: Printer, tree: Apply, top: bool) -> Piece:
    x = tree.args[0]
    if not top and x.shape == tree.shape:
        return p.tree(x)
    if (not top or is_call(x, np.sum) or is_call(tree, np.expand_dims)) and _unit(x.shape, tree.shape):
        if p.what == "shapes" and isinstance(x, Symbol):
            return p.shape(tree.shape)
        broadcast = not top and _is_broadcast(p)
        if _keeps_axes(tree) or (broadcast and _in_front(x.shape, tree.shape)):
            return p.tree(x)
        if p.what == "numbers" and isinstance(x, Symbol) and (tree.ndim <= 2 or x.size > FEW):
            return p.symbol(x, tree.shape)
        if not top or is_call(tree, np.expand_dims):
            base = p.base(x)
            index = list(_axes_index(x.shape, tree.shape))
            while broadcast and index[0] is None:
                del index[0]
            return Piece(p.writer.row(base, _indexed(p, tuple(index))), SUM + 2)
    order = [Piece(p.writer.user_text("order F"))] if tree.options.get("order", "C") == "F" else []
    if is_call(tree, np.ravel):
        return p.call("ravel", [x, *order])
    shape = Piece(p.writer.user_text(times_text(tree.shape)))
    return p.call("reshape", [x, shape, *order])


def broadcast(p: Printer, tree: Apply, top: bool) -> Piece:
    x = tree.args[0]
    if isinstance(x, Number) and not x.value:
        return p.number(x.value)
    return p.call("broadcast", [x, Piece(p.writer.user_text(times_text(tree.shape)))])


def index_parts(p: Printer, index: Any) -> list[str]:
    if not isinstance(index, tuple):
        index = (index,)
    return [_index_part(p, part) for part in index] or ["()"]


def _index_part(p: Printer, part: Any) -> str:
    writer = p.writer
    if isinstance(part, Apply):
        return p.tree(part).text
    if isinstance(part, Symbol):
        named = p.what == "numbers" and (part.size > FEW or part.ndim > 2)
        return p.symbol(part, part.shape).text if not named else writer.symbol(part, p.places[id(part)]).text
    if isinstance(part, slice):
        ends = ["" if e is None else p.number(int(e)).text for e in (part.start, part.stop)]
        if part.step is not None:
            ends.append(p.number(int(part.step)).text)
        return writer.row(*(t for i, end in enumerate(ends) for t in ((writer.sign(":").strip(),) * bool(i) + (end,))))
    if part is Ellipsis:
        return writer.sign("…")
    if part is None:
        return writer.word("new")
    return p.number(part).text


def _indexed(p: Printer, index: Any) -> str:
    return p.writer.fence("[", p.listed(index_parts(p, index)), "]")


def getitem(p: Printer, tree: Apply, top: bool) -> Piece:
    base = p.base(tree.args[0])
    return Piece(p.writer.row(base, _indexed(p, tree.options["index"])), SUM + 2)


def scatter(p: Printer, tree: Apply, top: bool) -> Piece:
    writer = p.writer
    at = writer.row(writer.user_text("at " if not writer.stacks else "at"), writer.sign(" ") if writer.stacks else "",
                    _indexed(p, tree.options["index"]))  # fmt: skip
    value = p.arithmetic(tree.args[0]).text
    return p.call("scatter", [Piece(writer.row(value, writer.sign(" "), at))])


def set_at(p: Printer, tree: Apply, top: bool) -> Piece:
    x, value = tree.args
    what = p.writer.row(_indexed(p, tree.options["index"]), p.writer.sign("="), p.arithmetic(value).text)
    return p.call("set", [x, Piece(what)])
