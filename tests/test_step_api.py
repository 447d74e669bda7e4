"""How the step view is asked from Python: names, positions, hand-derived gradients, expanded elements, refusals."""

import re
from pathlib import Path

import numpy as np
import pytest

import nn
import viz
from autograd import Tape, Tensor
from nn import functional as F


def product():
    a, b = Tensor(2.0, name="a"), Tensor(-3.0, name="b")
    return a * b + 1.0, (a, b)


def dense():
    layer = nn.Linear(3, 4, rng=0, dtype=np.float64)
    z = layer(Tensor(np.arange(6.0).reshape(2, 3), name="x", requires_grad=False))
    return (z**2).sum(), z, layer


def whole():
    n = Tensor([1, 2, 3], name="n")
    return (n * 2).sum(), n


def constant():
    u = Tensor([1.0, 2.0], requires_grad=False, name="u")
    return (u * 2.0).sum(), u


# --- names ------------------------------------------------------------------------------------------------------------


def test_every_name_that_is_printed_is_taken_wherever_a_name_is():
    loss, _ = product()
    s = viz.step(loss)
    assert s.run_to("%2").title == "FORWARD  %2"
    assert s.run_to("L").title == "FORWARD  L"
    assert viz.step(loss, break_at="%2").position == 1
    assert [n.op for n in viz.step(loss, watch=["%2", "L", "a", "%1"]).watched] == ["multiply", "add", "leaf", "leaf"]
    assert viz.step(loss, against={"%2": 1.0, "%0": -3.0, "L": 1.0}).breakpoints == []
    assert repr(s.expand("%2", ())) == "<Picture: Computation graph of %2: 3 nodes, 2 edges>"
    assert repr(s.expand("L", ())) == "<Picture: Computation graph of L: 4 nodes, 3 edges>"


def test_records_and_tensors_are_taken_wherever_a_name_is():
    loss, (a, _) = product()
    s = viz.step(loss, granularity="op")
    assert s.run_to(loss.node) is s.goto(0).walk[2]
    assert viz.step(loss, watch=a.node).watched == viz.step(loss, watch=a).watched == (a.node,)
    assert viz.step(loss, against={a.node: -3.0}).breakpoints == []
    assert s.expand(loss.node, ()).text() == s.expand(loss, ()).text() == s.expand("L", ()).text()


def test_a_place_on_the_tape_is_that_of_a_named_record_too():
    loss, z, _ = dense()
    k = Tape(loss).index(z)
    assert viz.step(loss).run_to(f"%{k}").title == "FORWARD  z⁽¹⁾"
    assert viz.step(loss, watch=f"%{k}").watched == (z.node,)


def test_a_name_of_ones_own_goes_before_what_is_printed_for_another():
    a = Tensor(2.0, name="%1")
    loss = a * 3.0 * 4.0
    assert viz.step(loss, watch="%1").watched == (a.node,)


@pytest.mark.parametrize(
    ("caller", "ask"),
    [
        ("watch", lambda loss, name: viz.step(loss, watch=name)),
        ("against", lambda loss, name: viz.step(loss, against={name: 1.0})),
        ("expand", lambda loss, name: viz.step(loss).expand(name, ())),
        ("paths", lambda loss, name: viz.paths(loss, name)),
        ("contributions", lambda loss, name: viz.contributions(loss, name)),
    ],
)
def test_an_unknown_name_is_told_by_the_argument_it_was_given_to(caller, ask):
    loss, _ = product()
    with pytest.raises(KeyError, match=f"{caller}: no record is named 'aa'; nearest: a"):
        ask(loss, "aa")
    with pytest.raises(KeyError, match=f"{caller}: no record is named '%9'; the records are %0 to %3"):
        ask(loss, "%9")


# --- one element ------------------------------------------------------------------------------------------------------


def test_expanding_a_named_value_goes_back_to_named_values():
    loss, z, layer = dense()
    graph = viz.step(loss).expand("z⁽¹⁾", (1, 2)).graph
    titles = [box.title for box in graph.boxes]
    inputs = {title for title in titles if re.fullmatch(r"(x|W⁽¹⁾|b⁽¹⁾)\[[\d,]+\]", title)}
    assert inputs == {*(f"x[1,{k}]" for k in range(3)), *(f"W⁽¹⁾[2,{k}]" for k in range(3)), "b⁽¹⁾[2]"}
    assert sum(box.op == "multiply" for box in graph.boxes) == 3
    last = next(box for box in graph.boxes if box.kind == "loss")
    assert float(last.value.array) == pytest.approx(z.data[1, 2], rel=1e-12)
    assert layer.weight.grad is None


def test_expanding_by_place_shows_the_one_operation():
    loss, z, _ = dense()
    s = viz.step(loss)
    k = s.walk.tape.index(z)
    assert len(s.expand(f"%{k}", (1, 2)).graph.boxes) == 3
    assert sum(box.op == "multiply" for box in s.expand(f"%{k - 1}", (1, 2)).graph.boxes) == 3


def test_expanding_the_loss_goes_back_to_named_values():
    loss, _, _ = dense()
    titles = [box.title for box in viz.step(loss).expand("L", ()).graph.boxes]
    assert sum(title.startswith("z⁽¹⁾[") for title in titles) == 8
    assert not any(title.startswith("W") for title in titles)


def test_an_expansion_stops_at_the_nearest_name_of_each_way():
    x, w = Tensor([1.0, 2.0], name="x"), Tensor([3.0, 4.0], name="w")
    h = np.tanh(x * w)
    h.name = "h"
    y = np.exp(h * w) + x
    y.name = "y"
    s = viz.step(y.sum())
    leaves = [box.title for box in s.expand("y", 1).graph.boxes if box.kind != "loss" and not box.title.startswith("%")]
    assert sorted(leaves) == ["h[1]", "w[1]", "x[1]"]


def test_an_expansion_that_would_take_minutes_is_refused_with_what_is_smaller():
    layer = nn.Linear(400, 2, rng=0, dtype=np.float64)
    z = layer(Tensor(np.ones((1, 400)), name="x"))
    s = viz.step(z.sum())
    k = s.walk.tape.index(z)
    with pytest.raises(ValueError) as error:
        s.expand("z⁽¹⁾", (0, 1))
    assert str(error.value) == (
        "expand: the scalar graph of z⁽¹⁾[0,1] has 1,203 nodes, more than 1000: ask for one operation of it, "
        f"expand('%{k}', (0, 1)), for another value, or raise max_nodes="
    )
    assert len(s.expand(f"%{k}", (0, 1)).graph.boxes) == 3
    with pytest.raises(ValueError, match=rf"ask for one operation of it, expand\('%{k - 1}', \(0, 1\)\), for another"):
        s.expand("z⁽¹⁾", (0, 1), max_nodes=1202)
    with pytest.raises(ValueError, match="has 3 nodes, more than 2: ask for another value, or raise max_nodes="):
        s.expand(f"%{k}", (0, 1), max_nodes=2)
    for wrong in (0, True, "a"):
        with pytest.raises(ValueError, match="expand: max_nodes must be a positive integer or None, got"):
            s.expand("z⁽¹⁾", (0, 1), max_nodes=wrong)


def test_the_limit_of_scalar_graphs_names_calls_that_can_be_made():
    A, B = Tensor(np.ones((40, 50)), name="A"), Tensor(np.ones((50, 60)), name="B")
    y = A @ B
    loss = y.sum()
    with pytest.raises(ValueError) as error:
        viz.draw(loss, level="scalar")
    assert str(error.value).endswith(
        "draw one element of the result of matmul of shape (40, 60), call it y: "
        "viz.draw(y, level='scalar', element=(0, 0)), or of this operation alone, "
        "viz.step(loss).expand('%2', (0, 0))"
    )
    assert len(viz.draw(y, level="scalar", element=(0, 0)).graph.boxes) == 3 * 50 + 1
    assert len(viz.step(loss).expand("%2", (0, 0)).graph.boxes) == 3 * 50 + 1


def test_where_every_element_is_too_large_one_operation_is_offered_or_none():
    A, B = Tensor(np.ones((4, 500)), name="A"), Tensor(np.ones((500, 3)), name="B")
    with pytest.raises(
        ValueError, match=r"draw one element of one operation, viz\.step\(loss\)\.expand\('%3', \(0, 0\)\)$"
    ):
        viz.draw(np.tanh(A @ B).sum(), level="scalar")
    with pytest.raises(ValueError, match=r"more than 300: draw the operations, level='op', or raise max_nodes=$"):
        viz.draw((A @ B).sum(), level="scalar")


# --- moving -----------------------------------------------------------------------------------------------------------


def test_a_position_can_be_set_as_by_goto():
    s = viz.step(product()[0])
    s.position = 2
    assert s.current.number == 2
    s.position = np.int64(-1)
    assert s.position == len(s) - 1


@pytest.mark.parametrize(("step", "error", "match"), [
    (99, IndexError, "there is no step 99; the steps are 0 to 6"),
    (-8, IndexError, "there is no step -8; the steps are 0 to 6"),
    ("a", TypeError, r"expected the number of a step, got 'a' \(run_to takes names\)"),
    (True, TypeError, "expected the number of a step, got True"),
    (1.0, TypeError, "expected the number of a step, got 1.0"),
])  # fmt: skip
def test_a_step_that_is_not_there_is_refused_alike_everywhere(step, error, match):
    s = viz.step(product()[0])
    s.goto(3)
    with pytest.raises(error, match=f"position: {match}"):
        s.position = step
    with pytest.raises(error, match=f"goto: {match}"):
        s.goto(step)
    with pytest.raises(error, match=f"step: {match}"):
        s[step]
    assert s.position == 3


def test_steps_are_indexed_like_a_list():
    s = viz.step(product()[0])
    assert s[-1] is s[6] is list(s)[6]
    assert s[1:3] == [s[1], s[2]]


# --- hand-derived gradients -------------------------------------------------------------------------------------------


def test_a_wrong_gradient_of_the_loss_itself_is_told_and_opened_at():
    loss, _ = product()
    for key in (loss, "L", loss.node):
        s = viz.step(loss, against={key: 2.0})
        assert s.current.title == "BACKWARD  starts at L"
        assert s.current.check.yours == (False, "2 ✕ the engine has 1")
        assert "yours 2 ✕ the engine has 1" in str(s)
    assert viz.step(loss, against={loss: 1.0}).goto(3).check == ((True, "1 ✔"), None)


def test_gradients_are_compared_whatever_array_they_come_as(monkeypatch):
    loss, (a, b) = product()

    class Foreign:
        """A Tensor of another library, which gives no array while it requires a gradient."""

        def __array__(self, dtype=None, copy=None):
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")

        def detach(self):
            return np.array(-3.0)

    s = viz.step(loss, against={a: Foreign(), b: Tensor(2.0)})
    assert s.breakpoints == []
    monkeypatch.delattr(Foreign, "detach")
    with pytest.raises(TypeError, match=r"against: the gradient of a is of type Foreign; expected an array of numbers"):
        viz.step(loss, against={a: Foreign()})
    with pytest.raises(ValueError, match="against: the gradient of b is a ragged list"):
        viz.step(loss, against={b: [[1.0], [2.0, 3.0]]})
    with pytest.raises(ValueError, match="against: the gradient of a is given twice, by Tensor and by name"):
        viz.step(loss, against={a: 1.0, "a": 2.0})


def test_a_gradient_of_what_gets_none_is_refused():
    loss, _, _ = dense()
    with pytest.raises(ValueError, match="against: no gradient of L reaches x: it requires none"):
        viz.step(loss, against={"x": np.zeros((2, 3))})
    w = Tensor([1.5, 2.5], name="w")
    with pytest.raises(ValueError, match="reaches w: an operation without a derivative stands between"):
        viz.step((np.floor(w) * Tensor(2.0)).sum(), against={w: [0.0, 0.0]})
    n_loss, n = whole()
    with pytest.raises(ValueError, match=r"reaches n: .*its dtype is int64"):
        viz.step(n_loss, against={n: [2, 2, 2]})


# --- the gradient to start from ---------------------------------------------------------------------------------------


def test_a_starting_gradient_may_be_a_tensor():
    x = Tensor([1.0, 2.0], name="x")
    y = x * x
    for seed in ([10.0, 1.0], Tensor([10.0, 1.0])):
        assert viz.step(y, grad=seed)[-1].after.tolist() == [20.0, 4.0]
        assert viz.paths(y, x, grad=seed).gradient.tolist() == [20.0, 4.0]
        assert viz.contributions(y, x, grad=seed).gradient.tolist() == [20.0, 4.0]
        assert "20" in viz.draw(y, grad=seed).text()


@pytest.mark.parametrize("ask", [viz.step, viz.draw, lambda y, grad: viz.paths(y, "x", grad=grad),
                                 lambda y, grad: viz.contributions(y, "x", grad=grad)])  # fmt: skip
def test_a_starting_gradient_of_another_shape_or_kind_is_refused(ask):
    y = Tensor([1.0, 2.0], name="x") * 2.0
    with pytest.raises(
        ValueError, match=r"^\w+: the starting gradient has shape \(3,\), expected that of the loss, \(2,\)$"
    ):
        ask(y, grad=np.ones(3))
    with pytest.raises(TypeError, match=r"^\w+: grad must be real numbers, got dtype <U1$"):
        ask(y, grad=["a", "b"])


def test_backward_names_both_shapes():
    y = Tensor([1.0, 2.0]) * 2.0
    expected = r"^the starting gradient has shape \(3,\), expected that of the result of multiply of shape \(2,\)$"
    with pytest.raises(ValueError, match=expected):
        y.backward(np.ones(3))


# --- no backward pass -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("build", "why"), [
    (whole, "its dtype is int64; only floating-point values have gradients"),
    (constant, "nothing that it was made from requires one"),
])  # fmt: skip
def test_without_a_backward_pass_it_is_told_why(build, why):
    loss, given = build()
    for ask in (lambda: viz.step(loss, break_at="backward"), lambda: viz.step(loss).run_to("backward")):
        with pytest.raises(
            ValueError, match=f"(break_at|run_to): there is no backward pass: no gradient flows .*{why}"
        ):
            ask()
    with pytest.raises(ValueError, match=f"^paths: no gradient flows .*{why}"):
        viz.paths(loss, given)
    with pytest.raises(ValueError, match=f"^contributions: no gradient flows .*{why}"):
        viz.contributions(loss, given)


def test_what_no_step_belongs_to_can_not_be_stopped_at():
    u, a = Tensor(1.0, requires_grad=False, name="u"), Tensor(2.0, name="a")
    loss = u * a
    for where in (u, "u"):
        with pytest.raises(ValueError, match=r"break_at: no step belongs to '?u'?: it is given, and gets no gradient"):
            viz.step(loss, break_at=where)
        with pytest.raises(ValueError, match=r"run_to: no step after 0 belongs to '?u'? \(there is none at all\)"):
            viz.step(loss).run_to(where)


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [None, 3, b"steps.html", ["steps.html"]])
def test_what_is_no_path_is_refused(path, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    loss, (a, _) = product()
    for thing in (viz.step(loss), viz.draw(loss), viz.contributions(loss, a)):
        with pytest.raises(TypeError, match=rf"save: path must be a string or a path, .*got {type(path).__name__}"):
            thing.save(path)
    assert list(tmp_path.iterdir()) == []


def test_print_shows_all_that_an_operation_sends():
    x = Tensor([1.0, 2.0], name="x")
    s = viz.step((x * x).sum(), granularity="op")
    s.goto(-1)
    assert [(step.part, step.parts) for step in s.together] == [(1, 2), (2, 2)]
    assert "Σ 1 of 2" in str(s) and "Σ 2 of 2" in str(s)
    s.granularity = "contribution"
    assert "Σ 1 of 2" not in str(s)


def test_a_layer_is_found_by_its_class_too():
    model = nn.Sequential(nn.Conv2d(1, 1, 2, rng=0), nn.Sigmoid())
    s = viz.step(model(Tensor(np.ones((1, 1, 3, 3), np.float32), name="x")).sum())
    assert "Conv2d" in s.run_to("Conv2d").layer
    with pytest.raises(KeyError, match="nearest: Sigmoid"):
        s.run_to("sigmoid_")


def test_gradients_as_printed_are_compared_to_their_digits():
    x = Tensor([1.0, 2.0], name="x")
    loss = (x * x * 1.004).sum()
    assert viz.step(loss, against={x: ["2.01", "4.02"]}).breakpoints == []
    assert viz.step(loss, against={x: ["2.01", "4.03"]}).breakpoints != []


def test_rounding_of_the_engine_is_no_mistake():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        x, W, V = (rng.normal(size=shape).astype(np.float32) for shape in [(5, 3), (3, 4), (4, 2)])
        z = x @ Tensor(W, name="W") + Tensor(np.zeros(4, np.float32), name="b")
        loss = F.cross_entropy((z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + 1e-5) @ V, [0, 1, 0, 1, 1])
        assert not any(s.check.numeric is not None and s.check.numeric.ok is False for s in viz.step(loss))
