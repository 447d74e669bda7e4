"""Random small networks whose gradients are derived by hand, in plain NumPy, with one random slip or with none.

A network is a list of steps. Each step has its forward pass, run on Tensors and on arrays alike, and its backward pass,
which is written out below and uses nothing of the engine. A slip changes what one step sends back to one value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from autograd import Tensor
from nn import functional as F


def sigma(z):
    return 1 / (1 + np.exp(-z))


SQUARES = {
    "W**2": lambda W: np.sum(W**2),
    "W*W": lambda W: np.sum(W * W),
    "multiply": lambda W: np.multiply(W, W).sum(),
    "square": lambda W: np.sum(np.square(W)),
    "power": lambda W: np.power(W, 2.0).sum(),
    "vdot": lambda W: np.vdot(W, W),
    "einsum": lambda W: np.einsum("ij,ij->", W, W),
    "tensordot": lambda W: np.tensordot(W, W, axes=2),
    "trace": lambda W: np.trace(W @ W.T),
    "trace of the other": lambda W: np.trace(W.T @ W),
    "ravel": lambda W: W.ravel() @ W.ravel(),
    "reshape": lambda W: W.reshape(-1) @ W.reshape(-1),
    "dot": lambda W: np.dot(W.ravel(), W.ravel()),
    "inner": lambda W: np.inner(W.ravel(), W.ravel()),
    "norm": lambda W: np.linalg.norm(W) ** 2,
    "transposed": lambda W: np.sum(W.T * W.T),
    "by rows": lambda W: (W * W).sum(axis=1).sum(),
    "absolute": lambda W: np.sum(np.abs(W) ** 2),
}
"""ΣW² in the ways in which courses write it."""


class Activation(NamedTuple):
    """A function of Tensors, the same of arrays, and its derivative, of z and of a."""

    traced: Any
    plain: Any
    slope: Any


def _relu(z):
    return np.maximum(z, 0)


def _sigmoid_slope(z, a):
    return a * (1 - a)


ACTIVATIONS = {
    "tanh": Activation(np.tanh, np.tanh, lambda z, a: 1 - a * a),
    "σ": Activation(F.sigmoid, sigma, _sigmoid_slope),
    "σ written out": Activation(sigma, sigma, _sigmoid_slope),
    "relu": Activation(F.relu, _relu, lambda z, a: (z > 0).astype(z.dtype)),
    "maximum": Activation(_relu, _relu, lambda z, a: ((z > 0) + 0.5 * (z == 0)).astype(z.dtype)),  # a tie is split
    "softplus": Activation(
        lambda z: np.log1p(np.exp(z)), lambda z: np.log1p(np.exp(z)), lambda z, a: sigma(z)
    ),
    "leaky": Activation(
        lambda z: np.where(z.data > 0, z, z * 0.1),
        lambda z: np.where(z > 0, z, z * np.asarray(0.1, z.dtype)),
        lambda z, a: np.where(z > 0, 1, 0.1).astype(z.dtype),
    ),
    "sin": Activation(np.sin, np.sin, lambda z, a: np.cos(z)),
}  # fmt: skip


class Slip(NamedTuple):
    """What one step sends to one value, changed."""

    step: int
    target: str
    kind: str


@dataclass
class Step:
    """One step: what it makes of what."""

    op: str
    out: str
    of: tuple[str, ...]
    how: Any = None


@dataclass
class Network:
    """A random network: its steps, its numbers as arrays, and the same recorded.

    Attributes
    ----------
    steps : list of Step
    values : dict of str to array
    parameters : list of str
    tensors : dict of str to Tensor
    loss : Tensor
    """

    steps: list[Step]
    values: dict[str, Any]
    parameters: list[str]
    tensors: dict[str, Tensor] = field(default_factory=dict)

    @property
    def loss(self) -> Tensor:
        return self.tensors["L"]

    @property
    def inner(self) -> list[str]:
        """The values between the parameters and the loss that have a name."""
        return [step.out for step in self.steps if step.op not in ("loss", "square")]

    def record(self) -> None:
        """Run the forward pass, on arrays and on Tensors."""
        for name in self.parameters:
            self.tensors[name] = Tensor(self.values[name].copy(), name=name)
        traced = {**self.values, **self.tensors}
        terms: list[tuple[Any, Any]] = []
        for step in self.steps:
            for env, run in ((self.values, _run), (traced, _traced)):
                env[step.out] = run(step, *(env[name] for name in step.of))
            if step.op in ("loss", "square"):
                terms.append((self.values[step.out], traced[step.out]))
            else:
                traced[step.out].name = step.out
                self.tensors[step.out] = traced[step.out]
        total = terms[0][1]
        for _, term in terms[1:]:
            total = total + term
        total.name = "L"
        self.tensors["L"] = total

    def hand(self, slip: Slip | None = None, instead: dict[str, Any] | None = None) -> dict[str, Any]:
        """All gradients, derived by hand; with a slip, and with some gradients handed on `instead` of those found."""
        grads: dict[str, Any] = {}
        handed_on = instead or {}
        for k in range(len(self.steps) - 1, -1, -1):
            step = self.steps[k]
            g = handed_on.get(step.out, grads.get(step.out))
            if g is None and step.op not in ("loss", "square"):
                continue  # a value that the loss does not depend on
            for target, part in _sent(step, self.values, g):
                if slip is not None and (slip.step, slip.target) == (k, target):
                    part = _slipped(slip.kind, step, self.values, target, g, part)
                grads[target] = grads[target] + part if target in grads else part
        dtype = next(iter(self.values.values())).dtype
        return {name: np.asarray(g, dtype) for name, g in grads.items() if name in self.tensors}

    def slips(self) -> list[Slip]:
        """All the slips that can be made."""
        uses: dict[str, int] = {}
        for step in self.steps:
            for name in step.of:
                uses[name] = uses.get(name, 0) + 1
        found = []
        for k, step in enumerate(self.steps):
            for target in step.of:
                if target in self.tensors:
                    kinds = list(_kinds(step, self.values, target))
                    if uses[target] > 1:
                        kinds.append("left out")
                    found += [Slip(k, target, kind) for kind in dict.fromkeys(kinds)]
        return found


# --- forward ----------------------------------------------------------------------------------------------------------


def _run(step: Step, *of: Any) -> Any:
    """The forward pass of a step on arrays."""
    if step.op == "activation":
        return ACTIVATIONS[step.how].plain(*of)
    return _traced(step, *of)


def _traced(step: Step, *of: Any) -> Any:
    how = step.how
    if step.op == "dense":
        return of[0] @ of[1] + of[2] if len(of) == 3 else of[0] @ of[1]
    if step.op == "activation":
        return ACTIVATIONS[how].traced(*of)
    if step.op == "add":
        return of[0] + of[1]
    if step.op == "slice":
        return of[0][how]
    if step.op == "square":
        spelling, k = how
        plain = not isinstance(of[0], Tensor)
        return k * SQUARES["W**2" if plain else spelling](of[0])
    kind, y, mean = how
    z = of[0]
    n = len(y)
    if kind == "mse":
        return np.mean((z - y) ** 2) if mean else np.sum((z - y) ** 2)
    if kind == "half":
        return 0.5 * np.sum((z - y) ** 2) / n if mean else 0.5 * np.sum((z - y) ** 2)
    if kind == "cross-entropy":
        e = np.exp(z - z.max(axis=1, keepdims=True)) if not isinstance(z, Tensor) else None
        logs = np.log(e / e.sum(axis=1, keepdims=True)) if e is not None else F.log_softmax(z)
        total = -(logs * y).sum()
    else:
        p = sigma(z)
        total = -(y * np.log(p) + (1 - y) * np.log(1 - p)).sum()
    return total / n if mean else total


# --- backward, by hand ------------------------------------------------------------------------------------------------


def _sent(step: Step, v: dict[str, Any], g: Any) -> list[tuple[str, Any]]:
    """What a step sends to each value that it was made of."""
    if step.op == "dense":
        a, W = v[step.of[0]], v[step.of[1]]
        parts = [(step.of[1], a.T @ g), (step.of[0], g @ W.T)]
        return [*parts, (step.of[2], g.sum(axis=0))] if len(step.of) == 3 else parts
    if step.op == "activation":
        z, a = v[step.of[0]], v[step.out]
        return [(step.of[0], g * ACTIVATIONS[step.how].slope(z, a))]
    if step.op == "add":
        return [(name, g) for name in step.of]
    if step.op == "slice":
        whole = np.zeros_like(v[step.of[0]])
        whole[step.how] = g
        return [(step.of[0], whole)]
    if step.op == "square":
        return [(step.of[0], 2 * step.how[1] * v[step.of[0]])]
    kind, y, mean = step.how
    z = v[step.of[0]]
    n = len(y)
    if kind in ("mse", "half"):
        scale = (2 if kind == "mse" else 1) / ((y.size if kind == "mse" else n) if mean else 1)
        return [(step.of[0], scale * (z - y))]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True) if kind == "cross-entropy" else sigma(z)
    return [(step.of[0], (p - y) / (n if mean else 1))]


def _kinds(step: Step, v: dict[str, Any], target: str) -> list[str]:
    """What can go wrong in what a step sends to a value."""
    if step.op == "dense" and target == step.of[1]:
        square = len(v[target]) == len(v[target].T) > 1
        return ["sign", "twice", "half", "one example", "mean over the batch", *(["transposed"] if square else [])]
    if step.op == "dense" and target == step.of[0]:
        W = v[step.of[1]]
        return ["sign", *(["weight not transposed"] if len(W) == len(W.T) > 1 else [])]
    if step.op == "dense":
        n, width = v[step.out].shape
        return ["sign", "twice", "one example", "mean over the batch", *(["wrong axis"] if n == width > 1 else [])]
    if step.op == "activation":
        return ["sign", "derivative left out", "derivative twice", "derivative at a"]
    if step.op == "square":
        return ["sign", "twice", "half", "left out"]
    if step.op == "loss":
        kind, y, mean = step.how
        return ["sign", *(["no 1/N"] if mean and len(y) > 1 else []), *(["no 2"] if kind == "mse" else []), "no labels"]
    return ["sign"]


def _slipped(kind: str, step: Step, v: dict[str, Any], target: str, g: Any, part: Any) -> Any:
    """What is sent with a slip."""
    if kind in _TIMES:
        return _TIMES[kind] * part
    if kind == "transposed":
        return part.T
    if kind == "left out":
        return np.zeros_like(part)
    if step.op == "dense":
        a = v[step.of[0]]
        n = len(g)
        if kind == "mean over the batch":
            return part / n
        if kind == "one example":
            return np.outer(a[0], g[0]) if target == step.of[1] else g[0]
        if kind == "weight not transposed":
            return g @ v[step.of[1]]
        return g.sum(axis=1)
    if step.op == "activation":
        z, a = v[step.of[0]], v[step.out]
        f = ACTIVATIONS[step.how]
        if kind == "derivative at a":
            return g * f.slope(a, f.plain(a))
        return g if kind == "derivative left out" else part * f.slope(z, a)
    loss, y, mean = step.how
    if kind == "no 1/N":
        return part * (y.size if loss == "mse" else len(y))
    unlabelled = Step(step.op, step.out, step.of, (loss, np.zeros_like(y), mean))
    return _sent(unlabelled, v, g)[0][1]


_TIMES = {"sign": -1, "twice": 2, "half": 0.5, "no 2": 0.5}

_NAMES = {
    "sign": {"sign", "sign in the rule"},
    "twice": {"factor", "regularisation term"},
    "half": {"factor", "regularisation term", "shared weight averaged"},
    "no 2": {"factor", "factor of the rule left out"},
    "no 1/N": {"factor", "factor of the rule left out"},
    "left out": {
        "path left out", "shared weight at one position only", "regularisation term", "term of the rule left out"
    },
    "transposed": {"transpose"},
    "weight not transposed": {"transpose", "order of a product"},
    "one example": {"one example of the batch only", "broadcast sum left out"},
    "mean over the batch": {"factor", "broadcast sum left out", "shared weight averaged"},
    "wrong axis": {"broadcast sum over the wrong axis"},
    "derivative left out": {"activation derivative missing", "local derivative missing", "factor of the rule left out"},
    "derivative twice": {"activation derivative doubled", "power in the rule"},
    "derivative at a": {"activation derivative at the activated value"},
    "no labels": {"labels"},
}  # fmt: skip


def named(slip: Slip, report: Any) -> bool:
    """Whether a report names the slip that was made."""
    return any(finding.slip in _NAMES[slip.kind] for finding in report)


# --- random ones ------------------------------------------------------------------------------------------------------


def network(seed: int) -> Network:
    """The random network of a seed, recorded."""
    rng = np.random.default_rng([seed, 8])
    dtype = np.dtype(rng.choice(["f4", "f8"]))
    n = int(rng.integers(2, 6))

    def numbers(*shape: int) -> Any:
        return rng.normal(size=shape).astype(dtype)

    v: dict[str, Any] = {"x": numbers(n, int(rng.integers(2, 6)))}
    steps: list[Step] = []
    parameters: list[str] = []

    def parameter(name: str, *shape: int) -> str:
        v[name] = numbers(*shape)
        parameters.append(name)
        return name

    build = _recurrent if rng.random() < 0.2 else _layers
    last, width = build(rng, v, steps, parameter, n)
    if rng.random() < 0.15 and n > 2:
        steps.append(Step("slice", "rows", (last,), slice(1, None)))
        last, n = "rows", n - 1
    kind = str(rng.choice(["mse", "half", "cross-entropy", "bce"]))
    if kind == "cross-entropy":
        y = np.eye(width, dtype=dtype)[rng.integers(0, width, n)]
    elif kind == "bce":
        y = rng.integers(0, 2, (n, width)).astype(dtype)
    else:
        y = numbers(n, width)
    steps.append(Step("loss", "L0", (last,), (kind, y, bool(rng.random() < 0.6))))
    weights = [name for name in parameters if v[name].ndim == 2]
    if rng.random() < 0.4:
        spelling, k = str(rng.choice(list(SQUARES))), float(rng.choice([0.5, 0.05, 0.3]))
        for i, name in enumerate(weights[: int(rng.integers(1, 4))]):
            steps.append(Step("square", f"R{i}", (name,), (spelling, k)))
    made = Network(steps, v, parameters)
    with np.errstate(all="ignore"):
        made.record()
    return made


def _layers(rng: Any, v: Any, steps: list[Step], parameter: Any, n: int) -> tuple[str, int]:
    last, width = "x", v["x"].shape[1]
    weights: dict[tuple[int, int], str] = {}
    for k in range(1, int(rng.integers(1, 5)) + 1):
        to = int(rng.choice([width, n, int(rng.integers(2, 6))]))
        shared = weights.get((width, to)) if rng.random() < 0.3 else None
        W = shared or parameter(f"W{k}", width, to)
        weights[width, to] = W
        bias = (parameter(f"b{k}", to),) if rng.random() < 0.8 else ()
        steps.append(Step("dense", f"z{k}", (last, W, *bias)))
        steps.append(Step("activation", f"a{k}", (f"z{k}",), str(rng.choice(list(ACTIVATIONS)))))
        before, last = last, f"a{k}"
        if before != "x" and width == to and rng.random() < 0.5:
            steps.append(Step("add", f"s{k}", (last, before)))
            last = f"s{k}"
        width = to
    to = int(rng.integers(2, 5))
    steps.append(Step("dense", "z", (last, parameter("V", width, to), parameter("c", to))))
    return "z", to


def _recurrent(rng: Any, v: Any, steps: list[Step], parameter: Any, n: int) -> tuple[str, int]:
    width, features = int(rng.integers(2, 5)), v["x"].shape[1]
    v["h0"] = np.zeros((n, width), v["x"].dtype)
    U, W, b = parameter("U", width, width), parameter("W", features, width), parameter("b", width)
    f = str(rng.choice(["tanh", "σ", "relu"]))
    for t in range(1, int(rng.integers(2, 5)) + 1):
        v[f"x{t}"] = rng.normal(size=v["x"].shape).astype(v["x"].dtype)
        steps.append(Step("dense", f"p{t}", (f"h{t - 1}", U)))
        steps.append(Step("dense", f"q{t}", (f"x{t}", W, b)))
        steps.append(Step("add", f"z{t}", (f"p{t}", f"q{t}")))
        steps.append(Step("activation", f"h{t}", (f"z{t}",), f))
    to = int(rng.integers(2, 4))
    steps.append(Step("dense", "z", (f"h{t}", parameter("V", width, to), parameter("c", to))))
    return "z", to


class Case(NamedTuple):
    """Gradients to be judged, and what is true of them.

    Attributes
    ----------
    network : Network
    hands : dict of str to array
        The gradients given.
    slip : Slip or None
    wrong : set of str
        Those given that are wrong.
    here : set of str
        Those of them that are wrong although what was given before them is handed on by the right rule.
    """

    network: Network
    hands: dict[str, Any]
    slip: Slip | None
    wrong: set[str]
    here: set[str]


def case(seed: int, *, slip: bool) -> Case:
    """The random gradients of a seed, with one slip or without."""
    rng = np.random.default_rng([seed, 88])
    made = network(seed)
    with np.errstate(all="ignore"):
        right = made.hand()
        mode = rng.random()
        share = 0.0 if mode < 0.45 else 1.0 if mode < 0.7 else 0.5
        given = [name for name in right if name in made.parameters or rng.random() < share]
        if mode > 0.9:
            given = [name for name in given if rng.random() < 0.6] or given
        if not slip:
            return Case(made, {name: right[name] for name in given}, None, set(), set())
        choices = made.slips()
        for k in rng.permutation(len(choices)):
            chosen = choices[k]
            found = made.hand(chosen)
            wrong = {name for name in given if differs(found[name], right[name])}
            doubtful = {name for name in given if not np.array_equal(found[name], right[name])} - wrong
            if wrong and not any(differs(found[name], right[name], 1e-3) for name in doubtful):
                hands = {name: found[name] for name in given}
                follow = made.hand(None, {n: g for n, g in hands.items() if n not in made.parameters})
                here = {name for name in wrong if differs(follow[name], hands[name])}
                return Case(made, hands, chosen, wrong, here)
    raise AssertionError(f"no slip of the network of seed {seed} changes anything")


def differs(some: Any, other: Any, share: float = 1.0) -> bool:
    """Whether two gradients differ by more than rounding can do."""
    most = float(np.abs(other).max(initial=0.0)) + float(np.abs(some).max(initial=0.0))
    return bool(np.abs(some - other).max() > share * (1e-2 if other.dtype.itemsize < 8 else 1e-4) * most)


def faults(made: Case, report: Any) -> list[str]:
    """What a report of `viz.explain_mismatch` says that is not so."""
    found: list[str] = []
    if not np.isfinite(made.network.loss.data):
        return found  # the engine's gradients are those of an infinite loss, which no hand-derived form has
    for name, verdict in report.verdicts.items():
        name = name.removeprefix("∂L/∂")
        if name in made.wrong and verdict == "right":
            found.append(f"acquits {name}, which is wrong")
        if name not in made.wrong and verdict not in ("right", "undecided"):
            found.append(f"accuses {name}, which is right")
        if name in made.wrong and name not in made.here and verdict == "wrong here":
            found.append(f"says {name} is wrong here, which follows from a wrong one")
        if name in made.here and verdict == "inherited":
            found.append(f"says {name} is inherited, where the slip was made")
    for finding in report:
        told = [name for name in finding.gradients if report.verdicts[name] != "undecided"]
        right = [name for name in told if name.removeprefix("∂L/∂") not in made.wrong]
        found += [f"blames {name}, which is right: {finding.sentence}" for name in right]
    return found
