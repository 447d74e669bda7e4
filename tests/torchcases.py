"""A layer built here and in torch, by the same line: names, numbers and gradients are held against each other."""

import numpy as np
import pytest

import nn
from autograd import Tensor

torch = pytest.importorskip("torch")


def check_layer_as_torch(make, shape, dtype=np.float32, *, seed=0):
    """``make(m)`` builds the layer of the module m, `nn` or `torch.nn`; both get the same numbers, twice in training
    and once in evaluation, and give the same outputs, gradients and states."""
    rng = np.random.default_rng(seed)
    ours, theirs = make(nn), make(torch.nn).to(torch.float64 if dtype == np.float64 else torch.float32)
    assert repr(ours).replace("'", "") == repr(theirs).replace("'", "")
    with torch.no_grad():
        for p in theirs.parameters():
            p.copy_(torch.tensor(rng.standard_normal(tuple(p.shape))))
    state = {name: value.numpy() for name, value in theirs.state_dict().items()}
    assert {k: v.shape for k, v in ours.state_dict().items()} == {k: v.shape for k, v in state.items()}
    if dtype == np.float64:
        for _, module, name, held in list(ours._state()):
            if held.dtype.kind == "f":
                setattr(module, name, _as_float64(held))
    ours.load_state_dict(state)
    tolerance = {"rtol": 1e-4, "atol": 3e-5} if dtype == np.float32 else {"rtol": 1e-9, "atol": 1e-10}
    for training in (True, True, False):
        ours.train(training), theirs.train(training)
        numbers = rng.standard_normal(shape).astype(dtype)
        x, y = Tensor(numbers, requires_grad=True), torch.tensor(numbers, requires_grad=True)
        out, expected = ours(x), theirs(y)
        assert out.shape == tuple(expected.shape) and out.dtype == dtype
        assert np.allclose(out.data, expected.detach().numpy(), **tolerance, equal_nan=True)
        g = rng.standard_normal(out.shape).astype(dtype)
        ours.zero_grad(), theirs.zero_grad()
        out.backward(g)
        expected.backward(torch.tensor(g))
        assert np.allclose(x.grad, y.grad.numpy(), **tolerance, equal_nan=True)
        for (name, mine), (other, its) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
            assert name == other
            assert np.allclose(mine.grad, its.grad.numpy(), **tolerance)
        after = {name: value.numpy() for name, value in theirs.state_dict().items()}
        for name, value in ours.state_dict().items():
            assert value.dtype == after[name].dtype
            assert np.allclose(value, after[name], **tolerance), name
    theirs.load_state_dict({name: torch.tensor(value) for name, value in ours.state_dict().items()})


def _as_float64(held):
    data = np.asarray(held.data if isinstance(held, Tensor) else held, dtype=np.float64)
    return nn.Parameter(data) if isinstance(held, Tensor) else data


def check_function_as_torch(call, *shapes, dtype=np.float64, seed=0):
    """``call(F, *operands)`` with `nn.functional` and with torch's: the same value, and gradient of each operand."""
    from nn import functional as F

    rng = np.random.default_rng(seed)
    operands = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    ours, theirs = [Tensor(a) for a in operands], [torch.tensor(a, requires_grad=True) for a in operands]
    out, expected = call(F, *ours), call(torch.nn.functional, *theirs)
    tolerance = {"rtol": 1e-4, "atol": 3e-5} if dtype == np.float32 else {"rtol": 1e-9, "atol": 1e-10}
    assert out.shape == tuple(expected.shape) and out.dtype == dtype
    assert np.allclose(out.data, expected.detach().numpy(), **tolerance)
    assert np.array_equal(call(F, *operands), out.data)
    g = rng.standard_normal(out.shape).astype(dtype)
    out.backward(g)
    expected.backward(torch.tensor(g))
    for mine, its in zip(ours, theirs, strict=True):
        assert np.allclose(mine.grad, its.grad.numpy(), **tolerance)
