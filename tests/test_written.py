"""A leaf has the name that the program wrote for it, in every form in which it may be used; or none, never another."""

import inspect
import types

import numpy as np
import pytest
from numpy import exp
from opcases import ALL

import nn
from autograd import Tape, Tensor, set_at
from autograd.variables import typeset, variables
from nn import functional as F
from viz import explain_mismatch

axis, rows, target = 0, 2, np.array([0, 1])
mask, A, i = np.array([[True, False], [False, True]]), np.ones((2, 2)), np.array([0, 1, 1])
OPTIONS = {"axis": 0}


def leaves():
    return [Tensor(np.arange(1.0, 5.0).reshape(2, 2) / 7.0) for _ in range(3)]


def called(f, *given):
    """What the leaves are called where a function uses them; empty of those without a name."""
    out = f(*given)
    found = variables(Tape(out if isinstance(out, Tensor) else sum(one.sum() for one in out)))
    return [found.get(one.node, "") for one in given]


def in_place(z):
    z -= A
    return np.exp(z)


def in_a_block(z):
    with np.errstate(all="ignore"):
        return (-z).sum()


def on_several_lines(z):
    return (
        z
        .reshape(4)
        .sum(axis)
    ) + np.maximum(
        3.0,
        2.0,
    )  # fmt: skip


def call_on_several_lines(z):
    return np.sum(
        z,
        axis,
    )


ONE = [
    lambda z: -z, lambda z: +z, lambda z: np.exp(-z), lambda z: abs(z), in_place, in_a_block, lambda z: z.abs(),
    lambda z: z.T, lambda z: z.mT, lambda z: A @ z.T, lambda z: z.reshape(4), lambda z: z.reshape(rows, -1),
    lambda z: z.reshape((4,)), lambda z: z.view(-1), lambda z: z.flatten(), lambda z: z.permute(1, 0),
    lambda z: z.unsqueeze(0), lambda z: z.transpose(1, 0), lambda z: z.astype(np.float32), lambda z: z.sum(axis),
    lambda z: z.max(axis), lambda z: z.mean(0), lambda z: np.sum(z, 0), lambda z: np.sum(z, axis),
    lambda z: np.sum(a=z), lambda z: exp(z), lambda z: np.mean(z, axis), lambda z: np.cumsum(z, axis),
    lambda z: np.sum(z, **OPTIONS), lambda z: np.trace(z), lambda z: np.linalg.norm(z),
    lambda z: np.einsum("ij,jk->ik", z, A), lambda z: np.einsum("ij->j", z), lambda z: np.einsum("ij,j->i", A, z[0]),
    lambda z: z[1:], lambda z: np.split(z, 2)[0], lambda z: F.softmax(z), lambda z: F.softmax(input=z, dim=-1),
    lambda z: z.std(axis), lambda z: F.log_softmax(z, -1), lambda z: F.dropout(z, 0.5), lambda z: np.clip(z, 0, 1),
    lambda z: np.tile(z, 2), lambda z: np.where(mask, z, 0.0), lambda z: np.expand_dims(z, 0), on_several_lines,
    call_on_several_lines,
]  # fmt: skip


@pytest.mark.parametrize("use", ONE, ids=range(len(ONE)))
def test_a_leaf_is_called_as_it_is_written(use):
    assert called(use, leaves()[0]) == ["z"]


@pytest.mark.parametrize(
    "use",
    [
        lambda z, w: z @ w.T, lambda z, w: np.concatenate([z, w], axis), lambda z, w: np.stack([z, w], 1),
        lambda z, w: np.einsum("ij,jk->ik", z, w), lambda z, w: np.tensordot(z, w, 1), lambda z, w: z.dot(w),
        lambda z, w: np.where(mask, z, w), lambda z, w: set_at(z, mask, w.reshape(4)[:2]), lambda z, w: z.maximum(w),
        lambda z, w: np.einsum("ij,ij->i", np.exp(-z), w), lambda z, w: F.linear(np.tanh(z), -w),
    ],
)  # fmt: skip
def test_two_leaves_are_called_as_they_are_written(use):
    assert called(use, *leaves()[:2]) == ["z", "w"]


def test_the_one_argument_left_of_a_call_is_the_one_leaf_left():
    z, w, b = leaves()
    h = np.tanh(z)
    assert [variables(Tape(F.linear(h, w).sum())).get(one.node) for one in (z, w)] == ["z", "w"]
    assert [variables(Tape(F.linear(h, w, b[0]).sum())).get(one.node) for one in (z, w, b)] == ["z", None, "b"]


@pytest.mark.parametrize(
    "use",
    [
        lambda one, parts: np.concatenate(parts), lambda one, parts: np.stack(one), lambda one, parts: np.hstack(one),
        lambda one, parts: np.vstack(parts), lambda one, parts: np.tanh(*one), lambda one, parts: F.linear(A, one[0]),
        lambda one, parts: F.cross_entropy(*one, target), lambda one, parts: nn.Linear(2, 2, bias=False)(A),
        lambda one, parts: next(iter(one[0])),
    ],
)  # fmt: skip
def test_a_list_gives_its_name_to_none_of_its_parts(use):
    z, w, _ = leaves()
    assert not {"one", "parts", "np"} & set(variables(Tape(use([z], [z, w]).sum())).values())


def test_what_a_function_is_taken_from_is_no_operand():
    z = leaves()[0]
    net = types.SimpleNamespace(relu=nn.ReLU(), softmax=nn.Softmax(-1), z=z, p={"z": z})
    for xp in (np,):
        for out in (net.relu(z), net.softmax(z), xp.sum(z), xp.reshape(z, 4), z.where(mask, A)):
            assert variables(Tape(out.sum())).get(z.node, "z") == "z"
    net.z = net.p["z"] = z = leaves()[0]
    for out in (-net.z, net.z.T, net.z.sum(axis), net.p["z"].reshape(4), np.einsum("ij->i", net.p["z"])):
        assert variables(Tape(out.sum())).get(z.node) == "z"


def test_a_parameter_is_a_name_only_where_there_is_no_other():
    def squash(given):
        return 1 / (1 + np.exp(-given))

    z = leaves()[0]
    assert variables(Tape((squash(z)).sum()))[z.node] == "given"
    assert variables(Tape((squash(z) + z * 2.0).sum()))[z.node] == "z"


def test_a_derivative_gives_no_name_of_what_was_differentiated():
    z = leaves()[0]
    cost = (z.data * np.square(z)).sum()
    cost.backward(create_graph=True)
    assert variables(Tape(z.grad.sum())).get(z.node, "z") == "z"


@pytest.mark.parametrize("op", [op for op in ALL if inspect.isfunction(op.fn)], ids=str)
def test_no_function_gives_a_leaf_the_name_of_another(op):
    names = list(inspect.signature(op.fn).parameters)
    operands = [Tensor(x) for x in op.operands()]
    out = op.fn(*operands)
    while isinstance(out, tuple | list):
        out = out[0]
    if isinstance(out, Tensor) and op.fn.__name__ == "<lambda>" and str(op) != "interp":  # of a function of its own
        found = variables(Tape(out))
        for one, name in zip(operands, names, strict=False):
            assert found.get(one.node, "") in ("", typeset(name))


def test_blame_calls_a_leaf_by_its_variable():
    z = Tensor(np.arange(4.0) + 1.0)
    assert list(explain_mismatch(np.exp(-z).sum(), {z: np.full(4, 7.0)}).verdicts) == ["∂L/∂z"]
