"""From a tape to the plain data of a picture: names, expressions, values, gradients, local derivatives."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import Node, Scope, Tape, sweep
from autograd.listing import option_text

from .collapse import Unit, units_of
from .model import Box, Edge, Frame, Graph, Kind, Learned, Quantity
from .numbers import clean, number

_INFIX = {"add": "+", "subtract": "-", "multiply": "×", "divide": "/", "power": "^", "matmul": "@", "remainder": "%"}
_RESHAPING = frozenset({"reshape", "transpose", "expand_dims", "squeeze", "ravel", "swapaxes", "moveaxis"})
_SMALL = 15
_MOST_SHARED = 4
_MOST_INSIDE = 3


@dataclass(frozen=True, eq=False)
class _Leaf:
    """A leaf or constant array beside the operations that it is drawn for."""

    node: Node | None
    array: Any
    ends: tuple[tuple[int, Node, int], ...]  # (unit, operation, operand)
    copy: int = 0
    copies: int = 1


def read(
    tape: Tape, *, level: str = "auto", direction: str | None = None, max_nodes: int | None = 60, grad: Any = None
) -> Graph:
    """The picture of a tape as plain data. See `viz.draw` for the arguments."""
    return _Reader(tape, level, direction, max_nodes, grad).graph()


class _Reader:
    def __init__(self, tape: Tape, level: str, direction: str | None, max_nodes: int | None, grad: Any):
        self.tape = tape
        self.direction = direction
        root = tape.root
        taken = any(node.name == "L" for node in tape if node is not root)
        self.loss = clean(root.name, 24) if root.name else ("L" if not taken else f"%{len(tape) - 1}")
        self.gradients: dict[Node, Any] = {}
        self.alarms: dict[Node, str] = {}
        self.notes: list[str] = []
        if root.needs_grad:
            self._sweep(grad)
        else:
            self.notes.append("no gradient flows: forward only")
        self._find_births()
        self.uses = _uses(tape)
        self.units, note = units_of(tape, level, max_nodes, lambda units: len(units) + len(self._leaves(units)))
        if note:
            self.notes.append(note)
        self.leaves = self._leaves(self.units)

    # --- numbers

    def _sweep(self, grad: Any) -> None:
        for step in self.tape.steps(grad):
            self.gradients[step.node] = step.grad
            if _bad(step.grad):
                continue
            for contribution in step.contributions:
                bad = _bad(contribution.dense())
                if bad:
                    self.alarms[step.node] = f"{bad} born in its gradient"

    def _find_births(self) -> None:
        for node in self.tape:
            bad = _bad(self.tape.value(node))
            if not bad:
                continue
            if node.is_leaf:
                self.alarms[node] = f"{bad} in the data"
            elif not any(_bad(self.tape.value(p)) if isinstance(p, Node) else _bad(p) for p in node.operands):
                self.alarms[node] = f"{bad} born here"

    def _value(self, node: Node) -> Quantity:
        return Quantity(self._name(node), self.tape.value(node))

    def _grad(self, node: Node) -> Quantity:
        found = self.gradients.get(node)
        return Quantity(f"∂{self.loss}/∂{self._name(node)}", None if found is None else np.asarray(found))

    # --- names

    def _name(self, node: Node, limit: int = 24) -> str:
        if node is self.tape.root:
            return clean(self.loss, limit)
        return clean(node.name, limit) if node.name else f"%{self.tape.index(node)}"

    def _operand(self, operand: Any) -> str:
        if isinstance(operand, Node):
            return self._name(operand)
        if np.ndim(operand) == 0:
            return number(operand) if isinstance(operand, int | float | np.generic | np.ndarray) else repr(operand)
        return f"const{np.shape(operand)}"

    def expression(self, node: Node) -> str:
        """How an operation is written: ``%5 + b⁽¹⁾``, ``sum(%3, axis=1)``."""
        operands = [self._operand(a) for a in node.operands]
        sign = _INFIX.get(node.op)
        if sign and len(operands) == 2:
            if sign == "×" and all(isinstance(a, Node) and a.shape for a in node.operands):
                sign = "⊙"
            return f"{operands[0]} {sign} {operands[1]}"
        if node.op == "negative":
            return f"-{operands[0]}"
        if node.op == "getitem":
            return f"{operands[0]}[{_index_text(node.kwargs.get('index'))}]"
        options = option_text(node)
        shown = operands if len(operands) <= 4 else [*operands[:2], "…", operands[-1]]
        return f"{node.op}({', '.join([*shown, *([options] if options else [])])})"

    # --- leaves

    def _leaves(self, units: Sequence[Unit]) -> list[_Leaf]:
        """The leaves and constant arrays that get boxes of their own: one copy for each use where sharing one would
        pull the layout together, none where a layer lists them inside."""
        ends: dict[Any, list[tuple[int, Node, int]]] = {}
        shown: dict[Any, tuple[Node | None, Any]] = {}
        inside = Counter(u for u, unit in enumerate(units) if not unit.is_op for _ in _inputs(unit))
        for u, unit in enumerate(units):
            if not unit.repeats:
                continue
            for node in unit.nodes:
                for i, operand in enumerate(node.operands):
                    if isinstance(operand, Node):
                        if not operand.is_leaf:
                            continue
                        if not unit.is_op and (operand.op == "parameter" or inside[u] > _MOST_INSIDE):
                            continue
                        key: Any = operand
                        shown[key] = operand, None
                    elif unit.is_op and isinstance(operand, np.ndarray) and operand.size > 1:
                        key = (node, i)
                        shown[key] = None, operand
                    else:
                        continue
                    ends.setdefault(key, []).append((u, node, i))
        small = len(units) <= _SMALL
        leaves = []
        for key, (leaf, array) in shown.items():
            mine = ends[key]
            users = list(dict.fromkeys(u for u, _, _ in mine))
            learned = leaf is not None and leaf.op == "parameter"
            if len(users) == 1 or small or (not learned and len(users) <= _MOST_SHARED):
                leaves.append(_Leaf(leaf, array, tuple(mine)))
                continue
            for copy, user in enumerate(users):
                leaves.append(_Leaf(leaf, array, tuple(e for e in mine if e[0] == user), copy, len(users)))
        return leaves

    # --- boxes

    def graph(self) -> Graph:
        """The picture."""
        ids = _unit_ids(self.units, self.tape)
        boxes: list[Box] = []
        edges: list[Edge] = []
        members: dict[str, tuple[Scope, ...]] = {}
        beside: dict[int, list[_Leaf]] = {}
        for leaf in self.leaves:
            beside.setdefault(leaf.ends[0][0], []).append(leaf)
        for u, unit in enumerate(self.units):
            for leaf in beside.get(u, ()):
                box = self._leaf_box(leaf)
                boxes.append(box)
                folded = leaf.node is None or leaf.node.op == "parameter"
                members[box.id] = _common([self.units[user].around for user, _, _ in leaf.ends]) if folded else ()
                edges += self._leaf_edges(leaf, box.id, ids)
            boxes.append(self._unit_box(unit, ids[u]))
            members[ids[u]] = unit.around
        edges += self._unit_edges(ids)
        if not self.units:
            boxes.append(self._leaf_box(_Leaf(self.tape.root, None, ())))
        scalar = all(box.shape == () for box in boxes)
        direction = self.direction or ("LR" if scalar and len(boxes) <= _SMALL else "TB")
        frames, outside = _frames(members, [box.id for box in boxes])
        return Graph(self.loss, direction, tuple(boxes), tuple(edges), frames, outside, tuple(self.notes))

    def _leaf_box(self, leaf: _Leaf) -> Box:
        node = leaf.node
        if node is None:
            user, i = leaf.ends[0][1:]
            nothing = Quantity("", None)
            value = Quantity("", np.asarray(leaf.array))
            box_id = f"%{self.tape.index(user)}.{i}"
            return Box(box_id, "constant", "constant", "", np.shape(leaf.array), value, nothing)
        kind: Kind = "learned" if node.op == "parameter" else "input"
        badges = []
        uses = self.uses.get(node, 1)
        if kind == "learned" and uses > 1:
            badges.append(f"each weight used ×{uses}")
        if leaf.copies > 1:
            badges.append(f"copy {leaf.copy + 1} of {leaf.copies}")
        box_id = f"%{self.tape.index(node)}" + (f".{leaf.copy + 1}" if leaf.copies > 1 else "")
        return Box(
            box_id, kind, self._name(node), "", node.shape, self._value(node), self._grad(node), tuple(badges),
            self.alarms.get(node, ""), brief=leaf.copy > 0,
        )  # fmt: skip

    def _unit_box(self, unit: Unit, box_id: str) -> Box:
        node = unit.nodes[-1]
        loss = self.tape.root in unit.nodes
        if loss:
            node = self.tape.root
        value, grad = self._value(node), self._grad(node)
        alarm = next((self.alarms[n] for n in unit.nodes if n in self.alarms), "")
        source = str(node.source or "")
        if unit.is_op:
            title = f"{self._name(node)} = {self.expression(node)}"
            kind: Kind = "loss" if loss else "intermediate"
            return Box(box_id, kind, title, clean(node.op), node.shape, value, grad, (), alarm, source=source)
        learned = self._learned(unit)
        inputs = len(set(_inputs(unit)))
        badges = []
        if inputs and (not unit.repeats or inputs > _MOST_INSIDE):
            badges.append(f"{inputs} input{'s' * (inputs != 1)} inside")
        if unit.scope is not None:
            kind = "layer"
            title = _scope_title(unit.scope)
        else:
            kind = "folded"
            title = _run_title(unit)
        count = len(unit.nodes)
        op = f"{count} operations" if count > 1 else clean(unit.nodes[0].op)
        return Box(
            box_id, kind, title, op, node.shape, value, grad, tuple(badges), alarm, learned, source
        )  # fmt: skip

    def _learned(self, unit: Unit) -> tuple[Learned, ...]:
        found = dict.fromkeys(a for node in unit.nodes for a in node.parents if a.op == "parameter" and a.is_leaf)
        return tuple(Learned(self._name(p), p.shape, self._value(p), self._grad(p), self.uses.get(p, 1)) for p in found)

    # --- edges

    def _leaf_edges(self, leaf: _Leaf, box_id: str, ids: Sequence[str]) -> Iterator[Edge]:
        folded = leaf.node is None or leaf.node.op == "parameter"
        flows = leaf.node is not None and leaf.node in self.gradients
        drawn = set()
        for u, node, i in leaf.ends:
            single = self.units[u].is_op
            if single or u not in drawn:
                drawn.add(u)
                local = self._local(node, i) if single else None
                yield Edge(box_id, ids[u], local, self._local_label(node, i, local), folded, flows)

    def _unit_edges(self, ids: Sequence[str]) -> Iterator[Edge]:
        unit_of = {node: u for u, unit in enumerate(self.units) for node in unit.nodes}
        drawn: set[tuple[int, int]] = set()
        for u, unit in enumerate(self.units):
            for node in unit.nodes:
                for i, operand in enumerate(node.operands):
                    tail = unit_of.get(operand) if isinstance(operand, Node) else None
                    if tail is None or tail == u:
                        continue
                    single = unit.is_op and self.units[tail].is_op
                    if single or (tail, u) not in drawn:
                        drawn.add((tail, u))
                        local = self._local(node, i) if single else None
                        label = self._local_label(node, i, local)
                        yield Edge(ids[tail], ids[u], local, label, flows=operand in self.gradients)

    def _local(self, node: Node, i: int) -> float | None:
        """The derivative of a 0-d result by a 0-d operand: what the operation's own rule gives for a gradient of 1."""
        operand = node.operands[i]
        if node.shape or not isinstance(operand, Node) or operand.shape or not operand.needs_grad:
            return None
        if not node.needs_grad:
            return None
        with np.errstate(all="ignore"):
            step = next(sweep(node, node.dtype.type(1)))
        return next(float(c.dense()) for c in step.contributions if c.position == i)

    def _local_label(self, node: Node, i: int, local: float | None) -> str:
        return "" if local is None else f"∂{self._name(node, 12)}/∂{self._name(node.operands[i], 12)}"


# --- helpers ----------------------------------------------------------------------------------------------------------


def _inputs(unit: Unit) -> Iterator[Node]:
    """The leaves that are not parameters, among the operands of a unit."""
    seen = set()
    for node in unit.nodes:
        for operand in node.parents:
            if operand.is_leaf and operand.op != "parameter" and operand not in seen:
                seen.add(operand)
                yield operand


def _bad(value: Any) -> str:
    """``NaN`` or ``Inf`` where an array holds one."""
    value = np.asarray(value) if isinstance(value, float | np.generic | np.ndarray) else None
    if value is None or value.dtype.kind != "f":
        return ""
    with np.errstate(all="ignore"):
        if np.isfinite(value).all():
            return ""
    return "NaN" if np.isnan(value).any() else "Inf"


def _index_text(index: Any) -> str:
    if isinstance(index, tuple):
        return ", ".join(_index_text(i) for i in index)
    if isinstance(index, slice):
        ends = ["" if e is None else str(e) for e in (index.start, index.stop)]
        return ":".join(ends + ([str(index.step)] if index.step is not None else []))
    if isinstance(index, np.ndarray):
        return f"array{index.shape}" if index.size > 4 else str(index.tolist())
    return {Ellipsis: "…", None: "newaxis"}.get(index, str(index))


def _uses(tape: Tape) -> dict[Node, int]:
    """How many times each element of a parameter is used."""
    users: dict[Node, list[tuple[Node, int]]] = {}
    for node in tape:
        for i, operand in enumerate(node.operands):
            if isinstance(operand, Node) and (operand.op == "parameter" or operand.op in _RESHAPING):
                users.setdefault(operand, []).append((node, i))
    return {
        parameter: sum(_uses_in(node, i, users) for node, i in mine)
        for parameter, mine in users.items()
        if parameter.op == "parameter"
    }


def _uses_in(node: Node, i: int, users: dict[Node, list[tuple[Node, int]]]) -> int:
    operand = node.operands[i]
    if node.rule.uses is not None:
        return int(node.rule.uses(node, i))
    if node.op in _RESHAPING:
        return sum(_uses_in(user, j, users) for user, j in users.get(node, ())) or 1
    if node.op in ("matmul", "inner"):
        inner = node.operands[0].shape[-1]
        return max(1, node.size * inner // max(1, operand.size))
    if isinstance(node.rule.fn, np.ufunc):
        return max(1, node.size // max(1, operand.size))
    return 1


def _unit_ids(units: Sequence[Unit], tape: Tape) -> list[str]:
    ids: list[str] = []
    counts: Counter[str] = Counter()
    for unit in units:
        first = tape.index(unit.nodes[0])
        if unit.is_op:
            ids.append(f"%{first}")
        elif unit.scope is not None:
            path = clean(unit.scope.path)
            path = f"layer {path}" if path.startswith("%") else path
            counts[path] += 1
            ids.append(path if counts[path] == 1 else f"{path} ({counts[path]})")
        else:
            ids.append(f"%{first}–%{tape.index(unit.nodes[-1])}")
    return ids


def _scope_title(scope: Scope) -> str:
    return clean(scope.name) + (f" · {clean(scope.kind, 24)}" if scope.kind else "")


def _run_title(unit: Unit) -> str:
    """``Block ×12`` where each repeat is one layer call, else what follows each other: ``matmul → tanh ×50``."""
    times = f" ×{unit.repeats}" if unit.repeats else ""
    one = _common([node.scope.chain() for part in unit.parts for node in part.nodes])
    if times and len(one) > len(unit.around):
        scope = one[len(unit.around)]
        return clean(scope.kind or scope.name, 24) + times
    words = [
        clean(part.scope.kind or part.scope.name, 24) if part.scope is not None else clean(part.nodes[-1].op, 24)
        for part in unit.parts[:4]
    ]
    words += ["…"] if len(unit.parts) > 4 or not unit.repeats else []
    return " → ".join(words) + times


def _common(chains: Sequence[tuple[Scope, ...]]) -> tuple[Scope, ...]:
    if not chains:
        return ()
    first = chains[0]
    length = min(len(chain) for chain in chains)
    same = 0
    while same < length and all(operator.is_(chain[same], first[same]) for chain in chains):
        same += 1
    return first[:same]


def _frames(members: dict[str, tuple[Scope, ...]], order: Sequence[str]) -> tuple[tuple[Frame, ...], tuple[str, ...]]:
    """Nested frames out of the scopes that each box is in."""
    inside: dict[Scope | None, list[str]] = {None: []}
    children: dict[Scope | None, list[Scope]] = {None: []}
    for box_id in order:
        chain = members.get(box_id, ())
        for parent, scope in zip((None, *chain), chain, strict=False):
            if scope not in inside:
                inside[scope], children[scope] = [], []
                children[parent].append(scope)
        inside[chain[-1] if chain else None].append(box_id)
    numbers = {scope: n for n, scope in enumerate(s for s in inside if s is not None)}

    def frame(scope: Scope) -> Frame:
        inner = tuple(frame(s) for s in children[scope])
        return Frame(f"cluster_{numbers[scope]}", _scope_title(scope), tuple(inside[scope]), inner)

    return tuple(frame(s) for s in children[None]), tuple(inside[None])
