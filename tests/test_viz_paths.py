"""`viz.paths`: every path to the loss with its product; their sum is the gradient; counting without listing."""

import sys
import time

import numpy as np
import opcases
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opchecks import loss as loss_of

import viz
from autograd import Tape, Tensor, defvjp, no_grad, primitive
from autograd.rules.elementwise import relu, sigmoid


@primitive
def three(a, b, c):
    """A sum of three operands: three edges into one node."""
    return 2.0 * a + 3.0 * b + 5.0 * c


defvjp(three, lambda g, out, a, b, c: 2.0 * g, lambda g, out, a, b, c: 3.0 * g, lambda g, out, a, b, c: 5.0 * g)


def classic():
    """x → y by three edges, y → z by three."""
    x = Tensor(1.5, name="x")
    y = three(x, x, x)
    y.name = "y"
    z = three(y, y, y)
    z.name = "z"
    return z, x


def walked(tape, node):
    """The number of paths, by walking each of them."""
    if node is tape.root:
        return 1
    return sum(walked(tape, user) for user in tape if user.needs_grad for a in user.operands if a is node)


# --- the sum over all paths is the gradient ---------------------------------------------------------------------------


def test_three_edges_and_three_edges_are_nine_paths():
    z, x = classic()
    found = viz.paths(z, x)
    assert (found.count, found.edges, found.factors) == (9, 6, 18)
    assert [path.factors for path in found] == [(a, b) for a in (2.0, 3.0, 5.0) for b in (2.0, 3.0, 5.0)]
    assert [float(path.product) for path in found] == [a * b for a in (2, 3, 5) for b in (2, 3, 5)]
    assert float(found.total) == float(found.gradient) == (2 + 3 + 5) * (2 + 3 + 5)


def test_the_table_and_the_sentence_of_the_classic():
    z, x = classic()
    assert str(viz.paths(z, x)).splitlines() == [
        "path                      product  running sum",
        "x → y (1st) → z (1st)   2 × 2 = 4            4",
        "x → y (2nd) → z (1st)   2 × 3 = 6           10",
        "x → y (3rd) → z (1st)  2 × 5 = 10           20",
        "x → y (1st) → z (2nd)   3 × 2 = 6           26",
        "x → y (2nd) → z (2nd)   3 × 3 = 9           35",
        "x → y (3rd) → z (2nd)  3 × 5 = 15           50",
        "x → y (1st) → z (3rd)  5 × 2 = 10           60",
        "x → y (2nd) → z (3rd)  5 × 3 = 15           75",
        "x → y (3rd) → z (3rd)  5 × 5 = 25          100",
        "∂z/∂x = 100, the sum over 9 paths.",
        "9 paths through 6 edges. Path by path: 9 products of 2 edge derivatives, 18 in all. Reverse mode: each edge "
        "once, 6.",
    ]


def test_a_repeated_operand_is_two_edges():
    x = Tensor(3.0, name="x")
    found = viz.paths(x * x, x)
    assert [path.edges[0].position for path in found] == [0, 1]
    assert [float(path.product) for path in found] == [3.0, 3.0]
    assert [str(path) for path in found] == ["x → L (1st)", "x → L (2nd)"]


def test_an_edge_carries_the_derivative_by_its_operand_alone():
    a, b = Tensor(2.0, name="a"), Tensor(-3.0, name="b")
    (path,) = viz.paths(relu(a * b + 10.0), a)
    assert [edge.derivative for edge in path.edges] == [-3.0, 1.0, 1.0]
    assert path.factors == (1.0, 1.0, -3.0)
    assert path.nodes[0] is a.node and len(path) == 3
    assert [edge.operand for edge in path.edges] == list(path.nodes[:-1])
    assert [edge.result for edge in path.edges] == list(path.nodes[1:])


def test_products_of_tensors_have_the_shape_of_the_value():
    x = Tensor(np.arange(6.0).reshape(2, 3), name="x")
    loss = (x * x + x[0] + 2.0 * x.sum(axis=1, keepdims=True)).sum()
    found = viz.paths(loss, x)
    assert found.count == 4
    assert [path.product.shape for path in found] == [(2, 3)] * 4
    assert [path.factors for path in found] == [None] * 4
    loss.backward()
    np.testing.assert_allclose(found.total, x.grad, rtol=1e-14)
    products = [path.product for path in found]
    np.testing.assert_array_equal(products[0], x.data)
    np.testing.assert_array_equal(products[2], [[2.0] * 3, [0.0] * 3])


def test_paths_start_at_any_record():
    x = Tensor([0.5, -1.0], name="x")
    h = np.tanh(x)
    h.name = "h"
    loss = (h * h * h).sum()
    found = viz.paths(loss, h)
    assert found.count == 3
    np.testing.assert_allclose(found.total, Tape(loss).gradients()[h.node], rtol=1e-14)
    assert viz.paths(Tape(loss), "h").count == viz.paths(loss, h.node).count == 3


@pytest.mark.parametrize("op", opcases.ALL, ids=str)
def test_the_paths_through_every_operation_sum_to_the_gradient(op):
    tensors = [Tensor(x) for x in op.operands()]
    with np.errstate(all="ignore"):
        loss = loss_of(op.fn(*tensors))
        loss.backward()
        for x in tensors:
            found = viz.paths(loss, x, limit=2000)
            assert len(list(found)) == found.count
            # Paths cancel where there are many: what rounding leaves is as large as their largest products.
            scale = max(float(np.max(np.abs(path.product), initial=0)) for path in found)
            np.testing.assert_allclose(found.total, x.grad, rtol=1e-9, atol=1e-9 * max(scale, 1))


UNARY = [np.sin, np.tanh, sigmoid, lambda x: -x, lambda x: x * 0.5, np.exp]
BINARY = [lambda x, y: x + y, lambda x, y: x * y, lambda x, y: x - y, np.maximum, np.hypot]


@st.composite
def graphs(draw):
    """A random graph: each value made from one or two of those before it."""
    shape = draw(st.sampled_from([(), (3,), (2, 1)]))
    size = int(np.prod(shape))
    numbers = draw(st.lists(st.floats(0.25, 1.0, width=16), min_size=size, max_size=size))
    values = [Tensor(np.reshape(np.array(numbers), shape), name="x"), Tensor(0.75, name="y")]
    for _ in range(draw(st.integers(1, 8))):
        one, other = (values[draw(st.integers(0, len(values) - 1))] for _ in range(2))
        if draw(st.booleans()):
            values.append(draw(st.sampled_from(BINARY))(one, other))
        else:
            values.append(np.tanh(draw(st.sampled_from(UNARY))(one)))
    return (values[-1] * values[draw(st.integers(0, len(values) - 1))]).sum(), values[:2]


@settings(max_examples=150, deadline=None, database=None, derandomize=True)
@given(graphs())
def test_the_paths_through_random_graphs_sum_to_the_gradient(graph):
    loss, inputs = graph
    tape = Tape(loss)
    gradients = tape.gradients()
    for x in inputs:
        found = viz.paths(loss, x)
        if x.node not in tape:
            assert found.count == 0 and found.gradient is None
            continue
        assert found.count == walked(tape, x.node) == len(list(found))
        assert found.factors == sum(len(path) for path in found)
        assert found.shortest == min(len(path) for path in found)
        assert found.longest == max(len(path) for path in found)
        assert found.edges == len({(e.result, e.position) for path in found for e in path.edges})
        assert len({tuple((e.result, e.position) for e in path.edges) for path in found}) == found.count
        np.testing.assert_allclose(found.total, gradients[x.node], rtol=1e-9, atol=1e-11)
        np.testing.assert_array_equal(found.gradient, gradients[x.node])
        for path in found:
            if path.factors is not None:
                np.testing.assert_allclose(np.prod(path.factors), path.product, rtol=1e-9, atol=1e-300)


# --- counting ---------------------------------------------------------------------------------------------------------


def doubled(times):
    x = Tensor(0.0, name="x")
    y = x
    for _ in range(times):
        y = y + y
    return y, x


def test_the_count_is_exact_without_listing():
    y, x = doubled(500)
    found = viz.paths(y, x)
    assert found.count == 2**500
    assert found.edges == 1000
    assert found.factors == 500 * 2**500
    assert found.longest == found.shortest == 500
    assert float(found.gradient) == 2.0**500


def test_too_many_paths_are_counted_and_not_listed():
    y, x = doubled(12)
    found = viz.paths(y, x)
    for ask in (lambda: found[0], lambda: iter(found), lambda: list(found), lambda: len(found), lambda: found.total):
        with pytest.raises(ValueError, match=r"there are 4096 paths from x to L, more than 1000: \.count and \.gradie"):
            ask()
    assert found and found.count == 4096
    assert str(found).splitlines() == [
        "∂L/∂x = 4096, the sum over 4096 paths.",
        "4096 paths through 24 edges. Path by path: 4096 products of 12 edge derivatives, 49152 in all. Reverse mode: "
        "each edge once, 24.",
        "They are not listed: there are more than 1000.",
    ]
    assert len(viz.paths(y, x, limit=4096)) == 4096


def test_huge_counts_are_printed_in_short():
    y, x = doubled(4000)
    found = viz.paths(y.sum(), x)
    assert found.count == 2**4000 > sys.maxsize
    with np.errstate(all="ignore"):
        assert "about 1.32·10^1204 paths through 8001 edges" in str(found)
    with pytest.raises(ValueError, match=r"about 1\.32·10\^1204 paths"):
        list(found)


def test_long_paths_need_no_recursion():
    x = Tensor(1.0, name="x")
    y = x
    for _ in range(20_000):
        y = y + 1.0
    start = time.perf_counter()
    (path,) = viz.paths(y, x)
    assert len(path) == 20_000 and float(path.product) == 1.0
    assert str(path) == "x → y (1) → y (2) → y (3) → … 19995 more … → y (19999) → L"
    assert time.perf_counter() - start < 30


# --- edges of the definition ------------------------------------------------------------------------------------------


def test_from_the_loss_itself_there_is_one_path_of_no_edges():
    x = Tensor(2.0, name="x")
    for loss in (x, x * 3.0):
        (path,) = found = viz.paths(loss, loss)
        assert (found.count, found.edges, len(path)) == (1, 0, 0)
        assert path.nodes == (loss.node,) and path.factors == ()
        assert float(path.product) == float(found.total) == float(found.gradient) == 1.0
    assert str(viz.paths(x, x)).endswith("1 path of no edges: x is what gradients are of.")


@pytest.mark.parametrize(
    ("x", "why"),
    [
        (Tensor([1.0, 2.0], name="x", requires_grad=False), "it requires no gradient"),
        (Tensor([1.5, 2.5], name="x"), "an operation without a derivative stands between"),
        (Tensor([1, 2], name="x"), "it requires no gradient"),
    ],
)
def test_without_a_path_the_count_is_zero_and_there_is_no_gradient(x, why):
    loss = (np.floor(x * 1.0) * Tensor(2.0)).sum()
    found = viz.paths(loss, x)
    assert not found and found.count == found.edges == len(found) == 0
    assert found.gradient is None and list(found) == []
    assert str(found) == f"There is no path from x to L: {why}."


def test_from_what_is_not_on_the_tape_there_is_no_path():
    found = viz.paths(Tensor(2.0) * 3.0, Tensor([1.0, 2.0]))
    assert found.count == 0 and found.gradient is None
    np.testing.assert_array_equal(found.total, [0.0, 0.0])
    assert str(found) == "There is no path from that Tensor of shape (2,) to L: it is not on the tape."


def test_a_loss_that_is_no_scalar_needs_a_gradient_to_start_from():
    x = Tensor([1.0, 2.0], name="x")
    out = x * x
    with pytest.raises(ValueError, match=r"paths: the loss has shape \(2,\).*grad=np.ones\(\(2,\)\)"):
        viz.paths(out, x)
    found = viz.paths(out, x, grad=[1.0, -1.0])
    np.testing.assert_array_equal([path.product for path in found], [[1.0, -2.0]] * 2)


def test_a_given_gradient_is_the_first_factor_of_every_product():
    x = Tensor(3.0, name="x")
    found = viz.paths(np.square(x) * 2.0, x, grad=10.0)
    assert float(found.total) == 120.0
    assert "10 × 2 × 6 = 120" in str(found)


def test_an_infinite_product_stays_where_it_is():
    x = Tensor(0.0, name="x")
    found = viz.paths(np.sqrt(x) + x, x)
    assert [float(path.product) for path in found] == [np.inf, 1.0]
    assert "Inf" in str(found)


def test_float32_stays_float32():
    x = Tensor(np.array([1.0, 2.0], np.float32))
    found = viz.paths((x * x).sum(), x)
    assert found.total.dtype == found[0].product.dtype == np.float32


def test_paths_are_indexed_like_a_list():
    z, x = classic()
    found = viz.paths(z, x)
    assert len(found) == 9 and found[-1] is found[8]
    with pytest.raises(IndexError, match="there are 9 paths from x to z, no path 9"):
        found[9]
    with pytest.raises(TypeError, match="a path is chosen by an integer, got 'a'"):
        found["a"]
    assert repr(found) == "<Paths from x to z: 9 paths through 6 edges>"


def test_products_can_not_be_changed():
    x = Tensor([1.0, 2.0])
    found = viz.paths(x.sum(), x)
    for array in (found[0].product, found.total, found.gradient):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5.0
    assert x.grad is None


@pytest.mark.parametrize(
    ("error", "match", "ask"),
    [
        (TypeError, "paths: expected a Tensor or a Tape, got float", lambda loss, x: viz.paths(2.0, x)),
        (TypeError, "paths: expected a Tensor, a record or a name, got float", lambda loss, x: viz.paths(loss, 2.0)),
        (KeyError, "paths: no record is named 'weight'; nearest: weights", lambda loss, x: viz.paths(loss, "weight")),
        (KeyError, "paths: no record is named '%9'; the records are %0 to %2", lambda loss, x: viz.paths(loss, "%9")),
        (ValueError, "limit must be a non-negative integer, got -1", lambda loss, x: viz.paths(loss, x, limit=-1)),
        (ValueError, r"starting gradient has shape \(3,\)", lambda loss, x: viz.paths(loss, x, grad=np.ones(3))),
    ],
)
def test_bad_input_is_refused_in_a_sentence(error, match, ask):
    x = Tensor([1.0, 2.0], name="weights")
    with pytest.raises(error, match=match):
        ask((x * x).sum(), x)


def test_paths_start_at_every_name_that_is_printed():
    x = Tensor(3.0, name="x")
    h = x * x
    loss = h * x + h
    assert viz.paths(loss, h).count == 2
    assert str(viz.paths(loss, "%1")) == str(viz.paths(loss, h)) == str(viz.paths(loss, h.node))
    assert viz.paths(loss, "%0").count == viz.paths(loss, x).count == 5
    assert viz.paths(loss, "L").count == viz.paths(loss, "%3").count == 1


def test_of_several_records_of_one_name_each_is_found_by_its_number():
    x = Tensor(2.0, name="h")
    h = x * x
    h.name = "h"
    loss = h * 3.0
    assert [viz.paths(loss, name).node for name in ("h", "h (1)", "h (2)")] == [h.node, x.node, h.node]


def test_a_parameter_that_was_updated_since_is_found_by_what_holds_it():
    w = Tensor(2.0, name="w")
    loss = w * w
    w.data = np.array(5.0)
    assert viz.paths(loss, w).count == 2


def test_numbers_below_zero_have_a_minus_sign():
    a, b, c = (Tensor(value, name=name) for value, name in ((-2.0, "a"), (-3.0, "b"), (5.0, "c")))
    text = str(viz.paths(a * b * c, a))
    assert "5 × (−3) = −15" in text and "-" not in text


def test_a_loss_without_a_tape_is_refused():
    with no_grad():
        loss = Tensor(1.0) * 2
    with pytest.raises(TypeError, match="paths: this Tensor has no recorded history"):
        viz.paths(loss, "x")


def test_a_notebook_shows_paths_as_a_table_and_counts_those_too_many_to_list():
    x = Tensor(2.0, name="x")
    assert viz.paths(x * x, x)._repr_html_().count("<tr>") == 3
    y = x
    for _ in range(12):
        y = y + y
    told = viz.paths(y, x)._repr_html_()
    assert "<table>" not in told and "more than 1000" in told
