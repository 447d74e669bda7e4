"""Forward mode: jvp, jacobian(mode="forward"), hvp, and what is recorded or kept for them.

That each operation's tangent is right is tested with the operations (`opchecks`).
"""

import importlib.util

import complexcases
import numpy as np
import pytest

from autograd import (
    NoRuleError,
    Tensor,
    checkpoint,
    defvjp,
    elementwise_grad,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    primitive,
    set_at,
    slopes,
    vjp,
)
from autograd.node import reachable
from autograd.tracing import Trace

X = np.array([0.3, -0.5, 0.8, 1.1])
V = np.array([1.0, -2.0, 0.5, 0.25])
A = np.arange(6.0).reshape(2, 3) / 7


def shifted(x):
    return 2 * x + 1


FUNCTIONS = {
    "more results": lambda x: np.outer(np.sin(x), x),
    "as many": lambda x: np.cumsum(np.exp(x)) * x[::-1],
    "fewer": lambda x: np.stack([x[0] * x[1], np.max(x)]),
    "a number": lambda x: np.linalg.norm(x),
    "one used often": lambda x: x * x * x - x * x,
    "joined with constants": lambda x: np.concatenate([x, [1, 2], x**2, np.ones(2)]),
    "changed at places": lambda x: set_at(np.sin(x), [0, 2], x[1:3] ** 2),
    "padded": lambda x: np.pad(x**2, (1, 2), constant_values=(4, -3)),
    "a decomposition": lambda x: np.linalg.inv(np.diag(x) + 3.0),
    "no numbers": lambda x: x[:0],
    "a constant": lambda x: np.ones(3),
}


@pytest.mark.parametrize("f", FUNCTIONS.values(), ids=FUNCTIONS)
def test_both_modes_give_one_jacobian(f):
    forward, reverse = jacobian(f, mode="forward")(X), jacobian(f, mode="reverse")(X)
    assert forward.shape == reverse.shape == np.shape(f(X)) + X.shape
    np.testing.assert_allclose(forward, reverse, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(jacobian(f)(X), forward if np.size(f(X)) > X.size else reverse)
    np.testing.assert_allclose(jvp(f, (X,), (V,))[1], forward @ V, rtol=1e-12, atol=1e-14)


def test_the_mode_with_fewer_passes_is_taken(monkeypatch):
    calls = []
    for mode in ("pull", "push"):
        way = getattr(Trace, mode)
        monkeypatch.setattr(Trace, mode, lambda *args, mode=mode, way=way: calls.append(mode) or way(*args))
    for f, mode, expected in (
        (lambda x: np.outer(x, x), None, "push"),
        (lambda x: x[1:] ** 2, None, "pull"),
        (lambda x: x**2, None, "pull"),
        (lambda x: x[1:] ** 2, "forward", "push"),
        (lambda x: np.outer(x, x), "reverse", "pull"),
    ):
        jacobian(f, mode=mode)(X)
        assert set(calls) == {expected}
        calls.clear()
    with pytest.raises(ValueError, match="mode must be 'forward', 'reverse' or None, got 'fwd'"):
        jacobian(np.sin, mode="fwd")


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_a_stack_of_gradients_is_swept_in_parts_where_it_is_large(monkeypatch, mode):
    passes = []
    way = Trace.pull if mode == "reverse" else Trace.push
    monkeypatch.setattr(Trace, way.__name__, lambda *args: passes.append(None) or way(*args))
    f = lambda x: np.tanh(np.outer(x, x) @ A.T[:, :1].repeat(4, 1)[[0, 1, 2, 0]])
    whole, once = jacobian(f, mode=mode)(X), len(passes)
    monkeypatch.setattr("autograd.tracing.MOST", 3 * 16)
    np.testing.assert_allclose(jacobian(f, mode=mode)(X), whole, rtol=1e-13)
    assert once == 1 and len(passes) - once == (6 if mode == "reverse" else 2)
    through = primitive(np.sin)
    defvjp(through, lambda g, out, x: np.array([float(v) for v in g]) * np.cos(x))
    passes.clear()
    np.testing.assert_allclose(jacobian(through, mode=mode)(X), np.diag(np.cos(X)))
    assert len(passes) == 4


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_nests_of_arguments_and_results(mode):
    def f(p, s):
        return {"y": p["w"] @ p["b"] * s, "z": (s * p["b"], np.sum(p["w"]))}

    p = {"w": A, "b": X[:3]}
    by_p, by_s = jacobian(f, (0, 1), mode=mode)(p, 2.0)["y"]
    np.testing.assert_allclose(by_p["b"], 2 * A)
    np.testing.assert_allclose(by_p["w"], 2 * np.einsum("ij,k->ijk", np.eye(2), X[:3]))
    np.testing.assert_allclose(by_s, A @ X[:3])
    whole = jacobian(f, mode=mode)(p, 2.0)
    np.testing.assert_allclose(whole["z"][0]["b"], 2 * np.eye(3))
    np.testing.assert_array_equal(whole["z"][0]["w"], np.zeros((3, 2, 3)))
    np.testing.assert_array_equal(whole["z"][1]["w"], np.ones((2, 3)))


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize("shape", [(), (0,), (2, 0), (1,)])
def test_numbers_and_arrays_without_elements(mode, shape):
    x = np.full(shape, 0.5)[()]
    d = jacobian(lambda x: np.stack([x, x * x, 3 * x]), mode=mode)(x)
    assert d.shape == (3, *shape, *shape) and d.dtype == float
    np.testing.assert_allclose(d.reshape(3, -1), np.array([[1.0], [1.0], [3.0]])[:, : np.size(x)])


def test_the_jacobian_has_the_dtype_of_the_argument():
    x = X.astype(np.float32)
    for mode in ("forward", "reverse"):
        assert jacobian(lambda x: np.outer(x, X), mode=mode)(x).dtype == np.float32
        assert jacobian(lambda x: np.outer(x, x), mode=mode)(x).dtype == np.float32
    assert jvp(lambda x: x * X, (x,), (x,))[1].dtype == np.float64
    assert hvp(lambda x: np.sum(x**3))(x, x).dtype == np.float32


@pytest.mark.parametrize(
    ("f", "x", "v", "tangent"),
    [
        (np.abs, 0.0, 3.0, 0.0),
        (lambda x: np.maximum(x, 0.0), 0.0, 3.0, 1.5),
        (np.max, np.array([2.0, 2.0, 1.0]), np.array([1.0, 3.0, 9.0]), 2.0),
        (lambda x: np.clip(x, 0, 1), 1.0, 3.0, 3.0),
        (np.prod, np.array([0.0, 2.0, 3.0]), np.array([1.0, 5.0, 7.0]), 6.0),
        (np.linalg.norm, np.zeros(3), np.ones(3), 0.0),
        (np.sqrt, 0.0, 1.0, np.inf),
        (np.floor, 2.5, 1.0, 0.0),
        (lambda x: np.where(x > 0, x, 0.0), np.array([-1.0, 1.0]), np.array([5.0, 7.0]), np.array([0.0, 7.0])),
    ],
)
def test_at_kinks_and_ties_forward_mode_takes_what_reverse_mode_takes(f, x, v, tangent):
    np.testing.assert_array_equal(jvp(f, (x,), (v,))[1], tangent)
    out, pullback = vjp(f, x)
    for unit in np.eye(np.size(out)):
        u = unit.reshape(np.shape(out))[()]
        np.testing.assert_array_equal(np.sum(pullback(u)[0] * v), np.sum(u * tangent))


def test_a_function_of_ones_own_may_add_a_constant_or_read_everything():
    offset = primitive(shifted)
    defvjp(offset, lambda g, out, x: 2 * g)
    assert jvp(offset, (3.0,), (1.0,)) == (7, 2)
    scaled = primitive(lambda x, y: np.sum(x) * y)
    defvjp(scaled, lambda g, out, x, y: np.sum(g * y) * np.ones(x.shape), lambda g, out, x, y: g * np.sum(x))
    np.testing.assert_allclose(jvp(scaled, (X, A), (V, A))[1], np.sum(V) * A + np.sum(X) * A)
    half = primitive(lambda x, n: x * n)
    defvjp(half, lambda g, out, x, n: g * n)
    assert jvp(lambda x: half(x, 3), (2.0,), (1.0,))[1] == 3
    through = primitive(np.round)
    defvjp(through, lambda g, out, x: g)
    assert jvp(through, (2.4,), (0.25,)) == (2, 0.25)
    with pytest.raises(NoRuleError):
        jvp(half, (2.0, 3.0), (1.0, 1.0))


def test_forward_mode_is_nested_with_itself_and_with_reverse_mode():
    f = lambda x: np.sum(np.tanh(np.outer(x, x)) ** 2)
    h = hessian(f)(X)
    along = lambda x: jvp(f, (x,), (V,))[1]
    np.testing.assert_allclose(jvp(along, (X,), (V,))[1], V @ h @ V, rtol=1e-12)
    np.testing.assert_allclose(grad(along)(X), h @ V, rtol=1e-12)
    np.testing.assert_allclose(jvp(grad(f), (X,), (V,))[1], h @ V, rtol=1e-12)
    np.testing.assert_allclose(hvp(f)(X, V), h @ V, rtol=1e-12)
    np.testing.assert_allclose(jacobian(grad(f), mode="forward")(X), h, rtol=1e-12)
    np.testing.assert_allclose(jacobian(jacobian(f, mode="forward"), mode="forward")(X), h, rtol=1e-12)
    third = jacobian(hessian(f), mode="forward")(X)
    np.testing.assert_allclose(third, jacobian(hessian(f), mode="reverse")(X), rtol=1e-11)
    assert jvp(lambda y: jvp(lambda x: x * y, (2.0,), (1.0,))[1], (3.0,), (1.0,)) == (3, 1)


def test_the_direction_can_be_differentiated_by():
    f = lambda x: np.sin(x) * x[::-1]
    by_direction = jacobian(lambda v: jvp(f, (X,), (v,))[1])(V)
    np.testing.assert_allclose(by_direction, jacobian(f)(X))
    v = Tensor(V)
    jvp(f, (X,), (v,))[1].sum().backward()
    np.testing.assert_allclose(v.grad, jacobian(f)(X).sum(axis=0))


def test_several_vectors_of_one_product():
    f = lambda x, p: np.sum(x**2 * p["w"]) + np.prod(p["w"])
    p = {"w": V}
    got = hvp(f, (0, 1))(X, p, (V, {"w": X}))
    np.testing.assert_allclose(got[0], 2 * p["w"] * V + 2 * X * X)
    block = jacobian(grad(lambda w: f(X, {"w": w})))(V)
    np.testing.assert_allclose(got[1]["w"], 2 * X * V + block @ X)


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="compares with torch")
@pytest.mark.filterwarnings("ignore:`torch.jit.script`:DeprecationWarning")
def test_the_numbers_are_torchs():
    import torch

    w = np.random.default_rng(0).standard_normal((4, 3))
    f = lambda x: np.tanh(x @ w) ** 2
    g = lambda x: torch.tanh(x @ torch.tensor(w)) ** 2
    x, v = torch.tensor(X), torch.tensor(V)
    np.testing.assert_allclose(jvp(f, (X,), (V,))[1], torch.func.jvp(g, (x,), (v,))[1], rtol=1e-13)
    np.testing.assert_allclose(jacobian(f, mode="forward")(X), torch.func.jacfwd(g)(x), rtol=1e-13)
    product = torch.func.jvp(torch.func.grad(lambda x: g(x).sum()), (x,), (v,))[1]
    np.testing.assert_allclose(hvp(lambda x: f(x).sum())(X, V), product, rtol=1e-12)


def kept(root):
    """How many numbers a graph holds."""
    return sum(node.size for node in reachable(root.node) if node.kept is not None)


def test_a_checkpoint_keeps_its_arguments_alone_and_runs_once_more():
    runs = []

    def layer(x, w, b):
        runs.append(x.shape)
        for _ in range(10):
            x = np.tanh(x @ w + b)
        return x

    x, w, b = (np.random.default_rng(0).standard_normal(s) for s in ((50, 4), (4, 4), (4,)))
    tensors = [Tensor(a) for a in (x, w, b)]
    stored, spared = layer(*tensors), checkpoint(layer)(*tensors)
    assert kept(stored) >= 10 * x.size
    assert kept(spared) == 2 * x.size + w.size + b.size
    runs.clear()
    gradients = []
    for out in (stored, spared):
        (out * out).sum().backward()
        gradients.append([t.grad for t in tensors])
        for t in tensors:
            t.zero_grad()
    assert len(runs) == 1
    for ours, theirs in zip(*gradients, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    np.testing.assert_allclose(jvp(checkpoint(layer), (x, w, b), (x, w, b))[1], jvp(layer, (x, w, b), (x, w, b))[1])


def test_an_operation_may_take_derivatives_itself_inside_of_any_transform():
    slope = primitive(lambda x: grad(lambda y: np.sum(y**3))(x))
    defvjp(slope, lambda g, out, x: 6 * g * x)
    np.testing.assert_allclose(grad(lambda x: np.sum(slope(x)))(X), 6 * X)
    np.testing.assert_allclose(grad(lambda x: np.sum(grad(lambda x: np.sum(slope(x)))(x) ** 2))(X), 72 * X)
    np.testing.assert_allclose(jvp(slope, (X,), (V,))[1], 6 * X * V)

    def closed(a):
        times = primitive(lambda x: x * a)
        defvjp(times, lambda g, out, x: g * a)
        return grad(times)(1.0)

    with pytest.raises(TypeError, match="uses a Tensor that requires a gradient and is not among its arguments"):
        grad(closed)(2.0)


def test_slopes_are_recorded_once_and_go_with_the_tape():
    f = np.tanh
    for _ in range(6):
        f = elementwise_grad(f)
    t = np.tanh(X)
    exact = -16 * t * (1 - t * t) * (45 * t**4 - 60 * t**2 + 17)
    np.testing.assert_allclose(f(X), exact, rtol=1e-11)
    np.testing.assert_array_equal(f(X), f(X))
    assert len(slopes._SLOPES) == 0
    x = Tensor(X)
    out = f(x)
    assert len(reachable(out.node)) < 200 and len(slopes._SLOPES) > 0
    del out, x
    assert len(slopes._SLOPES) == 0


def test_complex_numbers_in_forward_mode():
    z, v = X + 1j * V, V - 2j * X
    for f in (
        np.exp,
        lambda z: np.fft.fft(z**2),
        lambda z: z * np.sum(z),
        np.conj,
        np.abs,
        lambda z: np.real(z) * z[::-1],
    ):
        step = 1e-6
        slope = (f(z + step * v) - f(z - step * v)) / (2 * step)
        np.testing.assert_allclose(jvp(f, (z,), (v,))[1], slope, rtol=1e-7, atol=1e-8)
    for f in (np.exp, lambda z: np.fft.fft(z**2), np.abs, lambda z: np.sum(np.abs(z) ** 2)):
        np.testing.assert_allclose(jacobian(f, mode="forward")(z), jacobian(f, mode="reverse")(z), atol=1e-12)
    f = lambda x: np.exp(1j * x) * x[::-1]
    np.testing.assert_allclose(jacobian(f, mode="forward")(X), jacobian(f, mode="reverse")(X), atol=1e-12)
    with pytest.raises(ValueError, match="not holomorphic"):
        jacobian(np.conj, mode="forward")(z)


COMPLEX = {
    **{op.name: (op.fn, [x.shape for x in op.operands()], op.operands()) for op in complexcases.CASES},
    **{name: (fn, shapes, None) for name, (fn, shapes) in complexcases.PARTS.items()},
    **{name: (fn, [(2, 3, 3)], None) for name, fn in complexcases.FACTORS.items()},
}


@pytest.mark.parametrize("name", COMPLEX)
def test_tangents_of_complex_numbers_are_the_transposes_of_gradients(name):
    fn, shapes, centres = COMPLEX[name]
    xs = tuple(x[()] for x in complexcases.arrays_of(shapes))
    if centres:
        xs = tuple((0.3 * x + np.mean(centre))[()] for x, centre in zip(xs, centres, strict=True))
    vs = tuple(complexcases.numbers(np.shape(x), 7, real=not np.iscomplexobj(x))[()] for x in xs)
    out, pullback = vjp(fn, *xs)
    u = complexcases.numbers(np.shape(out), 8, real=not np.iscomplexobj(out))[()]
    inner = lambda a, b: np.sum(np.real(np.conj(a) * b))
    expected = sum(inner(g, v) for g, v in zip(pullback(u), vs, strict=True))
    np.testing.assert_allclose(inner(u, jvp(fn, xs, vs)[1]), expected, rtol=1e-9, atol=1e-9)
