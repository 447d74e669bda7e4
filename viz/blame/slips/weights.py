"""Slips with the weights: those of another step, the regularisation term, a number misread."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from autograd import Node

from ...plain.numbers import listed, numeral
from ..powers import VIEWS
from ..pushing import Change, Edge, Sweeper, replayed
from ..trials import Scene, Trial, is_round, once, slip, times, with_reads
from .derivatives import missing
from .paths import both_sums
from .scales import counts

_READERS = frozenset({"matmul", "inner", "dot", "multiply", "tensordot", "window_product", "vecdot", "outer", "einsum"})
_SEEN = VIEWS | {"getitem", "take"}
_ADDS = VIEWS | {"add", "subtract", "negative", "sum", "mean", "absolute"}
_MOST_NUMBERS = 256
_MOST_LAYERS = 24
_MOST_ITERATIONS = 100
_MOST_NAMES = 6
_LARGEST_RATE = 10.0
Values = dict[Node, Any]


def _named(scene: Scene, weights: Iterable[Node]) -> str:
    names = [scene.words.say(p) for p in weights]
    return listed(names[:_MOST_NAMES]) + " and others" * (len(names) > _MOST_NAMES)


def _views(scene: Scene, values: Values) -> Values:
    """With what is made of one weight alone and linear in it: another shape or order, −W, 2W; rules read that."""
    found = dict(values)
    for node in scene.tape:
        of = [a for a in node.parents if a.needs_grad]
        if len(of) == 1 and of[0] in found and (node.op in _SEEN or _is_multiple(node, of[0])):
            fed = (found.get(a, scene.value(a)) if isinstance(a, Node) else a for a in node.operands)
            found[node] = np.asarray(node.rule.op(*fed, **node.kwargs))
    return found


def _is_multiple(node: Node, of: Node) -> bool:
    """Whether a record is several numbers times, or over, a single one, or of the other sign."""
    multiple = node.op in ("negative", "multiply") or (node.op == "divide" and node.operands[0] is of)
    *factors, size = sorted(np.size(a) for a in node.operands)
    return multiple and size > 1 == max(factors, default=1)


def _read(edges: Iterable[Edge], among: Collection[Node] | None = None) -> Iterator[tuple[Edge, int]]:
    """The rules of products, with the place of each operand that they read; if told, of those that are `among` some."""
    for node, i in edges:
        for k, operand in enumerate(node.operands if node.op in _READERS else ()):
            if k != i and (among is None or (isinstance(operand, Node) and operand in among)):
                yield (node, i), k


@once
def _readers(scene: Scene) -> dict[Node, Edge]:
    """The parameters that rules in question read, the last layer first, and such a rule of each."""
    seen = {view: p for p in scene.parameters for view in _views(scene, {p: scene.value(p)})}
    found: dict[Node, Edge] = {}
    for (node, i), k in _read(scene.edges(), seen):
        found.setdefault(seen[node.operands[k]], (node, i))
    return found


def _read_by_products(scene: Scene, values: Values, sweeper: Sweeper | None = None) -> Change:
    """Other values of weights in the rules of products, on the way to other records: what a regularisation term sends
    to the weights themselves was made of the old ones."""
    sweeper = sweeper or scene.sweeper
    change = Change(reads=_views(scene, values))

    def sent(node: Node, i: int) -> Callable[[Any, Any], Any]:
        return lambda g, c: sweeper.send(node, i, g, change)

    edges = ((node, i) for node in sweeper.nodes for i in sweeper.edges[node])
    return Change(edges={edge: sent(*edge) for edge, _ in _read(edges, change.reads)})


def _replay(scene: Scene, values: Values) -> Change:
    """Other values of weights, and all that is made of them."""
    return Change(reads=replayed(scene.tape, Change(reads=values)))


def _all_at_once(scene: Scene, weights: list[Node], lr: float) -> Values:
    own = scene.sweeper.base.grads
    return {n: scene.value(n) - lr * own.get(n, scene.gradients[n]) for n in weights if n in scene.gradients}


def _one_after_another(scene: Scene, weights: list[Node], lr: float) -> Values:
    """Weights each updated with the gradient that the weights updated before it lead to, the last layer first."""
    sweeper = _to_the_weights(scene)
    new: Values = {}
    for node in weights:
        new[node] = scene.value(node) - lr * sweeper.pushed(_read_by_products(scene, new, sweeper))[node]
    return new


@once
def _to_the_weights(scene: Scene) -> Sweeper:
    return Sweeper(scene.sweeper.run, _readers(scene), scene.sweeper.given, scene.sweeper.convention)


@once
def _before_the_step(scene: Scene) -> Values:
    """The values before a step that led to the weights on the tape: W₀ with W₀ − lr g(W₀) = W; or nothing."""
    old, lr = {p: scene.value(p) for p in scene.parameters if p in scene.gradients}, scene.lr or 0.0
    sweeper = Sweeper(scene.sweeper.run, old)
    for _ in range(_MOST_ITERATIONS if lr else 0):
        values = replayed(scene.tape, Change(reads=old))
        grads = sweeper.pushed(Change(reads=values))
        new = {p: np.asarray(scene.value(p) + lr * grads[p], p.dtype) for p in old}
        if all(np.allclose(new[p], old[p], rtol=1e-13, atol=1e-15) for p in old):
            return values
        if not all(np.isfinite(new[p]).all() for p in old) or scene.budget.is_spent_on("stale forward values"):
            break
        old = new
    return {}


def _at_a_rate(scene: Scene, trial: Trial) -> Trial:
    """With the learning rate where it was told, else with one that is solved for."""
    if scene.lr is None:
        return trial._replace(accepts=lambda t: 1e-6 < t <= _LARGEST_RATE)
    return trial._replace(sentence=trial.said(scene.lr), change=partial(trial.change, scene.lr))


@slip("weights already updated", 5, slow=True)
def updated(scene: Scene) -> Iterator[Trial]:
    w, read = scene.words, _readers(scene)
    choices = [([p], _all_at_once, "") for p in read]
    if 1 < len(read) <= _MOST_LAYERS:
        how = ", each before the gradient went on to the layer before"
        choices += [([*read], _all_at_once, ""), ([*read], _one_after_another, how)]
    for weights, stepped, how in choices:
        node, i = read[weights[0]]
        used = f"{_named(scene, weights)} already updated{how} (new = old − lr · gradient, lr = {{}})"
        said = f"the backward pass used {used}, where the values of the forward pass belong, at {w.made(node)}"

        def change(t: float, weights: list[Node] = weights, stepped: Any = stepped) -> Change:
            return _read_by_products(scene, stepped(scene, weights, t))

        yield _at_a_rate(scene, Trial(node, said, change, i, places=len(weights)))


@slip("two slips at once", 91, generic=3, slow=True)
def updated_and_a_derivative_missing(scene: Scene) -> Iterator[Trial]:
    """Weights already updated, and the derivative of an activation missing."""
    for first in missing.trials(scene):
        for trial in updated.trials(scene):
            scene.tried += 1
            yield trial._replace(
                sentence=lambda t, a=first, b=trial: f"two slips at once: {a.said()}; and {b.said(t)}",
                change=lambda t=None, a=first, b=trial: a.made().then(b.made(t)),
            )


def updated_as_well(scene: Scene, lr: float, but: Iterable[Node]) -> Trial | None:
    """The weights that were updated too early with the person's own gradients, where others were before."""
    weights = [p for p in _readers(scene) if p not in set(but)]
    if not weights:
        return None
    node, i = _readers(scene)[weights[0]]
    sentence = f"{_named(scene, weights)} were already updated as well, by your own gradients"
    return Trial(node, sentence, _read_by_products(scene, _all_at_once(scene, weights, lr)), i)


@slip("stale forward values", 7, slow=True)
def stale(scene: Scene) -> Iterator[Trial]:
    """All of the gradient, at weights of one step later or earlier, or as they are now."""
    weights = scene.parameters
    it = "it is" if scene.outcome is None else "the step was made with"
    what = f"{it} the gradient of another forward pass, at {_named(scene, weights)}"
    said, places = f"{what} after a step of lr = {{}}", len(weights)
    after = Trial(weights[0], said, lambda t: _replay(scene, _all_at_once(scene, weights, t)), places=places)
    yield _at_a_rate(scene, after)
    if scene.lr is not None:
        said = f"{what} before the last step, of lr = {scene.lr:g}"
        yield Trial(weights[0], said, lambda: Change(reads=_before_the_step(scene)), places=places)
    wide = [p for p in weights if p.ndim and p.shape[-1] > 1 and scene.value(p)[..., 0].any()]
    if wide:
        first = {p: np.where(np.arange(p.shape[-1]) > 0, scene.value(p), 0) for p in wide}
        said = f"{it} the gradient of another forward pass, with 0 in the first column of {_named(scene, wide)}"
        why = "as where a bias is set to 0 for a regularisation term, and is so everywhere"
        yield Trial(wide[0], f"{said}, {why}", partial(_replay, scene, first), places=places)
    now = {p: np.asarray(h.data) for p in weights if (h := p.holder and p.holder()) is not None}
    changed = {p: v for p, v in now.items() if v.shape == p.shape and not np.array_equal(v, scene.value(p))}
    if changed:
        node, names, change = next(iter(changed)), _named(scene, changed), partial(_replay, scene, changed)
        said = (
            f"this is the gradient at the weights as they are now; {names} changed after the forward pass on the tape"
        )
        yield Trial(node, f"stale forward values: {said}", change, places=len(changed))
        said = f"the backward pass read {names} as they are now, the activations as the tape recorded them"
        yield Trial(node, f"stale forward values: {said}", Change(reads=_views(scene, changed)), places=len(changed))


@slip("stale forward values", 28, slow=True)
def earlier(scene: Scene) -> Iterator[Trial]:
    """One value of the forward pass, as it was before the step of gradient descent that led to these weights."""
    values = _before_the_step(scene) if scene.outcome is None else {}
    for edge, k in _read(scene.edges(), values):
        node, other = edge[0], edge[0].operands[k]
        said = f"{scene.words.say(other)} was read as it was before the last step of lr = {scene.lr:g}"
        sentence = f"stale forward values: {said}, at {scene.words.made(node)}"
        yield scene.trial(edge, sentence, with_reads(scene.sweeper, edge, k, values[other]))


def _all_and_each(nodes: list[Node]) -> list[list[Node]]:
    return [nodes] * (len(nodes) > 1) + [[node] for node in nodes]


_COVERED = ("path left out", "shared weight at one position only", "one of the loop only", "factor", "some factor")


@slip("regularisation term", 2, covers=_COVERED)
def decay(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    leaves = [one.node for one in scene.wrong if one.node.is_leaf and one.has_shape and one.node.ndim]
    terms = {node: found for node in leaves if (found := _terms(scene).get(node)) is not None}
    known = {0.0: "missing", 2.0: "doubled", 0.5: "halved (λ/2 against λ)", -1.0: "of the wrong sign"}
    for n, what in counts(scene).items():
        known |= {1 / n: f"divided by {n:g}, {what}", n: f"multiplied by {n:g}, {what}"} if n > 2 else {}
    for nodes in _all_and_each([*terms]):
        edges = [edge for n in nodes for edge in terms[n][0]]
        node, i = edges[0]
        s, are, has = ("s", "are", "their gradients are") if len(nodes) > 1 else ("", "is", "its gradient is")
        gradients = listed([f"{terms[n][1]:.4g} {w.say(n)}" for n in nodes])
        lead = f"the regularisation term{s} of {_named(scene, nodes)} {are}"
        said = f"{lead} {{}}: {has} {gradients}, at {w.made(node)}"

        def scaled(k: float, edges: list[Edge] = edges) -> Change:
            return Change(edges=dict.fromkeys(edges, times(k)))

        into = scene.sweeper.into[nodes[0]]
        for k, how in known.items():
            formulas = partial(both_sums, scene, into, dict.fromkeys(edges, k)) if len(nodes) == 1 else None
            yield Trial(node, said.replace("{}", how), scaled(k), i, formulas=formulas)
        yield from _values_added(scene, {n: terms[n][1] for n in nodes}, scaled(0), node)
        used = {n: _uses_of_rows(scene, n) for n in nodes}
        if all(uses is not None for uses in used.values()):
            each = {edge: times(uses) for n, uses in used.items() for edge in terms[n][0]}
            yield Trial(node, said.replace("{}", "counted once for each use of a row"), Change(edges=each), i)
        some = f"{{:.4g}} times the right one{s}"
        yield Trial(
            node, lambda t, said=said, some=some: said.replace("{}", some.format(1 + t)),
            lambda t, of=scaled: of(1 + t), i, bool, places=2, linear=True,
        )  # fmt: skip
    lacking = [n for n in leaves if n not in terms and _ratio(scene.gradients[n], scene.value(n)) is None]
    given = scene.weight_decay or 0.0
    for nodes in _all_and_each(lacking):

        def added(t: float, nodes: list[Node] = nodes) -> Change:
            return Change(ends={node: partial(np.add, t * scene.value(node)) for node in nodes})

        lacks = partial(_lacks, [w.say(node) for node in nodes])
        for share, said in ((1.0, ""), (2.0, "2"), (0.5, "½")) if given else ():
            yield Trial(nodes[0], lacks(given, said), added(share * given))
        for other, (_, k) in _terms(scene).items():
            yield Trial(nodes[0], f"{lacks(k)} for {_named(scene, nodes)}, but for {w.say(other)}", added(k))
            yield from _values_added(scene, dict.fromkeys(nodes, k), Change(), nodes[0])
        if len(nodes) == len(scene.wrong):
            yield Trial(nodes[0], lacks, added, accepts=partial(_is_chosen, scene), places=2, linear=True)


def _values_added(scene: Scene, terms: Mapping[Node, float], without: Change, at: Node) -> Iterator[Trial]:
    """λΣw² added to the gradients of weights, by itself or times a number of examples."""
    for n in (1.0, *counts(scene)):
        values = {p: n * k / 2 * np.sum(np.square(scene.value(p))) for p, k in terms.items()}
        what = listed([f"{n * k / 2:.4g} Σ {scene.words.say(p)}²" for p, k in terms.items()])
        said = f"the value of a regularisation term was added in the place of its gradient: {what}"
        yield Trial(at, said, replace(without, ends={p: partial(np.add, value) for p, value in values.items()}))


def _uses_of_rows(scene: Scene, node: Node) -> Any:
    """How often each row of a table is used, as a column; None of what is no table."""
    index = [user.kwargs["index"] for user, _ in scene.sweeper.into[node] if user.op == "getitem"]
    rows = [k for k in index if isinstance(k, np.ndarray) and k.dtype.kind in "iu"]
    if not rows or len(rows) < len(index):
        return None
    uses = np.bincount(np.concatenate([np.ravel(k) % node.shape[0] for k in rows]), minlength=node.shape[0])
    return uses.reshape(-1, *[1] * (node.ndim - 1))


def _is_chosen(scene: Scene, t: float) -> bool:
    """Whether a λ is one that somebody may choose, by itself or over a number of examples: what is a multiple of the
    weights by chance is so by any number."""
    some = (t * n * k for n in (1, *counts(scene)) for k in (1, 0.5))
    return bool(t) and any(map(is_round, some))


def _lacks(names: list[str], t: float, k: str = "") -> str:
    sign, which = "+" if t > 0 else "−", f" for W = {listed(names)}" if len(names) > 1 else ""
    term = f"{k}λ{'W' if which else names[0]}{which} with λ = {abs(t):.4g}"
    why = "which the loss on this tape does not contain" if t > 0 else "so that yours lacks it"
    return f"a regularisation term: yours is the engine's gradient {sign} {term}, {why}"


@once
def _terms(scene: Scene) -> dict[Node, tuple[list[Edge], float]]:
    return {node: found for node in scene.parameters if (found := _term(scene, node)) is not None}


def _term(scene: Scene, node: Node) -> tuple[list[Edge], float] | None:
    """The rules of regularisation terms of a weight that is used elsewhere, too, and the k of their gradient kW."""
    into, sent = scene.sweeper.into[node], scene.sweeper.base.sent
    added = (edge for edge in into if _is_added(scene, edge[0]))
    some = {edge: k for edge in added if (k := _ratio(sent.get(edge), scene.value(node))) is not None}
    return ([*some], sum(some.values())) if 0 < len(some) < len(into) else None


def _is_added(scene: Scene, node: Node) -> bool:
    """Whether a record is a term of the loss, by itself or times a number."""
    while node is not scene.tape.root:
        into = scene.sweeper.into[node]
        if len(into) != 1:
            return False
        node = into[0][0]
        scaled = node.op in ("multiply", "divide") and sum(p.needs_grad for p in node.parents) == 1
        if not scaled and node.op not in _ADDS:
            return False
    return True


def _ratio(x: Any, y: Any) -> float | None:
    """k where x = k·y throughout."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.shape != y.shape or np.count_nonzero(y) < 2:
        return None
    k = float(np.sum(x * y) / np.sum(y * y))
    return k if k and np.allclose(x, k * y, rtol=1e-6, atol=1e-12 * float(np.abs(x).max())) else None


@slip("one number misread", 40)
def misread(scene: Scene) -> Iterator[Trial]:
    """One number of an operand read as another one, in one rule."""
    left = _MOST_NUMBERS
    for edge, k in _read(scene.edges()):
        (node, i), value = edge, scene.value(edge[0].operands[k])
        if not 2 <= value.size <= left:
            continue
        left -= value.size
        what, made = f"one number was misread: {scene.words.operand(node, k)}", scene.words.made(node)
        for at, unit in zip(np.ndindex(value.shape), np.eye(value.size).reshape(-1, *value.shape), strict=True):

            def change(off: float, edge: Edge = edge, k: int = k, value: Any = value, unit: Any = unit) -> Change:
                return Change(edges={edge: with_reads(scene.sweeper, edge, k, value + off * unit)})

            def sentence(off: float, what: str = f"{what}{list(at)}", right: Any = value[at], made: str = made) -> str:
                return f"{what}, which is {numeral(right, 6)}, was taken as {numeral(right + off)}, at {made}"

            yield Trial(node, sentence, change, i, accepts=bool, linear=True)
