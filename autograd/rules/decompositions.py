"""Rules of the factors of matrices: eigenvalues, singular values, Cholesky and QR factors, and what is made of them.

The factors of one decomposition are operations of their own, each computed by the same call of NumPy's. Their slopes
divide by the gaps between eigenvalues (singular values): where two are equal, the vectors have no derivative, and the
gradient is infinite or NaN; the values have one.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..libraries import beside, zeros
from ..registry import NoRuleError, composite, defvjp, named, pure
from .elementwise import arrayed, conj, is_complex
from .linalg import adjoint, cofactors, turned
from .norms import squares

# --- eigenvalues and eigenvectors of symmetric matrices ---------------------------------------------------------------


@pure
def eigenvectors(a: Any, UPLO: Any = "L") -> Any:
    """The eigenvectors of symmetric (Hermitian) matrices, as columns, in the order of ``np.linalg.eigvalsh``."""
    return np.linalg.eigh(a, UPLO).eigenvectors


def _symmetric(g: Any) -> Any:
    return (g + adjoint(g)) / 2


@named
def turning(g: Any, vectors: Any, values: Any) -> Any:
    """The gradient of the symmetric matrix whose eigenvectors have the gradient `g`: V ((Vᴴ g) / (λⱼ − λᵢ)) Vᴴ.

    Vectors beyond those that have values belong to the value 0, between which nothing turns.
    """
    n, known = vectors.shape[-1], values.shape[-1]
    if n > known:
        values = np.concatenate((values, zeros((*values.shape[:-1], n - known), values)), axis=-1)
    place = np.minimum(np.arange(n), known)
    same = beside(values, np.equal.outer(place, place))
    gaps = np.where(same, np.inf, np.expand_dims(values, -2) - np.expand_dims(values, -1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.matmul(np.matmul(vectors, np.matmul(adjoint(vectors), g) / gaps), adjoint(vectors))


def _eigenvalues_rule(g: Any, out: Any, a: Any, UPLO: Any = "L") -> Any:
    v = eigenvectors(a, UPLO=UPLO)
    return np.matmul(v * np.expand_dims(g, -2), adjoint(v))


defvjp(np.linalg.eigvalsh, _eigenvalues_rule)
defvjp(
    eigenvectors,
    lambda g, out, a, UPLO="L": _symmetric(turning(g, out, np.linalg.eigvalsh(a, UPLO))),
    holomorphic=False,
)


class EighResult(NamedTuple):
    """What ``np.linalg.eigh`` gives."""

    eigenvalues: Any
    eigenvectors: Any


composite(np.linalg.eigh, lambda a, UPLO="L": EighResult(np.linalg.eigvalsh(a, UPLO), eigenvectors(a, UPLO=UPLO)))

# --- eigenvalues and eigenvectors of any matrices ---------------------------------------------------------------------


@pure
def general_eigenvalues(a: Any) -> Any:
    """The eigenvalues of square matrices, in the order of ``np.linalg.eig``; complex where one is, and from NumPy 2.5
    on always."""
    return np.linalg.eig(a).eigenvalues


@pure
def general_eigenvectors(a: Any) -> Any:
    """The eigenvectors of square matrices, as columns of length 1; complex where one eigenvalue is."""
    return np.linalg.eig(a).eigenvectors


def _through_the_basis(middle: Any, vectors: Any) -> Any:
    """V⁻ᴴ m Vᴴ."""
    return np.linalg.solve(adjoint(vectors), np.matmul(middle, adjoint(vectors)))


def _general_vectors_rule(g: Any, out: Any, a: Any) -> Any:
    """Boeddeker et al., "On the computation of complex-valued gradients" (2017). Length and phase are held."""
    values, turned_back = general_eigenvalues(a), np.matmul(adjoint(out), g)
    along = np.real(np.sum(conj(out) * g, axis=-2, keepdims=True))
    slopes = turned_back - np.matmul(adjoint(out), out * along)
    gaps = conj(np.expand_dims(values, -2) - np.expand_dims(values, -1))
    same = beside(out, np.eye(out.shape[-1], dtype=bool))
    with np.errstate(divide="ignore", invalid="ignore"):
        return _through_the_basis(np.where(same, 0, slopes) / np.where(same, np.inf, gaps), out)


defvjp(
    general_eigenvalues,
    lambda g, out, a: _through_the_basis(
        np.expand_dims(g, -1) * beside(g, np.eye(out.shape[-1])), general_eigenvectors(a)
    ),
    holomorphic=False,
)
defvjp(general_eigenvectors, _general_vectors_rule, holomorphic=False)


class EigResult(NamedTuple):
    """What ``np.linalg.eig`` gives."""

    eigenvalues: Any
    eigenvectors: Any


composite(np.linalg.eig, lambda a: EigResult(general_eigenvalues(a), general_eigenvectors(a)))
composite(np.linalg.eigvals, general_eigenvalues)

# --- singular values and singular vectors -----------------------------------------------------------------------------


@pure
def left_vectors(a: Any, full_matrices: bool = False) -> Any:
    """The left singular vectors of matrices, as columns."""
    return np.linalg.svd(a, full_matrices).U


@pure
def right_vectors(a: Any, full_matrices: bool = False) -> Any:
    """The right singular vectors of matrices, as rows."""
    return np.linalg.svd(a, full_matrices).Vh


@named
def svd_adjoint(g: Any, u: Any, s: Any, a: Any) -> Any:
    """The gradient of `a`, whose left singular vectors `u` have the gradient `g`: they are eigenvectors of a aᴴ."""
    squares = np.square(s)
    of_square = turning(g, u, squares)
    if u.shape[-1] < u.shape[-2]:  # what g has outside of the columns
        outside = g - np.matmul(u, np.matmul(adjoint(u), g))
        of_square = of_square + np.matmul(outside / np.expand_dims(squares, -2), adjoint(u))
    return np.matmul(of_square + adjoint(of_square), a)


def _left_vectors_rule(g: Any, out: Any, a: Any, full_matrices: bool = False) -> Any:
    """`svd_adjoint`; and of complex matrices, where each pair of vectors may turn together, how it turns is laid upon
    the left one: the gradient of what does not depend on it is right."""
    values = np.linalg.svdvals(a)
    found = svd_adjoint(g, out, values, a)
    if not is_complex(a):
        return found
    k = values.shape[-1]
    turn = np.imag(np.sum(conj(out) * g, axis=-2))[..., :k] / values
    return found + np.matmul(out[..., :k] * np.expand_dims(1j * turn, -2), right_vectors(a))


def _singular_values_rule(g: Any, out: Any, a: Any) -> Any:
    return np.matmul(left_vectors(a) * np.expand_dims(g, -2), right_vectors(a))


defvjp(np.linalg.svdvals, _singular_values_rule)
defvjp(left_vectors, _left_vectors_rule, holomorphic=False)
defvjp(
    right_vectors,
    lambda g, out, a, full_matrices=False: adjoint(
        svd_adjoint(adjoint(g), adjoint(out), np.linalg.svdvals(a), adjoint(a))
    ),
    holomorphic=False,
)


class SVDResult(NamedTuple):
    """What ``np.linalg.svd`` gives."""

    U: Any
    S: Any
    Vh: Any


def _svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    if hermitian:
        raise NoRuleError("np.linalg.svd has no derivative rule with hermitian=True: write np.linalg.eigh(a)")
    values = np.linalg.svdvals(a)
    if not compute_uv:
        return values
    u, vh = (part(a, full_matrices=full_matrices) for part in (left_vectors, right_vectors))
    return SVDResult(u, values, vh)


composite(np.linalg.svd, _svd)

# --- Cholesky and QR factors ------------------------------------------------------------------------------------------


def _half(x: Any) -> Any:
    """The lower triangle, with half of the diagonal."""
    return np.tril(x) * beside(x, 1 - np.eye(x.shape[-1], dtype=x.dtype) / 2)


def _cholesky_rule(g: Any, out: Any, a: Any, upper: bool = False) -> Any:
    """Murray, "Differentiation of the Cholesky decomposition" (2016)."""
    factor, g = (adjoint(out), adjoint(g)) if upper else (out, g)
    inner = np.linalg.solve(adjoint(factor), _half(np.matmul(adjoint(factor), g)))
    return _symmetric(adjoint(np.linalg.solve(adjoint(factor), adjoint(inner))))


defvjp(np.linalg.cholesky, _cholesky_rule, holomorphic=False)


@pure
def q_factor(a: Any) -> Any:
    """Q of a = Q R, of matrices with no more columns than rows."""
    return np.linalg.qr(a).Q


@pure
def r_factor(a: Any) -> Any:
    """R of a = Q R, of matrices with no more columns than rows."""
    return np.linalg.qr(a, "r")


def _over_r(x: Any, r: Any) -> Any:
    """x R⁻ᴴ."""
    return adjoint(np.linalg.solve(r, adjoint(x)))


def _mirrored(x: Any) -> Any:
    """The symmetric (Hermitian) matrix with the lower triangle of x."""
    lower = np.tril(x, -1)
    return lower + adjoint(lower) + np.real(np.tril(np.triu(x))) if is_complex(x) else np.tril(x) + turned(lower)


defvjp(
    q_factor,
    lambda g, out, a: _over_r(g - np.matmul(out, _mirrored(np.matmul(adjoint(g), out))), r_factor(a)),
    holomorphic=False,
)
defvjp(
    r_factor,
    lambda g, out, a: _over_r(np.matmul(q_factor(a), _mirrored(np.matmul(out, adjoint(g)))), out),
    holomorphic=False,
)


class QRResult(NamedTuple):
    """What ``np.linalg.qr`` gives."""

    Q: Any
    R: Any


def _qr(a: Any, mode: str = "reduced") -> Any:
    rows, columns = a.shape[-2:]
    if mode not in ("reduced", "r") and (mode != "complete" or rows > columns):
        raise NoRuleError(
            f"np.linalg.qr has no derivative rule with mode={mode!r} for matrices of {rows}×{columns}, whose further "
            "columns of Q may be any: write mode='reduced'"
        )
    square = a[..., :rows]
    q, r = None if mode == "r" and rows >= columns else q_factor(square), r_factor(square)
    if rows < columns:
        r = np.concatenate((r, np.matmul(adjoint(q), a[..., rows:])), axis=-1)
    return r if mode == "r" else QRResult(q, r)


composite(np.linalg.qr, _qr)

# --- pseudo-inverses and least squares --------------------------------------------------------------------------------


@named
def pinv_adjoint(g: Any, p: Any, a: Any) -> Any:
    """The gradient of `a`, whose pseudo-inverse `p` has the gradient `g`, where the rank does not change nearby.

    Golub & Pereyra, "The differentiation of pseudo-inverses" (1973)
    """
    gt, pt = adjoint(g), adjoint(p)
    along = np.matmul(np.matmul(pt, g), pt)
    rows = np.matmul(gt - np.matmul(a, np.matmul(p, gt)), np.matmul(p, pt))
    columns = np.matmul(np.matmul(pt, p), gt - np.matmul(np.matmul(gt, p), a))
    return rows + columns - along


defvjp(
    np.linalg.pinv,
    lambda g, out, a, rcond=None, hermitian=False, rtol=None: pinv_adjoint(g, out, a),
    holomorphic=False,
)


def _lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    a, b = arrayed(a), arrayed(b)
    if a.shape[0] != b.shape[0]:
        raise np.linalg.LinAlgError(f"np.linalg.lstsq: {a.shape[0]} rows do not fit {b.shape[0]}")
    rcond = np.finfo(a.dtype).eps * max(a.shape) if rcond is None else rcond
    values = np.linalg.svdvals(a)
    numbers = getattr(values, "data", values)
    rank = int(np.sum(numbers > rcond * np.max(numbers, initial=0)))
    x = np.matmul(np.linalg.pinv(a, rcond), b)
    rest = b - np.matmul(a, x)
    residuals = np.sum(squares(rest if b.ndim > 1 else np.expand_dims(rest, 1)), axis=0)
    return x, residuals if rank == a.shape[1] < a.shape[0] else residuals[:0], rank, values


composite(np.linalg.lstsq, _lstsq)

# --- determinants, condition, tensors as matrices ---------------------------------------------------------------------


@pure
def logabsdet(a: Any) -> Any:
    """log |det a| of square matrices, without over- or underflow; −∞ where `a` is singular."""
    return np.linalg.slogdet(a).logabsdet


def _logabsdet_rule(g: Any, out: Any, a: Any) -> Any:
    """a⁻ᴴ; the cofactors over 0 where `a` is singular."""
    g = np.expand_dims(g, (-2, -1))
    if np.any(out == -np.inf):
        with np.errstate(divide="ignore", invalid="ignore"):
            return g * conj(cofactors(a) / np.expand_dims(np.linalg.det(a), (-2, -1)))
    return g * adjoint(np.linalg.inv(a))


defvjp(logabsdet, _logabsdet_rule)


class SlogdetResult(NamedTuple):
    """What ``np.linalg.slogdet`` gives."""

    sign: Any
    logabsdet: Any


@pure
def phase_of_det(a: Any) -> Any:
    """det a / |det a| of square matrices; 0 where `a` is singular."""
    return np.linalg.slogdet(a).sign


defvjp(
    phase_of_det,
    lambda g, out, a: np.expand_dims(1j * np.imag(conj(out) * g), (-2, -1)) * adjoint(np.linalg.inv(a)),
    holomorphic=False,
)


def _slogdet(a: Any) -> Any:
    return SlogdetResult(phase_of_det(a) if is_complex(a) else np.linalg.slogdet(a.data).sign, logabsdet(a))


composite(np.linalg.slogdet, _slogdet)


def _cond(x: Any, p: Any = None) -> Any:
    if p in (None, 2, -2):
        values = np.linalg.svdvals(x)
        first, last = values[..., 0], values[..., -1]
        with np.errstate(divide="ignore", invalid="ignore"):
            return last / first if p == -2 else first / last
    return np.linalg.norm(x, p, (-2, -1)) * np.linalg.norm(np.linalg.inv(x), p, (-2, -1))


def _tensorinv(a: Any, ind: int = 2) -> Any:
    if ind <= 0:
        raise ValueError(f"np.linalg.tensorinv: ind must be positive, got {ind}")
    rows, columns = a.shape[:ind], a.shape[ind:]
    inverse = np.linalg.inv(np.reshape(a, (math.prod(rows), math.prod(columns))))
    return np.reshape(inverse, (*columns, *rows))


def _tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    a, b = arrayed(a), arrayed(b)
    if axes is not None:
        last = [k % a.ndim for k in axes]
        a = np.transpose(a, [*(k for k in range(a.ndim) if k not in last), *last])
    columns = a.shape[-(a.ndim - b.ndim) :]
    return np.reshape(np.linalg.solve(np.reshape(a, (b.size, math.prod(columns))), np.ravel(b)), columns)


composite(np.linalg.cond, _cond)
composite(np.linalg.tensorinv, _tensorinv)
composite(np.linalg.tensorsolve, _tensorsolve)
composite(np.linalg.vecdot, lambda x1, x2, /, *, axis=-1: np.vecdot(np.moveaxis(arrayed(x1), axis, -1),
                                                                    np.moveaxis(arrayed(x2), axis, -1)))  # fmt: skip
