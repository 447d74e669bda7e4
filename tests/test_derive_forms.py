"""What derivations of common losses and activations come out as: p − y, [z > 0], 0.2 w; every name is explained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from test_derive import derived, given, named, numbers, parameter, rows

import nn
import viz
from autograd import Tensor
from autograd.rules.elementwise import relu, sigmoid

F = nn.functional
LABELS = np.array([0, 3, 1, 2, 2])
ONE_HOT = np.eye(4)[LABELS]
BINARY = np.array([1.0, 0.0, 0.0, 1.0, 0.0])


def logits() -> Any:
    return given("X", 5, 3) @ parameter("W", 3, 4) + parameter("b", 4)


def shares(z: Any, *, stable: bool = False, axis: int = 1, keepdims: bool = True) -> Any:
    return share(np.exp(z - np.max(z, axis=axis, keepdims=True) if stable else z), axis, keepdims)


def share(e: Any, axis: int, keepdims: bool) -> Any:
    return e / e.sum(axis=axis, keepdims=keepdims)


def log_loss(p: Any) -> Any:
    y = ONE_HOT
    return -(y * np.log(p)).sum(axis=1).mean()


def from_columns(*, keepdims: bool) -> Any:
    z = named(parameter("W", 4, 3) @ given("X", 3, 5) + parameter("b", 4, 1), "z")
    p = named(shares(z, axis=0, keepdims=keepdims), "p")
    return -(ONE_HOT.T * np.log(p)).sum(axis=0).mean()


def picked(z: Any) -> Any:
    return (np.log(np.exp(z).sum(axis=1)) - z[np.arange(5), LABELS]).mean()


SOFTMAX: dict[str, Callable[[], Any]] = {
    "cross_entropy": lambda: F.cross_entropy(logits(), LABELS),
    "cross_entropy of z": lambda: F.cross_entropy(named(logits(), "z"), LABELS),
    "softmax and log_loss": lambda: F.log_loss(named(F.softmax(named(logits(), "z")), "p"), ONE_HOT),
    "softmax and log_loss without names": lambda: F.log_loss(F.softmax(logits()), ONE_HOT),
    "softmax and log_loss of indices": lambda: F.log_loss(F.softmax(logits()), LABELS),
    "log_softmax and nll_loss": lambda: F.nll_loss(F.log_softmax(logits()), LABELS),
    "log_softmax by labels": lambda: (lambda y: -(y * F.log_softmax(logits())).sum(axis=1).mean())(ONE_HOT),
    "softmax, the rest by hand": lambda: log_loss(F.softmax(logits())),
    "all by hand": lambda: log_loss(named(shares(named(logits(), "z")), "p")),
    "all by hand without names": lambda: log_loss(shares(logits())),
    "stable": lambda: log_loss(named(shares(named(logits(), "z"), stable=True), "p")),
    "stable without names": lambda: log_loss(shares(logits(), stable=True)),
    "with 1e-12": lambda: log_loss(named(F.softmax(logits()), "p") + 1e-12),
    "by log Σ exp": lambda: picked(named(logits(), "z")),
    "by take_along_axis": lambda: (
        -np.log(np.take_along_axis(named(F.softmax(logits()), "p"), LABELS[:, None], axis=1)).mean()
    ),
}


@pytest.mark.parametrize("loss", SOFTMAX.values(), ids=SOFTMAX)
def test_softmax_and_cross_entropy_come_out_as_p_minus_y(loss: Callable[[], Any]) -> None:
    derivation = derived(loss(), "W")
    assert derivation.closed == "1 / N × (Xᵀ (p − y))"
    assert "N = 5" in derivation.notes


@pytest.mark.parametrize("keepdims", [True, False])
def test_examples_in_columns_do_so_too(keepdims: bool) -> None:
    derivation = derived(from_columns(keepdims=keepdims), "W")
    assert derivation.closed == "1 / N × ((p − y) Xᵀ)"
    assert "each column of y adds up to 1" in derivation.notes


@pytest.mark.parametrize("stable", [True, False])
def test_one_example_does_so_too(stable: bool) -> None:
    z = named(parameter("W", 4, 3) @ given("x", 3), "z")
    p = named(shares(z, stable=stable, axis=0), "p")
    assert derived(-np.log(p[2]), "W").closed == "(p − y) xᵀ"
    y = ONE_HOT[0]
    assert derived(-(y * np.log(p)).sum(), "W").closed == "(p − y) xᵀ"


def test_shares_of_the_wrong_axis_are_no_softmax() -> None:
    z = named(parameter("W", 4, 4) @ given("X", 4, 4), "z")
    e = np.exp(z)
    p = named(e / e.sum(axis=1), "p")
    weights = numbers(3, 4, 4)
    assert "softmax" not in str(derived((weights * p).sum(), "W"))


def test_labels_that_do_not_add_up_to_1_keep_their_sum() -> None:
    p = named(F.softmax(logits()), "p")
    loss = -((ONE_HOT + 0.1) * np.log(p)).sum(axis=1).mean()
    assert derived(loss, "W").closed == "1 / N × (Xᵀ ((Σ₁ y) ⊙ p − y))"


def test_a_small_number_that_can_be_seen_is_kept() -> None:
    p = named(F.softmax(logits()), "p")
    assert "0.01" in derived(log_loss(p + 0.01), "W").closed
    assert "1e-05" in derived(log_loss(p + 1e-5), "W").closed


@pytest.mark.parametrize("stable", [True, False])
def test_a_softmax_alone_is_diagonal_minus_outer_product(stable: bool) -> None:
    scores = parameter("S", 5, 4)
    p = named(shares(scores, stable=stable), "P")
    derivation = derived(((p @ parameter("V", 4, 2)) ** 2).sum(), scores)
    assert "∂P/∂S  = (• − Σ₁ (• ⊙ P)) ⊙ P" in rows(derivation, "factors")[0]
    assert derivation.closed == "2 (P V Vᵀ − Σ₁ ((P V Vᵀ) ⊙ P)) ⊙ P"


def test_binary_labels_are_called_y_whatever_has_a_name() -> None:
    z = given("X", 5, 2) @ parameter("w", 2)
    a, y = F.sigmoid(z), BINARY
    assert derived(F.binary_cross_entropy_with_logits(z, y), "w").closed == "1 / N × (Xᵀ (σ(z) − y))"
    for loss in (F.binary_cross_entropy(a, y), -(y * np.log(a) + (1 - y) * np.log(1 - a)).mean()):
        assert derived(loss, "w").closed == "1 / N × (Xᵀ (a − y))"


# --- numbers ----------------------------------------------------------------------------------------------------------


def squares(w: Any) -> Any:
    return ((named(given("X", 5, 2) @ w, "ŷ") - numbers(1, 5)) ** 2).mean()


@pytest.mark.parametrize(
    ("weight", "text"),
    [(0.1, "0.2 w"), (0.01, "0.02 w"), (0.3, "0.6 w"), (0.5, "w"), (1e-4, "0.0002 w"), (1 / 5, "0.4 w"), (2, "4 w")],
)
def test_a_decimal_of_the_program_stays_one(weight: float, text: str) -> None:
    w = parameter("w", 2)
    assert derived(squares(w) + weight * (w**2).sum(), w).closed == f"{text} + 2 / N × (Xᵀ (ŷ − y))"


def test_a_quotient_of_the_program_stays_one() -> None:
    w = parameter("w", 2)
    assert derived(((given("X", 5, 2) @ w - numbers(1, 5)) ** 2).sum() / 10, w).closed == "1 / 5 × (Xᵀ (X w − y))"


def test_means_and_variances_of_features_are_quotients() -> None:
    w = parameter("w", 2, 5)
    assert derived((np.mean(w, axis=1) ** 2).sum() + (parameter("v", 3) ** 2).mean(), w).closed == (
        "broadcast(2 / 5 × mean₁(w), 2×5)"
    )
    assert derived(np.var(parameter("x", 5)), "x").closed == "2 / 5 × (x − mean(x))"


def test_square_roots_of_numbers_are_written_as_such() -> None:
    w = parameter("w", 3)
    assert derived((w / np.sqrt(2)).sum(), w).closed == "1 / √2"
    assert derived((w * np.sqrt(3)).sum(), w).closed == "√3"
    assert r"\frac{1}{\sqrt{2}}" in viz.derive((w / np.sqrt(2)).sum(), w).latex()


def test_a_root_squared_is_what_is_under_it() -> None:
    v = Tensor([1.0, 2.0], name="v")
    assert derived((np.sqrt(v + 1e-5) ** -2.0).sum(), v).closed == "−1 / (v + 1e-05)²"


def test_a_quotient_by_a_root_is_a_root() -> None:
    w = parameter("w", 3)
    assert derived((np.sqrt(w**2) ** 3).sum(), w).closed == "3 w ⊙ √(w²)"
    v = Tensor([1.0, 2.0], name="v")
    assert derived((v * np.sqrt(v)).sum(), v).closed == "3 / 2 × √v"


def test_a_number_that_an_array_is_everywhere_stands_alone() -> None:
    w = parameter("w", 3)
    assert derived((3 * w).sum(), w).closed == "3"


def test_predictions_come_before_labels() -> None:
    w = parameter("w", 2)
    for loss in (lambda d: (d**2).mean(), lambda d: ((-d) ** 2).mean()):
        assert derived(loss(numbers(1, 5) - given("X", 5, 2) @ w), w).closed == "2 / N × (Xᵀ (X w − y))"
    assert derived(((1 - parameter("v", 5)) ** 2).mean(), "v").closed == "2 / N × (v − 1)"


def test_a_mean_in_a_named_term_of_the_loss_is_over_n_too() -> None:
    w = parameter("w", 2)
    data = named(squares(w), "data")
    assert derived(data + named(0.1 * (w**2).sum(), "penalty"), w).closed == "0.2 w + 2 / N × (Xᵀ (ŷ − y))"


# --- sums of several ways ---------------------------------------------------------------------------------------------


def test_a_term_of_the_loss_by_itself_has_its_own_name() -> None:
    w = parameter("w", 2)
    derivation = derived(squares(w) + 0.1 * (w**2).sum(), w)
    assert rows(derivation, "chain") == ["∂L/∂w = ∂L/∂ŷ · ∂ŷ/∂w\n      + ∂(0.1 Σ w²)/∂w"]
    assert "∂(0.1 Σ w²)/∂w  = 0.2 w" in rows(derivation, "factors")[0]
    assert r"\frac{\partial \left( 0.1\, \sum \, w^{2} \right)}{\partial w}" in derivation.latex()


def test_what_is_no_term_is_sent_directly() -> None:
    w = parameter("w", 2)
    derivation = derived((named(np.tanh(w), "h") * w).sum(), w)
    assert rows(derivation, "chain") == ["∂L/∂w = ∂L/∂h · ∂h/∂w\n      + (∂L/∂w directly)"]
    assert r"\left. \frac{\partial L}{\partial w} \right|_{\text{directly}}" in derivation.latex()


def test_no_equation_contains_its_own_left_side() -> None:
    w = parameter("w", 2)
    h = named(np.tanh(w), "h")
    for loss in (squares(w) - (w**2).sum(), (h * w).sum() + (h**3).sum(), (h**2).sum() + (h * w).mean()):
        for line in rows(derived(loss, w), "chain"):
            left, right = line.split(" = ", 1)
            assert left not in right.replace(f"({left} directly)", "")


# --- conditions -------------------------------------------------------------------------------------------------------


RELU: dict[str, Callable[[Any], Any]] = {
    "relu": relu,
    "max": lambda z: np.maximum(0, z),
    "max the other way round": lambda z: np.maximum(z, 0),
    "named max": lambda z: named(np.maximum(0, z), "a"),
    "where": lambda z: np.where(z > 0, z, 0.0),
    "times a mask": lambda z: z * (z > 0),
}


@pytest.mark.parametrize("f", RELU.values(), ids=RELU)
def test_the_derivative_of_relu_asks_for_the_sign_of_its_argument(f: Callable[[Any], Any]) -> None:
    w = parameter("W", 3, 4)
    assert derived(f(named(given("X", 5, 3) @ w, "z")).sum(), w).closed == "Xᵀ [z > 0]"
    assert derived(f(given("X", 5, 3) @ w).sum(), w).closed == "Xᵀ [X W > 0]"


def test_a_leaky_relu_has_two_slopes() -> None:
    z = parameter("z", 6)
    assert derived(np.where(z > 0, z, 0.1 * z).sum(), z).closed == "[z > 0] + 0.1 [z ≤ 0]"
    assert derived(np.maximum(z, 0.1 * z).sum(), z).closed == "[z > 0] + 0.1 [z < 0]"


HUBER = "[|z| > 1] ⊙ sign(z) + [|z| ≤ 1] ⊙ z"
COMPARED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "Huber": (lambda z: np.where(np.abs(z) <= 1, 0.5 * z**2, np.abs(z) - 0.5), HUBER),
    "ELU": (lambda z: np.where(z > 0, z, np.exp(z) - 1), "[z > 0] + [z ≤ 0] ⊙ exp(z)"),
    "max": (lambda z: np.maximum(0, z), "[z > 0]"),
    "named max": (lambda z: named(np.maximum(0, z), "a"), "[z > 0]"),
    "leaky": (lambda z: np.where(z > 0, z, 0.1 * z), "[z > 0] + 0.1 [z ≤ 0]"),
    "leaky by max": (lambda z: np.maximum(z, 0.1 * z), "[z > 0] + 0.1 [z < 0]"),
    "times a mask": (lambda z: z * (z > 0), "[z > 0]"),
    "times a mask as numbers": (lambda z: z * (z > 0).astype(float), "[z > 0]"),
    "a mask times a number": (lambda z: 0.5 * (z > 0) * z**2, "[z > 0] ⊙ z"),
    "slopes": (lambda z: np.where(z > 0, 1.0, 0.1) * z, "1 if z > 0 else 0.1"),
    "an index": (lambda z: z[z > 0] ** 2, "2 z ⊙ [z > 0]"),
    "both": (lambda z: z**2 * ((z > -1) & (z < 1)), "2 [z > −1 ∧ z < 1] ⊙ z"),
    "not": (lambda z: z**2 * ~(z > -1), "2 [z ≤ −1] ⊙ z"),
    "either": (lambda z: z**2 * np.logical_or(z < -1, z > 1), "2 [z < −1 ∨ z > 1] ⊙ z"),
    "clip": (lambda z: np.clip(z, -1, 1), "[−1 ≤ z ≤ 1]"),
    "relu": (relu, "[z > 0]"),
}


@pytest.mark.parametrize("shift", [0, 10, -10], ids=["some", "all", "none"])
@pytest.mark.parametrize(("f", "closed"), COMPARED.values(), ids=COMPARED)
def test_a_condition_is_what_the_program_compared_whichever_units_are_active(
    f: Callable[[Any], Any], closed: str, shift: float
) -> None:
    z = Tensor(numbers(3, 6) + shift, name="z")
    derivation = derived(f(z).sum(), z)
    assert (derivation.closed, derivation.notes) == (closed, ())


@pytest.mark.parametrize("shift", [0.3, 5.0, -5.0])
def test_a_condition_on_a_number_is_what_the_program_compared(shift: float) -> None:
    r = Tensor(shift, name="r")
    huber = np.where(np.abs(r) <= 1, 0.5 * r**2, np.abs(r) - 0.5)
    assert derived(huber, r).closed == "[|r| > 1] × sign(r) + [|r| ≤ 1] × r"
    a, p, n = parameter("a", 4), parameter("p", 4), parameter("n", 4)
    triplet = np.maximum(0, ((a - p) ** 2).sum() - ((a - n) ** 2).sum() + shift)
    margin = f"{'+' if shift > 0 else '−'} {abs(shift):g}"
    assert derived(triplet, a).closed == f"2 [Σ (a − p)² − Σ (a − n)² {margin} > 0] × (n − p)"


def test_at_a_tie_the_half_of_a_maximum_is_said() -> None:
    z = Tensor([0.0, 1.0, -1.0], name="z")
    assert derived(np.maximum(0, z).sum(), z).closed == "[z > 0] + 1 / 2 × [z = 0]"
    assert derived(relu(z).sum(), z).closed == "[z > 0]"


def test_a_mask_that_was_written_into_is_no_condition() -> None:
    z = Tensor([1.0, -1.0, 2.0], name="z")
    mask = z > 0
    mask[0] = False
    derivation = derived((z * mask).sum(), z)
    assert (derivation.closed, derivation.notes) == ("[mask]", ("mask = [False False True]",))


def test_inputs_that_happen_to_equal_the_labels_are_not_called_labels() -> None:
    w, b = parameter("w", 1), parameter("b")
    x, y = np.array([[0.0], [1.0], [1.0]]), np.array([0.0, 1.0, 1.0])
    a = named(sigmoid(x @ w + b), "a")
    loss = -(y * np.log(a) + (1 - y) * np.log(1 - a)).mean()
    assert derived(loss, w).closed == "1 / N × (xᵀ (a − y))"


def test_a_mask_that_is_no_condition_is_called_one() -> None:
    z = parameter("z", 6)
    mask = np.random.default_rng(5).normal(size=6) > z.data**2 - 1
    derivation = derived(np.where(mask, z**2, 0.0).sum(), z)
    assert derivation.closed == "2 [mask] ⊙ z"
    assert "mask = " in derivation.notes[0]


# --- names that are explained -----------------------------------------------------------------------------------------


def test_a_matrix_of_ones_is_explained() -> None:
    a = parameter("A", 3, 3)
    derivation = derived(np.linalg.inv(a).sum(), a)
    assert derivation.closed == "−A⁻ᵀ @ 1 @ A⁻ᵀ"
    assert derivation.notes == ("1 is the matrix of ones, (3, 3)",)


def test_a_trace_needs_no_unit_matrix() -> None:
    a = parameter("A", 3, 3)
    assert derived(np.trace(a @ a), a).closed == "2 Aᵀ"
    assert derived(np.trace(a.T @ a), a).closed == "2 A"
    assert derived(np.trace(a), a).closed == "I"
    assert viz.derive(np.trace(a), a).notes == ("I is the identity matrix",)


def test_the_windows_of_a_constant_image_are_named() -> None:
    kernel = parameter("K", 1, 1, 3, 3)
    z = named(F.conv2d(numbers(0, 1, 1, 5, 5), kernel), "z")
    assert derived((z**2).sum(), kernel).closed == "2 windows(x, 3×3)ᵀ ⋆ z"


def test_the_indices_of_an_embedding_are_given() -> None:
    table = parameter("E", 6, 2)
    derivation = derived((table[np.array([1, 4, 1])] ** 2).sum(), table)
    assert derivation.closed == "2 scatter(E[i] at [i])"
    assert derivation.notes == ("i = [1 4 1]", "scatter(v at [i]) is 0 but at the places i, to which v is added")


def test_an_unnamed_value_in_a_note_is_explained_too() -> None:
    first = given("X", 5, 3), parameter("W₁", 3, 6), parameter("b₁", 6)
    second = parameter("W₂", 6, 4), parameter("b", 4)
    scores = [np.maximum(0, first[0] @ first[1] + first[2]) @ second[0] + second[1]]
    y = ONE_HOT
    derivation = derived(-(y * np.log(shares(*scores, stable=True))).sum(axis=1).mean(), "b")
    assert derivation.closed == "1 / N × Σ₀ (p − y)"
    assert derivation.notes[:2] == ("%9 = max(0, X W₁ + b₁) W₂ + b", "p = softmax(%9)")


# --- brackets ---------------------------------------------------------------------------------------------------------


def test_a_sum_shows_what_it_takes_in() -> None:
    y = np.array([[1.0, 0.0, 0.0, 1.0, 1.0]])
    hidden = named(np.tanh(named(parameter("W1", 4, 2) @ given("X", 2, 5) + parameter("b1", 4, 1), "Z1")), "A1")
    out = named(sigmoid(named(parameter("W2", 1, 4) @ hidden + parameter("b2", 1, 1), "Z2")), "A2")
    loss = -(y * np.log(out) + (1 - y) * np.log(1 - out)).sum() / 5
    assert derived(loss, "b1").closed == "1 / 5 × Σ₁ ((W2ᵀ (A2 − y)) ⊙ (1 − A1²))"
    assert derived(loss, "W1").closed == "1 / 5 × (((W2ᵀ (A2 − y)) ⊙ (1 − A1²)) Xᵀ)"


def test_a_row_that_is_taken_is_no_label() -> None:
    rows_ = named(np.stack([parameter("a", 4) * 2.0, parameter("b", 4) * 3.0]), "H")
    derivation = derived((rows_[-1] ** 2).sum(), "H")
    assert derivation.closed == "2 scatter(H[−1] at [−1])"
    p = named(parameter("z", 4) * 1.0, "p")
    assert derived(p[2], p).closed == "y"
