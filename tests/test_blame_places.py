"""Blame: what windows, rows and parts get, put to another place or written over each other."""

import numpy as np
import pytest
from blamecases import blamed

from autograd import Tensor
from viz import explain_mismatch


def check(made, slip, *said):
    """A right gradient is so, and of a wrong one the cause is named."""
    assert explain_mismatch(*made(False)).ok
    report = explain_mismatch(*made(True))
    blamed(report, slip)
    assert len(report) == 1 and all(part in str(report) for part in said), str(report)
    assert not report.untried


def largest_of_windows(*, wrong, whole):
    """Maxima of windows that overlap, in a loop."""
    rng = np.random.default_rng(34)
    a, c = Tensor(rng.normal(size=(5, 5)), name="a"), rng.normal(size=(3, 3))
    out = np.stack([np.max(a[i : i + 3, j : j + 3]) for i in range(3) for j in range(3)]).reshape(3, 3)
    g, found = 2 * out.data * c, np.zeros((5, 5))
    for i, j in np.ndindex(3, 3):
        window = a.data[i : i + 3, j : j + 3]
        sent = (window == window.max()) * g[i, j]
        if wrong and not whole:
            p, q = np.unravel_index(np.argmax(window), (3, 3))
            found[i + p, j + q] = g[i, j]
        else:
            found[i : i + 3, j : j + 3] = sent + (0 if wrong else found[i : i + 3, j : j + 3])
    return (out**2 * c).sum(), {out: g, a: found}


@pytest.mark.parametrize(("whole", "said"), [(True, "was assigned, so"), (False, "was assigned where it is not 0, so")])
def test_windows_that_overlap_of_which_the_last_alone_is_kept(whole, said):
    check(
        lambda wrong: largest_of_windows(wrong=wrong, whole=whole), "assigned instead of accumulated", said,
        "`a[i : i + 3, j : j + 3]` (the 4th time of 9) and others",
    )  # fmt: skip


def triplets(*, wrong, in_turn):
    """The distances of rows of one array, of which some come more than once."""
    rng = np.random.default_rng(29)
    X, i = Tensor(rng.normal(size=(5, 3)), name="X"), np.array([[0, 2, 4], [1, 4, 3], [2, 0, 1]])
    a, p, n = X[i[:, 0]], X[i[:, 1]], X[i[:, 2]]
    da, dp, dn = 2 * (n.data - p.data), 2 * (p.data - a.data), 2 * (a.data - n.data)
    found = np.zeros((5, 3))
    rows = zip(i.ravel(), np.stack([da, dp, dn], axis=1).reshape(9, 3), strict=True)
    if not in_turn:
        rows = zip(i.T.ravel(), np.concatenate([da, dp, dn]), strict=True)
    for k, row in rows:
        found[k] = row + (0 if wrong else found[k])
    return ((a - p) ** 2).sum() - ((a - n) ** 2).sum(), {a: da, p: dp, n: dn, X: found}


@pytest.mark.parametrize(("in_turn", "how"), [(True, " row by row"), (False, "")])
def test_rows_that_are_taken_more_than_once_of_which_the_last_alone_is_kept(in_turn, how):
    said = f"p and n was assigned{how}, so that where these overlap only that of the last one was kept"
    check(lambda wrong: triplets(wrong=wrong, in_turn=in_turn), "assigned instead of accumulated", said)


def test_an_index_that_repeats_beside_another_part():
    rng = np.random.default_rng(35)
    U, v, i = Tensor(rng.normal(size=(6, 3)), name="U"), rng.normal(size=3), np.array([4, 2, 4, 5])
    loss = np.exp(U[1] @ v) + np.exp(U[i] @ v).sum()
    right = np.exp(U.data @ v)[:, None] * v * np.array([0, 1, 1, 0, 2, 1])[:, None]

    def made(wrong):
        return loss, {U: right / np.array([1, 1, 1, 1, 1 + wrong, 1])[:, None]}

    check(made, "index that repeats", "an index comes more than once, and")


def contexts(*, wrong, along):
    """Rows of a table by an index of two axes, in which some come twice."""
    rng = np.random.default_rng(36)
    C, W = Tensor(rng.normal(size=(5, 2)), name="C"), rng.normal(size=(6, 4))
    i = np.array([[0, 0, 2], [0, 2, 3], [2, 3, 3], [1, 4, 0]])
    emb = C[i]
    h = np.tanh(emb.reshape(4, 6) @ W)
    g = (2 * h.data * (1 - h.data**2) @ W.T).reshape(4, 3, 2)
    found = np.zeros((5, 2))
    for rows, sent in zip(np.moveaxis(i, along, 0), np.moveaxis(g, along, 0), strict=True):
        if wrong:
            found[rows] += sent
        else:
            np.add.at(found, rows, sent)
    return (h**2).sum(), {emb: g, C: found}


@pytest.mark.parametrize(("along", "which"), [(0, "row"), (1, "column")])
def test_an_index_that_repeats_within_a_row_or_a_column(along, which):
    said = (
        f"more than once in one {which}, and of its contributions only the last was kept",
        f"last_in_{which}(∂L/∂emb)",
    )
    check(lambda wrong: contexts(wrong=wrong, along=along), "index that repeats", *said)


def convolution(*, put=0, taken=0):
    """Windows of what a layer gave, with a stride of 2, or of 1 where they were put to or taken from."""
    rng = np.random.default_rng(5)
    X, W = Tensor(rng.normal(size=(5, 7)), name="X"), Tensor(rng.normal(size=(3, 3)), name="W")
    A = np.tanh(X)
    A.name = "A"
    Z = np.stack([np.sum(A[2 * i : 2 * i + 3, 2 * j : 2 * j + 3] * W) for i in range(2) for j in range(3)])
    dA, dW = np.zeros((5, 7)), np.zeros((3, 3))
    for z, (i, j) in zip(Z.data, np.ndindex(2, 3), strict=True):
        p, q = (2 - put) * i, (2 - put) * j
        k, m = (2 - taken) * i, (2 - taken) * j
        dA[p : p + 3, q : q + 3] += 2 * z * W.data
        dW += 2 * z * A.data[k : k + 3, m : m + 3]
    return (Z**2).sum(), {W: dW, X: dA * (1 - A.data**2)}


_AT = "at [0:3, 0:3], [0:3, 1:4], [0:3, 2:5], [1:4, 0:3], …, in the place of [0:3, 0:3], [0:3, 2:5], [0:3, 4:7]"


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ({"put": 1}, "∂L/∂A got them"),
        ({"taken": 1}, "they were taken out of A"),
        ({"put": 1, "taken": 1}, "they were taken out of A and put to its gradient"),
    ],
)
def test_windows_without_their_stride(way, said):
    said = f"the stride of windows, 2, was left out: {said} {_AT}"
    check(lambda wrong: convolution(**(way if wrong else {})), "part at another place", said)


def joined(*, wrong):
    rng = np.random.default_rng(7)
    x, k, y = Tensor(rng.normal(size=6), name="x"), rng.normal(size=3), rng.normal(size=6)
    padded = np.concatenate([np.zeros(1), x, np.zeros(1)])
    d, found = k[0] * padded[0:6] + k[1] * padded[1:7] + k[2] * padded[2:8] - y, np.zeros(8)
    for j in range(3):
        found[j : j + 6] += d.data * k[j]
    return 0.5 * (d**2).sum(), {x: found[:6] if wrong else found[1:7]}


def test_what_was_padded_by_joining_cut_out_one_off():
    check(
        lambda wrong: joined(wrong=wrong),
        "part at another place",
        "cut out of ∂L/∂padded at [0:6], in the place of [1:7]",
    )
