"""Slips at a product: transposed, turned round, with another value in the place of an operand."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from autograd import Node

from ...formula import Symbol
from ...formula.tree import Number, apply, substituted
from ..pushing import Change
from ..trials import Scene, Trial, ended, is_round, slip
from .forms import Form, rule, rules_of
from .formulas import edited
from .parts import Edit, edits_of, has_gradient
from .sums import flipped as kernel_flipped
from .sums import flipped_in, is_square, of_matrices, turned

_MATRIX = frozenset({"matmul", "inner", "dot", "einsum"})
_PRODUCTS = _MATRIX | {"vecdot", "outer", "tensordot", "multiply", "window_product"}


@slip("transpose", 6)
def transposed(scene: Scene) -> Iterator[Trial]:
    for one in scene.wrong:
        if one.node.ndim >= 2:
            axes = "" if one.node.ndim == 2 else " in its last two axes"
            sentence = f"it is transposed{axes}: yours is the transpose of the right gradient"
            yield Trial(one.node, sentence, ended(one.node, _turned), kind="gradient", alike="gradients")
    yield from _of_matrices(scene, "transpose")
    for node, i in scene.edges():
        to = node.operands[i]
        known = len(scene.sweeper.into[to]) > 1 and to.ndim == 2 and is_square(to)
        form = rule(scene, (node, i)) if known else None
        if form is not None:
            tree = turned(form.formula.tree)
            edit = Edit("transpose", ("contribution",), form.formula.tree, tree, tree)
            sentence = f"what {scene.words.gradient(to)} gets through {scene.words.made(node)} was transposed"
            yield edited(scene, form, edit, sentence, kind=(node.op, i, "contribution"), alike="such contributions")


@slip("upstream gradient transposed", 35)
def upstream_transposed(scene: Scene) -> Iterator[Trial]:
    return _of_matrices(scene, "transpose", upstream=True)


@slip("order of a product", 35)
def turned_round(scene: Scene) -> Iterator[Trial]:
    return _of_matrices(scene, "order")


@slip("flipped", 26)
def reversed_as_a_whole(scene: Scene) -> Iterator[Trial]:
    for one in scene.wrong:
        n = one.node.ndim
        for axes in {(n - 1,), tuple(range(max(0, n - 2), n)), tuple(range(n))} if n else ():
            how = "reversed" if len(axes) == 1 else "turned by 180°"
            yield Trial(
                one.node,
                f"it is {how}: right but for the order (a kernel flipped? convolution against correlation)",
                ended(one.node, partial(np.flip, axis=axes)),
            )


def _of_matrices(scene: Scene, kind: str, *, upstream: bool = False) -> Iterator[Trial]:
    for form in rules_of(scene, _MATRIX):
        for edit in edits_of(form.formula.tree, of_matrices):
            if edit.kind == kind and (kind == "order" or has_gradient(edit.old) == upstream):
                kind_of = form.node.op, form.operand
                yield edited(scene, form, edit, kind=kind_of, alike="products of this kind")


@slip("kernel flipped", 6, covers=("flipped",))
def flipped(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for form in rules_of(scene, {"window_product"}):
        for edit in edits_of(form.formula.tree, kernel_flipped):
            name, made = w.operand(form.node, 1), w.made(form.node)
            what = {
                "gradient": "the kernel is", "upstream": f"{w.gradient(form.node)} was", "input": "the input was",
            }.get(edit.place[-1])  # fmt: skip
            sentence = _FLIPPED.format(name=name, made=made)
            if what is not None:
                sentence = (
                    f"{what} turned by 180° at {made}: {w.gradient(form.target)} of a convolution in place of the "
                    "cross-correlation that the forward pass computes"
                )
            yield edited(scene, form, edit, sentence, kind=(form.operand, what))
    for form in rules_of(scene, ("einsum", "tensordot")):
        operands, g = form.node.operands, form.upstream
        windows = operands[1 - (form.operand or 0)] if len(operands) == 2 else 0.0
        if 1 < g.ndim < np.ndim(windows):
            turned_g = flipped_in(g)
            tree = substituted(form.formula.tree, {id(g): turned_g})
            for which, other in ((w.gradient(form.node), tree), ("the input", flipped_in(tree))):
                edit = Edit("flipped", (which,), g, turned_g, other)
                sentence = f"{which} was turned by 180° in what {w.gradient(form.target)} is made of"
                kind = form.operand, other is tree
                yield edited(scene, form, edit, f"{sentence}, at {w.made(form.node)}", kind=kind)
    for form, s in _values(scene):
        if s.node is not None and s.ndim and _is_window(scene, form.target):
            axes = {tuple(range(s.ndim))[-2:], (0, 1)[: s.ndim]}
            for other in (flipped_in(s, some) for some in axes):
                edit = Edit("flipped", ("kernel",), s, other, substituted(form.formula.tree, {id(s): other}))
                sentence = _FLIPPED.format(name=w.say(s.node), made=w.made(form.node))
                yield edited(scene, form, edit, sentence, kind=(form.operand, other.options["axis"]))


_FLIPPED = "the kernel {name} was turned by 180° once too often, or not at all, in the gradient of the input at {made}"


def _is_window(scene: Scene, node: Node) -> bool:
    """A part of an input, as a convolution takes it that is written out: by a view of all, or each in a loop."""
    several = node.op == "getitem" and len(scene.sweeper.into.get(node.operands[0], ())) > 1
    return several or node.op == "sliding_window_view"


def _values(scene: Scene) -> Iterator[tuple[Form, Symbol]]:
    """What the rules of products read."""
    for form in rules_of(scene, _PRODUCTS):
        for s in form.formula.symbols:
            if s.kind != "gradient" and s.dtype.kind == "f" and s.size > 1:
                yield form, s


@slip("stale forward values", 28)
def shifted(scene: Scene) -> Iterator[Trial]:
    """The values of the example (or step) before."""
    for form, s in _values(scene):
        if s.ndim < 2 or s.shape[0] < 2 or (s.node is not None and s.node.is_leaf):
            continue
        name = s.name if s.node is None else scene.words.say(s.node)
        for by, which in ((1, "before"), (-1, "after")):
            other = Symbol("constant", f"({s.name}, example {which})", np.roll(s.array, by, axis=0))
            sentence = (
                f"stale forward values: {name} was read one row off, that of the example {which}, at "
                f"{scene.words.made(form.node)}"
            )
            edit = Edit("stale", (by,), s, other, substituted(form.formula.tree, {id(s): other}))
            yield edited(scene, form, edit, sentence, kind=(form.operand, by))


@slip("another value in the place of an operand", 44, generic=True)
def with_a_number_added(scene: Scene) -> Iterator[Trial]:
    """An array of the program with its mean, or another number, still in it: returns for advantages."""
    for form, s in _values(scene):
        if s.kind == "constant":
            sentence = (
                f"{s.name} was read with {{}} added to each of its numbers, as where a mean is not "
                f"subtracted, at {scene.words.made(form.node)}"
            )
            change, mean = partial(_with_added, form, s), float(np.mean(s.array))
            accepts = partial(_is_meant, mean, 1e-9 * float(np.ptp(s.array)))
            yield Trial(form.node, sentence, change, form.operand, accepts=accepts, linear=True)


def _is_meant(mean: float, near: float, t: float) -> bool:
    """Whether a number that is added is the mean, one that was subtracted, or one that somebody may choose."""
    return abs(t) > near and (abs(mean) <= near or abs(t + mean) <= near or is_round(t))


def _with_added(form: Form, s: Symbol, t: float) -> Change:
    return form.change(substituted(form.formula.tree, {id(s): apply(np.add, s, Number(t))}))


def _turned(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)
