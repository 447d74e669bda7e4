"""The steps as text, for terminals, reports and the table below a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.listing import summary

from ..plain.numbers import FEW, number, rows, shape_text, signed

if TYPE_CHECKING:
    from .walk import Step, Walk

_LABEL = 9


def short(array: Any) -> str:
    """An array on one line: its numbers where they are few, else shape, range and norm."""
    if array is None:
        return "—"
    array = np.asarray(array)
    if array.size > FEW:
        return signed(f"{shape_text(array.shape)}  {summary(array)}")
    if array.ndim == 0 or array.size == 0:
        return signed(" ".join(rows(array)))
    if array.ndim > 2:
        # as formulas print it
        array = array.reshape([n for n in array.shape if n != 1] or [1])
    lines = [" ".join(number(v) for v in row) for row in array.reshape(-1, array.shape[-1])]
    return signed(f"[{'; '.join(lines)}]")


def gradient_state(walk: Walk, node: Any, at: int) -> str:
    """The gradient of a record after step `at`: ``—`` not computed, ``Σ 1 of 2`` and the partial sum, or the number."""
    so_far = reversed(walk.steps[: at + 1])
    last = next((s for s in so_far if s.phase in ("seed", "backward") and s.target is node), None)
    if last is None:
        return "—"
    if last.is_complete:
        return short(last.after)
    return f"Σ {last.part} of {last.parts}: {short(last.after)}"


def text_of(step: Step) -> str:
    """One step, on several lines."""
    heading = f"{step.number} of {len(step.walk) - 1} · {step.title}"
    lines = [heading + (f"   in {step.layer}" if step.layer else "")]
    lines += [f"  {label:<{_LABEL}}{content}" for label, content in _rows(step) if content]
    return "\n".join(lines)


def _rows(step: Step) -> Iterator[tuple[str, str]]:
    names = step.walk.names
    if step.phase == "start":
        for node in step.walk.tape:
            if node.is_leaf:
                yield names.of(node), short(step.walk.tape.value(node))
    elif step.phase == "seed":
        yield "rule", f"{names.gradient(step.node)} = {short(step.after)}"
    else:
        yield from _computed(step)
    yield from (("check", text) for text in checks(step))
    yield "fact", step.sentence
    if step.source:
        yield "line", f"{step.source}   {step.code}"


def _computed(step: Step) -> Iterator[tuple[str, str]]:
    formula = step.formula
    assert formula is not None
    yield "rule", step.equation
    for note in formula.notes:
        yield "", note
    yield "numbers", f"= {formula.plain('numbers')}"
    result = step.after if step.phase == "forward" else step.contribution
    yield "result", f"= {short(result)}"
    yield "shapes", shapes_of(step)
    if step.phase == "backward" and step.parts > 1:
        yield "sum", f"Σ {step.part} of {step.parts}: {accumulation(step)}"


def shapes_of(step: Step) -> str:
    """The formula in shapes; empty where all are scalars."""
    formula = step.formula
    if formula is None or not any([formula.target.shape, *(symbol.shape for symbol in formula.symbols)]):
        return ""
    return formula.equation("plain", "shapes")


def accumulation(step: Step) -> str:
    """``0.5 + (−1) = −0.5``, the running sum of a gradient."""
    sent = short(step.contribution)
    if step.before is None:
        return sent
    return f"{short(step.before)} + {f'({sent})' if sent.startswith('−') else sent} = {short(step.after)}"


def checks(step: Step) -> list[str]:
    """What the gradient was compared with, in words."""
    yours, numeric = step.check
    return ([f"yours {yours.text}"] if yours else []) + ([f"finite differences {numeric.text}"] if numeric else [])


def ledger(walk: Walk) -> list[tuple[str, str, str, str, str]]:
    """All steps as rows of a table: number, phase, what, rule, result."""
    table = []
    for step in walk.steps[1:]:
        result = step.after if step.phase != "backward" else step.contribution
        phase, _, what = step.title.partition("  ")
        table.append((str(step.number), phase.lower(), what, step.equation, short(result)))
    return table
