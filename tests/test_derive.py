"""`viz.derive`: the chain rule as a textbook prints it; every line gives the engine's gradient."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from opcases import ALL

import nn
import viz
from autograd import Tape, Tensor, no_grad
from autograd.rules.elementwise import relu, sigmoid
from viz.derivation.identities import IDENTITIES

F = nn.functional


def named(value: Any, name: str) -> Any:
    value.name = name
    return value


def numbers(seed: int, *shape: int) -> Any:
    return np.random.default_rng(seed).normal(size=shape)


def parameter(name: str, *shape: int) -> Tensor:
    return Tensor(numbers(sum(name.encode()), *shape), name=name)


def given(name: str, *shape: int) -> Tensor:
    return Tensor(numbers(sum(name.encode()), *shape), name=name, requires_grad=False)


def assert_every_line_is_the_gradient(derivation: Any, tape: Tape, tolerance: float = 1e-9) -> None:
    gradients = tape.gradients()
    assert derivation.lines and not derivation.fell_back
    for line in derivation.lines:
        expected = gradients[line.target.node]
        found = line.evaluate()
        assert found.shape == expected.shape and found.dtype == expected.dtype, line
        np.testing.assert_allclose(
            found, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max(initial=0), err_msg=repr(line)
        )
        for definition in line.definitions:
            np.testing.assert_allclose(definition.evaluate(), definition.symbol.array, rtol=tolerance)


def derived(loss: Any, wrt: Any, tolerance: float = 1e-9) -> Any:
    """A derivation of which every line was evaluated and compared with the engine."""
    derivation = viz.derive(loss, wrt)
    assert_every_line_is_the_gradient(derivation, Tape(loss), tolerance)
    return derivation


def rows(derivation: Any, kind: str) -> list[str]:
    return [line.plain() for line in derivation.lines if line.kind == kind]


# --- networks ---------------------------------------------------------------------------------------------------------


def two_layers() -> Any:
    """CS229's network of one hidden layer, for one example: x is a column, W is (out, in)."""
    x, y = given("x", 2), Tensor([1.0], name="y", requires_grad=False)
    z1 = named(parameter("W⁽¹⁾", 3, 2) @ x + parameter("b⁽¹⁾", 3), "z⁽¹⁾")
    a1 = named(sigmoid(z1), "a⁽¹⁾")
    z2 = named(parameter("W⁽²⁾", 1, 3) @ a1 + parameter("b⁽²⁾", 1), "z⁽²⁾")
    a2 = named(1 / (1 + np.exp(-z2)), "a⁽²⁾")
    return -(y * np.log(a2) + (1 - y) * np.log(1 - a2)).sum()


def two_layers_batch() -> Any:
    """The same for a batch, a row for each example, with layers of `nn`."""
    nn.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 3), nn.Sigmoid(), nn.Linear(3, 1), nn.Sigmoid())
    labels = np.array([[1.0], [0.0], [1.0], [1.0], [0.0]])
    return F.binary_cross_entropy(net(numbers(0, 5, 2)), labels)


def softmax_regression() -> Any:
    nn.manual_seed(0)
    return F.cross_entropy(nn.Sequential(nn.Linear(3, 4))(numbers(0, 5, 3)), np.array([0, 3, 1, 2, 2]))


def softmax_by_hand() -> Any:
    z = named(given("X", 5, 3) @ parameter("W", 3, 4) + parameter("b", 4), "z")
    e = np.exp(z)
    p = named(e / e.sum(axis=1, keepdims=True), "p")
    return -np.log(p[np.arange(5), [0, 3, 1, 2, 2]]).mean()


def least_squares() -> Any:
    prediction = named(given("X", 5, 2) @ parameter("w", 2) + parameter("b"), "ŷ")
    return ((prediction - numbers(1, 5)) ** 2).mean()


def logistic_regression() -> Any:
    a = named(sigmoid(named(given("X", 5, 2) @ parameter("w", 2) + parameter("b"), "z")), "a")
    y = np.array([1.0, 0.0, 0.0, 1.0, 1.0])
    return -(y * np.log(a) + (1 - y) * np.log(1 - a)).mean()


def recurrent(steps: int = 2) -> Any:
    h = given("h₀", 3)
    W, U, b = parameter("W", 3, 3), parameter("U", 3, 2), parameter("b", 3)
    for t in "₁₂₃₄₅₆₇₈₉"[:steps]:
        h = named(np.tanh(named(W @ h + U @ given(f"x{t}", 2) + b, f"z{t}")), f"h{t}")
    return ((h - given("y", 3)) ** 2).sum()


def convolution() -> Any:
    nn.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(2, 3))
    return F.cross_entropy(net(numbers(0, 2, 1, 4, 4)), np.array([1, 2]))


def chain() -> Any:
    a, b, c = Tensor(2.0, name="a"), Tensor(-3.0, name="b"), Tensor(10.0, name="c")
    return named(np.tanh(named(named(a * b, "d") + c, "e") / 8), "L")


CLOSED: list[tuple[Callable[[], Any], str, str]] = [
    (chain, "a", "(1 − L²) × b / 8"),
    (two_layers, "W⁽²⁾", "(a⁽²⁾ − y) a⁽¹⁾ᵀ"),
    (two_layers, "b⁽²⁾", "a⁽²⁾ − y"),
    (two_layers, "W⁽¹⁾", "((W⁽²⁾ᵀ (a⁽²⁾ − y)) ⊙ a⁽¹⁾ ⊙ (1 − a⁽¹⁾)) xᵀ"),
    (two_layers, "b⁽¹⁾", "(W⁽²⁾ᵀ (a⁽²⁾ − y)) ⊙ a⁽¹⁾ ⊙ (1 − a⁽¹⁾)"),
    (two_layers_batch, "W⁽²⁾", "1 / N × ((a⁽²⁾ − y)ᵀ a⁽¹⁾)"),
    (two_layers_batch, "b⁽²⁾", "1 / N × Σ₀ (a⁽²⁾ − y)"),
    (softmax_regression, "W⁽¹⁾", "1 / N × ((p − y)ᵀ x)"),
    (softmax_regression, "b⁽¹⁾", "1 / N × Σ₀ (p − y)"),
    (softmax_by_hand, "W", "1 / N × (Xᵀ (p − y))"),
    (least_squares, "w", "2 / N × (Xᵀ (ŷ − y))"),
    (least_squares, "b", "2 / N × Σ (ŷ − y)"),
    (logistic_regression, "w", "1 / N × (Xᵀ (a − y))"),
    (logistic_regression, "b", "1 / N × Σ (a − y)"),
    (
        recurrent,
        "W",
        "2 (((h₂ − y) ⊙ (1 − h₂²)) h₁ᵀ + ((Wᵀ ((h₂ − y) ⊙ (1 − h₂²))) ⊙ (1 − h₁²)) h₀ᵀ)",
    ),
]


@pytest.mark.parametrize(("make", "wrt", "closed"), CLOSED, ids=[f"{make.__name__} {w}" for make, w, _ in CLOSED])
def test_the_closed_form_is_the_textbooks(make: Callable[[], Any], wrt: str, closed: str) -> None:
    loss = make()
    assert derived(loss, wrt, np.finfo(loss.dtype).eps ** 0.6).closed == closed


EVERY: list[tuple[Callable[[], Any], str]] = [
    *((chain, name) for name in "abcde"),
    *((two_layers, name) for name in ("z⁽²⁾", "a⁽²⁾", "z⁽¹⁾", "a⁽¹⁾")),
    *((two_layers_batch, name) for name in ("W⁽¹⁾", "b⁽¹⁾", "z⁽¹⁾")),
    *((recurrent, name) for name in ("U", "b", "z₁", "h₁")),
    *((convolution, name) for name in ("g⁽¹⁾", "b⁽¹⁾", "W⁽¹⁾", "b⁽²⁾", "z⁽¹⁾", "a⁽¹⁾")),
]


@pytest.mark.parametrize(("make", "wrt"), EVERY, ids=[f"{make.__name__} {w}" for make, w in EVERY])
def test_every_line_is_evaluated_and_equals_the_engines_gradient(make: Callable[[], Any], wrt: str) -> None:
    loss = make()
    assert derived(loss, wrt, np.finfo(loss.dtype).eps ** 0.6).closed


@pytest.mark.parametrize("op", ALL, ids=str)
def test_every_function_can_stand_on_the_way(op: Any) -> None:
    operands = [Tensor(x, name=f"x{i}") for i, x in enumerate(op.operands())]
    out = op.fn(*operands)
    while isinstance(out, tuple | list):
        out = out[0]
    out = named(np.tanh(out), "z")
    loss = (np.cos(np.arange(out.size)).reshape(out.shape) * (out + out * out / 2)).sum()
    derived(loss, next(x for x in reversed(operands) if x.node in Tape(loss).gradients()))


# --- the parts --------------------------------------------------------------------------------------------------------


def test_a_derivation_has_five_parts_in_the_order_of_a_textbook() -> None:
    derivation = derived(two_layers(), "W⁽²⁾")
    assert [line.kind for line in derivation.lines] == ["chain", "factors", "ordered", "closed", "numbers"]


def test_the_product_of_partials_goes_by_the_named_values_alone() -> None:
    derivation = derived(two_layers(), "W⁽²⁾")
    (line,) = [line for line in derivation.lines if line.kind == "chain"]
    assert line.plain() == "∂L/∂W⁽²⁾ = ∂L/∂a⁽²⁾ · ∂a⁽²⁾/∂z⁽²⁾ · ∂z⁽²⁾/∂W⁽²⁾"
    assert [remark.plain for remark in line.remarks] == ["∂a⁽²⁾ and ∂z⁽²⁾ cancel"]
    assert "%" not in str(derivation)


def test_what_cancels_is_struck_out_in_latex() -> None:
    line = derived(two_layers(), "W⁽²⁾").lines[0]
    assert line.latex() == (
        r"\frac{\partial L}{\partial W^{(2)}} = \frac{\partial L}{\cancel{\partial a^{(2)}}} \cdot "
        r"\frac{\cancel{\partial a^{(2)}}}{\cancel{\partial z^{(2)}}} \cdot "
        r"\frac{\cancel{\partial z^{(2)}}}{\partial W^{(2)}}"
    )


def test_each_factor_stands_with_its_formula_and_its_shape() -> None:
    derivation = derived(two_layers(), "W⁽¹⁾")
    (text,) = rows(derivation, "factors")
    assert [re.split(r"\s{2,}", row) for row in text.split("\n")] == [
        ["∂L/∂a⁽²⁾", "= (1 − y) / (1 − a⁽²⁾) − y / a⁽²⁾", "(1,)"],
        ["∂a⁽²⁾/∂z⁽²⁾", "= a⁽²⁾ ⊙ (1 − a⁽²⁾)", "(1,)"],
        ["∂z⁽²⁾/∂a⁽¹⁾", "= W⁽²⁾ᵀ", "(3, 1)"],
        ["∂a⁽¹⁾/∂z⁽¹⁾", "= a⁽¹⁾ ⊙ (1 − a⁽¹⁾)", "(3,)"],
        ["∂z⁽¹⁾/∂W⁽¹⁾", "= xᵀ", "(1, 2)"],
    ]
    latex = derivation.lines[1].latex()
    assert r"\underbrace{\frac{\partial z^{(2)}}{\partial a^{(1)}}}_{" in latex and r"W^{(2)\top}" in latex
    assert r"{\scriptstyle (3, 1)}" in latex


def test_the_factors_stand_in_the_order_in_which_their_shapes_agree() -> None:
    (line,) = [line for line in derived(two_layers(), "W⁽¹⁾").lines if line.kind == "ordered"]
    assert line.plain() == (
        "∂L/∂W⁽¹⁾ = ((W⁽²⁾ᵀ (((1 − y) / (1 − a⁽²⁾) − y / a⁽²⁾) ⊙ a⁽²⁾ ⊙ (1 − a⁽²⁾))) ⊙ a⁽¹⁾ ⊙ (1 − a⁽¹⁾)) xᵀ"
    )
    assert line.shapes == "(3, 2) = (((3, 1) · ((1,) ⊙ (1,) ⊙ (1,))) ⊙ (3,) ⊙ (3,)) · (1, 2)"


def test_deltas_go_from_layer_to_layer() -> None:
    derivation = derived(two_layers(), "W⁽¹⁾")
    assert rows(derivation, "recursion") == [
        "δ⁽²⁾ = a⁽²⁾ − y",
        "δ⁽¹⁾ = (W⁽²⁾ᵀ δ⁽²⁾) ⊙ a⁽¹⁾ ⊙ (1 − a⁽¹⁾)",
        "∂L/∂W⁽¹⁾ = δ⁽¹⁾ xᵀ",
    ]
    assert derivation.notes == ("δ⁽ˡ⁾ = ∂L/∂z⁽ˡ⁾",)


def test_the_last_line_is_in_numbers() -> None:
    w, x = Tensor([1.0, 2.0], name="w"), Tensor([3.0, 4.0], name="x", requires_grad=False)
    (text,) = rows(derived((w @ x - 1.0) ** 2, "w"), "numbers")
    assert text == "∂L/∂w = 2 × ([1 2] · [3 4] − 1) × [3 4]\n      = [60 80]"
    assert rows(viz.derive((w @ x - 1.0) ** 2, "w", numbers=False), "numbers") == []


def test_a_long_derivation_has_no_closed_form_but_goes_layer_by_layer() -> None:
    layers = [layer for _ in range(6) for layer in (nn.Linear(3, 3), nn.Tanh())]
    loss = F.mse_loss(nn.Sequential(*layers)(numbers(0, 4, 3)), numbers(1, 4, 3))
    derivation = derived(loss, "W⁽¹⁾", 1e-4)
    assert rows(derivation, "closed") == []
    assert rows(derivation, "recursion")[1] == "δ⁽⁵⁾ = (δ⁽⁶⁾ W⁽⁶⁾) ⊙ (1 − (a⁽⁵⁾)²)"
    assert derivation.closed == "δ⁽¹⁾ᵀ x"


# --- several ways -----------------------------------------------------------------------------------------------------


def test_a_shared_weight_gets_a_sum_of_products_one_row_for_each_way() -> None:
    derivation = derived(recurrent(), "W")
    assert rows(derivation, "chain") == [
        "∂L/∂W = ∂L/∂h₂ · ∂h₂/∂z₂ · ∂z₂/∂h₁ · ∂h₁/∂z₁ · ∂z₁/∂W\n      + ∂L/∂h₂ · ∂h₂/∂z₂ · ∂z₂/∂W"
    ]
    assert rows(derivation, "recursion")[-1] == "∂L/∂W = ∂L/∂z₂ h₁ᵀ + ∂L/∂z₁ h₀ᵀ"


def test_more_than_six_ways_are_derived_from_value_to_value() -> None:
    derivation = derived(recurrent(7), "W")
    lines = rows(derivation, "chain")
    assert "∂L/∂h₆ = ∂L/∂z₇ · ∂z₇/∂h₆" in lines
    whole = re.sub(r"\n\s+", " ", lines[-1])  # in rows that fit a cell
    assert whole == "∂L/∂W = " + " + ".join(f"∂L/∂z{t} · ∂z{t}/∂W" for t in "₇₆₅₄₃₂₁")
    assert "∂L/∂z₆ = (Wᵀ ∂L/∂z₇) ⊙ (1 − h₆²)" in rows(derivation, "recursion")


@pytest.mark.parametrize(("names", "uses"), [(True, 250), (False, 150)], ids=["named", "unnamed"])
def test_hundreds_of_uses_are_one_long_sum(names: bool, uses: int) -> None:
    w, y = Tensor(0.9, name="w"), given("x")
    for t in range(uses):
        y = np.tanh(y * w)
        y.name = f"y{t}" if names else None
    derivation = derived(y, "w", 1e-7)
    assert derivation.closed and derivation.latex()
    assert max(map(len, str(derivation).splitlines())) < 1500
    assert f"… {uses - 6} more terms …" in rows(derivation, "factors")[-1]


@pytest.mark.parametrize("steps", [9, 70, 200])
def test_a_shared_weight_is_derived_however_often_it_is_used(steps: int) -> None:
    h, W, U = given("h₀", 3), parameter("W", 3, 3), parameter("U", 3, 2)
    for t in range(steps):
        h = np.tanh(W @ h + U @ numbers(t, 2))
    derived((h**2).sum(), "W", 1e-7)


def test_how_many_terms_were_left_out_is_said() -> None:
    x, w = given("x"), Tensor(0.9, name="w")
    ys = [named(np.sin(w * (x + t)), f"y{t}") for t in range(30)]
    derivation = derived(named(sum(ys[1:], ys[0]), "L"), "w")
    (line,) = [line for line in derivation.lines if line.kind == "chain" and line.target.node is w.node]
    assert "… 24 more terms …" in line.plain() and line.plain().count("·") == 6


def test_diamonds_do_not_explode() -> None:
    x = r = Tensor([0.3, 0.4], name="x")
    for i in range(20):
        r = named(np.sin(r) * named(np.cos(r), f"c{i}"), f"r{i}")
    derivation = viz.derive(r.sum(), x)
    assert_every_line_is_the_gradient(derivation, Tape(r.sum()), 1e-7)
    assert len(str(derivation)) < 20_000


def test_one_value_used_twice_in_one_step_is_one_factor() -> None:
    a, b = Tensor(2.0, name="a"), Tensor(5.0, name="b")
    assert derived(named(a * a * b + np.exp(a), "L"), a).closed == "exp(a) + 2 b × a"


def test_an_identity_that_does_not_hold_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(tree: Any, algebra: Any) -> Any:
        return tree.args[0]

    w, x = parameter("w", 3), given("x", 3)
    loss = named(np.sin(w * x), "s").sum()
    right = derived(loss, "w").closed
    monkeypatch.setitem(IDENTITIES, np.cos, (wrong,))
    derivation = viz.derive(loss, "w")
    assert derivation.fell_back and "cos(" in derivation.closed and "cos(" in right
    for line in derivation.lines:
        np.testing.assert_allclose(line.evaluate(), Tape(loss).gradients()[line.target.node])


# --- how things are called --------------------------------------------------------------------------------------------


def test_softmax_and_labels_are_called_p_and_y() -> None:
    assert derived(softmax_regression(), "b⁽¹⁾", 1e-4).notes == (
        "p = softmax(z⁽¹⁾)",
        "N = 5",
        "y is 1 at the picked element of each row, else 0",
        "each row of y adds up to 1",
    )


def test_one_minus_the_labels_is_written_so() -> None:
    a = named(sigmoid(parameter("z", 3)), "a")
    y = np.array([0.0, 1.0, 1.0])
    assert rows(derived(F.binary_cross_entropy(a, y), a), "closed") == ["∂L/∂a = 1 / N × ((1 − y) / (1 − a) − y / a)"]


def test_only_the_mean_gives_n() -> None:
    w = parameter("w", 2)
    prediction = named(given("X", 5, 2) @ w, "ŷ")
    loss = ((prediction - numbers(1, 5)) ** 2).mean() + 0.1 * (w**2).sum()
    assert derived(loss, w).closed == "0.2 w + 2 / N × (Xᵀ (ŷ − y))"


def test_a_taken_name_is_not_given_twice() -> None:
    y = named(parameter("p", 4) * 2, "y")
    derivation = derived(F.cross_entropy(named(np.tanh(y), "z"), np.array(1)), "y")
    assert "p₂ = softmax(z)" in derivation.notes
    assert "y₂ is 1 at the picked element, else 0" in derivation.notes


def test_a_bias_sums_over_the_batch() -> None:
    derivation = derived(two_layers_batch(), "b⁽²⁾", 1e-4)
    (text,) = rows(derivation, "factors")
    assert re.split(r"\s{2,}", text.split("\n")[-1]) == ["∂z⁽²⁾/∂b⁽²⁾", "= Σ₀ •", "(5, 1) → (1,)"]


def test_max_sends_to_the_largest_and_mean_divides() -> None:
    x = parameter("x", 3, 2)
    m = named(np.max(x, axis=0), "m")
    assert derived(m.mean(), x).closed == "1 / N × [x = m]"
    assert derived(named(relu(x), "a").mean(), x).closed == "1 / n × [a > 0]"


def test_a_kernel_gets_the_sum_over_windows() -> None:
    loss = convolution()
    derivation = derived(loss, "g⁽¹⁾", 1e-4)
    assert rows(derivation, "recursion")[-1] == "∂L/∂g⁽¹⁾ = windows(x, 3×3)ᵀ ⋆ δ⁽¹⁾"
    (factors,) = [line for line in derivation.lines if line.kind == "factors"]
    assert "Σ w[n, c, p, q, i, j] δ[n, k, p, q] over n, p and q" in factors.remarks[-1].plain
    tape = Tape(loss)
    windows = next(tape.value(node) for node in tape if node.op == "windows")
    delta = tape.gradients()[tape["z⁽¹⁾"]]
    summed = np.einsum("ncpqij,nkpq->kcij", windows, delta)
    np.testing.assert_allclose(derivation.lines[-1].evaluate(), summed, rtol=1e-4, atol=1e-7)


def test_a_long_unnamed_value_that_is_used_twice_keeps_its_number() -> None:
    W, V, x = parameter("W", 2, 3), parameter("V", 1, 2), given("x", 3)
    y = np.array([1.0])

    def loss(a: Any) -> Any:
        return -(y * np.log(a) + (1 - y) * np.log(1 - a)).sum()

    derivation = derived(loss(sigmoid(V @ np.tanh(W @ x + 0.1) + 0.2)), V)
    assert derivation.closed == "(%8 − y) tanh(W x + 0.1)ᵀ"
    assert derivation.notes == ("%8 = σ(V tanh(W x + 0.1) + 0.2)",)


def test_a_network_without_names_is_cut_where_it_gets_long() -> None:
    W, h = parameter("W", 3, 3), given("h", 3)
    for _ in range(40):
        h = np.tanh(W @ h)  # type: ignore[assignment]
    assert len(str(derived((h * h).sum(), W))) < 20_000


# --- numbers that algebra removes -------------------------------------------------------------------------------------


def test_a_saturated_output_has_a_closed_form_where_the_engine_divides_by_zero() -> None:
    z = Tensor([40.0], name="z")
    a = named(sigmoid(z), "a")
    y = np.array([0.0])
    with np.errstate(all="ignore"):
        derivation = viz.derive(-(y * np.log(a) + (1 - y) * np.log(1 - a)).sum(), z)
    assert derivation.closed == "a − y"
    assert np.isnan(derivation.gradient).all()
    assert derivation.lines[-1].evaluate() == 1.0
    assert any("division by 0" in note for note in derivation.notes)


def test_nothing_is_left_on_the_tensors() -> None:
    w = parameter("w", 2)
    viz.derive((w * w).sum(), w)
    assert w.grad is None


# --- what is shown ----------------------------------------------------------------------------------------------------


def test_print_shows_all_parts_with_their_titles() -> None:
    a, b = Tensor(2.0, name="a"), Tensor(-3.0, name="b")
    d = named(a * b, "d")
    assert str(viz.derive(d**2, wrt=a)) == (
        "∂L/∂a, where a has shape ()\n\n"
        "The chain rule\n  ∂L/∂a = ∂L/∂d · ∂d/∂a\n    ∂d cancels\n\n"
        "Its factors\n  ∂L/∂d  = 2 d  ()\n  ∂d/∂a  = b    ()\n\n"
        "In the order in which the shapes agree\n  ∂L/∂a = 2 d × b\n\n"
        "Closed form\n  ∂L/∂a = 2 d × b\n\n"
        "In numbers\n  ∂L/∂a = 2 × (−6) × (−3)\n        = 36"
    )


def test_a_notebook_shows_latex_and_a_terminal_text() -> None:
    derivation = viz.derive(two_layers(), "W⁽²⁾")
    bundle = derivation._repr_mimebundle_()
    assert bundle["text/latex"] == derivation._repr_latex_() == f"$\\displaystyle {derivation.latex()}$"
    assert bundle["text/plain"] == str(derivation) == derivation.plain()
    assert str(viz.derive(two_layers(), "W⁽²⁾", to="latex")) == derivation.latex()
    assert repr(derivation) == "<Derivation ∂L/∂W⁽²⁾ = (a⁽²⁾ − y) a⁽¹⁾ᵀ>"


@pytest.mark.parametrize("make", [chain, two_layers, two_layers_batch, recurrent, convolution, softmax_regression])
def test_latex_is_well_formed(make: Callable[[], Any]) -> None:
    loss = make()
    for node in Tape(loss).gradients():
        if node.name and node is not loss.node:
            text = viz.derive(loss, node).latex()
            assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
            assert text.count(r"\left") == text.count(r"\right")
            assert text.count(r"\begin{") == text.count(r"\end{")
            assert not re.search(r"[^\x00-\x7f]", re.sub(r"\\text\{[^}]*\}", "", text)), text


# --- bad input --------------------------------------------------------------------------------------------------------


def test_an_unknown_name_lists_the_nearest() -> None:
    with pytest.raises(KeyError, match=r"W⁽³⁾.*nearest: .*W⁽²⁾"):
        viz.derive(two_layers(), wrt="W⁽³⁾")


def test_a_tensor_that_is_not_on_the_tape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"wrt='v', of shape \(2,\), is not on the tape of the loss"):
        viz.derive(two_layers(), wrt=parameter("v", 2))


def test_a_constant_is_refused() -> None:
    with pytest.raises(ValueError, match="no gradient flows to wrt='x': it is a constant"):
        viz.derive(two_layers(), wrt="x")


def test_where_no_gradient_arrives_there_is_nothing_to_derive() -> None:
    x, w = parameter("x", 2), parameter("w", 2)
    with pytest.raises(ValueError, match="no gradient flows from the loss to wrt='x': an operation without a"):
        viz.derive((np.floor(x) * w).sum(), x)


def test_the_loss_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="wrt='L' is the loss itself"):
        viz.derive(chain(), "L")


def test_a_loss_that_is_no_scalar_is_refused() -> None:
    w = parameter("w", 2)
    with pytest.raises(ValueError, match=r"derive: the loss has shape \(2,\), and gradients are of a scalar"):
        viz.derive(w * 2, w)


def test_what_has_no_tape_is_refused() -> None:
    with pytest.raises(TypeError, match="derive: expected a Tensor or a Tape, got float"):
        viz.derive(1.0, "w")
    with no_grad():
        loss = parameter("w", 2).sum()
    with pytest.raises(TypeError, match="derive: this Tensor has no recorded history"):
        viz.derive(loss, "w")


def test_wrt_must_be_a_tensor_or_a_name() -> None:
    with pytest.raises(TypeError, match="derive: expected a Tensor, a record or a name, got int"):
        viz.derive(chain(), wrt=3)


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(ValueError, match="derive: to must be 'plain' or 'latex', got 'html'"):
        viz.derive(chain(), "a", to="html")  # type: ignore[arg-type]
