"""The tests that every declared operation has to pass."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from opcases import Op, torch

from autograd import Tape, Tensor, grad, jacobian, jvp, vjp
from autograd.bytecode import METADATA
from autograd.rules.shapes import sum_to_shape

SEED = 7


class Bare:
    """Something that has a shape and a dtype, but no value."""

    def __init__(self, value: Any):
        for name in METADATA:
            setattr(self, name, getattr(value, name))


def weights(shape: tuple[int, ...]) -> Any:
    return np.random.default_rng(SEED).uniform(0.5, 1.5, shape)


def loss(out: Any, dtype: Any = np.float64) -> Any:
    """A number that depends on every element, not linearly: so that rules are differentiated in g as well."""
    w = weights(out.shape).astype(dtype)
    return (w * (out + out * out / 2)).sum()


def gradients(op: Op, operands: list[Any]) -> list[Any]:
    """The first-order gradients, by the rules on plain arrays."""
    tensors = [Tensor(x) for x in operands]
    loss(op.fn(*tensors)).backward()
    return [t.grad for t in tensors]


def along(op: Op, tensors: list[Any]) -> Any:
    """The gradient along a fixed direction, recorded."""
    loss(op.fn(*tensors)).backward(create_graph=True)
    return sum((weights(t.shape) * t.grad).sum() for t in tensors)


def differences(f: Any, operands: list[Any], eps: float) -> list[Any]:
    """The gradient of f by central differences."""
    out = []
    for k, x in enumerate(operands):
        grad = np.zeros(x.shape)
        for i in np.ndindex(x.shape):
            ends = []
            for step in (eps, -eps):
                moved = x.copy()
                moved[i] += step
                ends.append(float(f([*operands[:k], moved, *operands[k + 1 :]])))
            grad[i] = (ends[0] - ends[1]) / (2 * eps)
        out.append(grad)
    return out


def assert_close(actual: Any, expected: Any, rtol: float, what: str = "") -> None:
    scale = max(1.0, float(np.max(np.abs(expected), initial=0)))
    assert np.shape(actual) == np.shape(expected), what
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=rtol * scale, err_msg=what)


class OpTests:
    """What holds for every operation; subclasses name theirs in `ops`."""

    ops: ClassVar[list[Op]] = []

    def pytest_generate_tests(self, metafunc: Any) -> None:
        ops = self.ops
        if metafunc.function.__name__.endswith("torch"):
            ops = [op for op in ops if op.torch is not None]
        metafunc.parametrize("op", ops, ids=str)

    def test_value_is_numpys(self, op: Op) -> None:
        operands = op.operands()
        expected = op.fn(*operands)
        out = op.fn(*(Tensor(x) for x in operands))
        assert isinstance(out, Tensor)
        assert out.dtype == expected.dtype
        assert_close(out.data, expected, 1e-14)

    def test_gradient_agrees_with_finite_differences(self, op: Op) -> None:
        operands = op.operands()
        found = gradients(op, operands)
        expected = differences(lambda xs: loss(np.asarray(op.fn(*xs))), operands, 1e-6)
        for k, (ours, slope) in enumerate(zip(found, expected, strict=True)):
            assert_close(ours, slope, 2e-7, f"operand {k}")

    def test_an_operand_alone_gets_the_same_gradient(self, op: Op) -> None:
        operands = op.operands()
        together = gradients(op, operands)
        for k, expected in enumerate(together):
            mixed = [Tensor(x) if i == k else x for i, x in enumerate(operands)]
            loss(op.fn(*mixed)).backward()
            np.testing.assert_allclose(mixed[k].grad, expected, rtol=1e-13, atol=1e-13)

    def test_second_derivative_agrees_with_finite_differences(self, op: Op) -> None:
        operands = op.operands()
        tensors = [Tensor(x) for x in operands]
        slope = along(op, tensors)
        for t in tensors:
            t.zero_grad()
        slope.backward()
        expected = differences(lambda xs: sum((weights(g.shape) * g).sum() for g in gradients(op, xs)), operands, 1e-5)
        for k, (t, curvature) in enumerate(zip(tensors, expected, strict=True)):
            assert_close(t.grad, curvature, 1e-6, f"operand {k}")

    def test_forward_mode_is_the_transpose_of_reverse_mode(self, op: Op) -> None:
        """⟨u, J v⟩ = ⟨Jᵀ u, v⟩; and of the gradient, whose Jacobian is symmetric."""
        operands = tuple(x[()] for x in op.operands())
        directions = tuple(weights(x.shape)[()] for x in operands)
        out, tangent = jvp(op.fn, operands, directions)
        u = weights(out.shape)
        pulled = vjp(op.fn, *operands)[1](u)
        assert tangent.shape == out.shape and tangent.dtype == out.dtype
        assert_close((u * tangent).sum(), sum((g * v).sum() for g, v in zip(pulled, directions, strict=True)), 1e-12)
        slopes = grad(lambda *xs: loss(op.fn(*xs)), tuple(range(len(operands))))
        _, pushed = jvp(slopes, operands, directions)
        pulled = vjp(slopes, *operands)[1](directions)
        for k, (a, b) in enumerate(zip(pushed, pulled, strict=True)):
            assert_close(a, b, 1e-10, f"operand {k}")

    def test_gradients_taken_together_are_those_taken_one_by_one(self, op: Op) -> None:
        operands = tuple(x[()] for x in op.operands())
        wrt = tuple(range(len(operands)))
        out, pullback = vjp(op.fn, *operands)
        u = weights(out.shape)
        blocks = jacobian(op.fn, wrt, mode="reverse")(*operands)
        columns = jacobian(op.fn, wrt, mode="forward")(*operands)
        for k, (block, column, g) in enumerate(zip(blocks, columns, pullback(u), strict=True)):
            assert_close(block, column, 1e-11, f"operand {k}")
            assert_close(np.tensordot(u, block, u.ndim), g, 1e-11, f"operand {k}")
        slope = grad(lambda *xs: loss(op.fn(*xs)))
        seconds = jacobian(slope, wrt)(*operands)
        u = weights(operands[0].shape)
        for k, (block, g) in enumerate(zip(seconds, vjp(slope, *operands)[1](u), strict=True)):
            assert_close(np.tensordot(u, block, u.ndim), g, 1e-10, f"operand {k}, second order")

    def test_gradient_keeps_the_dtype(self, op: Op) -> None:
        exact = gradients(op, op.operands())
        for dtype in op.dtypes:
            operands = [x.astype(dtype) for x in op.operands()]
            tensors = [Tensor(x) for x in operands]
            out = op.fn(*tensors)
            assert out.dtype == op.fn(*operands).dtype
            loss(out, out.dtype).backward()
            for k, (t, slope) in enumerate(zip(tensors, exact, strict=True)):
                assert t.grad.dtype == dtype
                assert_close(t.grad, slope, 3e-4 if dtype == np.float32 else 0.1, f"operand {k}")

    def test_rules_read_what_they_say(self, op: Op) -> None:
        """A value that a rule is said not to read can be dropped: the rule gives the same without it."""
        with np.errstate(all="ignore"):
            tape = Tape(loss(op.fn(*(Tensor(x) for x in op.operands()))))
            steps = {step.node: step for step in tape.steps()}
            for node, step in steps.items():
                args = node.args or ()
                values = [tape.value(a)[()] if a in tape else a for a in args]
                for c in step.contributions:
                    reads_output, read = node.rule.reads(c.position)
                    out = tape.value(node)[()] if reads_output else Bare(tape.value(node))
                    operands = [
                        value if a not in tape or read is None or i in read else Bare(value)
                        for i, (a, value) in enumerate(zip(args, values, strict=True))
                    ]
                    variadic = node.rule.variadic
                    if variadic is not None:
                        grad = variadic(step.grad, out, c.position, *operands, **node.kwargs)
                    else:
                        vjp = node.rule.vjps[c.position]
                        assert vjp is not None
                        grad = vjp(step.grad, out, *operands, **node.kwargs)
                    grad = grad.dense() if hasattr(grad, "dense") else grad
                    np.testing.assert_allclose(sum_to_shape(grad, c.node.shape), c.grad, rtol=1e-12, atol=1e-12)

    if torch is not None:

        def test_value_and_derivatives_agree_with_torch(self, op: Op) -> None:
            operands = op.operands()
            theirs = [torch.tensor(x, requires_grad=True) for x in operands]
            ours = [Tensor(x) for x in operands]
            out, expected = op.fn(*ours), op.in_torch(*theirs)
            assert_close(out.data, expected.detach().numpy(), 1e-12)
            w = torch.tensor(weights(out.shape))
            grads = torch.autograd.grad(
                (w * (expected + expected * expected / 2)).sum(), theirs, create_graph=True, materialize_grads=True
            )
            slope = along(op, ours)
            for k, (t, grad) in enumerate(zip(ours, grads, strict=True)):
                assert_close(t.grad.data, grad.detach().numpy(), 1e-11, f"operand {k}")
                t.zero_grad()
            slope.backward()
            total = sum((torch.tensor(weights(tuple(x.shape))) * g).sum() for x, g in zip(theirs, grads, strict=True))
            seconds = torch.autograd.grad(total, theirs, materialize_grads=True)
            for k, (t, second) in enumerate(zip(ours, seconds, strict=True)):
                assert_close(t.grad, second.numpy(), 1e-10, f"second derivative in operand {k}")
