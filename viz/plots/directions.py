"""Planes in the space of a model's parameters: two random directions, two of a path, or two single weights."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Plane", "plane_of"]

_WEIGHT = re.compile(r"(.*?)(?:\[([-\d,\s]+)\])?")


@dataclass(frozen=True, eq=False)
class Plane:
    """The points `origin` + a·`directions`[0] + b·`directions`[1].

    Attributes
    ----------
    origin : array of shape (parameters,)
    directions : pair of arrays of that shape
    centre : (float, float)
        The position (a, b) of where the model is.
    labels, short, titles : pair of str
        What the axes are called, in full and where there is little room; what they are of.
    explained : tuple of float
        The share of a path's variance along each direction, of principal ones.
    """

    origin: Any
    directions: tuple[Any, Any]
    centre: tuple[float, float]
    labels: tuple[str, str]
    short: tuple[str, str]
    titles: tuple[str, str]
    explained: tuple[float, ...] = ()

    def project(self, arrays: Sequence[Any]) -> Any:
        """The position (a, b) on the plane that is nearest to some parameters."""
        moved = _flat(arrays) - self.origin
        return np.linalg.lstsq(np.stack(self.directions, axis=1), moved, rcond=None)[0]

    @contextmanager
    def moved(self, model: Any) -> Iterator[Callable[[Any], None]]:
        """A function that puts the model at a position; afterwards it has the parameters that it had."""
        parameters = [parameter for _, parameter in model.named_parameters()]
        before = [parameter.data for parameter in parameters]

        def move(position: Any) -> None:
            flat = self.origin + position[0] * self.directions[0] + position[1] * self.directions[1]
            start = 0
            for parameter, array in zip(parameters, before, strict=True):
                part = flat[start : start + array.size].reshape(array.shape)
                parameter.rebind(part.astype(array.dtype))
                start += array.size

        try:
            yield move
        finally:
            for parameter, array in zip(parameters, before, strict=True):
                parameter.rebind(array)


def plane_of(model: Any, along: Any, ways: Mapping[str, Sequence[Any]], rng: Any) -> Plane:
    """The plane that `along` asks for, through where the model is."""
    arrays = [parameter.data for _, parameter in model.named_parameters()]
    if not arrays:
        raise ValueError(f"loss_surface: the model, {type(model).__name__}, has no parameters")
    if along == "random":
        short = ("random direction 1", "random direction 2")
        labels = (f"along {short[0]} (× norm of each filter)", f"along {short[1]} (× norm of each filter)")
        pair = (_normalised(arrays, rng), _normalised(arrays, rng))
        return Plane(_flat(arrays), pair, (0.0, 0.0), labels, short, short)
    if along == "pca":
        return _principal(arrays, ways)
    if isinstance(along, str) or not isinstance(along, Sequence) or len(along) != 2:
        raise ValueError(
            f"loss_surface: along must be 'random', 'pca' or the names of two weights, such as ('0.weight[3, 7]', "
            f"'0.bias[3]'), got {along!r}"
        )
    first, second = (_place(model, name) for name in along)
    if first == second:
        raise ValueError(f"loss_surface: along names one weight twice, {along[0]!r}")
    origin = _flat(arrays)
    pair = tuple(np.eye(1, origin.size, place)[0] for place in (first, second))
    centre = (float(origin[first]), float(origin[second]))
    origin[[first, second]] = 0.0
    names = (str(along[0]), str(along[1]))
    return Plane(origin, pair, centre, names, names, names)


def _flat(arrays: Sequence[Any]) -> Any:
    return np.concatenate([np.asarray(array, np.float64).ravel() for array in arrays])


def _normalised(arrays: Sequence[Any], rng: Any) -> Any:
    """A random direction in which each filter is as long as the filter itself, and biases do not move."""
    parts = []
    for array in arrays:
        part = rng.standard_normal(array.shape)
        if array.ndim < 2:
            parts.append(np.zeros(array.shape))
            continue
        axes = tuple(range(1, array.ndim))
        own, drawn = (np.sqrt(np.square(a, dtype=np.float64).sum(axis=axes, keepdims=True)) for a in (array, part))
        parts.append(part * own / drawn)
    flat = _flat(parts)
    if not flat.any():
        raise ValueError("loss_surface: all weights are 0, so that random directions of their norms are too: give "
                         "along='pca' or two weights")  # fmt: skip
    return flat


def _principal(arrays: Sequence[Any], ways: Mapping[str, Sequence[Any]]) -> Plane:
    if not ways:
        raise ValueError("loss_surface: along='pca' needs a path, such as what viz.record returned")
    here = _flat(arrays)
    moves = np.array([_flat(state) - here for way in ways.values() for state in way])
    around = moves - moves.mean(axis=0)
    _, sizes, directions = np.linalg.svd(around, full_matrices=False)
    if len(sizes) < 2 or not sizes[1] > 1e-9 * max(float(sizes[0]), 1e-300):
        raise ValueError("loss_surface: along='pca' needs a path that moves in two directions at least, over three "
                         "moments or more")  # fmt: skip
    share = np.square(sizes[:2]) / np.square(sizes).sum()
    first, second = (f"‖Δθ‖ ({100 * s:.3g} % of the path's variance)" for s in share)
    labels = (f"1st principal direction\n{first}", f"2nd principal direction\n{second}")
    short = ("1st principal direction", "2nd principal direction")
    explained = tuple(map(float, share))
    return Plane(here, (directions[0], directions[1]), (0.0, 0.0), labels, short, short, explained)


def _place(model: Any, name: str) -> int:
    """Where a weight is among all numbers of the parameters."""
    match = _WEIGHT.fullmatch(name) if isinstance(name, str) else None
    if match is None:
        raise TypeError(f"loss_surface: the name of a weight is needed, such as '0.weight[3, 7]', got {name!r}")
    start = 0
    known = []
    for path, parameter in model.named_parameters():
        known.append(path)
        if match[1] in (path, parameter.name):
            index = tuple(int(i) for i in match[2].split(",") if i.strip()) if match[2] else ()
            if len(index) != parameter.ndim and parameter.size != 1:
                raise ValueError(
                    f"loss_surface: {match[1]} has shape {parameter.shape}: name one of its numbers, such as "
                    f"{match[1]}{[0] * parameter.ndim}; got {name!r}"
                )
            try:
                place = np.arange(parameter.size).reshape(parameter.shape)[index]
            except IndexError:
                raise ValueError(f"loss_surface: {name!r} is not in {match[1]} of shape {parameter.shape}") from None
            return start + int(np.asarray(place).ravel()[0])
        start += parameter.size
    raise KeyError(f"loss_surface: no parameter is called {match[1]!r}; there are {', '.join(known)}")
