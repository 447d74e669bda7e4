"""The text of formulas: read as it is written, it computes the result; names, numbers and signs look the same in it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from functools import partial

import numpy as np
import pytest

import viz
from autograd import Tape, Tensor, primitive
from autograd.registry import defvjp
from autograd.rules.reductions import softmax
from viz.formula import backward, forward
from viz.formula.glyphs import quoted
from viz.formula.writers import Latex
from viz.plain.numbers import number
from viz.tape.names import Names
from viz.walk.text import short

X = Tensor([[1.0, 5.0], [7.0, 2.0]], name="x")
WEIGHTS = np.array([10.0, 20.0])


def backwards(out, grad):
    """The formula of each gradient that an operation sends, with what it sends; the result is called s."""
    out.node.name = out.node.name or "s"
    tape = Tape((out * 1.0).sum())
    names = Names(tape)
    for i, operand in enumerate(out.node.operands):
        if operand in tape and out.node.rule.has_vjp(i):
            yield backward(out.node, i, grad, names, tape.value)


def only(out, grad=None):
    """The formula of the gradient for the first operand."""
    return next(backwards(out, np.ones(out.shape) if grad is None else grad))


def computed(out):
    """The formula of the operation itself."""
    out.node.name = out.node.name or "s"
    tape = Tape((out * 1.0).sum())
    return forward(out.node, Names(tape), tape.value)


# --- read as it is written --------------------------------------------------------------------------------------------

_LITERAL = re.compile(r"\[[−\d.]+(?:[ ;]+[−\d.]+)*\]")
_SIGNS = {"⊙": "*", "×": "*", "·": "@", "−": "-", " = ": " == ", "…": "...", "ᵀ": ".mT", "²": "**2"}


def _literal(text):
    rows = [[float(n) for n in row.split()] for row in text.strip("[]").replace("−", "-").split(";")]
    return np.array(rows if ";" in text else rows[0])


def read(text, symbols):
    """The value of a formula in plain text by the rules of NumPy; a mean or sum over an axis keeps it."""
    values = []

    def put(value):
        values.append(value)
        return f"v{len(values) - 1}"

    for symbol in sorted(symbols, key=lambda s: -len(s.name)):
        text = re.sub(rf"(?<![\w∂/]){re.escape(symbol.name)}(?![^\Wᵀ])", put(symbol.array), text)
    text = _LITERAL.sub(lambda literal: put(_literal(literal[0])), text)
    text = re.sub(r", (\d+(?:×\d+)*)\)", lambda m: f", ({m[1].replace('×', ',')},))", text)
    text = re.sub(r"(?<![\w.])(\d+(?:\.\d+)?) (?=[v([])", r"\1 * ", text)
    text = re.sub(r"(?<=[\w)\]]) (?=[v(])", " @ ", text)
    text = re.sub(r"^Σ([₀₁]) (?:@ )?(.*)$", lambda m: f"np.sum({m[2]}, {'₀₁'.index(m[1])})", text)
    text = re.sub(r"mean([₀₁])\(", lambda m: f"mean{'₀₁'.index(m[1])}(", text)
    closing, out = [], []
    for before, c in zip(" " + text, text, strict=False):
        is_index = before.isalnum() or before in ")]ᵀ"
        if c == "[":  # an index after an operand, else the brackets of Iverson
            closing.append("]" if is_index else ")")
            out.append("[" if is_index else "(")
        else:
            out.append(closing.pop() if c == "]" else c)
    python = "".join(out)
    for sign, operator in _SIGNS.items():
        python = python.replace(sign, operator)
    known = {f"mean{k}": partial(np.mean, axis=k, keepdims=True) for k in (0, 1)}
    known |= {f"v{k}": value for k, value in enumerate(values)}
    return eval(python, {**known, "np": np, "new": None, "broadcast": np.broadcast_to, "solve": np.linalg.solve})


IMAGES = Tensor(np.arange(12.0).reshape(2, 3, 2), name="A")
PAIR, THREE = Tensor([1.0, 2.0], name="B"), Tensor([1.0, 2.0, 4.0], name="B")
ADDED_AXES = {
    "max": (lambda: np.max(X, axis=1), WEIGHTS),
    "max over the first axis": (lambda: np.max(X, axis=0), WEIGHTS),
    "max that keeps the axis": (lambda: np.max(X, axis=1, keepdims=True), WEIGHTS[:, None]),
    "min": (lambda: np.min(X, axis=-1), WEIGHTS),
    "sum": (lambda: np.sum(X, axis=1), WEIGHTS),
    "sum over the first axis": (lambda: np.sum(X, axis=0), WEIGHTS),
    "mean": (lambda: np.mean(X, axis=1), WEIGHTS),
    "mean over the first axis": (lambda: np.mean(X, axis=0), WEIGHTS),
    "var": (lambda: np.var(X, axis=1), WEIGHTS),
    "std": (lambda: np.std(X, axis=1, ddof=1), WEIGHTS),
    "norm": (lambda: np.linalg.norm(X, axis=1), WEIGHTS),
    "norm over the first axis": (lambda: np.linalg.norm(X, axis=0), WEIGHTS),
    "stack of matrices, one vector": (lambda: IMAGES @ PAIR, np.arange(6.0).reshape(2, 3)),
    "stack of matrices, by which": (lambda: IMAGES @ PAIR.data, np.arange(6.0).reshape(2, 3)),
    "one vector, stack of matrices": (lambda: THREE @ IMAGES, np.arange(4.0).reshape(2, 2)),
    "solve": (lambda: np.linalg.solve(Tensor([[1.0, 2.0], [3.0, 5.0]], name="A"), PAIR), WEIGHTS),
    "shared tie": (lambda: np.maximum(X, np.array([[1.0, 6.0], [3.0, 2.0]])), np.array([[1.0, 2.0], [3.0, 4.0]])),
}


@pytest.mark.parametrize("case", ADDED_AXES)
def test_the_line_as_it_stands_computes_the_result(case):
    make, grad = ADDED_AXES[case]
    *_, formula = backwards(make(), grad)
    np.testing.assert_allclose(read(formula.plain(), formula.symbols), formula.evaluate())
    numbers = formula.plain("numbers")
    if "▦" not in numbers:
        np.testing.assert_allclose(read(numbers, ()), formula.evaluate(), rtol=1e-3)


@pytest.mark.parametrize(("axis", "name"), [(0, "∂L/∂s"), (1, "(∂L/∂s)[:, new]")])
def test_an_added_axis_is_marked_where_it_is_not_the_first(axis, name):
    assert only(np.sum(X, axis=axis)).plain() == f"broadcast({name}, 2×2)"
    assert only(np.mean(X, axis=axis)).plain() == f"broadcast({name} / 2, 2×2)"
    marked = "s[:, new]" if axis else "s"
    assert only(np.max(X, axis=axis)).plain() == f"{name} ⊙ [x = {marked}]"


def test_the_numbers_of_an_added_axis_stand_below_each_other():
    formula = only(np.max(X, axis=1), WEIGHTS)
    assert formula.plain("numbers") == "[10; 20] ⊙ [[1 5; 7 2] = [5; 7]]"
    assert r"\begin{pmatrix} 10 \\ 20 \end{pmatrix}" in formula.latex("numbers")
    assert formula.mathml("numbers").count("<mtr><mtd><mn>10</mn></mtd></mtr>") == 1


def test_axes_that_a_sum_keeps_are_not_marked():
    assert only(softmax(X)).plain() == "s ⊙ (∂L/∂s − Σ₁ (∂L/∂s ⊙ s))"
    assert only(np.max(X, axis=1, keepdims=True)).plain() == "∂L/∂s ⊙ [x = s]"


def test_a_product_of_a_stack_and_a_vector_marks_the_column():
    by_matrix, by_vector = backwards(IMAGES @ PAIR, np.ones((2, 3)))
    assert by_matrix.plain() == "(∂L/∂s)[…, new] ⊙ B"
    assert by_vector.plain() == "Σ₀ (Aᵀ (∂L/∂s)[…, new])[…, 0]"
    assert by_vector.plain("numbers").startswith("Σ₀ ((▦ 2×3×2)ᵀ · ")


def test_vectors_stand_upright_left_of_a_row():
    a = Tensor([[1.0, 2.0], [3.0, 5.0]], name="A")
    by_matrix, by_vector = backwards(np.linalg.solve(a, PAIR), WEIGHTS)
    assert by_matrix.plain() == "−solve(Aᵀ, ∂L/∂s) sᵀ"
    assert by_matrix.plain("numbers") == "−solve([1 2; 3 5]ᵀ, [10; 20]) · [−1 1]"
    assert by_vector.plain() == "solve(Aᵀ, ∂L/∂s)"


# --- large rules ------------------------------------------------------------------------------------------------------


def custom(rule, count=1, name=None):
    """The formula of a function with a rule of its own, for its last operand."""

    def square(*xs):
        return xs[-1] ** 2

    fn = primitive((lambda *xs: xs[-1] ** 2) if name is None else square)
    defvjp(fn, *[rule] * count)
    return list(backwards(fn(*[X] * count), np.array([[1.0, 2.0], [3.0, 4.0]])))[-1]


def long_sum(g, out, *xs):
    total = 0
    for _ in range(300):
        total = total + g * xs[-1] / 300
    return 2 * total


def test_a_rule_that_is_too_deep_is_named():
    formula = custom(long_sum)
    assert formula.equation() == "∂L/∂x += f′(∂L/∂s, x)"
    assert formula.notes == ("a rule of 901 operations",)
    assert [s.name for s in formula.symbols] == ["∂L/∂s", "x"]
    np.testing.assert_allclose(formula.evaluate(), 2 * X.data * [[1, 2], [3, 4]])
    assert formula.latex() == r"\operatorname{f\prime }\left( \frac{\partial L}{\partial s},\ x \right)"
    assert "<mi>f′</mi>" in formula.mathml()
    assert formula.plain("shapes") == "f′((2, 2), (2, 2))"


def test_a_rule_of_several_operands_says_of_which():
    formula = custom(long_sum, 2, "square")
    assert formula.plain() == "square′₂(∂L/∂s, x)"
    assert formula.notes == ("a rule of the 2nd operand of 901 operations",)


def test_a_rule_that_doubles_is_named_before_it_is_written_out():
    def doubled(g, out, x):
        for _ in range(40):
            g = g * 0.5 + g * 0.5
        return g

    formula = custom(doubled)
    assert formula.plain() == "f′(∂L/∂s)"
    np.testing.assert_allclose(formula.evaluate(), [[1, 2], [3, 4]])


def test_a_rule_that_is_named_reads_the_result_too():
    def of_result(g, out, x):
        for _ in range(100):
            g = g * out / 2
        return g

    formula = custom(of_result)
    assert formula.plain() == "f′(∂L/∂s, s)"
    np.testing.assert_allclose(formula.evaluate(), np.array([[1, 2], [3, 4]]) * (X.data**2 / 2) ** 100.0)


def test_a_formula_too_long_to_read_is_named():
    def long(g, out, x):
        return sum((np.tanh(g * k) + np.sin(x / (k + 0.5)) for k in range(16)), g)

    formula = custom(long)
    assert formula.plain() == "f′(∂L/∂s, x)"
    assert formula.notes[0].startswith("a rule of ")
    np.testing.assert_allclose(formula.evaluate(), long(np.array([[1.0, 2.0], [3.0, 4.0]]), None, X.data))


def test_a_rule_that_is_named_steps_and_prints():
    fn = primitive(lambda x: x**2)
    defvjp(fn, long_sum)
    step = viz.step(fn(X).sum())[-1]
    assert "f′(∂L/∂%1, x)" in str(step)
    assert "a rule of 901 operations" in str(step)


# --- names ------------------------------------------------------------------------------------------------------------


def test_a_function_without_a_name_is_called_f():
    fn = primitive(lambda x: x**2)
    defvjp(fn, lambda g, out, x: 2 * g * x)
    assert computed(fn(X)).plain() == "f(x)"
    assert r"\operatorname{f}" in computed(fn(X)).latex()


def test_a_name_is_the_same_on_both_sides():
    x = Tensor([1.0, 2.0], name="x_1")
    assert only(x**3).equation() == "∂L/∂x_1 += 3 ∂L/∂s ⊙ x_1²"
    assert only(x**3).latex() == r"3\, \frac{\partial L}{\partial s}\odot x_{1}^{2}"


@pytest.mark.parametrize("name", ["a+b", "%1", "0", "my x", "3x", "-", "x-y", "a/b", "⊙", "it's", "f(x)", "x²y"])
def test_a_name_that_does_not_read_as_one_is_in_quotes(name):
    x = Tensor([1.0, 2.0], name=name)
    formula = only(np.exp(x) * x)
    assert quoted(name) == f"‘{name}’"
    assert formula.equation() == f"∂L/∂%1 += ∂L/∂s ⊙ ‘{name}’"
    (of_x,) = (f for f in backwards(np.exp(x), np.ones(2)) if f.adds)
    assert of_x.target.name == f"∂L/∂‘{name}’"
    assert r"\text{‘}\mathrm{" in formula.latex()
    ET.fromstring(formula.mathml())


@pytest.mark.parametrize(
    "name",
    ["x", "x_1", "W_hidden", "z⁽¹⁾", "ŷ", "log ŷ", "net.0.weight", "h (2)", "θ", "x′", "δ⁽²⁾", "x[0]", "z⁽¹⁾[0, 11]"],
)
def test_other_names_are_not(name):
    assert quoted(name) == name


def test_a_record_without_a_name_has_no_quotes():
    assert only(np.exp(X) * 2.0).target.name == "∂L/∂%1"


# --- numbers and signs ------------------------------------------------------------------------------------------------


def test_numbers_look_as_they_do_in_tables():
    values = [1.388e-17, 1e18, 1e-5, 0.0001, np.inf, -np.inf, np.nan, -2.5]
    with np.errstate(invalid="ignore"):
        text = computed(Tensor(values, name="x") * 2.0).plain("numbers")
    assert text == f"[{' '.join(number(v) for v in values)}] × 2".replace(" -", " −")
    assert text == f"{short(np.array(values))} × 2"
    assert computed(X * 10**18).plain() == "x × 1e+18"
    assert computed(X * 1e-20).latex() == r"x\cdot 10^{-20}"


def test_values_of_indices_stand_in_the_numbers():
    rows = np.array([1, 1])
    assert only(X[rows]).plain() == "scatter(∂L/∂s at [rows])"
    assert only(X[rows]).plain("numbers") == "scatter([1 1; 1 1] at [[1 1]])"
    assert computed(X[np.array([0, 1]), rows]).plain("numbers") == "[1 5; 7 2][[0 1], [1 1]]"
    assert computed(X[X.data > 1.5]).plain("numbers") == "[1 5; 7 2][[False True; True True]]"
    assert computed(X[np.zeros(20, int)]).plain("numbers") == "[1 5; 7 2][y]"


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda x: np.moveaxis(x, 0, -1), "moveaxis(x, 0 → 1)"),
        (lambda x: np.roll(x, -1), "roll(x, −1)"),
        (lambda x: np.roll(x, -1, axis=1), "roll₁(x, −1)"),
        (lambda x: np.tile(x, 3), "tile(x, 3)"),
        (lambda x: np.repeat(x, 2, axis=1), "repeat₁(x, 2)"),
        (lambda x: np.rot90(x, -1), "rot90(x, −1)"),
        (lambda x: np.expand_dims(x, 1), "x[:, new]"),
        (lambda x: np.expand_dims(x, -1), "x[…, new]"),
        (lambda x: np.squeeze(x[:1], axis=0), "squeeze₀(%1)"),
        (lambda x: np.ravel(x), "ravel(x)"),
        (lambda x: x**1, "x"),
        (lambda x: -2 * x, "−2 x"),
        (lambda x: -1 * x, "−x"),
        (lambda x: -3 / x, "−3 / x"),
        (lambda x: np.ravel(x, order="F"), "ravel(x, order F)"),
        (lambda x: np.linalg.norm(x, 3, axis=1), "‖x‖₃,ₐₓᵢₛ₁"),
        (lambda x: np.swapaxes(np.broadcast_to(x, (3, 2, 2)), 0, -1), "swapaxes(%1, 0, −1)"),
        (lambda x: x * -2, "x × (−2)"),
        (lambda x: np.log2(x), "log₂(x)"),
    ],
)
def test_operations_are_written_without_keywords_and_with_real_minus_signs(make, text):
    assert computed(make(X)).plain() == text


def test_a_product_with_a_negative_number_keeps_its_brackets_inside():
    out = X - (-2 * X)
    tape = Tape(out.sum())
    formula = forward(out.node, Names(tape), tape.value, written_out={n for n in tape if not n.is_leaf})
    assert formula.plain() == "x − (−2 x)"
    assert formula.plain("numbers") == "[1 5; 7 2] − (−2 × [1 5; 7 2])"


# --- clean-up ---------------------------------------------------------------------------------------------------------


def test_powers_of_one_and_zero_are_written_out():
    assert only(X**1).plain() == "∂L/∂s"
    zero = only(X**0)
    assert zero.plain() == "0"
    np.testing.assert_array_equal(zero.evaluate(), np.zeros((2, 2)))


def test_zero_times_an_infinite_gradient_is_not_zero():
    formula = only(X**0, np.full((2, 2), np.inf))
    assert formula.plain() != "0"
    assert np.isnan(formula.evaluate()).all()


def test_a_maximum_sends_a_half_at_a_tie():
    x = Tensor([-1.0, 0.0, 3.0], name="x")
    for fn, sign in ((np.maximum, ">"), (np.minimum, "<"), (np.fmax, ">"), (np.fmin, "<")):
        formula = only(fn(x, 0.0))
        assert formula.plain() == f"∂L/∂s ⊙ ([x {sign} 0] + 0.5 [x = 0])"
        np.testing.assert_array_equal(formula.evaluate(), [fn is np.minimum or fn is np.fmin, 0.5, sign == ">"])


def test_a_maximum_of_the_same_twice_is_a_half_each():
    assert only(np.maximum(X, X)).plain() == "0.5 ∂L/∂s ⊙ [x = s]"


def test_a_trace_and_a_new_axis_are_what_they_are():
    assert only(np.einsum("ii->", X)).plain() == "scatter(broadcast(∂L/∂s, 2) at [i, i₂])"
    assert only(X[:, None]).plain() == "reshape(∂L/∂s, 2×2)"
    assert computed(X[:, None]).plain() == "x[:, new]"


def test_a_mean_is_a_quotient_whatever_the_count():
    for n in (2, 3, 4, 5, 24):
        assert only(Tensor(np.arange(float(n)), name="x").mean()).plain() == f"broadcast(∂L/∂s / {n}, {n})"
        rows = Tensor(np.ones((2, n)), name="x")
        assert only(rows.mean(axis=1)).plain() == f"broadcast((∂L/∂s)[:, new] / {n}, 2×{n})"
    assert only(np.sum(Tensor(np.ones((0, 3)), name="x") * 1.0, axis=0)).evaluate().shape == (0, 3)
    assert only(np.broadcast_to(Tensor([1.0], name="x"), (0,))).plain() == "Σ ∂L/∂s"
    assert only(X * 0.25).plain() == "0.25 ∂L/∂s"
    assert only(X / -2).plain() == "−∂L/∂s / 2"


def test_logarithms_of_numbers_are_written_in_one_way():
    assert only(np.exp2(X)).plain() == "log(2) ∂L/∂s ⊙ s"
    assert only(2.0**X).plain().endswith("log(2)")
    assert only(np.exp2(X)).latex().startswith(r"\log\left( 2 \right)\, \frac")


def test_an_inverse_that_is_transposed_has_one_exponent():
    a = Tensor([[1.0, 2.0], [3.0, 5.0]], name="A")
    assert only(np.linalg.det(a)).plain().endswith("A⁻ᵀ")
    assert only(np.linalg.det(a)).latex().endswith(r"A^{-\top}")
    assert "<msup><mrow data-symbol" in only(np.linalg.det(a)).mathml()
    assert Latex().name("‘a+b’").text == r"\text{‘}\mathrm{a+b}\text{’}"


@pytest.mark.parametrize("f", [
    lambda x: np.arctan2(x, np.nan), lambda x: x**np.nan, lambda x: np.arctan2(x, 1e-320),
    lambda x: np.arctan2(1e-320, x), lambda x: x**np.inf,
], ids=["NaN", "to the NaN", "tiny", "of tiny", "to the Inf"])  # fmt: skip
def test_constants_that_are_no_numbers_or_nearly_none_are_written(f):
    with np.errstate(all="ignore"):
        step = viz.step(f(Tensor(2.0, name="x")))[-1]
        assert step.equation.startswith("∂L/∂x = ")
        np.testing.assert_allclose(step.formula.evaluate(), step.contribution)


def test_a_maximum_with_a_number_asks_on_which_side_of_it_the_operand_is():
    x = Tensor([-1.0, 2.0, 3.0], name="x")
    for out, sign in ((np.maximum(0, x), ">"), (np.maximum(x, 0.0), ">"), (np.minimum(x, 0), "<")):
        formula = only(out)
        assert formula.plain() == f"∂L/∂s ⊙ [x {sign} 0]"
        np.testing.assert_array_equal(formula.evaluate(), x.data > 0 if sign == ">" else x.data < 0)
    assert only(np.maximum(x, Tensor([0.0, 1.0, 4.0], name="y"))).plain() == "∂L/∂s ⊙ [x = s]"


def test_a_sum_has_brackets_where_more_than_a_name_follows():
    assert computed(np.sum(X, axis=0)).plain() == "Σ₀ x"
    tape = Tape((X * X * 3).sum())
    formula = forward(tape.root, Names(tape), tape.value, written_out={n for n in tape if not n.is_leaf})
    assert formula.plain() == "Σ (x ⊙ x × 3)"
    assert formula.latex() == r"\sum \, \left( x\odot x\cdot 3 \right)"
    assert only(np.sum(X / 2.0, axis=1)).plain() == "broadcast((∂L/∂s)[:, new], 2×2)"


def test_products_of_matrices_are_written_in_one_way_in_a_formula():
    tape = Tape((Tensor(np.ones((2, 2)), name="W2") @ np.tanh(Tensor(np.ones((2, 2)), name="W1") @ X)).sum())
    node = tape.root.parents[0]
    written = {n for n in tape if not n.is_leaf}
    assert forward(node, Names(tape), tape.value, written_out=written).plain() == "W2 tanh(W1 x)"
    tape = Tape((Tensor(np.ones((2, 2)), name="out") @ np.tanh(Tensor(np.ones((2, 2)), name="W") @ X)).sum())
    written = {n for n in tape if not n.is_leaf}
    text = forward(tape.root.parents[0], Names(tape), tape.value, written_out=written).plain()
    assert text == "out @ tanh(W @ x)"


def test_roots_of_numbers_are_written_as_such():
    assert computed(X / np.sqrt(2)).plain() == "x / √2"
    assert computed(X * (1 / np.sqrt(3))).plain() == "x × 1/√3"
    assert computed(np.sqrt(X**2)).plain() == "√(%1)"


def test_an_index_that_is_computed_is_not_called_as_the_one_that_it_is_computed_of():
    y = np.array([1, 2, 1])
    theta = Tensor([0.5, 1.0, 2.0])
    upper, lower = theta[y], theta[y - 1]
    tape = Tape((upper - lower).sum())
    names = Names(tape)
    written = [forward(node, names, tape.value).plain() for node in tape if node.op == "getitem"]
    assert written == ["θ[y]", "θ[k]"]
