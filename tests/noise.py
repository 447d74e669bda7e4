"""Small networks with a wrong gradient that no mistake explains, printed to some number of digits."""

import numpy as np
from blamecases import classifier, mlp, recurrent

from autograd import Tensor
from nn import functional as F

__all__ = ["noisy"]

DIGITS = range(3, 17)


def _factors(rng):
    R, M = rng.normal(size=(4, 5)), rng.integers(0, 2, size=(4, 5)) * 1.0
    p, q = Tensor(rng.normal(size=(4, 2)), name="P"), Tensor(rng.normal(size=(5, 2)), name="Q")
    return ((M * (R - p @ q.T)) ** 2).sum() + 0.1 * (p**2).sum() + 0.1 * (q**2).sum(), [p, q]


def _normalised(rng):
    x, gamma = Tensor(rng.normal(size=(5, 3)), name="x"), Tensor(rng.normal(size=3), name="γ")
    c = x - x.mean(axis=0)
    return (c / np.sqrt((c**2).mean(axis=0) + 1e-5) * gamma * rng.normal(size=(5, 3))).sum(), [x, gamma]


def _logistic(rng):
    X, y, w = rng.normal(size=(7, 4)), rng.integers(0, 2, size=7), Tensor(rng.normal(size=4), name="w")
    h = F.sigmoid(X @ w)
    return -(y * np.log(h) + (1 - y) * np.log(1 - h)).mean() + 0.05 * (w**2).sum(), [w]


def _dense(rng):
    t, _ = mlp(rng.choice(["sigmoid", "tanh", "relu"]), seed=int(rng.integers(1000)), loss=rng.choice(["half", "mean"]))
    return t.loss, [t.W1, t.W2, t.b1]


def _classes(rng):
    t, v = classifier(seed=int(rng.integers(1000)))
    return F.cross_entropy(t.z, v.labels), [t.W, t.b]


def _in_time(rng):
    t, _ = recurrent(steps=4, seed=int(rng.integers(1000)))
    return t.loss, [t.W, t.U]


MADE = (_factors, _normalised, _logistic, _dense, _classes, _dense, _in_time)


def noisy(seed):
    """A loss and gradients of it, one of which is off by noise; the digits that it is printed to."""
    rng = np.random.default_rng(seed)
    loss, leaves = MADE[seed % len(MADE)](rng)
    loss.backward()
    grads = {leaf: np.array(leaf.grad) for leaf in leaves}
    wrong = leaves[int(rng.integers(len(leaves)))]
    g = grads[wrong]
    size = np.abs(g).mean()
    off = (g * rng.uniform(0.3, 3, size=g.shape), g + size * rng.normal(size=g.shape), size * rng.normal(size=g.shape))
    digits = int(rng.choice(DIGITS))
    printed = np.vectorize(lambda n: f"{n:.{digits}g}", otypes=[object])(off[int(rng.integers(3))])
    others = {leaf: grads[leaf] for leaf in leaves if leaf is not wrong and rng.integers(2)}
    return loss, {**others, wrong: printed.tolist()}, digits
