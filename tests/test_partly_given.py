"""Gradients of which only some numbers are given, and values on the way forward: the same in every tool."""

import numpy as np
import pytest

import viz
from autograd import Tensor
from autograd.testing import assert_grads_match, compare_grads

RNG = np.random.default_rng(3)


def network():
    """Two layers and the log loss, with its records and its right gradients by name."""
    X, y = RNG.normal(size=(5, 3)), (RNG.normal(size=(5, 1)) > 0) * 1.0
    W1, W2 = Tensor(RNG.normal(size=(3, 4)), name="W1"), Tensor(RNG.normal(size=(4, 1)), name="W2")
    z1 = X @ W1
    a1 = np.tanh(z1)
    z2 = a1 @ W2
    p = 1 / (1 + np.exp(-z2))
    J = -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()
    for name, value in (("z1", z1), ("a1", a1), ("z2", z2), ("p", p), ("J", J)):
        value.name = name
    dz2 = (p.data - y) / 5
    da1 = dz2 @ W2.data.T
    right = {"z2": dz2, "W2": a1.data.T @ dz2, "a1": da1, "z1": da1 * (1 - a1.data**2)}
    right["W1"] = X.T @ right["z1"]
    return J, right, {"X": X, "y": y, "W2": W2.data, "da1": da1, "z1": z1.data}


def some(array, places, blank=None, digits=None):
    """Nested lists with numbers at some places only."""
    rows = np.full(array.shape, blank, object)
    for place in places:
        rows[place] = float(array[place]) if digits is None else f"{array[place]:.{digits}f}"
    return rows.tolist()


PLACES = [(0, 0), (1, 2), (2, 3)]


# --- gradients --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("blank", [None, "", "…", "...", ...])
@pytest.mark.parametrize("digits", [None, 4])
def test_only_the_numbers_that_are_given_are_judged(blank, digits):
    J, right, _ = network()
    report = compare_grads(J, {"W1": some(right["W1"], PLACES, blank, digits)})
    assert report.ok and report["W1"].note.startswith("3 of 12 given")
    wrong = right["W1"].copy()
    wrong[1, 2] += 0.1
    report = compare_grads(J, {"W1": some(wrong, PLACES, blank, digits)})
    assert report["W1"].verdict == "WRONG" and report["W1"].where == (1, 2)
    assert report["W1"].wrong.sum() == 1 and "1 of the 3 given differ" in report["W1"].note
    elsewhere = right["W1"].copy()
    elsewhere[0, 1] += 0.1
    assert_grads_match(J, {"W1": some(elsewhere, PLACES, blank, digits)})


def test_nan_stands_for_what_is_not_given_beside_printed_numbers_and_is_wrong_among_computed_ones():
    J, right, _ = network()
    assert compare_grads(J, {"W1": some(right["W1"], PLACES, float("nan"), digits=5)}).ok
    computed = np.where(np.arange(12).reshape(3, 4) == 5, np.nan, right["W1"])
    for given in (computed, computed.tolist()):
        report = compare_grads(J, {"W1": given})
        assert report["W1"].verdict == "WRONG" and report["W1"].where == (1, 1)
        assert "np.ma.masked_invalid(dW)" in report.notes[0]
    report = compare_grads(J, {"W1": np.ma.masked_invalid(computed)})
    assert report.ok and "11 of 12 given" in report["W1"].note


def test_a_gradient_of_which_no_number_is_given_is_refused():
    J, _, _ = network()
    for tool in (compare_grads, viz.explain_mismatch):
        with pytest.raises(ValueError, match="the gradient of W2 has no number that is given"):
            tool(J, {"W2": [[None], [""], ["…"], ["..."]]})
    with pytest.raises(ValueError, match="the gradient of W2 has no number that is given"):
        viz.step(J, against={"W2": [[None], [""], ["…"], ["..."]]})


def test_a_slip_is_found_by_the_numbers_that_are_given():
    J, right, v = network()
    wrong = v["X"].T @ v["da1"]  # without tanh′
    for digits in (None, 5):
        given = {"W1": some(wrong, PLACES, digits=digits), "z2": right["z2"]}
        found = viz.explain_mismatch(J, given)
        assert found.first.slip == "activation derivative missing", str(found)
        assert found.verdicts == {"∂J/∂z2": "right", "∂J/∂W1": "wrong here"}
    assert viz.explain_mismatch(J, {"W1": some(right["W1"], PLACES, digits=5)}).ok


def test_what_follows_from_a_gradient_that_is_partly_given_is_inherited():
    J, right, v = network()
    dz1 = right["z1"].copy()
    dz1[0] *= -1
    given = {"z1": some(dz1, [(0, k) for k in range(4)]), "W1": v["X"].T @ dz1}
    verdicts = viz.explain_mismatch(J, given).verdicts
    assert verdicts == {"∂J/∂z1": "wrong here", "∂J/∂W1": "inherited"}


def test_the_step_view_takes_what_compare_grads_takes():
    J, right, _ = network()
    s = viz.step(J, against={"W1": some(right["W1"], PLACES, "…", digits=4), "z1": right["z1"]})
    assert s.breakpoints == []
    wrong = right["W1"].copy()
    wrong[1, 2] += 0.1
    s = viz.step(J, against={"W1": some(wrong, PLACES)})
    assert "1 of 12 elements differ, 3 of 12 given" in s.current.check.yours.text
    assert s.current.target.name == "W1"


@pytest.mark.parametrize("key", ["z1", "%2", "L"])
def test_a_record_has_the_same_names_in_every_tool(key):
    X, W = np.array([[1.0, 2.0]]), Tensor([[0.5, -1.0], [2.0, 0.25]], name="W")
    z = X @ W
    loss = (z * z).sum()
    z.name = "z1" if key != "%2" else None
    node = {"z1": z, "%2": loss.node.operands[0], "L": loss}[key]
    grad = {"z1": 2 * z.data, "%2": np.ones((1, 2)), "L": 1.0}[key]
    assert len(viz.step(loss, against={key: grad}).breakpoints) == 0
    assert compare_grads(loss, {key: grad}).ok and viz.explain_mismatch(loss, {key: grad}).ok
    assert compare_grads(loss, {node: grad}).ok
    for tool in (compare_grads, viz.explain_mismatch):
        with pytest.raises(ValueError, match="is given twice"):
            tool(loss, {node: grad, key: grad})
        with pytest.raises(KeyError, match="the records are %0 to %"):
            tool(loss, {"%99": grad})


def test_numbered_names_are_found_as_they_are_printed():
    x = Tensor(2.0, name="x")
    first, second = x * 3.0, x * 5.0
    first.name = second.name = "h"
    loss = first * second
    report = compare_grads(loss, {"h (1)": 10.0, "h (2)": 6.0})
    assert report.ok and len(report) == 2


def test_the_report_shows_what_was_not_given_as_an_ellipsis():
    J, right, _ = network()
    wrong = right["W1"].copy()
    wrong[0, 0] += 1
    text = compare_grads(J, {"W1": some(wrong, PLACES)})._repr_html_()
    assert text.count(">…<") == 9 and "yours, 3 of 12 given" in text and "NaN" not in text


# --- values -----------------------------------------------------------------------------------------------------------


def values_of(J, *names):
    tape = compare_grads(J, values={"J": J.data}).compared.tape
    return {name: np.array(tape.value(tape.find(name))) for name in names}


def test_right_values_pass_also_when_printed_or_partly_given():
    J, _, _ = network()
    values = values_of(J, "z1", "a1", "z2", "p", "J")
    assert compare_grads(J, values=values).ok
    printed = {name: some(np.atleast_1d(v), [(0,) * max(v.ndim, 1)], "…", 4) for name, v in values.items() if v.ndim}
    printed["J"] = f"{values['J']:.4f}"
    report = compare_grads(J, values=printed)
    assert report.ok and len(report.values) == 5 and not report.rows
    assert "values of J: 5 close" in str(report)
    assert viz.explain_mismatch(report).ok


def test_the_first_wrong_value_is_named_in_the_order_of_the_forward_pass():
    J, right, v = network()
    values = values_of(J, "z1", "a1", "z2", "p", "J")
    a1 = 1 / (1 + np.exp(-values["z1"]))  # σ instead of tanh
    z2 = a1 @ v["W2"]
    report = compare_grads(J, {"W2": right["W2"]}, values={"z2": z2, "J": values["J"], "a1": a1, "z1": values["z1"]})
    assert [row.name for row in report.values] == ["z1", "a1", "z2", "J"]
    assert [row.name for row in report.wrong] == ["a1", "z2"] and report["W2"].ok
    assert report.headline().startswith("WRONG: the value of a1[")
    assert "The first wrong value is a1 (test_partly_given.py:" in str(report)


def test_a_value_that_is_wrong_though_what_it_is_made_from_is_right_is_told_from_its_heirs():
    J, _, v = network()
    values = values_of(J, "z1", "a1", "z2", "p")
    a1 = 1 / (1 + np.exp(-values["z1"]))
    z2 = a1 @ v["W2"]
    found = viz.explain_mismatch(J, values={"z1": values["z1"], "a1": a1, "z2": z2, "p": 1 / (1 + np.exp(-z2))})
    assert found.verdicts == {"z1": "right", "a1": "wrong here", "z2": "inherited", "p": "inherited"}
    assert found.first.sentence.startswith("The value of a1 is wrong, although z1, which it is made from, is right")
    assert found.first.source.text.startswith("a1 = np.tanh(z1)")


def test_printed_values_that_follow_from_a_wrong_one_are_its_heirs_to_the_digits_printed():
    J, _, v = network()
    values = values_of(J, "z1", "a1", "z2", "p")
    a1 = np.round(1 / (1 + np.exp(-values["z1"])), 3)
    z2 = np.round(a1 @ v["W2"], 3)
    as_text = lambda array: [[f"{x:.3f}" for x in row] for row in array]
    found = viz.explain_mismatch(J, values={"z1": as_text(values["z1"]), "a1": as_text(a1), "z2": as_text(z2)})
    assert found.verdicts == {"z1": "right", "a1": "wrong here", "z2": "inherited"}


def test_gradients_that_follow_from_wrong_values_by_the_rules_are_not_blamed():
    J, _, v = network()
    values = values_of(J, "z1")
    a1 = 1 / (1 + np.exp(-values["z1"]))
    p = 1 / (1 + np.exp(-a1 @ v["W2"]))
    dz2 = (p - v["y"]) / 5
    found = viz.explain_mismatch(J, {"z2": dz2, "W2": a1.T @ dz2}, values={**values, "a1": a1})
    assert found.verdicts == {"z1": "right", "a1": "wrong here", "∂J/∂z2": "inherited", "∂J/∂W2": "inherited"}
    assert "wrong only by your a1: with these values the rules give your numbers" in str(found)


def test_a_value_given_for_another_is_told():
    J, _, _ = network()
    values = values_of(J, "z1", "a1")
    found = viz.explain_mismatch(J, values={"a1": values["z1"]})
    said = found.first.sentence
    assert "of what it is made from nothing was given (give the value of z1, too, to narrow it down)" in said
    assert said.endswith(": your numbers are the value of z1.")


def test_values_of_inputs_and_of_whole_numbers_can_be_given_and_rounding_on_the_way_is_no_mistake():
    x = Tensor([1e8 + 1, 1e8 + 2, 1e8 + 6], name="x")
    centered = x - x.mean()
    centered.name = "c"
    loss = (centered**2).sum()
    report = compare_grads(loss, {x: 2 * centered.data}, values={x: x.data, "c": [-2.0, -1.0 + 1e-9, 3.0], loss: 14})
    assert report.ok, str(report)
    assert not compare_grads(loss, values={"c": [-2.0, 1.0, 3.0]}).ok
    with pytest.raises(ValueError, match="the value of x is given twice"):
        compare_grads(loss, values={x: x.data, "x": x.data})
    with pytest.raises(ValueError, match="no gradients were given"):
        compare_grads(loss)


def test_a_report_is_explained_as_it_is():
    J, right, v = network()
    report = compare_grads(J, {"W1": v["X"].T @ v["da1"], "W2": right["W2"]})
    assert str(report).endswith("why: viz.explain_mismatch(report)")
    assert viz.explain_mismatch(report).first.slip == "activation derivative missing"
    with pytest.raises(ValueError, match="a report brings its own gradients"):
        viz.explain_mismatch(report, {"W1": right["W1"]})


def test_the_step_view_opens_at_the_first_wrong_value():
    J, right, _ = network()
    values = values_of(J, "z1", "a1", "p")
    wrong = 1 / (1 + np.exp(-values["z1"]))
    s = viz.step(J, values={"z1": values["z1"], "a1": wrong, "p": some(values["p"], [(0, 0)], "…", 4)})
    assert s.current.title == "FORWARD  a1" and len(s.breakpoints) == 1
    assert "✕ the engine has" in s.current.check.yours.text and "20 of 20 elements differ" in str(s)
    assert viz.step(J, against={"W2": right["W2"]}, values=values).breakpoints == []
    with pytest.raises(ValueError, match="values: W1 is an input, which no step computes"):
        viz.step(J, values={"W1": np.ones((3, 4))})
