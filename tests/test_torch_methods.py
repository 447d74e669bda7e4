"""Methods of `Tensor` by PyTorch's names: the numbers and the gradients of ``torch.Tensor``'s."""

import numpy as np
import pytest

from autograd import Tensor, spellings

rng = np.random.default_rng(0)
A, B, C = (rng.uniform(0.2, 0.9, (3, 3)) for _ in range(3))
ROWS, COLUMN = rng.uniform(0.2, 0.9, (2, 3)), rng.uniform(0.2, 0.9, 3)
PLACES, AT = np.array([2, 0]), np.array([[0, 1, 2], [1, 2, 0], [2, 0, 1]])
S = A @ A.T + np.eye(3)

OF_TWO = (
    "arctan2", "atan2", "copysign", "floor_divide", "fmax", "fmin", "fmod", "hypot", "inner", "logaddexp", "logaddexp2",
    "logical_and", "logical_or", "logical_xor", "remainder", "true_divide", "xlogy", "heaviside", "dist", "kron",
    "greater", "less", "not_equal", "equal", "allclose",
)  # fmt: skip
GIVEN = {
    **dict.fromkeys(OF_TWO, (A, B)), "cross": (A, B, 0),
    "acosh": (1 + A,), "addbmm": (A, np.stack([B, C]), np.stack([C, B])), "addcdiv": (A, B, C), "addcmul": (A, B, C),
    "addmm": (A, B, C), "addmv": (COLUMN, A, COLUMN), "addr": (A, COLUMN, COLUMN),
    "baddbmm": (A[None], B[None], C[None]),
    "clamp_max": (A, 0.5), "clamp_min": (A, 0.5), "index_add": (A, 0, PLACES, ROWS), "index_copy": (A, 0, PLACES, ROWS),
    "index_put": (A, (PLACES,), ROWS), "index_select": (A, 1, PLACES), "kthvalue": (A, 2), "lerp": (A, B, 0.3),
    "logcumsumexp": (A, 1), "logdet": (S,), "masked_fill": (A, A > 0.5, 2.0), "matrix_power": (A, 3), "median": (A,),
    "moveaxis": (A, 0, 1), "movedim": (A, 0, 1), "narrow": (A, 1, 0, 2), "new_full": (A, (2, 3), 7.0),
    "outer": (COLUMN, COLUMN), "quantile": (A, 0.3), "repeat_interleave": (A, 2, 1), "roll": (A, 1, 0),
    "scatter": (A, 0, AT, B), "scatter_add": (A, 0, AT, B), "scatter_reduce": (A, 0, AT, B, "sum"), "select": (A, 1, 2),
    "select_scatter": (A, COLUMN, 1, 0), "slice_scatter": (A, ROWS, 0, 0, 2), "swapdims": (A, 0, 1),
    "take_along_dim": (A, AT, 0), "tensor_split": (A, 2), "topk": (A, 2), "unflatten": (A, 1, (3, 1)),
    "unfold": (A, 0, 2, 1), "vdot": (COLUMN, COLUMN), "where": (A, B > 0.5, C), "tile": (A, 2, 1),
    "broadcast_to": (A, (2, 3, 3)), "new_zeros": (A, 2, 3), "new_ones": (A, (2, 3)),
}  # fmt: skip
NAMES = dict.fromkeys((*spellings._ROWS, *spellings._ROWS_OF_SIZES, *GIVEN))
RANDOM_OR_UNSET = "new_empty"


def several(found):
    return found if isinstance(found, tuple) else (found,)


@pytest.mark.parametrize("name", [name for name in NAMES if name != RANDOM_OR_UNSET])
def test_the_method_of_a_name_is_pytorchs(name):
    torch = pytest.importorskip("torch")
    first, *others = GIVEN.get(name, (A,))
    theirs, ours = torch.tensor(first, requires_grad=True), Tensor(first)

    def lifted(x):
        return torch.tensor(x) if isinstance(x, np.ndarray) else tuple(map(lifted, x)) if name == "index_put" else x

    right = several(getattr(theirs, name)(*[lifted(x) if not isinstance(x, int | float | str) else x for x in others]))
    found = several(getattr(ours, name)(*others))
    numbers = [np.asarray(r.detach() if isinstance(r, torch.Tensor) else r) for r in right]
    assert len(found) == len(numbers)
    for own, other in zip(found, numbers, strict=True):
        np.testing.assert_allclose(getattr(own, "data", own), other, rtol=1e-10)
    flows = [(f, r) for f, r in zip(found, right, strict=True) if getattr(r, "requires_grad", False)]
    if not flows or name in ("floor_divide", "heaviside", "sgn"):  # PyTorch has no derivative of these
        return
    weights = [rng.normal(size=f.shape) for f, _ in flows]
    sum((r * torch.tensor(w)).sum() for (_, r), w in zip(flows, weights, strict=True)).backward()
    total = sum((f * w).sum() for (f, _), w in zip(flows, weights, strict=True))
    if isinstance(total, Tensor) and total.requires_grad:
        total.backward()
    np.testing.assert_allclose(np.zeros_like(first) if ours.grad is None else ours.grad, theirs.grad, rtol=1e-8)


def test_what_comes_in_two_has_names():
    found = Tensor([3.0, 1.0, 2.0]).topk(2)
    assert found.values.tolist() == [3.0, 2.0] and found.indices.tolist() == [0, 2]


def test_arguments_have_pytorchs_names():
    t = Tensor(A)
    assert t.index_select(dim=1, index=PLACES).shape == (3, 2) and t.repeat_interleave(repeats=2, dim=0).shape == (6, 3)
    assert t.scatter_add(dim=0, index=AT, src=B).shape == (3, 3) and t.addmm(mat1=B, mat2=C, beta=2.0).shape == (3, 3)


def test_a_new_tensor_has_the_dtype_and_no_gradient():
    zeros = Tensor(np.ones(2, np.float32)).new_zeros(2, 3)
    assert isinstance(zeros, Tensor) and zeros.dtype == np.float32 and not zeros.requires_grad


@pytest.mark.parametrize(("given", "dtype"), [
    (("cpu",), "f8"), ((np.float32,), "f4"), (("cpu", np.float32), "f4"), ((Tensor(np.ones(1, np.float32)),), "f4"),
])  # fmt: skip
def test_to_is_for_dtypes(given, dtype):
    t = Tensor(A)
    assert t.to(*given).dtype == dtype and (dtype != "f8" or t.to(*given) is t)


def test_there_is_no_other_device():
    with pytest.raises(ValueError, match="all is in the memory of the CPU; expected 'cpu' or a dtype, got 'cuda:0'"):
        Tensor(A).to("cuda:0")
