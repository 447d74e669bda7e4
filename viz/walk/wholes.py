"""What is said of a line or a layer that is shown as one step."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from .facts import blocked, range_of, scaled
from .text import LABEL, computed, short

_MOST_STEPS = 6
_PLACE = re.compile(r"%[0-9]")


def sentence(whole: Any) -> str:
    """A fact of its numbers: that of the operation it ends with, unless that is about what is inside."""
    last = whole.members[-1]
    said, backward = last.sentence, whole.phase == "backward"
    if last.alarm or last.inherits:
        return str(said)
    if not backward:
        return range_of(np.asarray(whole.after)) if _PLACE.search(said) else str(said)
    counts = said.startswith(("Each of", f"{whole.run.names.of(whole.target)} was used"))
    if len(whole.members) == 1 and counts and not _PLACE.search(said):
        return str(said)
    upstream, sent = np.asarray(whole.upstream), np.asarray(whole.contribution)
    return blocked(whole, sent) or scaled(whole, upstream, sent) if sent.size and upstream.any() else str(said)


def text_of(number: str, last: int, steps: Sequence[Any], shown: Sequence[Any]) -> str:
    """It on several lines: what it computes, or sends to each of its inputs, and the steps that it is made of."""
    one = shown[0]
    names, node = one.run.names, one.node
    backward = one.phase == "backward"
    what = f"{', '.join(names.of(step.target) for step in shown)} ← {names.of(node)}" if backward else names.of(node)
    heading = f"{number} of {last} · {one.phase.upper()}  {what}"
    rows = [("arrived", f"{names.gradient(node)} = {short(one.upstream)}")] if backward else []
    told = {step.number for step in shown}
    for step in shown:
        rows += [*computed(step), *(("check", words) for words in step.check.words), ("fact", step.sentence)]
    for step in (step for step in steps if step.number not in told):
        rows += [("check", words) for words in (step.check.words if step.check.yours else ())]
        rows += [("fact", step.sentence)] if step.alarm else []
    rows += [("line", f"{one.source}   {one.code}")] if one.source else []
    rows += [("steps", f"{step.number} {step.equation}") for step in steps[:_MOST_STEPS]]
    rows += [("steps", f"… {len(steps) - _MOST_STEPS} more")] if len(steps) > _MOST_STEPS else []
    lines = [heading + (f"   in {one.layer}" if one.layer else "")]
    return "\n".join(lines + [f"  {label:<{LABEL}}{content}" for label, content in rows if content])
