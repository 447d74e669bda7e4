"""Slips in a formula: a small edit of what a person would have written, evaluated instead of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from autograd.testing.attempts import attempted

from ...formula import Formula, value_symbol
from ...formula.tree import Evaluator, Number, Tree, is_call, rebuilt, substituted, symbols
from ...plain.numbers import number
from ..pushing import Edge
from ..trials import Scene, Slip, Trial, handed_on, once, rounded, slip, times
from .activations import written_out
from .edits import far, near, numbers, times_a_number, values
from .forms import Form, composed, is_negative, rule, rules
from .leaves import for_another
from .parts import Edit


class Candidate(NamedTuple):
    """An edit that may give the numbers, as far as one product tells."""

    form: Form
    edit: Edit
    added: Any


def edited(scene: Scene, form: Form, edit: Edit, sentence: str = "", **more: Any) -> Trial:
    """Another formula in the place of one; the sentence is made when it is asked for."""
    later: Callable[[None], str] = lambda solved: sentence or said(scene, form, edit)
    formulas = partial(both_formulas, scene, form, edit)
    return Trial(form.node, later, form.change(edit.tree), form.operand, formulas=formulas, size=form.size, **more)


def scaled(scene: Scene, edge: Edge, k: float, sentence: str, **more: Any) -> Trial:
    """What a rule sends times a number."""
    return scene.trial(edge, sentence, times(k), formulas=partial(_times, scene, edge, k), **more)


def _times(scene: Scene, edge: Edge, k: float) -> tuple[str, str]:
    form = rule(scene, edge)
    if form is None:
        return "", ""
    right = form.formula.tree
    tree = times_a_number(right, k)
    return both_formulas(scene, form, Edit("constant", (k,), right, tree, tree))


def both_formulas(scene: Scene, form: Form, edit: Edit) -> tuple[str, str]:
    """The formula that was used, and the right one."""
    target = form.formula.target
    tree = rebuilt(edit.tree, _without_one)
    yours = Formula(target, tree, form.formula.notes, form.formula.adds)
    adds = form.edge is not None and len(scene.sweeper.into[form.target]) > 1
    return scene.words.equation(yours, adds=adds), scene.words.equation(form.formula, adds=adds)


def _without_one(part: Tree) -> Tree:
    """A product with 1 as what it is."""
    if not is_call(part, np.multiply):
        return part
    others = [a for a in part.args if not (isinstance(a, Number) and np.all(a.value == 1))]
    return others[0] if len(others) == 1 else part


def written(form: Form, part: Tree, *, alone: bool = False) -> str:
    text = Formula(form.formula.target, part).plain()
    return f"({text})" if is_call(part, np.add, np.subtract, np.negative) and not alone else text


def where(scene: Scene, form: Form) -> str:
    return f"{form.formula.target.name}, at {scene.words.made(form.node)}"


_TAKEN = "{new} was taken in the place of {old} in {here}"
_KINDS = {
    "factor": ("factor of the rule left out", "the factor {old} was left out of {here}"),
    "term": ("term of the rule left out", "the term {old} was left out of {here}"),
    "sign": ("sign in the rule", _TAKEN),
    "power": ("power in the rule", _TAKEN),
    "division": ("product and quotient mixed up", _TAKEN),
    "added": ("sum in the place of a product", _TAKEN),
    "constant": ("constant in the rule", _TAKEN),
    "local": (
        "local derivative missing", "the local derivative is missing at {made}: {new} was handed on to {to} as it is",
    ),
    "value": ("value in the place of its derivative", _TAKEN),
    "function": ("function in the place of another", _TAKEN),
    "bracket": ("bracket left out", _TAKEN),
    "upstream": (
        "upstream gradient not multiplied in",
        "the local derivative was taken alone, without the factor {old}{value} of the chain rule, in {here}",
    ),
    "divided": ("divided once too often", "it was divided by {old} once too often in {here}"),
    "again": ("factor taken twice", "the factor {old} was multiplied in once too often in {here}"),
    "assigned": (
        "assigned instead of accumulated",
        "what comes from several places was assigned, so that the last one alone was kept, in {here}",
    ),
    "axis": ("sum over another axis", _TAKEN),
    "index": (
        "index that repeats",
        "an index comes more than once{within}, and of its contributions only the last was kept, in {here}",
    ),
    "before": (
        "value before the activation", "{new} instead of {old}, the value before the activation, was taken in {here}",
    ),
    "diagonal": (
        "only the diagonal of the Jacobian",
        "the diagonal of the Jacobian alone was taken, as if no element depended on another one, in {here}",
    ),
    "loop": ("one of the loop only", "of what a loop adds up not all was added in {here}"),
    "once": ("counted once", "what has to be counted each time was counted once in {here}"),
    "outside": (
        "outside of the loop", "a factor was multiplied in outside of the loop, with its last value, in {here}",
    ),
    "order": (
        "order of a product", "factors were multiplied in the other order: {new} in the place of {old}, in {here}",
    ),
    "elementwise": ("product element by element", _TAKEN),
    "flipped": ("kernel flipped", _TAKEN),
    "transpose": ("transpose", "{new} was taken in the place of {its}{old} in {here}"),
    "exchanged": ("operands exchanged", "operands were exchanged in {here}"),
    "own": ("derivative by the other operand", _TAKEN),
    "other": ("another value in the place of an operand", _TAKEN),
    "at": ("derivative at another value", _TAKEN),
    "gradient": ("another gradient in the place of the upstream one", _TAKEN),
}  # fmt: skip
"""What edits are called, and said to be, the likeliest first."""
NAMES = {kind: name for kind, (name, _) in _KINDS.items()}


def said(scene: Scene, form: Form, edit: Edit) -> str:
    """What was done, in words."""
    w, new = scene.words, edit.tree if edit.kind == "local" else edit.new
    same = next((s.array for s in symbols(edit.old) if s.kind == "gradient" and np.ptp(s.array) == 0), None)
    sentence = _KINDS[edit.kind][1]
    if edit.kind == "transpose" and edit.place[-1] == "all":
        sentence = "transposes were left out of {here}"
    elif edit.kind == "axis" and edit.place[0] == "all":
        sentence = f"the sums of gradients went over axis {edit.place[1]} in {{here}}"
    is_transposed = is_call(edit.old, np.transpose, np.swapaxes)
    which = "the transpose " * (edit.kind == "transpose" and not is_transposed)
    return sentence.format(
        old=written(form, edit.old, alone=edit.kind == "term"),
        new="" if new is None else which + written(form, new),
        here=where(scene, form), made=w.made(form.node), to=w.say(form.target),
        value="" if same is None else f" = {number(np.ravel(same)[0])}", its="its transpose " * is_transposed,
        within=edit.place[-1],
    )  # fmt: skip


# --- parts of a rule --------------------------------------------------------------------------------------------------


@once
def _near_edits(scene: Scene) -> dict[str, list[tuple[Form, Edit]]]:
    found: dict[str, list[tuple[Form, Edit]]] = defaultdict(list)
    for form in rules(scene):
        if scene.budget.is_spent_on("parts of a rule"):
            break
        tree = form.formula.tree
        for edit in (*near(tree), *values(tree), *_by_the_other(scene, form)):
            found[edit.kind].append((form, edit))
    return found


def _by_the_other(scene: Scene, form: Form) -> Iterator[Edit]:
    """A factor itself for the derivative by it, which is the other one."""
    if form.node.op == "multiply" and form.edge is not None and form.operand is not None:
        own, other = form.target, form.node.operands[1 - form.operand]
        known = (s for s in form.formula.symbols if (s.node is other or s.array is other) and s.kind != "gradient")
        symbol = next(known, None) if own is not other else None
        if symbol is not None:
            stands = value_symbol(own, scene.words, scene.value)
            yield Edit("own", ("own",), symbol, stands, substituted(form.formula.tree, {id(symbol): stands}))


def near_trials(scene: Scene, kind: str) -> Iterator[Trial]:
    """A change of a kind at each step."""
    for form, edit in _near_edits(scene)[kind]:
        inside = form.edge is not None and form.node.op != "subtract" and form.node in written_out(scene)
        if edit.place[-1:] != ("lost",) or not (inside or is_negative(form.node, by_name=True)):
            yield edited(scene, form, edit, kind=(form.kind, edit.place))


_LIKELY = {
    "local": 35, "upstream": 35, "own": 35, "factor": 40, "term": 41, "sign": 42, "power": 43, "division": 43,
    "added": 43,
}  # fmt: skip
for _kind, _rank in _LIKELY.items():
    _entry = slip(NAMES[_kind], _rank, generic=True, chancy=_rank >= 40)
    globals()[f"near_{_kind}"] = _entry(partial(near_trials, kind=_kind))


@slip("upstream gradient not multiplied in", 35, generic=True)
def at_the_start(scene: Scene) -> Iterator[Trial]:
    root = scene.tape.root
    if not np.all(np.asarray(scene.sweeper.run.seed) == 1):
        name = scene.words.say(root)
        sentence = f"the gradient that is handed in for {name} was not multiplied in, as if it were 1 everywhere"
        yield Trial(root, sentence, handed_on(scene.sweeper, root, np.ones_like))


# --- all edits, of all formulas ---------------------------------------------------------------------------------------


@once
def _candidates(scene: Scene) -> dict[str, list[Candidate]]:
    """Of all edits those that one product does not rule out."""
    found: dict[str, list[Candidate]] = defaultdict(list)
    evaluated, seen = Evaluator(), set()
    for form in [*rules(scene), *composed(scene)]:
        base = value_of(evaluated, form, form.formula.tree)
        if base is None:
            continue
        others = _other_numbers(scene, evaluated, form, base)
        some: list[Iterable[Edit]] = [far(form.formula.tree), others, for_another(scene, form)]
        some = [near(form.formula.tree), *some] if form.edge is None else some
        for edits in some:
            if scene.budget.is_spent_on("small edits of formulas"):
                return found
            for edit in edits:
                value = value_of(evaluated, form, edit.tree)
                if value is None:
                    continue
                scene.tried += 1
                added = [(form.target, value - base)]
                if scene.probes is not None:
                    if scene.probes.rules_out_added(added):
                        continue
                    effect = edit.kind, f"{scene.probes.effect(added):.6g}"
                    if effect in seen and (form.edge is None or edit.kind == "constant"):
                        continue  # said by the rule already
                    if not _is_solved(edit):  # another form may have a simpler one
                        seen.add(effect)
                found[edit.kind].append(Candidate(form, edit, added))
    return found


def _is_solved(edit: Edit) -> bool:
    """Whether it has a number that the gradients tell."""
    return edit.kind == "constant" and edit.place[0] in ("solved", "times")


def _other_numbers(scene: Scene, evaluated: Evaluator, form: Form, base: Any) -> Iterator[Edit]:
    """Another number in the place of one: the one that it takes, where the formula is linear in it."""
    several = len(scene.sweeper.into[form.target]) > 1  # of one alone a multiple is said of the gradient
    for right, old, written in numbers(form.formula.tree):
        as_a_whole = old is form.formula.tree
        simple = [] if as_a_whole else _simple(right)
        some = _solved(scene, evaluated, form, base, right, written) if several or not as_a_whole else []
        for k in simple if some is None else some:
            new, tree = written(k)
            how = "times" if as_a_whole else "simple" if k in simple else "solved"
            yield Edit("constant", (how, right, k), old, new, tree)


def _simple(right: float) -> list[float]:
    """What a number is taken for the most often."""
    some = (2 * right, right / 2, right * right, 1 / (right or 1), right + 1, right - 1, 4 * right, right / 4, 1.0)
    return [k for k in dict.fromkeys(some) if k not in (right, 0)]


def _solved(
    scene: Scene,
    evaluated: Evaluator,
    form: Form,
    base: Any,
    right: float,
    written: Callable[[float], tuple[Any, Tree]],
) -> list[float] | None:
    """The numbers that it may take, of those that somebody writes; None where that can't be told."""
    if scene.probes is None:
        return None
    some = [value_of(evaluated, form, written(right + by)[1]) for by in (1, 2)]
    if some[0] is None or some[1] is None:
        return None
    if not np.allclose(some[1] - base, 2 * (some[0] - base), atol=1e-9 * np.abs(base).max()):
        return None
    found, doubt = scene.probes.multiple([(form.target, some[0] - base)])
    return rounded(right, right + found, doubt) if found else []


def value_of(evaluated: Evaluator, form: Form, tree: Tree) -> Any:
    """The numbers of a formula; None where there are none."""
    value = None
    with attempted() as trial, np.errstate(all="ignore"):
        value = np.asarray(evaluated(tree), np.float64)
        value = value if value.shape == form.target.shape else np.broadcast_to(value, form.target.shape)
    return value if not trial.failed and value is not None and np.isfinite(value).all() else None


_OF_A_NUMBER = 4
"""Digits of which another number takes account."""
_COVERED = {"factor": "constant", "sign": "gradient", "constant": "gradient"}
"""Edits in other words, or of a multiple."""


def _of_kind(kind: str, rank: int) -> Slip:
    covered = tuple(NAMES[k] for k in [_COVERED.get(kind)] if k)

    @slip(NAMES[kind], rank, generic=2, covers=covered, chancy=True)
    def found(scene: Scene) -> Iterator[Trial]:
        for form, edit, _ in _candidates(scene).get(kind, ()):
            places = 1 + (edit.kind == "other" or edit.place[0] in ("times", "by"))
            yield edited(scene, form, edit, places=places, free=_OF_A_NUMBER * _is_solved(edit))

    return found


for _rank, _kind in enumerate(kind for kind in NAMES if kind != "own"):
    globals()[f"edit_{_kind}"] = _of_kind(_kind, 50 + _rank)
