"""Networks as A. Ng's courses derive them: examples are columns, dZ = A − Y without the 1/m, dW and db with it."""

from types import SimpleNamespace

import numpy as np

from autograd import Tape, Tensor

SLIPS = {
    "sign of dZ": "Z", "activation missing": "Z", "other activation": "Z", "W not transposed": "A", "dA halved": "A",
    "db without 1/m": "b", "dW without 1/m": "W", "1/m twice in dW": "W", "db negative": "b", "dW doubled": "W",
}  # fmt: skip
"""Slips, and in which gradient each is made."""


def course_net(sizes=(3, 4, 1), m=5, seed=0, cost=0, lambd=0.0, slip="", layer=0, dtype=np.float64):
    """A network with sigmoid outputs, its cost written in one of several ways; its gradients in the convention."""
    rng = np.random.default_rng(seed)
    draw = lambda *shape: rng.normal(size=shape).astype(dtype)
    depth = len(sizes) - 1
    X, Y = draw(sizes[0], m), (rng.random((sizes[-1], m)) > 0.5).astype(dtype)
    W = {k: draw(sizes[k], sizes[k - 1]) for k in range(1, depth + 1)}
    b = {k: draw(sizes[k], 1) for k in range(1, depth + 1)}
    t, A, a = {}, X, {0: X}
    for k in range(1, depth + 1):
        t[f"W{k}"], t[f"b{k}"] = Tensor(W[k], name=f"W{k}"), Tensor(b[k], name=f"b{k}")
        t[f"Z{k}"] = t[f"W{k}"] @ A + t[f"b{k}"]
        A = t[f"A{k}"] = 1 / (1 + np.exp(-t[f"Z{k}"])) if k == depth else np.tanh(t[f"Z{k}"])
        t[f"Z{k}"].name, A.name, a[k] = f"Z{k}", f"A{k}", A.data
    log_likelihood = Y * np.log(A) + (1 - Y) * np.log(1 - A)
    J = (
        lambda: -np.sum(log_likelihood) / m,
        lambda: -1 / m * np.sum(log_likelihood),
        lambda: -np.mean(log_likelihood) * sizes[-1],
        lambda: np.squeeze((1.0 / m) * -np.sum(Y * np.log(A)) - (1.0 / m) * np.sum((1 - Y) * np.log(1 - A))),
        lambda: np.sum(-log_likelihood / m),
        lambda: -log_likelihood.sum(axis=0).mean(),
    )[cost]()
    for k in range(1, depth + 1):
        J = J + lambd / (2 * m) * np.sum(np.square(t[f"W{k}"])) if lambd else J
    J.name = "J"
    g = {f"A{depth}": -Y / a[depth] + (1 - Y) / (1 - a[depth])}
    for k in range(depth, 0, -1):
        here = slip if k == layer else ""
        derivative = 1 - a[k] ** 2
        derivative = {"activation missing": 1, "other activation": a[k] * (1 - a[k])}.get(here, derivative)
        dZ = a[k] - Y if k == depth else g[f"A{k}"] * derivative
        dZ = g[f"Z{k}"] = -dZ if here == "sign of dZ" else dZ
        over = {"dW without 1/m": 1, "1/m twice in dW": m * m, "dW doubled": m / 2}.get(here, m)
        g[f"W{k}"] = dZ @ a[k - 1].T / over + lambd / m * W[k]
        over = {"db without 1/m": 1, "db negative": -m}.get(here, m)
        g[f"b{k}"] = dZ.sum(axis=1, keepdims=True) / over
        if k > 1:
            across = W[k] if here == "W not transposed" else W[k].T
            g[f"A{k - 1}"] = across @ dZ * (0.5 if here == "dA halved" else 1)
    engine = {name: np.array(grad) for name, grad in ((n, Tape(J).gradients()[t[n].node]) for n in g)}
    return SimpleNamespace(J=J, t=t, g=g, engine=engine, m=m, W=W, X=X, Y=Y, a=a)


def hand(net, names=None, **other):
    """Gradients by Tensor: those in the convention, or others in their place."""
    return {net.t[n]: g for n, g in {**net.g, **other}.items() if names is None or n in names}
