"""Formulas: what is printed is what is computed, for every operation; known ones are written as in textbooks."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from formulacases import CASES
from opcases import ALL
from opchecks import loss

import autograd.rules.windows as w
from autograd import Tape, Tensor, no_grad
from autograd.rules.elementwise import sigmoid
from autograd.rules.reductions import softmax
from viz.formula import Symbol, backward, forward
from viz.formula.glyphs import Glyph, glyph
from viz.formula.tidy import textbook, tidied
from viz.formula.trace import Builder
from viz.formula.tree import evaluate
from viz.formula.writers import Latex
from viz.tape.names import Names

WHATS = ("symbols", "numbers", "shapes")
ELEMENTS = {
    "math", "mrow", "mi", "mn", "mo", "mfrac", "msup", "msub", "msubsup", "mover", "msqrt", "mroot", "mtable", "mtr",
    "mtd", "mtext", "mspace",
}  # fmt: skip


def conv(x, g):
    return w.window_product(w.windows(w.zero_pad(x, padding=((1, 1), (1, 1))), kernel_size=(2, 2)), g)


def image(*shape):
    return np.random.default_rng(1).standard_normal(shape)


OTHERS = {
    "convolution": (conv, image(2, 1, 4, 4), image(3, 1, 2, 2)),
    "max pooling": (lambda x: w.window_max(w.windows(x, kernel_size=(2, 2), stride=(2, 2))), image(2, 1, 4, 4)),
    "mean pooling": (lambda x: w.window_mean(w.windows(x, kernel_size=(2, 2), stride=(2, 2))), image(2, 1, 4, 4)),
    "overlapping windows": (lambda x: w.windows(x, kernel_size=(3, 2)), image(1, 2, 5, 4)),
    "folded windows": (lambda x: w.fold_windows(x, shape=(1, 1, 4, 4)), image(1, 1, 3, 3, 2, 2)),
    "sliding windows": (lambda x: np.lib.stride_tricks.sliding_window_view(x, (2,), 1), image(3, 4)),
    "ties": (lambda x: np.max(x, axis=1) + np.maximum(x, x[::-1]).sum(axis=1), np.ones((3, 2))),
    "zero vector": (lambda x: np.linalg.norm(x) + np.std(x) + np.hypot(x, x).sum(), np.zeros(3)),
    "0 ** 0": (lambda x, y: x**y, np.array([0.0, 0.0, 2.0]), np.array([0.0, 1.0, 3.0])),
    "NaN": (lambda x: np.clip(x, -1, 1) + np.sqrt(x), np.array([np.nan, -1.0, 0.5])),
    "a number to a power": (lambda x: 2.0**x, np.array([0.5, 1.0])),
    "gradient of a gradient": (lambda x: twice(x), np.array([0.5, 1.0, 2.0])),
    "softmax of a gradient": (lambda x: once(softmax, x), image(2, 3)),
    "determinant of a gradient": (lambda x: once(np.linalg.det, x), image(3, 3)),
}


def once(fn, x):
    y = (fn(x) ** 2).sum()
    x.zero_grad()
    y.backward(create_graph=True)
    return x.grad


def twice(x):
    once(lambda t: sigmoid(t) * np.prod(t) + np.cumprod(t), x)
    return once(lambda t: x.grad, x)


def operation(case):
    """The result of a case's operation on named Tensors."""
    if isinstance(case, str):
        fn, *arrays = OTHERS[case]
    else:
        fn, arrays = case.fn, case.operands()
    return fn(*(Tensor(x, name=name) for x, name in zip(arrays, "xyzuv", strict=False)))


def formulas(root, grad=None):
    """Every formula on a tape, with the array that it must give."""
    tape = Tape(root)
    names = Names(tape)
    for node in tape:
        if not node.is_leaf:
            yield forward(node, names, tape.value), tape.value(node)
    for step in tape.steps(grad):
        for c in step.contributions:
            yield backward(step.node, c.position, step.grad, names, tape.value), c.grad


def same(found, expected):
    found = np.asarray(found)
    assert found.shape == np.shape(expected)
    assert found.dtype == np.asarray(expected).dtype
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)


def one(out, operand=None, grad=None):
    """The formula of one operation, whose result is called s, as the loss L is made from it."""
    out.node.name = out.node.name or "s"
    tape = Tape((out * 1.0).sum())
    names = Names(tape)
    if operand is None:
        return forward(out.node, names, tape.value)
    return backward(out.node, operand, np.ones(out.shape) if grad is None else grad, names, tape.value)


def leaf(name, *shape):
    return Tensor(np.random.default_rng(sum(name.encode())).uniform(0.5, 1.5, shape), name=name)


def balanced(latex):
    """Whether braces, \\left and \\right, \\begin and \\end pair up."""
    text = latex.replace("\\{", "").replace("\\}", "").replace("\\backslash", "")
    depth = 0
    for c in text:
        depth += (c == "{") - (c == "}")
        if depth < 0:
            return False
    pairs = (r"\\left\b", r"\\right\b"), (r"\\begin\b", r"\\end\b")
    return depth == 0 and all(len(re.findall(a, text)) == len(re.findall(b, text)) for a, b in pairs)


# --- every operation --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [*ALL, *OTHERS], ids=str)
def test_what_is_printed_gives_what_the_engine_computes(case):
    with np.errstate(all="ignore"):
        root = loss(operation(case))
    for formula, expected in formulas(root):
        same(formula.evaluate(), expected)


@pytest.mark.parametrize("case", [*ALL, *OTHERS], ids=str)
def test_all_printers_write_every_operation(case):
    with np.errstate(all="ignore"):
        out = operation(case)
        root = loss(out)
    for formula, _ in formulas(root):
        for what in WHATS:
            plain, latex, mathml = (formula.equation(form, what) for form in ("plain", "latex", "mathml"))
            assert len(plain) < 700
            assert not re.search(r"array\(|<|object at|Symbol|Number|Tensor|dtype", plain.replace(" < ", ""))
            assert "\n" not in plain + latex
            assert balanced(latex), latex
            assert not re.search(r"[⊙×−∂Σ⋆ᵀ⁽]", latex), latex
            elements = list(ET.fromstring(mathml).iter())
            assert {e.tag for e in elements} <= ELEMENTS
            places = {int(e.get("data-symbol")) for e in elements if e.get("data-symbol")}
            shown = set(range(len(formula.symbols) + (what != "shapes")))
            assert places <= shown
            if what == "symbols" and len(formula.symbols) <= 4:
                assert places == shown


@pytest.mark.parametrize("case", [*ALL, *OTHERS], ids=str)
def test_clean_up_keeps_the_value_of_what_the_rule_recorded(case):
    with np.errstate(all="ignore"):
        tape = Tape(loss(operation(case)))
    names = Names(tape)

    def symbol(node):
        return Symbol("value", names.of(node), tape.value(node), node)

    for step in tape.steps():
        for c in step.contributions:
            builder = Builder(symbol, lambda array, role: "c")
            raw = builder.derivative(step.node, c.position, Symbol("gradient", "g", step.grad))
            tidy = tidied(raw)
            np.testing.assert_allclose(evaluate(tidy), evaluate(raw), rtol=1e-10, atol=1e-12)
            assert np.shape(evaluate(tidy)) == tidy.shape == c.node.shape


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_formulas_give_the_dtype_of_the_engine(dtype):
    x = Tensor(np.array([0.5, 1.0, 2.0], dtype), name="x")
    for formula, expected in formulas((np.maximum(sigmoid(x) / 3, x * x) + np.std(x)).sum()):
        found = formula.evaluate()
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-2)


# --- well-known formulas ----------------------------------------------------------------------------------------------


def marks(element):
    """MathML in short: ``frac(∂L, ∂x)`` for ``<mfrac>…</mfrac>``; rows stand for what is in them."""
    inside = [marks(child) for child in element]
    if element.tag in ("math", "mrow"):
        return "".join(inside)
    if element.tag == "mspace":
        return " "
    if inside:
        return f"{element.tag[1:]}({', '.join(inside)})"
    return (element.text or "").strip("\u2061\u2062")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_well_known_formulas_are_written_as_in_a_textbook(case):
    out = case.make()
    grad = np.random.default_rng(0).uniform(size=out.shape)
    formula = one(out, case.operand, grad)
    assert formula.plain() == case.plain
    assert formula.latex() == case.latex
    assert marks(ET.fromstring(formula.mathml())) == case.mathml


def test_an_equation_shows_what_is_added_to():
    out = sigmoid(leaf("z⁽¹⁾", 3))
    out.name = "a⁽¹⁾"
    formula = one(out, 0)
    assert formula.equation() == "∂L/∂z⁽¹⁾ += ∂L/∂a⁽¹⁾ ⊙ a⁽¹⁾ ⊙ (1 − a⁽¹⁾)"
    assert formula.equation("latex").startswith(r"\frac{\partial L}{\partial z^{(1)}} \mathrel{+}= ")
    assert one(out).equation() == "a⁽¹⁾ = σ(z⁽¹⁾)"
    assert repr(one(out)) == "<Formula a⁽¹⁾ = σ(z⁽¹⁾)>"
    assert formula.target.name == "∂L/∂z⁽¹⁾"
    assert formula.target.kind == "gradient"


def test_the_gradient_of_a_pre_activation_is_its_delta_and_a_note_says_so():
    out = leaf("W⁽²⁾", 2, 3) @ leaf("a⁽¹⁾", 3)
    out.name = "z⁽²⁾"
    formula = one(out, 1)
    assert formula.plain() == "W⁽²⁾ᵀ δ⁽²⁾"
    assert formula.notes == ("δ⁽²⁾ = ∂L/∂z⁽²⁾",)
    assert [s.kind for s in formula.symbols] == ["value", "gradient"]
    assert one(out, 0).plain() == "δ⁽²⁾ a⁽¹⁾ᵀ"
    assert one(sigmoid(leaf("x", 2)), 0).notes == ()


def test_symbols_are_listed_once_in_reading_order_with_their_arrays():
    x, y = leaf("x", 2), leaf("y", 2)
    formula = one(x / y, 1, np.array([1.0, 2.0]))
    assert [s.name for s in formula.symbols] == ["∂L/∂s", "s", "y"]
    np.testing.assert_array_equal(formula.symbols[2].array, y.data)
    np.testing.assert_array_equal(formula.symbols[0].array, [1.0, 2.0])
    assert formula.symbols[2].node is y.node
    assert Latex().symbol(formula.symbols[2], 0).text == "y"
    assert Latex().symbol(formula.symbols[0], 0).text == r"\frac{\partial L}{\partial s}"


def test_a_layer_can_be_written_out_in_one_formula():
    product = leaf("W⁽¹⁾", 2, 3) @ leaf("x", 3)
    z = product + leaf("b⁽¹⁾", 2)
    z.name = "z⁽¹⁾"
    tape = Tape((z * 1.0).sum())
    formula = forward(z.node, Names(tape), tape.value, written_out={product.node})
    assert formula.equation() == "z⁽¹⁾ = W⁽¹⁾ x + b⁽¹⁾"
    np.testing.assert_allclose(formula.evaluate(), z.data)


def test_shapes_are_an_algebra_of_their_own():
    out = leaf("W⁽¹⁾", 10, 84) @ leaf("x", 84) + leaf("b", 10)
    tape = Tape((out * 1.0).sum())
    formula = forward(out.node, Names(tape), tape.value, written_out={out.node.parents[0]})
    assert formula.equation(what="shapes") == "(10,) = (10, 84) · (84,) + (10,)"
    bias = one(leaf("x", 2, 3, 4, 4) + leaf("b", 1, 3, 1, 1), 1)
    assert bias.equation(what="shapes") == "(1, 3, 1, 1) = Σ₀,₂,₃ (2, 3, 4, 4)"
    assert one(leaf("W", 2, 3) @ leaf("x", 3), 0).plain("shapes") == "(2, 1) · (1, 3)"
    assert one(np.max(leaf("x", 2, 3), axis=1), 0).plain("shapes") == "(2, 1) ⊙ [(2, 3) = (2, 1)]"


def test_numbers_stand_for_small_arrays_and_a_shape_for_large_ones():
    x = Tensor([[1.0, -2.0], [0.5, 1e-5]], name="x")
    v = Tensor([1.0, 2.0], name="v")
    assert one(x @ v).plain("numbers") == "[1 −2; 0.5 1e-05] · [1; 2]"
    assert one(x @ v).latex("numbers") == (
        r"\begin{pmatrix} 1 & -2 \\ 0.5 & 10^{-5} \end{pmatrix}\cdot \begin{pmatrix} 1 \\ 2 \end{pmatrix}"
    )
    assert one(Tensor(2.0, name="a") * Tensor(-3.0, name="b")).plain("numbers") == "2 × (−3)"
    assert one(np.exp(leaf("x", 7, 2))).plain("numbers") == "exp(▦ 7×2)"
    odd = Tensor([np.nan, np.inf, -np.inf, 1 / 3], name="x")
    assert one(np.exp(odd)).plain("numbers") == "exp([NaN Inf −Inf 0.3333])"


def test_known_numbers_are_written_by_name():
    assert one(np.log2(leaf("x", 2)), 0).plain() == "∂L/∂s / (log(2) x)"
    assert one(np.deg2rad(leaf("x", 2)), 0).plain() == "π/180 ∂L/∂s"
    assert one(leaf("x", 7).mean(), 0).plain() == "broadcast(∂L/∂s / 7, 7)"


# --- brackets, names, options -----------------------------------------------------------------------------------------


def test_brackets_stand_only_where_they_are_needed():
    a, b, c = (leaf(name, 2) for name in "abc")

    def whole(out):
        tape = Tape(out.sum())
        inner = {n for n in tape if not n.is_leaf}
        return forward(out.node, Names(tape), tape.value, written_out=inner).plain()

    assert whole((a + b) * c) == "(a + b) ⊙ c"
    assert whole(a + b * c) == "a + b ⊙ c"
    assert whole(a - (b - c)) == "a − (b − c)"
    assert whole(a - b - c) == "a − b − c"
    assert whole(a / (b * c)) == "a / (b ⊙ c)"
    assert whole((a * b) ** 2) == "(a ⊙ b)²"
    assert whole(-(a + b)) == "−(a + b)"
    assert whole(a * -b) == "a ⊙ (−b)"
    assert whole(np.exp(-a)) == "exp(−a)"
    assert whole(a.sum() * b) == "(Σ a) × b"
    assert whole((a + b).sum() + c) == "Σ (a + b) + c"
    assert whole(a ** (b + c)) == "a^(b + c)"
    assert whole((a / b) / c) == "a / b / c"
    assert whole(a / (b / c)) == "a / (b / c)"
    assert whole(np.where(a.data > 0, a + b, c) * 2.0) == "(a + b if c₂ else c) × 2"


def test_a_power_of_a_symbol_with_an_upper_index_is_in_brackets():
    assert one(leaf("a⁽¹⁾", 2) ** 2).plain() == "(a⁽¹⁾)²"
    assert one(leaf("a⁽¹⁾", 2) ** 2).latex() == r"\left( a^{(1)} \right)^{2}"


def test_latex_never_raises_two_things_at_once():
    out = np.swapaxes(np.linalg.inv(leaf("W⁽¹⁾", 2, 2) + 1.0), 0, 1)
    tape = Tape(out.sum())
    inner = {node for node in tape if not node.is_leaf}
    formula = forward(out.node, Names(tape), tape.value, written_out=inner)
    assert formula.plain() == "(W⁽¹⁾ + 1)⁻ᵀ"
    assert formula.latex() == r"\left( W^{(1)}+1 \right)^{-\top}"
    squared = np.transpose(leaf("W⁽¹⁾", 2, 2) ** 2)
    formula = forward(squared.node, Names(Tape(squared.sum())), written_out=set(squared.node.parents))
    assert formula.latex() == r"{\left( W^{(1)} \right)^{2}}^{\top}"


@pytest.mark.parametrize(
    ("name", "parts", "latex"),
    [
        ("z⁽¹⁾", Glyph("z", raised="(1)"), "z^{(1)}"),
        ("x₁", Glyph("x", lowered="1"), "x_{1}"),
        ("W_h", Glyph("W", lowered="h"), "W_{h}"),
        ("ŷ", Glyph("y", hat="hat"), r"\hat{y}"),
        ("log ŷ", Glyph("y", hat="hat", function="log"), r"\log \hat{y}"),
        ("θ", Glyph("θ"), r"\theta"),
        ("h (2)", Glyph("h", tail=" (2)"), r"h\ (2)"),
        ("net.0.weight", Glyph("net.0.weight"), r"\mathrm{net.0.weight}"),
        ("%7", Glyph("%7"), r"\mathrm{\%7}"),
        ("⁽", Glyph("⁽"), r"\mathrm{⁽}"),
    ],
)
def test_names_are_set_as_mathematicians_do(name, parts, latex):
    assert glyph(name) == parts
    assert Latex().name(name).text == latex


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>", "a&b\"c'd", "\\end{x}", "}{", "x\x00\ny", "$x$", "^_~#%", "😀", "  ", "z⁽<⁾",
        "]]>", "a" * 5000,
    ],
)  # fmt: skip
def test_hostile_names_stay_names(name):
    x = Tensor([1.0, 2.0], name=name)
    formula = one(np.exp(x) * x, 0)
    assert balanced(formula.latex())
    root = ET.fromstring(formula.mathml())
    assert {e.tag for e in root.iter()} <= ELEMENTS
    assert len(formula.plain()) < 200
    assert "\n" not in formula.plain() + formula.latex()


def test_an_array_that_no_record_holds_does_not_take_the_name_of_an_operand():
    assert one(leaf("c", 2) * np.ones(2)).plain() == "c ⊙ c₂"
    assert one(leaf("y", 3)[np.array([2, 0])]).plain() == "y[y₂]"
    assert one(leaf("x", 3) * np.array([1.0, 2.0, 3.0])).symbols[1].kind == "constant"


def test_indices_are_short():
    x = leaf("x", 4, 5)
    assert one(x[0, 1:3]).plain() == "x[0, 1:3]"
    assert one(x[..., None, ::-1]).plain() == "x[…, new, ::−1]"
    assert one(x[x.data > 1]).plain() == "x[mask]"
    assert one(x[0, 1:3], 0).plain() == "scatter(∂L/∂s at [0, 1:3])"


def test_options_that_are_defaults_are_left_out():
    assert one(np.std(leaf("x", 2, 3), axis=1)).plain() == "std₁(x)"
    assert one(np.std(leaf("x", 2, 3), axis=1, ddof=1)).plain() == "std₁(x, ddof=1)"
    assert one(np.transpose(leaf("x", 2, 3, 4), (2, 0, 1))).plain() == "transpose(x, (2, 0, 1))"


def test_many_operands_are_cut_in_the_middle():
    parts = [leaf(f"x{k}", 2) for k in range(9)]
    assert one(np.concatenate(parts)).plain() == "concatenate(x0, x1, …, x8)"


# --- clean-up ---------------------------------------------------------------------------------------------------------


def cleaned(rule, *operands):
    """What becomes of a rule's result, of g and named operands."""
    from autograd import primitive
    from autograd.registry import defvjp

    @primitive
    def fn(x, *others):
        return x + 0.0

    defvjp(fn, lambda g, out, *operands: rule(g, *operands), *([None] * (len(operands) - 1)))
    formula = one(fn(*operands), 0)
    return formula.plain()


def test_what_changes_nothing_is_left_out():
    x = leaf("x", 2, 2)
    assert cleaned(lambda g, x: g * 1, x) == "∂L/∂s"
    assert cleaned(lambda g, x: 1.0 * g + 0, x) == "∂L/∂s"
    assert cleaned(lambda g, x: -np.negative(g), x) == "∂L/∂s"
    assert cleaned(lambda g, x: g.T.T, x) == "∂L/∂s"
    assert cleaned(lambda g, x: np.swapaxes(np.transpose(g), 0, 1), x) == "∂L/∂s"
    assert cleaned(lambda g, x: g.reshape(4).reshape(2, 2), x) == "∂L/∂s"
    assert cleaned(lambda g, x: g.reshape(2, 2), x) == "∂L/∂s"
    assert cleaned(lambda g, x: np.broadcast_to(np.broadcast_to(g, (2, 2)), (2, 2)), x) == "∂L/∂s"
    assert cleaned(lambda g, x: 0.5 * (g * 2), x) == "∂L/∂s"
    assert cleaned(lambda g, x: g * x**1, x) == "∂L/∂s ⊙ x"


def test_products_are_collected():
    x = leaf("x", 2)
    assert cleaned(lambda g, x: g * x * 3 * x, x) == "3 ∂L/∂s ⊙ x²"
    assert cleaned(lambda g, x: -g * -x, x) == "∂L/∂s ⊙ x"
    assert cleaned(lambda g, x: g / x / x, x) == "∂L/∂s / x²"
    assert cleaned(lambda g, x: g * 0.5 / x, x) == "∂L/∂s / (2 x)"
    assert cleaned(lambda g, x: g * -2.0, x) == "−2 ∂L/∂s"
    assert cleaned(lambda g, x: g / 3 * 6, x) == "2 ∂L/∂s"
    assert cleaned(lambda g, x: g - (-x), x) == "∂L/∂s + x"


def test_undone_broadcasting_is_a_sum_over_its_axes():
    b = leaf("b", 3, 1)
    assert one(leaf("x", 2, 3, 4) * b, 1).plain() == "Σ₀,₂ (∂L/∂s ⊙ x)"
    assert one(leaf("x", 2, 3, 4) - b, 1).plain() == "−Σ₀,₂ ∂L/∂s"


def test_the_formula_is_the_one_that_holds_for_these_numbers():
    x, y = Tensor([1.0, 2.0], name="x"), Tensor([1.0, 3.0], name="y")
    tie = one(np.maximum(x, y), 0)
    assert tie.plain() == "∂L/∂s ⊙ ([x > y] + 0.5 [x = y])"
    np.testing.assert_array_equal(tie.evaluate(), [0.5, 0.0])
    assert one(np.maximum(x, y + 0.5), 0).plain() == "∂L/∂s ⊙ [x = s]"
    assert one(leaf("x", 2) ** leaf("y", 2), 0).plain() == "∂L/∂s ⊙ y ⊙ x^(y − 1)"
    at_zero = one(Tensor([0.0, 2.0], name="x") ** Tensor([0.0, 2.0], name="y"), 0)
    assert "if x = 0 ∧ y = 0" in at_zero.plain()


def test_a_comparison_with_nan_is_not_turned_round():
    formula = one(np.clip(Tensor([np.nan, 0.5], name="x"), -1, 1), 0)
    assert "¬" in formula.plain()
    np.testing.assert_array_equal(formula.evaluate(), [np.nan, 1.0])


def test_max_pooling_says_that_the_first_maximum_gets_the_gradient():
    out = w.window_max(w.windows(leaf("x", 1, 1, 2, 2), kernel_size=(2, 2)))
    assert one(out, 0).plain() == "∂L/∂s ⊙ [%1 = s, the first]"


# --- the tape stays as it is, errors ----------------------------------------------------------------------------------


def test_formulas_neither_change_the_tape_nor_need_recording():
    x = leaf("x", 3)
    out = sigmoid(x)
    tape = Tape((out * 1.0).sum())
    names, grad = Names(tape), np.ones(3)
    before = len(tape), x.grad, out.node.kept
    with no_grad():
        formula = backward(out.node, 0, grad, names, tape.value)
    assert formula.plain() == "∂L/∂out ⊙ out ⊙ (1 − out)"
    assert grad.flags.writeable
    assert (len(Tape(tape.root)), x.grad, out.node.kept) == before


def test_comparisons_of_tensors_are_plain_arrays_outside_of_formulas():
    x = leaf("x", 3)
    one(np.maximum(x, 1.0), 0)
    assert isinstance(x > 1.0, np.ndarray)


def test_a_formula_of_a_leaf_or_of_an_operand_without_gradient_is_an_error():
    x, ok = leaf("x", 2), np.array([True, False])
    out = np.where(ok, x, 0.0)
    tape = Tape(out.sum())
    names = Names(tape)
    with pytest.raises(ValueError, match=r"forward: .* is a leaf, no operation made it"):
        forward(x.node, names, tape.value)
    with pytest.raises(ValueError, match="backward: no gradient flows from where to operand 0, of 3"):
        backward(out.node, 0, np.ones(2), names, tape.value)
    with pytest.raises(ValueError, match="no gradient flows from where to operand 7"):
        backward(out.node, 7, np.ones(2), names, tape.value)
    with pytest.raises(ValueError, match=r"the gradient of where has shape \(2,\), got one of shape \(3,\)"):
        backward(out.node, 1, np.ones(3), names, tape.value)


def test_an_unknown_way_of_writing_is_an_error():
    formula = one(np.exp(leaf("x", 2)))
    with pytest.raises(ValueError, match="'symbols', 'numbers' or 'shapes', got 'names'"):
        formula.plain("names")
    with pytest.raises(ValueError, match="'plain', 'latex' or 'mathml', got 'tex'"):
        formula.equation("tex")


def test_titles_of_pictures_are_the_same_formulas():
    x, weight = leaf("x", 3), leaf("W⁽¹⁾", 2, 3)
    tape = Tape((np.inner(x, weight) * np.array([1.0, 2.0])).sum())
    names = Names(tape)
    assert [names.expression(n) for n in tape if not n.is_leaf] == ["W⁽¹⁾ x", "%2 ⊙ const(2,)", "Σ %3"]


def test_a_matrix_product_is_one_however_it_was_called():
    a, b = leaf("A", 2, 3), leaf("B", 3, 4)
    for out in (a @ b, np.dot(a, b), np.tensordot(a, b, 1)):
        assert one(out).plain() == "A B"
    tree = one(np.tensordot(a, leaf("B", 2, 4), ((0,), (0,)))).tree
    assert textbook(tree) is tree
