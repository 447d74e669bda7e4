"""What enters an operation as a constant: numbers that nobody else changes, and that mean no more than themselves."""

import array
import ctypes
import mmap

import numpy as np
import pytest

from autograd import Tensor, grad, hvp, no_grad, set_at, vjp

# --- what means more than its numbers ---------------------------------------------------------------------------------


class Metres(np.ndarray):
    """Stands for any array with a unit."""


STRANGE = {
    "masked array": (np.ma.array([1.0, 99.0], mask=[False, True]), r"fill it first, array\.filled\(0\)"),
    "masked constant": (np.ma.masked, r"fill it first, array\.filled\(0\)"),
    "array with a unit": (np.array([1.0, 2.0]).view(Metres), r"type Metres means more than its numbers.*np\.asarray"),
    "list of masked arrays": ([np.ma.array([1.0, 2.0])] * 2, r"fill it first, array\.filled\(0\)"),
}

OPERATIONS = {
    "t * c": lambda t, c: t * c, "c * t": lambda t, c: c * t, "t - c": lambda t, c: t - c, "c - t": lambda t, c: c - t,
    "c / t": lambda t, c: c / t, "t ** c": lambda t, c: t**c, "c ** t": lambda t, c: c**t, "t @ c": lambda t, c: t @ c,
    "c @ t": lambda t, c: c @ t, "t // c": lambda t, c: t // c, "t % c": lambda t, c: t % c,
    "t < c": lambda t, c: t < c, "c < t": lambda t, c: c < t, "np.multiply": np.multiply,
    "np.multiply(c, t)": lambda t, c: np.multiply(c, t),
    "np.hypot": np.hypot, "np.maximum": np.maximum, "np.where": lambda t, c: np.where([True, False], t, c),
    "condition": lambda t, c: np.where(c, t, t), "np.average": lambda t, c: np.average(t, weights=c),
    "np.concatenate": lambda t, c: np.concatenate([t, t, c]), "np.clip": lambda t, c: np.clip(t, c, 9.0),
    "np.dot": np.dot, "np.einsum": lambda t, c: np.einsum("i,i->", t, c), "np.repeat": np.repeat,
    "set_at": lambda t, c: set_at(t, 0, c), "dtype=": lambda t, c: np.add(t, c, dtype=np.float32),
    "seed": lambda t, c: (t * 1).backward(c), "grad =": lambda t, c: setattr(t, "grad", c),
    "no_grad": lambda t, c: no_grad(lambda: t * c)(),
    "add.outer": np.add.outer, "+=": lambda t, c: t.__iadd__(c),
}  # fmt: skip


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("kind", STRANGE)
def test_a_constant_that_means_more_than_its_numbers_is_refused_everywhere(kind, operation):
    constant, sentence = STRANGE[kind]
    t = Tensor([1.0, 2.0])
    with pytest.raises(TypeError, match=sentence):
        OPERATIONS[operation](t, constant)
    assert t.tolist() == [1, 2]
    assert t.grad is None


def test_data_of_another_type_are_taken_as_their_numbers_but_for_masked_ones():
    t = Tensor([0.0, 0.0])
    t.data = STRANGE["array with a unit"][0]
    assert type(t.data) is np.ndarray
    assert t.tolist() == [1, 2]
    with pytest.raises(TypeError, match=r"array\.filled\(0\)"):
        t.data = STRANGE["masked array"][0]


def test_a_masked_array_is_refused_by_the_transforms():
    masked = STRANGE["masked array"][0]
    total = lambda x: (x * x).sum()
    for call in (
        lambda: grad(total)(masked),
        lambda: vjp(lambda x: x * x, np.ones(2))[1](masked),
        lambda: hvp(total)(np.ones(2), masked),
    ):
        with pytest.raises(TypeError, match=r"array\.filled\(0\)"):
            call()


def test_a_matrix_of_numpy_is_refused_as_its_star_is_another_product():
    with pytest.warns(PendingDeprecationWarning):
        matrix = np.matrix([[1.0, 2.0], [3.0, 4.0]])
    t = Tensor(np.eye(2))
    for call in (lambda: matrix * t, lambda: t * matrix, lambda: matrix @ t, lambda: t + matrix):
        with pytest.raises(TypeError, match=r"type matrix.*np\.asarray.*@ for the product of matrices"):
            call()


def test_what_gives_its_numbers_as_an_array_is_taken_as_those_numbers():
    class Series:
        def __init__(self):
            self.numbers = np.array([1.0, 2.0])

        def __array__(self, dtype=None, copy=None):
            return np.array(self.numbers, dtype)

        def __array_ufunc__(self, *_, **__):
            pytest.fail("another library computes what is to be recorded")

    x, c = Tensor([3.0, 4.0]), Series()
    for y in (np.multiply(x, c), np.where([True, True], x * np.asarray(c), x), np.einsum("i,i->i", x, c)):
        kept = c.numbers.copy()
        c.numbers[:] = 0
        x.grad = None
        y.sum().backward()
        c.numbers[:] = kept
        np.testing.assert_array_equal(x.grad, kept)
        assert type(y.data) is np.ndarray


# --- memory that others can write -------------------------------------------------------------------------------------


def closed(view):
    view.flags.writeable = False
    return view


def of_an_array():
    owner = array.array("d", [1.0, 2.0])
    return closed(np.frombuffer(owner)), lambda: owner.__setitem__(0, 9.0)


def of_a_closed_memoryview():
    owner = bytearray(np.array([1.0, 2.0]).tobytes())
    return np.frombuffer(memoryview(owner).toreadonly()), lambda: owner.__setitem__(slice(0, 8), b"\0" * 8)


def of_ctypes():
    owner = (ctypes.c_double * 2)(1.0, 2.0)
    return closed(np.ctypeslib.as_array(owner)), lambda: owner.__setitem__(0, 9.0)


def of_anonymous_memory():
    owner = mmap.mmap(-1, 16)
    owner[:] = np.array([1.0, 2.0]).tobytes()
    return closed(np.frombuffer(owner)), lambda: owner.__setitem__(slice(0, 8), b"\0" * 8)


def of_an_array_opened_again():
    owner = closed(np.array([1.0, 2.0]))
    view = owner[:]
    owner.flags.writeable = True
    return view, lambda: owner.__setitem__(0, 9.0)


def of_a_broadcast_array():
    owner = np.array([1.0])
    return np.broadcast_to(owner, (2,)), lambda: owner.__setitem__(0, 9.0)


def of_an_array_interface():
    owner = np.array([1.0, 2.0])

    class Foreign:
        def __init__(self):
            self.owner = owner
            self.__array_interface__ = {**owner.__array_interface__, "data": (owner.ctypes.data, True)}

    return np.asarray(Foreign()), lambda: owner.__setitem__(0, 9.0)


@pytest.mark.parametrize(
    "make",
    [
        of_an_array, of_a_closed_memoryview, of_ctypes, of_anonymous_memory, of_an_array_opened_again,
        of_a_broadcast_array, of_an_array_interface,
    ],
)  # fmt: skip
def test_a_read_only_view_over_memory_that_others_write_is_copied(make):
    view, write = make()
    assert not view.flags.writeable
    before, x = view.copy(), Tensor([3.0, 4.0])
    held, taken = Tensor(view), Tensor(view, copy=False)
    x_times, times_x, picked = x * view, np.multiply(view, x), np.where([True, True], x * view, 0.0)
    write()
    assert not np.array_equal(view, before)
    np.testing.assert_array_equal(held.data, before)
    np.testing.assert_array_equal(taken.data, before)
    for y in (x_times, times_x, picked):
        x.grad = None
        y.sum().backward()
        np.testing.assert_array_equal(x.grad, before)


def test_a_file_mapped_read_only_is_copied_as_another_can_write_it(tmp_path):
    np.array([1.0, 2.0]).tofile(tmp_path / "a")
    x = Tensor([3.0, 4.0])
    y = x * np.memmap(tmp_path / "a", np.float64, "r")
    writer = np.memmap(tmp_path / "a", np.float64, "r+")
    writer[:] = 9
    writer.flush()
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [1, 2])


def test_an_index_over_memory_that_others_write_is_copied():
    owner = array.array("q", [0, 1])
    index = closed(np.frombuffer(owner, np.int64))
    x = Tensor([1.0, 2.0, 3.0])
    y = x[index] * 2
    owner[0] = 2
    y.sum().backward()
    assert x.grad.tolist() == [2, 2, 0]


def test_read_only_memory_of_its_own_is_handed_over_without_a_copy():
    owned = closed(np.array([1.0, 2.0]))
    whole = np.frombuffer(np.array([1.0, 2.0]).tobytes())
    for constant in (owned, owned[::-1], whole, Tensor([1.0, 2.0]).data):
        assert np.shares_memory((Tensor([3.0, 4.0]) * constant).node.operands[1], constant)


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "cumsum"])
def test_a_dtype_is_taken_as_numpy_takes_it(name):
    x = Tensor([1.0, 2.0])
    for dtype in (np.float32, "float32", np.dtype(np.float32)):
        assert getattr(np, name)(x, dtype=dtype).dtype == np.float32
