"""The table of the arrays that a page is sent: what travels as it is, and what the page makes of other arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any

import numpy as np

from autograd import Node
from autograd.rules.windows import windows

from ..formula.tree import Number, Symbol, Tree, evaluate
from ..plain.numbers import FEW, parts
from ..tape.constants import content
from ..walk.walk import Step, Walk, Whole
from .factors import local_factor
from .packing import EXACT, KERNEL, WHOLE, Blob, as_shown, json_number, packed

Source = Callable[[Walk], Any]

WINDOWS = 16 * WHOLE
"""Up to so many elements the page makes windows of, of an image that travels whole."""

_ARITHMETIC = frozenset((np.add, np.subtract, np.multiply, np.divide, np.negative, np.square))
"""What the page can do with arrays (`ARITHMETIC` in kit.js)."""

_SHADES = 400
"""What the page makes of rounded numbers may be off by the largest of them divided by that, as a colour is."""


class Arrays:
    """The table of arrays: for each, how to find it in a walk, so that every walk of the same graph fills one."""

    def __init__(self) -> None:
        self._index: dict[Hashable, int] = {}
        self._sources: list[Source] = []
        self._entries: dict[int, dict[str, Any]] = {}
        self._kernels: set[int | None] = set()

    def _add(self, key: Hashable, source: Source, entry: dict[str, Any] | None = None) -> int:
        if key not in self._index:
            self._index[key] = k = len(self._sources)
            self._sources.append(source)
            if entry is not None:
                self._entries[k] = entry
        return self._index[key]

    def value(self, walk: Walk, node: Node) -> int:
        """The value of a record. Windows, and sums of arrays that travel themselves, travel as what they are made from.

        Ask for those of operands first: in the order of the tape.
        """
        k = walk.tape.index(node)
        if ("value", k) in self._index:
            return self._index["value", k]
        entry: dict[str, Any] | None = None
        slid = node.rule.fn is windows.fn
        if EXACT < node.size <= (WINDOWS if slid else WHOLE) and len(node.parents) == len(node.operands):
            parts = [self.value(walk, parent) for parent in node.parents]
            kept = all(parent.size <= WHOLE for parent in node.parents)
            if kept and slid and "view" not in self._entries.get(parts[0], ()):
                entry = _view(parts[0], node)
            elif kept and _is_float_sum(node) and not any(part in self._entries for part in parts):
                entry = {"s": list(node.shape), "sum": parts}
        return self._add(("value", k), lambda w: w.tape.value(w.tape.nodes[k]), entry)

    def gradient(self, walk: Walk, node: Node) -> int | None:
        """The complete gradient of a record, or None."""
        k = walk.tape.index(node)
        if node not in walk.gradients:
            return None
        entry = None
        if EXACT < node.size <= WHOLE and _tiles(node) and walk.parts[node.parents[0]] == 1:
            whole = self.gradient(walk, node.parents[0])
            entry = None if whole is None else _view(whole, node)
        return self._add(("gradient", k), lambda w: w.gradients[w.tape.nodes[k]], entry)

    def contribution(self, step: Step) -> int | None:
        """What a step sends."""
        members = step.members if isinstance(step, Whole) else (step,)
        if step.parts == len(members):
            return self.gradient(step.walk, step.target)
        if len(members) > 1:
            places = tuple(member.number for member in members)
            return self._add(("contribution", places), lambda w: sum(w.steps[k].contribution for k in places))
        k = members[0].number
        return self._add(("contribution", k), lambda w: w.steps[k].contribution)

    def after(self, step: Step) -> int | None:
        """The sum so far."""
        if step.phase == "forward":
            return self.value(step.walk, step.node)
        if step.is_complete:
            return self.gradient(step.walk, step.target)
        if step.part == 1:
            return self.contribution(step)
        k = step.number
        return self._add(("after", k), lambda w: w.steps[k].after)

    def yours(self, step: Step) -> int | None:
        """The gradient or value by hand that is compared at a step; what was not given is as the engine has it."""
        checks, k = step.walk.checks, step.number
        hand = checks.values.get(step.node) if step.phase == "forward" else None
        hand = checks.against.get(step.target) if step.is_complete else hand
        if hand is None:
            return None
        return self._add(("yours", k), lambda w: hand.completed(w.steps[k].after).array)

    def off(self, step: Step) -> int | None:
        """By how much the engine's numbers are to be added to, to be those by hand; where they travel rounded."""
        yours, k = self.yours(step), step.number
        if yours is None or np.size(step.after) <= EXACT:
            return None
        source = self._sources[yours]
        return self._add(("off", k), lambda w: source(w) - w.steps[k].after)

    def constant(self, array: Any) -> int:
        """An array that no step changes."""
        array = np.asarray(array)
        return self._add(("constant", content(array)), lambda w: array)

    def symbol(self, walk: Walk, symbol: Symbol) -> int | None:
        """What a symbol of a formula stands for."""
        if symbol.kind == "constant" or symbol.node is None:
            return self.constant(symbol.array)
        return self.value(walk, symbol.node) if symbol.kind == "value" else self.gradient(walk, symbol.node)

    def local(self, step: Step) -> int | None:
        """What the gradient that arrives is multiplied by, element by element; None where a step is no such product.

        Arithmetic of arrays that travel themselves is done by the page.
        """
        factor = None if step.formula is None else local_factor(step.formula.tree, step.node)
        one = isinstance(factor, Symbol | Number)
        if factor is None or (one and step.node.size <= FEW):
            return None
        if isinstance(factor, Symbol):
            return self.symbol(step.walk, factor)
        made, k = None, step.number
        if EXACT < math.prod(factor.shape) <= WHOLE and factor.dtype.kind != "c":
            made = self._arithmetic(step.walk, factor)
        size = step.size if isinstance(step, Whole) else 1
        entry = made and {"s": list(factor.shape), "made": made}
        return self._add(("local", k, size), partial(_local, k, size), entry)

    def _arithmetic(self, walk: Walk, tree: Tree) -> Any:
        """A formula as the page computes it; None where it has functions that the page lacks, or too large an array."""
        if isinstance(tree, Number):
            return {"is": json_number(np.asarray(tree.value)[()])}
        if isinstance(tree, Symbol):
            return self.symbol(walk, tree) if tree.size <= WHOLE else None
        parts = [self._arithmetic(walk, part) for part in tree.args]
        return None if tree.fn not in _ARITHMETIC or None in parts else [tree.rule.name, *parts]

    def kernel(self, index: int | None) -> int | None:
        """The same entry, of a kernel or its gradient."""
        self._kernels.add(index)
        return index

    def part(self, index: int, which: tuple[slice, ...]) -> int:
        """A part of another array of the table; the part is an entry of its own where it is smaller."""
        whole = self._sources[index]
        return self._add(("part", index, str(which)), lambda w: whole(w)[which])

    def derived(self, key: Hashable, source: Source) -> int:
        """An array computed from a walk."""
        return self._add(("derived", key), source)

    def table(self, walk: Walk, blob: Blob) -> list[dict[str, Any]]:
        """The entries for one walk."""
        return [self._entry(k, source(walk), blob, walk) for k, source in enumerate(self._sources)]

    def _entry(self, k: int, array: Any, blob: Blob, walk: Walk) -> dict[str, Any]:
        entry = self._entries.get(k)
        # a sum that overflows in its own precision is finite in the page's
        overflows = entry is not None and "sum" in entry and not np.isfinite(array).all()
        rounded = entry is not None and "made" in entry and not self._is_as_good(entry["made"], array, walk)
        whole = KERNEL if k in self._kernels else WHOLE
        return packed(array, blob, whole) if entry is None or overflows or rounded else entry

    def _is_as_good(self, made: Any, array: Any, walk: Walk) -> bool:
        """Whether the page's rounded numbers give an array, as 1 − a does not where a is almost 1."""

        def value(part: Any) -> Any:
            if isinstance(part, list):
                return getattr(np, part[0])(*map(value, part[1:]))
            return float(part["is"]) if isinstance(part, dict) else as_shown(self._sources[part](walk))

        with np.errstate(all="ignore"):
            off = np.abs(value(made) - parts(array).astype(np.float64))
        return bool(np.max(off) <= np.max(np.abs(array)) / _SHADES)


def _local(k: int, size: int, walk: Walk) -> Any:
    step = walk.steps[k] if size == 1 else walk.whole(k, size)
    factor = None if step.formula is None else local_factor(step.formula.tree, step.node)
    return np.zeros(0) if factor is None else np.asarray(evaluate(factor))


def _is_float_sum(node: Node) -> bool:
    return node.rule.fn is np.add and node.dtype in (np.float32, np.float64)


def _view(of: int, node: Node) -> dict[str, Any]:
    """The windows of an array, as `node` sees them."""
    return {"s": list(node.shape), "view": of, **sliding(node)}


def sliding(node: Node) -> dict[str, list[int]]:
    """The size of windows, and how they slide."""
    options = {name: list(node.kwargs.get(name, (1, 1))) for name in ("stride", "dilation")}
    return {"kernel": list(node.shape[-2:]), **options}


def _tiles(node: Node) -> bool:
    """Whether it is windows that cover their images once, without overlap."""
    return (
        node.rule.fn is windows.fn
        and node.parents != ()
        and node.size == node.parents[0].size
        and node.kwargs.get("stride") == node.shape[-2:]
    )
