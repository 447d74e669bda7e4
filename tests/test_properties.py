"""Random programs over all rules: derivatives of every kind agree with each other, with differences and with torch.

`opcases` declares the operations, and a rule that none of them reaches fails here. Hypothesis draws which operations
feed which, in which order, from leaves of which shapes, dtypes and memory layouts; always the same ones.
"""

import inspect
import itertools

import complexcases
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, mutually_broadcastable_shapes
from opcases import ALL, torch
from opchecks import weights
from test_viz_scalar import WITHOUT

from autograd import Tape, Tensor, grad, hvp, jvp
from autograd.registry import COMPOSITES, RULES
from viz.scalar import ScalarGraph


def drawn(examples):
    return settings(max_examples=examples, deadline=None, derandomize=True, database=None)


# --- programs of declared operations ----------------------------------------------------------------------------------


def fitting(y, op, shape, lib):
    """Numbers made of those of `y`, of a shape, no two alike, and where the operation has a derivative."""
    ends = itertools.pairwise([op.domain[0], *op.avoid, op.domain[1]])
    low, high = max(ends, key=lambda pair: pair[1] - pair[0])
    n = int(np.prod(shape, dtype=int))
    size = int(np.prod(y.shape, dtype=int))
    flat = y.reshape(-1)[np.arange(n) * 5 % size]
    angles = np.arange(n) * 0.7 + 0.3
    angles = angles if lib is np else torch.tensor(angles)
    return ((low + high) / 2 + (high - low) * 0.42 * lib.sin(flat + angles)).reshape(shape)


class Program:
    """Operations, each of which is fed by leaves and by earlier results; its value is a weighted sum of all results."""

    def __init__(self, ops, shapes, picks):
        self.ops, self.picks = ops, picks
        self.leaves = [weights(shape)[()] + i for i, shape in enumerate(shapes)]

    def __repr__(self):
        return f"{[op.name for op in self.ops]} of {[x.shape for x in self.leaves]}, fed by {self.picks}"

    def __call__(self, *leaves, lib=np):
        pool, total, picks = list(leaves), 0.0, iter(self.picks)
        for op in self.ops:
            operands = [fitting(pool[next(picks) % len(pool)], op, shape, lib) for shape in op.shapes]
            out = op.fn(*operands) if lib is np else op.in_torch(*operands)
            w = weights(out.shape)
            total = total + ((w if lib is np else torch.tensor(w)) * out).sum()
            if out.shape == () or min(out.shape) > 0:
                pool.append(out)
        return total


@st.composite
def programs(draw, ops, kind=Program):
    shapes = draw(st.lists(array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=4), min_size=1, max_size=2))
    places = sum(len(op.shapes) for op in ops)
    return kind(draw(st.permutations(ops)), shapes, draw(st.lists(st.integers(0, 9), min_size=places, max_size=places)))


def chunks(ops, size):
    """All of them, in groups of those that are declared far from each other."""
    step = -(-len(ops) // size)
    return [ops[k::step] for k in range(step)]


def slope(f, xs, vs):
    """The derivative of f along vs by central differences of two widths, and how far apart these are."""
    ends = []
    for h in (2e-4, 1e-4):
        there, back = (f(*(x + s * h * v for x, v in zip(xs, vs, strict=True))) for s in (1, -1))
        ends.append((there - back) / (2 * h))
    return (4 * ends[1] - ends[0]) / 3, abs(ends[1] - ends[0])


def inner(xs, ys):
    return sum(float(np.sum(x * y)) for x, y in zip(xs, ys, strict=True))


def assert_near(found, expected, off, scale):
    assert abs(found - expected) <= 1e-7 * max(1.0, scale) + off, (found, expected, off)


NUMBERED = {"ids": lambda ops: ops[0].name}


@pytest.mark.parametrize("ops", chunks(ALL, 5), **NUMBERED)
def test_derivatives_of_random_programs(ops):
    @drawn(2)
    @given(programs(ops))
    def check(program):
        with np.errstate(all="ignore"):
            xs, wrt = program.leaves, tuple(range(len(program.leaves)))
            vs = [np.random.default_rng(i).choice([-1.0, 1.0], x.shape)[()] for i, x in enumerate(xs)]
            gradients = grad(program, wrt)
            g = gradients(*xs)
            scale = sum(np.sum(np.abs(x)) for x in g) + abs(program(*xs))
            assert_near(inner(g, vs), *slope(program, xs, vs), scale)
            pushed = float(jvp(program, tuple(xs), tuple(vs))[1])
            assert_near(pushed, inner(g, vs), 0.0, 1e-3 * scale)
            product = hvp(program, wrt)(*xs, tuple(vs))
            scale += sum(np.sum(np.abs(x)) for x in product)
            assert_near(inner(product, vs), *slope(lambda *ys: inner(gradients(*ys), vs), xs, vs), scale)
            reverse = grad(lambda *ys: sum(np.sum(a * v) for a, v in zip(gradients(*ys), vs, strict=True)), wrt)(*xs)
            for a, b in zip(product, reverse, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-9 * max(1.0, scale))

    check()


@pytest.mark.skipif(torch is None, reason="compares with torch")
@pytest.mark.parametrize("ops", chunks([op for op in ALL if op.torch is not None], 4), **NUMBERED)
def test_random_programs_have_torchs_derivatives(ops):
    @drawn(2)
    @given(programs(ops))
    def check(program):
        ours = [Tensor(x) for x in program.leaves]
        theirs = [torch.tensor(x, requires_grad=True) for x in program.leaves]
        mine, other = program(*ours), program(*theirs, lib=torch)
        np.testing.assert_allclose(mine.data, other.detach().numpy(), rtol=1e-9)
        mine.backward()
        gradients = torch.autograd.grad(other, theirs, allow_unused=True, materialize_grads=True)
        for x, t in zip(ours, gradients, strict=True):
            scale = max(1.0, float(t.abs().max()))
            np.testing.assert_allclose(0 * x.data if x.grad is None else x.grad, t, rtol=1e-8, atol=1e-9 * scale)

    check()


@pytest.mark.parametrize("ops", chunks([op for op in ALL if op.name not in WITHOUT], 4)[::4], **NUMBERED)
def test_random_programs_have_the_same_gradients_number_by_number(ops):
    @drawn(1)
    @given(programs(ops))
    def check(program):
        leaves = [Tensor(x) for x in program.leaves]
        tape = Tape(program(*leaves))
        expected, found = tape.gradients(), ScalarGraph(tape).gradients()
        for x in leaves:
            want = expected.get(x.node, np.zeros(x.shape))
            scale = max(1.0, float(np.max(np.abs(want))))
            np.testing.assert_allclose(found.get(x.node, 0 * want), want, rtol=1e-9, atol=1e-10 * scale)

    check()


class ComplexProgram(Program):
    """The same of complex numbers: operands are those that an operation is declared with, moved by what feeds them."""

    def __init__(self, ops, shapes, picks):
        super().__init__(ops, shapes, picks)
        self.leaves = [x * (1 + 0.5j) for x in self.leaves]

    def __call__(self, *leaves):
        pool, outs, picks = list(leaves), [], iter(self.picks)
        for op in self.ops:
            operands = [moved(pool[next(picks) % len(pool)], x) for x in complexcases.operands(op)]
            outs.append(op.fn(*operands))
            if np.size(outs[-1]):
                pool.append(outs[-1])
        return np.concatenate([np.reshape(out * (1 + 0j), (-1,)) for out in outs])


def moved(y, x):
    """`x`, each element of it moved a little by one of `y`."""
    flat = np.reshape(y, (-1,))[np.arange(x.size) * 5 % int(np.prod(y.shape))]
    return x + np.reshape(0.1 * flat / (1 + np.abs(flat)), x.shape)


@pytest.mark.parametrize("ops", chunks(complexcases.CASES, 5), **NUMBERED)
def test_derivatives_of_random_programs_of_complex_numbers(ops):
    @drawn(1)
    @given(programs(ops, ComplexProgram))
    def check(program):
        complexcases.check(program, program.leaves)

    check()


def test_every_rule_of_a_numpy_function_is_in_these_programs_or_of_complex_numbers_alone():
    reached = set()
    for fn, shapes in complexcases.PARTS.values():
        reached |= {node.rule for node in Tape(fn(*map(Tensor, complexcases.arrays_of(shapes))))}
    for name, real, options in complexcases.FFT:
        z = Tensor(complexcases.numbers((3, 4, 5), real=real))
        reached |= {node.rule for node in Tape(getattr(np.fft, name)(z, **options))}
    reached |= {rule for rule in RULES.values() if rule.of_complex in reached}
    for op in ALL:
        tensors = [Tensor(x) for x in op.operands()]
        (2 * op.fn(*tensors)).sum().backward(create_graph=True)
        for root in (t.grad for t in tensors if isinstance(t.grad, Tensor) and t.grad.requires_grad):
            reached |= {node.rule for node in Tape(root)}
        reached |= {node.rule for node in Tape(op.fn(*tensors))}
    own = [fn for fn in RULES if not isinstance(fn, np.ufunc) or getattr(np, fn.__name__, None) is fn]
    with_rule = {fn: RULES[fn] for fn in own if RULES[fn].variadic or any(RULES[fn].vjps)}
    assert [fn.__name__ for fn, rule in with_rule.items() if rule not in reached] == []


# --- shapes, dtypes and memory layouts --------------------------------------------------------------------------------

LAYOUTS = {
    "as it is": lambda x: x,
    "Fortran's order": lambda x: x.copy(order="F"),
    "transposed": lambda x: np.array(x.T).T,
    "every other": lambda x: np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x,
    "backward": lambda x: np.array(x[..., ::-1])[..., ::-1] if x.ndim else x,
    "read-only": lambda x: np.broadcast_to(x, x.shape),
}
DTYPES = {np.float64: 1e-6, np.float32: 2e-4}
UFUNCS = sorted((fn for fn in RULES if isinstance(fn, np.ufunc) and not fn.signature), key=lambda fn: fn.__name__)
UFUNCS = [fn for fn in UFUNCS if RULES[fn].fn is fn and any(RULES[fn].vjps)]  # without other names


def parameters(fn):
    try:
        return inspect.signature(fn).parameters
    except ValueError:
        return {}


REDUCTIONS = [
    fn for fn in (*RULES, *COMPOSITES)
    if not isinstance(fn, np.ufunc) and {"axis", "keepdims"} <= parameters(fn).keys()
    and sum(p.default is p.empty and p.kind is not p.VAR_KEYWORD for p in parameters(fn).values()) == 1
]  # fmt: skip


def inside(fn, shapes):
    """Operands that a ufunc has a derivative at; integers where it has no rule."""
    pairs = list(zip(shapes, RULES[fn].vjps, strict=True))
    rng = np.random.default_rng(0)
    for ends in ((0.3, 0.9), (1.2, 2.5)):
        with np.errstate(all="ignore"):
            usable = np.isfinite(fn(*(2 if vjp is None else ends[0] for _, vjp in pairs)))
        if usable:
            return [np.ones(shape, int) if vjp is None else rng.uniform(*ends, shape) for shape, vjp in pairs]
    raise AssertionError(f"give {fn.__name__} a domain here")


@pytest.mark.parametrize("fn", UFUNCS, ids=lambda fn: fn.__name__)
def test_a_ufunc_on_arrays_of_any_shape_dtype_and_layout(fn):
    @drawn(4)
    @given(
        mutually_broadcastable_shapes(num_shapes=fn.nin, min_side=0, max_side=3, max_dims=3),
        st.tuples(*[st.sampled_from(list(LAYOUTS))] * fn.nin),
        st.sampled_from(list(DTYPES)),
    )
    def check(shapes, layouts, dtype):
        free = [i for i, vjp in enumerate(RULES[fn].vjps) if vjp is not None]
        given = [LAYOUTS[name](x) for name, x in zip(layouts, inside(fn, shapes.input_shapes), strict=True)]
        given = [x.astype(dtype) if i in free else x for i, x in enumerate(given)]
        tensors = [Tensor(x) for x in given]
        expected = fn(*given)
        out = fn(*tensors)
        assert out.dtype == expected.dtype and out.shape == expected.shape == shapes.result_shape
        np.testing.assert_array_equal(out.data, expected)
        w = weights(out.shape)
        (out * w.astype(dtype)).sum().backward()
        exact = [x.astype(float) if i in free else x for i, x in enumerate(given)]
        for i in free:
            v = weights(given[i].shape)
            there, back = ([*exact[:i], exact[i] + s * 1e-5 * v, *exact[i + 1 :]] for s in (1, -1))
            want = np.sum(w * (fn(*there) - fn(*back))) / 2e-5
            assert tensors[i].grad.dtype == dtype and tensors[i].grad.shape == given[i].shape
            scale = 1 + np.sum(np.abs(tensors[i].grad))
            assert abs(np.sum(tensors[i].grad * v) - want) <= DTYPES[dtype] * scale

    check()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("fn", REDUCTIONS, ids=lambda fn: fn.__name__)
def test_a_reduction_over_any_axes_of_arrays_of_any_shape_dtype_and_layout(fn):
    @drawn(12)
    @given(
        array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
        st.none() | st.integers(-2, 2) | st.lists(st.integers(0, 2), unique=True, max_size=2).map(tuple),
        st.booleans(),
        st.sampled_from(list(LAYOUTS)),
        st.sampled_from(list(DTYPES)),
    )
    def check(shape, axis, keepdims, layout, dtype):
        numbers = np.random.default_rng(1).permutation(np.linspace(0.3, 2, int(np.prod(shape))))
        x = LAYOUTS[layout](numbers.reshape(shape).astype(dtype))
        call = lambda x: fn(x, axis=axis, keepdims=keepdims)
        try:
            expected = call(x)
        except (ValueError, ZeroDivisionError) as error:
            if isinstance(error, np.exceptions.AxisError) or "zero-size" in str(error):
                with pytest.raises(ValueError, match=r"axis|zero-size"):
                    call(Tensor(x))
            return
        t = Tensor(x)
        out = call(t)
        assert out.dtype == expected.dtype and out.shape == expected.shape
        np.testing.assert_allclose(out.data, expected, rtol=1e-6)
        w, v, exact = weights(out.shape), weights(shape), x.astype(float)
        (out * w.astype(dtype)).sum().backward()
        assert t.grad.dtype == dtype and t.grad.shape == shape
        want = np.sum(w * (call(exact + 1e-5 * v) - call(exact - 1e-5 * v))) / 2e-5
        if x.size and np.isfinite(expected).all():
            assert abs(np.sum(t.grad * v) - want) <= DTYPES[dtype] * (1 + np.sum(np.abs(t.grad)))

    check()
