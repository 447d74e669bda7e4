"""`viz.derive` whatever has a name: the operand of a function, its result, a view of it, both, and twice the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from opcases import ALL
from test_derive import derived, named, numbers

import viz
from autograd import Tape, Tensor


def first(out: Any) -> Any:
    while isinstance(out, tuple | list):
        out = out[0]
    return out


@pytest.mark.parametrize("where", ["result", "both", "neither"])
@pytest.mark.parametrize("op", ALL, ids=str)
def test_a_name_may_stand_on_the_operands_and_the_result_of_every_function(op: Any, where: str) -> None:
    operands = [Tensor(x, name=f"x{i}" if where == "both" else None) for i, x in enumerate(op.operands())]
    out = first(op.fn(*operands))
    if where != "neither":
        out.name = "z"
    loss = (np.cos(np.arange(out.size)).reshape(out.shape) * out * out).sum()
    derivation = derived(loss, next(x for x in reversed(operands) if x.node in Tape(loss).gradients()), 1e-7)
    assert str(derivation) and derivation.latex() and derivation.closed


VIEWS: dict[str, Callable[[Any], Any]] = {
    "broadcast_to": lambda x: np.broadcast_to(x, (4, *x.shape)),
    "broadcast_arrays": lambda x: np.broadcast_arrays(x, np.ones((4, *x.shape)))[0],
    "reshape": lambda x: x.reshape(-1, 1),
    "ravel": lambda x: x.ravel(),
    "expand_dims": lambda x: np.expand_dims(x, -1),
    "squeeze": lambda x: np.squeeze(x[None]),
    "transpose": lambda x: x.T,
    "moveaxis": lambda x: np.moveaxis(x, 0, -1),
    "tile": lambda x: np.tile(x, (2, 1)),
    "repeat": lambda x: np.repeat(x, 2, axis=0),
    "astype": lambda x: x.astype(np.float32),
    "copy": lambda x: x.copy(),
    "flip": lambda x: np.flip(x),
    "concatenate": lambda x: np.concatenate([x, x]),
    "stack": lambda x: np.stack([x, 2 * x], axis=-1),
    "split": lambda x: np.split(x, [1])[0],
    "none of it": lambda x: x[:0],
    "index": lambda x: x[[0, 0]],
    "outer": lambda x: np.outer(x, x),
}
INSIDE: dict[str, Callable[[Any], Any]] = {
    "the leaf": lambda x: x,
    "a function": np.exp,
    "a quotient": lambda x: x / (x * x + 1),
    "a sum": lambda x: x.sum(keepdims=True),
}
LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "square": lambda y, e: (y**2).sum(),
    "mean": lambda y, e: np.tanh(y).sum() / 3,
    "what it is of, too": lambda y, e: (y * y).sum() + (e * e).sum(),
}


@pytest.mark.parametrize("names", ["x", "y", "xy", "xx"])
@pytest.mark.parametrize("inside", INSIDE.values(), ids=INSIDE)
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_a_view_may_have_a_name(view: Callable[[Any], Any], inside: Callable[[Any], Any], names: str) -> None:
    for f in LOSSES.values():
        x = Tensor(numbers(1, 3, 2), name="x" if names[0] == "x" else None)
        e = inside(x)
        y = view(e)
        if y is not x and names != "x":
            y.name = names[-1]
        derivation = derived(f(y, e), x, 1e-5)
        assert str(derivation) and derivation.latex()


def test_the_name_of_a_broadcast_is_not_that_of_what_it_is_of() -> None:
    b, e = Tensor(numbers(0, 4), name="b"), None
    e = np.exp(b)
    loss = (named(np.broadcast_to(e, (5, 4)), "B") ** 2).sum() + e.sum()
    assert derived(loss, b).closed == "(1 + 2 Σ₀ B) ⊙ e"


def test_the_loss_and_constants_may_have_names() -> None:
    w, c = Tensor(numbers(0, 4), name="w"), Tensor(numbers(1, 4), name="c", requires_grad=False)
    assert derived(named((w * named(np.broadcast_to(c, (2, 4)), "C")).sum(), "J"), w).closed == "Σ₀ C"
    with pytest.raises(ValueError, match="wrt='C': it is a constant"):
        viz.derive((w * named(np.broadcast_to(c, (2, 4)), "C")).sum(), "C")
