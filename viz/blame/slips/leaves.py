"""Another value, or another gradient, in the place of one in a formula."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autograd import Node

from ...formula import gradient_symbol, value_symbol
from ...formula.tree import Apply, Symbol, apply, is_call, substituted, symbols
from ..trials import Scene, once
from .activations import all_activations
from .edits import FUNCTIONS, Edit, parts, put
from .forms import Form

__all__ = ["for_another", "for_another_at_each_step", "is_step"]

_MOST = 24
"""So many values are tried in the place of one, those with names and the nearest."""
_FEWEST_STEPS = 2


def for_another(scene: Scene, form: Form) -> Iterator[Edit]:
    """Each name of a formula taken for each other one of its shape."""
    tree = form.formula.tree
    before = {act.a: act.z for act in all_activations(scene)}
    for place, part in parts(tree):
        if isinstance(part, Symbol) and (part.kind != "constant" or part.dtype.kind == "f") and part.ndim:
            for other in _others(scene, form, part):
                kind = "gradient" if other.kind == "gradient" and part.kind == "gradient" else "other"
                kind = "before" if other.node is not None and other.node is before.get(part.node) else kind
                yield Edit(kind, (*place, other.name), part, other, put(tree, place, other))
        elif is_call(part, np.greater, np.less, np.greater_equal, np.less_equal) and isinstance(part.args[0], Symbol):
            for other in _others(scene, form, part.args[0]):
                if other.kind == "gradient":
                    instead = part.with_args([other, *part.args[1:]])
                    yield Edit("value", (*place, other.name), part, instead, put(tree, place, instead))
        elif is_call(part, np.sum) and isinstance(part.args[0], Symbol) and part.args[0].kind == "gradient":
            yield from _other_sums(scene, form, place, part)
    for s in symbols(tree):
        count = sum(part is s for _, part in parts(tree))
        if count > 1 and s.kind != "constant" and s.ndim:
            for other in _others(scene, form, s):
                yield Edit("other", ("everywhere", s.name, other.name), s, other, substituted(tree, {id(s): other}))
        if s.kind == "value" and s.node is not None and s.node.rule.fn in FUNCTIONS:
            for other in _others(scene, form, s):
                there = apply(s.node.rule.fn, other, like=s)
                yield Edit("at", ("at", s.name, other.name), s, there, substituted(tree, {id(s): there}))


def _other_sums(scene: Scene, form: Form, place: Any, part: Apply) -> Iterator[Edit]:
    """The sum of another gradient that has the right shape: that of a bias made of the one of its weight."""
    for other in _gradients(scene):
        if other.shape == part.args[0].shape or other.ndim != part.args[0].ndim:
            continue
        summed = part.with_args([other])
        try:
            fits = np.sum(other.array, **part.options).shape == part.shape
        except (ValueError, TypeError):
            continue
        if fits:
            yield Edit("gradient", (*place, other.name), part, summed, put(form.formula.tree, place, summed))


def _others(scene: Scene, form: Form, part: Symbol) -> list[Symbol]:
    """What may be taken for a name."""
    here = scene.tape.index(form.node)
    own = part.array if part.dtype.kind == "f" else None

    def distance(s: Symbol) -> int:
        far = abs(scene.tape.index(s.node) - here) if s.node is not None else 0
        return far + (0 if s.node is None or scene.words.has(s.node) else len(scene.tape))

    some = [s for s in _by_shape(scene).get(part.shape, ()) if s.node is not part.node or s.kind != part.kind]
    some = [s for s in some if own is None or not np.array_equal(s.array, own)]
    return sorted(some, key=distance)[:_MOST]


@once
def _gradients(scene: Scene) -> list[Symbol]:
    grads = scene.sweeper.base.grads
    names = scene.words
    named = sorted((n for n in scene.tape if n in grads), key=lambda n: (not n.name, not names.has(n)))
    return [gradient_symbol(n, names, np.asarray(scene.sweeper.given.get(n, grads[n]))) for n in named]


@once
def _by_shape(scene: Scene) -> dict[Any, list[Symbol]]:
    """Every value, gradient and constant of the tape, each once."""
    found: dict[Any, list[Symbol]] = defaultdict(list)
    seen: set[Any] = set()

    def add(s: Symbol) -> None:
        array = np.asarray(s.array)
        key = (array.shape, array.tobytes())
        if array.dtype.kind == "f" and key not in seen:
            seen.add(key)
            found[array.shape].append(s)

    for node in sorted(scene.tape, key=lambda n: not scene.words.has(n)):
        if node.ndim and np.isfinite(scene.value(node)).all():
            add(value_symbol(node, scene.words, scene.value))
    for gradient in _gradients(scene):
        if gradient.ndim:
            add(gradient)
    for node in scene.tape:
        for k, a in enumerate(node.operands):
            if isinstance(a, np.ndarray) and a.ndim:
                add(Symbol("constant", scene.words.operand(node, k), a))
    return found


# --- loops ------------------------------------------------------------------------------------------------------------


def is_step(scene: Scene, form: Form) -> bool:
    """Whether a formula is that of one step of a loop."""
    return form.edge is not None and scene.words.steps(form.node) >= _FEWEST_STEPS


def for_another_at_each_step(scene: Scene, forms: Sequence[Form]) -> Iterator[tuple[list[tuple[Form, Edit]], str, str]]:
    """The same operand of each step taken for what stands so many steps from it."""
    words = scene.words
    groups: dict[Any, list[Form]] = defaultdict(list)
    for form in forms:
        groups[words.place(form.node), form.operand].append(form)
    occurrences: dict[Any, dict[int, Node]] = defaultdict(dict)
    for node in scene.tape:
        if words.steps(node) >= _FEWEST_STEPS:
            occurrences[words.place(node)][words.ordinal(node)] = node
    for some in groups.values():
        if len(some) < _FEWEST_STEPS:
            continue
        model = some[len(some) // 2]
        for k, other in enumerate(model.node.operands):
            if k == model.operand or not hasattr(other, "shape"):
                continue
            for place, by in _beside(scene, model, other, occurrences):
                edited = [e for f in some if (e := _edited(scene, f, k, occurrences[place], by)) is not None]
                if edited:
                    yield edited, _name(scene, edited[0][1].old), _name(scene, edited[0][1].new)


def _name(scene: Scene, s: Any) -> str:
    return scene.words.say(s.node) if s is not None and s.node is not None else str(getattr(s, "name", s))


def _beside(scene: Scene, model: Form, other: Any, occurrences: Any) -> Iterator[tuple[Any, int]]:
    here = scene.words.ordinal(model.node)
    for place, nodes in occurrences.items():
        for by in (0, -1, 1):
            node = nodes.get(here + by)
            if node is not None and node is not other and node.shape == other.shape and node.dtype.kind == "f":
                yield place, by


def _edited(scene: Scene, form: Form, k: int, nodes: dict[int, Node], by: int) -> tuple[Form, Edit] | None:
    """The formula of one step with another operand; None where there is none, at an end of the loop."""
    node = nodes.get(scene.words.ordinal(form.node) + by)
    operand = form.node.operands[k]
    old = next(
        (s for s in form.formula.symbols if s.kind != "gradient" and (s.node is operand or s.array is operand)), None
    )
    if node is None or old is None or node.shape != old.shape:
        return None
    new = value_symbol(node, scene.words, scene.value)
    return form, Edit("step", (k, by), old, new, substituted(form.formula.tree, {id(old): new}))
