"""Complex numbers: the gradient of a real loss L is ∂L/∂Re z + i ∂L/∂Im z, as in PyTorch, through every rule."""

import numpy as np
import pytest
from complexcases import (
    CASES,
    FACTORS,
    FFT,
    PARTS,
    REAL_ALONE,
    arrays_of,
    check,
    gradients,
    hermitian,
    joined,
    numbers,
    operands,
    project,
    rebuilt,
)
from opcases import ALL, torch
from opchecks import weights

from autograd import Tensor

needs_torch = pytest.mark.skipif(torch is None, reason="torch is not installed")


@pytest.mark.parametrize("op", CASES, ids=str)
def test_the_rules_of_real_numbers_are_right_for_complex_ones(op):
    check(op.fn, operands(op))


@pytest.mark.parametrize("op", [op for op in ALL if op.name in REAL_ALONE], ids=str)
def test_what_has_no_complex_numbers_says_so(op):
    with pytest.raises(TypeError):
        op.fn(*map(Tensor, operands(op)))


@pytest.mark.parametrize("name", PARTS)
def test_what_takes_complex_numbers_apart(name):
    fn, shapes = PARTS[name]
    check(fn, arrays_of(shapes))


@pytest.mark.parametrize("name", FACTORS)
def test_factors_of_complex_matrices(name):
    check(FACTORS[name], [numbers((2, 3, 3), 5)])


@pytest.mark.parametrize(("name", "real", "options"), FFT, ids=lambda v: str(v))
def test_fourier_transforms(name, real, options):
    check(lambda x: getattr(np.fft, name)(x, **options), [numbers((2, 3, 4), 3, real)])


# --- the same in PyTorch ----------------------------------------------------------------------------------------------

NOT_IN_TORCH = (
    "max", "min", "amax", "amin", "maximum", "minimum", "fmax", "fmin", "clip", "sort", "softmax", "log_softmax", "ptp",
    "relu", "nan", "partition", "unique", "piecewise", "geomspace", "einsum with a constant", "where on a Tensor's",
)  # fmt: skip
"""Functions of an order, mostly, that torch has for real numbers alone."""
OTHERWISE = {"real", "vdot", "vecdot", "lstsq residuals", "linalg.vecdot axis", "vecdot axis", "correlate"}
"""Cases whose spelling in torch is the same for real numbers alone."""
IN_TORCH = [op for op in CASES if op.torch and not op.name.startswith(NOT_IN_TORCH) and op.name not in OTHERWISE]


def in_torch(fn, arrays):
    tensors = [torch.tensor(x, requires_grad=True) for x in arrays]
    out = fn(*tensors)
    w = torch.tensor(weights(tuple(out.shape)))
    total = (w * (out + out * out / 2)).sum()
    if out.is_complex():
        total = (w * (out * out.conj()).real / 2 + (w * (0.5 + 1j) * out * out).real).sum()
    total.backward()
    return [np.zeros(t.shape) if t.grad is None else t.grad.resolve_conj().numpy() for t in tensors]


def agrees_with_torch(fn, theirs, arrays):
    for mine, other in zip(gradients(fn, arrays), in_torch(theirs, arrays), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-8, atol=1e-8 * max(1, np.abs(other).max(initial=0)))


@needs_torch
@pytest.mark.parametrize("op", IN_TORCH, ids=str)
def test_gradients_are_those_of_torch(op):
    agrees_with_torch(op.fn, op.in_torch, operands(op))


@needs_torch
@pytest.mark.parametrize(("name", "real", "options"), FFT, ids=lambda v: str(v))
def test_fourier_transforms_agree_with_torch(name, real, options):
    theirs = {{"axis": "dim", "axes": "dim"}.get(key, key): value for key, value in options.items()}
    agrees_with_torch(
        lambda x: getattr(np.fft, name)(x, **options),
        lambda x: getattr(torch.fft, name)(x, **theirs),
        [numbers((2, 3, 4), 3, real)],
    )


@needs_torch
@pytest.mark.parametrize(
    ("fn", "theirs"),
    [
        (lambda a: project(np.linalg.eigh(hermitian(a))), "eigh"), (lambda a: project(np.linalg.eig(a), 2), "eig"),
        (lambda a: rebuilt(np.linalg.svd(a)), "svd"), (lambda a: joined(np.linalg.qr(a)), "qr"),
        (lambda a: joined(np.linalg.slogdet(a)), "slogdet"),
    ],
)  # fmt: skip
def test_factors_agree_with_torch(fn, theirs):
    def project_there(values, vectors):
        p = vectors.unsqueeze(-2) * vectors.unsqueeze(-3).conj()
        return (p * values.reshape(*values.shape[:-1], 1, 1, -1)).sum(-1)

    def joined_there(parts):
        return torch.cat([(part + 0j).reshape(-1) for part in parts])

    found = {
        "eigh": lambda a: project_there(*torch.linalg.eigh(a @ a.mH + 2 * torch.eye(3, dtype=a.dtype))),
        "eig": lambda a: (lambda w, v: project_there(w**2, v))(*torch.linalg.eig(a)),
        "svd": lambda a: (lambda u, s, vh: (u * (s**2).unsqueeze(-2)) @ vh)(*torch.linalg.svd(a)),
        "qr": lambda a: joined_there(torch.linalg.qr(a)), "slogdet": lambda a: joined_there(torch.linalg.slogdet(a)),
    }  # fmt: skip
    agrees_with_torch(fn, found[theirs], [numbers((2, 3, 3), 5)])
