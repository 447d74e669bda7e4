"""Slips where numbers are only moved: a part taken from, or put to, another place; axes that were not put back."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
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
_MOST_SAID = 4


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
        if node.op not in ("pad", "getitem", "concatenate"):
            continue
        inner, outer = (node, node.operands[0]) if node.op == "getitem" else (node.operands[i], node)
        found = _window(node, i)
        for start in _beside(found, outer.shape):
            place, right = _at(start, found), _at((a for a, _ in found), found)
            by = tuple(a - b for a, (b, _) in zip(start, found, strict=True))
            if node.op == "getitem":
                what = f"{w.gradient(inner)} was put to {_written(place)} of {w.gradient(outer)}"
                sent = partial(_put, place, outer.shape)
            else:
                what = f"{w.gradient(inner)} was cut out of {w.gradient(outer)} at {_written(place)}"
                sent = partial(_cut, place)
            sentence = f"{what}, in the place of {_written(right)}, at {w.made(node)}"
            yield scene.trial((node, i), sentence, sent, kind=(node.op, by), alike="parts")


@slip("part at another place", 8)
def without_stride(scene: Scene) -> Iterator[Trial]:
    """The windows of a loop that go on by more than one, put to, or taken from, where they are if they go on by one."""
    w = scene.words
    loops: dict[Any, dict[Node, Any]] = defaultdict(dict)
    for part in scene.tape:
        if part.op == "getitem" and (found := _window(part, 0)):
            loops[part.operands[0], w.place(part), tuple(n for _, n in found)][part] = found
    for (node, *_), windows in loops.items():
        starts = [sorted({a for a, _ in along}) for along in zip(*windows.values(), strict=True)]
        strides = [min(np.diff(some), default=1) for some in starts]
        if max(strides) == 1:
            continue
        places = {}
        for part, found in windows.items():
            passes = [(a - some[0]) // by for (a, _), some, by in zip(found, starts, strides, strict=True)]
            places[part] = _at((some[0] + k for k, some in zip(passes, starts, strict=True)), found)
        read = {part: scene.value(node)[at].reshape(part.shape) for part, at in places.items()}
        sends = [part for part in windows if (part, 0) in scene.sweeper.base.sent]
        put = {(part, 0): partial(_put, places[part], node.shape) for part in sends}
        ways = [(f"they were taken out of {w.say(node)}", Change(reads=read))]
        if put:
            ways.append((f"{w.gradient(node)} got them", Change(edges=put)))
            ways.append((f"{ways[0][0]} and put to its gradient", Change(edges=put, reads=read)))
        first, at = next(iter(windows)), _few(places.values())
        right = _few(_at((a for a, _ in found), found) for found in windows.values())
        for how, change in ways:
            said = f"the stride of windows, {max(strides)}, was left out: {how} at {at}, in the place of {right}"
            yield Trial(first, f"{said}, at {w.made(first)}", change, 0)


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


def _at(starts: Iterable[int], found: Sequence[tuple[int, int]]) -> tuple[slice, ...]:
    """A part as long as the one that was found, that starts elsewhere."""
    return tuple(slice(a, a + n) for a, (_, n) in zip(starts, found, strict=True))


def _written(place: tuple[slice, ...]) -> str:
    return "[" + ", ".join(f"{part.start}:{part.stop}" for part in place) + "]"


def _few(places: Iterable[tuple[slice, ...]]) -> str:
    different = list(dict.fromkeys(map(_written, places)))
    return ", ".join(different[:_MOST_SAID]) + ", …" * (len(different) > _MOST_SAID)


def _window(node: Node, i: int) -> list[tuple[int, int]]:
    """Where in the larger array the smaller one lies: the start and the length along each axis; empty where that is no
    such part."""
    shape = np.shape(node.operands[i])
    if node.op == "pad":
        before = np.broadcast_to(node.kwargs["pad_width"], (node.ndim, 2))[:, 0]
        return list(zip(before.tolist(), shape, strict=True))
    if node.op == "concatenate":
        starts, axis = [0] * node.ndim, node.kwargs.get("axis", 0)
        starts[axis] = sum(np.shape(one)[axis] for one in node.operands[:i])
        return list(zip(starts, shape, strict=True))
    index = node.kwargs["index"]
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
