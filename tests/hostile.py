"""Losses that can be computed where they stand and hardly anywhere else: run again with other numbers, they raise."""

import warnings

import numpy as np

from autograd import Tensor, defvjp, primitive


@primitive
def picky(x):
    """x², for one value of x alone."""
    if not np.isin(np.round(x, 12), _KNOWN).all():
        raise RuntimeError("picky: never seen that x")
    return x * x


defvjp(picky, lambda g, out, x: 2 * g * x)
_KNOWN = [0.5, -1.25, 2.0]


@primitive
def moody(x):
    """3 x, with a warning wherever x is not what it was."""
    if not np.isin(np.round(x, 12), _KNOWN).all():
        warnings.warn("moody: that x is new", UserWarning, stacklevel=2)
    return 3 * x


defvjp(moody, lambda g, out, x: 3 * g)


@primitive
def touchy(x):
    """2 x, with a rule that wants gradients of one sign."""
    return 2 * x


def _touchy_rule(g, out, x):
    if np.any(g < 0):
        raise ValueError("touchy: a gradient below 0")
    return 2 * g


defvjp(touchy, _touchy_rule)


def _named(value, name):
    value.name = name
    return value


def cases():
    """A name, a loss, and its leaves and named values."""
    A = np.array([[1.0, 0.5], [0.5, 0.250001]])  # nearly singular

    def over_a_matrix(f):
        w = Tensor(A, name="w")
        z = _named(f(w), "z")
        return _named((z * np.arange(1.0, 1 + z.size).reshape(z.shape)).sum(), "L"), [w, z]

    def over_a_vector(f):
        w = Tensor([0.5, -1.25, 2.0], name="w")
        z = _named(f(w), "z")
        return _named((z * np.array([1.0, 2.0, 0.5])).sum(), "L"), [w, z]

    yield "inv", *over_a_matrix(np.linalg.inv)
    yield "inv of a product", *over_a_matrix(lambda w: np.linalg.inv(w @ w))
    yield "solve", *over_a_matrix(lambda w: np.linalg.solve(w, np.array([1.0, 2.0])))
    yield "det", *over_a_matrix(lambda w: np.linalg.det(w) * w)
    yield "logarithm of det", *over_a_matrix(lambda w: np.log(np.linalg.det(w)) * w)
    yield "log of a difference", *over_a_vector(lambda w: np.log(w + 1.2500001))
    yield "root", *over_a_vector(lambda w: np.sqrt(w + 1.2500001))
    yield "power", *over_a_vector(lambda w: (w + 1.2500001) ** 0.3)
    yield "computed index", *over_a_vector(lambda w: w[np.argsort(w.data)] * w[(w.data > 0).astype(int)])
    yield "one use", *over_a_vector(picky)
    yield "one use, then more", *over_a_vector(lambda w: np.tanh(picky(w) * w))
    yield "moody", *over_a_vector(lambda w: moody(w) * w)
    yield "touchy", *over_a_vector(lambda w: touchy(w * w))
    yield "division", *over_a_vector(lambda w: 1 / (w + 1.25000001))
