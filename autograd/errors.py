"""What an error says: the operands with their shapes, the line of the user's program, and which function to use instead
of one without a rule."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from .bytecode import source_of
from .coverage import refusal, status, where_it_is
from .libraries import foreign, gathered, library_of
from .recording import located
from .registry import NoRuleError, Rule

__all__ = [
    "describe", "elsewhere", "explain", "has_rule", "in_rule", "no_attribute", "no_gradient", "no_rule", "not_settable",
    "otherwise", "point", "updated_in_place",
]  # fmt: skip


def point(error: Exception) -> None:
    """Let an error name the line of the user's program that it comes from."""
    frame = located(sys._getframe(1))
    source = source_of(frame.f_code, frame.f_lasti)
    if source.text and not any(note.startswith("at ") for note in getattr(error, "__notes__", ())):
        error.add_note(f"at {source}: {source.expression or source.text}")


def explain(rule: Rule, args: Any, error: Exception) -> None:
    """Let an error of NumPy's, which keeps its type and its words, tell the operands, their shapes and the line."""
    given = ", ".join(map(_in_words, args))
    said = str(error).removeprefix(f"{rule.name}: ")
    if type(error) not in (ValueError, np.linalg.LinAlgError):
        error.add_note(f"in {rule.name} of {given}")
    elif rule.fn.__class__ is np.ufunc and any(words in said for words in ("broadcast", "dimension")):
        error.args = (f"{rule.name}: the shapes do not fit together: {given}",)
    else:
        error.args = (f"{rule.name}: {said} ({given})",)
    for data in (getattr(a, "_data", a) for a in args):
        if foreign(data):
            error.add_note(elsewhere(rule.name, library_of(data)))
            break
    point(error)


def otherwise(
    record: Callable[..., Any], rule: Rule, args: tuple[Any, ...], values: list[Any], options: Any, error: Exception
) -> Any:
    """What a call that failed gives once its constants are of its operands' library; else the error, explained."""
    together = gathered(args, values)
    if together is not None:
        return record(rule, together, options)
    explain(rule, args, error)
    raise error


def elsewhere(name: Any, library: str) -> str:
    """What to do where a library can't compute an operation on its arrays, or not on these."""
    return (
        f"{name} was computed by {library}, whose array is among the operands: let all of them be arrays of {library}, "
        f"in chunks along the batch alone where it cuts them, and write {name} in functions of NumPy that {library} "
        "has; or take the numbers to NumPy before it, Tensor(np.array(...))"
    )


def describe(node: Any) -> str:
    """A record in an error message: its name if it has one, the operation, the shape."""
    if node.name:
        return f"{node.name} of shape {node.shape}"
    return f"{'a Tensor' if node.is_leaf else f'the result of {node.op}'} of shape {node.shape}"


def in_rule(node: Any, i: int) -> str:
    """A note on an error in a derivative rule: that of which record, for which operand."""
    source = node.source
    where = f", recorded at {source}: {source.text}" if source else ""
    name = f" {node.name}" if node.name else ""
    return f"in the derivative rule of {node.op}{name} for operand {i}{where}"


def not_settable(node: Any, what: str, instead: str = "") -> RuntimeError:
    """The error for what can't be set, as an operation or a transform made the record; `what` has a place for it."""
    why = f"an operation made it{instead}" if not node.is_leaf else "it is being differentiated by"
    return RuntimeError(f"{what.format(describe(node))}: {why}")


def updated_in_place(name: str) -> RuntimeError:
    """The error for a leaf that has a gradient and is updated in place while operations are recorded."""
    return RuntimeError(
        f"{name}, a leaf that requires a gradient, can't be updated in place while operations are recorded, as it "
        f"would be the result of one: write with no_grad(): {name} -= lr * {name}.grad, or "
        f"{name}.data -= lr * {name}.grad, or use an optimiser"
    )


def no_gradient(root: Any, whole: Any) -> ValueError:
    """The error for a record that no gradient flows from; `whole` is a leaf of integers that it was made from."""
    if root.dtype.kind not in "fc":
        why = f"its dtype is {root.dtype}; only floating-point values have gradients"
    elif root.is_leaf:
        why = "no recorded operation made it, and it was told not to require one (or recording was off)"
    elif whole is None:
        why = "nothing that it was made from requires one (or an operation without a derivative stands between)"
    else:
        why = f"it was made from {describe(whole)} and dtype {whole.dtype}, which has none; write 2.0 for 2"
    return ValueError(f"no gradient flows from {describe(root)}: {why}")


def _in_words(operand: Any) -> str:
    name = getattr(operand, "name", None) or "an operand"
    shape = () if isinstance(operand, int | float | complex) else getattr(operand, "shape", None)
    if shape is None:
        return f"{name} of type {type(operand).__name__}"
    kind = getattr(getattr(operand, "dtype", None), "kind", "f")
    return f"{name} of shape {shape}" + (f" and dtype {operand.dtype}" if kind != "f" else "")


def has_rule(name: str) -> bool:
    """Whether NumPy has a function of this name that works on Tensors."""
    return status(getattr(np, name, None)) in ("rule", "values")


def no_rule(fn: Callable[..., Any], why: str = "") -> NoRuleError:
    """The error for a function without a rule: why it has none, and what to write instead, where that is known."""
    said = None if why else refusal(fn)
    if said is not None:
        why = f": {said.why}." + (f" Write {said.instead.replace('`', '')}" if said.instead else "")
    return NoRuleError(
        f"{where_it_is(fn)} has no derivative rule{why}. Take the numbers with t.data where no gradient is needed, "
        "or add the function with autograd.primitive and defvjp."
    )


def no_attribute(kind: str, name: str) -> AttributeError:
    """The error for a name of ndarray's or PyTorch's that a Tensor, of the class `kind`, lacks: says what to write."""
    if name in SPELLED:
        return AttributeError(f"{kind!r} object has no attribute {name!r}: write {SPELLED[name]}")
    said = refusal(getattr(np, name, None))
    hint = f": write np.{name}(t)" if has_rule(name) else f": write {said.instead.replace('`', '')}" if said else ""
    return AttributeError(
        f"ndarray.{name} has no derivative rule on a Tensor{hint}. For the numbers alone use t.data.{name}"
    )


SPELLED = {
    "cuda": "t, which is in the memory of the CPU", "type": "t.astype(dtype)", "fill": "np.full_like(t, value)",
    "itemset": "autograd.set_at(t, index, value)", "values": "t itself, max and min give the values alone",
    "indices": "t.argmax(axis) or t.argmin(axis)",
}  # fmt: skip
"""Methods of PyTorch and of arrays that go by another name here."""
