"""Calls on complex numbers, and how their gradients are checked along directions."""

from __future__ import annotations

import numpy as np
from opcases import ALL
from opchecks import weights

from autograd import Tensor

REAL_ALONE = {
    "cbrt", "deg2rad", "rad2deg", "radians", "degrees", "fabs", "logaddexp (3, 4) (3, 4)", "logaddexp2 (3, 4) (3, 4)",
    "remainder (3, 4) (3, 4)", "fmod (3, 4) (3, 4)", "arctan2 (3, 4) (3, 4)", "copysign (3, 4) (3, 4)", "ldexp", "erf",
    "unwrap", "i0", "interp", "quantile", "percentile", "nanquantile", "median", "bincount",
    "hypot (3, 4) (3, 4)", "hypot (3, 4) (4,)", "hypot (3, 1) (3, 4)", "hypot () (3, 4)", "hypot (4, 1) (1, 3)",
}  # fmt: skip
"""What has no complex numbers: in NumPy neither, but for the median."""
TO_REAL = {
    "full_like dtype", "astype", "cov weights", "modf, frexp", "histogram, its edges and densities", "logaddexp.reduce"
}  # fmt: skip
"""Cases that are about real dtypes; and one that is `logsumexp` here, where NumPy has nothing."""
HERMITIAN = {
    "eigh (2, 3, 3)", "eigh UPLO=U", "eigvalsh", "cholesky", "cholesky upper", "svd (2, 3, 3) full_matrices",
    "svd (3, 2) full_matrices", "svd (2, 3) full_matrices", "svd of full matrices, what their extra columns span",
}  # fmt: skip
"""Cases that make symmetric matrices, or losses of singular vectors that their phases matter to; see below."""
CASES = [op for op in ALL if op.name not in REAL_ALONE | TO_REAL | HERMITIAN]


def operands(op):
    rng = np.random.default_rng(3)
    return [x + 1j * rng.uniform(-0.4, 0.4, x.shape) for x in op.operands()]


def loss(out):
    """A real number that depends on every element, on its real and on its imaginary part, not linearly."""
    w = weights(out.shape)
    if out.dtype.kind != "c":
        return (w * (out + out * out / 2)).sum()
    return (w * np.real(out * np.conj(out)) / 2 + np.real(w * (0.5 + 1j) * out * out)).sum()


def gradients(fn, arrays):
    tensors = [Tensor(x) for x in arrays]
    loss(fn(*tensors)).backward()
    return [np.zeros(t.shape, t.dtype) if t.grad is None else t.grad for t in tensors]


def along(fn, arrays, directions):
    """What the gradient gives along `directions`, recorded, and the Tensors that it is of."""
    tensors = [Tensor(x) for x in arrays]
    loss(fn(*tensors)).backward(create_graph=True)
    slope = sum(
        (np.real(t.grad * np.conj(v))).sum() for t, v in zip(tensors, directions, strict=True) if t.grad is not None
    )
    for t in tensors:
        t.zero_grad()
    return tensors, slope


def paired(grads, directions):
    return sum(
        np.sum(np.real(np.conj(np.asarray(g)) * v)) for g, v in zip(grads, directions, strict=True) if g is not None
    )


def difference(f, arrays, directions, step=1e-5):
    ends = [f([x + s * v for x, v in zip(arrays, directions, strict=True)]) for s in (step, -step)]
    return (ends[0] - ends[1]) / (2 * step)


def drawn(arrays, seed):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=x.shape) + (1j * rng.normal(size=x.shape) if x.dtype.kind == "c" else 0) for x in arrays]


def close(a, b, rtol):
    assert abs(a - b) <= rtol * (1 + abs(b)), (a, b)


def check(fn, arrays):
    """Value, gradient and the gradient's gradient, along random directions."""
    with np.errstate(all="ignore"):
        expected = fn(*arrays)
    np.testing.assert_allclose(fn(*map(Tensor, arrays)).data, expected, rtol=1e-10, atol=1e-12)
    grads = gradients(fn, arrays)
    assert [(g.dtype, g.shape) for g in grads] == [(x.dtype, x.shape) for x in arrays]
    v = drawn(arrays, 1)
    close(paired(grads, v), difference(lambda xs: loss(fn(*map(Tensor, xs))).item(), arrays, v), 1e-6)
    tensors, slope = along(fn, arrays, v)
    if getattr(slope, "requires_grad", False):
        slope.backward()
    u = drawn(arrays, 2)
    second = paired([t.grad for t in tensors], u)
    close(second, difference(lambda xs: along(fn, xs, v)[1].item(), arrays, u), 1e-5)


# --- parts, transforms and factors of complex numbers -----------------------------------------------------------------

Z, Z3, X, X3 = (3, 4), (2, 3, 4), (3, 4), (2, 3, 4)


def numbers(shape, seed=0, real=False):
    rng = np.random.default_rng([seed, *shape])
    return rng.normal(size=shape) + (0 if real else 1j * rng.normal(size=shape))


def arrays_of(shapes):
    """Complex numbers of each shape; real ones where it says so."""
    return [numbers(s[1], 1, real=True) if s and s[0] == "real" else numbers(s, i) for i, s in enumerate(shapes)]


def hermitian(a):
    return a @ np.conj(np.swapaxes(a, -1, -2)) + 2 * np.eye(a.shape[-1])


def fft_cases():
    """Each transform with each of its options: what it is called on, and by what arguments."""
    for norm in (None, "backward", "ortho", "forward"):
        for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"):
            real = name in ("rfft", "ihfft")
            for n, axis in ((None, -1), (3, 0), (6, -1), (7, 1)):
                yield name, real, {"n": n, "axis": axis, "norm": norm}
        for name in ("fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn", "irfftn"):
            real = name in ("rfft2", "rfftn")
            yield name, real, {"norm": norm}
            yield name, real, {"s": (4, 5), "axes": (0, 2), "norm": norm}
        yield "fftn", True, {"axes": (1,), "norm": norm}
        yield "ifft", True, {"n": 2, "axis": 1, "norm": norm}


FFT = list(fft_cases())
PARTS = {
    "real": (lambda z: z.real, [Z]), "imag": (lambda z: z.imag, [Z]), "angle": (np.angle, [Z]),
    "angle in degrees": (lambda z: np.angle(z, deg=True), [Z]), "sign": (np.sign, [Z]), "conj": (np.conj, [Z]),
    "absolute": (np.absolute, [Z]), "1j * x of a real x": (lambda x: np.exp(1j * x), [("real", (4,))]),
    "real x + 1j y": (lambda x, y: (x + 1j * y) ** 2, [("real", (4,)), ("real", (4,))]),
    "real times complex": (lambda x, z: x * z + z / x, [("real", (4,)), Z]),
    "where by size": (lambda z: np.where(np.abs(z) > 1, z, 2j * z), [Z]),
    "real_if_close": (lambda z: np.real_if_close(z * np.conj(z)), [Z]), "sort_complex": (np.sort_complex, [Z]),
    "emath.sqrt": (np.emath.sqrt, [("real", (5,))]), "emath.log": (np.emath.log, [("real", (5,))]),
    "emath.log2": (np.emath.log2, [("real", (5,))]), "emath.log10": (np.emath.log10, [("real", (5,))]),
    "emath.logn": (lambda x: np.emath.logn(3.0, x), [("real", (5,))]), "emath.power": (
        lambda x: np.emath.power(x, 1.5), [("real", (5,))]), "emath.arcsin": (np.emath.arcsin, [("real", (5,))]),
    "emath.arccos": (np.emath.arccos, [("real", (5,))]), "emath.arctanh": (np.emath.arctanh, [("real", (5,))]),
    "fftshift": (lambda z: np.fft.fftshift(z, 0), [(5,)]), "ifftshift": (lambda z: np.fft.ifftshift(z), [(5, 3)]),
    "roots": (lambda p: np.sum(np.roots(p) ** 3), [(5,)]), "geomspace": (lambda a, b: np.geomspace(a, b, 5), [(), ()]),
    "correlate": (lambda a, v: np.correlate(a, v, "full"), [(5,), (3,)]), "vdot": (np.vdot, [(5,), (5,)]),
    "vecdot": (np.vecdot, [(3, 4), (4,)]), "cov": (np.cov, [(3, 5)]), "var": (lambda z: np.var(z, axis=1), [Z]),
    "std": (np.std, [Z]), "norm": (np.linalg.norm, [Z]), "norm of order 3": (lambda z: np.linalg.norm(z, 3), [(5,)]),
    "norm of order 1/2": (lambda z: np.linalg.norm(z, 0.5), [(5,)]),
    "nuclear": (lambda z: np.linalg.norm(z, "nuc"), [Z]),
    "mixed where=": (lambda z: np.mean(z, where=np.eye(3, 4, dtype=bool)), [Z]), "nanvar": (np.nanvar, [Z]),
}  # fmt: skip
FACTORS = {
    "eigh": lambda a: project(np.linalg.eigh(hermitian(a))), "eigvalsh": lambda a: np.linalg.eigvalsh(hermitian(a)),
    "cholesky": lambda a: np.linalg.cholesky(hermitian(a)), "svdvals": np.linalg.svdvals,
    "cholesky upper": lambda a: np.linalg.cholesky(hermitian(a), upper=True), "eigvals": np.linalg.eigvals,
    "svd": lambda a: rebuilt(np.linalg.svd(a, full_matrices=False)), "svd of a part": lambda a: low(np.linalg.svd(a)),
    "svd tall": lambda a: rebuilt(np.linalg.svd(a[..., :2], full_matrices=False)),
    "qr": lambda a: joined(np.linalg.qr(a)),
    "qr tall": lambda a: joined(np.linalg.qr(a[..., :2])), "qr wide": lambda a: joined(np.linalg.qr(a[..., :2, :])),
    "eig": lambda a: project(np.linalg.eig(a), power=2), "slogdet": lambda a: joined(np.linalg.slogdet(a)),
    "inv": np.linalg.inv, "det": np.linalg.det, "pinv": lambda a: np.linalg.pinv(a[..., :2]), "cond": np.linalg.cond,
    "matrix_power": lambda a: np.linalg.matrix_power(a, -3), "lstsq": lambda a: joined(
        np.linalg.lstsq(a[0][:, :2], a[1])[:2]), "solve": lambda a: np.linalg.solve(a[0], a[1]),
    "multi_dot": lambda a: np.linalg.multi_dot([a[0], a[1], a[0]]),
}  # fmt: skip


def joined(parts):
    return np.concatenate([np.reshape(part + 0j, (-1,)) for part in parts])


def project(found, power=1):
    """The projectors on the lines that the vectors span, each times its value: no phase and no length is left."""
    values, vectors = found
    p = np.expand_dims(vectors, -2) * np.conj(np.expand_dims(vectors, -3))
    return np.sum(p * np.reshape(values**power, (*values.shape[:-1], 1, 1, -1)), axis=-1)


def rebuilt(found):
    u, s, vh = found
    return np.matmul(u * np.expand_dims(s**2, -2), vh)


def low(found):
    u, s, vh = found
    return np.matmul(u[..., :1] * np.expand_dims(s[..., :1], -2), vh[..., :1, :])
