"""Another formula altogether: put together of what a person had at hand, until it gives the numbers.

No mistake is known here. The pieces are the parts of the right formula and the values beside it, each also transposed,
summed, squared, inverted; up to three of them, joined by two operations, are tried in the place of a gradient, and sums
of two such terms. Products tell, of millions of formulas at once, which can give the numbers; only those are written
and evaluated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from autograd import Node
from autograd.testing.attempts import attempted

from ...derivation.trees import size
from ...formula.tidy import tidied
from ...formula.tree import Apply, Evaluator, Number, Tree, is_call, same
from ..fits import TWO
from ..trials import Scene, Trial, slip
from .fitting import Found, fitting
from .forms import Form, composed, rules
from .formulas import edited, where, written
from .joined import MOST_NUMBERS, grouped, joined_by_twos
from .parts import Edit, parts
from .pieces import (
    NAMELESS,
    Place,
    functions,
    is_nameless,
    numbers_of,
    pieces_of,
    plus,
    terms_of,
    variants_of,
)  # fmt: skip
from .scales import counts

_MOST_PLACES, _MOST_JOINED_AT, _MOST_WRITTEN = 40, 10, 100
"""So many gradients are tried, with joined pieces so many; so many formulas are written."""
_JOINED_WITH = 60
"""So many pieces, the shortest, are joined with joined ones."""
_EXACT = {8: 9, 4: 4, 2: 2}
"""By bytes of a number: in so many digits floats that were not rounded must agree."""
_BIT = 0.3
"""So many digits tell that a number is 0, or is right: a mask has no more."""
_A_PART = 2
"""And so many each new part of a formula takes, one more where there is one number alone."""
_FEW_NEW, _MOST_NEW = 3, 8
"""With no more new parts a shorter formula is not sought; more nobody would read."""
_FACTORS = (np.multiply, np.divide, np.matmul, np.outer, np.sum, np.transpose)


@slip("another formula", 89, generic=TWO, chancy=True)
def another_formula(scene: Scene) -> Iterator[Trial]:
    places = _places(scene)
    gathered = cache(lambda k: pieces_of(scene, places[k]))
    found: dict[Node, tuple[int, Trial]] = {}
    for joined in (False, True):
        last = max((k for k, place in enumerate(places, 1) if place.target in found), default=len(places))
        for k, place in enumerate(places[: min(last, _MOST_JOINED_AT) if joined else last]):
            if scene.budget.is_spent_on("other formulas"):
                break
            best = _at(scene, place, gathered(k), len(places), joined=joined)
            if best is not None and (place.target not in found or _order(best) < _order(found[place.target])):
                found[place.target] = best
            if place.target in found and found[place.target][0] == len(scene.wrong):
                break
        if found and all(trial.places <= _FEW_NEW for _, trial in found.values()):
            break
    yield from (trial for _, trial in found.values())


def _order(found: tuple[int, Trial]) -> tuple[int, int]:
    return found[1].places, found[1].size


def _places(scene: Scene) -> list[Place]:
    """The gradients that explain the most wrong ones first, then those nearest to them."""
    if scene.probes is None or scene.beyond:
        return []
    forms: dict[Node, list[Form]] = defaultdict(list)
    for form in [*composed(scene), *rules(scene)]:
        if 0 < form.target.size <= MOST_NUMBERS and not scene.probes.spoils(form.target):
            forms[form.target].append(form)

    def order(target: Node) -> Any:
        below = set(scene.sweeper.reached(target))
        explains = sum(one.node in below for one in scene.wrong)
        return -explains, not scene.words.has(target), scene.tape.index(target)

    found = []
    for target in sorted(forms, key=order)[:_MOST_PLACES]:
        moves, needs, doubts = scene.probes.along(target)
        some = sorted(forms[target], key=lambda form: (form.edge is not None, form.size))
        variants = variants_of(scene, some, moves, needs) if moves else []
        if variants:
            found.append(Place(target, variants, moves, doubts))
    return found


def _at(
    scene: Scene, place: Place, basis: list[tuple[Tree, Any]], places: int, *, joined: bool
) -> tuple[int, Trial] | None:
    """The shortest formula that gives the numbers, and how many of the wrong gradients it explains."""
    pieces = grouped(basis) if joined else {}
    if joined:
        made = joined_by_twos(pieces)
        top = grouped(sorted(basis, key=lambda one: size(one[0]))[:_JOINED_WITH])
    else:
        made = top = grouped([*basis, *functions(scene, place)])
    found = fitting(scene, place, top, pieces, made)
    for other in sorted(_written_out(scene, place, found), key=lambda other: other[:2]):
        if other.new > _MOST_NEW or other.length > 2 * size(other.right) + _MOST_NEW:
            continue
        explains = _given_by(scene, place, other, places)
        if explains:
            return explains, _trial(scene, other)
    return None


class _Other(NamedTuple):
    """A formula, as a whole and the part of it that is not as it should be, and the form that is right; how much of it
    is new."""

    new: int
    length: int
    form: Form
    whole: Tree
    part: Tree
    right: Tree


def _written_out(scene: Scene, place: Place, found: Iterable[Found]) -> Iterator[_Other]:
    """The shortest formulas that may give the numbers, with the one beside each that it has most in common with."""
    for _, variant, write in sorted(found, key=lambda one: one[0])[:_MOST_WRITTEN]:
        with attempted() as writing:
            tree = tidied(write())
        if writing.failed or same(tree, variant.right):
            continue
        if variant.rest is not None:
            new, (form, _), right = _new(scene, tree, variant.right), variant.forms[0], variant.right
            yield _Other(new, size(tree), form, plus(tree, variant.rest), tree, right)
        else:
            some = [(_new(scene, tree, right), size(right), k) for k, (_, right) in enumerate(variant.forms)]
            new, _, k = min(some)
            form, right = variant.forms[k]
            is_part = form.edge is not None and len(scene.sweeper.into[place.target]) > 1
            yield _Other(new + is_part, size(tree), form, tree, tree, right)


def _new(scene: Scene, tree: Tree, right: Tree) -> int:
    """How many parts of a formula, each once, are not in the right one: gradients of what has no name for several."""
    known = [part for _, part in parts(right)]
    waiting, found = [tree], 0
    while waiting:
        part = waiting.pop()
        if any(same(part, one) for one in known):
            continue
        known.append(part)
        more = isinstance(part, Number) or is_call(part, np.linalg.inv)
        found += 1 + more + NAMELESS * is_nameless(scene, part)
        scales = is_call(part, np.multiply, np.divide)
        waiting += [a for a in part.args if not (scales and _is_plain(scene, a))] if isinstance(part, Apply) else []
    return found


def _is_plain(scene: Scene, part: Tree) -> bool:
    """Whether it is a number that formulas are multiplied by: 2, ½, a number of examples."""
    return isinstance(part, Number) and (abs(part.value) in (0.5, 1, 2) or part.value in counts(scene))


def _trial(scene: Scene, other: _Other) -> Trial:
    form = other.form
    old, new = _differing(other.right, other.part)
    edit = Edit("formula", ("formula",), old, new, tidied(other.whole))
    sentence = f"{written(form, new)} was taken in the place of {written(form, old)} in {where(scene, form)}"
    return edited(scene, form, edit, sentence, places=1 + other.new)._replace(size=other.length)


def _differing(right: Tree, other: Tree) -> tuple[Tree, Tree]:
    """The smallest parts that two formulas differ in."""
    while isinstance(right, Apply) and isinstance(other, Apply) and right.rule is other.rule:
        if len(right.args) != len(other.args):
            break
        unlike = [(a, b) for a, b in zip(right.args, other.args, strict=True) if not same(a, b)]
        if len(unlike) != 1:
            break
        ((right, other),) = unlike
    return right, other


def _given_by(scene: Scene, place: Place, other: _Other, places: int) -> int:
    """How many of the wrong gradients another formula gives; none where that may be chance."""
    grads: Any = {}
    with attempted():
        grads = scene.sweeper.pushed(other.form.change(other.whole))
    explains, digits, size_of = 0, 0.0, 0
    for one in scene.wrong:
        got = grads.get(one.node)
        if got is None or not one.agrees(got):
            continue
        yours, right = one.numbers, one.picked(np.asarray(scene.sweeper.base.grads[one.node], np.float64))
        exact = _EXACT[min(one.node.dtype.itemsize, one.hand.dtype.itemsize, 8)]
        near = 10.0**-exact * np.abs(yours).max()
        if one.hand.unit is None and (np.abs(yours - one.picked(np.asarray(got, np.float64))) > near).any():
            continue
        own = (yours != 0) & (np.abs(yours - right) > near)
        with np.errstate(all="ignore"):
            different = min(len(np.unique(x[own].round(12))) for x in (np.abs(yours), np.abs(yours / right)))
        own_digits = min(one.digits_off(scene.sweeper.base.grads[one.node]), exact * different)
        digits += _BIT * (yours.size - np.count_nonzero(own)) + own_digits
        explains, size_of = explains + 1, size_of + yours.size
    needed = (_A_PART + (size_of == 1)) * (1 + other.new) + np.log10(places)
    return explains if min(digits, _digits(scene, place, _unknown(other.part, other.right))) >= needed else 0


def _unknown(part: Tree, right: Tree) -> Tree:
    """What is left of a formula without the factors that the right one has at the same place, and without numbers."""
    part, right = _without_number(part), _without_number(right)
    while is_call(part, *_FACTORS) and is_call(right, part.rule.fn):
        rest = [(a, b) for a, b in zip(part.args, right.args, strict=True) if not same(a, b)]
        if len(rest) != 1:
            break
        part, right = map(_without_number, rest[0])
    return part


def _without_number(tree: Tree) -> Tree:
    while is_call(tree, np.multiply, np.divide, np.negative):
        rest = [a for a in tree.args if a.shape] or list(tree.args)
        if len(rest) != 1:
            break
        (tree,) = rest
    return tree


def _digits(scene: Scene, place: Place, part: Tree) -> int:
    """How many digits it takes to write the numbers of a formula, but for terms that are right: one by one, over a
    count, or as multiples of the first. Those of programs with round numbers take few: many formulas give them."""
    terms = [value for term in terms_of(part) if (value := numbers_of(Evaluator(), term)) is not None]
    known = [variant.value for variant in place.variants]
    new = [x for x in terms if not any(x.shape == k.shape and np.allclose(abs(x), abs(k), atol=0.0) for k in known)]
    numbers = np.unique(np.abs(sum(new)).round(12)) if new else np.zeros(0)
    over = counts(scene)
    some = [float(number) for number in numbers if number > 0]
    each = (min(_to_write(number, over), _to_write(number / some[0], ())) for number in some[1:])
    equal = 0 if not new else np.size(sum(new)) - len(numbers)
    return _to_write(some[0], over) + sum(each) + int(_BIT * equal) if some else 0


def _to_write(number: float, over: Iterable[float]) -> int:
    """How many digits a number has, by itself or times one of some counts."""
    some = (f"{number * k:.{_EXACT[8] - 1}e}".partition("e")[0].rstrip("0") for k in (1, 3, *over))
    return min(len(text.replace(".", "")) for text in some)
