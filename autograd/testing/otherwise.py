"""What wrong gradients would be right for: the loss in another convention. They train otherwise, and stay wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..node import Node
from ..tape import Tape
from ..variables import variables
from .batches import Batches, Edge, constant_factor, handed_on
from .conventions import Convention, Derivation
from .given import Given

__all__ = ["Otherwise", "of_symmetric", "otherwise", "right_for"]

_LINEAR = frozenset({
    "sum", "mean", "average", "squeeze", "reshape", "negative", "add", "subtract", "divide", "multiply",
})  # fmt: skip
_PRODUCTS = frozenset({"matmul", "dot", "vdot", "inner"})
_MIXING = frozenset({"sum", "max", "amax", "logsumexp", "softmax", "log_softmax"})
_ENERGY = re.compile(r"([EUVH]|[PKT]E)([^A-Za-z].*)?$|(?i:.*(energy|potential|hamilton))")
"""What energies are called."""


class Otherwise(NamedTuple):
    """A loss, or a gradient, in another convention.

    Attributes
    ----------
    says : str
    parts : tuple of (frozenset of Edge, float)
        What comes through these rules is added so many times.
    ends : mapping of Node to callable
        What is made of a finished gradient.
    """

    says: str
    parts: tuple[tuple[frozenset[Edge], float], ...]
    ends: Mapping[Node, Callable[[Any], Any]] = {}


def right_for(
    tape: Tape,
    seed: Any,
    given: Mapping[Node, Given],
    engine: Mapping[Node, Any],
    convention: Convention | None = None,
) -> list[str]:
    """What gradients of which some are wrong would be right for, if they are all right for the same.

    Parameters
    ----------
    tape, seed, given, engine
        As of `recognised`.
    convention : Convention, optional
        Which they are in beside.

    Examples
    --------
    >>> from autograd import Tape, Tensor
    >>> from autograd.testing.given import Given
    >>> from autograd.testing.hand import read_hand
    >>> from autograd.testing.limits import Limits
    >>> from autograd.testing.otherwise import right_for
    >>> w = Tensor([1.0, 2.0, 4.0], name="w")
    >>> tape = Tape((w**2).mean())
    >>> dw = Given(w.node, "w", read_hand([2.0, 4.0, 8.0], "dw"), Limits(None, None))
    >>> right_for(tape, None, {w.node: dw}, tape.gradients())
    ['the sum of the loss over the batch; the loss recorded here is the mean over 3']
    """
    read = Derivation({n: one for n, one in given.items() if n in engine and one.has_shape}, engine)
    factors = {n: convention.factor(n) if convention else 1.0 for n in read.hands}
    wrong = [n for n, k in factors.items() if not (read.agrees(n, engine[n] * k, k) or read.agrees(n, engine[n]))]
    if not wrong or tape.root.size > 1 or len(read.hands) < len(given):
        return []
    held = convention.edges(tape) if convention else {}
    without: dict[frozenset[Edge], dict[Node, Any]] = {}

    def at(node: Node, other: Otherwise) -> Any:
        whole = there = np.asarray(engine[node], np.float64) * factors[node]
        with np.errstate(invalid="ignore"):
            for edges, k in other.parts:
                there = there + k * (whole - without[edges].get(node, 0.0))
        return other.ends[node](there) if node in other.ends else there

    found = []
    kinds = otherwise(tape, seed, engine, wrong, [n for n in read.hands if n not in wrong])
    for other in kinds:
        for edges, _ in other.parts:
            if edges not in without:
                without[edges] = handed_on(tape, seed, {}, {**held, **dict.fromkeys(edges, 0.0)})
        if all(read.agrees(n, at(n, other), factors[n]) for n in dict.fromkeys([*wrong, *read.hands])):
            found.append(other.says)
    return found


def otherwise(
    tape: Tape, seed: Any, engine: Mapping[Node, Any], wrong: list[Node], right: list[Node]
) -> Iterator[Otherwise]:
    """The other conventions that the loss on a tape may be thought of in, or the wrong gradients taken in, beside those
    that are right.
    """
    batches = Batches(tape, seed)
    terms = _terms(tape, batches)
    errors, weights = frozenset(terms.errors), frozenset(terms.weights)
    if tape.root not in batches.fed:  # no data, and so no penalty beside
        errors, weights = errors | weights, frozenset()
    half = 2.0 if terms.halved else 0.5
    which = "the squared error without the ½" if terms.halved else "half the squared error, ½ (ŷ − y)²"
    for m in batches.means:
        data, of_examples = batches.outermost(m), set(batches.of(m))
        over = f"the loss recorded here is the mean over {m}"
        whole = max((n.operands[i].size // max(n.size, 1) for n, i in data if n.op == "mean"), default=m)
        mixed = any(_mixes(n, m) and (n.size > 1 or n in batches.bent) for n in tape)
        of = "the batch" if whole == m and not mixed else f"the axis of length {m}"
        over = over if whole == m else f"the loss recorded here is the mean over all {whole} numbers"
        alone = all(node in of_examples for node in wrong)
        ng = " (A. Ng's dZ is so, too: to tell, give a dW or db made of it)" if alone else ""
        yield Otherwise(f"the sum of the loss over {of}; {over}{ng}", ((data, m - 1.0),))
        if errors:
            yield Otherwise(f"the sum of {which}; {over}", ((data, m - 1.0), (errors, m * (half - 1))))
        if weights:
            yield Otherwise(f"an L2 penalty that is not divided by m = {m}", ((weights, m - 1.0),))
            yield Otherwise(f"an L2 penalty that is divided by m = {m}", ((weights, 1 / m - 1),))
    if errors:
        yield Otherwise(which, ((errors, half - 1),))
    if weights:
        yield Otherwise("twice the L2 penalty recorded here, as λ·Σw² is of λ/2·Σw²", ((weights, 1.0),))
        yield Otherwise("half the L2 penalty recorded here, as λ/2·Σw² is of λ·Σw²", ((weights, -0.5),))
    yield from of_symmetric(tape, engine, wrong)
    if not batches.means:
        for n, edges in terms.sums.items():
            yield Otherwise(f"the mean over {n}; the loss recorded here is the sum", ((frozenset(edges), 1 / n - 1),))
    if any(n.is_leaf for n in wrong) and not any(n.ndim for n in right):  # beside those of constants of the forces
        negated = dict.fromkeys(wrong, np.negative)
        if _ENERGY.match(tape.root.name or variables(tape).get(tape.root, "")):
            yield Otherwise("the negative gradient, as a force is: F = −∂E/∂r", (), negated)
        elif tape.root in batches.fed and all(n in wrong for n in tape if n.is_leaf and n.needs_grad):
            yield Otherwise("an update that adds it: w += lr · yours", (), negated)


def _mixes(node: Node, m: int) -> bool:
    """Whether numbers are made of each other, so that they are of one example: those that a softmax is of."""
    return node.op in _MIXING and node.operands[0].shape == (m,)


def of_symmetric(tape: Tape, engine: Mapping[Node, Any], wrong: list[Node]) -> Iterator[Otherwise]:
    """Gradients by symmetric matrices, whose elements above and below the diagonal are one and the same variable."""
    some = [n for n in wrong if n.ndim == 2 and n.shape[0] == n.shape[1] > 1 and _is_symmetric(tape.value(n))]
    if not some:
        return
    names = ", ".join(n.name or "matrix" for n in some)
    counted = "each pair of elements is one variable: G + Gᵀ − diag G of the engine's G, as 2S⁻¹ − diag S⁻¹ of S⁻¹"
    yield Otherwise(f"a symmetric {names}, where {counted}", (), dict.fromkeys(some, _doubled))
    for side, part in (("lower", np.tril), ("upper", np.triu)):
        says = f"a symmetric {names} that its {side} triangle stands for: that of G + Gᵀ − diag G of the engine's G"
        yield Otherwise(says, (), dict.fromkeys(some, partial(_kept, part)))
    if not all(_is_symmetric(engine[n]) for n in some):
        says = f"a symmetric {names} that stays symmetric: (G + Gᵀ)/2 of the engine's G"
        yield Otherwise(says, (), dict.fromkeys(some, _halved))


def _is_symmetric(a: Any) -> bool:
    return bool(np.allclose(a, np.transpose(a), rtol=1e-12, atol=0.0))


def _doubled(g: Any) -> Any:
    return g + g.T - np.diag(np.diag(g))


def _kept(part: Callable[[Any], Any], g: Any) -> Any:
    return part(_doubled(g))


def _halved(g: Any) -> Any:
    return (g + g.T) / 2


class _Terms(NamedTuple):
    """What the loss is a sum of: the squares of what depends on data, and whether they have a factor ½; the squares of
    weights alone; and by how many numbers, the outermost sums over data.
    """

    errors: list[Edge]
    weights: list[Edge]
    sums: dict[int, list[Edge]]
    halved: bool


def _terms(tape: Tape, batches: Batches) -> _Terms:
    errors: list[Edge] = []
    weights: list[Edge] = []
    sums: dict[int, list[Edge]] = {}
    halved = False
    waiting = [(tape.root, False, False)]
    seen = set()
    while waiting:
        node, half, inner = waiting.pop()
        if node in seen or node.is_leaf:
            continue
        seen.add(node)
        edges = [(node, i) for i, a in enumerate(node.operands) if isinstance(a, Node) and a.needs_grad]
        if _is_square(node):
            (errors if node in batches.fed else weights).extend(edges)
            halved = halved or (half and node in batches.fed)
        elif node.op in _LINEAR:
            is_sum = node.op == "sum" and node in batches.fed
            for i in (i for _, i in edges):
                operand = node.operands[i]
                if is_sum and not inner:
                    for n in {operand.size // max(node.size, 1), *operand.shape} - {0, 1}:
                        sums.setdefault(n, []).append((node, i))
                waiting.append((operand, half or _has_half(tape, batches, node, i), inner or is_sum))
    return _Terms(errors, weights, sums, halved)


def _is_square(node: Node) -> bool:
    if node.op == "power":
        return np.ndim(node.operands[1]) == 0 and not isinstance(node.operands[1], Node) and node.operands[1] == 2
    same = len(node.operands) == 2 and node.operands[0] is node.operands[1]
    return node.op == "square" or (same and (node.op == "multiply" or (node.op in _PRODUCTS and node.size == 1)))


def _has_half(tape: Tape, batches: Batches, node: Node, i: int) -> bool:
    k = constant_factor(tape, node, i) or 1.0
    return any(abs(abs(k) * 2 * m - 1) < 1e-6 for m in (1, *batches.means))
