"""From a tape to the plain data of a picture: names, expressions, values, gradients, local derivatives."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from typing import Any

import numpy as np

from autograd import Node, Scope, Tape, sweep

from ..plain.numbers import clean
from ..tape.constants import content
from ..tape.run import Run
from ..tape.uses import uses_of
from ..units.frontier import frontier
from ..units.opening import parts_of
from ..units.titles import common, scope_title, title_of
from ..units.unit import Unit
from .leaves import MOST_INSIDE, SMALL, Leaf, inputs, leaves_of
from .model import Box, Edge, Frame, Graph, Kind, Learned, Quantity

_MOST_INSIDE = 60
"""So many nodes has the picture of what is in a unit, if some of its leaves share a box."""


def read(run: Run, *, level: str = "auto", direction: str | None = None, max_nodes: int | None = 60) -> Graph:
    """The picture of a run as plain data. See `viz.draw` for the arguments."""
    return Reader(run).whole(level, direction, max_nodes)


class Reader:
    """What reads a run: the whole picture, and the insides of its boxes."""

    def __init__(self, run: Run):
        self.tape = tape = run.tape
        self.names, self.gradients, self.alarms, self.seeded = run.names, run.gradients, run.alarms, run.seeded
        self.uses = uses_of(tape)
        self.users = Counter(operand for node in tape for operand in node.parents)
        self.units: Sequence[Unit] = ()

    def whole(self, level: str, direction: str | None, max_nodes: int | None) -> Graph:
        """The picture of all of it. See `read`."""
        tape = self.tape
        units, note = frontier(
            tape, level, max_nodes, lambda units: len(units) + len(leaves_of(units, max_nodes))
        )  # fmt: skip
        leaves = leaves_of(units, max_nodes)
        if note or any(leaf.folded for leaf in leaves):
            single = [Unit("op", (node,)) for node in tape if not node.is_leaf]
            others = len(leaves_of(single, None))
            what = f"{len(single)} operations with {others} inputs, parameters and constants"
            note = f"{note or 'folded'}: {what} are more than {max_nodes=}"
        notes = ["" if tape.root.needs_grad else "no gradient flows: forward only", note]
        return self._graph(units, leaves, (), direction, tuple(filter(None, notes)))

    def inside(self, unit: Unit, shown: Container[Any], direction: str) -> Graph:
        """The picture of what is in a unit. Of what is `shown` around it (leaves, and constants by their `content`) and
        of values from outside, the names alone stand in it."""
        units = parts_of(unit)
        own = {node for one in units for node in one.nodes}
        leaves: list[Leaf] = []
        names: dict[Any, tuple[Box, list[int]]] = {}
        for leaf in leaves_of(units, _MOST_INSIDE):
            if not leaf.folded and (leaf.node or content(leaf.array)) in shown:
                box = self._leaf_box(leaf)
                names[box.id] = dataclasses.replace(box, badges=(), alarm="", brief=True), [u for u, _, _ in leaf.ends]
            else:
                leaves.append(leaf)
        for u, one in enumerate(units):
            for node in one.nodes:
                for operand in node.parents:
                    if not operand.is_leaf and operand not in own:
                        names.setdefault(operand, (self._outer(operand), []))[1].append(u)
        return self._graph(units, leaves, tuple(names.values()), direction, (), depth=len(_within(unit)))

    def closed(self, graph: Graph, frame: Frame) -> Graph:
        """The picture of one box, the layer of a frame with all that is in it."""
        ids = {name for one in _nested(frame) for name in one.boxes}
        nodes = [node for box in graph.boxes if box.id in ids and box.unit is not None for node in box.members]
        nodes.sort(key=self.tape.index)
        scope = next(one for one in nodes[0].scope.chain() if one.path == frame.path)
        box = self._unit_box(Unit("layer", tuple(nodes), (), scope), frame.id)
        return Graph(graph.loss, graph.direction, (box,), (), (), (box.id,))

    def _outer(self, node: Node) -> Box:
        """The name of a value from outside."""
        return Box(
            f"%{self.tape.index(node)}", "intermediate", self.names.of(node), "", node.shape, self._value(node),
            self._grad(node), brief=True, members=(node,),
        )  # fmt: skip

    def _value(self, node: Node) -> Quantity:
        return Quantity(self.names.of(node), self.tape.value(node))

    def _grad(self, node: Node) -> Quantity:
        found = self.gradients.get(node)
        return Quantity(self.names.gradient(node), None if found is None else np.asarray(found))

    # --- boxes

    def _graph(
        self,
        units: Sequence[Unit],
        leaves: Sequence[Leaf],
        outer: Sequence[tuple[Box, Sequence[int]]],
        direction: str | None,
        notes: tuple[str, ...],
        depth: int = 0,
    ) -> Graph:
        """The picture of some units with their leaves and with names from outside, in frames but for the first ones."""
        self.units = units
        ids = _unit_ids(self.units, self.tape)
        boxes: list[Box] = []
        edges: list[Edge] = []
        members: dict[str, tuple[Scope, ...]] = {}
        beside: dict[int, list[Leaf]] = {}
        for leaf in leaves:
            beside.setdefault(leaf.ends[0][0], []).append(leaf)
        for name, users in outer:
            boxes.append(name)
            edges += [Edge(name.id, ids[u], flows=name.grad.array is not None) for u in dict.fromkeys(users)]
        for u, unit in enumerate(self.units):
            for leaf in beside.get(u, ()):
                box = self._leaf_box(leaf)
                boxes.append(box)
                folded = leaf.word != "input"
                members[box.id] = common([self.units[user].around for user, _, _ in leaf.ends]) if folded else ()
                edges += self._leaf_edges(leaf, box.id, ids)
            boxes.append(self._unit_box(unit, ids[u]))
            members[ids[u]] = unit.around
        edges += self._unit_edges(ids)
        if not self.units:
            boxes.append(self._leaf_box(Leaf(self.tape.root, None, ())))
        scalar = all(box.shape == () for box in boxes)
        direction = direction or ("LR" if scalar and len(boxes) <= SMALL else "TB")
        members = {box_id: around[depth:] for box_id, around in members.items()}
        frames, outside = _frames(members, [box.id for box in boxes])
        return Graph(self.names.loss, direction, tuple(boxes), tuple(edges), frames, outside, notes)

    def _leaf_box(self, leaf: Leaf) -> Box:
        if leaf.folded:
            return self._folded_leaves(leaf)
        node = leaf.node
        if node is None:
            user, i = leaf.ends[0][1:]
            nothing = Quantity("", None)
            value = Quantity("", np.asarray(leaf.array))
            box_id = f"%{self.tape.index(user)}.{i}"
            title = self.names.variable(leaf.array) or "constant"
            return Box(box_id, "constant", title, "", np.shape(leaf.array), value, nothing)
        kind: Kind = "learned" if node.op == "parameter" else "input"
        badges = []
        uses = self.uses.get(node, 1)
        if kind == "learned" and uses > 1:
            badges.append(f"each weight used ×{uses}")
        if leaf.uses > 1:
            badges.append(f"in {leaf.uses} of the lines")
        if leaf.copies > 1:
            badges.append(f"copy {leaf.copy + 1} of {leaf.copies}")
        box_id = f"%{self.tape.index(node)}" + (f".{leaf.copy + 1}" if leaf.copies > 1 else "")
        return Box(
            box_id, kind, self.names.of(node), "", node.shape, self._value(node), self._grad(node), tuple(badges),
            self.alarms.get(node, ""), brief=leaf.copy > 0, members=(node,),
        )  # fmt: skip

    def _folded_leaves(self, leaf: Leaf) -> Box:
        """One box for many inputs of an operation, with all their values and gradients in an array each."""
        count, first = len(leaf.folded), leaf.folded[0]
        user, i = first.ends[0][1:]
        title = f"{count} {'more ' * bool(leaf.kept)}{leaf.word}s"
        nodes = [one.node for one in leaf.folded if one.node is not None]
        values = [one.array if one.node is None else self.tape.value(one.node) for one in leaf.folded]
        grads = [np.asarray(self.gradients[node]) for node in nodes if node in self.gradients]
        value = Quantity("values" if nodes else "", _together(values))
        grad = Quantity("gradients" if nodes else "", _together(grads) if len(grads) == count else None)
        alarm = next((self.alarms[node] for node in nodes if node in self.alarms), "")
        op = f"{self.names.of(nodes[0])} … {self.names.of(nodes[-1])}" if nodes else ""
        return Box(
            f"%{self.tape.index(user)}.{i}+", "folded", title, op, value.array.shape, value, grad, (), alarm,
            members=tuple(nodes),
        )  # fmt: skip

    def _unit_box(self, unit: Unit, box_id: str) -> Box:
        node = unit.nodes[-1]
        loss = self.tape.root in unit.nodes
        if loss:
            node = self.tape.root
        value, grad = self._value(node), self._grad(node)
        alarm = next((self.alarms[n] for n in unit.nodes if n in self.alarms), "")
        source = str(node.source or "")
        if unit.kind in ("op", "line"):
            inside = frozenset(unit.nodes) - {node}
            title = f"{self.names.of(node)} = {self.names.expression(node, inside)}"
            kind: Kind = "loss" if loss else "intermediate"
            return Box(
                box_id, kind, title, _operations(unit), node.shape, value, grad, (), alarm, source=source,
                members=unit.nodes, unit=unit,
            )  # fmt: skip
        learned = self._learned(unit)
        fed = len(set(inputs(unit)))
        badges = []
        if fed and (unit.kind == "rest" or fed > MOST_INSIDE):
            badges.append(f"{fed} input{'s' * (fed != 1)} inside")
        kind = "layer" if unit.scope is not None else "folded"
        return Box(
            box_id, kind, title_of(unit), _operations(unit), node.shape, value, grad, tuple(badges), alarm, learned,
            source, members=unit.nodes, unit=unit,
        )  # fmt: skip

    def _learned(self, unit: Unit) -> tuple[Learned, ...]:
        found = dict.fromkeys(a for node in unit.nodes for a in node.parents if a.op == "parameter" and a.is_leaf)
        return tuple(
            Learned(self.names.of(p), p.shape, self._value(p), self._grad(p), p, self.uses.get(p, 1)) for p in found
        )

    # --- edges

    def _leaf_edges(self, leaf: Leaf, box_id: str, ids: Sequence[str]) -> Iterator[Edge]:
        folded = leaf.word != "input"
        flows = any(one.node in self.gradients for one in leaf.folded or (leaf,) if one.node is not None)
        if leaf.folded:
            yield Edge(box_id, ids[leaf.ends[0][0]], None, "", folded, flows)
            return
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
        """The derivative of one real number by one: what the operation's own rule gives for a gradient of 1."""
        operand = node.operands[i]
        if node.shape or not isinstance(operand, Node) or operand.shape or not operand.needs_grad:
            return None
        if not node.needs_grad or "c" in (node.dtype.kind, operand.dtype.kind):
            return None
        with np.errstate(all="ignore"):
            step = next(sweep(node, node.dtype.type(1)))
        return next(float(c.grad) for c in step.contributions if c.position == i)

    def _local_label(self, node: Node, i: int, local: float | None) -> str:
        if local is None:
            return ""
        partial = self.users[node.operands[i]] > 1 or self.seeded
        return self.names.local(node, i, total=node is self.tape.root and partial)


def _within(unit: Unit) -> tuple[Scope, ...]:
    """The layer calls that all parts of a unit are in."""
    return unit.scope.chain() if unit.scope is not None else unit.around


def _operations(unit: Unit) -> str:
    count = len(unit.nodes)
    return f"{count} operations" if count > 1 else clean(unit.nodes[0].op)


def _together(arrays: Sequence[Any]) -> np.ndarray:
    """Arrays of one shape stacked, others end to end."""
    if len({np.shape(a) for a in arrays}) == 1:
        return np.stack(arrays)
    return np.concatenate([np.ravel(a) for a in arrays]) if arrays else np.zeros(0)


def _unit_ids(units: Sequence[Unit], tape: Tape) -> list[str]:
    ids: list[str] = []
    counts: Counter[str] = Counter()
    for unit in units:
        first = tape.index(unit.nodes[0])
        if unit.is_op:
            ids.append(f"%{first}")
        elif unit.kind == "line":
            ids.append(f"%{tape.index(unit.nodes[-1])}")
        elif unit.scope is not None:
            path = clean(unit.scope.path)
            path = f"layer {path}" if path.startswith("%") else path
            counts[path] += 1
            ids.append(path if counts[path] == 1 else f"{path} ({counts[path]})")
        else:
            ids.append(f"%{first}–%{tape.index(unit.nodes[-1])}")
    return ids


def _nested(frame: Frame) -> Iterator[Frame]:
    yield frame
    for inner in frame.frames:
        yield from _nested(inner)


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
        return Frame(f"cluster_{numbers[scope]}", scope_title(scope), tuple(inside[scope]), inner, scope.path)

    return tuple(frame(s) for s in children[None]), tuple(inside[None])
