"""Slips where numbers are only moved: a part taken from, or put to, another place; axes that were not put back."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from autograd import Node

from ..pushing import Change, Edge, Sweeper
from ..trials import Scene, Trial, slip

_TURNED = frozenset({"transpose", "swapaxes", "moveaxis"})
_JOINED = frozenset({"concatenate", "stack", "hstack", "vstack", "dstack", "column_stack", "append"})
_MOST_AXES = 4
_MOST_PARTS = 8


@slip("axes not put back", 8)
def not_put_back(scene: Scene) -> Iterator[Trial]:
    """A reshape where a transpose has to come first."""
    w = scene.words
    for node in scene.nodes():
        below = node.operands[0]
        if not (isinstance(below, Node) and {node.op in _TURNED, below.op in _TURNED} == {True, False}):
            continue
        if "reshape" in (node.op, below.op) and (x := below.operands[0]).shape != node.shape:
            sentence = (
                f"{w.gradient(node)} was reshaped to {x.shape} as it is, at {w.made(node)}, and handed on as "
                f"{w.gradient(x)}: its axes have to be put back in order as well"
            )
            past = {node: (x, partial(np.reshape, shape=x.shape))}
            yield Trial(node, sentence, Change(past=past), kind=(node.op, below.op), alike="such steps")


@slip("part at another place", 8)
def moved(scene: Scene) -> Iterator[Trial]:
    """The gradient of what was padded cut out one row off; that of a part put one row off."""
    w = scene.words
    for node, i in scene.edges():
        if node.op not in ("pad", "getitem"):
            continue
        inner, outer = (node.operands[0], node) if node.op == "pad" else (node, node.operands[0])
        found = _window(node)
        for start in _beside(found, outer.shape):
            place = tuple(slice(a, a + n) for a, (_, n) in zip(start, found, strict=True))
            by = tuple(a - b for a, (b, _) in zip(start, found, strict=True))
            at = "[" + ", ".join(f"{part.start}:{part.stop}" for part in place) + "]"
            if node.op == "pad":
                what = f"{w.gradient(inner)} was cut out of {w.gradient(outer)} at {at}"
                sent = partial(_cut, place)
            else:
                what = f"{w.gradient(inner)} was put to {at} of {w.gradient(outer)}"
                sent = partial(_put, place, outer.shape)
            right = "[" + ", ".join(f"{a}:{a + n}" for a, n in found) + "]"
            sentence = f"{what}, in the place of {right}, at {w.made(node)}"
            yield scene.trial((node, i), sentence, sent, kind=(node.op, by), alike="parts")


@slip("parts exchanged", 9)
def exchanged(scene: Scene) -> Iterator[Trial]:
    """Parts of an array, or what was joined to one, each with the gradient of the other."""
    w, sent = scene.words, scene.sweeper.base.sent
    for node in scene.sweeper.nodes:
        parts = [after for after, i in scene.sweeper.into[node] if after.op == "getitem" and (after, i) in sent]
        for a, b in itertools.combinations(parts[:_MOST_PARTS], 2):
            at = [part.kwargs["index"] for part in (a, b)]
            if a.shape == b.shape and repr(at[0]) != repr(at[1]):
                sentence = f"{w.gradient(a)} and {w.gradient(b)} were put in each other's place, in {w.gradient(node)}"
                yield Trial(
                    node, sentence, _each_by_the_other(scene, (a, 0), (b, 0)), kind=repr(at), alike="such arrays"
                )
        if node.op in _JOINED:
            for i, j in itertools.combinations(scene.sweeper.edges[node][:_MOST_PARTS], 2):
                x, y = node.operands[i], node.operands[j]
                if x is not y and x.shape == y.shape:
                    change = _each_by_the_other(scene, (node, i), (node, j))
                    made = f"of {w.gradient(node)}, at {w.made(node)}"
                    sentence = f"the parts {made}, were handed to {w.say(x)} and {w.say(y)} in each other's place"
                    yield Trial(node, sentence, change, kind=(node.op, i, j), alike="such arrays")


def _each_by_the_other(scene: Scene, one: Edge, other: Edge) -> Change:
    """What two rules send, each of its own gradient by the other rule."""
    return Change(edges={a: partial(_sent_to, scene.sweeper, b) for a, b in ((one, other), (other, one))})


def _sent_to(sweeper: Sweeper, edge: Edge, g: Any, c: Any) -> Any:
    return sweeper.send(*edge, g)


def _cut(place: Any, g: Any, c: Any) -> Any:
    return g[place]


def _put(place: Any, shape: tuple[int, ...], g: Any, c: Any) -> Any:
    found = np.zeros(shape)
    found[place] = np.reshape(g, found[place].shape)
    return found


def _window(node: Node) -> list[tuple[int, int]]:
    """Where in the larger array the smaller one lies: the start and the length along each axis; empty where that is no
    such part."""
    if node.op == "pad":
        before = np.broadcast_to(node.kwargs["pad_width"], (node.ndim, 2))[:, 0]
        return list(zip(before.tolist(), node.operands[0].shape, strict=True))
    index, shape = node.kwargs["index"], node.operands[0].shape
    index = index if isinstance(index, tuple) else (index,)
    parts = [k if isinstance(k, slice) else slice(k, k + 1 or None) for k in index if isinstance(k, slice | int)]
    if len(parts) < len(index) or any(part.step not in (None, 1) for part in parts):
        return []
    parts += [slice(None)] * (len(shape) - len(parts))
    ranges = [range(n)[part] for part, n in zip(parts, shape, strict=True)]
    return [(r.start, len(r)) for r in ranges]


def _beside(found: list[tuple[int, int]], shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Other starts: one before or after, along all axes where there is room and along each alone."""
    free = [k for k, ((_, n), most) in enumerate(zip(found, shape, strict=False)) if n < most]
    if not 0 < len(free) <= _MOST_AXES:
        return
    starts: dict[tuple[int, ...], None] = {}
    for some in dict.fromkeys((tuple(free), *((k,) for k in free))):
        for by in (-1, 1):
            start = tuple(a + by if k in some else a for k, (a, _) in enumerate(found))
            if all(0 <= a <= most - n for a, (_, n), most in zip(start, found, shape, strict=True)):
                starts[start] = None
    yield from starts
