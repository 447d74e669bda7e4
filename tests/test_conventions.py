"""Conventions in which right derivations differ, recognised by the numbers of a set of gradients and nothing less."""

import numpy as np
import pytest
from coursenets import SLIPS, course_net, hand

import viz
from autograd import Tape, Tensor
from autograd.testing import assert_grads_match, check_layer, compare_grads
from nn import functional as F
from viz import explain_mismatch

NG = "right in A. Ng's convention: dZ without 1/m, dW and db with it"
SUM = "right for the sum of the loss over the batch; the loss recorded here is the mean"


def of_kind(report, verdict):
    return {row.name for row in report.rows if row.verdict == verdict}


# --- A. Ng's: right ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cost", range(6))
@pytest.mark.parametrize(("sizes", "lambd"), [((3, 4, 1), 0.0), ((2, 4, 3, 1), 0.7), ((3, 4, 2), 0.7)])
def test_all_gradients_in_the_convention_are_right_however_the_cost_is_written(cost, sizes, lambd):
    net = course_net(sizes, cost=cost, lambd=lambd)
    report = compare_grads(net.J, hand(net))
    assert report.ok and of_kind(report, "convention") == {n for n in net.g if n[0] in "AZ"}
    assert all(f"{NG} (m = 5)" in row.note for row in report.rows if row.name[0] in "AZ")
    assert not any("Ng" in row.note for row in report.rows if row.name[0] in "Wb")
    assert_grads_match(net.J, hand(net))
    mismatch = explain_mismatch(net.J, hand(net))
    assert mismatch.ok and set(mismatch.verdicts.values()) == {"right"} and NG in str(mismatch)
    assert "match the engine's, in A. Ng's convention, to the digits given" in mismatch.summary
    stepper = viz.step(net.J, against=hand(net))
    assert not stepper.breakpoints
    said = {s.target.name: s.check.yours.text for s in stepper.walk if s.is_complete and s.target.name in net.g}
    assert {n for n, text in said.items() if NG in text} == {n for n in net.g if n[0] in "AZ"}


def test_the_row_shows_both_numbers_and_differences_from_the_loss():
    net = course_net()
    row = compare_grads(net.J, hand(net), numeric=True)["Z2"]
    assert np.allclose(row.yours, 5 * row.engine) and row.largest > 0 and row.where is not None
    assert not row.wrong.any() and row.numeric.yours and row.numeric.engine
    assert "4 right in another convention" in str(compare_grads(net.J, hand(net)))
    assert "convention" in compare_grads(net.J, hand(net))._repr_html_()


@pytest.mark.parametrize("names", [("Z2", "W2"), ("Z2", "b2"), ("A1", "b1"), ("Z2", "W1"), ("A2", "Z2", "A1", "W1")])
def test_a_dZ_and_a_dW_made_of_it_are_enough(names):
    net = course_net(lambd=0.3)
    assert compare_grads(net.J, hand(net, names)).ok
    assert explain_mismatch(net.J, hand(net, names)).ok


def test_both_forms_mixed_are_both_right():
    net = course_net((3, 4, 2, 1))
    plain = {n: net.engine[n] for n in ("Z3", "A2", "A1")}
    for given in (hand(net, **plain), hand(net, **{n: net.engine[n] for n in net.g if n != "Z2"})):
        report = compare_grads(net.J, given)
        assert report.ok and of_kind(report, "convention")
        assert explain_mismatch(net.J, given).ok


def test_the_gradient_of_data_is_in_the_convention_too():
    rng = np.random.default_rng(0)
    X, W, y = (
        Tensor(rng.normal(size=(3, 5)), name="X"),
        Tensor(rng.normal(size=(2, 3)), name="W"),
        rng.normal(size=(2, 5)),
    )
    e = W @ X - y
    dZ = e.data
    loss = (e**2).sum() / (2 * 5)
    report = compare_grads(loss, {X: W.data.T @ dZ, W: dZ @ X.data.T / 5})
    assert report.ok and of_kind(report, "convention") == {"X"}
    assert not compare_grads(loss, {X: W.data.T @ dZ, W: dZ @ X.data.T}).ok


@pytest.mark.parametrize("digits", [3, 4])
def test_printed_numbers_are_in_the_convention_to_their_digits(digits):
    net = course_net()
    printed = {t: np.vectorize(lambda g: f"{g:.{digits}f}", otypes=[object])(g) for t, g in hand(net).items()}
    assert compare_grads(net.J, printed).ok and explain_mismatch(net.J, printed).ok


def test_single_precision_and_a_batch_in_rows():
    net = course_net(dtype=np.float32)
    assert compare_grads(net.J, hand(net)).ok and explain_mismatch(net.J, hand(net)).ok
    rng = np.random.default_rng(1)
    x, y, W = rng.normal(size=(6, 3)), rng.normal(size=(6, 2)), Tensor(rng.normal(size=(3, 2)), name="W")
    z = x @ W
    z.name = "z"
    dz = 2 * (z.data - y)
    assert compare_grads(((z - y) ** 2).sum() / 6, {z: dz, W: x.T @ dz / 6}).ok
    assert compare_grads(((z - y) ** 2).mean(), {z: dz / 2, W: x.T @ dz / 12}).ok
    assert compare_grads(((z - y) ** 2).mean(), {z: dz, W: x.T @ dz / 12}).ok


# --- A. Ng's: nothing is claimed --------------------------------------------------------------------------------------


def test_plain_gradients_are_right_without_a_word_of_conventions():
    net = course_net(lambd=0.3)
    for given in (hand(net, **net.engine), hand(net, ("W1", "W2", "b1", "b2"))):
        report = compare_grads(net.J, given)
        assert report.ok and "convention" not in str(report)
        assert "convention" not in str(explain_mismatch(net.J, given))


@pytest.mark.parametrize("names", [("Z2",), ("Z1",), ("A1", "Z1"), ("Z2", "A1", "Z1")])
def test_a_dZ_alone_is_no_evidence_and_stays_wrong(names):
    net = course_net()
    report = compare_grads(net.J, hand(net, names))
    assert of_kind(report, "WRONG") == set(names)
    assert "A. Ng's dZ is so, too: to tell, give a dW or db made of it" in report.rows[0].note
    assert not explain_mismatch(net.J, hand(net, names)).ok


def test_a_factor_forgotten_in_all_gradients_is_the_sum_and_stays_wrong():
    net = course_net()
    for names in (("W2",), ("Z2", "W2", "b2"), tuple(net.g)):
        given = {net.t[n]: 5 * net.engine[n] for n in names}
        report = compare_grads(net.J, given)
        assert of_kind(report, "WRONG") == set(names) and all(SUM in row.note for row in report.rows)
        with pytest.raises(AssertionError, match="right for the sum of the loss over the batch"):
            assert_grads_match(net.J, given)
        mismatch = explain_mismatch(net.J, given)
        assert not mismatch.ok and SUM in str(mismatch) and "Ng" not in str(mismatch)
        assert mismatch.first.slip == "factor"


def test_the_factor_taken_twice_is_not_the_convention():
    net = course_net()
    twice = {n: net.engine[n] / 5 for n in ("W1", "b1", "W2", "b2")}
    for given in (
        twice,
        {**twice, "Z2": net.engine["Z2"], "Z1": net.engine["Z1"]},
        {"W2": twice["W2"], "Z2": net.engine["Z2"]},
    ):
        report = compare_grads(net.J, {net.t[n]: g for n, g in given.items()})
        assert of_kind(report, "WRONG") == set(given) & set(twice) and "Ng" not in str(report)
        assert "Ng" not in str(explain_mismatch(net.J, {net.t[n]: g for n, g in given.items()}))


def test_a_factor_that_is_no_length_of_the_recorded_mean_is_not_the_convention():
    net = course_net()
    for k in (3.0, 4.0, 2.0, 10.0):
        given = hand(net, Z2=k * net.engine["Z2"], A2=net.engine["A2"], A1=net.engine["A1"], Z1=net.engine["Z1"])
        assert compare_grads(net.J, given)["Z2"].verdict == "WRONG"
    loss = (net.t["Z2"] ** 2).sum()
    g = Tape(loss).gradients()
    assert not compare_grads(loss, {"Z2": 5 * g[net.t["Z2"].node], "W2": g[net.t["W2"].node]}).ok


# --- A. Ng's, and a slip beside ---------------------------------------------------------------------------------------

_CASES = [(slip, layer) for slip in SLIPS for layer in (1, 2, 3)
          if not (layer == 3 and ("activation" in slip or "transposed" in slip))
          and not (layer == 1 and SLIPS[slip] == "A")]  # fmt: skip


@pytest.mark.parametrize(("slip", "layer"), _CASES)
def test_a_slip_beside_the_convention_is_found_in_its_place_once(slip, layer):
    net = course_net((4, 3, 3, 1), m=7, slip=slip, layer=layer, seed=2)
    right = course_net((4, 3, 3, 1), m=7, seed=2)
    where = f"A{layer - 1}" if SLIPS[slip] == "A" else f"{SLIPS[slip]}{layer}"
    off = {n for n in net.g if not np.allclose(net.g[n], right.g[n], rtol=1e-9)}
    report = compare_grads(net.J, hand(net))
    assert of_kind(report, "WRONG") == off
    assert of_kind(report, "convention") == {n for n in net.g if n[0] in "AZ"} - off
    mismatch = explain_mismatch(net.J, hand(net))
    assert {name.removeprefix("∂J/∂") for name, v in mismatch.verdicts.items() if v == "wrong here"} == {where}
    assert mismatch.first.gradients == (f"∂J/∂{where}",) and mismatch.first.slip is not None
    assert mismatch.convention and "A. Ng's convention" in str(mismatch)
    said = mismatch.first.sentence
    if "1/m" in slip:
        assert "1/7 of dW and db in A. Ng's convention" in said and ("missing" in said or "twice" in said)
    else:
        assert "1/7" not in said and "7 times" not in said


def test_all_db_without_the_factor_are_one_slip():
    net = course_net((3, 4, 2, 1))
    given = hand(net, **{f"b{k}": 5 * net.g[f"b{k}"] for k in (1, 2, 3)})
    mismatch = explain_mismatch(net.J, given)
    assert (
        len(mismatch) == 1 and "the factor 1/5 of dW and db in A. Ng's convention is missing" in mismatch.first.sentence
    )
    assert of_kind(compare_grads(net.J, given), "WRONG") == {"b1", "b2", "b3"}


def test_a_wrong_dZ_is_compared_in_the_convention_of_the_others():
    net = course_net(slip="dA halved", layer=2)
    report = compare_grads(net.J, hand(net))
    assert "in A. Ng's convention, as the others are, 5 times the engine's would be right" in report["Z1"].note
    finding = explain_mismatch(net.J, hand(net)).first
    assert finding.engine == pytest.approx(5 * net.engine["A1"][finding.where])


def test_random_networks_in_the_convention_are_never_called_wrong_and_slips_are_found_in_their_place():
    rng = np.random.default_rng(7)
    for trial in range(40):
        depth = int(rng.integers(1, 4))
        sizes = (*(int(n) for n in rng.integers(2, 5, size=depth)), int(rng.integers(1, 3)))
        how = {"m": int(rng.integers(2, 9)), "seed": trial, "cost": int(rng.integers(6)),
               "lambd": float(rng.choice([0.0, 0.4]))}  # fmt: skip
        net = course_net(sizes, **how)
        some = {n for n in net.g if rng.random() < 0.7}
        examples = [n for n in some if n[0] in "AZ"]
        made = {n for n in some if n[0] in "Wb" and any(int(e[1]) >= int(n[1]) for e in examples)}
        report = compare_grads(net.J, hand(net, some)) if some else None
        if report is not None and (made or not examples):
            assert report.ok, report
            assert of_kind(report, "convention") == set(examples)
            assert explain_mismatch(net.J, hand(net, some)).ok
        if trial > 12:  # to look for slips takes longer
            continue
        slip, layer = str(rng.choice(list(SLIPS))), int(rng.integers(1, depth + 1))
        if (
            ("activation" in slip and layer == depth)
            or (SLIPS[slip] == "A" and layer == 1)
            or slip == "W not transposed"
        ):
            continue
        wrong = course_net(sizes, **how, slip=slip, layer=layer)
        where = f"A{layer - 1}" if SLIPS[slip] == "A" else f"{SLIPS[slip]}{layer}"
        mismatch = explain_mismatch(wrong.J, hand(wrong))
        here = {name.removeprefix("∂J/∂") for name, verdict in mismatch.verdicts.items() if verdict == "wrong here"}
        assert here == {where}, (trial, slip, layer, str(mismatch))
        off = {n for n in net.g if not np.allclose(wrong.g[n], net.g[n], rtol=1e-9)}
        assert of_kind(compare_grads(wrong.J, hand(wrong)), "WRONG") == off, (trial, slip, layer)


# --- layers -----------------------------------------------------------------------------------------------------------


def linear_forward(A, W, b):
    return W @ A + b, (A, W, b)


def linear_backward(dZ, cache, dA=1.0, dW=1.0, db=1.0):
    A_prev, W, _ = cache
    m = A_prev.shape[1]
    return dA * W.T @ dZ, dW * dZ @ A_prev.T / m, db * np.sum(dZ, axis=1, keepdims=True) / m


def relu_forward(A, W, b):
    Z = W @ A + b
    return np.maximum(0, Z), (A, W, b, Z)


def relu_backward(dA, cache):
    A, W, b, Z = cache
    return linear_backward(dA * (Z > 0), (A, W, b))


def layer_inputs(m=6):
    rng = np.random.default_rng(3)
    return rng.normal(size=(3, m)), rng.normal(size=(2, 3)), rng.normal(size=(2, 1))


@pytest.mark.parametrize(("forward", "backward"), [(linear_forward, linear_backward), (relu_forward, relu_backward)])
@pytest.mark.parametrize("numeric", [False, True])
def test_a_layer_whose_parameters_take_the_factor_is_right_where_dZ_comes_without(forward, backward, numeric):
    report = check_layer(forward, backward, *layer_inputs(), numeric=numeric)
    assert report.ok and of_kind(report, "convention") == {"W", "b"}
    assert (
        "right if the upstream gradient comes without the 1/6 of the loss, as in A. Ng's convention" in report["W"].note
    )
    assert "wrong otherwise" in report["W"].note


@pytest.mark.parametrize(("slip", "wrong"), [
    ({"dA": -1}, {"A"}), ({"dW": 2}, {"W"}), ({"db": -1}, {"b"}), ({"dA": 0.5, "db": -1}, {"A", "b"}),
    ({"dA": 1 / 2, "dW": 6, "db": 6}, {"A"}), ({"dW": 6}, {"b"}), ({"db": 6}, {"W"}),
])  # fmt: skip
def test_a_slip_in_such_a_layer_is_the_only_one(slip, wrong):
    def backward(dZ, cache):
        return linear_backward(dZ, cache, **slip)

    report = check_layer(linear_forward, backward, *layer_inputs())
    if slip == {"dA": 0.5, "db": -1}:  # one dW alone is no evidence
        wrong = {"A", "W", "b"}
    assert of_kind(report, "WRONG") == wrong
    if slip in ({"dW": 6}, {"db": 6}):  # one of the two is wrong
        assert f"and then {({'W', 'b'} - wrong).pop()} wrong" in report[wrong.pop()].note


def test_the_gradient_of_the_input_divided_by_the_number_of_outputs_is_wrong():
    def backward(dZ, cache):
        dA, dW, db = linear_backward(dZ, cache, dW=6, db=6)
        return dA / 2, dW, db

    assert of_kind(check_layer(linear_forward, backward, *layer_inputs()), "WRONG") == {"A"}


def test_a_layer_with_its_loss_is_in_the_convention_of_the_loss():
    def forward(A, W, b, Y):
        P = 1 / (1 + np.exp(-(W @ A + b)))
        return -np.sum(Y * np.log(P) + (1 - Y) * np.log(1 - P)) / A.shape[1], (A, W, b, P - Y)

    def backward(dout, cache):
        A, W, b, dZ = cache
        return (*linear_backward(dout * dZ, (A, W, b)), None)

    Y = (np.random.default_rng(0).random((2, 6)) > 0.5) * 1.0
    report = check_layer(forward, backward, *layer_inputs(), Y)
    assert report.ok and of_kind(report, "convention") == {"A"} and NG in report["A"].note


# --- what stays wrong, and is named -----------------------------------------------------------------------------------


def named(loss, given):
    """What is said of gradients that are all wrong, by both tools."""
    report, mismatch = compare_grads(loss, given), explain_mismatch(loss, given)
    assert not report.ok and not mismatch.ok
    with pytest.raises(AssertionError):
        assert_grads_match(loss, given)
    found = {row.note.partition("right for ")[2] for row in report.rows if row.verdict == "WRONG"}
    assert len(found) == 1
    said = found.pop()
    assert said and said in str(mismatch)
    return said


def regression(loss):
    rng = np.random.default_rng(0)
    x, y, w = rng.normal(size=(5, 3)), rng.normal(size=5), Tensor(rng.normal(size=3), name="w")
    L = loss(x @ w - y, w)
    return L, w, np.array(Tape(L).gradients()[w.node])


@pytest.mark.parametrize(("loss", "times", "says"), [
    (lambda e, w: (e**2).mean(), 5, "the sum of the loss over the batch; the loss recorded here is the mean over 5"),
    (lambda e, w: (e**2).mean(), 2.5, "the sum of half the squared error"),
    (lambda e, w: (e**2).mean(), 0.5, "half the squared error, ½ (ŷ − y)²"),
    (lambda e, w: 0.5 * np.sum(e * e), 2, "the squared error without the ½"),
    (lambda e, w: 1 / (2 * 5) * np.sum(e**2), 2, "the squared error without the ½"),
    (lambda e, w: (e**2).sum(), 0.2, "the mean over 5; the loss recorded here is the sum"),
    (lambda e, w: (e**2).sum(), -1, "an update that adds it: w += lr · yours"),
    (lambda e, w: (e**2).mean(), -1, "an update that adds it: w += lr · yours"),
])  # fmt: skip
def test_another_loss_is_named_and_its_gradients_stay_wrong(loss, times, says):
    L, w, g = regression(loss)
    assert named(L, {w: times * g}).startswith(says)


@pytest.mark.parametrize("softmax", [lambda z: np.exp(z) / np.exp(z).sum(), F.softmax], ids=["written out", "softmax"])
def test_classes_are_no_batch(softmax):
    z, y = Tensor([1.1, 2.2, 0.3, -1.7], name="z"), np.array([0, 0, 1, 0])
    p = softmax(z)
    said = named(-np.sum(y * np.log(p)) / 4, {z: p.data - y})
    assert said == "the sum of the loss over the axis of length 4; the loss recorded here is the mean over 4"


def test_the_temperature_of_a_softmax_is_no_mean_over_as_many_classes():
    rng = np.random.default_rng(0)
    x, q, w = rng.normal(size=(6, 4)), rng.dirichlet(np.ones(3), size=6), Tensor(rng.normal(size=(4, 3)), name="w")
    L = -(q * F.log_softmax(x @ w / 3, dim=1)).sum(axis=1).mean()
    g = np.array(Tape(L).gradients()[w.node])
    assert "mean over 3" not in str(compare_grads(L, {w: 3 * g})) + str(explain_mismatch(L, {w: 3 * g}))


@pytest.mark.parametrize(("penalty", "times", "says"), [
    (lambda w: 0.3 / 2 * (w**2).sum(), 2, "twice the L2 penalty recorded here"),
    (lambda w: 0.3 * np.sum(w * w), 0.5, "half the L2 penalty recorded here"),
    (lambda w: 0.3 * np.sum(np.square(w)), 0.2, "an L2 penalty that is divided by m = 5"),
    (lambda w: 0.3 / (2 * 5) * (w**2).sum(), 5, "an L2 penalty that is not divided by m = 5"),
])  # fmt: skip
def test_a_penalty_in_another_convention_is_named(penalty, times, says):
    L, w, g = regression(lambda e, w: (e**2).mean() + penalty(w))
    term = np.array(Tape(penalty(w)).gradients()[w.node])
    assert named(L, {w: g + (times - 1) * term}).startswith(says)


def test_the_gradient_by_a_symmetric_matrix_is_named():
    rng = np.random.default_rng(2)
    A = rng.normal(size=(3, 3))
    S = Tensor(A @ A.T + np.eye(3), name="S")
    inverse = np.linalg.inv(S.data)
    logdet = np.log(np.linalg.det(S))
    says = named(logdet, {S: 2 * inverse - np.diag(np.diag(inverse))})
    assert says.startswith("a symmetric S, where each pair of elements is one variable")
    for side, part in (("lower", np.tril), ("upper", np.triu)):
        says = named(logdet, {S: part(2 * inverse - np.diag(np.diag(inverse)))})
        assert says.startswith(f"a symmetric S that its {side} triangle stands for")
    u, v = rng.normal(size=3), rng.normal(size=3)
    says = named(u @ S @ v, {S: (np.outer(u, v) + np.outer(v, u)) / 2})
    assert says.startswith("a symmetric S that stays symmetric")
    lopsided = Tensor(A, name="A")
    inverse = np.linalg.inv(A).T
    given = {lopsided: inverse + inverse.T - np.diag(np.diag(inverse))}
    assert "symmetric" not in str(compare_grads(np.log(np.abs(np.linalg.det(lopsided))), given))


def test_forces_are_named_beside_a_right_gradient_of_something_else():
    r, k = Tensor([[0.0, 0.0], [1.0, 0.5], [0.3, 2.0]], name="r"), Tensor(2.0, name="k")
    E = k / 2 * sum(((r[i] - r[j]) ** 2).sum() for i, j in ((0, 1), (1, 2)))
    g = Tape(E).gradients()
    report = compare_grads(E, {r: -g[r.node], k: g[k.node]})
    assert not report.ok and report["k"].ok and "as a force is: F = −∂E/∂r" in report["r"].note


@pytest.mark.parametrize(("name", "is_energy"), [
    ("E", True), ("U_total", True), ("PE", True), ("V₀", True), ("potential_energy", True), ("loss", False),
    ("Expected", False), ("L", False),
])  # fmt: skip
def test_a_force_is_named_only_where_the_loss_is_called_as_an_energy_is(name, is_energy):
    r = Tensor([0.3, 1.0, -2.0], name="r")
    energy = (np.cosh(r) * 0.5).sum()
    energy.name = name
    given = {r: -0.5 * np.sinh(r.data)}
    for said in (str(compare_grads(energy, given)), str(explain_mismatch(energy, given))):
        assert ("as a force is" in said) == is_energy and "update" not in said


def test_what_is_negated_is_right_for_an_update_that_adds_also_where_a_delta_was_given():
    rng = np.random.default_rng(0)
    x, y, w = rng.normal(size=(5, 3)), rng.normal(size=(5, 1)), Tensor(rng.normal(size=(3, 1)), name="w")
    z = x @ w
    loss = 0.5 * ((y - np.tanh(z)) ** 2).sum()
    delta = (y - np.tanh(z.data)) * (1 - np.tanh(z.data) ** 2)
    report = explain_mismatch(loss, {z: delta, w: x.T @ delta})
    assert "∂L/∂z and ∂L/∂w would be right for an update that adds it: w += lr · yours." in report.notes


def test_nothing_is_named_where_one_gradient_is_otherwise_wrong():
    net = course_net()
    given = {net.t[n]: 5 * net.engine[n] for n in ("W2", "b2", "W1")}
    given[net.t["W1"]] = given[net.t["W1"]] + 0.1
    assert "right for" not in str(compare_grads(net.J, given))


def test_a_gradient_in_numerator_layout_has_another_shape():
    W = Tensor(np.arange(6.0).reshape(2, 3), name="W")
    report = compare_grads((W**2).sum(), {W: 2 * W.data.T})
    assert report["W"].verdict == "shape" and "its transpose would be right" in report["W"].note


def test_a_parameter_that_is_one_number_for_each_that_is_averaged_is_no_data():
    for shape in ((3,), (3, 4)):
        w, c = Tensor(np.arange(1.0, 1.0 + np.prod(shape)).reshape(shape), name="w"), Tensor(2.0, name="c")
        loss = ((c * w) ** 2).mean()
        g = Tape(loss).gradients()
        for k in {*shape, int(np.prod(shape))}:
            report = compare_grads(loss, {w: k * g[w.node], c: g[c.node]})
            assert of_kind(report, "WRONG") == {"w"}


def test_a_slip_in_a_layer_is_explained_beside_the_convention():
    def backward(dZ, cache):
        return linear_backward(dZ, cache, db=-1)

    mismatch = explain_mismatch(check_layer(linear_forward, backward, *layer_inputs()))
    assert len(mismatch) == 1 and mismatch.first.slip == "sign" and mismatch.first.gradients[0].endswith("b")
    assert "right if the upstream gradient comes without the 1/6 of the loss" in str(mismatch)


def test_gradients_of_which_some_numbers_are_left_out_are_in_the_convention():
    net = course_net()
    dZ2 = [[*net.g["Z2"][0, :2], None, None, "…"]]
    assert of_kind(compare_grads(net.J, hand(net, Z2=dZ2)), "convention") == {"A2", "Z2", "A1", "Z1"}
    assert explain_mismatch(net.J, hand(net, Z2=dZ2)).ok
    assert of_kind(compare_grads(net.J, hand(net, b1=[[None], ["1.5"], [None], [None]])), "WRONG") == {"b1"}


def test_means_are_looked_for_without_going_along_every_path():
    x = Tensor(1e-9, name="x")
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    assert compare_grads(y, {x: x.grad}).ok and explain_mismatch(y, {x: x.grad}).ok
