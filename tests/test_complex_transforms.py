"""Transforms of functions of complex numbers, what they refuse, and how such numbers are shown."""

import numpy as np
import pytest
from complexcases import PARTS, arrays_of, check, loss
from opcases import torch

import nn
import viz
from autograd import (
    NoRuleError,
    Tape,
    Tensor,
    checkpoint,
    defvjp,
    elementwise_grad,
    extend,
    grad,
    hessian,
    holomorphic_grad,
    hvp,
    jacobian,
    jvp,
    primitive,
    set_at,
    test_util,
    value_and_grad,
    vjp,
)
from autograd.testing import GradcheckError, GradcheckUndecided, assert_grads_match, compare_grads, gradcheck

A, B = np.array([1 + 2j, 0.5 - 1j]), np.array([0.3 - 1j, 2j])


def real_loss(z):
    return np.sum(np.abs(np.sin(z) * z) ** 2)


def test_the_gradient_of_a_real_loss_points_up_in_the_plane():
    value, g = value_and_grad(lambda z: np.abs(z) ** 2)(3.0 - 4j)
    np.testing.assert_allclose((value, g), (25, 6 - 8j))
    assert g.dtype == complex
    assert grad(np.real)(2 + 1j) == 1 and grad(np.imag)(2 + 1j) == 1j
    z = Tensor(3.0 - 4j)
    (z * z.conj()).real.backward()
    assert z.grad == 6 - 8j and z.grad.dtype == complex
    assert complex(z) == z.item() == 3 - 4j and complex(z.detach()) == 3 - 4j


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_a_gradient_has_the_dtype_of_its_operand(dtype):
    z, x = Tensor(A.astype(dtype)), Tensor(np.array([2.0, 3.0], dtype(0).real.dtype))
    out = 1j * x * z + np.fft.fft(x)
    assert out.dtype == dtype
    np.abs(out).sum().backward()
    assert (z.grad.dtype, x.grad.dtype) == (dtype, x.dtype)


def test_a_complex_loss_needs_a_gradient_to_start_from():
    z = Tensor(A, name="z")
    with pytest.raises(TypeError, match=r"backward from the result of sum .* needs a gradient .* real scalar"):
        z.sum().backward()
    z.sum().backward(1j)
    np.testing.assert_array_equal(z.grad, [1j, 1j])
    with pytest.raises(TypeError, match=r"must be real numbers, as the result of sum .* got dtype complex128"):
        np.abs(z).sum().backward(1j)


@pytest.mark.parametrize("transform", [grad, value_and_grad, elementwise_grad, hessian])
def test_transforms_of_a_complex_result_say_what_to_take(transform):
    with pytest.raises(TypeError, match=r"needs a function with a real result, got dtype complex128.*np\.real.*vjp"):
        transform(np.sum)(A)


def test_the_pullback_takes_complex_cotangents():
    out, pullback = vjp(lambda z, x: z * z * x, A, np.array([1.0, 2.0]))
    gz, gx = pullback(B)
    np.testing.assert_allclose(out, A * A * [1, 2])
    np.testing.assert_allclose(gz, B * np.conj(2 * A * [1, 2]))
    np.testing.assert_allclose(gx, np.real(np.conj(B) * A * A))
    with pytest.raises(TypeError, match="cotangent must be of real numbers, got dtype complex128"):
        vjp(np.abs, A)[1](B)


def test_the_derivative_along_a_direction_and_the_hessian_along_one():
    step = 1e-6
    out, slope = jvp(lambda z: np.conj(z) * z * z, (A,), (B,))
    np.testing.assert_allclose(out, np.conj(A) * A * A)
    np.testing.assert_allclose(slope, np.conj(B) * A * A + 2 * np.abs(A) ** 2 * B)
    expected = (grad(real_loss)(A + step * B) - grad(real_loss)(A - step * B)) / (2 * step)
    np.testing.assert_allclose(hvp(real_loss)(A, B), expected, rtol=1e-6)


def test_the_jacobian_is_the_derivative_of_holomorphic_functions():
    np.testing.assert_allclose(jacobian(np.exp)(A), np.diag(np.exp(A)))
    np.testing.assert_allclose(jacobian(lambda z: z**2 * np.array([1j, 2]))(A), np.diag(2 * A * [1j, 2]))
    np.testing.assert_allclose(jacobian(lambda x: np.exp(1j * x))(np.ones(1)), [[1j * np.exp(1j)]])
    np.testing.assert_allclose(jacobian(np.abs)(A), np.diag(A / np.abs(A)))
    np.testing.assert_allclose(hessian(lambda z: np.sum(np.abs(z) ** 2))(A), 2 * np.eye(2))
    np.testing.assert_allclose(holomorphic_grad(lambda z: np.sin(z) ** 2)(A[0]), np.sin(2 * A[0]))
    for transform, f in ((jacobian, np.conj), (jacobian, lambda z: np.abs(z) * z), (hessian, real_loss)):
        with pytest.raises(ValueError, match=r"not holomorphic.*np\.real and np\.imag"):
            transform(f)(A)


def test_a_wrong_rule_for_complex_numbers_is_found():
    @primitive
    def energy(z):
        return np.abs(z) ** 2

    defvjp(energy, lambda g, out, z: 2 * g * np.conj(z))
    with pytest.raises(GradcheckError, match=r"the imaginary part of argument 0 at \(0,\): the rules give -8"):
        gradcheck(energy, A * 2)
    defvjp(energy, lambda g, out, z: 2 * g * z)
    assert gradcheck(energy, A * 2)
    with pytest.raises(GradcheckUndecided, match=r"along the real part of argument 0 at \(1,\)"):
        gradcheck(np.abs, np.array([1j, 0]))
    assert gradcheck(lambda z, x: np.fft.ifft(np.fft.fft(x) * z), A, np.array([1.0, 2.0]))


def test_rules_as_hips_autograd_has_them_take_its_gradients():
    @primitive
    def mirrored(z):
        return np.conj(z) * np.exp(z)

    extend.defvjp(mirrored, lambda ans, z: lambda g: g * ans + np.conj(g * np.exp(z)))
    assert gradcheck(mirrored, A)
    np.random.seed(0)  # noqa: NPY002
    test_util.check_grads(mirrored)(A)
    space = extend.vspace({"z": A, "x": np.ones(1)})
    assert space.iscomplex and space.size == 5 == len(list(space.standard_basis()))
    assert space.inner_prod({"z": A, "x": np.ones(1)}, {"z": 1j * A, "x": np.ones(1)}) == 1


def test_a_checkpoint_is_right_for_functions_that_are_not_holomorphic():
    assert gradcheck(checkpoint(lambda z: np.conj(z) * np.sin(z)), A)


def test_no_slope_is_infinite_where_a_number_is_zero():
    z = Tensor(np.array([0j, 1j]))
    (np.abs(z) + np.angle(z) + np.sign(z).real).sum().backward()
    assert z.grad[0] == 0
    (np.linalg.norm(z * 0) + np.std(z * 0)).backward()
    assert np.isfinite(z.grad).all()


def test_equal_eigenvalues_have_a_gradient_and_their_vectors_have_none():
    a = Tensor(np.eye(2) + 0j)
    np.abs(np.linalg.eigvals(a)).sum().backward()
    np.testing.assert_allclose(a.grad, np.eye(2))
    b = Tensor(np.eye(2) + 0j)
    (np.abs(np.linalg.eig(b).eigenvectors - 2 * np.ones((2, 2))) ** 2).sum().backward()
    assert not np.isfinite(b.grad).all()


def test_the_eigenvalues_of_a_real_matrix_may_be_complex():
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    check(lambda a: np.linalg.eigvals(a), [turn])
    real = np.diag([1.0, 2.0])  # whose eigenvalues are real numbers up to NumPy 2.4, complex ones from 2.5 on
    assert np.linalg.eigvals(Tensor(real)).dtype == np.linalg.eigvals(real).dtype


def test_numbers_are_refused_where_a_complex_one_can_not_stand():
    with pytest.raises(TypeError, match="x of dtype float64 can't hold a value of dtype complex128"):
        set_at(Tensor([1.0]), 0, 1j)
    with pytest.raises(NoRuleError, match="hermitian=True"):
        np.linalg.svd(Tensor(np.eye(2) + 0j), hermitian=True)


def test_a_filter_is_fitted_in_the_frequency_domain():
    """Gradient descent on the spectrum of a filter finds the one that a signal went through."""
    rng = np.random.default_rng(0)
    signal, kernel = rng.normal(size=32), np.r_[0.5, -0.3, 0.2, np.zeros(29)]
    heard = np.fft.ifft(np.fft.fft(signal) * np.fft.fft(kernel)).real
    h = Tensor(np.zeros(32, complex), name="H")
    power = np.abs(np.fft.fft(signal)) ** 2
    for _ in range(30):
        loss = np.sum((np.fft.ifft(h * np.fft.fft(signal)).real - heard) ** 2)
        h.zero_grad()
        loss.backward()
        h.data -= h.grad * 16 / power
    np.testing.assert_allclose(np.fft.ifft(h.data).real, kernel, atol=1e-6)


@pytest.mark.skipif(torch is None, reason="torch is not installed")
@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
@pytest.mark.parametrize("start", [np.array([[1 + 2j, 0.5j]]), np.array(1 - 1j)], ids=["matrix", "number"])
def test_optimisers_move_both_parts_as_those_of_torch_do(name, start):
    z, theirs = Tensor(start), torch.tensor(start, requires_grad=True)
    mine, other = getattr(nn.optim, name)([z], lr=0.1), getattr(torch.optim, name)([theirs], lr=0.1)
    for _ in range(3):
        mine.zero_grad()
        other.zero_grad()
        (np.abs(z) ** 2 + np.sin(z).real).sum().backward()
        (theirs.abs() ** 2 + torch.sin(theirs).real).sum().backward()
        mine.step()
        other.step()
    np.testing.assert_allclose(z.data, theirs.detach().numpy(), rtol=1e-12)
    with pytest.raises(TypeError, match="explain: steps of real parameters are explained"):
        mine.explain()


def test_gradients_of_real_leaves_are_judged_through_complex_steps():
    x, h = Tensor([1.0, -2.0, 0.5, 3.0], name="x"), Tensor([0.5, 0.2, -0.1, 0.3], name="h")
    loss = np.sum((np.fft.ifft(np.fft.fft(x) * np.fft.fft(h)).real - 1) ** 2)
    loss.backward()
    assert compare_grads(loss, {x: x.grad, h: h.grad}).ok
    with pytest.raises(AssertionError, match=r"WRONG: the gradient of x"):
        assert_grads_match(loss, {x: 2 * x.grad})
    assert "it is 2 times the right one" in str(viz.explain_mismatch(loss, {x: 2 * x.grad, h: h.grad}))
    assert "is wrong" in str(viz.explain_mismatch(loss, {x: x.grad[[1, 0, 3, 2]], h: h.grad}))
    z = Tensor(A, name="z")
    with pytest.raises(TypeError, match="the gradient of z has dtype complex128; expected real numbers"):
        compare_grads(np.abs(z).sum(), {z: A})


# --- shown ------------------------------------------------------------------------------------------------------------


def test_the_tape_a_picture_and_a_derivation_show_complex_numbers():
    z, w = Tensor(A, name="z"), Tensor(0.5 - 1j, name="w")
    loss = np.sum(np.abs(np.exp(w * z)) ** 2)
    assert "|·| " in str(Tape(np.abs(np.outer(np.ones(9), z)).sum()))
    assert "0.5-1.j" in str(Tape(loss))
    assert "0.5-1i" in viz.draw(loss).svg()
    assert "Re, Im" in viz.draw(np.abs(Tensor(np.ones((9, 9)) * 1j) * 2).sum()).svg()
    assert "conj(w)" in str(viz.derive(loss, z))
    assert "vdot(z, z)" in viz.draw(np.vdot(z, z).real).text()
    with pytest.raises(ValueError, match=r"z of shape \(2,\) is complex, and a scalar graph has real numbers"):
        viz.draw(loss, level="scalar")


@pytest.mark.parametrize(
    "f",
    [
        lambda z, x: np.exp(z) * x, lambda z, x: np.abs(z) * x, lambda z, x: np.conj(z) * z + x, lambda z, x: x / z - z,
        lambda z, x: z**3 + x**z, lambda z, x: np.sum(np.stack([z, x * z, 1j * x])), lambda z, x: z.imag * z.real - x,
    ],
)  # fmt: skip
def test_single_complex_numbers_are_shown_by_every_tool(f):
    z, x = Tensor(1.5 - 0.5j, name="z"), Tensor(2.0, name="x")
    loss = np.abs(f(z, x)) ** 2
    for leaf in (z, x):
        assert "sum = gradient (largest difference 0)" in str(viz.contributions(loss, leaf))
    for tool in (viz.paths, viz.derive):
        assert "∂L/∂z" in str(tool(loss, z)) and "∂L/∂x" in str(tool(loss, x))
    assert "1.5-0.5i" in viz.draw(loss).text()
    for step in viz.step(loss).walk:
        assert step.title in str(step) and (step.check.numeric is None or step.check.numeric.ok)


@pytest.mark.parametrize("name", ["angle", "sign", "vdot", "emath.sqrt", "real times complex", "absolute", "correlate"])
def test_formulas_of_complex_steps_give_what_the_rules_give(name):
    fn, shapes = PARTS[name]
    for step in viz.step(loss(fn(*map(Tensor, arrays_of(shapes))))).walk:
        if step.formula is not None:
            np.testing.assert_allclose(step.formula.evaluate(), step.result, rtol=1e-9, atol=1e-12)
            assert step.check.numeric is None or step.check.numeric.ok, step.equation
