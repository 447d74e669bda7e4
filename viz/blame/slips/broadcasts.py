"""Slips at the sum over what broadcasting stretched: left out, a mean, over other axes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from ...formula.tidy import reshaped
from ...formula.tree import Apply, Number, Tree, apply, axes_of, evaluate, is_call
from ...plain.numbers import listed
from ..trials import Scene, Trial, constantly, ended, slip
from .forms import Form, rule
from .formulas import edited
from .parts import Edit, parts, put
from .sums import one_of, summed_over


def _sums(scene: Scene) -> Iterator[tuple[Form, tuple[int, ...], Apply]]:
    """The rules of elementwise operations that sum what they send, where they do so, and the sum; it may be reshaped to
    keep axes."""
    for node, i in scene.edges():
        fn = node.rule.fn
        if isinstance(fn, np.ufunc) and fn.signature is None and node.operands[i].shape != node.shape:
            form = rule(scene, (node, i))
            for place, part in parts(form.formula.tree) if form is not None else ():
                inner = part.args[0] if is_call(part, np.reshape) else part
                if form is not None and is_call(inner, np.sum) and inner.args[0].shape == node.shape:
                    yield form, place, inner
                    break


def _axes(axes: tuple[int, ...]) -> str:
    return f"axis {axes[0]}" if len(axes) == 1 else f"the axes {listed([str(k) for k in axes])}"


def _instead(scene: Scene, form: Form, place: Any, part: Apply, kind: str, new: Tree, sentence: str) -> Trial:
    """Something else in the place of a sum; in its shape, if it has as many numbers."""
    if new.shape != form.target.shape and math.prod(new.shape) == form.target.size:
        new = reshaped(new, form.target.shape)
    edit = Edit(kind, place, part, new, put(form.formula.tree, place, new))
    return edited(scene, form, edit, sentence)


def _of_another_shape(scene: Scene, form: Form, place: Any, part: Apply, new: Tree, sentence: str) -> Iterator[Trial]:
    """The same, where what was given has the wrong shape that it gives."""
    edit = Edit("axis", place, part, new, put(form.formula.tree, place, new))
    if form.target in scene.given and edit.tree.shape != form.target.shape:
        change = ended(form.target, partial(constantly, evaluate(edit.tree)))
        yield edited(scene, form, edit, sentence)._replace(change=change)


@slip("broadcast sum left out", 12, covers=("one example of the batch only",))
def sum_left_out(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for form, place, part in _sums(scene):
        node, operand, x, axes = form.node, form.target, part.args[0], tuple(axes_of(part))
        of, instead = w.operand(node, form.operand or 0), partial(_instead, scene, form, place, part)
        said = (
            f"{of} of shape {operand.shape} takes part in every element of {w.made(node)}, of shape {node.shape}, so "
            f"that its gradient is a sum over {_axes(axes)}"
        )
        left_out = f"the sum of broadcasting was left out: {said}; yours"
        unsummed = f"{left_out}, of shape {node.shape}, is not summed yet"
        yield from _of_another_shape(scene, form, place, part, x, unsummed)
        for some in dict.fromkeys((axes, *((k,) for k in axes))):
            n = math.prod(x.shape[k] for k in some)
            if n > 1:
                mean = apply(np.divide, part, Number(float(n)), like=part)
                sentence = f"a mean was taken instead of the sum of broadcasting: {said}, not a mean of {n}"
                yield instead("constant", mean, sentence)._replace(kind=("mean", some))
        for which, at in (("first", 0), ("last", -1)):
            yield instead("loop", one_of(part, at), f"{left_out} is the {which} part alone")._replace(kind=which)


@slip("broadcast sum over the wrong axis", 12)
def wrong_axis(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    for form, place, part in _sums(scene):
        node, operand, n = form.node, form.target, part.args[0].ndim
        right = tuple(axes_of(part))
        for axes in dict.fromkeys((*((k,) for k in range(n)), tuple(range(n)))):
            if axes == right:
                continue
            said = _axes(axes) if len(axes) == 1 else "all axes"
            sentence = (
                f"the sum of broadcasting went over {said} instead of {_axes(right)} of {w.gradient(node)}, for "
                f"{w.operand(node, form.operand or 0)} at {w.made(node)}"
            )
            for kept in (True, False):
                other = summed_over(part, axes, keepdims=kept)
                yield from _of_another_shape(scene, form, place, part, other, sentence)
            if math.prod(other.shape) in (operand.size, 1):
                yield _instead(scene, form, place, part, "axis", other, sentence)._replace(kind=axes)
