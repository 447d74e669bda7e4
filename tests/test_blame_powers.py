"""Blame: one operand used twice is not two terms, however a square or a power is written."""

import re

import numpy as np
import pytest
from randomnetworks import SQUARES

from autograd import Tensor
from viz import explain_mismatch

RNG = np.random.default_rng(4)
X, Y = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 2))
SIZES = {1: [(3, 2)], 2: [(3, 4), (4, 2)], 3: [(3, 4), (4, 4), (4, 2)]}


def network(weights, square, k=0.3):
    """tanh layers, a bias, half the squared error, and k Σ W² of every weight; the gradients by hand."""
    values = [RNG_OF(n).normal(size=shape) for n, shape in enumerate(SIZES[weights])]
    c = RNG_OF(9).normal(size=2)
    tensors = [Tensor(W, name=f"W{n + 1}") for n, W in enumerate(values)]
    bias = Tensor(c, name="c")
    a, kept = X, [X]
    h = X
    for n, (W, V) in enumerate(zip(tensors, values, strict=True)):
        a, h = a @ W, h @ V
        if n < weights - 1:
            a, h = np.tanh(a), np.tanh(h)
        kept.append(h)
    loss = 0.5 * np.sum((a + bias - Y) ** 2)
    terms = [square(W) for W in tensors]
    loss = loss + k * (terms[0] if weights == 1 else sum(terms[1:], terms[0]))
    d = kept[-1] + c - Y
    right = {"c": d.sum(axis=0)}
    for n in range(weights - 1, -1, -1):
        right[f"W{n + 1}"] = kept[n].T @ d + 2 * k * values[n]
        d = (d @ values[n].T) * (1 - kept[n] ** 2) if n else d
    return (
        loss,
        {"c": bias, **{t.name: t for t in tensors}},
        right,
        {t.name: v for t, v in zip(tensors, values, strict=True)},
    )


def RNG_OF(n):
    return np.random.default_rng([n, 77])


SLIPS = {
    "forgotten": lambda g, W, k: g - 2 * k * W,
    "k W instead of 2 k W": lambda g, W, k: g - k * W,
    "doubled": lambda g, W, k: g + 2 * k * W,
    "sign": lambda g, W, k: g - 4 * k * W,
    "over 5": lambda g, W, k: g - 2 * k * W + 2 * k * W / 5,
    "another λ": lambda g, W, k: g - 2 * k * W + 0.74 * W,
    "gradient of the wrong sign": lambda g, W, k: -g,
    "gradient twice": lambda g, W, k: 2 * g,
    "transposed term": lambda g, W, k: g - 2 * k * W + 2 * k * W[::-1],
}


def said(report):
    """What a report says, but for how the square is written."""
    places = r"(at )?(`[^`]*`( \(the \w+ time of \d\))?|W\d²|the \w+ \(%\d+\))( \(\w+\.py:\d+\))?|\d+ operations"
    return [(f.verdict, f.slip, f.gradients, f.solved, re.sub(places, "…", f.sentence)) for f in report]


@pytest.mark.parametrize("weights", [1, 2, 3])
@pytest.mark.parametrize("slip", SLIPS)
def test_a_square_is_spoken_of_alike_however_it_is_written(slip, weights):
    expected = None
    first, *others = SQUARES
    chosen = [first, *(others[weights - 2 :: 2] if weights > 1 else others)]
    for spelling, square in ((spelling, SQUARES[spelling]) for spelling in chosen):
        loss, tensors, right, values = network(weights, square)
        name = f"W{weights}"
        wrong = {**right, name: SLIPS[slip](right[name], values[name], 0.3)}
        report = explain_mismatch(loss, {tensors[n]: g for n, g in wrong.items()})
        assert {n for n, v in report.verdicts.items() if v != "right"} == {f"∂L/∂{name}"}, f"{spelling}: {report}"
        found = said(report)
        expected = expected or found
        assert found == expected, f"{spelling}: {report}"
