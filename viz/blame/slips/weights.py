"""Slips with the weights: updated before they were used, the regularisation term, a number misread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np

from autograd import Node

from ...plain.numbers import listed
from ..powers import VIEWS
from ..pushing import Change, Edge, Sweeper, replayed
from ..trials import Scene, Trial, ended, once, slip, times, with_reads
from .derivatives import missing
from .scales import counts

_READERS = frozenset({"matmul", "inner", "dot", "multiply", "tensordot", "window_product", "vecdot", "outer", "einsum"})
_SEEN = VIEWS | {"getitem", "take"}
_ADDS = VIEWS | {"add", "subtract", "negative", "sum", "mean", "absolute"}
_MOST_NUMBERS = 256
_MOST_LAYERS = 24
_MOST_ITERATIONS = 100


def _all_at_once(scene: Scene, weights: list[Node], lr: float) -> dict[Node, Any]:
    own = scene.sweeper.base.grads
    return {n: scene.value(n) - lr * own.get(n, scene.gradients[n]) for n in weights}


def _views(scene: Scene, values: dict[Node, Any]) -> dict[Node, Any]:
    """With the same weights seen in another shape or order, which rules read in their place."""
    found = dict(values)
    for node in scene.tape:
        if node.op in _SEEN and node.operands[0] in found:
            found[node] = np.asarray(node.rule.op(found[node.operands[0]], *node.operands[1:], **node.kwargs))
    return found


@slip("weights already updated", 5, slow=True)
def updated(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    read = _readers(scene)
    order = list(read)
    choices = [([p], _all_at_once) for p in order]
    if 1 < len(order) <= _MOST_LAYERS:
        choices += [(order, _all_at_once), (order, _one_after_another)]
    for weights, stepped in choices:
        names = listed([w.say(p) for p in weights])
        how = ", each before the gradient went on to the layer before" if stepped is _one_after_another else ""

        def change(t: float, weights: list[Node] = weights, stepped: Any = stepped) -> Change:
            return _read_by_products(scene, stepped(scene, weights, t))

        node, i = read[weights[0]]
        what = f"the backward pass used {names} already updated{how} (new = old − lr · gradient, lr = "
        rest = f"), where the values of the forward pass belong, at {w.made(node)}"
        if scene.lr is not None:
            yield Trial(node, f"{what}{scene.lr:g}{rest}", partial(change, scene.lr), i, places=len(weights))
        else:
            yield Trial(node, f"{what}{{}}{rest}", change, i, lambda t: 1e-6 < t < 1e3, len(weights))


@slip("two slips at once", 91, generic=3, slow=True)
def updated_and_a_derivative_missing(scene: Scene) -> Iterator[Trial]:
    """Weights already updated, and the derivative of an activation missing."""
    for first in missing.trials(scene):
        for trial in updated.trials(scene):
            scene.tried += 1
            said = first.said().replace("{", "{{").replace("}", "}}")
            change = partial(_after, first, trial) if trial.accepts is not None else _after(first, trial)
            yield trial._replace(sentence=f"two slips at once: {said}; and {trial.sentence}", change=change)


def _after(first: Trial, trial: Trial, t: float | None = None) -> Change:
    return first.made().then(trial.made(t))


def updated_as_well(scene: Scene, lr: float, but: Iterable[Node]) -> Trial | None:
    """The weights that were updated too early with the person's own gradients, where others were before."""
    weights = [p for p in _readers(scene) if p not in set(but)]
    if not weights:
        return None
    names = listed([scene.words.say(p) for p in weights])
    node, i = _readers(scene)[weights[0]]
    sentence = f"{names} were already updated as well, by your own gradients"
    return Trial(node, sentence, _read_by_products(scene, _all_at_once(scene, weights, lr)), i)


def _one_after_another(scene: Scene, weights: list[Node], lr: float) -> dict[Node, Any]:
    """Weights each updated with the gradient that the weights updated before it lead to, the last layer first."""
    sweeper = _to_the_weights(scene)
    new: dict[Node, Any] = {}
    for node in weights:
        new[node] = scene.value(node) - lr * sweeper.pushed(_read_by_products(scene, new, sweeper))[node]
    return new


@once
def _to_the_weights(scene: Scene) -> Sweeper:
    return Sweeper(scene.sweeper.run, _readers(scene), scene.sweeper.given, scene.sweeper.convention)


def _read_by_products(scene: Scene, values: dict[Node, Any], sweeper: Sweeper | None = None) -> Change:
    """Other values of weights in the rules of products, on the way to other records: what a regularisation term sends
    to the weights themselves was made of the old ones."""
    sweeper = sweeper or scene.sweeper
    views = _views(scene, values)
    edges: dict[Edge, Any] = {}
    for node in sweeper.nodes:
        if node.op in _READERS and any(isinstance(o, Node) and o in views for o in node.operands):
            operands = tuple(views[o] if isinstance(o, Node) and o in views else o for o in node.operands)
            change = Change(calls={node: (operands, node.kwargs)})
            for i in sweeper.edges[node]:
                if any(k != i and isinstance(o, Node) and o in views for k, o in enumerate(node.operands)):
                    edges[node, i] = partial(_sent_of, sweeper, (node, i), change)
    return Change(edges=edges)


def _sent_of(sweeper: Sweeper, edge: Edge, change: Change, g: Any, c: Any) -> Any:
    return sweeper.send(*edge, g, change)


@once
def _readers(scene: Scene) -> dict[Node, Edge]:
    """The parameters that rules in question read, the last layer first, and such a rule of each."""
    found = {p: _reader(scene, p) for p in scene.parameters if p in scene.gradients}
    read = {p: edge for p, edge in found.items() if edge is not None}
    return dict(sorted(read.items(), key=lambda pair: -scene.tape.index(pair[1][0])))


def _reader(scene: Scene, parameter: Node) -> Edge | None:
    """The rule, among those in question, that reads a parameter."""
    views = set(_views(scene, {parameter: scene.value(parameter)}))
    for node, i in scene.edges():
        if node.op in _READERS and any(
            o in views for k, o in enumerate(node.operands) if k != i and isinstance(o, Node)
        ):
            return node, i
    return None


@slip("stale forward values", 7, slow=True)
def stale(scene: Scene) -> Iterator[Trial]:
    """All of the gradient, at weights of one step later or earlier."""
    w = scene.words
    weights = [p for p in scene.parameters if p in scene.gradients]
    if not weights:
        return

    def change(t: float) -> Change:
        start = Change(reads=_all_at_once(scene, weights, t))
        return Change(reads=replayed(scene.tape, start))

    names = listed([w.say(p) for p in weights[:6]]) + (" and others" if len(weights) > 6 else "")
    it = "it is" if scene.outcome is None else "the step was made with"
    what = f"{it} the gradient of another forward pass, at {names} "
    for sign, which in ((1, "after a step of lr = "), (-1, "before a step: a step back of lr = ")):
        if scene.lr is not None:
            stepped = partial(change, sign * scene.lr)
            yield Trial(weights[0], f"{what}{which}{scene.lr:g}", stepped, places=len(weights))
    now = {p: np.asarray(h.data) for p in weights if (h := p.holder and p.holder()) is not None}
    changed = {p: v for p, v in now.items() if v.shape == p.shape and not np.array_equal(v, scene.value(p))}
    if changed:
        names = listed([w.say(p) for p in changed])
        yield Trial(
            next(iter(changed)),
            f"stale forward values: this is the gradient at the weights as they are now; {names} changed after the "
            "forward pass that the tape recorded",
            lambda: Change(reads=replayed(scene.tape, Change(reads=changed))),
            places=len(changed),
        )
        yield Trial(
            next(iter(changed)),
            f"stale forward values: the backward pass read {names} as they are now, the activations as the tape "
            "recorded them",
            Change(reads=_views(scene, changed)),
            places=len(changed),
        )
    if scene.lr is None and scene.outcome is None:
        yield Trial(
            weights[0],
            f"{what}after a step of lr = {{}}",
            change,
            accepts=lambda t: 1e-4 < abs(t) < 10,
            places=len(weights) + 1,
        )


@slip("stale forward values", 28, slow=True)
def earlier(scene: Scene) -> Iterator[Trial]:
    """One value of the forward pass, as it was before the step of gradient descent that led to these weights."""
    values = _before_the_step(scene) if scene.lr is not None and scene.outcome is None else {}
    w = scene.words
    for node, i in scene.edges() if values else ():
        if node.op not in _READERS or len(node.operands) != 2:
            continue
        other = node.operands[1 - i]
        if isinstance(other, Node) and other in values:
            yield scene.trial(
                (node, i),
                f"stale forward values: {w.say(other)} was read as it was before the last step of lr = {scene.lr:g}, "
                f"at {w.made(node)}",
                with_reads(scene.sweeper, (node, i), 1 - i, values[other]),
            )


def _before_the_step(scene: Scene) -> dict[Node, Any]:
    """The values before a step that led to the weights on the tape: W₀ with W₀ − lr g(W₀) = W; or nothing."""
    weights = [p for p in scene.parameters if p in scene.gradients]
    sweeper = Sweeper(scene.sweeper.run, weights)
    old = {p: np.asarray(scene.value(p)) for p in weights}
    for _ in range(_MOST_ITERATIONS):
        values = replayed(sweeper.tape, Change(reads=old))
        grads = sweeper.pushed(Change(reads=values))
        new = {p: np.asarray(scene.value(p) + (scene.lr or 0.0) * grads[p], p.dtype) for p in weights}
        if any(new[p].shape != p.shape or not np.isfinite(new[p]).all() for p in weights):
            return {}
        if all(np.allclose(new[p], old[p], rtol=1e-13, atol=1e-15) for p in weights):
            return replayed(sweeper.tape, Change(reads=new))
        old = new
    return {}


@slip("regularisation term", 2, covers=("path left out", "shared weight at one position only", "factor", "some factor"))
def decay(scene: Scene) -> Iterator[Trial]:
    w = scene.words
    leaves = [one.node for one in scene.wrong if one.node.is_leaf and one.has_shape and one.node.ndim]
    terms = {node: found for node in leaves if (found := _term(scene, node)) is not None}
    for nodes in ([list(terms)] if len(terms) > 1 else []) + [[node] for node in terms]:
        one = len(nodes) == 1
        who = f"the regularisation term{'' if one else 's'} of {listed([w.say(n) for n in nodes])} {_is(one)}"
        gradients = listed([f"{terms[n][1]:.4g} {w.say(n)}" for n in nodes])
        at = f": {'its gradient is' if one else 'their gradients are'} {gradients}, at {w.made(terms[nodes[0]][0][0])}"
        edges = [terms[n][0] for n in nodes]
        node, i = edges[0]
        yield Trial(node, f"{who} missing{at}", Change(edges=dict.fromkeys(edges, _no_term)), i)
        for factor, how in _scaled(scene):
            yield Trial(node, f"{who} {how}{at}", Change(edges=dict.fromkeys(edges, times(factor))), i)

        def scaled(t: float, edges: list[Edge] = edges) -> Change:
            return Change(edges=dict.fromkeys(edges, times(1 + t)))

        yield Trial(
            node,
            lambda t, who=who, at=at, one=one: f"{who} {1 + t:.4g} times the right one{'' if one else 's'}{at}",
            scaled,
            i,
            accepts=lambda t: t not in (0, -1),
            places=2,
            linear=True,
        )
    lacking = [node for node in leaves if node not in terms]
    for node in lacking if scene.weight_decay is not None else ():
        given = scene.weight_decay
        value = np.asarray(scene.value(node), np.float64)
        for share, how in ((1.0, "λW"), (2.0, "2λW, twice what it should be"), (0.5, "½λW, half of it")):
            yield Trial(
                node,
                f"yours holds a regularisation term {how} with λ = {given:g} that the loss on this tape lacks",
                ended(node, partial(np.add, share * (given or 0.0) * value)),
                kind=share,
                alike="weights",
            )
    if not lacking or len(lacking) < len(scene.wrong):
        return
    if any(_ratio(scene.gradients[node], scene.value(node)) is not None for node in lacking):
        return  # the whole gradient is such a term

    def of(t: float) -> Change:
        return Change(ends={node: partial(np.add, t * scene.value(node)) for node in lacking})

    names = [w.say(node) for node in lacking]
    term, which = (f"λ{names[0]}", "") if len(names) == 1 else ("λW", f" for W = {listed(names)}")
    yield Trial(
        lacking[0],
        lambda t: (
            f"a regularisation term: yours is the engine's gradient {'+' if t > 0 else '−'} {term}{which} with λ = "
            f"{abs(t):.4g}, " + ("which the loss on this tape does not contain" if t > 0 else "so that yours lacks it")
        ),
        of,
        accepts=lambda t: t != 0,
        places=2,
        linear=True,
    )


def _is(one: bool) -> str:
    return "is" if one else "are"


def _no_term(g: Any, c: Any) -> Any:
    return None


def _term(scene: Scene, node: Node) -> tuple[Edge, float] | None:
    """The rule of a regularisation term of a weight that is used elsewhere, too, and the k of its gradient kW."""
    into = scene.sweeper.into[node]
    for edge in into if len(into) > 1 else ():
        sent = scene.sweeper.base.sent.get(edge)
        k = None if sent is None else _ratio(sent, np.asarray(scene.value(node), np.float64))
        if k is not None and _is_added(scene, edge[0]):
            return edge, k
    return None


def _is_added(scene: Scene, node: Node) -> bool:
    """Whether a record is a term of the loss, by itself or times a number."""
    while node is not scene.tape.root:
        into = scene.sweeper.into[node]
        if len(into) != 1:
            return False
        ((node, i),) = into
        others = [o for k, o in enumerate(node.operands) if k != i]
        scaled = node.op in ("multiply", "divide") and not any(isinstance(o, Node) and o.needs_grad for o in others)
        if not scaled and node.op not in _ADDS:
            return False
    return True


def _scaled(scene: Scene) -> Iterator[tuple[float, str]]:
    yield 2.0, "doubled"
    yield 0.5, "halved (λ/2 against λ)"
    yield -1.0, "of the wrong sign"
    for n, what in counts(scene).items():
        if n > 2:
            yield 1 / n, f"divided by {n:g}, {what}"
            yield n, f"multiplied by {n:g}, {what}"


def _ratio(x: Any, y: Any) -> float | None:
    """k where x = k·y throughout."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    length = float(np.sum(y * y))
    if x.shape != y.shape or not length or np.count_nonzero(y) < 2:
        return None
    k = float(np.sum(x * y)) / length
    return k if k and np.allclose(x, k * y, rtol=1e-6, atol=1e-12 * float(np.abs(x).max())) else None


@slip("one number misread", 40)
def misread(scene: Scene) -> Iterator[Trial]:
    """One number of an operand read as another one."""
    w = scene.words
    left = _MOST_NUMBERS
    for node, i in scene.edges():
        if node.op not in _READERS or len(node.operands) != 2:
            continue
        k = 1 - i
        other = node.operands[k]
        if not hasattr(other, "shape") or not 2 <= np.size(scene.value(other)) <= left:
            continue
        left -= np.size(scene.value(other))
        value = np.asarray(scene.value(other), np.float64)
        name = w.operand(node, k)
        for at in np.ndindex(value.shape):
            yield Trial(
                node,
                partial(_misread, f"{name}{list(at)}", float(value[at]), w.made(node)),
                partial(_with_one_more, scene, (node, i), k, value, at),
                i,
                accepts=bool,
                linear=True,
            )


def _misread(place: str, right: float, made: str, off: float) -> str:
    return f"one number was misread: {place}, which is {right:.6g}, was taken as {right + off:.4g}, at {made}"


def _with_one_more(scene: Scene, edge: Edge, k: int, value: Any, at: Any, off: float) -> Change:
    """One number of an operand read as another, in one rule."""
    read = value.copy()
    read[at] += off
    return Change(edges={edge: with_reads(scene.sweeper, edge, k, read)})
