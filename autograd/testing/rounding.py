"""How far rounding may have put gradients off, element by element: the derivative rules themselves tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ..backward import Step, sweep
from ..node import Node
from ..tape import Tape
from .attempts import attempted
from .drawing import generator

__all__ = ["roundings"]

_OFFSETS = 1009
"""Random signs are drawn once: those of a step begin at another place than those of the next ones."""
_EXACT = {
    np.maximum, np.minimum, np.fmax, np.fmin, np.negative, np.positive, np.absolute, np.fabs, np.sign, np.copysign,
    np.floor, np.ceil, np.trunc, np.rint, np.conjugate, np.heaviside,
}  # fmt: skip
"""What chooses numbers and rounds none: so that what is compared with them still is the same."""
_SUMS = {
    np.add, np.subtract, np.matmul, np.dot, np.inner, np.vdot, np.tensordot, np.einsum, np.convolve,
    np.linalg.solve, np.linalg.inv, np.linalg.det,
}  # fmt: skip
"""What sums up: what is off in the parts may stay where they cancel."""
_AGAIN, _MOST, _RECORD = 4, 2_000_000, 1_000
"""So many times both passes are computed again, fewer where they are of more numbers than so many in all; as so many
counts a record of any size."""
_OFF = {np.dtype(kind): np.array([1.0 + np.finfo(kind).eps, 1.0 - np.finfo(kind).eps], kind)
        for kind in (np.float16, np.float32, np.float64, np.longdouble)}  # fmt: skip
"""What puts a number off by a unit, to either side."""
_WIDE = 16
"""How many times what was seen, in all and on average, may be lost."""
_UNITS = 4
"""So many units in the last place are taken to be lost at every step."""


def roundings(
    tape: Tape, seed: Any = None, steps: Iterable[Step] | None = None, *, other_ways: bool = True
) -> Mapping[Node, Any]:
    """How far rounding may have put off the gradient of each record.

    Every number of a gradient, and everything that was added up to it, is off by some units in the last place. How
    that adds up from step to step, and what it is multiplied by, is seen by sending numbers of that size with random
    signs through the rules of each step. What the rounding of the forward pass and inside of the rules does is seen by
    computing both passes again in an arithmetic that puts every number off by a unit.

    Parameters
    ----------
    tape : Tape
    seed : array, optional
        The gradient that the backward pass starts from.
    steps : iterable of Step, optional
        The whole backward pass, as `Tape.steps` gives it, where it is known.
    other_ways : bool, optional
        Whether to add what is lost by another way to the same gradient: of a derivative that is computed of the result.

    Returns
    -------
    mapping of Node to array
        In float64, of the shapes of the records. None for the loss itself, whose gradient is given.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Tape, Tensor
    >>> from autograd.testing.rounding import roundings
    >>> x = Tensor(np.ones(1000))
    >>> total = x.sum()
    >>> bool(roundings(Tape((total - total) * 3.0))[x.node].max() < 1e-13)
    True
    """
    steps = list(tape.steps(seed) if steps is None else steps)
    signs = generator("rounding").choice([-1.0, 1.0], 2 * max((step.node.size for step in steps), default=0) + _OFFSETS)
    off: dict[Node, Any] = {}
    arrived: dict[Node, Any] = {}
    seen: dict[Node, Any] = {}
    with np.errstate(all="ignore"):
        for at, step in enumerate(steps):
            node = step.node
            if not step.contributions or node.dtype.kind not in "fc":
                continue
            unit = _UNITS * float(np.finfo(node.dtype).eps)
            own = np.abs(wide(step.grad))
            mine = off.get(node, 0.0) + unit * own
            some = signs[at % _OFFSETS :]
            one, other = (_sent(node, mine * some[k * node.size :][: node.size].reshape(node.shape)) for k in (0, 1))
            for operand, size in _added(step.contributions).items():
                size = unit * size + np.maximum(one.get(operand, 0.0), other.get(operand, 0.0))
                off[operand] = off.get(operand, 0.0) + _finite(size)
            if _is_of_one_number(node):
                (operand,) = node.parents
                arrived[operand] = np.maximum(arrived.get(operand, 0.0), np.maximum(arrived.get(node, 0.0), own))
        work = sum(node.size + _RECORD for node in tape)
        for salt in range(max(1, min(_AGAIN, _MOST // work))):
            found = _again(tape, steps, salt)
            for step in steps:
                if step.node in off and step.node in found:
                    moved = _finite(np.abs(wide(found[step.node]) - wide(step.grad)))
                    seen[step.node] = seen[step.node] + moved if step.node in seen else moved
    return _Roundings(off, seen, arrived if other_ways else {}, {step.node: step.grad for step in steps})


class _Roundings(Mapping[Node, Any]):
    """What is feared of each record, held to what was seen."""

    def __init__(self, off: Mapping[Node, Any], seen: Mapping[Node, Any], arrived: Mapping[Node, Any], grads: Any):
        self._off, self._seen, self._arrived, self._grads = off, seen, arrived, grads

    def __getitem__(self, node: Node) -> Any:
        off = self._off[node]
        if node not in self._seen:
            return off
        seen, eps = self._seen[node], float(np.finfo(node.dtype).eps)
        own = _finite(np.abs(wide(self._grads[node])))
        with np.errstate(all="ignore"):
            # from step to step signs are lost, and what is only feared grows with them: it is held to what was seen
            feared = _WIDE * (seen + np.sqrt(np.sum(np.square(seen)) / max(np.size(seen), 1)) + _UNITS * eps * own)
            return np.minimum(off, feared) + seen + eps * _finite(self._arrived.get(node, 0.0))

    def __iter__(self) -> Iterator[Node]:
        return iter(self._off)

    def __len__(self) -> int:
        return len(self._off)


def _finite(numbers: Any) -> Any:
    """Numbers with 0 in the place of what is none."""
    return numbers if np.isfinite(numbers).all() else np.nan_to_num(numbers, posinf=0.0)


def wide(array: Any) -> Any:
    """An array in float64; a complex one in complex128."""
    array = np.asarray(array)
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64, copy=False)


def _is_of_one_number(node: Node) -> bool:
    """Whether each number is a function of one number: its derivative may be computed of the result, a (1 − a) for σ′,
    and is off by what the gradient that arrives, and not that derivative, loses."""
    others = [a for a in node.operands if not isinstance(a, Node)]
    return len(node.parents) == 1 and node.parents[0].shape == node.shape and not any(np.ndim(a) for a in others)


def _again(tape: Tape, steps: list[Step], salt: int) -> dict[Node, Any]:
    """The gradients found by both passes in an arithmetic that is off by a unit in whatever it reads and gives."""
    shaken = _shaken(salt)
    values: dict[Node, Any] = {}
    with attempted():
        for node in tape:
            value = tape.value(node)
            if not (node.is_leaf or node.rule.keeps_output):
                args = [values[a] if isinstance(a, Node) else a for a in node.operands]
                value = node.rule.op(*args, **node.kwargs)
            values[node] = np.asarray(value).view(shaken)
        found = sweep(tape.root, steps[0].grad, lift=values.__getitem__) if steps else ()
        return {step.node: step.grad for step in found}
    return {}  # an operation that takes none but plain arrays


def _shaken(salt: int) -> Any:
    """A class of arrays of which every operation gives numbers off by a unit in the last place."""

    mixer = np.int64(0x1E3779B97F4A7C15 + 2 * salt)

    class Shaken(np.ndarray):
        @classmethod
        def of(cls, value: Any) -> Any:
            """The same, each number off by a unit: equal ones in the same direction, so that ties stay ties."""
            if not isinstance(value, np.ndarray | np.generic) or value.dtype.kind != "f":
                return value
            plain = np.asarray(value)
            mixed = np.asarray(plain, np.float64, order="C").view(np.int64) * mixer
            return np.asarray(plain * _OFF[plain.dtype][mixed >> 63]).view(cls)

        def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = (), **options: Any) -> Any:
            if out:
                options["out"] = tuple(np.asarray(o) for o in out)
            shake = self.whole if ufunc in _EXACT else self.of
            sums = method in ("reduce", "accumulate") or (method == "__call__" and ufunc in _SUMS)
            taken = [_plain(self.of(x) if sums and ufunc not in _EXACT else x) for x in inputs]
            result = getattr(ufunc, method)(*taken, **{k: _plain(v) for k, v in options.items()})
            if out:
                np.copyto(options["out"][0], shake(options["out"][0]))
                return out[0]
            return tuple(map(shake, result)) if isinstance(result, tuple) else shake(result)

        def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
            if func not in _SUMS:
                return super().__array_function__(func, types, args, kwargs)
            return self.of(func(*(_plain(self.of(x)) for x in args), **kwargs))

        @classmethod
        def whole(cls, value: Any) -> Any:
            """The same numbers."""
            is_float = isinstance(value, np.ndarray | np.generic) and value.dtype.kind == "f"
            return np.asarray(value).view(cls) if is_float else value

    return Shaken


def _plain(value: Any) -> Any:
    return np.asarray(value) if isinstance(value, np.ndarray) else value


def _sent(node: Node, grad: Any) -> dict[Node, Any]:
    """What the rules send of a gradient; nothing, where they take none but that of the program."""
    with attempted():
        return _added(next(sweep(node, np.asarray(grad, node.dtype)[()])).contributions)
    return {}


def _added(contributions: Iterable[Any]) -> dict[Node, Any]:
    """The absolute numbers that are sent to each operand."""
    found: dict[Node, Any] = {}
    for contribution in contributions:
        size = np.abs(wide(contribution.grad))
        found[contribution.node] = found[contribution.node] + size if contribution.node in found else size
    return found
