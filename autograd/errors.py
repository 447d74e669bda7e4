"""What an error says of where it came from: the operands with their shapes, and the line of the user's program."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from .recording import located, source_of
from .registry import Rule

__all__ = ["explain", "point"]


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
    point(error)


def _in_words(operand: Any) -> str:
    name = getattr(operand, "name", None) or "an operand"
    shape = () if isinstance(operand, int | float) else getattr(operand, "shape", None)
    if shape is None:
        return f"{name} of type {type(operand).__name__}"
    kind = getattr(getattr(operand, "dtype", None), "kind", "f")
    return f"{name} of shape {shape}" + (f" and dtype {operand.dtype}" if kind != "f" else "")
