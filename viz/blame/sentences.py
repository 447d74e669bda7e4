"""What was found, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograd import Node
from autograd.testing.attempts import attempted
from autograd.testing.conventions import Convention

from ..plain.numbers import listed
from ..tape.run import Run
from .facts import facts
from .fits import PLAIN, TWO, Fit
from .printed import Given
from .pushing import Change, Sweeper
from .report import Finding
from .search import DIGITS
from .trials import Budget, Scene
from .words import Words

__all__ = ["BUT_FOR_THE_LAST_DIGITS", "ENOUGH", "HERE", "INHERITED", "RIGHT", "UNDECIDED", "Sentences", "made_of"]

_MOST_KINDS = 6
"""So many slips that can't be told apart are printed."""

_TOGETHER = 3
"""So many wrong gradients that no slip explains are spoken of together."""
_FEW = 4
"""So many operations that may have gone wrong are listed."""

_BY_CHANCE = "With so few digits this may be chance: give more digits, or more gradients, to be sure."

ENOUGH = 4
"""With fewer numbers, the last digits are not left out of account."""
BUT_FOR_THE_LAST_DIGITS = "This is so but for the last digits printed: numbers seem to have been rounded on the way."

_PLURALS = {"it belongs to": "they belong to", "it is the gradient of": "they are the gradients of"}

RIGHT, HERE, INHERITED, UNDECIDED = "right", "wrong here", "inherited", "undecided"


def made_of(sweeper: Sweeper, node: Node, hands: Mapping[Node, Given]) -> list[Node]:
    """The gradients handed in that the gradient of a record is made from, next before it; the record itself where
    some of it comes from others."""
    found: dict[Node, None] = {}
    seen, waiting = {node}, [node]
    while waiting:
        for after, _ in sweeper.into[waiting.pop()]:
            if after in hands and hands[after].has_shape:
                found[after] = None
            elif after not in seen:
                seen.add(after)
                if after is sweeper.tape.root:
                    found[node] = None
                waiting.append(after)
    return list(found)


class Sentences:
    """Puts what was found into sentences."""

    def __init__(
        self,
        run: Run,
        hands: dict[Node, Given],
        engine: Mapping[Node, Any],
        verdicts: Mapping[Node, str],
        words: Words,
        budget: Budget,
        convention: Convention | None = None,
    ):
        self.budget = budget
        self.run, self.tape, self.hands, self.words = run, run.tape, hands, words
        self.engine, self.verdicts = engine, verdicts
        self.right: Mapping[Node, Any] = engine
        self.convention = convention
        self.sweeper = Sweeper(run, hands, None, convention)
        self.remarks: list[str] = []
        self.scenes: dict[Any, tuple[Scene | None, Any]] = {}
        """What slips were tried on, to be tried on again; with what it is known as, which must not be freed before."""

    def of_slips(self, fits: Sequence[Fit]) -> list[Finding]:
        """A finding for each kind of slip that gives the numbers."""
        kinds: dict[str, list[Fit]] = {}
        plain = fits[0].slip.name if fits and fits[0].slip.generic and fits[0].slip.name in PLAIN else None
        for fit in fits:
            kinds.setdefault(plain or fit.slip.name, []).append(fit)
        if len(kinds) > 1:
            shown = f" (the first {_MOST_KINDS} are shown)" if len(kinds) > _MOST_KINDS else ""
            decide = self._to_decide([same[0] for same in kinds.values()])
            self.remarks.append(f"{len(kinds)} slips give these numbers{shown}; they can't be told apart here{decide}.")
        if fits and sum(one.digits for one in fits[0].explains) < DIGITS:
            self.remarks.append(_BY_CHANCE)
        found = []
        for same in list(kinds.values())[:_MOST_KINDS]:
            fit = same[0]
            one = fit.explains[0]
            others = [f.sentence for f in same[1:4]] if fit.slip.generic < TWO else ["another pair"] * (len(same) > 1)
            more = f" (and {len(same) - 4} other places)" if len(same) > 4 and fit.slip.generic < TWO else ""
            who = self._who(fit.explains, harmless=fit.slip.harmless)
            said = fit.sentence
            if len(fit.explains) > 1:
                for one_is, they_are in _PLURALS.items():
                    said = they_are + said.removeprefix(one_is) if said.startswith(one_is) else said
            if fit.above:
                before = list(dict.fromkeys(self.name(g.node) for f in fit.above for g in f.explains))
                follows = "it follows" if len(fit.explains) == 1 else "they follow"
                more = "".join(f", {f.sentence}" for f in fit.above if not f.explains)
                said = f"{follows} from what is said of {listed(before)}{more}, and from another slip: {said}"
            own = self.name(one.node)
            said += f", on the way to {own} alone" * fit.alone
            if len(fit.explains) == 1 and said.startswith(f"{own} "):
                said = f"it{said.removeprefix(own)}"
            sentence = f"{who}{self._context(one)}: {said}."
            if others:
                sentence += f" Or, with the same numbers: {'; or: '.join(others)}{more}."
            places = tuple(dict.fromkeys(f.trial.node for f in same))
            finding = self._finding(HERE, sentence, fit.explains, fit.slip.name, fit.trial.node, places,
                                    self._rule(fit.trial.node, fit.trial.operand), fit.solved)  # fmt: skip
            yours = right = ""
            with attempted():
                yours, right = fit.trial.formulas() if fit.trial.formulas is not None else ("", "")
            found.append(replace(finding, your_formula=yours, right_formula=right))
        return found

    def _to_decide(self, fits: Sequence[Fit]) -> str:
        """Of which value the gradient would tell some slips apart."""
        with attempted():
            slips = [Change.all([f.change for f in (*fit.above, fit)]) for fit in fits]
            found = [self.sweeper.under(slip).base.grads for slip in slips]
            for node in self.sweeper.nodes:
                if self.words.has(node) and node not in self.hands and not node.is_leaf:
                    grads = [np.asarray(some[node]) for some in found if node in some]
                    if any(not np.allclose(g, grads[0], rtol=1e-6) for g in grads[1:]):
                        return f"; give {self.words.gradient(node)} to decide"
        return ""

    def not_a_number(self, one: Given) -> Finding:
        """A gradient with which nothing can be compared."""
        said = f"{self.name(one.node)} of the engine holds NaN, so that nothing agrees with it."
        if not np.isnan(self.engine[one.node]).any():
            at = ", ".join(str(int(i)) for i in np.argwhere(np.isnan(one.array))[0])
            said = f"{self.name(one.node)} is wrong: yours holds NaN{f' at [{at}]' if at else ''}."
        return self._finding(HERE, said, (one,), None, one.node, (one.node,))

    def of_no_slip(self, some: Sequence[Given]) -> list[Finding]:
        """Findings of what no slip explains; one of several."""
        return [self.unexplained(*some)] if len(some) >= _TOGETHER else [self.unexplained(one) for one in some]

    def unexplained(self, *some: Given) -> Finding:
        """A wrong step that no slip explains, or several, with what comes before all of them."""
        one, *others = some
        node, rule = self._step(one)
        before = [self._before(other) for other in others]
        between = [n for n in self._before(one) if all(n in nodes for nodes in before)]
        said = "" if others else "; ".join(facts(one, self.engine, self.words))
        context = "" if others else self._context(one)
        if len(between) > _FEW:
            context = context.replace(" in this step", " somewhere on the way to it", 1)
        where = self._among(between, "all of them" if others else "it")
        where = f", if by one slip{where}" if others and where else where
        sentence = f"{self._who(some)}{context}{where}; none of the slips known here fits"
        sentence += f": {said}." if said else "."
        if one.has_shape and not one.numbers.any():
            sentence = f"{self._who(some)}{context}: {said}"
        places = tuple(dict.fromkeys((node, *between))) if len(between) <= _FEW else (node,)
        return self._finding(HERE, sentence, some, None, node, places, "" if others else rule)

    def other_shape(self, one: Given, shape: tuple[int, ...]) -> Finding:
        """The right numbers in another shape."""
        node, rule = self._step(one)
        sentence = (
            f"{self._who([one])} in its shape alone: yours has shape {shape}, expected {one.node.shape}; the same "
            "numbers in that shape are right."
        )
        found = self._finding(HERE, sentence, (one,), "shape", node, (node,), rule)
        return replace(found, where=None, yours=None, engine=None)

    def distrusted(self, some: Sequence[Given], node: Node, i: int) -> Finding:
        """Gradients that can't be judged: a rule on the tape, of a primitive of the program, is wrong itself."""
        names = [self.name(one.node) for one in some]
        differ = f"{listed(names)} {'differs' if len(names) == 1 else 'differ'}"
        sentence = (
            f"{differ} from the engine's, which can't be trusted: the rule for {self.words.say(node.operands[i])} "
            f"of the primitive at {self.words.made(node)} doesn't agree with finite differences. Mend that rule first."
        )
        found = self._finding(HERE, sentence, some, "rule of a primitive", node, (node,), self._rule(node, i))
        return replace(found, where=None, yours=None, engine=None)

    def rounded(self, one: Given) -> Finding:
        """A gradient that is off in its last digits only."""
        node, rule = self._step(one)
        off = float(one.picked(np.abs(one.array - self.right[one.node]) / one.hand.unit).max())
        sentence = (
            f"{self._who([one])}{self._context(one)}, but only in the last digits: off by at most {off:.2g} units "
            "of the last digit printed, as happens where numbers are rounded on the way."
        )
        return self._finding(HERE, sentence, (one,), "rounding", node, (node,), rule)

    def inherited(self, one: Given) -> Finding:
        """A right step from a wrong gradient."""
        above = [u for u in made_of(self.sweeper, one.node, self.hands) if self.verdicts.get(u) != RIGHT]
        names = listed([self.words.gradient(u) for u in above if u is not one.node])
        sentence = (
            f"{self.words.gradient(one.node)} is wrong, but its step is right: it follows by the rule from your "
            f"{names}, which is wrong already."
        )
        node, rule = self._step(one)
        return self._finding(INHERITED, sentence, (one,), None, node, (node,), rule)

    def follows(self, one: Given, held: Sequence[Fit]) -> Finding:
        """A gradient that several slips found before give together."""
        before = list(dict.fromkeys(self.name(g.node) for fit in held for g in fit.explains))
        sentence = f"{self._who([one])}{self._context(one)}: it follows from what is said of {listed(before)}."
        node, rule = self._step(one)
        return self._finding(INHERITED, sentence, (one,), None, node, (node,), rule)

    def _before(self, one: Given) -> dict[Node, None]:
        """The operations that may have gone wrong."""
        between: dict[Node, None] = {}
        waiting = [one.node]
        while waiting:
            for after, _ in self.sweeper.into[waiting.pop()]:
                if after not in between:
                    between[after] = None
                    if after not in self.hands:
                        waiting.append(after)
        return between

    def _among(self, nodes: Sequence[Node], them: str) -> str:
        """These operations in words."""
        if len(nodes) <= _FEW:
            made = list(dict.fromkeys(self.words.made(n) for n in nodes))
            return f", at {'one of ' if len(made) > 1 else ''}{listed(made)}" if made else ""
        named = [n for n in nodes if self.words.has(n) and n.shape and n not in self.hands]
        hint = f"; give the gradient of {listed([self.words.say(n) for n in named[:3]], 'or')}, too, to narrow it down"
        return f", at one of the {len(nodes)} operations before {them}{hint if named else ''}"

    def name(self, node: Node) -> str:
        """What was given of a record."""
        return self.words.gradient(node)

    def _who(self, some: Sequence[Given], *, harmless: bool = False) -> str:
        names = [self.name(one.node) for one in some]
        if harmless:
            return f"{listed(names)} {'differs' if len(names) == 1 else 'differ'} from the engine's"
        return f"{listed(names)} {'is' if len(names) == 1 else 'are'} wrong"

    def _context(self, one: Given) -> str:
        """What the gradient is made from: what was given, and what had to be taken from the engine."""
        before = made_of(self.sweeper, one.node, self.hands)
        above = [u for u in before if u is not one.node]
        if not above:
            return ""
        right = [self.words.gradient(u) for u in above if self.verdicts[u] == RIGHT]
        wrong = [self.words.gradient(u) for u in above if self.verdicts[u] != RIGHT]
        said = []
        if right:
            said.append(f"{listed(right)} before it {'is' if len(right) == 1 else 'are'} right")
        if wrong:
            said.append(f"also when made of your own {listed(wrong)}")
        if one.node in before:
            said.append("the engine's gradients stand for the other contributions to it, which were not given")
        return f" in this step ({'; '.join(said)})"

    def _step(self, one: Given) -> tuple[Node, str]:
        """The operation that a gradient comes from, and its rule where it is the only one."""
        users = self.sweeper.into[one.node]
        node, i = users[0] if users else (one.node, None)
        return node, self._rule(node, i) if len(users) == 1 else ""

    def _rule(self, node: Node, i: int | None) -> str:
        if i is None or node.is_leaf or node not in self.engine:
            return ""
        adds = len(self.sweeper.into[node.operands[i]]) > 1
        return self.words.rule(node, i, self.engine[node], adds=adds)

    def _finding(
        self,
        verdict: str,
        sentence: str,
        some: Sequence[Given],
        slip: str | None,
        node: Node,
        places: tuple[Node, ...],
        rule: str = "",
        solved: float | None = None,
    ) -> Finding:
        one = some[0]
        row = one.row(self.right[one.node])
        values = row.values if one.has_shape else None
        sentence = self.words.each_line_once(sentence)
        return Finding(
            verdict, sentence, tuple(self.name(g.node) for g in some), slip, node, places, rule,
            row.where if values else None, values[0] if values else None, values[1] if values else None, solved,
        )  # fmt: skip
