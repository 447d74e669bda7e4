"""Every differentiable function, declared once: how it is called, on what numbers, and what torch calls it.

`opchecks.OpTests` makes the tests out of these declarations.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import set_at
from autograd.rules.elementwise import erf, relu, sigmoid
from autograd.rules.reductions import log_softmax, logsumexp, softmax

torch: Any = None
if importlib.util.find_spec("torch"):
    import torch


@dataclass(frozen=True, eq=False)
class Op:
    """One way of calling a function.

    Attributes
    ----------
    name : str
    fn : callable
        Of arrays, or of Tensors.
    shapes : tuple of tuple of int
        Of the operands.
    domain : (float, float)
        What the elements are drawn from: a shuffled, uneven grid, so that there are no ties.
    avoid : tuple of float
        Kinks, which elements keep 0.05 away from.
    torch : callable, str or None
        The same in torch; a string names one of its functions.
    dtypes : tuple of dtype
        What else it is tried in.
    """

    name: str
    fn: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...]
    domain: tuple[float, float] = (-2.0, 2.0)
    avoid: tuple[float, ...] = ()
    torch: Any = None
    dtypes: tuple[Any, ...] = (np.float32, np.float16)

    def __str__(self) -> str:
        return self.name

    def operands(self) -> list[Any]:
        """The same numbers every time, in float64."""
        rng = np.random.default_rng(sum(self.name.encode()))
        size = sum(math.prod(shape) for shape in self.shapes)
        low, high = self.domain
        grid = np.linspace(low, high, size + 2 + 8 * len(self.avoid))[1:-1]
        grid = grid + rng.uniform(-0.2, 0.2, grid.size) * (high - low) / grid.size
        grid = grid[np.all([np.abs(grid - kink) > 0.05 for kink in self.avoid], axis=0)] if self.avoid else grid
        values = rng.permutation(grid)[:size]
        ends = np.cumsum([math.prod(shape) for shape in self.shapes])[:-1]
        return [part.reshape(shape) for part, shape in zip(np.split(values, ends), self.shapes, strict=True)]

    def in_torch(self, *operands: Any) -> Any:
        """The call in torch."""
        fn = getattr(torch, self.torch) if isinstance(self.torch, str) else self.torch
        return fn(*operands)


V, W, M, N, Q, A3 = (4,), (5,), (3, 4), (4, 5), (3, 3), (2, 3, 4)
ANY = (-2.0, 2.0)
POSITIVE = (0.3, 3.0)
UNIT = (-0.9, 0.9)


def unary(name: str, domain: tuple[float, float] = ANY, torch: Any = "", avoid: tuple[float, ...] = ()) -> Op:
    return Op(name, getattr(np, name), (M,), domain, avoid, name if torch == "" else torch)


def binary(name: str, domain: tuple[float, float] = ANY, torch: Any = "", shapes: Any = (M, M)) -> Op:
    theirs = ("pow" if name == "power" else name) if torch == "" else torch
    return Op(f"{name} {shapes[0]} {shapes[1]}", getattr(np, name), shapes, domain, (), theirs)


ELEMENTWISE = [
    unary("negative"), unary("positive"), unary("conjugate", torch="conj_physical"), unary("square"),
    unary("reciprocal", (0.3, 2.0)), unary("sqrt", POSITIVE), unary("cbrt", POSITIVE, lambda x: x ** (1 / 3)),
    unary("exp"), unary("exp2"), unary("expm1"), unary("log", POSITIVE), unary("log2", POSITIVE),
    unary("log10", POSITIVE), unary("log1p", (-0.5, 2.0)),
    unary("sin"), unary("cos"), unary("tan", (-1.2, 1.2)), unary("arcsin", UNIT), unary("arccos", UNIT),
    unary("arctan"), unary("sinh"), unary("cosh"), unary("tanh"), unary("arcsinh"), unary("arccosh", (1.2, 3.0)),
    unary("arctanh", UNIT), unary("deg2rad", (-90, 90)), unary("rad2deg"),
    unary("radians", (-90, 90), "deg2rad"), unary("degrees", ANY, "rad2deg"),
    unary("absolute", avoid=(0.0,)), unary("fabs", torch="abs", avoid=(0.0,)), unary("sinc"),
    unary("real", torch=lambda x: 1 * x), unary("nan_to_num"),
    *(binary(name) for name in ("add", "subtract", "multiply", "maximum", "minimum", "fmax", "fmin", "hypot",
                                "logaddexp", "logaddexp2")),
    *(binary(name, POSITIVE) for name in ("divide", "power", "float_power")),
    *(binary(name, (0.5, 2.5)) for name in ("remainder", "fmod")),
    binary("arctan2"), binary("copysign"),
    *(binary(name, shapes=shapes) for name in ("add", "subtract", "multiply", "maximum", "hypot")
      for shapes in ((M, V), ((3, 1), M), ((), M), ((4, 1), (1, 3)))),
    *(binary(name, POSITIVE, shapes=shapes) for name in ("divide", "power")
      for shapes in ((M, V), ((3, 1), M), ((), ()), ((2, 1, 3), (3, 1)))),
    Op("ldexp", lambda x: np.ldexp(x, 3), (M,), torch=lambda x: 8 * x),
    Op("x ** 3", lambda x: x**3, (M,), torch=lambda x: x**3),
    Op("x ** -2", lambda x: x**-2, (M,), POSITIVE, torch=lambda x: x**-2),
    Op("x ** 2 of negative", lambda x: x**2.0, (M,), (-3, -1), torch=lambda x: x**2),
    Op("2 ** x", lambda x: 2**x, (M,), torch=lambda x: 2**x),
    Op("1 - x, 1 / x", lambda x: (1 - x) + 1 / x, (M,), POSITIVE, torch=lambda x: (1 - x) + 1 / x),
    Op("x * x, repeated operand", lambda x: x * x * x - x, (M,), torch=lambda x: x * x * x - x),
    Op("where", lambda x, y: np.where(np.eye(3, 4, dtype=bool), x, y), (M, V),
       torch=lambda x, y: torch.where(torch.eye(3, 4, dtype=bool), x, y)),
    Op("where on a Tensor's sign", lambda x: np.where(x > 0, x * x, 0.0), (M,), avoid=(0.0,),
       torch=lambda x: torch.where(x > 0, x * x, 0.0)),
    Op("clip", lambda x: np.clip(x, -1, 1), (M,), avoid=(-1.0, 1.0), torch=lambda x: torch.clip(x, -1, 1)),
    Op("clip by keyword", lambda x: np.clip(x, a_min=-1, a_max=None), (M,), avoid=(-1.0,),
       torch=lambda x: torch.clip(x, -1)),
    Op("clip max=", lambda x: np.clip(x, max=[0.5, 1.0, 1.5, 2.0]), (M,), avoid=(0.5, 1.0, 1.5),
       torch=lambda x: torch.minimum(x, torch.tensor([0.5, 1.0, 1.5, 2.0], dtype=x.dtype))),
    Op("clip between operands", lambda x, low, high: np.clip(x, low, high + 1.5), (M, V, (3, 1)), (-1, 1),
       torch=lambda x, low, high: torch.clip(x, low, high + 1.5)),
    Op("sigmoid", sigmoid, (M,), torch="sigmoid"),
    Op("erf", erf, (M,), torch="erf"),
    Op("relu", relu, (M,), avoid=(0.0,), torch="relu"),
    Op("select", lambda x, y: np.select([np.eye(3, 4, dtype=bool), np.ones(4, bool)], [x, y]), (M, V),
       torch=lambda x, y: torch.where(torch.eye(3, 4, dtype=bool), x, y)),
    Op("choose", lambda x, y: np.choose([[0, 1, 0, 1]] * 3, [x, y]), (M, V),
       torch=lambda x, y: torch.where(torch.tensor([True, False, True, False]), x, y)),
    Op("add.outer", np.add.outer, (V, (3,)), torch=lambda x, y: x[:, None] + y),
    Op("multiply.outer", np.multiply.outer, (V, M), torch=lambda x, y: x[:, None, None] * y),
]  # fmt: skip


def _along(name: str, torch_name: str | None = None, domain: Any = ANY, tuples: bool = True) -> list[Op]:
    """A reduction over all, one and several axes, with and without keepdims."""
    fn = getattr(np, name)
    tn = torch_name or name
    axes: list[Any] = [None, 0, -1, 1, *([(0, 2), (-1, 0), ()] if tuples else [])]
    return [
        Op(f"{name} axis={axis} keepdims={keep}", lambda x, a=axis, k=keep: fn(x, axis=a, keepdims=k), (A3,), domain,
           torch=None if axis == () else lambda x, a=axis, k=keep: getattr(torch, tn)(
               x, dim=tuple(range(3)) if a is None else a, keepdim=k))
        for axis in axes for keep in (False, True)
    ]  # fmt: skip


def _spread(name: str, axis: Any, ddof: int) -> Op:
    return Op(f"{name} axis={axis} ddof={ddof}", lambda x: getattr(np, name)(x, axis=axis, ddof=ddof), (A3,),
              torch=lambda x: getattr(torch, name)(x, dim=axis, correction=ddof))  # fmt: skip


REDUCTIONS = [
    *_along("sum"), *_along("mean"), *_along("max", "amax"), *_along("min", "amin"), *_along("amax"), *_along("amin"),
    *(_spread(name, axis, ddof) for name in ("var", "std") for axis in (None, 0, -1, (0, 2)) for ddof in (0, 1)),
    Op("var keepdims", lambda x: np.var(x, axis=1, keepdims=True), (A3,),
       torch=lambda x: torch.var(x, dim=1, keepdim=True, correction=0)),
    Op("std correction=1", lambda x: np.std(x, axis=1, correction=1), (A3,), torch=lambda x: torch.std(x, dim=1)),
    Op("prod", np.prod, (A3,), (0.5, 1.5), torch="prod"),
    Op("prod axis=1", lambda x: np.prod(x, axis=1), (A3,), torch=lambda x: torch.prod(x, 1)),
    Op("prod axis=-1 keepdims", lambda x: np.prod(x, axis=-1, keepdims=True), (A3,),
       torch=lambda x: torch.prod(x, -1, keepdim=True)),
    Op("prod axis=(2, 0)", lambda x: np.prod(x, axis=(2, 0)), (A3,),
       torch=lambda x: torch.prod(torch.prod(x, 2), 0)),
    Op("prod with a zero", lambda x: np.prod(x * np.array([[1, 0, 1, 1], [1, 1, 1, 1], [0, 0, 1, 1.0]]), axis=1), (M,),
       torch=lambda x: torch.prod(x * torch.tensor([[1, 0, 1, 1], [1, 1, 1, 1], [0, 0, 1, 1]], dtype=x.dtype), 1)),
    Op("cumsum", np.cumsum, (M,), torch=lambda x: torch.cumsum(x.ravel(), 0)),
    Op("cumsum axis=0", lambda x: np.cumsum(x, axis=0), (M,), torch=lambda x: torch.cumsum(x, 0)),
    Op("cumsum axis=-1", lambda x: np.cumsum(x, -1), (A3,), torch=lambda x: torch.cumsum(x, -1)),
    Op("cumprod", np.cumprod, (M,), torch=lambda x: torch.cumprod(x.ravel(), 0)),
    Op("cumprod axis=0", lambda x: np.cumprod(x, axis=0), (M,), torch=lambda x: torch.cumprod(x, 0)),
    *(Op(f"cumprod of {n}", lambda x: np.cumprod(x, axis=-1), ((n,),), torch=lambda x: torch.cumprod(x, -1))
      for n in (1, 2, 3, 4, 5, 8, 9)),
    Op("cumprod with zeros", lambda x: np.cumprod(x * np.array([1, 1, 0, 1, 0, 1.0])), ((6,),),
       torch=lambda x: torch.cumprod(x * torch.tensor([1, 1, 0, 1, 0, 1], dtype=x.dtype), 0)),
    Op("ptp", np.ptp, (M,), torch=lambda x: x.amax() - x.amin()),
    Op("ptp axis=0", lambda x: np.ptp(x, axis=0, keepdims=True), (M,),
       torch=lambda x: x.amax(0, True) - x.amin(0, True)),
    Op("trace", np.trace, (M,), torch="trace"),
    Op("trace offset=1 of a stack", lambda x: np.trace(x, 1, 1, 2), (A3,),
       torch=lambda x: torch.diagonal(x, 1, 1, 2).sum(-1)),
    Op("average", np.average, (M,), torch="mean"),
    Op("average weights", lambda x, w: np.average(x, axis=1, weights=w), (M, V), POSITIVE,
       torch=lambda x, w: (x * w).sum(1) / w.sum()),
    Op("average weights of x's shape", lambda x, w: np.average(x, weights=w), (M, M), POSITIVE,
       torch=lambda x, w: (x * w).sum() / w.sum()),
    Op("logsumexp", logsumexp, (M,), torch=lambda x: torch.logsumexp(x, (0, 1))),
    Op("logsumexp axis=0", lambda x: logsumexp(x, axis=0, keepdims=True), (M,),
       torch=lambda x: torch.logsumexp(x, 0, keepdim=True)),
    Op("logsumexp axis=(0, 2)", lambda x: logsumexp(x, (0, 2)), (A3,), torch=lambda x: torch.logsumexp(x, (0, 2))),
    *(Op(f"{fn.__name__} axis={axis}", lambda x, f=fn, a=axis: f(x, axis=a), (A3,),
         torch=lambda x, n=fn.__name__, a=axis: getattr(torch, n)(x, a))
      for fn in (softmax, log_softmax) for axis in (-1, 0)),
    Op("diff", np.diff, (M,), torch="diff"),
    Op("diff n=2 axis=0", lambda x: np.diff(x, 2, axis=0), (N,), torch=lambda x: torch.diff(x, 2, 0)),
    Op("diff prepend append", lambda x, y: np.diff(x, prepend=0.0, append=y), (M, (3, 2)),
       torch=lambda x, y: torch.diff(x, prepend=torch.zeros(3, 1, dtype=x.dtype), append=y)),
    Op("add.reduce", np.add.reduce, (M,), torch=lambda x: x.sum(0)),
    Op("add.reduce axis=None", lambda x: np.add.reduce(x, axis=None), (M,), torch="sum"),
    Op("multiply.reduce", lambda x: np.multiply.reduce(x, 1), (M,), torch=lambda x: torch.prod(x, 1)),
    Op("maximum.reduce", lambda x: np.maximum.reduce(x, axis=1), (M,), torch=lambda x: torch.amax(x, 1)),
    Op("logaddexp.reduce", lambda x: np.logaddexp.reduce(x, axis=1), (M,), torch=lambda x: torch.logsumexp(x, 1)),
    Op("add.accumulate", np.add.accumulate, (M,), torch=lambda x: torch.cumsum(x, 0)),
]  # fmt: skip


def _weighted(parts: Any) -> Any:
    """One number out of several arrays, with every element in it."""
    return sum((k + 1.0) * (part * part * part).sum() for k, part in enumerate(parts))


SHAPES = [
    Op("reshape", lambda x: np.reshape(x, (2, -1)), (M,), torch=lambda x: x.reshape(2, -1)),
    Op("reshape order=F", lambda x: np.reshape(x, (2, 6), order="F"), (M,),
       torch=lambda x: x.T.reshape(6, 2).T),
    Op("ravel", np.ravel, (M,), torch="ravel"),
    Op("ravel order=F", lambda x: np.ravel(x, order="F"), (M,), torch=lambda x: x.T.reshape(-1)),
    Op("squeeze", np.squeeze, ((1, 3, 1, 2),), torch="squeeze"),
    Op("squeeze axis", lambda x: np.squeeze(x, axis=(0, -2)), ((1, 3, 1, 2),), torch="squeeze"),
    Op("expand_dims", lambda x: np.expand_dims(x, (0, -1)), (M,), torch=lambda x: x[None, ..., None]),
    Op("transpose", np.transpose, (A3,), torch=lambda x: x.permute(2, 1, 0)),
    Op("transpose axes", lambda x: np.transpose(x, (2, 0, 1)), (A3,), torch=lambda x: x.permute(2, 0, 1)),
    Op("transpose negative axes", lambda x: np.transpose(x, (-1, 0, 1)), (A3,), torch=lambda x: x.permute(2, 0, 1)),
    Op("matrix_transpose", np.matrix_transpose, (A3,), torch=lambda x: x.mT),
    Op("swapaxes", lambda x: np.swapaxes(x, 0, -1), (A3,), torch=lambda x: x.swapaxes(0, -1)),
    Op("moveaxis", lambda x: np.moveaxis(x, [0, 1], [-1, 0]), (A3,), torch=lambda x: x.moveaxis((0, 1), (-1, 0))),
    Op("rollaxis", lambda x: np.rollaxis(x, 2), (A3,), torch=lambda x: x.moveaxis(2, 0)),
    Op("rollaxis start", lambda x: np.rollaxis(x, 0, -1), (A3,), torch=lambda x: x.moveaxis(0, 1)),
    Op("broadcast_to", lambda x: np.broadcast_to(x, (2, 3, 4)), ((3, 1),), torch=lambda x: x.broadcast_to(2, 3, 4)),
    Op("broadcast_arrays", lambda x, y: _weighted(np.broadcast_arrays(x, y)), ((3, 1), V),
       torch=lambda x, y: _weighted(torch.broadcast_tensors(x, y))),
    Op("meshgrid", lambda x, y, z: _weighted(np.meshgrid(x, y, z)), ((2,), (3,), V),
       torch=lambda x, y, z: _weighted(torch.meshgrid(x, y, z, indexing="xy"))),
    Op("meshgrid sparse ij", lambda x, y: np.add(*np.meshgrid(x, y, sparse=True, indexing="ij")), ((2,), (3,)),
       torch=lambda x, y: x[:, None] + y),
    Op("repeat", lambda x: np.repeat(x, 3), (M,), torch=lambda x: x.ravel().repeat_interleave(3)),
    Op("repeat axis", lambda x: np.repeat(x, 2, axis=-2), (M,), torch=lambda x: x.repeat_interleave(2, 0)),
    Op("repeat counts", lambda x: np.repeat(x, [2, 0, 1, 3], axis=1), (M,),
       torch=lambda x: x.repeat_interleave(torch.tensor([2, 0, 1, 3]), 1)),
    Op("tile", lambda x: np.tile(x, 2), (M,), torch=lambda x: x.tile(2)),
    Op("tile reps", lambda x: np.tile(x, (2, 1, 3)), (M,), torch=lambda x: x.tile(2, 1, 3)),
    Op("tile fewer reps", lambda x: np.tile(x, (3,)), (A3,), torch=lambda x: x.tile(3)),
    Op("roll", lambda x: np.roll(x, 2), (M,), torch=lambda x: x.roll(2)),
    Op("roll axes", lambda x: np.roll(x, (1, -2), axis=(0, 1)), (M,), torch=lambda x: x.roll((1, -2), (0, 1))),
    Op("flip", np.flip, (M,), torch=lambda x: x.flip(0, 1)),
    Op("flip axis", lambda x: np.flip(x, axis=(0, -1)), (A3,), torch=lambda x: x.flip(0, -1)),
    Op("flipud", np.flipud, (M,), torch="flipud"), Op("fliplr", np.fliplr, (M,), torch="fliplr"),
    *(Op(f"rot90 k={k}", lambda x, k=k: np.rot90(x, k, (0, -1)), (A3,), torch=lambda x, k=k: x.rot90(k, (0, -1)))
      for k in (1, 2, 3, -1)),
    Op("concatenate", lambda x, y: np.concatenate([x, y, x], axis=1), (M, (3, 2)),
       torch=lambda x, y: torch.cat([x, y, x], 1)),
    Op("concatenate axis=-1 with a constant", lambda x, y: np.concatenate((x, np.ones((3, 1), x.dtype), y), axis=-1),
       (M, (3, 2)), torch=lambda x, y: torch.cat([x, torch.ones(3, 1, dtype=x.dtype), y], 1)),
    Op("concatenate axis=None", lambda x, y: np.concatenate([x, y], axis=None), (M, V),
       torch=lambda x, y: torch.cat([x.ravel(), y])),
    Op("stack", lambda x, y: np.stack([x, y, x], axis=-1), (M, M), torch=lambda x, y: torch.stack([x, y, x], -1)),
    Op("stack of scalars", lambda x, y: np.stack([x, y, x * y]), ((), ()),
       torch=lambda x, y: torch.stack([x, y, x * y])),
    Op("vstack", lambda x, y: np.vstack([x, y]), (M, V), torch=lambda x, y: torch.vstack([x, y])),
    Op("hstack", lambda x, y: np.hstack([x, y]), (M, (3, 1)), torch=lambda x, y: torch.hstack([x, y])),
    Op("hstack of vectors", lambda x, y: np.hstack([x, y]), (V, W), torch=lambda x, y: torch.hstack([x, y])),
    Op("dstack", lambda x, y: np.dstack([x, y]), (M, M), torch=lambda x, y: torch.dstack([x, y])),
    Op("column_stack", lambda x, y: np.column_stack([x, y]), ((3,), M),
       torch=lambda x, y: torch.column_stack([x, y])),
    Op("append", lambda x, y: np.append(x, y), (M, V), torch=lambda x, y: torch.cat([x.ravel(), y])),
    Op("append axis", lambda x, y: np.append(x, y, axis=0), (M, (1, 4)), torch=lambda x, y: torch.cat([x, y])),
    Op("split", lambda x: _weighted(np.split(x, 2, axis=1)), (M,), torch=lambda x: _weighted(x.tensor_split(2, 1))),
    Op("split at", lambda x: _weighted(np.split(x, [1, 3], axis=-1)), (M,),
       torch=lambda x: _weighted(x.tensor_split((1, 3), -1))),
    Op("array_split", lambda x: _weighted(np.array_split(x, 3, axis=1)), (M,),
       torch=lambda x: _weighted(x.tensor_split(3, 1))),
    Op("hsplit", lambda x: _weighted(np.hsplit(x, 2)), (M,), torch=lambda x: _weighted(x.hsplit(2))),
    Op("vsplit", lambda x: _weighted(np.vsplit(x, [1])), (M,), torch=lambda x: _weighted(x.vsplit((1,)))),
    Op("dsplit", lambda x: _weighted(np.dsplit(x, 2)), (A3,), torch=lambda x: _weighted(x.dsplit(2))),
    Op("pad", lambda x: np.pad(x, 1), (M,), torch=lambda x: torch.nn.functional.pad(x, (1, 1, 1, 1))),
    Op("pad widths", lambda x: np.pad(x, ((0, 2), (1, 0)), constant_values=3.0), (M,),
       torch=lambda x: torch.nn.functional.pad(x, (1, 0, 0, 2), value=3.0)),
    *(Op(f"pad {mode}", lambda x, m=mode: np.pad(x, ((1, 2), (2, 1)), mode=m), (N,),
         torch=lambda x, n=name: torch.nn.functional.pad(x[None], (2, 1, 1, 2), mode=n)[0])
      for mode, name in (("edge", "replicate"), ("reflect", "reflect"), ("wrap", "circular"))),
    Op("pad symmetric", lambda x: np.pad(x, (2, 1), "symmetric"), (V,)),
    Op("pad wider than the array", lambda x: np.pad(x, 7, "reflect"), ((3,),)),
    # NumPy itself takes axes only since 2.2
    Op("pad by axis", lambda x: np.pad(x, {-1: (1, 2)} if hasattr(x, "grad") else ((0, 0), (1, 2)), "wrap"), (M,)),
    Op("atleast_1d", np.atleast_1d, ((),), torch="atleast_1d"),
    Op("atleast_2d", np.atleast_2d, (V,), torch="atleast_2d"),
    Op("atleast_3d", np.atleast_3d, (M,), torch="atleast_3d"),
    Op("atleast_3d of a vector", np.atleast_3d, (V,), torch="atleast_3d"),
    Op("atleast_2d of several", lambda x, y: np.add(*np.atleast_2d(x, y)), (V, M),
       torch=lambda x, y: torch.atleast_2d(x) + y),
    Op("triu", lambda x: np.triu(x, 1), (A3,), torch=lambda x: x.triu(1)),
    Op("tril", lambda x: np.tril(x, k=-1), (M,), torch=lambda x: x.tril(-1)),
    Op("triu of a vector", np.triu, (V,), torch=lambda x: x.broadcast_to(4, 4).triu()),
    Op("diag of a vector", lambda x: np.diag(x, -1), (V,), torch=lambda x: x.diag(-1)),
    Op("diag of a matrix", lambda x: np.diag(x, 1), (M,), torch=lambda x: x.diag(1)),
    Op("diagflat", np.diagflat, ((2, 2),), torch="diagflat"),
    Op("diagonal", lambda x: np.diagonal(x, 1, 0, 2), (A3,), torch=lambda x: x.diagonal(1, 0, 2)),
    Op("full_like", lambda x: np.full_like(x, x[0, 1]), (M,), torch=lambda x: x[0, 1].expand(3, 4)),
    Op("full_like shape and broadcast", lambda x: np.full_like(x, x[1:], shape=(2, 2, 4)), (M,),
       torch=lambda x: x[1:].expand(2, 2, 4)),
    Op("full_like dtype", lambda x: np.full_like(x, x[0], dtype=np.float64), (M,),
       torch=lambda x: x[0].double().expand(3, 4)),
    Op("copy", np.copy, (M,), torch="clone"),
    Op("astype", lambda x: x.astype(np.float64), (M,), torch=lambda x: x.double()),
]  # fmt: skip

_ROWS = np.array([[0, 2, 2], [1, 0, 2]])
_MASK = np.arange(12).reshape(3, 4) % 3 == 1


def _item(name: str, index: Any, shape: tuple[int, ...] = M, torch: bool = True) -> Op:
    def pick(x: Any) -> Any:
        return x[index]

    return Op(f"x[{name}]", pick, (shape,), torch=pick if torch else None)


INDEXING = [
    _item("1", 1), _item("-1, 2", (-1, 2)), _item("1:, ::2", (slice(1, None), slice(None, None, 2))),
    _item("::-1", slice(None, None, -1), torch=False), _item("..., 0", (..., 0), A3),
    _item("None, :, None", (None, slice(None), None)),
    _item("[0, 2, 2]", [0, 2, 2]), _item("rows", _ROWS), _item("rows, cols", (_ROWS, _ROWS[::-1] + 1), torch=False),
    _item("mask", _MASK), _item(":, mask", (slice(None), np.array([True, False, True, True]))),
    _item("rows, :, 0", (_ROWS, slice(None), 0), (3, 4, 2)), _item("()", (), ()), _item("empty", slice(0, 0)),
    _item("None of 0-d", None, ()),
    Op("take", lambda x: np.take(x, _ROWS), (M,), torch=lambda x: x.take(torch.tensor(_ROWS))),
    Op("take axis", lambda x: np.take(x, [0, -1, 0], axis=1), (A3,), torch=lambda x: x[:, [0, -1, 0]]),
    Op("take one", lambda x: np.take(x, 2, axis=-1), (A3,), torch=lambda x: x[..., 2]),
    Op("take mode=wrap", lambda x: np.take(x, [5, -7, 1], axis=0, mode="wrap"), (M,), torch=lambda x: x[[2, 2, 1]]),
    Op("take mode=clip", lambda x: np.take(x, indices=[5, -7, 1], axis=0, mode="clip"), (M,),
       torch=lambda x: x[[2, 0, 1]]),
    Op("take_along_axis", lambda x: np.take_along_axis(x, _ROWS.T, axis=1), (M,),
       torch=lambda x: torch.take_along_dim(x, torch.tensor(_ROWS.T), 1)),
    Op("take_along_axis broadcast", lambda x: np.take_along_axis(x, _ROWS[:1], axis=0), ((3, 3),),
       torch=lambda x: torch.take_along_dim(x, torch.tensor(_ROWS[:1]), 0)),
    Op("take_along_axis axis=None", lambda x: np.take_along_axis(x, np.array([3, 3, 0]), axis=None), (M,),
       torch=lambda x: x.ravel()[[3, 3, 0]]),
    Op("compress", lambda x: np.compress([True, False, True], x, axis=0), (M,), torch=lambda x: x[[0, 2]]),
    Op("extract", lambda x: np.extract(_MASK, x), (M,), torch=lambda x: x[torch.tensor(_MASK)]),
    Op("sort", np.sort, (M,), torch=lambda x: x.sort()[0]),
    Op("sort axis=0", lambda x: np.sort(x, axis=0), (A3,), torch=lambda x: x.sort(0)[0]),
    Op("sort axis=None", lambda x: np.sort(x, axis=None), (M,), torch=lambda x: x.ravel().sort()[0]),
    Op("set_at slice", lambda x, v: set_at(x, slice(1, None), v), (M, V),
       torch=lambda x, v: torch.cat([x[:1], v.expand(2, 4)])),
    Op("set_at element", lambda x, v: set_at(x, (0, 1), value=v), (M, ()),
       torch=lambda x, v: torch.index_put(x, (torch.tensor(0), torch.tensor(1)), v)),
    Op("set_at mask", lambda x, v: set_at(x, _MASK, v), (M, V),
       torch=lambda x, v: torch.index_put(x, (torch.tensor(_MASK),), v)),
    Op("set_at rows", lambda x, v: set_at(x, [2, 0], v), (M, (2, 4)),
       torch=lambda x, v: torch.index_put(x, (torch.tensor([2, 0]),), v)),
    Op("set_at with axes too many", lambda x, v: set_at(x, 1, v), ((3, 2), (1, 1, 2)),
       torch=lambda x, v: torch.index_put(x, (torch.tensor(1),), v[0, 0])),
    Op("set_at rows with axes too many", lambda x, v: set_at(x, [2, 0], v), (M, (1, 1, 4)),
       torch=lambda x, v: torch.index_put(x, (torch.tensor([2, 0]),), v[0].expand(2, 4))),
    Op("set_at repeated, the last stays", lambda x, v: set_at(x, [2, 0, 2], v), (V, (3,)),
       torch=lambda x, v: torch.index_put(x, (torch.tensor([0, 2]),), v[1:])),
]  # fmt: skip

_PRODUCTS = [(V, V), (M, V), ((3,), M), (M, N), (A3, V), ((3,), A3), (A3, N), (M, (2, 4, 5)), (A3, (2, 4, 5)),
             ((2, 1, 3, 4), (3, 4, 2)), ((1, 3, 4), (2, 4, 1))]  # fmt: skip
WELL = (0.2, 1.5)


def _well(a: Any) -> Any:
    """A matrix that is far from singular."""
    return a + 3 * np.eye(a.shape[-1], dtype=a.dtype)


def _well_torch(a: Any) -> Any:
    return a + 3 * torch.eye(a.shape[-1], dtype=a.dtype)


def _einsum(text: str, *shapes: tuple[int, ...], torch: bool = True) -> Op:
    return Op(f"einsum {text}", lambda *x: np.einsum(text, *x), shapes,
              torch=(lambda *x: globals()["torch"].einsum(text, *x)) if torch else None)  # fmt: skip


FLOAT32 = (np.float32,)

LINALG = [
    *(Op(f"matmul {a} {b}", np.matmul, (a, b), torch="matmul") for a, b in _PRODUCTS),
    Op("x @ y", lambda x, y: x @ y, (M, N), torch="matmul"),
    *(Op(f"dot {a} {b}", np.dot, (a, b), torch="matmul" if len(b) < 3 and a else "mul" if not a or not b else None)
      for a, b in [(V, V), (M, V), (M, N), (A3, N), (A3, V), ((), M), (M, ()), ((), ())] if b or not a),
    Op("dot array with 0-d", np.dot, (M, ()), torch="mul"),
    Op("dot N-d N-d", np.dot, (A3, (2, 4, 3)), torch=lambda x, y: torch.tensordot(x, y, ([-1], [1]))),
    Op("dot with a number", lambda x: np.dot(x, 3.0), (M,), torch=lambda x: 3 * x, dtypes=()),
    *(Op(f"inner {a} {b}", np.inner, (a, b), torch="inner")
      for a, b in [(V, V), (M, V), (V, M), (M, (5, 4)), (A3, (5, 4)), (M, A3), (A3, (2, 1, 4)), ((), M)]),
    Op("vdot", np.vdot, (M, (4, 3)), torch=lambda x, y: x.ravel() @ y.ravel()),
    Op("outer", np.outer, (V, W), torch="outer"),
    Op("outer of matrices", np.outer, ((2, 2), (3, 1)), torch=lambda x, y: torch.outer(x.ravel(), y.ravel())),
    Op("vecdot", np.vecdot, (A3, V), torch=lambda x, y: (x * y).sum(-1)),
    Op("sliding_window_view", lambda x: np.lib.stride_tricks.sliding_window_view(x, 2, axis=-1), (M,),
       torch=lambda x: x.unfold(-1, 2, 1)),
    Op("vecdot axis", lambda x, y: np.vecdot(x, y, axis=0), (M, M), torch=lambda x, y: (x * y).sum(0)),
    Op("tensordot", np.tensordot, (A3, (3, 4, 2)), torch=lambda x, y: torch.tensordot(x, y, 2)),
    Op("tensordot 0", lambda x, y: np.tensordot(x, y, 0), (V, M), torch=lambda x, y: torch.tensordot(x, y, 0)),
    Op("tensordot 1", lambda x, y: np.tensordot(x, y, axes=1), (A3, N), torch=lambda x, y: torch.tensordot(x, y, 1)),
    Op("tensordot axes", lambda x, y: np.tensordot(x, y, axes=([2, 0], [0, -1])), (A3, (4, 3, 2)),
       torch=lambda x, y: torch.tensordot(x, y, ([2, 0], [0, 2]))),
    Op("tensordot one pair", lambda x, y: np.tensordot(x, y, axes=(1, 0)), (A3, (3, 2)),
       torch=lambda x, y: torch.tensordot(x, y, ([1], [0]))),
    Op("tensordot one pair, one as a list", lambda x, y: np.tensordot(x, y, axes=(0, [0])), (M, (3, 2)),
       torch=lambda x, y: torch.tensordot(x, y, ([0], [0]))),
    Op("tensordot all", lambda x, y: np.tensordot(x, y, axes=((1, 0), (0, 1))), (M, (4, 3)),
       torch=lambda x, y: torch.tensordot(x, y, ([1, 0], [0, 1]))),
    _einsum("ij,jk->ik", M, N), _einsum("ij,jk", M, N), _einsum("ij->ji", M), _einsum("ij->", M),
    _einsum("ij->i", M), _einsum("ii->i", Q), _einsum("ii", Q), _einsum("iij->j", (3, 3, 4)),
    _einsum("ii,i->i", Q, (3,)), _einsum("i,i->", V, V), _einsum("i,j->ij", V, W), _einsum("ij,ij->j", M, M),
    _einsum("bij,bjk->bik", A3, (2, 4, 5)), _einsum("...ij,...jk->...ik", A3, N), _einsum("...i->...", A3),
    _einsum("...ii->...i", (2, 3, 3)), _einsum("i...,i...->...", A3, (2, 1, 4)), _einsum("ij,jk,kl->il", M, N, (5, 2)),
    _einsum("ij,kj,k->i", M, (5, 4), W), _einsum("i,jk->i", V, (2, 3)), _einsum("a b, b", M, V, torch=False),
    _einsum("ji,...", M, (2, 1), torch=False), _einsum("ij,ij->ij", (1, 4), (3, 1)), _einsum("ij,ij->", (1, 4), M),
    _einsum(",i->i", (), V), _einsum("cba->a", A3),
    Op("einsum with lists of axes", lambda x, y: np.einsum(x, [0, 1], y, [1, 2], [2, 0]), (M, N),
       torch=lambda x, y: (x @ y).T),
    Op("einsum with lists, implicit", lambda x: np.einsum(x, [2, 1]), (M,), torch=lambda x: x.T),
    Op("einsum optimize", lambda x, y, z: np.einsum("ij,jk,kl->li", x, y, z, optimize=True), (M, N, (5, 2)),
       torch=lambda x, y, z: (x @ y @ z).T),
    Op("einsum with a constant", lambda x: np.einsum("ij,j", x, [1, 2, 3, 4]), (M,), dtypes=(),
       torch=lambda x: x @ torch.arange(1.0, 5, dtype=x.dtype)),
    Op("kron", np.kron, ((2, 3), (3, 2)), torch="kron"),
    Op("kron of unlike", np.kron, (V, (2, 3)), torch="kron"),
    Op("cross", np.cross, ((2, 3), (2, 3)), torch=lambda x, y: torch.linalg.cross(x, y)),
    Op("cross broadcast", np.cross, ((3,), (2, 3)), torch=lambda x, y: torch.linalg.cross(x.expand(2, 3), y)),
    Op("cross axis", lambda x, y: np.cross(x, y, axis=0), ((3, 2), (3, 2)),
       torch=lambda x, y: torch.linalg.cross(x, y, dim=0)),
    Op("cross axisa axisb axisc", lambda x, y: np.cross(x, y, axisa=0, axisb=1, axisc=0), ((3, 2), (2, 3)),
       torch=lambda x, y: torch.linalg.cross(x.T, y).T),
    Op("norm", np.linalg.norm, (M,), torch=lambda x: torch.linalg.norm(x)),
    Op("norm fro", lambda x: np.linalg.norm(x, "fro"), (M,), torch=lambda x: torch.linalg.norm(x)),
    Op("norm axis", lambda x: np.linalg.norm(x, axis=-1, keepdims=True), (A3,),
       torch=lambda x: torch.linalg.norm(x, dim=-1, keepdim=True)),
    Op("norm axis pair", lambda x: np.linalg.norm(x, axis=(0, 2)), (A3,),
       torch=lambda x: torch.linalg.norm(x, dim=(0, 2))),
    *(Op(f"norm ord={p} axis=1", lambda x, p=p: np.linalg.norm(x, p, axis=1), (M,), avoid=(0.0,),
         torch=lambda x, p=p: torch.linalg.vector_norm(x, p, dim=1)) for p in (1, 2, 3, 2.5, np.inf, -np.inf)),
    *(Op(f"matrix norm ord={p}", lambda x, p=p: np.linalg.norm(x, p, axis=(-2, -1), keepdims=True), (A3,),
         avoid=(0.0,), torch=lambda x, p=p: torch.linalg.matrix_norm(x, p, keepdim=True))
      for p in (1, -1, np.inf, -np.inf)),
    Op("vector_norm", lambda x: np.linalg.vector_norm(x, axis=(0, 2), ord=3, keepdims=True), (A3,), avoid=(0.0,),
       torch=lambda x: torch.linalg.vector_norm(x, 3, (0, 2), True)),
    Op("matrix_norm", np.linalg.matrix_norm, (A3,), torch=lambda x: torch.linalg.matrix_norm(x)),
    Op("inv", lambda a: np.linalg.inv(_well(a)), ((2, 3, 3),), WELL, (), lambda a: torch.linalg.inv(_well_torch(a)),
       FLOAT32),
    Op("solve", lambda a, b: np.linalg.solve(_well(a), b), (Q, (3, 2)), WELL, (),
       lambda a, b: torch.linalg.solve(_well_torch(a), b), FLOAT32),
    Op("solve for a vector", lambda a, b: np.linalg.solve(_well(a), b), (Q, (3,)), WELL, (),
       lambda a, b: torch.linalg.solve(_well_torch(a), b), FLOAT32),
    Op("solve a stack", lambda a, b: np.linalg.solve(_well(a), b), ((2, 3, 3), (3, 2)), WELL, (),
       lambda a, b: torch.linalg.solve(_well_torch(a), b), FLOAT32),
    *(Op(f"solve a stack of {n} for one vector", lambda a, b: np.linalg.solve(_well(a), b), ((n, 3, 3), (3,)), WELL, (),
         lambda a, b: torch.linalg.solve(_well_torch(a), b.expand(a.shape[0], 3)), FLOAT32) for n in (2, 3)),
    Op("solve one matrix for a stack", lambda a, b: np.linalg.solve(_well(a), b), (Q, (2, 3, 2)), WELL, (),
       lambda a, b: torch.linalg.solve(_well_torch(a), b), FLOAT32),
    Op("det", lambda a: np.linalg.det(_well(a)), ((2, 3, 3),), WELL, (), lambda a: torch.linalg.det(_well_torch(a)),
       FLOAT32),
    Op("matrix_power", lambda a: np.linalg.matrix_power(a, 3), (Q,), torch=lambda a: torch.linalg.matrix_power(a, 3)),
    Op("matrix_power -2", lambda a: np.linalg.matrix_power(_well(a), -2), (Q,), WELL, (),
       lambda a: torch.linalg.matrix_power(_well_torch(a), -2), FLOAT32),
    Op("multi_dot", lambda x, y, z: np.linalg.multi_dot([x, y, z]), (M, N, (5, 2)),
       torch=lambda x, y, z: x @ y @ z),
]  # fmt: skip


def _tied(a: Any) -> Any:
    """A symmetric matrix that is far from singular, with eigenvalues far apart."""
    return a + a.swapaxes(-1, -2) + np.diag(np.arange(3.0, 3 * a.shape[-1] + 1, 3)).astype(a.dtype)


def _tied_torch(a: Any) -> Any:
    return a + a.mT + torch.diag(torch.arange(3.0, 3 * a.shape[-1] + 1, 3, dtype=a.dtype))


def _parts(out: Any) -> Any:
    """The factors of a decomposition as one array, each but the values squared: their signs may be any."""
    return np.concatenate([np.ravel(part * part) for part in out])


def _parts_torch(out: Any) -> Any:
    return torch.cat([(part * part).ravel() for part in out])


def _factors(name: str, shape: tuple[int, ...], of: Any = None, of_torch: Any = None, **options: Any) -> Op:
    ours = getattr(np.linalg, name)
    theirs = {"full_matrices": options["full_matrices"]} if name == "svd" else {}
    of, of_torch = of or (lambda a: a), of_torch or (lambda a: a)
    return Op(" ".join([name, str(shape), *options]), lambda a: _parts(ours(of(a), **options)), (shape,), WELL, (),
              lambda a: _parts_torch(getattr(torch.linalg, name)(of_torch(a), **theirs)), FLOAT32)  # fmt: skip


def _matrix(name: str, shape: tuple[int, ...] = (2, 3, 3), ours: Any = None, theirs: Any = None) -> Op:
    """A function of matrices that are far from singular."""
    ours, theirs = ours or getattr(np.linalg, name), theirs or getattr(torch and torch.linalg, name, None)
    square = shape[-1] == shape[-2]
    return Op(f"{name} {shape}", lambda a: ours(_well(a) if square else a), (shape,), WELL, (),
              lambda a: theirs(_well_torch(a) if square else a), FLOAT32)  # fmt: skip


LINALG += [
    _factors("eigh", (2, 3, 3), _tied, _tied_torch),
    Op("eigh UPLO=U", lambda a: _parts(np.linalg.eigh(_tied(a), "U")), (Q,), WELL, (), None, FLOAT32),
    Op("eigvalsh", lambda a: np.linalg.eigvalsh(_tied(a)), ((2, 3, 3),), WELL, (),
       lambda a: torch.linalg.eigvalsh(_tied_torch(a)), FLOAT32),
    Op("cholesky", lambda a: np.linalg.cholesky(_tied(a)), ((2, 3, 3),), WELL, (),
       lambda a: torch.linalg.cholesky(_tied_torch(a)), FLOAT32),
    Op("cholesky upper", lambda a: np.linalg.cholesky(_tied(a), upper=True), (Q,), WELL, (),
       lambda a: torch.linalg.cholesky(_tied_torch(a), upper=True), FLOAT32),
    *(_factors("svd", shape, full_matrices=False) for shape in ((2, 3, 3), (3, 2), (2, 3))),
    Op("svd of full matrices, what their extra columns span", lambda a: (lambda u: u @ u.T)(np.linalg.svd(a).U[:, 2:]),
       ((4, 2),), WELL, (), None, FLOAT32),
    _matrix("svdvals", (2, 3, 4)), _factors("qr", (2, 3, 3), _well, _well_torch), _factors("qr", (3, 2)),
    _factors("qr", (2, 3)),
    Op("qr mode=r", lambda a: np.linalg.qr(a, "r") ** 2, ((4, 3),), WELL, (), lambda a: torch.linalg.qr(a)[1] ** 2,
       FLOAT32),
    _matrix("pinv", (2, 2, 2)), _matrix("pinv", (2, 3, 2)), _matrix("pinv", (2, 3)),
    _matrix("slogdet", (2, 3, 3), lambda a: np.linalg.slogdet(a)[1], lambda a: torch.linalg.slogdet(a)[1]),
    *(_matrix(f"cond {p}", Q, lambda a, p=p: np.linalg.cond(a, p), lambda a, p=p: torch.linalg.cond(a, p))
      for p in (None, -2)),
    _matrix("cond 1", Q, lambda a: np.linalg.cond(a, 1),
            lambda a: torch.linalg.norm(a, 1) * torch.linalg.norm(torch.linalg.inv(a), 1)),
    *(_matrix(f"matrix norm {p}", (2, 3, 4), lambda a, p=p: np.linalg.norm(a, p, axis=(0, 2), keepdims=True),
              lambda a, p=p: torch.linalg.norm(a, p, dim=(0, 2), keepdim=True)) for p in (2, -2, "nuc")),
    *(Op(f"norm ord={p} axis=0", lambda x, p=p: np.linalg.norm(x, p, axis=0), (M,), POSITIVE,
         torch=lambda x, p=p: torch.linalg.vector_norm(x, p, dim=0), dtypes=FLOAT32) for p in (0.5, -1)),
    _matrix("tensorinv", (6, 6), lambda a: np.linalg.tensorinv(a.reshape(2, 3, 3, 2)),
            lambda a: torch.linalg.tensorinv(a.reshape(2, 3, 3, 2))),
    Op("tensorsolve", lambda a, b: np.linalg.tensorsolve(_well(a).reshape(6, 2, 3), b), ((6, 6), (6,)), WELL, (),
       lambda a, b: torch.linalg.tensorsolve(_well_torch(a).reshape(6, 2, 3), b), FLOAT32),
    Op("lstsq", lambda a, b: np.linalg.lstsq(a, b)[0], ((3, 2), (3, 2)), WELL, (),
       lambda a, b: torch.linalg.pinv(a) @ b, FLOAT32),
    Op("lstsq residuals", lambda a, b: np.linalg.lstsq(a, b)[1], ((3, 2), (3,)), WELL, (),
       lambda a, b: ((a @ torch.linalg.pinv(a) @ b - b) ** 2).sum()[None], FLOAT32),
    Op("linalg.vecdot axis", lambda x, y: np.linalg.vecdot(x, y, axis=0), (M, M), torch=lambda x, y: (x * y).sum(0)),
]  # fmt: skip

_GAPS = np.array([[False, True, False, False], [False, False, False, True], [False, False, False, False]])


def _gaps(x: Any) -> Any:
    """x with some NaN."""
    return np.where(_GAPS, np.nan, x).astype(x.dtype)


def _gaps_torch(x: Any) -> Any:
    return torch.where(torch.tensor(_GAPS), torch.nan, x)


def _rising(x: Any) -> Any:
    return np.cumsum(x * x + x.dtype.type(0.1))


def _rising_torch(x: Any) -> Any:
    return torch.cumsum(x * x + 0.1, 0)


def _conv_torch(x: Any, y: Any, pad: int) -> Any:
    return torch.nn.functional.conv1d(x[None, None], y.flip(0)[None, None], padding=pad)[0, 0]


FUNCTIONS = [
    Op("sum where= initial=", lambda x: np.sum(x, axis=0, where=_MASK, initial=2.0), (M,),
       torch=lambda x: (x * torch.tensor(_MASK)).sum(0) + 2),
    Op("max where= initial=", lambda x: np.max(x, axis=1, where=_MASK, initial=-1.0, keepdims=True), (M,),
       avoid=(-1.0,), torch=lambda x: torch.where(torch.tensor(_MASK), x, -1).amax(1, True).clip(-1)),
    Op("mean where=", lambda x: np.mean(x, where=_MASK), (M,), torch=lambda x: x[torch.tensor(_MASK)].mean()),
    Op("std where=", lambda x: np.std(x, where=_MASK, ddof=1), (M,), torch=lambda x: x[torch.tensor(_MASK)].std()),
    Op("var mean=", lambda x: np.var(x, axis=0, mean=np.mean(x, axis=0, keepdims=True)), (M,),
       torch=lambda x: x.var(0, correction=0)),
    Op("nansum", lambda x: np.nansum(_gaps(x), axis=1), (M,), torch=lambda x: _gaps_torch(x).nansum(1)),
    Op("nanmean", lambda x: np.nanmean(_gaps(x), axis=0), (M,), torch=lambda x: _gaps_torch(x).nanmean(0)),
    Op("nanvar", lambda x: np.nanvar(_gaps(x)), (M,), torch=lambda x: x[torch.tensor(~_GAPS)].var(correction=0)),
    Op("nanmax", lambda x: np.nanmax(_gaps(x), axis=1), (M,), torch=lambda x: x.masked_fill(torch.tensor(_GAPS), -9)
       .amax(1)),
    Op("nancumprod", lambda x: np.nancumprod(_gaps(x), axis=0), (M,), torch=lambda x: x.masked_fill(
        torch.tensor(_GAPS), 1).cumprod(0)),
    Op("median", lambda x: np.median(x, axis=1), (M,), torch=lambda x: torch.quantile(x, 0.5, dim=1)),
    Op("quantile", lambda x, q: np.quantile(x, 0.3 + 0.1 * q, axis=(0, 2), keepdims=True), (A3, (2,)),
       torch=lambda x, q: torch.quantile(x.transpose(1, 2).reshape(8, 3), 0.3 + 0.1 * q, dim=0)[:, None, :, None],
       dtypes=FLOAT32),
    Op("percentile", lambda x: np.percentile(x, 40, axis=0, method="hazen"), (M,)),
    Op("nanquantile", lambda x: np.nanquantile(_gaps(x), 0.4, axis=0), (M,),
       torch=lambda x: torch.nanquantile(_gaps_torch(x), 0.4, dim=0)),
    Op("partition", lambda x: np.partition(x, 1, axis=0)[:2] ** 2, (M,), torch=lambda x: x.sort(0)[0][:2] ** 2),
    Op("cov", np.cov, (M, (2, 4)), torch=lambda x, y: torch.cov(torch.cat([x, y])), dtypes=()),
    Op("cov weights", lambda x, w: np.cov(x, aweights=w, fweights=[1, 2, 1, 3]), (M, V), POSITIVE,
       torch=lambda x, w: torch.cov(x, aweights=w, fweights=torch.tensor([1, 2, 1, 3])), dtypes=()),
    Op("corrcoef", lambda x: np.corrcoef(x)[:2, 1:], (M,), torch=lambda x: torch.corrcoef(x)[:2, 1:], dtypes=()),
    Op("bincount", lambda w: np.bincount([0, 2, 2, 4], w), (V,), dtypes=(),
       torch=lambda w: torch.zeros(5, dtype=w.dtype).index_add(0, torch.tensor([0, 2, 2, 4]), w)),
    Op("histogram, its edges and densities", lambda x: np.concatenate(np.histogram(x, 3, density=True)), ((6,),),
       dtypes=()),
    Op("ediff1d", lambda x, y: np.ediff1d(x, to_begin=y, to_end=1), (M, V),
       torch=lambda x, y: torch.cat([y, torch.diff(x.ravel()), torch.ones(1, dtype=x.dtype)])),
    Op("trapezoid", lambda y, x: np.trapezoid(y, _rising(x)), (M, V),
       torch=lambda y, x: torch.trapezoid(y, _rising_torch(x))),
    Op("gradient", lambda f, x: np.gradient(f, _rising(x), axis=1, edge_order=2), (M, V), dtypes=FLOAT32,
       torch=lambda f, x: torch.gradient(f, spacing=(_rising_torch(x),), dim=1, edge_order=2)[0]),
    Op("gradient of a step", lambda f, h: _weighted(np.gradient(f, h)), (M, ()), POSITIVE),
    Op("interp", lambda x, xp, fp: np.interp(x, _rising(xp), fp), ((2, 3), V, V), dtypes=()),
    Op("unwrap", lambda x: np.unwrap(4 * x), (V,)),
    *(Op(f"convolve {mode}", lambda x, y, m=mode: np.convolve(x, y, m), (V, (3,)),
         torch=lambda x, y, p=pad: _conv_torch(x, y, p)) for mode, pad in (("full", 2), ("same", 1), ("valid", 0))),
    Op("correlate", lambda x, y: np.correlate(x, y, "same"), (V, (3,)),
       torch=lambda x, y: _conv_torch(x, y.flip(0), 1)),
    Op("linspace", lambda a, b: np.linspace(a, b, 4, axis=1), ((3,), (3,)), dtypes=(),
       torch=lambda a, b: a[:, None] + (b - a)[:, None] * torch.arange(4) / 3),
    Op("geomspace", lambda a, b: np.geomspace(a, b, 4), ((), ()), POSITIVE, dtypes=(),
       torch=lambda a, b: a * (b / a) ** (torch.arange(4, dtype=a.dtype) / 3)),
    Op("polyval", np.polyval, (V, (2, 3)), torch=lambda p, x: ((p[0] * x + p[1]) * x + p[2]) * x + p[3],
       dtypes=FLOAT32),
    Op("polyfit", lambda x, y: np.polyfit(_rising(x), y, 1), ((3,), (3,)), dtypes=()),
    Op("vander", lambda x: np.vander(x, 3), (V,), dtypes=(), torch=lambda x: torch.stack([x**2, x, 1 + 0 * x], 1)),
    Op("i0", np.i0, (M,), torch="i0"),
    Op("block", lambda x, y: np.block([[x, y], [y.T, np.ones((2, 2), x.dtype)]]), (Q, (3, 2)),
       torch=lambda x, y: torch.cat([torch.cat([x, y], 1), torch.cat([y.T, torch.ones(2, 2, dtype=x.dtype)], 1)])),
    Op("delete", lambda x: np.delete(x, [0, -1], axis=1), (M,), torch=lambda x: x[:, 1:3]),
    Op("insert", lambda x, v: np.insert(x, [1, 3], v, axis=1), (M, (3, 2)),
       torch=lambda x, v: torch.cat([x[:, :1], v[:, :1], x[:, 1:3], v[:, 1:], x[:, 3:]], 1)),
    Op("unique", lambda x: np.unique(np.append(x, x[0])), (V,), torch=lambda x: x.sort()[0]),
    Op("piecewise", lambda x: np.piecewise(x, [x < 0, x > 1], [lambda t: t * t, 3.0, np.exp]), (V,), avoid=(0.0, 1.0),
       torch=lambda x: torch.where(x < 0, x * x, torch.where(x > 1, 3, x.exp()))),
    Op("apply_along_axis", lambda x: np.apply_along_axis(lambda r: r * r[0], 0, x), (M,), torch=lambda x: x * x[0]),
    Op("apply_over_axes", lambda x: np.apply_over_axes(np.sum, x, (0, 2)), (A3,),
       torch=lambda x: x.sum((0, 2), True)),
    Op("cumulative_sum", lambda x: np.cumulative_sum(x, axis=1, include_initial=True), (M,),
       torch=lambda x: torch.nn.functional.pad(x.cumsum(1), (1, 0))),
    Op("matvec", np.matvec, (A3, V), torch=lambda a, x: a @ x),
    Op("modf, frexp", lambda x: np.modf(x)[0] * np.frexp(x)[0], (M,), avoid=(-1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0),
       torch=lambda x: x.frac() * x.frexp()[0]),
    Op("subtract.reduce", lambda x: np.subtract.reduce(x, axis=1, keepdims=True), (M,),
       torch=lambda x: x[:, :1] - x[:, 1:].sum(1, True)),
    Op("maximum.accumulate", np.maximum.accumulate, (M,), torch=lambda x: x.cummax(0)[0]),
    Op("multiply.reduceat", lambda x: np.multiply.reduceat(x, [0, 2, 1], axis=1), (M,),
       torch=lambda x: torch.stack([x[:, 0] * x[:, 1], x[:, 2], x[:, 1] * x[:, 2] * x[:, 3]], 1)),
]  # fmt: skip

ALL = [*ELEMENTWISE, *REDUCTIONS, *SHAPES, *INDEXING, *LINALG, *FUNCTIONS]
