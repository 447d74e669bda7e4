"""What all transforms do: call a function with fresh Tensors in the place of arguments, and pull gradients back."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from .backward import sweep
from .errors import describe
from .forward import record
from .libraries import foreign, ones_like, zeros
from .nests import leaves, numbers_of, unflatten
from .node import NO_OPTIONS, VARIABLE, Node, reachable
from .operands import constant
from .recording import DEPTH, ROOT, SCOPE, enable_grad
from .registry import RULES
from .rows import Rows, rows_like
from .rules.elementwise import arrayed, conj, is_complex
from .slopes import run
from .tangents import push
from .tensor import Tensor, lift

Function = Callable[..., Any]
MOST = 2**20  # numbers in a stack of gradients, above which it is swept in parts


class _Inside:
    """In the block a derivative is being taken: all is recorded."""

    __slots__ = ("_tokens",)

    def __enter__(self) -> None:
        self._tokens = DEPTH.set(DEPTH.get() + 1), SCOPE.set(SCOPE.get() or ROOT)

    def __exit__(self, *exc: object) -> None:
        DEPTH.reset(self._tokens[0])
        SCOPE.reset(self._tokens[1])


def results(given: Any) -> tuple[bool, bool]:
    """Whether results that come of `given`, a nest, are Tensors, and whether they are recorded."""
    nested = DEPTH.get() > 0
    tensors = [leaf for leaf in leaves(given) if isinstance(leaf, Tensor)]
    if not nested and not tensors:
        return False, False
    return True, SCOPE.get() is not None and (nested or any(t.requires_grad for t in tensors))


class Trace:
    """One call of a function with fresh Tensors in the place of some arguments.

    `also` is a nest of what else the results depend on: the direction of a directional derivative.
    """

    def __init__(
        self,
        f: Function,
        args: tuple[Any, ...],
        positions: tuple[int, ...],
        caller: str,
        kwargs: Any = None,
        also: Any = None,
    ):
        self.wrt = tuple([args[i] for i in positions])
        self.tensors, self.records = results((args, kwargs, also))
        with _Inside():
            self.inputs = [_variable(leaf, caller, self.records) for leaf in leaves(self.wrt)]
            fresh = unflatten(self.wrt, iter(self.inputs))
            call = list(args)
            for i, value in zip(positions, fresh, strict=True):
                call[i] = value
            self.out = f(*call, **(kwargs or {}))

    def pull(self, out: Any, cotangent: Any, records: bool | None = None) -> list[Any]:
        """The gradients of ⟨cotangent, out⟩ in the inputs: Tensors if they are recorded, else arrays."""
        records = self.records if records is None else records
        found: dict[Node, Any] = {}
        seed = None
        root = out.node if isinstance(out, Tensor) else None
        nodes = [x.node for x in self.inputs]
        if root is not None and root.needs_grad and nodes:
            oldest, cut = nodes[0].seq, frozenset(nodes)
            with np.errstate(all="ignore"):
                if records:
                    with enable_grad():
                        steps = sweep(root, cotangent, lift=_lifted, run=run, oldest=oldest, stop=cut, detailed=False)
                        found = {node: grad for node, grad, _ in steps if node in cut}
                else:
                    seed = numbers_of(cotangent)
                    steps = sweep(root, seed if seed.shape else seed[()], oldest=oldest, detailed=False, stop=cut)
                    found = {node: grad for node, grad, _ in steps if node in cut}
        inputs = zip(nodes, self.inputs, strict=True)
        grads = [found[node] if node in found else zeros(x.shape, x._data) for node, x in inputs]
        if isinstance(cotangent, Rows):
            return [rows_like(g, cotangent) for g in grads]
        return [g if not records and _owned(g, seed) else finished(g, records, records) for g in grads]

    def push(self, outs: list[Any], directions: list[Any]) -> list[Any]:
        """The derivatives of `outs` along a direction for each input (None: it stays): Tensors if they are recorded."""
        starts = {}
        for x, v in zip(self.inputs, directions, strict=True):
            if v is not None:
                plain = not self.records or isinstance(v, Tensor)
                starts[x.node] = (v if self.records else numbers_of(v)) if plain else Tensor(v, requires_grad=False)
        found = push([out.node for out in outs if isinstance(out, Tensor)], starts, self.records)
        pushed = [found[out.node] if isinstance(out, Tensor) and out.node in found else _zeros(out) for out in outs]
        return [rows_like(tangent, next(iter(starts.values()), None)) for tangent in pushed]

    def at_once(self, outs: list[Any]) -> int:
        """How many gradients of `outs` one sweep can take: one if recorded, complex, elsewhere, or of others' rules."""
        nodes = {node for out in outs if isinstance(out, Tensor) for node in reachable(out.node)}
        house = all(rule.of_this_house for rule in {node.rule for node in nodes})
        elsewhere = any(foreign(x._data) for x in self.inputs)
        if self.records or not house or elsewhere or any(node.dtype.kind == "c" for node in nodes):
            return 1
        return max(1, MOST // max((1, *(math.prod(node.shape) for node in nodes))))

    def finished(self, value: Any) -> Any:
        """A result as the caller sees it."""
        return finished(value, self.tensors, self.records)


def finished(value: Any, tensors: bool, records: bool) -> Any:
    """A result as the caller sees it: a Tensor, recorded or not, or an array that is the caller's own.

    A NumPy scalar where an array would be 0-d, as NumPy's functions return.
    """
    if tensors:
        if isinstance(value, Tensor):
            return value if records else value.detach()
        return Tensor(value, requires_grad=False)
    value = numbers_of(value)
    if value.__class__ is not np.ndarray and foreign(value):
        return value
    value = np.asarray(value)
    return value[()] if not value.shape else np.array(value)


def _owned(g: Any, seed: Any) -> bool:
    """Whether a gradient is an array that the sweep made, and no part of another, which the caller can have."""
    return g.__class__ is np.ndarray and g.base is None and g is not seed and bool(g.shape) and g.flags.writeable


def _lifted(node: Node) -> Any:
    """What a rule is handed where the sweep is recorded: a Tensor where a gradient flows, else the array."""
    return lift(node) if node.needs_grad or node.kept is None else node.kept


def _zeros(out: Any) -> Any:
    out = arrayed(numbers_of(out))
    return zeros(out.shape, out) if out.dtype.kind in "fc" else np.zeros(out.shape)


def _variable(leaf: Any, caller: str, linked: bool) -> Tensor:
    """A fresh Tensor to differentiate by: `linked` to `leaf` where that is a Tensor itself."""
    if isinstance(leaf, Tensor):
        if leaf.dtype.kind not in "fc":
            raise TypeError(f"{caller}: {describe(leaf.node)} has dtype {leaf.dtype}; only floating-point values count")
        if not linked:
            return _leaf(leaf.data, leaf.name)
        variable = record(RULES[np.positive], (leaf,), NO_OPTIONS)
        variable.node.needs_grad = True
        variable.node.name = leaf.name
        return variable
    array = leaf if foreign(leaf) else np.asarray(constant(leaf))
    if array.dtype.kind not in "fc":
        raise TypeError(
            f"{caller}: can't differentiate by an argument of dtype {array.dtype} ({leaf!r:.40}); "
            "give floating-point numbers, 3.0 for 3"
        )
    return _leaf(array)


def _leaf(array: Any, name: str | None = None) -> Tensor:
    variable = Tensor(array, name=name)
    variable.node.rule = VARIABLE
    return variable


# --- what transforms are given ----------------------------------------------------------------------------------------


def checked(f: Any, caller: str) -> Function:
    if not callable(f):
        raise TypeError(f"{caller} expects a function, got {type(f).__name__}")
    return f


def checked_argnums(argnums: Any, caller: str, argnum: Any = None) -> int | tuple[int, ...]:
    """`argnums`, or `argnum`, its other name, as Python's own integers."""
    if argnum is not None:
        if argnums != 0:
            raise TypeError(f"{caller}: argnum and argnums are two names of one option, give one of them")
        argnums = argnum
    several = isinstance(argnums, tuple | list)
    found = []
    for i in argnums if several else (argnums,):
        if isinstance(i, bool | np.bool_) or not hasattr(i, "__index__"):
            raise TypeError(f"{caller}: argnums must be an integer or a tuple of them, got {argnums!r}")
        found.append(operator.index(i))
    return tuple(found) if several else found[0]


def positions_of(argnums: int | tuple[int, ...], args: tuple[Any, ...], caller: str) -> tuple[int, ...]:
    """The places in `args` that `argnums` names."""
    if isinstance(argnums, int) and 0 <= argnums < len(args) and args[argnums] is not None:
        return (argnums,)
    named = (argnums,) if isinstance(argnums, int) else argnums
    if any(not -len(args) <= i < len(args) for i in named):
        raise ValueError(f"{caller}: argnums={argnums!r}, but the function was called with {len(args)} arguments")
    positions = tuple(i % len(args) for i in named)
    if len(set(positions)) < len(positions):
        raise ValueError(f"{caller}: argnums={argnums!r} names an argument twice")
    for i in positions:
        if args[i] is None:
            raise TypeError(f"{caller}: argument {i} is None, there is nothing to differentiate by")
    return positions


def _scalar(out: Any, caller: str) -> Any:
    if isinstance(out, Tensor) and isinstance(out._data, np.floating):
        return out
    no_truth(out, caller)
    other = isinstance(out, list | tuple | dict) or arrayed(numbers_of(out)).dtype.kind not in "fiubc"
    if other or arrayed(numbers_of(out)).size != 1:
        shape = type(out).__name__ if other else f"shape {np.shape(numbers_of(out))}"
        raise ValueError(
            f"{caller} needs a function with a scalar result, got {shape}: sum it, or use jacobian, vjp or "
            "elementwise_grad"
        )
    return real_result(out, caller)


def real_result(out: Any, caller: str) -> Any:
    dtype = getattr(out, "dtype", None) or np.asarray(out).dtype
    if dtype.kind == "c":
        raise TypeError(
            f"{caller} needs a function with a real result, got dtype {dtype}, which has no gradient of its own: take "
            "np.real, np.imag or np.abs of it, or use vjp; of a holomorphic function, jacobian or holomorphic_grad"
        )
    return out


def one_array(out: Any, caller: str) -> Any:
    if isinstance(out, list | tuple | dict) or out is None:
        raise TypeError(f"{caller} needs a function that returns one array, got {type(out).__name__}")
    no_truth(out, caller)
    return out


def paired(g: Any, v: Any) -> Any:
    """⟨g, v⟩, what a loss of gradient g changes by along v: Σ g v, of complex numbers Σ Re(conj(g) v)."""
    return np.sum(np.real(conj(g) * v) if is_complex(g) else g * v)


def no_truth(out: Any, caller: str) -> None:
    """Refuse True and False as what is differentiated."""
    if isinstance(out, bool) or getattr(getattr(out, "dtype", None), "kind", "") == "b":
        raise TypeError(
            f"{caller}: the function gives True or False, which has no gradient; give a number, such as a loss"
        )


def something(out: Any, caller: str) -> Any:
    if out is None:
        raise TypeError(f"{caller} needs a function that returns an array or a nest of arrays, got NoneType")
    return out


def value_with_grad(
    f: Function, argnums: int | tuple[int, ...], args: tuple[Any, ...], kwargs: Any, caller: str, also: Any = None
) -> tuple[Any, Any]:
    trace = Trace(f, args, positions_of(argnums, args, caller), caller, kwargs, also)
    out = _scalar(trace.out, caller)
    pulled = trace.pull(out, ones_like(numbers_of(out)))
    grads = unflatten(trace.wrt, map(trace.finished, pulled) if trace.tensors else iter(pulled))
    return trace.finished(out), grads[0] if isinstance(argnums, int) else grads
