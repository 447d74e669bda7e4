"""Values found on the way to the loss: which is wrong although what it is made from is right, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import Node, Tape
from autograd.testing.attempts import attempted
from autograd.testing.drawing import generator
from autograd.testing.forward import forward_roundings
from autograd.testing.hand import read_hands

from ..plain.numbers import listed
from .printed import Given, given
from .pushing import Change, replayed
from .report import Finding
from .sentences import HERE, INHERITED, RIGHT
from .words import Words

__all__ = ["Forward", "given_values"]

_PROBES = 8
_FEW = 3
"""So many records are named that could be given, too."""


def given_values(tape: Tape, values: Any, rtol: Any, atol: Any) -> dict[Node, Given]:
    """The values that were handed in, checked."""
    named = read_hands(tape, values, "explain_mismatch", "value", empty=True, whole=True)
    return given(tape, values, forward_roundings(tape, named), rtol, atol, empty=True, what="value")


class Forward:
    """The values that a person has found, each beside the tape's, and beside what follows from the person's own.

    Attributes
    ----------
    verdicts : dict of Node to str
        Right, wrong here, or inherited, in the order of the forward pass.
    """

    def __init__(self, tape: Tape, values: Mapping[Node, Given], words: Words):
        self.tape, self.words = tape, words
        ordered = sorted(values, key=tape.index)
        self.hands = {node: (values[node].reshaped() or values[node]).completed(tape.value(node)) for node in ordered}
        self.verdicts = {node: RIGHT if one.agrees(tape.value(node)) else HERE for node, one in self.hands.items()}
        self.verdicts |= {one.node: self._step(one) for one in self.wrong}

    @property
    def wrong(self) -> list[Given]:
        """Those that are not right, the first one first."""
        return [one for node, one in self.hands.items() if self.verdicts[node] != RIGHT]

    def reads(self) -> dict[Node, Any]:
        """What rules read where the person's own wrong values are believed: these, and what follows from them."""
        return self._replayed({one.node: one.flow for one in self.wrong if one.has_shape})

    def _replayed(self, reads: Mapping[Node, Any]) -> dict[Node, Any]:
        with attempted():
            return replayed(self.tape, Change(reads=reads))
        return {}  # an operation that can't take these values; nothing follows from them

    def _above(self, node: Node) -> list[Node]:
        """The values handed in that a value is made from, next before it."""
        found: dict[Node, None] = {}
        seen, waiting = {node}, [node]
        while waiting:
            for operand in waiting.pop().parents:
                if operand in self.hands and self.hands[operand].has_shape:
                    found[operand] = None
                elif operand not in seen:
                    seen.add(operand)
                    waiting.append(operand)
        return sorted(found, key=self.tape.index)

    def _step(self, one: Given) -> str:
        """Whether a wrong value follows from the person's own values by the step that was recorded."""
        node = one.node
        above = self._above(node)
        if all(self.verdicts[u] == RIGHT for u in above):
            return HERE
        own = {u: self.hands[u].flow for u in above}
        follows = self._replayed(own).get(node)
        if follows is None:
            return HERE
        signs, slack = generator("rounding of what was printed"), np.zeros(node.shape)
        for _ in range(_PROBES if any(self.hands[u].rounding.any() for u in above) else 0):
            moved = {u: v + self.hands[u].rounding * signs.choice([-1.0, 1.0], np.shape(v)) for u, v in own.items()}
            slack = np.maximum(slack, np.abs(self._replayed(moved).get(node, follows) - follows))
        return INHERITED if one.agrees(follows, 1.5 * slack) else HERE

    def findings(self) -> list[Finding]:
        """One for each wrong value, those that are wrong in their own step first."""
        found = [
            self._inherited(one) if self.verdicts[one.node] == INHERITED else self._here(one) for one in self.wrong
        ]
        return sorted(found, key=lambda finding: finding.verdict == INHERITED)

    def _here(self, one: Given) -> Finding:
        node, say = one.node, self.words.say
        above = self._above(node)
        right, wrong = (
            [say(u) for u in above if (self.verdicts[u] == RIGHT) is is_right] for is_right in (True, False)
        )
        sentence = f"The value of {say(node)} is wrong"
        if right:
            sentence += f", although {listed(right)}, which it is made from, {'is' if len(right) == 1 else 'are'} right"
        if wrong:
            sentence += f", also when made of your own {listed(wrong)}"
        if not above:
            sentence += ", and of what it is made from nothing was given"
        between = self._between(node)
        could = [n for n in between if n is not node and self.words.has(n)]
        if could:
            sentence += f" (give the value of {listed([say(n) for n in could[-_FEW:]], 'or')}, too, to narrow it down)"
        said = self._facts(one)
        return self._finding(HERE, f"{sentence}: {said}." if said else f"{sentence}.", one, tuple(between))

    def _inherited(self, one: Given) -> Finding:
        wrong = listed([self.words.say(u) for u in self._above(one.node) if self.verdicts[u] != RIGHT])
        sentence = (
            f"The value of {self.words.say(one.node)} is wrong, but its step is right: it follows from your {wrong}, "
            "which is wrong already."
        )
        return self._finding(INHERITED, sentence, one, (one.node,))

    def follows(self, one: Given, name: str) -> Finding:
        """A gradient that follows by the right rules from wrong values."""
        here = [n for n, verdict in self.verdicts.items() if verdict == HERE and n is not self.tape.root]
        wrong = listed([self.words.say(node) for node in here])
        sentence = f"{name} is wrong only by your {wrong}: with these values the rules give your numbers."
        return Finding(INHERITED, sentence, (name,), None, one.node)

    def _facts(self, one: Given) -> str:
        """What stands out: the shape, how many numbers differ, whether it is the value of something else."""
        if not one.has_shape:
            return f"yours has shape {one.array.shape}, expected {one.node.shape}"
        same = [n for n in self.tape if n is not one.node and n.shape == one.node.shape]
        same = [n for n in same if one.agrees(self.tape.value(n))] if np.ptp(one.numbers) else []
        if same:
            return f"your numbers are the value of {self.words.say(same[0])}"
        return one.row(self.tape.value(one.node)).note

    def _between(self, node: Node) -> list[Node]:
        """The operations that may have gone wrong, up to the values that were given."""
        between, waiting = {node: None}, [node]
        while waiting:
            for operand in waiting.pop().parents:
                if not (operand.is_leaf or operand in self.hands or operand in between):
                    between[operand] = None
                    waiting.append(operand)
        return sorted(between, key=self.tape.index, reverse=True)

    def _finding(self, verdict: str, sentence: str, one: Given, places: tuple[Node, ...]) -> Finding:
        row = one.row(self.tape.value(one.node))
        where, values = (row.where, row.values) if one.has_shape else (None, None)
        name = self.words.say(one.node)
        yours, right = values or (None, None)
        return Finding(verdict, sentence, (name,), None, one.node, places, "", where, yours, right)
