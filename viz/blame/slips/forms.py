"""The formulas that a person would have written: the rule of each step, what each named value gets from the next ones,
and the closed form."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autograd import Node, Tape, Tensor, enable_grad
from autograd.forward import record
from autograd.registry import Rule
from autograd.testing.attempts import attempted
from autograd.written import written

from ...derivation.routes import Routes
from ...derivation.trees import size
from ...formula import Formula, Symbol, backward, forward, gradient_symbol, value_symbol
from ...formula.tidy import tidied
from ...formula.tree import Apply, Opaque, Tree, evaluate, substituted, symbols
from ...tape.names import Names
from ..pushing import Change, Edge
from ..trials import QUOTIENTS, Scene, once
from .activations import ALONG_AXES, Activation, activations
from .parts import is_gradient

__all__ = [
    "Form",
    "activated",
    "composed",
    "derivative",
    "flow",
    "is_negative",
    "rule",
    "rules",
    "rules_of",
    "written_out",
]

_MOST_PARTS = 40
"""Formulas of more parts are no one's to derive by hand."""
_MOST_STATIONS = 60
_MOST_OPERATIONS = 400


@dataclass(frozen=True, eq=False)
class Form:
    """A formula of a gradient, or of what is sent to it.

    Attributes
    ----------
    node : Node
        The operation that went wrong where the formula is.
    target : Node
        Whose gradient it is, or a part of.
    formula : Formula
    kind : object
        Formulas of the same kind are the same but for the names.
    operand : int or None
    edge : (Node, int) or None
        Where it is what one rule sends.
    past : Node or None
        Where it is what an activation that is written out sends to this record.
    """

    node: Node
    target: Node
    formula: Formula
    kind: Any
    operand: int | None = None
    edge: Edge | None = None
    past: Node | None = None

    @cached_property
    def _own(self) -> list[Symbol]:
        return [s for s in self.formula.symbols if s.kind == "gradient"]

    @cached_property
    def size(self) -> int:
        """How many parts it has."""
        return size(self.formula.tree)

    @property
    def upstream(self) -> Symbol:
        """The gradient that arrives."""
        return self._own[0]

    def change(self, tree: Tree) -> Change:
        """What is done where another formula is used."""
        if self.edge is None and self.past is None:
            return Change(turned={self.target: lambda g, grads: self.of(tree, g, grads)})
        if self.past is not None:
            return Change(past={self.past: (self.target, lambda g: self.of(tree, g))})
        return Change(edges={self.edge: lambda g, c: self.of(tree, g)}) if self.edge else Change()

    def of(self, tree: Tree, g: Any, grads: Mapping[Node, Any] | None = None) -> Any:
        """The numbers of a formula, of the gradients as they arrive."""
        return self._fitted(evaluate(tree, self.arrived(g, grads)))

    def arrived(self, g: Any, grads: Mapping[Node, Any] | None = None) -> dict[int, Any]:
        """The gradients that a formula is made of, as they arrive."""
        arrives = {s: g if grads is None or s.node is self.target else grads[s.node] for s in self._own}
        return {id(s): np.asarray(value) for s, value in arrives.items()}

    def _fitted(self, value: Any) -> Any:
        value = np.asarray(value, self.formula.target.dtype)
        return value if value.shape == self.target.shape else np.broadcast_to(value, self.target.shape)


@once
def rules(scene: Scene) -> list[Form]:
    """The rules that the gradients in question pass through, the last operation first; and activations that are
    written out."""
    edges = itertools.takewhile(lambda edge: not scene.budget.is_spent_on("parts of a rule"), scene.edges())
    found = [form for edge in edges if (form := rule(scene, edge)) and isinstance(form.formula.tree, Apply)]
    return found + written_out(scene)


@once
def activated(scene: Scene) -> list[tuple[Activation, Form]]:
    """The activations that the gradients in question pass through, as one step each."""
    return [(act, _of_activation(scene, act)) for act in activations(scene)]


def written_out(scene: Scene) -> list[Form]:
    """Those of them that the program wrote out in several operations."""
    return [form for act, form in activated(scene) if form.past is not None]


def flow(scene: Scene, node: Node) -> Any:
    """The gradient of a record as it is handed on."""
    return scene.sweeper.given.get(node, scene.sweeper.base.grads[node])


def rules_of(scene: Scene, ops: Container[str]) -> Iterator[Form]:
    """The rules of some operations."""
    for edge in scene.edges():
        if edge[0].op in ops and (form := rule(scene, edge)) is not None:
            yield form


def is_negative(node: Node, *, by_name: bool) -> bool:
    """Whether a product has a negative number: one with a name, or one that the program wrote with a minus."""
    for k, other in enumerate(node.operands if node.op in ("multiply", "divide") else ()):
        if not isinstance(other, Node) and np.ndim(other) == 0 and other < 0:
            part = written(node, k)
            return by_name is not (part is None or any(isinstance(one, ast.USub) for one in ast.walk(part)))
    return False


def rule(scene: Scene, edge: Edge) -> Form | None:
    """What one rule sends; None where that is too much to be written out."""
    known = _known(scene)
    if edge not in known:
        known[edge] = _of_rule(scene, edge)
    return known[edge]


@once
def _known(scene: Scene) -> dict[Edge, Form | None]:
    return {}


def _of_rule(scene: Scene, edge: Edge) -> Form | None:
    node, i = edge
    formula = scene.words.backward(node, i, flow(scene, node))
    if node.op in QUOTIENTS and isinstance(formula.tree, Apply):
        formula = _without_its_result(scene, node, formula)
    if isinstance(formula.tree, Opaque) or size(formula.tree) > _MOST_PARTS:
        return None
    return Form(node, node.operands[i], formula, (node.rule, i), i, edge)


def _without_its_result(scene: Scene, node: Node, formula: Formula) -> Formula:
    """A formula in terms of the operands alone: −g / x², where the rule reads y = 1 / x and has −g y / x."""
    known = {s.node or id(s.array): s for s in formula.symbols if s.kind != "gradient"}
    own = known.pop(node, None)
    if own is None:
        return formula
    result = forward(node, scene.words, scene.value)
    settled: dict[int, Tree] = {id(s): known.get(s.node or id(s.array), s) for s in result.symbols}
    tree = tidied(substituted(formula.tree, {id(own): substituted(result.tree, settled)}))
    return Formula(formula.target, tree, formula.notes, formula.adds)


def _of_activation(scene: Scene, act: Activation) -> Form:
    """An activation as one step."""
    w, one = scene.words, act.a.rule is act.rule
    target = gradient_symbol(act.z, w)
    upstream = gradient_symbol(act.a, w, flow(scene, act.a))
    tree = derivative(scene, act, act.rule, value_symbol(act.a, w, scene.value), upstream)
    edge, operand = ((act.a, 0), 0) if one else (None, None)
    return Form(act.a, act.z, Formula(target, tree), act.rule, operand, edge, None if one else act.a)


def derivative(scene: Scene, act: Activation, rule: Rule, out: Tree, upstream: Tree, *, at: Tree | None = None) -> Tree:
    """What the derivative of a function at an activation sends: with this for its result and its operand, else z."""
    options = act.options if rule is act.rule or (act.rule in ALONG_AXES and rule in ALONG_AXES) else {}
    known, key = _derivatives(scene), (rule, tuple(options.items()), act.a.shape)
    if key not in known:
        with enable_grad(), np.errstate(all="ignore"):
            z = Tensor(np.full(act.a.shape, 0.5))
            a = record(rule, (z,), options)
        tape = Tape(a)
        tree = backward(a.node, 0, np.ones(a.shape), Names(tape), tape.value).tree
        known[key] = tree, {s: "g" if s.kind == "gradient" else "a" if s.node is a.node else "z" for s in symbols(tree)}
    tree, stand = known[key]
    by = {"g": upstream, "a": out, "z": at or value_symbol(act.z, scene.words, scene.value)}
    return substituted(tree, {id(s): by[name] for s, name in stand.items()})


@once
def _derivatives(scene: Scene) -> dict[Any, tuple[Tree, dict[Symbol, str]]]:
    return {}


@once
def composed(scene: Scene) -> list[Form]:
    """What each named value gets from those computed of it; and the closed forms."""
    if len(scene.tape) > _MOST_OPERATIONS or scene.outcome is not None:
        return []
    found: dict[Any, Form] = {}
    for one in itertools.takewhile(lambda _: not scene.budget.is_spent_on("small edits of formulas"), scene.wrong):
        routes = _routes(scene, one.node)
        if routes is None or len(routes.stations) > _MOST_STATIONS:
            continue
        across = _meeting(scene, routes)
        for node in reversed(routes.stations):
            if node is scene.tape.root or node not in scene.sweeper.base.grads:
                continue
            kinds = {"next": frozenset(routes.stations) - {node}}
            kinds |= {"across": frozenset({across[node]})} if len(routes.users(node)) > 1 else {}
            kinds |= {"closed": frozenset[Node]()} if node is one.node else {}
            for kind, named in kinds.items():
                form = None if (node, kind) in found else _composed(scene, routes, node, named)
                if form is not None:
                    found[node, kind] = form
    return list(found.values())


def _meeting(scene: Scene, routes: Routes) -> dict[Node, Node]:
    """Of each station the next one that all ways from it to the loss lead through."""
    index, beyond = scene.tape.index, {scene.tape.root: {scene.tape.root}}
    for node in reversed(routes.stations[:-1]):
        beyond[node] = set[Node].intersection(*({user} | beyond[user] for user in routes.users(node)))
    return {node: min(some, key=index) for node, some in beyond.items()}


def _routes(scene: Scene, node: Node) -> Routes | None:
    known = scene.words.routes
    if node not in known:
        known[node] = None
        with attempted():
            routes = Routes(scene.sweeper.run, node)
            routes.write_out()
            known[node] = routes
    found: Routes | None = known[node]
    return found


def _composed(scene: Scene, routes: Routes, node: Node, named: frozenset[Node]) -> Form | None:
    tree: Tree | None = None
    with attempted():
        tree = routes.gradient(node, named, most=None if named else _MOST_PARTS)
    if not isinstance(tree, Apply) or isinstance(tree, Opaque) or size(tree) > _MOST_PARTS:
        return None
    target = gradient_symbol(node, routes.names)
    by: dict[int, Tree] = {}
    for s in Formula(target, tree).symbols:
        if is_gradient(s):
            if s.node not in scene.sweeper.base.grads:
                return None
            by[id(s)] = Symbol("gradient", s.name, np.asarray(flow(scene, s.node)), s.node, s.of)
    formula = Formula(target, substituted(tree, by))
    with attempted() as trial:
        value = np.asarray(evaluate(formula.tree))
        if not np.allclose(value, scene.sweeper.base.grads[node], rtol=1e-6, atol=1e-12):
            return None
    if trial.failed:
        return None
    users = [n for n, _ in scene.sweeper.into[node]]
    return Form(users[0] if users else node, node, formula, ("composed", node))
