"""Every path from a value to the loss, and what each alone contributes to the gradient: why reverse mode is cheap.

The chain rule sums over all paths, each with the product of the derivatives on its edges. There can be exponentially
many; reverse mode factors the sum and goes along each edge once (Olah, "Calculus on Computational Graphs", 2015).
"""

from __future__ import annotations

import html
import operator
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autograd import Node
from autograd.listing import html_table
from autograd.operands import as_array

from ..plain.numbers import FEW, columns, norm, numeral, ordinal, padded, shape_text, signed
from ..tape.arguments import node_of
from ..tape.calls import Call
from ..tape.run import Run

__all__ = ["Edge", "Path", "Paths", "paths"]

LIMIT = 1000
_MOST_SHOWN = 7


def paths(loss: Any, x: Any, *, grad: Any = None, limit: int = LIMIT) -> Paths:
    """All paths from a value to the loss, with the derivative on each edge and what each path contributes.

    Parameters
    ----------
    loss : Tensor or Tape
        What gradients are of: a scalar, unless `grad` is given.
    x : Tensor, Node or str
        Where the paths begin: a leaf, any other record, or the name of one as it is printed (``"h"``, ``"%3"``).
    grad : array_like of the shape of `loss`, optional
        The gradient that each path starts from at the loss; needed where `loss` is not a scalar.
    limit : int, optional
        Up to so many paths can be looked at one by one. More are counted only.

    Returns
    -------
    Paths

    Raises
    ------
    TypeError
        If `loss` is no Tensor or Tape, or was computed while recording was off; if `x` is none of the above.
    KeyError
        If no record has that name; names the nearest.
    ValueError
        If `loss` is not a scalar and no `grad` is given, or no gradient flows from it.

    Examples
    --------
    >>> import viz
    >>> from autograd import Tensor
    >>> x = Tensor(3.0, name="x")
    >>> print(viz.paths(x * x + 2 * x, x))
    path                  product  running sum
    x → %1 (1st) → L    1 × 3 = 3            3
    x → %1 (2nd) → L    1 × 3 = 3            6
    x → %2 → L          1 × 2 = 2            8
    ∂L/∂x = 8, the sum over 3 paths.
    3 paths through 5 edges. Path by path: 3 products of 2 edge derivatives, 6 in all. Reverse mode: each edge once, 5.

    The number of paths is exact, however many there are:

    >>> y = x
    >>> for _ in range(100):
    ...     y = y + y
    >>> viz.paths(y, x).count == 2**100
    True
    """
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
        raise ValueError(f"paths: limit must be a non-negative integer, got {limit!r}")
    run = Run.of(loss, "paths", grad)
    return Paths(run, node_of(run.tape, x, "paths"), limit)


@dataclass(frozen=True, eq=False)
class Edge:
    """From an operand to the result of an operation.

    Attributes
    ----------
    operand, result : Node
    position : int
        Which operand of the operation it is: ``x * x`` has two edges.
    derivative : float or None
        Where both are 0-d: the derivative of the result by that operand alone.
    """

    operand: Node
    result: Node
    position: int
    derivative: float | None


@dataclass(frozen=True, eq=False)
class Path:
    """One way from a value to the loss.

    Attributes
    ----------
    edges : tuple of Edge
        In the order of the computation; none where the value is the loss itself.
    nodes : tuple of Node
        From the value to the loss: one more than `edges`.
    product : array of the shape of the value
        What it contributes to the gradient: the derivative rules, run along this path alone. Read-only.
    name : str
        ``x → h (1st) → L``; the 1st or 2nd operand, where the same record is several operands of an operation.
    """

    edges: tuple[Edge, ...]
    nodes: tuple[Node, ...]
    product: Any
    name: str

    @property
    def factors(self) -> tuple[float, ...] | None:
        """The derivatives on its edges, from the loss backward; None where an edge has none that is a number."""
        found = tuple(edge.derivative for edge in reversed(self.edges) if edge.derivative is not None)
        return found if len(found) == len(self.edges) else None

    def __len__(self) -> int:
        return len(self.edges)

    def __str__(self) -> str:
        return self.name


class Paths:
    """The paths from a value to the loss: counted always; indexed and iterated over, where they are few enough.

    Attributes
    ----------
    count : int
        How many there are, exactly.
    edges : int
        How many edges lie on any of them.
    factors : int
        How many edge derivatives are multiplied if one goes along every path by itself: the sum of their lengths.
    shortest, longest : int
        The number of edges on a shortest and on a longest path.

    Examples
    --------
    >>> import viz
    >>> from autograd import Tensor
    >>> x = Tensor(3.0, name="x")
    >>> found = viz.paths(x * x, x)
    >>> found.count, found[0].factors, float(found.total)
    (2, (3.0,), 6.0)
    """

    def __init__(self, run: Run, x: Node, limit: int):
        self.tape = run.tape
        self.node = x
        self.limit = limit
        self._run = run
        self._names = run.names
        self._count()

    def _count(self) -> None:
        """The number of paths and their lengths, by adding up along the tape: nothing is enumerated."""
        x, root = self.node, self.tape.root
        ways: dict[Node, int] = {}
        lengths: dict[Node, tuple[int, int, int]] = {}  # in all, of a shortest, of a longest
        self._into: dict[Node, list[int]] = {}
        if x in self.tape and x.needs_grad:
            ways[x], lengths[x] = 1, (0, 0, 0)
        for node in self.tape:
            if node in ways or not node.needs_grad:
                continue
            into = [i for i, a in enumerate(node.operands) if isinstance(a, Node) and a in ways]
            if into:
                before = [(ways[node.operands[i]], lengths[node.operands[i]]) for i in into]
                ways[node] = sum(count for count, _ in before)
                self._into[node] = into
                lengths[node] = (
                    sum(count + total for count, (total, _, _) in before),
                    1 + min(low for _, (_, low, _) in before),
                    1 + max(high for _, (_, _, high) in before),
                )
        self.count = ways.get(root, 0)
        self.factors, self.shortest, self.longest = lengths.get(root, (0, 0, 0))
        self.edges = 0
        waiting, seen = [root], {root}
        while waiting:
            node = waiting.pop()
            for i in self._into.get(node, ()):
                self.edges += 1
                operand = node.operands[i]
                if operand not in seen:
                    seen.add(operand)
                    waiting.append(operand)

    @cached_property
    def gradient(self) -> Any:
        """What the engine computes, which is the sum over all paths; None where there is no path."""
        return self._run.gradients.get(self.node)

    # --- as a sequence

    def __bool__(self) -> bool:
        return self.count > 0

    def __len__(self) -> int:
        self._check_few()
        return self.count

    def __getitem__(self, k: int) -> Path:
        self._check_few()
        try:
            return self._all[operator.index(k)]
        except TypeError:
            raise TypeError(f"a path is chosen by an integer, got {k!r}") from None
        except IndexError:
            raise IndexError(f"there are {_many(self.count, 'path')} from {self._name} to {self._names.loss}, no path "
                             f"{k}") from None  # fmt: skip

    def __iter__(self) -> Iterator[Path]:
        self._check_few()
        return iter(self._all)

    def _check_few(self) -> None:
        if self.count > self.limit:
            raise ValueError(
                f"there are {_digits(self.count)} paths from {self._name} to {self._names.loss}, more than {self.limit}"
                ": .count and .gradient are known, the paths themselves are not listed (limit= raises the limit)"
            )

    @cached_property
    def _all(self) -> list[Path]:
        """Every path, found backward from the loss; a gradient is pulled along a shared end only once."""
        found = []
        waiting: list[tuple[Node, Any, Any]] = [(self.tape.root, self._run.seed, None)] if self.count else []
        calls: dict[tuple[Node, int], tuple[Call, Edge]] = {}
        while waiting:
            node, g, after = waiting.pop()
            if node is self.node:
                found.append(self._path(g, after))
                continue
            for i in reversed(self._into[node]):
                if (node, i) not in calls:
                    calls[node, i] = (call := Call(node, i)), self._edge(call, node, i)
                call, edge = calls[node, i]
                waiting.append((edge.operand, call.pull(g), (edge, after)))
        return found

    def _edge(self, call: Call, node: Node, i: int) -> Edge:
        operand = node.operands[i]
        scalar = node.shape == () == operand.shape and "c" not in (node.dtype.kind, operand.dtype.kind)
        return Edge(operand, node, i, float(call.pull(node.dtype.type(1))) if scalar else None)

    def _path(self, product: Any, after: Any) -> Path:
        edges = []
        while after is not None:
            edge, after = after
            edges.append(edge)
        nodes = (self.node, *(edge.result for edge in edges))
        return Path(tuple(edges), nodes, as_array(np.array(product)), self._described(nodes[0], edges))

    def _described(self, first: Node, edges: list[Edge]) -> str:
        steps = [self._names.of(first)]
        for edge in edges:
            same = [i for i, a in enumerate(edge.result.operands) if a is edge.operand]
            which = f" ({ordinal(same.index(edge.position) + 1)})" if len(same) > 1 else ""
            steps.append(self._names.of(edge.result) + which)
        if len(steps) > _MOST_SHOWN:
            steps = [*steps[: _MOST_SHOWN - 3], f"… {len(steps) - _MOST_SHOWN + 1} more …", *steps[-2:]]
        return " → ".join(steps)

    # --- what they add up to

    @cached_property
    def total(self) -> Any:
        """The sum of the products of all paths, which is the gradient; zeros where there is no path.

        Raises
        ------
        ValueError
            If there are more paths than `limit`.
        """
        total = np.zeros(self.node.shape, self.node.dtype)
        with np.errstate(all="ignore"):
            for path in self:
                total = total + path.product
        return as_array(total)

    # --- as text

    @property
    def _name(self) -> str:
        node = self.node
        if node in self.tape:
            return self._names.of(node)
        return node.name or f"that Tensor of shape {shape_text(node.shape)}"

    def __repr__(self) -> str:
        return f"<Paths from {self._name} to {self._names.loss}: {self._counted()}>"

    def _counted(self) -> str:
        return f"{_many(self.count, 'path')} through {_many(self.edges, 'edge')}"

    def __str__(self) -> str:
        if not self.count:
            return f"There is no path from {self._name} to {self._names.loss}: {self._why_none()}."
        return "\n".join([*self._table(), *self._sentences()])

    def _repr_html_(self) -> str:
        if not self.count:
            return f"<p>{html.escape(str(self))}</p>"
        table = html_table(self._rows()) if self.count <= self.limit else ""
        return table + "".join(f"<p>{html.escape(sentence)}</p>" for sentence in self._sentences())

    def _sentences(self) -> list[str]:
        over = "the sum over " + (f"{_digits(self.count)} paths" if self.count > 1 else "1 path")
        gradient = f"{self._names.gradient(self.node)} = {_short(self.gradient)}, {over}."
        more = f"They are not listed: there are more than {self.limit}."
        return [gradient, self._sentence(), *([more] if self.count > self.limit else [])]

    def _why_none(self) -> str:
        if self.node not in self.tape:
            return "it is not on the tape"
        if not self.node.needs_grad:
            return "it requires no gradient"
        return "an operation without a derivative stands between"

    def _rows(self) -> list[tuple[str, str, str]]:
        rows = [("path", "product", "running sum")]
        running = np.zeros(self.node.shape, self.node.dtype)
        for path in self:
            with np.errstate(all="ignore"):
                running = running + path.product
            rows.append((path.name, self._product_text(path), _short(running)))
        return rows

    def _table(self) -> list[str]:
        if self.count > self.limit:
            return []
        rows = self._rows()
        widths = [max(columns(row[c]) for row in rows) for c in range(3)]
        return [
            f"{padded(name, widths[0])}  {' ' * (widths[1] - columns(product))}{product}"
            f"  {' ' * (widths[2] - columns(total))}{total}"
            for name, product, total in rows
        ]

    def _product_text(self, path: Path) -> str:
        factors = path.factors
        if factors is None or not 1 < len(factors) <= _MOST_SHOWN:
            return _short(path.product)
        seed = [] if self._run.seed == 1 else [numeral(self._run.seed)]
        first, *rest = [*seed, *map(numeral, factors)]
        signs = [f"({n})" if n.startswith("−") else n for n in rest]
        return f"{' × '.join([first, *signs])} = {_short(path.product)}"

    def _sentence(self) -> str:
        if not self.edges:
            return f"1 path of no edges: {self._name} is what gradients are of."
        low, high = self.shortest, self.longest
        each = f"{low} to {high} edge derivatives" if low < high else _many(high, "edge derivative")
        return (
            f"{self._counted()}. Path by path: {_many(self.count, 'product')} of {each}, {_digits(self.factors)} in "
            f"all. Reverse mode: each edge once, {self.edges}."
        )


def _short(array: Any) -> str:
    """A number, a few numbers, or shape and norm."""
    array = np.asarray(array)
    if array.ndim == 0:
        return numeral(array)
    if array.ndim == 1 and 0 < array.size <= FEW // 2:
        return f"[{' '.join(numeral(v) for v in array)}]"
    return f"{shape_text(array.shape)} ‖{signed(norm(array))}‖"


def _digits(n: int) -> str:
    """A count in full, or about how large it is."""
    if n < 10**15:
        return str(n)
    exponent = 0
    while n >= 10**15:
        n, exponent = n // 10, exponent + 1
    power = len(str(n)) - 1
    return f"about {n / 10**power:.3g}·10^{power + exponent}"


def _many(n: int, what: str) -> str:
    return f"{_digits(n)} {what}{'s' * (n != 1)}"
