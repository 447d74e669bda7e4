"""The scalar graph: its gradients are those of the tensor graph, for every operation; its names, sizes and errors."""

import re

import numpy as np
import pytest
from opcases import ALL, Op
from opchecks import along, loss

import nn
import viz
from autograd import Tape, Tensor, defvjp, primitive, scope, set_at
from autograd.rules import windows
from autograd.rules.elementwise import relu
from autograd.rules.reductions import log_softmax, softmax
from nn import functional as F
from viz.scalar import ScalarGraph, about, expand, scalar_tape

WITHOUT = {
    "inv": "np.linalg.inv",
    "solve": "np.linalg.solve",
    "solve for a vector": "np.linalg.solve",
    "solve a stack": "np.linalg.solve",
    "solve a stack of 2 for one vector": "np.linalg.solve",
    "solve a stack of 3 for one vector": "np.linalg.solve",
    "solve one matrix for a stack": "np.linalg.solve",
    "det": "np.linalg.det",
    "matrix_power -2": "np.linalg.inv",
    "cond 1 (3, 3)": "np.linalg.inv",
    "tensorinv (6, 6)": "np.linalg.inv",
    "tensorsolve": "np.linalg.solve",
    "slogdet (2, 3, 3)": "np.linalg.slogdet",
    "polyfit": "np.linalg.pinv",
    **{op.name: "np.linalg." for op in ALL
       if re.match("eig|chol|svd|qr|pinv|lstsq|cond (None|-2)|matrix norm (2|-2|nuc) ", op.name)},
}  # fmt: skip
"""The operations that have no scalar graph, and what the sentence names."""

WITH = [op for op in ALL if op.name not in WITHOUT]


def assert_same_gradients(graph, tape, leaves, grad=None, rtol=1e-11):
    expected = tape.gradients(grad) if tape.root.needs_grad else {}
    found = graph.gradients()
    for leaf in leaves:
        want = expected.get(leaf.node, np.zeros(leaf.shape))
        scale = max(1.0, float(np.max(np.abs(np.nan_to_num(want)), initial=0)))
        got = found.get(leaf.node, np.zeros(leaf.shape))
        np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol * scale)


def check(value, *leaves, rtol=1e-11):
    """The scalar graph of a number has its value and its gradients, and only numbers on it."""
    tape = Tape(value)
    graph = ScalarGraph(tape)
    assert all(node.shape == () for node in graph.tape)
    np.testing.assert_allclose(graph.root.data, value.data.reshape(()), rtol=rtol)
    assert_same_gradients(graph, tape, leaves, rtol=rtol)
    return graph


# --- every operation


@pytest.mark.parametrize("op", WITH, ids=str)
def test_gradients_of_the_scalar_graph_are_those_of_the_tensor_graph(op: Op):
    tensors = [Tensor(x) for x in op.operands()]
    check(loss(op.fn(*tensors)), *tensors)


@pytest.mark.parametrize("op", WITH, ids=str)
def test_one_element_has_the_gradients_of_that_element(op: Op):
    tensors = [Tensor(x) for x in op.operands()]
    out = op.fn(*tensors)
    tape = Tape(out)
    corners = {(0,) * out.ndim, tuple(n - 1 for n in out.shape)} if out.size else set()
    for index in corners:
        graph = ScalarGraph(tape, index)
        np.testing.assert_allclose(graph.root.data, out.data[index], rtol=1e-12)
        seed = np.zeros(out.shape)
        seed[index] = 1
        assert_same_gradients(graph, tape, tensors, seed)


@pytest.mark.parametrize("op", WITH, ids=str)
def test_a_recorded_backward_pass_has_a_scalar_graph_too(op: Op):
    tensors = [Tensor(x) for x in op.operands()]
    slope = along(op, tensors)
    check(slope, *tensors, rtol=1e-9)


@pytest.mark.parametrize("op", [op for op in ALL if op.name in WITHOUT], ids=str)
def test_an_operation_without_a_scalar_graph_is_named(op: Op):
    out = loss(op.fn(*(Tensor(x) for x in op.operands())))
    with pytest.raises(ValueError, match=rf"^{WITHOUT[op.name]}\w* has no scalar graph: it is not computed as"):
        ScalarGraph(out)


def test_the_operations_without_one_are_all_declared():
    assert WITHOUT.keys() <= {op.name for op in ALL}


# --- ties, kinks and edges

TIED = np.array([[1.0, 3.0, 3.0, 3.0], [2.0, 2.0, 0.0, -1.0], [0.0, 0.0, 0.0, 0.0]])


@pytest.mark.parametrize(
    "fn",
    [
        np.max,
        np.min,
        lambda x: np.max(x, axis=1),
        lambda x: np.min(x, axis=0, keepdims=True),
        lambda x: np.maximum(x, 0.0),
        lambda x: np.maximum(x, np.flip(x, 1)),
        lambda x: np.fmin(x, 3.0),
        relu,
        np.abs,
        np.sign,
        lambda x: np.clip(x, 0.0, 3.0),
        lambda x: np.clip(x, 2.0, 1.0),
        lambda x: np.sort(x, axis=1),
        lambda x: np.sort(x, axis=None),
        np.prod,
        lambda x: np.prod(x, axis=1),
        lambda x: np.cumprod(x, axis=1),
        lambda x: x**2,
        lambda x: x**0,
        lambda x: np.std(x, axis=1),
        lambda x: np.std(x * 0 + 4),
        lambda x: np.std(x, axis=0, ddof=1, keepdims=True),
        lambda x: np.linalg.norm(x, axis=1),
        lambda x: np.linalg.norm(x * 0),
        lambda x: np.linalg.norm(x, 3, axis=1),
        lambda x: np.hypot(x, x * 0),
        np.sinc,
        lambda x: softmax(x),
        lambda x: log_softmax(x, 0),
        lambda x: np.where(x > 0, x, x * x),
        lambda x: windows.window_max(windows.windows(x.reshape(1, 1, 3, 4), (2, 2))),
        lambda x: windows.window_max(windows.windows(x.reshape(1, 1, 3, 4), (3, 3), (1, 1), (1, 1))),
        lambda x: windows.window_max(windows.windows(x.reshape(1, 1, 3, 4), (1, 1))),
        lambda x: windows.window_mean(windows.windows(x.reshape(1, 1, 3, 4), (2, 2), (1, 2))),
        lambda x: set_at(x, ([0, 0], [1, 1]), x[0, :2]),
        lambda x: np.max(x[:1], axis=0),
        lambda x: x[:, 1:1],
        lambda x: np.stack([x[0, 0], x[0, 0]]),
    ],
)
def test_ties_kinks_and_edges_share_their_gradient_as_the_tensor_rule_does(fn):
    x = Tensor(TIED)
    check(loss(fn(x)), x)


def test_two_operands_that_tie_get_half_each():
    x, y = Tensor([1.0, 2.0], name="x"), Tensor([1.0, 3.0], name="y")
    graph = check(np.maximum(x, y).sum(), x, y)
    np.testing.assert_array_equal(graph.gradients()[x.node], [0.5, 0])


def test_integers_and_constants_take_part_without_a_gradient():
    x, whole = Tensor([1.0, 2.0, 3.0]), Tensor([1, 2, 3])
    check((x * whole * [2.0, 0.5, 1.0] + np.array([1, 0, 1], bool)).sum(), x)


def test_a_value_without_a_gradient_is_drawn_too():
    x = Tensor([1.0, 2.0], requires_grad=False, name="x")
    picture = viz.draw((x * x).sum(), level="scalar")
    assert "no gradient flows: forward only" in picture.graph.notes


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_the_dtype_stays(dtype):
    x, w = Tensor(np.array([1, 2, 3], dtype)), Tensor(np.array([[0.5, 1, 2], [1, 0, 1]], dtype))
    out = np.mean(np.tanh(w @ x) * 0.5)
    graph = check(out, x, w, rtol=1e-2)
    assert {node.dtype for node in graph.tape} == {np.dtype(dtype)}


def test_recording_need_not_be_on():
    from autograd import no_grad

    x = Tensor([1.0, 2.0])
    out = (x * x).sum()
    with no_grad():
        assert len(scalar_tape(out)) == 5


# --- networks


def test_a_network_of_two_layers_has_the_gradients_of_the_tensor_graph():
    nn.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4, dtype=np.float64), nn.Sigmoid(), nn.Linear(4, 2, dtype=np.float64))
    x = Tensor(np.random.default_rng(0).standard_normal((2, 3)))
    check(F.mse_loss(net(x), np.ones((2, 2))), x, *net.parameters())
    check(F.cross_entropy(net(x), np.array([1, 0])), x, *net.parameters())


def test_a_convolutional_network_has_the_gradients_of_the_tensor_graph():
    nn.manual_seed(1)
    net = nn.Sequential(
        nn.Conv2d(1, 2, 2, padding=1, stride=1, dtype=np.float64), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(18, 3, dtype=np.float64), nn.Softmax(),
    )  # fmt: skip
    x = Tensor(np.random.default_rng(0).standard_normal((1, 1, 5, 5)))
    value = F.log_loss(net(x), np.array([[0.0, 1.0, 0.0]]))
    check(value, x, *net.parameters())
    with pytest.raises(ValueError, match=r"the scalar graph of L would have \d+ nodes, more than 300"):
        viz.draw(value, level="scalar")


@pytest.mark.parametrize("pool", [nn.MaxPool2d(2, stride=1), nn.AvgPool2d(2)])
def test_pooling_and_grouped_convolution(pool):
    conv = nn.Conv2d(2, 4, 2, groups=2, stride=2, dilation=1, dtype=np.float64)
    x = Tensor(np.random.default_rng(0).standard_normal((2, 2, 6, 6)))
    out = pool(conv(x))
    check((out * out).sum(), x, *conv.parameters())
    assert_same_gradients(ScalarGraph(out, (1, 2, 0, 0)), Tape(out), [x], seed_at(out, (1, 2, 0, 0)))


def seed_at(out, index):
    seed = np.zeros(out.shape)
    seed[index] = 1
    return seed


def test_losses_of_probabilities():
    p, z = Tensor([0.2, 0.9]), Tensor([-1.0, 3.0])
    check(F.binary_cross_entropy(p, np.array([0.0, 1.0])), p)
    check(F.binary_cross_entropy_with_logits(z, np.array([0.0, 1.0])), z)


# --- what it looks like


def test_a_dot_product_is_its_products_and_one_sum():
    w, x = Tensor([0.4, 0.3, -0.6], name="w"), Tensor([2.0, -1.0, 0.5], name="x")
    b = Tensor(0.5, name="b")
    z = w @ x + b
    z.name = "z"
    tape = scalar_tape(relu(z))
    assert [node.name or node.op for node in tape] == [
        "w[0]", "w[1]", "w[2]", "x[0]", "x[1]", "x[2]", "b", "multiply", "multiply", "multiply", "add", "z", "relu"
    ]  # fmt: skip
    assert len(tape[10].operands) == 3


def test_rearranging_makes_no_nodes():
    x = Tensor(TIED, name="x")
    out = np.broadcast_to(np.pad(x.T.reshape(2, 6), 1)[::-1, 1:], (2, 4, 7))
    tape = scalar_tape(out[1, 2, 3] * 2)
    assert [node.op for node in tape] == ["leaf", "multiply"]
    assert tape[0].name == "x[0,1]"


def test_a_shared_element_is_one_leaf():
    x = Tensor([2.0], name="x")
    tape = scalar_tape(np.sum(np.tile(x, 3)))
    assert [node.op for node in tape] == ["leaf", "add"]
    assert float(tape.gradients()[tape["x[0]"]]) == 3


def test_softmax_shows_no_shift_and_exact_gradients():
    z = Tensor([1.0, 2.0, 4.0], name="z")
    ops = [node.op for node in scalar_tape(softmax(z)[1])]
    assert ops.count("exp") == 3
    assert "max" not in ops and "maximum" not in ops


def test_kinds_layers_names_and_source_lines_are_kept():
    layer = nn.Linear(2, 2, dtype=np.float64)
    x = Tensor([1.0, 2.0], name="x")
    with scope("block", "Block"):
        out = np.tanh(layer(x)).sum()
    tape = scalar_tape(out)
    weight = tape["W⁽¹⁾[1,0]"]
    assert weight.op == "parameter"
    assert float(weight.value) == layer.weight.data[1, 0]
    z = tape["z⁽¹⁾[1]"]
    assert z.scope.path == "block.linear"
    assert {node.source.text for node in tape if not node.is_leaf} == {"out = np.tanh(layer(x)).sum()"}
    assert tape[-1].scope.path == "block"
    boxes = {box.title: box.kind for box in viz.draw(out, level="scalar").graph.boxes}
    assert boxes["W⁽¹⁾[1,0]"] == "learned"
    assert boxes["x[0]"] == "input"


def test_long_names_keep_their_place():
    x = Tensor([1.0, 2.0], name="a name that is far too long for a picture")
    assert scalar_tape((x * x).sum())[1].name.endswith("…[1]")


def test_the_picture_has_two_rows_a_box_and_the_gradients_of_the_loss():
    w, x = Tensor([2.0, 3.0, 4.0], name="w"), Tensor([5.0, 6.0, 7.0], name="x")
    picture = viz.draw(np.tanh(w @ x / 60), level="scalar")
    text = picture.text()
    assert "%9 = %6 + %7 + %8 = 56" in text
    slope = (1 - np.tanh(56 / 60) ** 2) / 60
    assert f"∂L/∂w[2] = {7 * slope:.4g}" in text
    assert "<svg" in picture.svg()
    sums = {box.id for box in picture.graph.boxes if box.op == "add"}
    assert all(edge.local is None for edge in picture.graph.edges if edge.head in sums)


def test_a_maximum_of_many_is_one_box_with_a_short_title():
    x = Tensor(np.arange(12.0), name="x")
    picture = viz.draw(np.max(x) * 2, level="scalar")
    assert "%12 = max(x[0], x[1], …, x[11]) = 11" in picture.text()
    assert sum(edge.head == "%12" for edge in picture.graph.edges) == 12
    pooled = viz.draw(nn.MaxPool2d(2)(x.reshape(1, 1, 3, 4)), level="scalar", element=(0, 0, 0, 1))
    assert "L[0,0,0,1] = max(x[2], x[3], x[6], x[7]) = 7" in pooled.text()


def test_a_wide_graph_goes_left_to_right_and_a_deep_one_down():
    x, w = Tensor(np.ones(12), name="x"), Tensor(np.ones(12), name="w")
    assert viz.draw(w @ x, level="scalar").graph.direction == "LR"
    deep = Tensor(1.0, name="x")
    for _ in range(12):
        deep = np.sin(deep)
    assert viz.draw(deep, level="scalar").graph.direction == "TB"
    assert viz.draw(deep, level="scalar", direction="LR").graph.direction == "LR"


def test_an_input_that_one_layer_uses_stands_in_its_frame():
    layer = nn.Linear(2, 1, dtype=np.float64)
    picture = viz.draw(layer(Tensor([1.0, 2.0], name="x")), level="scalar")
    assert not picture.graph.outside
    assert sum(len(frame.boxes) for frame in picture.graph.frames) == len(picture.graph.boxes)


def test_the_starting_gradient_scales_the_picture():
    x = Tensor([3.0], name="x")
    graph = viz.draw(x * x, level="scalar", grad=np.array([10.0])).graph
    (box,) = (box for box in graph.boxes if box.title == "x[0]")
    assert float(box.grad.array) == 60


# --- one element


def test_expanding_an_operation_starts_at_the_elements_of_its_operands():
    W, x = Tensor([[1.0, 2.0], [3.0, 4.0]], name="W"), Tensor([5.0, 6.0], name="x")
    tape = Tape(np.exp(np.tanh(W @ x) * 2).sum())
    node = next(n for n in tape if n.op == "multiply")
    found = expand(tape, node, (1,))
    assert [n.name for n in found] == ["%3[1]", "%4[1]"]
    assert float(found.gradients()[found[0]]) == 2
    dense = expand(tape, tape[2], (1,))
    assert [n.name or n.op for n in dense] == ["W[1,0]", "W[1,1]", "x[0]", "x[1]", "multiply", "multiply", "%2[1]"]


def test_every_operation_of_a_network_can_be_expanded_at_once():
    net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(75, 10))
    value = F.cross_entropy(net(Tensor(np.random.default_rng(0).random((8, 1, 12, 12), np.float32))), np.arange(8))
    tape = Tape(value)
    for node in tape:
        if not node.is_leaf:
            index = tuple(n - 1 for n in node.shape)
            found = expand(tape, node, index)
            np.testing.assert_allclose(found.root.value, tape.value(node)[index], rtol=1e-4, atol=1e-6)
            assert len(found) <= 2 * 75 + 200


def test_one_element_of_a_convolution_is_drawn_alone():
    conv = nn.Conv2d(1, 2, 3, dtype=np.float64)
    z = conv(Tensor(np.random.default_rng(0).standard_normal((1, 1, 5, 5)), name="x"))
    picture = viz.draw(z, level="scalar", element=(0, 1, 1, -1))
    assert picture.graph.loss == "z⁽¹⁾[0,1,1,2]"
    assert len(picture.graph.boxes) == 9 + 9 + 9 + 1 + 1 + 1


def test_one_element_of_a_vector_may_be_given_by_a_number():
    x = Tensor([1.0, 2.0], name="x")
    y = x * x
    y.name = "y"
    assert viz.draw(y, level="scalar", element=-1).graph.loss == "y[1]"


def test_one_element_after_a_large_graph_needs_only_its_own_part():
    x = Tensor(np.ones((500, 500)))
    assert len(scalar_tape(np.exp(x * 2 + 1)[::2].T, (3, 4))) == 4


# --- sizes and errors


@pytest.mark.parametrize("op", WITH, ids=str)
def test_the_estimate_is_near_the_number_of_nodes(op: Op):
    out = loss(op.fn(*(Tensor(x) for x in op.operands())))
    tape = Tape(out)
    nodes = len(ScalarGraph(tape).tape)
    assert nodes / 2 - 5 <= about(tape) <= 5 * nodes + 15


def test_too_many_nodes_are_counted_and_one_element_is_offered():
    W, x = Tensor(np.ones((200, 80)), name="W"), Tensor(np.ones(80), name="x")
    z = W @ x
    z.name = "z"
    with pytest.raises(ValueError) as error:
        viz.draw(z.sum(), level="scalar", max_nodes=60)
    assert str(error.value) == (
        "draw: the scalar graph of this value would have about 32,281 nodes, more than 300: draw one element, "
        "viz.draw(Tape(loss)['z'], level='scalar', element=(0,))"
    )
    assert len(viz.draw(Tape(z.sum())["z"], level="scalar", element=(0,)).graph.boxes) == 3 * 80 + 1


def test_the_limit_can_be_raised():
    x = Tensor(np.ones(200), name="x")
    out = (x * x).sum()
    with pytest.raises(ValueError, match="would have 401 nodes, more than 300"):
        viz.draw(out, level="scalar")
    assert len(viz.draw(out, level="scalar", max_nodes=500).graph.boxes) == 401
    assert len(viz.draw(out, level="scalar", max_nodes=None).graph.boxes) == 401


def test_a_graph_that_would_take_minutes_is_refused():
    W = Tensor(np.ones((300, 300)))
    with pytest.raises(ValueError, match=r"about 27,180,001 operations on single numbers .* at most 200,000 are"):
        ScalarGraph((W @ W).sum())


def test_an_array_needs_an_element():
    x = Tensor([[1.0, 2.0]], name="x")
    with pytest.raises(ValueError, match=r"is not one number: say of which element, element=\(0, 0\)"):
        viz.draw(x * x, level="scalar")


@pytest.mark.parametrize(
    "element, error, match",
    [
        ((0, 2), IndexError, r"there is no element \(0, 2\) in the result of multiply of shape \(1, 2\)"),
        ((0,), IndexError, r"there is no element \(0,\)"),
        (0, IndexError, "there is no element 0"),
        ((0, 1.0), TypeError, "element must be a tuple of integers"),
        ("a", TypeError, "element must be a tuple of integers, got 'a'"),
        ((0, True), TypeError, "element must be a tuple of integers"),
    ],
)
def test_an_element_that_is_not_there(element, error, match):
    x = Tensor([[1.0, 2.0]])
    with pytest.raises(error, match=match):
        viz.draw(x * x, level="scalar", element=element)


def test_an_element_goes_with_the_scalar_level_alone():
    x = Tensor([1.0, 2.0])
    with pytest.raises(ValueError, match="element= goes with level='scalar' alone"):
        viz.draw(x.sum(), element=(0,))
    with pytest.raises(ValueError, match="and without grad="):
        viz.draw(x * x, level="scalar", element=(0,), grad=np.ones(2))


def test_expanding_what_is_not_there():
    x = Tensor([1.0, 2.0], name="x")
    tape = Tape((x * x).sum())
    with pytest.raises(ValueError, match="x was made by no operation"):
        expand(tape, tape[0], (0,))
    with pytest.raises(ValueError, match="that record is not on this tape"):
        expand(tape, (x * 2).node, (0,))
    with pytest.raises(IndexError, match="there is no element"):
        expand(tape, tape[1], (2,))


# --- functions of users


def test_a_function_of_single_numbers_stays_one_operation_with_its_own_rule():
    @primitive
    def straight_through(x):
        return np.sign(x)

    defvjp(straight_through, lambda g, out, x: g)
    x = Tensor([-2.0, 3.0])
    tape = check((straight_through(x) * [2.0, 5.0]).sum(), x).tape
    assert [node.op for node in tape].count("straight_through") == 2


def test_a_function_of_arrays_comes_out_as_sums_and_products():
    @primitive
    def centred_square(x):
        return np.sum((x - np.sum(x) / len(x)) ** 2)

    defvjp(centred_square, lambda g, out, x: g * 2 * (x - np.mean(x)))
    x = Tensor([1.0, 2.0, 4.0])
    ops = {node.op for node in check(np.sqrt(centred_square(x)), x).tape}
    assert ops == {"leaf", "add", "divide", "subtract", "power", "sqrt"}


def test_a_rule_that_is_no_derivative_of_the_function_is_told():
    @primitive
    def total_of(x):
        return np.sum(x)

    defvjp(total_of, lambda g, out, x: g * np.full(x.shape, 7.0))
    with pytest.raises(ValueError, match="total_of: no scalar graph, as the derivative rule is another than"):
        ScalarGraph(total_of(Tensor([1.0, 2.0])))


def test_a_function_that_does_not_run_on_numbers_is_named():
    @primitive
    def through_bytes(x):
        return np.frombuffer(np.sum(x).tobytes(), x.dtype)[0]

    defvjp(through_bytes, lambda g, out, x: g * np.ones(x.shape))
    with pytest.raises(ValueError, match=r"^through_bytes has no scalar graph: it does not run on single numbers"):
        ScalarGraph(through_bytes(Tensor([1.0, 2.0])))


def test_a_function_that_gives_numbers_of_another_kind_is_told():
    @primitive
    def addresses(x):
        return np.sum(x) * (1.0 if x.dtype == float else 2.0)

    defvjp(addresses, lambda g, out, x: g * np.ones(x.shape))
    with pytest.raises(ValueError, match=r"addresses: no scalar graph, as it gives 6\.0 of single numbers, not 3\.0"):
        ScalarGraph(addresses(Tensor([1.0, 2.0])))


def test_a_function_that_gives_another_shape_of_numbers_is_told():
    @primitive
    def shape_of_objects(x):
        return np.sum(x) if x.dtype == float else x

    defvjp(shape_of_objects, lambda g, out, x: g * np.ones(x.shape))
    with pytest.raises(
        ValueError, match=r"shape_of_objects has no scalar graph: .* an array of shape \(2,\), not \(\)"
    ):
        ScalarGraph(shape_of_objects(Tensor([1.0, 2.0])))
