"""`viz.contributions`: the terms of the gradient of a shared parameter, and their picture."""

from xml.etree import ElementTree as ET

import numpy as np
import opcases
import pytest
from opchecks import loss as loss_of

import nn
import viz
from autograd import Tape, Tensor, no_grad
from nn import functional as F
from viz.sums import Terms, occurrences, shared_axes
from viz.tape.calls import Call

SVG = "{http://www.w3.org/2000/svg}"
RNG = np.random.default_rng(5)


def array(*shape):
    return RNG.normal(size=shape)


def closely(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-10, atol=1e-12)


def kernel(*shape):
    return nn.Parameter(array(*shape), name="g⁽¹⁾")


def squares(out):
    return (out * out).sum()


def lenet_like(images=1):
    """One convolution on images, with the names of the textbook."""
    conv = nn.Conv2d(1, 2, 3, rng=0, dtype=np.float64)
    x = Tensor(array(images, 1, 6, 6), name="x", requires_grad=False)
    return conv, squares(conv(x))


CONVOLUTIONS = {
    "plain": ((2, 3, 6, 7), (4, 3, 3, 2), {}),
    "stride and padding": ((3, 2, 7, 7), (2, 2, 3, 3), {"stride": (2, 3), "padding": (1, 2)}),
    "dilation": ((1, 2, 8, 8), (3, 2, 3, 3), {"dilation": (2, 1)}),
    "groups": ((2, 4, 5, 5), (6, 2, 2, 2), {"groups": 2}),
    "depthwise": ((2, 3, 5, 5), (3, 1, 3, 3), {"groups": 3, "padding": 1}),
    "one position": ((2, 1, 3, 3), (2, 1, 3, 3), {}),
    "an image without a batch": ((2, 6, 6), (3, 2, 3, 3), {}),
}


@pytest.fixture(params=CONVOLUTIONS.values(), ids=CONVOLUTIONS.keys())
def convolution(request):
    shape, kernel_shape, options = request.param
    g = kernel(*kernel_shape)
    return g, squares(F.conv2d(Tensor(array(*shape), name="x", requires_grad=False), g, **options))


# --- kernels ----------------------------------------------------------------------------------------------------------


def test_contributions_of_a_kernel_sum_to_its_gradient(convolution):
    g, loss = convolution
    terms = viz.contributions(loss, g)
    loss.backward()
    closely(terms.total, g.grad)
    closely(terms.array.sum(axis=(0, 1, 2)), g.grad)
    np.testing.assert_array_equal(terms.gradient, g.grad)
    assert terms.difference < 1e-12 * max(1, np.abs(g.grad).max()) * 100


def test_the_contribution_of_a_position_is_the_rule_run_on_its_gradient_alone(convolution):
    g, loss = convolution
    tape = Tape(loss)
    gradients = tape.gradients()
    (plan,) = occurrences(tape, g.node, gradients)
    for by in (None, "position", "image"):
        upstream = gradients[plan.node]
        closely(Terms(plan, by, None).array(upstream), Terms(plan, by, None).one_by_one(upstream))
    chosen = Terms(plan, None, np.array([0]))
    closely(chosen.array(upstream), chosen.one_by_one(upstream))


def test_the_contribution_of_a_position_is_the_patch_times_delta():
    g = kernel(2, 3, 2, 2)
    x = array(2, 3, 4, 5)
    terms = viz.contributions(squares(F.conv2d(Tensor(x), g)), g)
    delta = terms.uses[0].delta
    for n, p, q, f in np.ndindex(2, 3, 4, 2):
        closely(terms.array[n, p, q, f], delta[n, f, p, q] * x[n, :, p : p + 2, q : q + 2])


def test_a_cell_shows_the_shifted_input_times_delta_and_its_running_sum(convolution):
    g, loss = convolution
    terms = viz.contributions(loss, g)
    for f, c, i, j in np.ndindex(*g.shape):
        cell = terms.cell(i, j, out_channel=f, in_channel=c)
        closely(cell.map, cell.input * cell.delta)
        closely(cell.map, terms.array[..., f, c, i, j])
        closely(cell.running[-1], terms.gradient[f, c, i, j])
        assert cell.map.shape == terms.array.shape[:3]
        assert cell.index == (f, c, i, j)
        assert cell.gradient == terms.gradient[f, c, i, j]


def test_a_cell_meets_the_input_shifted_by_its_place():
    g = kernel(1, 1, 3, 3)
    x = array(1, 1, 6, 6)
    cell = viz.contributions(squares(F.conv2d(Tensor(x), g)), g).cell(2, 1)
    np.testing.assert_array_equal(cell.input[0], x[0, 0, 2:, 1:5])


def test_sums_over_images_and_over_positions():
    conv, loss = lenet_like(images=3)
    terms = viz.contributions(loss, conv.weight)
    assert terms.array.shape == (3, 4, 4, 2, 1, 3, 3)
    closely(terms.by_position, terms.array.sum(axis=0))
    closely(terms.by_image, terms.array.sum(axis=(1, 2)))


def test_by_adds_up_before_anything_is_stored():
    conv, loss = lenet_like(images=3)
    for p, shape in ((conv.weight, (2, 1, 3, 3)), (conv.bias, (2,))):
        whole = viz.contributions(loss, p)
        by_position = viz.contributions(loss, p, by="position")
        by_image = viz.contributions(loss, p, by="image")
        assert by_position.array.shape == (4, 4, *shape) and by_position.count == 16
        assert by_image.array.shape == (3, *shape) and by_image.count == 3
        closely(by_position.array, whole.by_position)
        closely(by_image.array, whole.by_image)
        closely(by_position.by_position, whole.by_position)
        closely(by_image.total, whole.gradient)
        with pytest.raises(ValueError, match="added up by position; ask again without by="):
            _ = by_position.by_image


def test_some_images_give_their_part_of_the_gradient():
    conv, loss = lenet_like(images=4)
    for p in conv.parameters():
        whole = viz.contributions(loss, p)
        part = viz.contributions(loss, p, images=[2, -4])
        closely(part.array, whole.array[[2, 0]])
        closely(part.total, whole.array[[2, 0]].sum(axis=(0, 1, 2)))
        closely(viz.contributions(loss, p, images=3, by="position").array, whole.array[3])
        assert part.difference is None
        assert "sum = their part of the gradient" in str(part)
    cell = viz.contributions(loss, conv.weight, images=[2, 0]).cell(0, 1)
    whole = viz.contributions(loss, conv.weight).cell(0, 1)
    closely(cell.map, whole.map[[2, 0]])
    assert cell.gradient == cell.map.sum()
    row = viz.contributions(squares(Tensor(array(4, 3)) @ conv.weight.reshape(9, 2)[:3]), conv.weight, images=[1])
    assert row.array.shape == (1, 2, 1, 3, 3)


def test_the_cell_is_whole_also_where_contributions_were_added_up():
    conv, loss = lenet_like(images=3)
    closely(viz.contributions(loss, conv.weight, by="image").cell(1, 2, 1).map,
            viz.contributions(loss, conv.weight).cell(1, 2, 1).map)  # fmt: skip


def test_a_kernel_is_followed_through_reshapes_and_transposes():
    flat = nn.Parameter(array(12, 2), name="flat")
    x = Tensor(array(2, 3, 5, 5))
    loss = squares(F.conv2d(x, flat.T.reshape(2, 3, 2, 2) * 2.0))
    terms = viz.contributions(loss, flat)
    loss.backward()
    assert terms.array.shape == (2, 4, 4, 12, 2)
    closely(terms.total, flat.grad)
    same = kernel(2, 3, 2, 2)
    same.data = flat.data.T.reshape(2, 3, 2, 2) * 2.0
    plain = viz.contributions(squares(F.conv2d(x, same)), same)
    closely(terms.array, 2 * plain.array.reshape(2, 4, 4, 2, 12).swapaxes(-1, -2))
    closely(terms.cell(1, 0, 1, 2).map, plain.cell(1, 0, 1, 2).map)


def test_several_uses_stand_one_after_the_other():
    g = kernel(1, 1, 2, 2)
    loss = squares(F.conv2d(Tensor(array(1, 1, 4, 4)), g)) + squares(F.conv2d(Tensor(array(1, 1, 3, 5)), g)) + g.sum()
    terms = viz.contributions(loss, g)
    loss.backward()
    assert [use.array.shape[:3] for use in terms.uses[:2]] == [(1, 3, 3), (1, 2, 4)]
    assert terms.array.shape == (9 + 8 + 1, 1, 1, 2, 2) and terms.count == 18
    closely(terms.total, g.grad)
    closely(sum(use.array.reshape(-1, 1, 1, 2, 2).sum(axis=0) for use in terms.uses), g.grad)
    assert terms.cell(0, 0, use=1).map.shape == (1, 2, 4)
    with pytest.raises(ValueError, match="used 3 times, at different numbers of positions"):
        _ = terms.by_position
    with pytest.raises(IndexError, match="3 uses, there is no use 3"):
        terms.cell(0, 0, use=3)
    assert "18 contributions" in terms.svg()


def test_uses_of_one_shape_are_added_by_position():
    g = kernel(1, 1, 2, 2)
    x, y = Tensor(array(1, 1, 4, 4)), Tensor(array(1, 1, 4, 4))
    terms = viz.contributions(squares(F.conv2d(x, g)) + squares(F.conv2d(y, g)), g)
    closely(terms.by_position, sum(use.array for use in terms.uses)[0])
    closely(terms.by_position.sum(axis=(0, 1)), terms.gradient)


# --- every other operation --------------------------------------------------------------------------------------------


def test_each_row_of_a_batch_adds_its_outer_product_to_a_dense_layer():
    layer = nn.Linear(3, 2, rng=0, dtype=np.float64)
    x = array(5, 3)
    loss = squares(layer(Tensor(x)))
    terms = viz.contributions(loss, layer.weight)
    assert terms.array.shape == (5, 2, 3)
    closely(terms.array, terms.uses[0].delta[:, :, None] * x[:, None, :])
    bias = viz.contributions(loss, layer.bias)
    np.testing.assert_array_equal(bias.array, bias.uses[0].delta)


def test_a_recurrent_weight_contributes_at_every_step():
    w = nn.Parameter(array(3, 3) / 3, name="W_h")
    h = Tensor(array(4, 3), requires_grad=False)
    for _ in range(6):
        h = np.tanh(h @ w)
    loss = squares(h)
    terms = viz.contributions(loss, w)
    loss.backward()
    assert len(terms.uses) == 6 and terms.array.shape == (24, 3, 3)
    closely(terms.total, w.grad)
    closely(terms.by_image.sum(axis=0), w.grad)


def test_an_embedding_contributes_where_its_rows_are_picked():
    table = Tensor(array(4, 3), name="E")
    terms = viz.contributions(squares(table[[2, 0, 2]]), table)
    assert terms.array.shape == (3, 4, 3)
    closely(terms.array[0] + terms.array[2], terms.gradient * (np.arange(4) == 2)[:, None])


def test_what_is_not_shared_has_one_contribution():
    w = Tensor(array(3), name="w")
    terms = viz.contributions((np.exp(w) * Tensor(array(3))).sum(), w)
    assert terms.count == 1
    np.testing.assert_array_equal(terms.array, terms.gradient)
    assert "used as a whole, once" in str(terms)
    same = viz.contributions(w, w, grad=[1.0, 2.0, 3.0])
    np.testing.assert_array_equal(same.array, [1.0, 2.0, 3.0])


def test_a_repeated_operand_is_two_uses():
    x = Tensor(array(3), name="x")
    terms = viz.contributions((x * x).sum(), x)
    closely(terms.array, [x.data, x.data])


@pytest.mark.parametrize(
    ("build", "shape", "axes"),
    [
        (lambda w: Tensor(array(5, 3)) @ w, (3, 2), (0,)),
        (lambda w: w @ Tensor(array(3, 6)), (2, 3), (1,)),
        (lambda w: np.inner(Tensor(array(2, 5, 3)), w), (4, 3), (0, 1)),
        (lambda w: Tensor(array(3)) @ w, (3, 2), ()),
        (lambda w: np.einsum("nij,jk->nik", Tensor(array(4, 2, 3)), w), (3, 5), (0, 1)),
        (lambda w: np.einsum("nij,njk->nik", Tensor(array(4, 2, 3)), w), (4, 3, 5), (1,)),
        (lambda w: Tensor(array(4, 1, 2)) + w, (3, 2), (0,)),
        (lambda w: Tensor(array(4, 3)) * w, (4, 1), (1,)),
        (lambda w: Tensor(array(4, 3)) * w, (), (0, 1)),
        (lambda w: np.where(np.eye(3, dtype=bool), Tensor(array(3, 3)), w), (3,), (0,)),
        (lambda w: np.outer(w, Tensor(array(4))), (3,), (1,)),
        (lambda w: F.softmax(w), (2, 3), (1,)),
        (lambda w: np.cumsum(w, axis=0), (4, 2), (0,)),
        (lambda w: w[np.array([0, 0, 1])], (2, 2), (0,)),
        (lambda w: w[np.array([1, 0])], (2, 2), ()),
        (lambda w: np.linalg.inv(w), (2, 2), (0, 1)),
        (lambda w: w.sum(axis=0), (4, 2), ()),
    ],
)  # fmt: skip
def test_axes_are_shared_where_their_indices_meet_in_an_element(build, shape, axes):
    w = Tensor(array(*shape) + 3 * np.eye(*shape) if len(shape) == 2 else array(*shape))
    out = build(w)
    tape = Tape(out)
    operand = next(i for i, a in enumerate(out.node.operands) if a is w.node)
    assert shared_axes(tape, out.node, operand) == axes


@pytest.mark.parametrize("op", opcases.ALL, ids=str)
def test_contributions_sum_to_the_gradient_for_every_operation(op):
    tensors = [Tensor(x) for x in op.operands()]
    with np.errstate(all="ignore"):
        loss = loss_of(op.fn(*tensors))
        loss.backward()
        for x in tensors:
            terms = viz.contributions(loss, x)
            np.testing.assert_allclose(terms.total, x.grad, rtol=1e-9, atol=1e-9)
            for use in terms.uses:
                plan = use._chosen.plan
                if plan.operand >= 0 and not plan.before:
                    np.testing.assert_allclose(use.array, use._chosen.one_by_one(use.delta), rtol=1e-9, atol=1e-9)


def test_a_call_runs_the_rule_of_one_operand_alone():
    x, y = Tensor(array(2, 3), name="x"), Tensor(array(3), name="y")
    out = x * y
    closely(Call(out.node, 1).pull(np.ones((2, 3))), x.data.sum(axis=0))
    closely(Call(out.node, 0).pull(np.ones((2, 3))), np.broadcast_to(y.data, (2, 3)))
    assert out.node.operands == (x.node, y.node) and x.grad is None


def test_nothing_of_the_users_is_changed():
    conv, loss = lenet_like()
    loss.backward()
    before = [p.grad.copy() for p in conv.parameters()]
    terms = viz.contributions(loss, conv.weight)
    terms.svg()
    for p, grad in zip(conv.parameters(), before, strict=True):
        np.testing.assert_array_equal(p.grad, grad)
    with pytest.raises(ValueError, match="read-only"):
        terms.array[...] = 0


def test_dtype_is_that_of_the_parameter():
    conv = nn.Conv2d(1, 2, 3, rng=0)
    loss = squares(conv(Tensor(array(2, 1, 5, 5).astype(np.float32))))
    for p in conv.parameters():
        assert (
            viz.contributions(loss, p).array.dtype == viz.contributions(loss, p, by="image").total.dtype == np.float32
        )


def test_nan_stays_at_its_position():
    g = kernel(1, 1, 2, 2)
    x = array(1, 1, 4, 4)
    x[0, 0, 0, 0] = np.nan
    terms = viz.contributions(F.conv2d(Tensor(x), g).sum(), g)
    assert np.isnan(terms.array[0, 0, 0, 0, 0, 0, 0])
    assert np.isnan(terms.array).sum() == 1
    assert terms.difference < 1e-12
    ET.fromstring(terms.svg())


# --- what may be asked for --------------------------------------------------------------------------------------------


def test_a_parameter_is_found_by_its_name():
    conv, loss = lenet_like()
    np.testing.assert_array_equal(
        viz.contributions(loss, conv.weight.name).array, viz.contributions(Tape(loss), conv.weight.node).array
    )
    with pytest.raises(KeyError, match=r"contributions: no record is named 'g1'; nearest: g⁽¹⁾"):
        viz.contributions(loss, "g1")


def test_a_loss_that_is_no_scalar_needs_a_gradient_to_start_from():
    g = kernel(1, 1, 2, 2)
    out = F.conv2d(Tensor(array(1, 1, 3, 3)), g)
    with pytest.raises(ValueError, match=r"the loss has shape \(1, 1, 2, 2\), .*grad=np.ones\(\(1, 1, 2, 2\)\)"):
        viz.contributions(out, g)
    seed = array(1, 1, 2, 2)
    terms = viz.contributions(out, g, grad=seed)
    out.backward(seed)
    closely(terms.total, g.grad)


def test_too_many_contributions_are_refused_before_they_are_made():
    conv, loss = lenet_like(images=4)
    with pytest.raises(ValueError) as error:
        viz.contributions(loss, conv.weight, limit=3000)
    assert str(error.value) == (
        "contributions: g⁽¹⁾ of shape (2, 1, 3, 3) has 64 contributions (4 × 4 × 4), 9216 bytes, more than the limit "
        "of 3000 bytes: ask for by='position' (2304 bytes), by='image' (576 bytes), some of the images, images=[0] "
        "(2304 bytes), or raise limit="
    )
    assert viz.contributions(loss, conv.weight, limit=None).count == 64
    assert viz.contributions(loss, conv.weight, limit=9216).count == 64


@pytest.mark.parametrize(
    ("error", "match", "ask"),
    [
        (TypeError, "expected a Tensor or a Tape, got float", lambda loss, w: viz.contributions(2.0, w)),
        (TypeError, "expected a Tensor, a record or a name, got int", lambda loss, w: viz.contributions(loss, 3)),
        (ValueError, r"that Tensor of shape \(2,\) is not on the tape of L",
         lambda loss, w: viz.contributions(loss, Tensor([1.0, 2.0]))),
        (ValueError, "no gradient of L reaches x: it does not require one",
         lambda loss, w: viz.contributions(loss, "x")),
        (ValueError, "by must be None, 'position' or 'image', got 'row'",
         lambda loss, w: viz.contributions(loss, w, by="row")),
        (ValueError, "images=5 is not within the 2", lambda loss, w: viz.contributions(loss, w, images=5)),
        (ValueError, "list of different integers", lambda loss, w: viz.contributions(loss, w, images=[0, 0])),
        (ValueError, "list of different integers", lambda loss, w: viz.contributions(loss, w, images=[0.5])),
        (IndexError, r"no element \[0, 9\]", lambda loss, w: viz.contributions(loss, w).element(0, 9)),
        (IndexError, r"no element \[0\]", lambda loss, w: viz.contributions(loss, w).element(0)),
        (TypeError, "chosen by integers", lambda loss, w: viz.contributions(loss, w).element(0, "a")),
        (ValueError, "w is not a kernel that slides over images here",
         lambda loss, w: viz.contributions(loss, w).cell(0, 0)),
        (ValueError, r"the starting gradient has shape \(3,\)",
         lambda loss, w: viz.contributions(loss, w, grad=np.ones(3))),
    ],
)  # fmt: skip
def test_bad_input_is_refused_in_a_sentence(error, match, ask):
    w = Tensor(array(3, 2), name="w")
    loss = squares(Tensor(array(2, 3), name="x", requires_grad=False) @ w)
    with pytest.raises(error, match=match):
        ask(loss, w)


def test_a_loss_without_a_tape_is_refused():
    with no_grad():
        loss = (Tensor([1.0]) * 2).sum()
    with pytest.raises(TypeError, match="contributions: this Tensor has no recorded history"):
        viz.contributions(loss, "w")


def test_a_parameter_that_was_updated_since_is_found_by_what_holds_it():
    conv, loss = lenet_like()
    before = viz.contributions(loss, conv.weight).array
    conv.weight.data = conv.weight.data * 0.5
    np.testing.assert_array_equal(viz.contributions(loss, conv.weight).array, before)


def test_another_tensor_of_the_same_name_is_pointed_out():
    _, loss = lenet_like()
    with pytest.raises(ValueError, match="there is another of that name: ask for 'g⁽¹⁾'"):
        viz.contributions(loss, lenet_like()[0].weight)


def test_a_record_is_found_by_every_name_that_is_printed_for_it():
    w = Tensor(array(3, 2), name="w")
    h = Tensor(array(2, 3), name="x") @ w
    loss = squares(h)
    by_tensor = viz.contributions(loss, h)
    for name in (h.node, by_tensor.name, "%2"):
        np.testing.assert_array_equal(viz.contributions(loss, name).array, by_tensor.array)
    assert by_tensor.name == "h"
    assert viz.contributions(loss, "L").array == 1.0


def test_a_limit_that_leaves_nothing_else_to_ask_for_is_to_be_raised():
    x = Tensor(np.ones(10000), name="x")
    with pytest.raises(ValueError) as error:
        viz.contributions(x.sum(), x, limit=10)
    assert str(error.value) == (
        "contributions: x of shape (10000,) has 1 contribution, 80000 bytes, more than the limit of 10 bytes: "
        "raise limit="
    )


@pytest.mark.parametrize("limit", ["a", -1, True, float("nan"), [10]])
def test_a_limit_is_a_number_of_bytes(limit):
    x = Tensor(np.ones(3), name="x")
    with pytest.raises(ValueError, match="limit must be a number of bytes of at least 0, or None, got"):
        viz.contributions(x.sum(), x, limit=limit)


def test_a_gradient_that_is_stopped_is_named():
    w = Tensor([1.5, 2.5], name="w")
    with pytest.raises(ValueError, match="an operation without a derivative stands between"):
        viz.contributions((np.floor(w) * Tensor(2.0)).sum(), w)


def test_images_need_a_first_axis_that_shares():
    w = Tensor(array(3), name="w")
    with pytest.raises(ValueError, match="chooses along the first axis"):
        viz.contributions((w * 2.0).sum(), w, images=0)


# --- as text and pictures ---------------------------------------------------------------------------------------------


def test_the_text_says_how_many_and_that_they_sum_to_the_gradient():
    conv, loss = lenet_like()
    terms = viz.contributions(loss, conv.weight)
    assert str(terms).startswith("g⁽¹⁾ (2, 1, 3, 3): 16 contributions, sum = gradient (largest difference ")
    assert str(terms).endswith("= %3 ⋆ g⁽¹⁾: 1 image × 4×4 positions")
    assert repr(terms).startswith("<Contributions: g⁽¹⁾ (2, 1, 3, 3): 16 contributions")


def texts(svg):
    return [t.text for t in ET.fromstring(svg).iter(f"{SVG}text")]


def test_the_picture_shows_kernel_gradient_input_delta_and_the_running_sum():
    conv, loss = lenet_like()
    terms = viz.contributions(loss, conv.weight)
    shown = texts(terms.svg(1, 0, 2, 0))
    for text in ("g⁽¹⁾", "∂L/∂g⁽¹⁾", "x", "δ = ∂L/∂z⁽¹⁾", "x shifted by (2, 0)", "⊙", "=", "Σ", "running sum"):
        assert text in shown
    assert shown[-1].startswith("∂L/∂g⁽¹⁾[1, 0, 2, 0] = ")
    assert shown[-1].endswith("the sum of 16 contributions: 1 image × 4×4 positions")
    root = ET.fromstring(terms.svg(1, 0, 2, 0))
    assert len(list(root.iter(f"{SVG}image"))) == 7
    (curve,) = root.iter(f"{SVG}polyline")
    assert len(curve.get("points").split()) == 17


def test_the_picture_shows_the_element_with_the_largest_gradient():
    conv, loss = lenet_like()
    terms = viz.contributions(loss, conv.weight)
    largest = list(map(int, np.unravel_index(np.abs(terms.gradient).argmax(), terms.shape)))
    assert f"∂L/∂g⁽¹⁾{largest} = " in terms.svg()


@pytest.mark.parametrize("shape", [(), (1,), (4,), (2, 3), (40, 50)])
def test_every_parameter_has_a_picture(shape):
    w = Tensor(array(*shape), name="w")
    svg = viz.contributions(squares(Tensor(array(7, *(shape or (3,)))) + w), w).svg()
    assert "7 contributions" in svg or "21 contributions" in svg


def test_names_do_nothing_in_the_picture():
    w = Tensor(array(2), name='<script>alert("1")</script>&')
    svg = viz.contributions((Tensor(array(3, 2)) * w).sum(), w).svg()
    assert "<script" not in svg
    ET.fromstring(svg)


def test_the_picture_is_self_contained():
    conv, loss = lenet_like(images=2)
    root = ET.fromstring(viz.contributions(loss, conv.weight).svg())
    links = [v for e in root.iter() for k, v in e.attrib.items() if k.endswith("href")]
    assert links and all(link.startswith("data:image/png;base64,") for link in links)
    assert not [e for e in root.iter() if e.get("id")]


def test_save_writes_the_format_of_the_suffix_or_nothing(tmp_path):
    conv, loss = lenet_like()
    terms = viz.contributions(loss, conv.weight)
    assert terms.save(tmp_path / "g.svg", 0, 0, 1, 1).read_text().startswith("<svg")
    assert terms.save(tmp_path / "g.txt").read_text() == f"{terms}\n"
    assert terms.save(tmp_path / "g.png", 0, 0, 1, 1).read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match=r"'g\.gif' ends in \.gif; known are \.svg \.png \.pdf \.txt"):
        terms.save(tmp_path / "g.gif")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        terms.save(tmp_path / "nowhere" / "g.svg")
    with pytest.raises(IndexError, match="has no element"):
        terms.save(tmp_path / "other.svg", 0, 0, 7, 7)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["g.png", "g.svg", "g.txt"]


def test_notebooks_get_picture_and_text():
    conv, loss = lenet_like()
    terms = viz.contributions(loss, conv.bias)
    assert set(terms._repr_mimebundle_()) == {"text/plain", "text/html"}
    assert set(terms._repr_mimebundle_(include={"text/plain"})) == {"text/plain"}
    assert set(terms._repr_mimebundle_(exclude={"text/html"})) == {"text/plain"}


def test_an_empty_parameter_has_no_picture():
    w = Tensor(np.zeros((0, 2)), name="w")
    terms = viz.contributions((Tensor(array(3, 0)) @ w).sum(), w)
    assert terms.array.shape[-2:] == (0, 2)
    assert set(terms._repr_mimebundle_()) == {"text/plain"}
    with pytest.raises(ValueError, match="no elements to show"):
        terms.svg()


def test_the_array_of_contributions_is_what_numpy_makes_of_them():
    conv, loss = lenet_like()
    terms = viz.contributions(loss, conv.weight)
    np.testing.assert_array_equal(np.asarray(terms), terms.array)
    assert np.asarray(terms, dtype=np.float32).dtype == np.float32
    assert np.array(terms).flags.writeable
