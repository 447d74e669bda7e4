"""The steps as text, for terminals, reports and the table below a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autograd import Node
from autograd.listing import summary

from ..plain.numbers import FEW, number, rows, shape_text, signed
from .checks import Check
from .steps import Step

LABEL = 9


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


def watched(node: Node, so_far: Sequence[Step]) -> str:
    """The value and the gradient of a record after some steps, ``—`` where not computed, ``Σ 1 of 2`` a partial sum."""
    run = so_far[0].run
    computed = node.is_leaf or any(s.phase == "forward" and s.node is node for s in so_far)
    value = short(run.tape.value(node) if computed else None)
    last = next((s for s in reversed(so_far) if s.phase in ("seed", "backward") and s.target is node), None)
    partly = f"Σ {last.part} of {last.parts}: " if last and not last.is_complete else ""
    return f"{run.names.of(node)} {value}   {run.names.gradient(node)} {partly}{short(last and last.after)}"


def text_of(step: Step, last: int, check: Check, sentence: str) -> str:
    """One step, of a walk with the number `last` at its end, on several lines."""
    heading = f"{step.number} of {last} · {step.title}"
    lines = [heading + (f"   in {step.layer}" if step.layer else "")]
    rows = [*_rows(step), *(("check", words) for words in check.words), ("fact", sentence)]
    rows += [("line", f"{step.source}   {step.code}")] if step.source else []
    lines += [f"  {label:<{LABEL}}{content}" for label, content in rows if content]
    return "\n".join(lines)


def _rows(step: Step) -> Iterator[tuple[str, str]]:
    names, tape = step.run.names, step.run.tape
    if step.phase == "start":
        yield from ((names.of(node), short(tape.value(node))) for node in tape if node.is_leaf)
    elif step.phase == "seed":
        yield "rule", f"{names.gradient(step.node)} = {short(step.after)}"
    else:
        yield from computed(step)


def computed(step: Step) -> Iterator[tuple[str, str]]:
    formula = step.formula
    if formula is not None:
        yield "rule", step.equation
        for note in formula.notes:
            yield "", note
        yield "numbers", f"= {formula.plain('numbers')}"
    else:
        target = step.run.names.gradient(step.target) if step.phase == "backward" else step.run.names.of(step.target)
        yield "rule", f"{target}: the rules of its operations, one after the other"
    yield "result", f"= {short(step.result)}"
    yield "shapes", shapes_of(step)
    if step.sign == "+=":
        yield "sum", f"Σ {step.part} of {step.parts}: {_accumulation(step)}"


def shapes_of(step: Step) -> str:
    """The formula in shapes; empty where all are scalars."""
    formula = step.formula
    if formula is None or not any([formula.target.shape, *(symbol.shape for symbol in formula.symbols)]):
        return ""
    return formula.equation("plain", "shapes")


def _accumulation(step: Step) -> str:
    """``0.5 + (−1) = −0.5``, the running sum of a gradient."""
    sent = short(step.contribution)
    if step.before is None:
        return sent
    return f"{short(step.before)} + {f'({sent})' if sent.startswith('−') else sent} = {short(step.after)}"


def ledger(steps: Sequence[Step]) -> list[tuple[str, str, str, str]]:
    """All steps as rows of a table, the first of which is its head."""
    table = [("step", "pass", "rule", "result")]
    for step in steps[1:]:
        phase, _, what = step.title.partition("  ")
        table.append((str(step.number), phase.lower(), step.equation or what, short(step.result)))
    return table
