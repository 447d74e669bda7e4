"""A sweep with something changed, done again only as far as it differs, gives what the engine's sweep gives where the
same is changed in the rules of the records."""

import numpy as np
import pytest

from autograd import Node, Tape, Tensor, sweep
from autograd.registry import Rule
from autograd.testing.conventions import Convention
from nn import functional as F
from viz.blame.pushing import Change, Sweeper, replayed
from viz.tape.calls import copied
from viz.tape.run import Run


def by_the_engine(run, change, given=()):
    """The engine's sweep over copies of all records, of which each has a rule that does what is changed."""
    copies = {}
    for node in run.tape:
        copies[node] = new = copied(node)
        new.kept = np.asarray(change.reads.get(node, run.tape.value(node)))
        if node.is_leaf:
            continue
        receivers = (change.past[node][0],) if node in change.past else node.operands
        new.args = tuple(copies[a] if isinstance(a, Node) else a for a in receivers)
        new.kwargs, new.rule = {}, Rule(None, node.op)
        new.rule.variadic = rule_of(node, change, dict(given).get(node), copies)
    found = {id(step.node): step.grad for step in sweep(copies[run.tape.root], run.seed)}
    grads = {node: found[id(copies[node])] for node in run.tape if id(copies[node]) in found}
    return {node: change.ends[node](g) if node in change.ends else g for node, g in grads.items()}


def rule_of(node, change, given, copies):
    operands, options = change.calls.get(node, (node.operands, node.kwargs))

    def rule(g, out, i, *_):
        g = g if given is None else given
        if node in change.past:
            return change.past[node][1](g)
        fed = [copies[a].kept if isinstance(a, Node) else a for a in operands]
        own = node.rule.variadic
        c = own(g, out, i, *fed, **options) if own else node.rule.vjps[i](g, out, *fed, **options)
        sent = change.edges.get((node, i), lambda g, c: c)(g, np.asarray(c))
        return np.zeros(node.operands[i].shape) if sent is None else np.asarray(sent)

    return rule


class Net:
    """Layers that share a weight, a skip, a sigmoid that is written out, a softmax, and a regularisation term."""

    def __init__(self):
        rng = np.random.default_rng(5)
        self.x = Tensor(rng.normal(size=(4, 3)), name="x")
        self.W, self.V = Tensor(rng.normal(size=(3, 3)), name="W"), Tensor(rng.normal(size=(3, 2)), name="V")
        self.z = self.x @ self.W
        self.a = np.tanh(self.z)
        self.h = self.a @ self.W + self.x
        self.s = 1 / (1 + np.exp(-self.h))
        self.out = F.softmax(self.s @ self.V, dim=1)
        self.loss = (self.out**2).mean() + 0.1 * (self.W**2).sum()
        self.run = Run(Tape(self.loss))
        self.nodes = [t.node for t in (self.x, self.W, self.V, self.z, self.a, self.h, self.s, self.out)]

    def value(self, tensor):
        return self.run.tape.value(tensor.node)


def doubled(g, c):
    return 2 * c


CHANGES = {
    "what one rule sends": lambda n: Change(edges={(n.a.node, 0): lambda g, c: g}),
    "what rules send, one after the other": lambda n: Change(
        edges={(n.s.node, 1): doubled, (n.h.node, 0): lambda g, c: c + g, (n.z.node, 1): lambda g, c: -c}
    ),
    "nothing sent": lambda n: Change(edges={(n.h.node, 1): lambda g, c: None}),
    "all that a record sends": lambda n: Change(edges={(n.h.node, i): lambda g, c: None for i in (0, 1)}),
    "a record passed by": lambda n: Change(past={n.s.node: (n.h.node, lambda g: 3 * g)}),
    "two records passed by": lambda n: Change(
        past={n.s.node: (n.h.node, lambda g: 3 * g), n.a.node: (n.z.node, np.abs)}
    ),
    "a value read": lambda n: Change(reads={n.W.node: n.value(n.W) + 1}),
    "values read, and those made of them": lambda n: Change(
        reads=replayed(n.run.tape, Change(reads={n.W.node: 0.5 * n.value(n.W), n.x.node: n.value(n.x) + 1}))
    ),
    "another call": lambda n: Change(calls={n.z.node: ((n.x.node, n.value(n.W).T), {})}),
    "another option": lambda n: Change(calls={n.out.node: (n.out.node.operands, {"axis": 0})}),
    "a finished gradient": lambda n: Change(ends={n.W.node: lambda g: g + 1, n.a.node: lambda g: -g}),
    "several things": lambda n: Change(edges={(n.a.node, 0): doubled}, ends={n.x.node: np.abs}).then(
        Change(edges={(n.a.node, 0): lambda g, c: c * g}, reads={n.a.node: n.value(n.a) ** 2})
    ),
    "nothing": lambda n: Change(),
}  # fmt: skip


@pytest.mark.parametrize("handed_on", [False, True])
@pytest.mark.parametrize("kind", CHANGES)
def test_a_sweep_done_again_where_it_differs_is_the_engines(kind, handed_on):
    n = Net()
    given = {n.h.node: np.random.default_rng(6).normal(size=(4, 3))} if handed_on else {}
    change = CHANGES[kind](n)
    right = by_the_engine(n.run, change, given)
    plain = Sweeper(n.run, n.nodes, given)
    for grads in (plain.pushed(change), plain.under(change).base.grads, plain.under(change).pushed(Change())):
        for node in n.nodes:
            np.testing.assert_allclose(grads[node], right[node], rtol=1e-12, atol=1e-15, err_msg=repr(node))


def test_a_convention_multiplies_what_rules_send_and_nothing_else():
    n = Net()
    factors = dict.fromkeys([t.node for t in (n.z, n.a, n.h, n.s, n.out)], 4.0)
    convention = Convention(4, factors)
    change = Change(edges={(n.a.node, 0): doubled})
    right = convention.of(by_the_engine(n.run, change))
    grads = Sweeper(n.run, n.nodes, None, convention).pushed(change)
    for node in n.nodes:
        np.testing.assert_allclose(grads[node], right[node], rtol=1e-12, err_msg=repr(node))


def test_a_sweep_ends_at_a_gradient_that_may_not_change():
    n = Net()
    seen = []

    def allowed(node, g):
        seen.append(node)
        return node is not n.a.node

    grads = Sweeper(n.run, n.nodes).pushed(Change(edges={(n.h.node, 0): doubled}), allowed)
    plain = n.run.gradients
    assert n.a.node in seen and n.z.node not in seen
    np.testing.assert_array_equal(grads[n.x.node], plain[n.x.node])
