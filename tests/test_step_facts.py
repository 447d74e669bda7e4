"""What the steps say: facts that hold for these numbers, checks that know kinks, where NaN and Inf are born, words."""

import numpy as np
import pytest

import viz
from autograd import Tensor, defvjp, primitive
from nn import functional as F
from viz.plain.numbers import ordinal
from viz.walk.text import short


def leaf(*values, name="x"):
    return Tensor(np.array(values if len(values) != 1 else values[0], np.float64), name=name)


def ones(*shape, name="x"):
    return Tensor(np.ones(shape), name=name)


def facts(loss, phase="backward"):
    """What is said of each target, the last sentence of it."""
    return {s.walk.names.of(s.target): s.sentence for s in viz.step(loss) if s.phase == phase}


def checked(loss):
    """The verdict of finite differences on the last gradient."""
    return viz.step(loss)[-1].check.numeric


def squared(derivative):
    """x², with a rule of the tester's own."""
    square = primitive(lambda x: x**2)
    defvjp(square, lambda g, out, x: derivative(g, x))
    return square


# --- products and broadcasting ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x_shape", "w_shape", "of_x", "of_w"),
    [
        ((8, 2), (2, 16), "Each of the 16 elements is a sum of 16 products.",
         "Each of the 32 elements is a sum of 8 products."),
        ((4, 3), (3, 5), "Each of the 12 elements is a sum of 5 products.",
         "Each of the 15 elements is a sum of 4 products."),
        ((5, 3, 2), (2, 4), "Each of the 30 elements is a sum of 4 products.",
         "Each of the 8 elements is a sum of 15 products."),
        ((3,), (3,), "Each of the 3 elements is one product.", "Each of the 3 elements is one product."),
    ],
)  # fmt: skip
def test_a_factor_of_a_matrix_product_gets_sums_of_products_and_nothing_is_called_broadcast(
    x_shape, w_shape, of_x, of_w
):
    said = facts((ones(*x_shape) @ ones(*w_shape, name="w")).sum())
    assert (said["x"], said["w"]) == (of_x, of_w)


def test_what_was_broadcast_is_said_to_be():
    said = facts((ones(4, 3) + ones(3, name="b") + ones(name="c")).sum())
    assert said["b"] == "b was used 4 times over by broadcasting, so 4 terms are summed for each element."
    assert said["c"] == "c was used 12 times over by broadcasting, so 12 terms are summed."
    assert facts((ones(4, 3) * ones(name="c")).sum(), "forward")["%2"] == "c, a scalar, is used 12 times over."


# --- handed on unchanged: by the formula, not by the numbers ----------------------------------------------------------


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: (x + 2.0).sum(),
        lambda x: x.copy().sum(),
        lambda x: (x - np.ones(3)).sum(),
        lambda x: (+x).sum(),
        lambda x: x.astype(np.float32).sum(),
    ],
    ids=["add", "copy", "subtract", "positive", "astype"],
)
def test_a_rule_that_is_the_gradient_itself_hands_it_on_unchanged(loss):
    assert facts(loss(leaf(1, 2, 3)))["x"] == "The gradient is handed on unchanged: x moves %1 one for one."


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        (lambda x: np.where([True, False, True], x, 0.0) @ np.array([1.0, 0, 1]), "1 of 3 elements gets no gradient."),
        (lambda x: np.maximum(x, 2.5) @ np.array([0.0, 0, 3]), "2 of 3 elements get no gradient: ∂L/∂%1 is 0 there."),
        (lambda x: np.tril(x.reshape(3, 1)).sum(), "The gradient goes back the way the numbers came: from (3, 1) to"),
        (lambda x: x[::-1].sum(), "The gradient goes back the way the numbers came, each to its old place."),
        (lambda x: np.sort(x).sum(), "The gradient goes back the way the numbers came, each to its old place."),
        (lambda x: np.roll(x, 1).sum(), "The gradient goes back the way the numbers came, each to its old place."),
        (lambda x: (x * np.ones(3)).sum(), "Every local derivative is 1 here."),
        (lambda x: np.sin(x - x.data).sum(), "The gradient is handed on unchanged: x moves %1 one for one."),
        (lambda x: squared(lambda g, x: np.ones(x.shape))(x).sum(), "‖gradient‖ stays 1.732."),
        (lambda x: np.exp(x[0] - 1.0), "2 of 3 elements get no gradient."),
    ],
)
def test_numbers_that_are_alike_by_chance_are_not_called_handed_on(loss, said):
    assert facts(loss(leaf(1, 2, 3)))["x"].startswith(said)


def test_a_local_derivative_that_is_1_is_so_here():
    for made in (np.exp(leaf(0)), np.sin(leaf(0)), leaf(3) * leaf(1, name="w")):
        assert facts(made)["x"] == "The local derivative is 1 here."
    assert facts(np.sin(leaf(0, 0)).sum())["x"] == "Every local derivative is 1 here."
    assert facts(-leaf(1, 2).copy().sum())["%2"] == "The gradient is handed on with the opposite sign."


# --- checks: kinks, bends, rounding, and wrong rules ------------------------------------------------------------------


@pytest.mark.parametrize(
    "loss",
    [
        lambda: 1 / leaf(1e-9),
        lambda: np.sin(1e5 * leaf(0.3)),
        lambda: np.sin(1e5 * leaf(0)),
        lambda: np.tanh(1e6 * leaf(1e-7)),
        lambda: np.logaddexp(1e8 * leaf(0), 0) / 1e8,
        lambda: F.relu(leaf(1e-9)),
        lambda: leaf(0) ** 3,
        lambda: ((leaf(1, 2) - np.array([1.0, 2.0])) ** 2).sum(),
        lambda: np.sqrt(leaf(1e-12)),
        lambda: np.sin(1e14 * leaf(1e-3)),
    ],
    ids=[
        "pole",
        "fast",
        "fast, no bend",
        "steep",
        "rounded corner",
        "beside a kink",
        "flat",
        "minimum",
        "root",
        "gyre",
    ],
)
def test_smooth_functions_are_followed_with_smaller_steps_and_found_right(loss):
    ok, text = checked(loss())
    assert ok, text


@pytest.mark.parametrize(
    ("loss", "low", "high"),
    [
        (lambda: np.abs(leaf(0)), "−1", "1"),
        (lambda: np.maximum(leaf(0), 0), "0", "1"),
        (lambda: F.relu(leaf(0)) * 3, "0", "3"),
        (lambda: np.clip(leaf(1), 0, 1), "0", "1"),
    ],
    ids=["abs", "maximum", "relu", "clip"],
)
def test_at_a_kink_nothing_is_decided_whatever_the_convention(loss, low, high):
    assert checked(loss()) == (None, f"— at a kink: the slope is {low} on one side, {high} on the other")


def test_a_tie_is_a_kink():
    ok, text = checked(np.max(leaf(1, 1)))
    assert ok is None
    assert text.startswith("— at a kink: along one random direction the slope is 0.6")


def test_what_rounding_hides_is_not_decided():
    assert checked((leaf(1) + 1e16) - 1e16) == (None, "— too small to be measured beside rounding")


def test_a_jump_is_no_kink():
    step = primitive(lambda x: x * (x >= 1))
    defvjp(step, lambda g, out, x: g)
    assert checked(step(leaf(1))) == (None, "— the function bends too much over the step")


def test_a_wrong_rule_of_a_scalar_is_told_from_the_right_number():
    assert checked(squared(lambda g, x: 3 * g * x)(leaf(3))) == (False, "✕ 6 is not 9")
    assert checked(squared(lambda g, x: -2 * g * x)(leaf(-3))) == (False, "✕ −6 is not 6")


def test_a_wrong_rule_of_an_array_names_the_element_furthest_off():
    wrong = squared(lambda g, x: 3 * g * x)
    assert checked(wrong(leaf(1, 3, 2)).sum()).text == "✕ 6 is not 9 at [1], 3 of 3 elements differ"
    one = squared(lambda g, x: 2 * g * x * np.where(np.arange(3) == 2, -1, 1))
    assert checked(one(leaf(1, 3, 2)).sum()).text == "✕ 4 is not −4 at [2]"


def test_a_wrong_rule_of_a_large_array_says_that_a_direction_was_measured():
    ok, text = checked(squared(lambda g, x: 3 * g * x)(leaf(np.linspace(1, 2, 100))).sum())
    assert ok is False
    assert text.startswith("✕ along one random direction ")


# --- NaN and Inf ------------------------------------------------------------------------------------------------------


def born(loss):
    """The steps at which `run_to("nan")` stops one after the other, and what is said there."""
    stepper, found = viz.step(loss), []
    stepper.goto(0)
    while any(s.alarm for s in stepper.walk.steps[stepper.position + 1 :]):
        step = stepper.run_to("nan")
        found.append((step.phase, step.node.op, step.sentence))
    return found


def test_the_where_trap_is_found_going_backward_though_the_value_was_infinite_already():
    with np.errstate(divide="ignore"):
        loss = np.where([True, False], np.log(leaf(1, 0)), 0).sum()
    stepper = viz.step(loss, break_at="nan")
    assert (stepper.position, stepper.current.phase) == (1, "forward")
    step = stepper.run_to("nan")
    assert step.number == len(stepper) - 1
    assert step.sentence == "NaN is born here, first at [1]: 0 / 0. Everything that went in is free of it."
    assert [box.alarm for box in viz.draw(loss).graph.boxes if box.alarm] == ["Inf born here, NaN born in its gradient"]


def test_infinity_is_born_twice_where_a_rule_does_not_read_the_infinite_value():
    with np.errstate(divide="ignore"):
        loss = np.log(leaf(1, 0)).sum()
    assert [(phase, op) for phase, op, _ in born(loss)] == [("forward", "log"), ("backward", "log")]
    assert [box.alarm for box in viz.draw(loss).graph.boxes if box.alarm] == ["Inf born here"]


def test_nan_that_a_rule_reads_is_inherited():
    with np.errstate(invalid="ignore"):
        loss = np.where([True, False], np.sqrt(leaf(1, -1)), 0).sum()
    assert [(phase, op) for phase, op, _ in born(loss)] == [("forward", "sqrt")]
    assert facts(loss)["x"] == "NaN came in from %1: it was not born here."


def test_nan_is_born_in_a_sum_of_infinite_gradients():
    x = leaf(0)
    (*_, last) = born(np.sqrt(x) - np.sqrt(x))
    assert last[2] == "Inf is born here: 1 / 0, a division by 0. Everything that went in is free of it."
    step = viz.step(np.sqrt(x) * 1.0 - np.sqrt(x) * 2.0)[-1]
    assert step.alarm


def test_two_kinds_that_are_born_or_inherited_take_the_plural():
    with np.errstate(all="ignore"):
        said = facts((np.log(leaf(0, -1)) + 1.0).sum(), "forward")
    why = "log(−1), the logarithm of a negative number; log(0), the logarithm of 0"
    assert said["%1"] == f"NaN and Inf are born here, first at [1]: {why}. Everything that went in is free of them."
    assert said["%2"] == "NaN and Inf came in from %1: they were not born here."


def test_nan_in_a_constant_is_where_it_came_in_from():
    said = facts((leaf(1, 2) * np.array([np.nan, 1.0])).sum(), "forward")
    assert said["%1"] == "NaN came in from a constant: it was not born here."


# --- no backward pass -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "why"),
    [
        (Tensor([1, 2, 3], name="x"), "only floating-point values have gradients"),
        (Tensor([1.0, 2.0], name="x", requires_grad=False), "nothing that it was made from requires one"),
    ],
    ids=["integers", "constants"],
)
def test_a_loss_without_a_gradient_says_why_there_is_no_backward_pass(x, why):
    stepper = viz.step(x.sum())
    for place in (0, -1):
        assert "There is no backward pass: no gradient flows from" in stepper[place].sentence
        assert why in stepper[place].sentence
    with pytest.raises(ValueError, match=f"there is no backward pass: .*{why}"):
        stepper.run_to("backward")


# --- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "forward"),
    [
        (lambda x: x.copy(), "The same 4 numbers."),
        (lambda x: np.roll(x, 1), "The same 4 numbers in another order."),
        (lambda x: np.flip(x), "The same 4 numbers in another order."),
        (lambda x: x.reshape(2, 2), "The same 4 numbers, arranged as (2, 2)."),
        (lambda x: x.reshape(2, 2).T, "The same 4 numbers in another order."),
        (lambda x: +x[0], "The same number."),
        (lambda x: x[:1].reshape(()), "The same number, arranged as a scalar."),
        (lambda x: x.astype(np.float32), "4 numbers, now of dtype float32."),
        (lambda x: np.broadcast_to(x, (3, 4)), "4 numbers, repeated to (3, 4)."),
        (lambda x: x * 0.0 - 1.0, "4 numbers, all −1."),
        (lambda x: x - 4.5, "4 numbers from −3.5 to −0.5, −2 on average."),
    ],
)
def test_what_moves_numbers_says_how(loss, forward):
    value = loss(leaf(1, 2, 3, 4))
    steps = [s for s in viz.step(value, grad=np.ones(value.shape)) if s.phase == "forward"]
    assert steps[-1].sentence == forward


def test_an_array_without_elements_has_nothing_to_send():
    assert facts((leaf(np.zeros(0)) * 2).sum())["x"] == "x has no elements, so there is nothing to send."


def test_a_convolution_counts_its_images():
    kernel = ones(3, 1, 3, 3, name="g")
    loss = F.conv2d(ones(2, 1, 5, 5), kernel).sum()
    where = "3×3 positions of each of 2 images"
    assert f"the kernel slides to {where}, so every weight is used 18 times." in facts(loss, "forward")["%3"]
    assert facts(loss)["g"] == f"Every weight was used at {where}: its gradient is the sum of 18 products."


def test_an_array_is_written_in_the_same_rows_as_result_and_as_operand():
    x = leaf(np.arange(6.0).reshape(2, 3, 1))
    assert short(x.data) == "[0 1 2; 3 4 5]"
    step = viz.step((x * 1.0 * 2.0).sum())[2]
    assert step.formula.plain("numbers") == "[0 1 2; 3 4 5] × 2"


def test_every_minus_sign_that_is_read_is_one():
    x, w = leaf(-1.5, 2.0), leaf(3.0, -1e-9, name="w")
    stepper = viz.step(((x * w) @ np.array([-2.0, 1.0])) * leaf(-1, name="k"))
    text = "\n".join(str(s).partition("  line ")[0] for s in stepper)
    assert "−" in text
    assert "-" not in text.replace("e-", "")
    k = leaf(-3)
    assert "-" not in str(viz.paths(k * k * -2.0, k))
    wrong = squared(lambda g, x: 3 * g * x)(leaf(-3))
    assert "-" not in checked(wrong).text


def test_a_single_contribution_is_counted_as_one():
    loss = F.conv2d(ones(1, 1, 3, 3), ones(1, 1, 3, 3, name="g")).sum()
    with pytest.raises(ValueError, match="has 1 contribution, 72 bytes"):
        viz.contributions(loss, "g", limit=1)


def test_a_softmax_of_nothing_has_no_largest_probability():
    loss = F.softmax(Tensor(np.zeros((0, 3)), name="x")).sum()
    assert facts(loss, "forward")["%1"] == "It has no elements."


def test_ordinals_end_as_they_are_spoken():
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 21, 22, 111)] == [
        *("1st", "2nd", "3rd", "4th", "11th", "12th", "21st", "22nd", "111th")
    ]


def test_a_primitive_that_is_called_sigmoid_is_none():
    @primitive
    def sigmoid(x):
        return 5 * x

    defvjp(sigmoid, lambda g, out, x: 5 * g)
    assert not any("sigmoid" in fact or "flat ends" in fact for fact in facts(sigmoid(leaf(1.0)), "forward").values())


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        (lambda a, b: -a, "L is a with the opposite sign."),
        (lambda a, b: a + b, "L is 3 less than a."),
        (lambda a, b: a - b, "L is 3 more than a."),
        (lambda a, b: a * b, "L is 3 times as large as a, with the opposite sign."),
        (lambda a, b: a * 1.0, "L is as large as a here."),
        (lambda a, b: a / -2.0, "L is 0.5 times as large as a, with the opposite sign."),
        (lambda a, b: a * 0.0, "2 becomes 0."),
        (lambda a, b: 1 - a, "2 becomes −1."),
        (lambda a, b: np.exp(a), "2 becomes 7.389."),
        (lambda a, b: np.hypot(a, b), "2 and −3 become 3.606."),
    ],
)
def test_one_number_made_of_others_is_told_as_the_operation_has_it(loss, said):
    assert facts(loss(leaf(2, name="a"), leaf(-3, name="b")), "forward")["L"] == said


def test_numbers_whose_sum_overflows_have_a_mean():
    said = facts((leaf(1e308, 1e308, -1e308) * 1.0).max(), "forward")["%1"]
    assert said == "3 numbers from −1e+308 to 1e+308, 3.333e+307 on average."


def test_it_says_which_factor_keeps_a_gradient_away():
    x = Tensor([1.0, -2.0, 3.0], name="x")
    z = np.multiply(x, [1.0, 1.0, -1.0])
    a = np.maximum(z, 0)
    steps = list(viz.step((a * np.array([2.0, 3.0, 4.0])).sum()))
    assert any("2 of 3 elements get no gradient: [z > 0] is 0 there." in step.sentence for step in steps)
