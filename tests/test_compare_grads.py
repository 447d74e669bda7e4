"""`compare_grads` and `assert_grads_match`: verdicts, where the difference is, what is printed, what is refused."""

import html.parser
from decimal import Decimal

import numpy as np
import pytest

import nn
from autograd import Tape, Tensor, defvjp, primitive
from autograd.testing import assert_grads_match, compare_grads
from autograd.testing.differences import Partials
from autograd.testing.report import LISTENERS, colour_of
from viz.plain.thumbnails import PALETTE

RNG = np.random.default_rng(2)


@pytest.fixture
def net():
    """A small network, its loss, and its gradients as derived by hand."""
    X, y = RNG.normal(size=(6, 3)), np.array([0, 1, 1, 0, 1, 0])
    W1, b1 = Tensor(RNG.normal(size=(3, 4)), name="W⁽¹⁾"), Tensor(np.zeros(4), name="b⁽¹⁾")
    W2, b2 = Tensor(RNG.normal(size=(4, 2)), name="W⁽²⁾"), Tensor(np.zeros(2), name="b⁽²⁾")
    z1 = named(X @ W1 + b1, "z⁽¹⁾")
    a1 = named(np.tanh(z1), "a⁽¹⁾")
    z2 = named(a1 @ W2 + b2, "z⁽²⁾")
    exp = np.exp(z2)
    p = exp / exp.sum(axis=1, keepdims=True)
    loss = named(-np.log(p[np.arange(6), y]).mean(), "L")
    dz2 = p.data.copy()
    dz2[np.arange(6), y] -= 1
    dz2 /= 6
    da1 = dz2 @ W2.data.T
    dz1 = da1 * (1 - a1.data**2)
    hand = {W1: X.T @ dz1, b1: dz1.sum(0), W2: a1.data.T @ dz2, b2: dz2.sum(0), z1: dz1, a1: da1, z2: dz2}
    return loss, hand


def named(t, name):
    t.name = name
    return t


def by_name(hand):
    return {t.name: g for t, g in hand.items()}


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_right_gradients_of_parameters_and_intermediates_pass(net):
    loss, hand = net
    report = compare_grads(loss, hand)
    assert report.ok and {row.verdict for row in report.rows} <= {"exact", "close"}
    assert max(row.relative for row in report.rows) < 1e-12
    assert_grads_match(loss, by_name(hand), numeric=True)
    assert_grads_match(Tape(loss), hand)


def test_rows_come_in_the_order_in_which_the_backward_pass_completes_them(net):
    loss, hand = net
    order = [row.name for row in compare_grads(loss, hand).rows]
    assert order[0] == "z⁽²⁾" and order.index("a⁽¹⁾") < order.index("z⁽¹⁾") < order.index("W⁽¹⁾")
    assert max(order.index("W⁽²⁾"), order.index("b⁽²⁾")) < order.index("z⁽¹⁾")


def test_the_first_wrong_row_is_where_the_mistake_was_made(net):
    loss, hand = net
    hand = by_name(hand)
    hand["z⁽¹⁾"] = hand["a⁽¹⁾"]
    hand["W⁽¹⁾"] = 2 * hand["W⁽¹⁾"]
    report = compare_grads(loss, hand)
    assert [row.name for row in report.wrong] == ["z⁽¹⁾", "W⁽¹⁾"]
    assert "the first wrong one is z⁽¹⁾ (test_compare_grads.py:" in str(report)


def test_a_row_tells_the_largest_differences_where_they_are_and_both_numbers():
    w = Tensor([[1.0, 2.0], [3.0, 4.0]], name="w")
    (row,) = compare_grads((w * w).sum(), {w: [[2.0, 4.0], [6.5, 8.1]]}).rows
    assert (row.verdict, row.where, row.values, row.place) == ("WRONG", (1, 0), (6.5, 6.0), "w[1, 0]")
    assert row.largest == 0.5 and row.relative == pytest.approx(0.5 / 6.5)
    assert row.wrong.tolist() == [[False, False], [True, True]]


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ([2.0, 4.0], "exact"),
        ([2.0, 4.0 + 1e-9], "close"),
        ([2.0, 4.001], "WRONG"),
        ([-2.0, -4.0], "WRONG"),
        ([np.inf, 4.0], "WRONG"),
        ([np.nan, 4.0], "WRONG"),
        ([[2.0, 4.0]], "shape"),
        (6.0, "shape"),
    ],
)
def test_verdicts(given, verdict):
    w = Tensor([1.0, 2.0], name="w")
    report = compare_grads((w * w).sum(), {w: given})
    assert report.rows[0].verdict == verdict
    assert report.ok is (verdict in ("exact", "close"))


def test_tolerances_are_the_callers():
    w = Tensor([1.0, 2.0], name="w")
    loss = (w * w).sum()
    assert_grads_match(loss, {w: [2.01, 4.0]}, rtol=1e-2)
    assert_grads_match(loss, {w: [2.01, 4.0]}, atol=0.02)
    with pytest.raises(AssertionError, match="WRONG: the gradient of w") as error:
        assert_grads_match(loss, {w: [2.01, 4.0]})
    assert error.value.args[0]["w"].verdict == "WRONG"
    assert not compare_grads(loss, {w: [2.0 + 1e-9, 4.0]}, rtol=0, atol=0).ok


def test_precision_is_that_of_the_coarser_dtype():
    w = Tensor(np.linspace(1, 2, 5, dtype=np.float32), name="w")
    right = np.exp(w.data.astype(np.float64))
    loss = np.exp(w).sum()
    assert compare_grads(loss, {w: right}).rows[0].verdict == "close"
    assert compare_grads(loss, {w: right.astype(np.float32)}).ok
    assert compare_grads(loss, {w: right * (1 + 5e-5)}).ok
    assert not compare_grads(loss, {w: right * 1.001}).ok
    w = Tensor(np.linspace(1, 2, 5), name="w")
    right = np.exp(w.data)
    assert compare_grads(np.exp(w).sum(), {w: (right * (1 + 5e-5)).astype(np.float32)}).ok
    assert not compare_grads(np.exp(w).sum(), {w: right * (1 + 5e-5)}).ok


def test_rounding_noise_of_a_gradient_that_vanishes_is_not_wrong():
    x, b = Tensor(RNG.normal(size=(50, 3)), name="x"), Tensor(np.ones(3), name="b")
    z = x + b
    loss = (((z - z.mean(axis=0)) / z.std(axis=0)) ** 3).sum()
    assert_grads_match(loss, {b: np.array([1e-14, -1e-14, 0.0])})
    assert not compare_grads(loss, {b: np.array([1e-6, 0.0, 0.0])}).ok


def test_notes_name_the_factor_the_transpose_and_the_shape_that_would_be_right():
    W = Tensor(RNG.normal(size=(2, 3)), name="W")
    S = Tensor(RNG.normal(size=(3, 3)), name="S")
    loss = (W * W).sum() + (S * S).sum()
    rows = compare_grads(loss, {W: 2 * W.data.T, S: 2 * S.data.T}).rows
    assert all("its transpose would be right" in row.note for row in rows)
    assert "the same numbers in that shape" in compare_grads(loss, {W: (2 * W.data).ravel()}).rows[0].note
    assert "yours is 0.5 times the engine's everywhere" in compare_grads(loss, {W: W.data}).rows[0].note


def test_a_bias_gradient_that_was_not_summed_over_the_batch_is_told(net):
    loss, hand = net
    hand = by_name(hand)
    (row,) = compare_grads(loss, {"b⁽²⁾": hand["z⁽²⁾"]}).rows
    assert row.verdict == "shape"
    assert row.note == "yours has shape (6, 2), expected (2,); its sum over axis 0 would be right"
    (row,) = compare_grads(loss, {"b⁽²⁾": 2 * hand["z⁽²⁾"]}).rows
    assert row.note == "yours has shape (6, 2), expected (2,)"


def test_of_several_records_of_one_name_the_latest_is_compared():
    h = Tensor(2.0, name="h")
    loss = named(named(h * h, "h") * 3.0, "loss")
    (row,) = compare_grads(loss, {"h": 3.0}).rows
    assert row.ok and row.note == "the latest of 2 records of this name"


def test_numbers_that_differ_late_are_printed_so_that_they_do():
    w = Tensor([1.0, 2.0], name="w")
    report = compare_grads((w * w).sum(), {w: [2.0, 4.0 + 1e-10]}, rtol=0, atol=0)
    assert report.headline().startswith("WRONG: the gradient of w[1] is 4.0000000001, the engine has 4 (")


def test_a_gradient_that_nothing_reaches_is_zero():
    x = Tensor([1.0, 2.0], name="x")
    loss = (np.floor(x) * 3.0 + Tensor([1.0, 1.0])).sum()
    row = compare_grads(loss, {x: [0.0, 0.0], loss: 1.0}).rows[-1]
    assert (row.name, row.verdict, row.note) == ("x", "exact", "no gradient reaches it: it is zero")


def test_a_parameter_that_was_changed_since_is_found_by_what_holds_it():
    layer = nn.Linear(3, 2)
    x = RNG.normal(size=(4, 3))
    loss = (layer(x) ** 2).sum()
    dW = 2 * (x @ layer.weight.data.T + layer.bias.data).T @ x
    loss.backward()
    layer.weight.data = layer.weight.data - 0.1 * layer.weight.grad
    assert_grads_match(loss, {layer.weight: dW})


def test_a_loss_that_is_no_scalar_starts_from_a_given_gradient():
    x = Tensor([1.0, 2.0], name="x")
    assert_grads_match(x * x, {x: [6.0, 0.0]}, numeric=True, grad=[3.0, 0.0])


# --- printed numbers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("printed", ["0.1234", " 0.12 ", "1.2e-1", Decimal("0.1235"), "0.1"])
def test_printed_numbers_are_compared_to_their_digits_rounded_or_cut_off(printed):
    x = Tensor(0.12345678, name="x")
    assert_grads_match(x * x / 2, {x: printed})


@pytest.mark.parametrize("printed", ["0.1236", "0.13", "-0.1234", "0.12345", "0.12346"])
def test_a_last_digit_that_is_off_is_wrong_unless_it_was_cut_off(printed):
    x = Tensor(0.123463, name="x")
    assert compare_grads(x * x / 2, {x: printed}).ok is (printed == "0.12346")


def test_printed_numbers_may_stand_beside_others_and_have_a_typographic_minus():
    x = Tensor([0.5, -0.123456, 2.0], name="x")
    assert_grads_match((x * x / 2).sum(), {x: ["0.5000", "−0.12", 2.0 + 1e-9]})
    assert_grads_match((x * x / 2).sum(), {x: np.array([b"0.50", b"-0.123", b"2"])})
    assert not compare_grads((x * x / 2).sum(), {x: ["0.5000", "−0.12", 2.01]}).ok


# --- finite differences, kinks, NaN -----------------------------------------------------------------------------------


def test_numeric_tells_which_of_the_two_agrees_with_finite_differences(net):
    loss, hand = net
    report = compare_grads(loss, {t: -g for t, g in hand.items()}, numeric=True)
    assert all(row.numeric.engine is True and row.numeric.yours is False for row in report.rows)
    assert "the engine agrees, yours DISAGREES" in str(report)


def test_numeric_finds_a_wrong_rule_of_the_engine_that_agrees_with_the_same_mistake_by_hand():
    @primitive
    def cube(x):
        return x * x * x

    defvjp(cube, lambda g, out, x: g * 2 * x * x)
    x = Tensor([1.0, 2.0], name="x")
    loss = cube(x).sum()
    assert compare_grads(loss, {x: [2.0, 8.0]}).ok
    report = compare_grads(loss, {x: [2.0, 8.0]}, numeric=True)
    assert not report.ok and report.rows[0].numeric.engine is False
    assert str(report).startswith("the engine's gradient of x disagrees with finite differences")


def test_numeric_looks_at_fifty_elements_at_most_of_each_array():
    x = Tensor(RNG.normal(size=(40, 40)), name="x")
    (row,) = compare_grads(np.exp(x).sum(), {x: np.exp(x.data)}, numeric=True).rows
    assert row.numeric.looked == 50 and row.numeric.engine and row.numeric.yours


def test_a_complex_step_sharpens_the_differences_where_the_functions_allow_one():
    x = np.array([0.7, -1.3])
    smooth = Partials(lambda x: np.sum(np.exp(x) * np.sin(x)), x)
    assert smooth.at((1,)).value == pytest.approx(np.exp(-1.3) * (np.sin(-1.3) + np.cos(-1.3)), rel=1e-15)
    assert smooth.complex_step and smooth.at((1,)).error <= 2e-12
    for rough in (lambda x: np.sum(np.abs(x) * np.sin(x)), lambda x: np.sum(np.array(x, np.float64) ** 2 * 1.3)):
        partials = Partials(rough, x)
        assert np.isfinite(partials.at((1,)).value) and not partials.complex_step
    assert Partials(rough, x).at((0,)).value == pytest.approx(2 * 0.7 * 1.3, abs=1e-9)


def test_a_straight_line_is_differentiated_with_few_evaluations():
    points = []

    def straight(x):
        points.append(x)
        return np.sum(np.array(x, np.float64) * [3.0, -2.0])

    partials = Partials(straight, np.array([0.7, -1.3]))
    assert [round(partials.at((i,)).value, 11) for i in (0, 1)] == [3.0, -2.0]
    assert len(points) <= 1 + 2 * 6 + 1


@pytest.mark.parametrize("distance", [1e-5, 1e-4, 5e-4, 1e-3, 2e-3, 4e-3, 1e-2])
@pytest.mark.parametrize("side", [-1, 1])
def test_a_kink_nearby_spoils_no_derivative(distance, side):
    x = np.array([0.5])
    bend = lambda x: np.sum(np.abs(x - 0.5 - side * distance) + 0.3 * np.array(x, np.float64))
    hat = lambda x: np.sum(np.clip(np.array(x, np.float64), 0.5 - distance, 0.5 + distance))
    stairs = lambda x: np.sum(np.floor(np.array(x, np.float64) / distance / 0.7) * distance * 0.7)
    for function, slope in ((bend, 0.3 - side), (hat, 1.0), (stairs, 0.0)):
        partial = Partials(function, x).at((0,))
        assert partial.kink or partial.value == pytest.approx(slope, abs=1e-6)


@pytest.mark.parametrize(
    ("slope", "verdict"), [(1.0, "undecided"), (-1.0, "undecided"), (0.0, "exact"), (2.0, "WRONG")]
)
def test_at_a_kink_any_number_between_the_slopes_on_its_sides_is_right(slope, verdict):
    x = Tensor([0.0, 2.0], name="x")
    assert compare_grads(np.abs(x).sum(), {x: [slope, 1.0]}).rows[0].verdict == verdict


def test_kinks_are_told_from_mistakes_however_many_there_are():
    x = Tensor(np.zeros(200), name="x")
    assert compare_grads(np.abs(x).sum(), {x: np.ones(200)}).rows[0].verdict == "undecided"


@pytest.mark.parametrize(
    ("f", "at", "smooth"),
    [
        (lambda x: np.sum(np.sin(x)), 1.0, True),
        (lambda x: np.sum(np.abs(x)), 1e-3, True),
        (lambda x: np.abs(x[7]) + np.sum(np.sin(x)), 0.0, False),
        (lambda x: np.abs(x[7]) - np.abs(x[8]), 0.0, False),
        (lambda x: np.max(x[:3]), 1.0, False),
        (lambda x: np.sum(np.floor(x)), 1.0, False),
        (lambda x: np.sum(np.sqrt(x)), 0.0, False),
    ],
)
def test_many_elements_without_a_kink_take_a_few_evaluations_together(f, at, smooth):
    x, seen = np.full(200, at), []
    known = np.sign(x) if at == 1e-3 else np.cos(x)
    partials = Partials(lambda x: (seen.append(1), f(x))[1], x)
    assert partials.is_smooth(np.ones(200, bool), known, np.ones(200)) == smooth
    assert len(seen) <= 9


def test_a_few_kinks_are_told_from_mistakes_beside_them():
    x = Tensor(np.append(np.linspace(0.1, 2.0, 30), [0.0, 0.0]), name="x")
    g = np.append(2 * np.ones(30), [0.5, 1.5])
    (row,) = compare_grads(np.abs(x).sum(), {x: g}).rows
    assert row.verdict == "WRONG" and row.wrong.sum() == 31 and "1 at a kink" in row.note


def test_tied_maxima_may_share_the_gradient_in_any_way_but_not_have_it_all_each():
    x = Tensor([1.0, 1.0, 0.0], name="x")
    assert compare_grads(x.max(), {x: [1.0, 0.0, 0.0]}).rows[0].verdict == "undecided"
    assert compare_grads(x.max(), {x: [1.0, 1.0, 0.0]}).rows[0].verdict == "WRONG"


def test_a_nan_agrees_with_nothing_not_even_with_a_nan():
    x = Tensor([0.0, 1.0], name="x")
    loss = (x * np.sqrt(x)).sum()
    for given, says in (([0.0, 1.5], "the engine has NaN in 1 of 2"), ([np.nan, 1.5], "both have NaN in 1 of 2")):
        report = compare_grads(loss, {x: given}, numeric=True)
        assert report.rows[0].verdict == "NaN" and not report.ok
        assert says in str(report)
    assert compare_grads(loss, {x: [0.0, 7.0]}).rows[0].verdict == "WRONG"


def test_infinite_numbers_agree_with_themselves_alone():
    x = Tensor([0.0, 4.0], name="x")
    loss = np.sqrt(x).sum()
    assert compare_grads(loss, {x: [np.inf, 0.25]}).ok
    for wrong in (5.0, -np.inf, np.nan):
        assert not compare_grads(loss, {x: [wrong, 0.25]}).ok


def test_operations_that_draw_random_numbers_are_not_differentiated_numerically():
    rng = np.random.default_rng(0)

    @primitive
    def noisy(x):
        return x + rng.normal(size=x.shape)

    defvjp(noisy, lambda g, out, x: g)
    x = Tensor([1.0, 2.0], name="x")
    report = compare_grads(noisy(x).sum(), {x: [1.0, 1.0]}, numeric=True)
    assert report.ok and report.rows[0].numeric is None
    assert "noisy" in report.notes[0] and "draws other numbers" in report.notes[0]


# --- what is printed --------------------------------------------------------------------------------------------------


def test_the_assertion_is_the_report_and_its_first_line_the_worst(net):
    loss, hand = net
    hand = by_name(hand)
    hand["z⁽²⁾"] = hand["z⁽²⁾"] * 1.01
    hand["b⁽²⁾"] = hand["b⁽²⁾"] * -3
    with pytest.raises(AssertionError) as caught:
        assert_grads_match(loss, hand)
    first, second, *rest = str(caught.value).splitlines()
    assert first.startswith("WRONG: the gradient of b⁽²⁾[") and first.endswith("(gradients of L: 2 of 7 not ok)")
    assert "the first wrong one is z⁽²⁾" in second
    assert sum(line.startswith(("W⁽", "b⁽", "z⁽", "a⁽")) and ":" not in line for line in rest) == 7


PLAIN = {"div", "p", "b", "br", "table", "thead", "tbody", "tr", "th", "td", "ul", "li"}


class Tags(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.styles = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.styles += [v for k, v in attrs if k == "style"]
        assert {k for k, _ in attrs} <= {"style"}
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_notebook_shows_small_arrays_side_by_side_in_plain_html(net):
    loss, hand = net
    hand = by_name(hand)
    hand["W⁽²⁾"] = hand["W⁽²⁾"] * np.array([1.0, 2.0])
    text = compare_grads(loss, hand)._repr_html_()
    tags = Tags(text)
    assert not tags.open and set(tags.seen) <= PLAIN
    assert text.count("✕") == 4
    assert not any("color: " in style and "rgba" not in style for style in tags.styles)


def test_the_notebook_shows_large_arrays_as_maps_of_colours_of_bounded_size():
    x = Tensor(RNG.normal(size=(300, 200)), name="x")
    given = 2 * x.data
    given[123, 45] = np.nan
    text = compare_grads((x * x).sum(), {x: given})._repr_html_()
    assert not Tags(text).open and text.count("<td") < 3 * 20 * 20 + 50


def test_maps_have_the_colours_of_the_heat_maps_of_viz():
    shades = [colour_of(value) for value in np.linspace(-1.0, 1.0, 101)]
    for shade, theirs in zip(shades, PALETTE[:101], strict=True):
        ours = np.array([int(n) for n in shade.removeprefix("rgb(").rstrip(")").split(",")])
        assert np.abs(ours - theirs).max() <= 1
    assert colour_of(-3.0) == shades[0] and colour_of(3.0) == shades[-1]


def test_maps_mark_what_is_no_number_and_what_is_wrong():
    x = Tensor(np.linspace(-1.0, 1.0, 100).reshape(10, 10), name="x")
    given = 2 * x.data
    given[0, :3] = np.nan, np.inf, -np.inf
    text = compare_grads((x * x).sum(), {x: given})._repr_html_()
    assert [text.count(f"{sign}</td>") for sign in "×+−"] == [1, 1, 1]
    assert text.count("rgba(220, 60, 50, 0.9)") == 3


def test_numbers_have_real_minus_signs_and_zero_has_none():
    x = Tensor([-1.0, 2.0, 0.0], name="x")
    report = compare_grads((x * x).sum(), {x: [-3.0, 4.0, -0.0]})
    for text in (str(report), report._repr_html_()):
        assert "−3" in text and "−2" in text and "-3" not in text and "−0" not in text and "-0" not in text
    assert "yours is −1 times the engine's everywhere" in str(compare_grads((x * x).sum(), {x: [2.0, -4.0, 0.0]}))
    assert "−Inf" in str(compare_grads((x * x).sum(), {x: [2.0, -np.inf, 0.0]}))
    assert_grads_match((x * x).sum(), {x: ["−2", "4", "0"]})


def test_names_are_escaped_in_html():
    x = Tensor([1.0], name="<script>alert(1)</script>")
    assert "<script>" not in compare_grads((x * x).sum(), {x: [1.0]})._repr_html_()


def test_listeners_are_told_of_every_report():
    heard = []
    LISTENERS.append(heard.append)
    try:
        x = Tensor([1.0], name="x")
        report = compare_grads((x * x).sum(), {x: [2.0]})
    finally:
        LISTENERS.remove(heard.append)
    assert heard == [report]


def test_a_report_is_read_by_name_and_by_number(net):
    report = compare_grads(*net)
    assert report["W⁽¹⁾"] in report.rows and report[0] is report.rows[0] and len(report) == 7
    with pytest.raises(KeyError, match="no row 'W'"):
        report["W"]


# --- bad input --------------------------------------------------------------------------------------------------------

W = Tensor([[1.0, 2.0], [3.0, 4.0]], name="W")
LOSS = (W * W).sum()


@pytest.mark.parametrize(
    ("hand", "error", "says"),
    [
        ({"w2": 1.0}, KeyError, "compare_grads: no record is named 'w2'; nearest: W"),
        ({Tensor([1.0], name="v"): [1.0]}, ValueError, r"v of shape \(1,\) is not on the tape of this loss"),
        ({3: [1.0]}, TypeError, "the keys are Tensors or their names, got 3 of type int"),
        ({W: [[1.0, 2.0], [3.0]]}, ValueError, "the gradient of W is a ragged list; expected rows of one length"),
        ({W: np.ones((2, 2)) * 1j}, TypeError, "the gradient of W has dtype complex128; expected real numbers"),
        ({W: np.ones((2, 2), int)}, TypeError, "the gradient of W has dtype int64; expected floating-point numbers"),
        ({W: np.ones((2, 2), bool)}, TypeError, "the gradient of W has dtype bool; expected floating-point numbers"),
        ({W: np.array([[1, "a"], [2, 3]], object)}, ValueError, r"the gradient of W is 'a' at \(0, 1\), which is no"),
        ({W: np.array([[1, {}], [2, 3]], object)}, TypeError, r"holds a value of type dict at \(0, 1\)"),
        ({W: [[None, ""], ["…", "..."]]}, ValueError, "the gradient of W has no number that is given"),
        ({W: [[1.0, 2.0], [3.0, 1j]]}, TypeError, "dtype complex128; expected real numbers"),
        ({W: None}, TypeError, "the gradient of W is None; expected an array of numbers"),
        ({W: [[10**400, 1], [1, 1]]}, ValueError, r"holds a number at \(0, 0\) that is too large"),
        ({W: [[1.0, 1.0]] * 2, "W": [[1.0, 1.0]] * 2}, ValueError, "the gradient of W is given twice"),
        ({}, ValueError, "the dict of gradients is empty"),
        ([W], TypeError, "expected a dict of gradients"),
    ],
)
def test_bad_gradients_are_told_by_key_given_and_expected(hand, error, says):
    with pytest.raises(error, match=says):
        compare_grads(LOSS, hand)


def test_bad_losses_and_limits_are_told():
    with pytest.raises(TypeError, match="the loss must be a Tensor or its Tape, got float"):
        compare_grads(3.0, {W: [[1.0, 1.0]] * 2})
    with pytest.raises(ValueError, match=r"the loss has shape \(2, 2\), expected a scalar"):
        compare_grads(W * W, {W: [[1.0, 1.0]] * 2})
    with pytest.raises(ValueError, match="rtol must be a number that is not negative, got -1"):
        compare_grads(LOSS, {W: [[1.0, 1.0]] * 2}, rtol=-1)
    x = Tensor([1.0, 2.0], requires_grad=False, name="x")
    with pytest.raises(ValueError, match=r"x of shape \(2,\) has no gradient to compare with: requires_grad is False"):
        compare_grads((x * Tensor([1.0, 1.0])).sum(), {x: [1.0, 1.0]})


def test_whole_numbers_in_lists_and_objects_are_numbers():
    assert_grads_match(LOSS, {W: [[2, 4], [6, 8]]})
    assert_grads_match(LOSS, {W: np.array([[2, 4], [6, 8]], dtype=object)})


def test_a_printed_zero_is_nothing_and_not_anything_up_to_a_half():
    w = Tensor([1.0, 1.0], name="w")
    assert not compare_grads((w * [0.0404, 0.5]).sum(), {w: ["0", "0.5000"]}).ok
    assert not compare_grads((w * [0.0404, 0.5]).sum(), {w: ["0.", "0.5000"]}).ok
    assert compare_grads((w * [0.0, 0.5]).sum(), {w: ["0", "0.5000"]}).ok
    assert compare_grads((w * [0.0404, 0.5]).sum(), {w: ["0.0", "0.5000"]}).ok


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("low", [-1e9, -1e30])
def test_large_constants_that_no_gradient_meets_make_nothing_close(dtype, low):
    s = Tensor(RNG.normal(size=(4, 4)).astype(dtype), name="s")
    e = np.exp(np.where(np.tril(np.ones((4, 4), bool)), s, dtype(low)))
    loss = (e / e.sum(axis=1, keepdims=True) * RNG.normal(size=(4, 4)).astype(dtype)).sum()
    assert compare_grads(loss, {s: np.full((4, 4), 7.0, dtype)}).rows[0].verdict == "WRONG"


def test_gradients_of_many_small_numbers_are_compared_as_strictly():
    z = Tensor(RNG.normal(size=1_000_000).astype(np.float32), name="z")
    loss = (np.tanh(z) ** 2).mean()
    loss.backward()
    assert compare_grads(loss, {z: z.grad}).ok
    assert not compare_grads(loss, {z: z.grad * np.float32(1.1)}).ok


def test_numbers_that_are_right_to_their_decimals_are_told_how_to_be_given():
    w = Tensor([1.23456, 2.34567, -0.77777], name="w")
    loss = (w * w).sum()
    rounded = np.round(2 * w.data, 3)
    report = compare_grads(loss, {w: rounded})
    assert not report.ok and "right to the 3 decimals of yours" in report.rows[0].note
    assert compare_grads(loss, {w: [f"{x:.3f}" for x in rounded]}).ok
    assert "decimals" not in compare_grads(loss, {w: rounded + 0.001}).rows[0].note


def test_a_gradient_of_another_shape_is_called_a_gradient():
    w = Tensor(np.arange(6.0).reshape(2, 3), name="w")
    report = compare_grads((w * w).sum(), {w: 2 * w.data.T})
    assert report.headline().startswith("shape: the gradient of w: yours has shape (3, 2)")


def test_the_loss_may_be_called_loss():
    w = Tensor(3.0, name="w")
    assert compare_grads(w * w, values={"loss": 9.0}).ok
    assert not compare_grads(w * w, values={"loss": 8.0}).ok
