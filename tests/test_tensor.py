"""What a Tensor is: construction, immutability, operators, Python's protocols, errors."""

import copy
import pickle

import numpy as np
import pytest

from autograd import Tensor, no_grad, set_at


def test_floating_point_tensors_require_a_gradient_and_integers_never_do():
    assert Tensor([1.0, 2.0]).requires_grad
    assert not Tensor([1, 2]).requires_grad
    assert not Tensor([True]).requires_grad
    assert not Tensor(2.0, requires_grad=False).requires_grad


def test_an_integer_tensor_that_is_to_require_a_gradient_is_refused():
    with pytest.raises(TypeError, match="dtype int64 can't require a gradient"):
        Tensor([1, 2], requires_grad=True)


@pytest.mark.parametrize(
    ("data", "message"),
    [(["a"], "holds numbers"), (np.array([object()]), "holds numbers"), ([None], "holds numbers")],
)
def test_data_that_are_not_numbers_are_refused(data, message):
    with pytest.raises(TypeError, match=message):
        Tensor(data)


def test_a_writable_array_is_copied_when_a_tensor_is_made():
    data = np.ones(3)
    t = Tensor(data)
    data[:] = 7
    np.testing.assert_array_equal(t.data, np.ones(3))


def test_a_read_only_view_of_a_writable_array_is_copied_too():
    base = np.ones(3)
    view = base[:]
    view.flags.writeable = False
    t = Tensor(view)
    base[:] = 7
    np.testing.assert_array_equal(t.data, np.ones(3))


def test_the_data_handed_out_are_read_only_arrays_also_where_they_are_0d():
    for t in (Tensor([1.0, 2.0]), Tensor(3.0), Tensor([1.0, 2.0]) * 2, Tensor([1.0, 2.0]).sum()):
        assert type(t.data) is np.ndarray
        assert type(t.numpy()) is np.ndarray
        assert not t.data.flags.writeable


def test_a_constant_array_changed_after_use_does_not_change_the_gradient():
    x, c = Tensor([1.0, 2.0]), np.array([3.0, 4.0])
    for y in (x * c, c * x, np.multiply(x, c)):
        x.grad = None
        kept, c[:] = c.copy(), 0
        y.sum().backward()
        np.testing.assert_array_equal(x.grad, kept)
        c[:] = kept


def test_an_index_array_changed_after_use_does_not_change_the_gradient():
    x, i = Tensor([1.0, 2.0, 3.0]), np.array([0, 2])
    y = x[i].sum()
    i[:] = 1
    y.backward()
    np.testing.assert_array_equal(x.grad, [1, 0, 1])


def test_assigning_to_an_element_is_refused_and_names_the_way_out():
    with pytest.raises(TypeError, match=r"set_at.*np\.stack"):
        Tensor([1.0, 2.0])[0] = 3.0


def test_set_at_gives_a_changed_copy():
    x, v = Tensor([1.0, 2.0, 3.0]), Tensor(9.0)
    y = set_at(x, 1, v)
    np.testing.assert_array_equal(y.data, [1, 9, 3])
    (y * np.array([1.0, 10.0, 100.0])).sum().backward()
    np.testing.assert_array_equal(x.grad, [1, 0, 100])
    assert v.grad == 10


def test_adding_a_tensor_into_an_array_in_place_is_refused():
    a = np.zeros(2)
    with pytest.raises(TypeError, match=r"array = array \+ tensor"):
        a += Tensor([1.0, 2.0])


def test_making_an_array_out_of_tensors_is_refused_and_names_stack():
    t = Tensor([1.0, 2.0])
    for make in (lambda: np.array([t, t]), lambda: np.asarray(t), lambda: np.array([Tensor(1.0), Tensor(2.0)])):
        with pytest.raises(TypeError, match=r"np\.stack"):
            make()


def test_a_tensor_without_gradient_becomes_an_array_freely():
    np.testing.assert_array_equal(np.asarray(Tensor([1.0, 2.0]).detach()), [1, 2])
    with no_grad():
        y = Tensor([1.0, 2.0]) * 2
    np.testing.assert_array_equal(np.asarray(y), [2, 4])


@pytest.mark.parametrize("other", [2.0, 3, np.float64(2.0), np.float32(2.0), np.array([2.0, 3.0]), [2.0, 3.0]])
def test_operators_and_their_reflected_forms_take_numbers_arrays_and_lists(other):
    x = Tensor([1.0, 4.0])
    for op in ("__add__", "__sub__", "__mul__", "__truediv__", "__pow__", "__mod__"):
        name = op.strip("_")
        ufunc = {
            "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide, "pow": np.power,
            "mod": np.remainder,
        }[name]  # fmt: skip
        sign = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "pow": "**", "mod": "%"}[name]
        left = eval(f"x {sign} other", {"x": x, "other": other})
        right = eval(f"other {sign} x", {"x": x, "other": other})
        assert isinstance(left, Tensor)
        assert isinstance(right, Tensor)
        np.testing.assert_allclose(left.data, ufunc(x.data, other))
        np.testing.assert_allclose(right.data, ufunc(other, x.data))


def test_matmul_takes_arrays_on_both_sides():
    a, x = np.arange(6.0).reshape(2, 3), Tensor(np.arange(3.0))
    np.testing.assert_array_equal((a @ x).data, a @ np.arange(3.0))
    np.testing.assert_array_equal((x @ a.T).data, np.arange(3.0) @ a.T)


def test_an_operand_that_is_no_number_is_a_type_error():
    with pytest.raises(TypeError):
        Tensor(1.0) + "a"
    with pytest.raises(TypeError):
        {} * Tensor(1.0)


def test_comparisons_are_plain_boolean_arrays():
    x = Tensor([1.0, 2.0])
    for result in (x > 1, x >= 1, x < 2, x <= x, x == 1, x != 1, np.array([1.0, 3.0]) < x, np.less(x, 2)):
        assert isinstance(result, np.ndarray)
        assert result.dtype == bool


def test_a_tensor_can_be_a_key():
    x, y = Tensor([1.0, 2.0]), Tensor([1.0, 2.0])
    assert {x: "x", y: "y"}[x] == "x"


def test_len_iteration_item_and_bool():
    x = Tensor([[1.0, 2.0], [3.0, 4.0]])
    assert len(x) == 2
    assert [row.tolist() for row in x] == [[1, 2], [3, 4]]
    assert Tensor([5.0]).item() == 5
    assert float(Tensor(2.5)) == 2.5
    assert int(Tensor(2.5)) == 2
    assert bool(Tensor(1.0))
    assert [10, 20][Tensor(1)] == 20
    for bad in (lambda: len(Tensor(1.0)), lambda: iter(Tensor(1.0))):
        with pytest.raises(TypeError, match="0-d"):
            bad()
    with pytest.raises(ValueError, match="one element"):
        x.item()


@pytest.mark.parametrize(
    "index",
    [0, -1, slice(None, None, 2), (0, 1), (Ellipsis, 0), (None, 1), ([0, 1], [1, 1]), np.array([True, False, True]),
     (slice(None), np.array([2, 0])), np.array([[0, 1], [1, 2]])],
)  # fmt: skip
def test_indexing_agrees_with_numpy(index):
    data = np.arange(9.0).reshape(3, 3)
    x = Tensor(data)
    y = x[index]
    np.testing.assert_array_equal(y.data, data[index])
    y.backward(np.ones(y.shape))
    expected = np.zeros((3, 3))
    np.add.at(expected, index, 1.0)
    np.testing.assert_array_equal(x.grad, expected)


def test_an_index_may_be_an_integer_tensor():
    assert Tensor([1.0, 2.0, 3.0])[Tensor([2, 0])].tolist() == [3, 1]


def test_repr_shows_value_shape_dtype_name_and_operation():
    x = Tensor([1.0, 2.0], name="x")
    assert repr(x) == "Tensor([1., 2.], shape=(2,), dtype=float64, name='x')"
    assert "op=multiply" in repr(x * x)
    assert "requires_grad=False" in repr(x.detach())
    assert f"{Tensor(2.0):.2f}" == "2.00"
    assert len(repr(Tensor(np.zeros((500, 500))))) < 600


def test_a_leaf_can_be_given_new_data_of_the_same_shape_only():
    p = Tensor([1.0, 2.0], name="p")
    y = (p * p).sum()
    p.data = [5.0, 6.0]
    assert p.tolist() == [5, 6]
    assert p.name == "p"
    y.backward()
    np.testing.assert_array_equal(p.grad, [2, 4])
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        p.data = np.zeros(3)
    with pytest.raises(RuntimeError, match="an operation made it"):
        (p * 2).data = np.zeros(2)


def test_new_data_take_the_dtype_of_the_leaf():
    p = Tensor(np.zeros(2, np.float32))
    p.data = np.ones(2)
    assert p.dtype == np.float32


def test_setting_a_gradient_of_another_shape_is_refused():
    p = Tensor([1.0, 2.0])
    p.grad = [3.0, 4.0]
    np.testing.assert_array_equal(p.grad, [3, 4])
    with pytest.raises(ValueError, match=r"gradient of shape \(3,\)"):
        p.grad = np.zeros(3)


def test_requires_grad_can_be_set_on_leaves_only():
    p = Tensor([1.0])
    p.requires_grad = False
    assert not (p * 2).requires_grad
    assert p.requires_grad_().requires_grad
    with pytest.raises(RuntimeError, match="operation made it"):
        (p * 2).requires_grad = False


def test_a_method_without_a_rule_names_itself_and_the_nearest():
    with pytest.raises(AttributeError, match=r"ndarray\.argpartition has no derivative rule.*t\.data\.argpartition"):
        Tensor([1.0]).argpartition(0)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        Tensor([1.0]).nonsense  # noqa: B018
    assert not hasattr(Tensor([1.0]), "sort_of")


def test_copies_and_pickles_are_leaves_with_the_same_numbers():
    x = Tensor([1.0, 2.0], name="x")
    for again in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x), copy.copy(x)):
        assert again.tolist() == [1, 2]
        assert again.name == "x"
        assert again.is_leaf
        assert again is not x


def test_names_must_be_strings():
    with pytest.raises(TypeError, match="name must be a string"):
        Tensor(1.0, name=3)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_values_and_gradients_keep_the_dtype_of_the_leaf(dtype):
    x = Tensor(np.array([1.0, 2.0], dtype))
    y = (x * 2.0 + 1 - x / 3.0) ** 2
    assert y.dtype == dtype
    y.sum().backward()
    assert x.grad.dtype == dtype


def test_the_gradient_comes_back_in_the_dtype_of_the_leaf_through_a_cast():
    x = Tensor(np.array([1.0, 2.0], np.float32))
    (x.astype(np.float64) * np.array([1.0, 2.0])).sum().backward()
    assert x.grad.dtype == np.float32


@pytest.mark.parametrize(
    "make",
    [
        lambda: np.arange(12.0).reshape(3, 4)[::-1, ::2],
        lambda: np.asfortranarray(np.arange(6.0).reshape(3, 2)),
        lambda: np.broadcast_to(np.arange(2.0), (3, 2)),
    ],
)
def test_strided_fortran_and_read_only_arrays_differentiate_as_any(make):
    data = make()
    x = Tensor(data)
    (x * x).sum().backward()
    np.testing.assert_array_equal(x.grad, 2 * data)


def test_a_memory_mapped_array_differentiates_as_any(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(3.0))
    for mode in ("r", "r+", "c"):
        x = Tensor(np.load(tmp_path / "a.npy", mmap_mode=mode))
        x.grad = None
        (x * x).sum().backward()
        np.testing.assert_array_equal(x.grad, [0, 2, 4])
        assert type(x.grad) is np.ndarray


def test_new_data_may_be_a_tensor_whose_history_is_left_behind():
    w = Tensor([1.0, 2.0])
    for _ in range(3):
        w.data = w - 0.1 * w
    assert type(w.data) is np.ndarray
    (w * w).sum().backward()
    assert type(w.grad) is np.ndarray


def test_a_constant_that_is_a_window_view_of_a_writable_array_is_copied():
    c = np.arange(5.0)
    v = np.lib.stride_tricks.sliding_window_view(c, 3)
    x = Tensor(np.ones((3, 3)))
    y = (x * v).sum()
    expected, c[:] = v.copy(), 0
    y.backward()
    np.testing.assert_array_equal(x.grad, expected)
    buffer = bytearray(16)
    held = Tensor(np.frombuffer(buffer))
    buffer[7] = 64
    assert held.tolist() == [0, 0]


def test_taking_over_a_view_of_a_writable_array_copies_it():
    a = np.ones((2, 3))
    x = Tensor(a[0], copy=False)
    a[:] = 9
    np.testing.assert_array_equal(x.data, np.ones(3))


def test_an_array_made_of_a_tensor_can_not_be_written_into():
    u = Tensor([1.0, 2.0], requires_grad=False) * 2
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(u)[0] = 99


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x * np.array([1, 2], dtype=object),
        lambda x: x.astype("U3"),
    ],
)
def test_results_that_are_not_numbers_are_refused(make):
    with pytest.raises(TypeError, match="holds numbers"):
        make(Tensor([1.0, 2.0]))


def test_masked_arrays_and_ragged_lists_are_refused():
    with pytest.raises(TypeError, match=r"filled\(0\)"):
        Tensor(np.ma.array([1.0, 99.0], mask=[0, 1]))
    with pytest.raises(ValueError, match="ragged"):
        Tensor([[1.0, 2.0], [3.0]])


def test_operands_that_do_not_fit_together_are_named_with_their_shapes():
    a, b = Tensor(np.ones((2, 3)), name="A"), Tensor(np.ones((2, 4)), name="B")
    for combine in (lambda: a + b, lambda: a @ b, lambda: np.multiply(a, b), lambda: a * np.ones((5, 5))):
        with pytest.raises(ValueError, match=r"do not fit together: A of shape \(2, 3\)"):
            combine()
    with pytest.raises(ValueError, match=r"B of shape \(2, 4\)"):
        a @ b
    with pytest.raises(ValueError, match=r"concatenate.*A of shape \(2, 3\), B of shape \(2, 4\)"):
        np.concatenate([a, b])


def test_whole_quotients_carry_no_gradient_and_remainders_do():
    x = Tensor([5.5, -3.0])
    assert (x // 2).tolist() == [2, -2]
    assert (7 // x).tolist() == [1, -3]
    q, r = divmod(x, 2)
    assert q.tolist() == [2, -2]
    r.sum().backward()
    np.testing.assert_array_equal(x.grad, [1, 1])
    assert divmod(7, x)[0].tolist() == [1, -3]
    assert round(Tensor(2.567), 1).item() == 2.6


@pytest.mark.parametrize("sign", ["+", "-", "*", "/", "**", "@", "//", "%"])
def test_where_recording_is_off_a_leaf_is_updated_in_place_as_in_pytorch(sign):
    w = leaf = Tensor(np.array([[3.0, 2.0], [1.0, 5.0]], np.float32), name="w")
    loss = (w * w).sum()
    loss.backward()
    by = w.grad.astype(np.float64) - 1
    expected = eval(f"w {sign} by", {"w": w.data, "by": by})
    names = {"w": w, "by": by}
    with no_grad():
        exec(f"w {sign}= by", names)
    assert names["w"] is leaf
    assert leaf.is_leaf
    assert leaf.requires_grad
    assert leaf.name == "w"
    assert leaf.dtype == np.float32
    np.testing.assert_allclose(leaf.data, expected, rtol=1e-6)
    loss.backward()  # what was recorded before keeps its numbers
    np.testing.assert_array_equal(leaf.grad, 4 * np.array([[3.0, 2.0], [1.0, 5.0]]))


@pytest.mark.parametrize("shape", [(), (2,)])
def test_a_parameter_can_be_trained_by_each_way_that_pytorch_has(shape):
    def by_rebinding(w):
        w.data = w.data - 0.1 * w.grad

    def in_place_of_the_data(w):
        w.data -= 0.1 * w.grad

    def in_place(w):
        with no_grad():
            w -= 0.1 * w.grad

    for update in (by_rebinding, in_place_of_the_data, in_place):
        w = Tensor(np.full(shape, 1.0))
        for _ in range(3):
            w.grad = None
            (w * w).sum().backward()
            update(w)
        assert w.is_leaf
        np.testing.assert_allclose(w.data, np.full(shape, 0.8**3))


def test_a_leaf_with_a_gradient_is_not_updated_in_place_while_operations_are_recorded():
    w = Tensor([1.0, 2.0], name="w")
    (w * w).sum().backward()
    for update in ("w -= 0.1 * w.grad", "w += 1", "w *= 2", "w /= 2", "w **= 2", "w @= w", "w //= 2", "w %= 2"):
        with pytest.raises(
            RuntimeError, match=r"w, a leaf.*write with no_grad\(\): w -= lr \* w\.grad, or w\.data -= lr"
        ):
            exec(update, {"w": w})
    assert w.tolist() == [1, 2]


def test_sums_and_products_are_built_up_in_place_where_nothing_is_trained():
    total, x = Tensor(0.0), Tensor([1.0, 2.0])
    for i in range(2):
        total += x[i] * x[i]
    y = x * 2
    y -= 1
    y **= 2
    (total + y.sum()).backward()
    np.testing.assert_array_equal(x.grad, 2 * x.data + 4 * (2 * x.data - 1))
    whole = same = Tensor([1, 2])
    whole += 1
    assert same.tolist() == [1, 2]
    assert whole.tolist() == [2, 3]
    with no_grad():
        whole = same
        whole += 1
    assert same.tolist() == [1, 2]


def test_an_update_in_place_keeps_the_shape_of_the_leaf():
    w = Tensor(0.0, name="w")
    with no_grad(), pytest.raises(ValueError, match=r"w of shape \(\) can't hold an array of shape \(2,\)"):
        w += np.ones(2)
    with no_grad(), pytest.raises(TypeError):
        w += "a"
    assert w.item() == 0


class Layer:
    def __init__(self):
        self.weights = [Tensor([1.0, 2.0])]


def test_data_are_updated_in_place_wherever_they_are_named_and_never_lost():
    layer, p = Layer(), Tensor([1.0, 2.0])
    seen = p.data
    loss = (p * layer.weights[0]).sum()
    layer.weights[0].data -= 1
    p.data *= [3, 4]
    p.data @= np.array([[0.0, 1.0], [1.0, 0.0]])
    assert layer.weights[0].tolist() == [0, 1]
    assert p.tolist() == [8, 3]
    assert seen.tolist() == [1, 2]
    loss.backward()
    assert p.grad.tolist() == [1, 2]
    assert not p.data.flags.writeable
    for lost in ("p.data[0] = 1", "p.data[0] -= 1", "p.data.fill(1)", "d = p.data; d -= 1", "np.exp(1.0, p.data)"):
        with pytest.raises(ValueError, match="read-only"):
            exec(lost, {"p": p, "np": np})
    y = p * 2
    with pytest.raises(RuntimeError, match=r"the data of the result of multiply of shape .* can't be replaced"):
        y.data -= 1
    assert p.tolist() == [8, 3]


def test_the_gradient_of_a_single_number_is_one_array_to_write_into():
    w = Tensor(3.0)
    (w * w).backward()
    assert w.grad is w.grad
    np.clip(w.grad, -1, 1, out=w.grad)
    assert w.grad == 1
    w.grad[...] = 5
    assert w.grad == 5
    w.grad.fill(0)
    (w * w).backward()
    assert type(w.grad) is np.ndarray
    assert w.grad == 6
    w.grad *= 2
    assert w.grad == 12
    y = w * w
    y.retain_grad()
    (y * y).backward()
    y.grad.fill(1)
    assert y.grad == 1


def test_sums_take_ndarrays_arguments():
    t = Tensor(np.ones((2, 3), np.float32))
    assert t.sum(0, np.float64).dtype == np.float64
    assert t.sum(0, np.float64).shape == (3,)
    assert t.mean(axis=1, keepdims=True).shape == (2, 1)
    assert t.flatten("F").shape == (6,)
    assert t.item(1) == 1
    assert t.nbytes == 24
    with pytest.raises(TypeError, match=r"Tensor\.sum\(\) got an unexpected keyword argument 'dims'"):
        t.sum(dims=0)


def test_a_method_that_pytorch_spells_otherwise_names_the_one_here():
    with pytest.raises(AttributeError, match=r"has no attribute 'type': write t\.astype\(dtype\)"):
        Tensor([1.0]).type(np.float32)
