"""Networks whose derivations are long: for tests of lines that fit, as text and in JupyterLab."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import numpy as np

import nn
from autograd import Tensor

F = nn.functional


def _named(value: Any, name: str) -> Any:
    value.name = name
    return value


def _random(seed: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    return rng, lambda name, *shape: Tensor(rng.normal(size=shape), name=name)


def mlp() -> tuple[Any, str]:
    """Four layers with ReLU."""
    nn.manual_seed(0)
    rng, _ = _random(0)
    sizes = (20, 16, 12, 8, 5)
    layers: list[Any] = []
    for before, after in itertools.pairwise(sizes):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return F.cross_entropy(nn.Sequential(*layers[:-1])(rng.normal(size=(8, 20))), rng.integers(0, 5, 8)), "W⁽¹⁾"


def lenet() -> tuple[Any, str]:
    nn.manual_seed(0)
    rng, _ = _random(0)
    net = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
    )  # fmt: skip
    return F.cross_entropy(net(rng.normal(size=(2, 1, 28, 28))), np.array([1, 2])), "g⁽¹⁾"


def rnn(*, names: bool = True) -> tuple[Any, str]:
    """Eight steps, a loss at each."""
    rng, parameter = _random(0)
    W, U, b, V = parameter("W", 3, 3), parameter("U", 3, 2), parameter("b", 3), parameter("V", 4, 3)
    h, loss = Tensor(np.zeros(3), name="h0", requires_grad=False), 0.0
    for t in range(1, 9):
        z = W @ h + U @ rng.normal(size=2) + b
        h = np.tanh(_named(z, f"z{t}") if names else z)
        h.name = f"h{t}" if names else None
        loss = loss + F.cross_entropy(V @ h, np.array(t % 4))
    return loss, "W"


def attention(*, names: bool = True) -> tuple[Any, str]:
    rng, parameter = _random(0)
    x = Tensor(rng.normal(size=(6, 8)), name="X", requires_grad=False)
    named = _named if names else lambda value, name: value
    q, k, v = (named(x @ parameter(f"W{c}", 8, 8), c.upper()) for c in "qkv")
    share = named(F.softmax(named(q @ k.T / np.sqrt(8), "S")), "P")
    out = named(np.tanh(named(share @ v, "O") @ parameter("Wo", 8, 8)), "H")
    return ((out - rng.normal(size=(6, 8))) ** 2).mean(), "Wq"


def lstm(*, names: bool = True) -> tuple[Any, str]:
    rng, parameter = _random(0)
    named = _named if names else lambda value, name: value
    c, hx = parameter("c0", 4), named(np.concatenate([parameter("h0", 4), rng.normal(size=5)]), "hx")
    f, i, o, g = (
        named(
            (np.tanh if gate == "g" else F.sigmoid)(parameter(f"W{gate}", 4, 9) @ hx + parameter(f"b{gate}", 4)), gate
        )
        for gate in "fiog"
    )
    return (named(o * np.tanh(named(f * c + i * g, "c1")), "h1") ** 2).sum(), "Wf"


def resnet() -> tuple[Any, str]:
    """Thirty residual layers."""
    _, parameter = _random(0)
    h = parameter("x", 4, 6)
    for i in range(1, 31):
        h = _named(h + 0.2 * F.relu(h @ parameter(f"W{i}", 6, 6)), f"h{i}")
    return F.cross_entropy(h, np.array([0, 1, 2, 3])), "W1"


def plain_rnn(steps: int, *, names: bool = False, inputs: bool = False) -> tuple[Any, str]:
    """The loop of a textbook, with no layer and no loss of a library."""
    rng, parameter = _random(1)
    U, W, c = parameter("U", 3, 3), parameter("W", 3, 2), parameter("c", 3)
    h = Tensor(rng.normal(size=3), name="h0", requires_grad=False)
    for t in range(1, steps + 1):
        h = np.tanh((W @ rng.normal(size=2) + U @ h if inputs else U @ h) + c)
        h.name = f"h{t}" if names else None
    return (h**2).sum(), "U"


def plain_mlp() -> tuple[Any, str]:
    """Ten layers whose values have no names."""
    rng, parameter = _random(0)
    x: Any = rng.normal(size=(4, 3))
    for k in range(1, 11):
        x = np.tanh(x @ parameter(f"W{k}", 3, 3) + parameter(f"b{k}", 3))
    return (x**2).mean(), "W1"


def nested() -> tuple[Any, str]:
    """A function of itself, twenty deep."""
    y = x = _random(0)[1]("x", 3)
    for _ in range(20):
        y = np.tanh(y)
    return y.sum(), x.name


def terms() -> tuple[Any, str]:
    """A sum of forty terms."""
    x = _random(0)[1]("x", 3)
    total: Any = 0.0
    for k in range(40):
        total = total + np.sin(x * (k + 1.5))
    return (total**2).sum(), x.name


def conditions() -> tuple[Any, str]:
    """A choice between choices, eight deep."""
    y = x = _random(0)[1]("x", 3)
    for k in range(8):
        y = np.where(y > 0.1 * k, np.sin(y), y * 0.5)
    return y.sum(), x.name


LONG: dict[str, Any] = {
    "mlp": mlp, "lenet": lenet, "rnn": rnn, "rnn without names": lambda: rnn(names=False), "attention": attention,
    "attention without names": lambda: attention(names=False), "lstm": lstm,
    "lstm without names": lambda: lstm(names=False), "resnet": resnet,
    "plain mlp": plain_mlp, "nested": nested, "terms": terms, "conditions": conditions,
}  # fmt: skip
LONG |= {
    f"plain rnn of {steps} steps{' with names' * names}{' with inputs' * inputs}":
        partial(plain_rnn, steps, names=names, inputs=inputs)
    for steps in (3, 8, 12, 30) for names in (False, True) for inputs in (False, True)
}  # fmt: skip
