"""``scipy.linalg``, under the name that code written for HIPS autograd imports it by, with the rules that it has."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg as _linalg

from ..numpy.lists import names_of
from ..registry import defvjp, primitive

__getattr__ = names_of(_linalg, globals())

sqrtm = primitive(_linalg.sqrtm)
solve_sylvester = primitive(_linalg.solve_sylvester)


@primitive
def solve_triangular(a: Any, b: Any, trans: Any = 0, lower: bool = False) -> Any:
    """``scipy.linalg.solve_triangular``."""
    return _linalg.solve_triangular(a, b, trans=trans, lower=lower)


@primitive
def solve_banded(l_and_u: Any, ab: Any, b: Any) -> Any:
    """``scipy.linalg.solve_banded``."""
    return _linalg.solve_banded(tuple(map(int, l_and_u)), ab, b)


def _outer(x: Any, y: Any) -> Any:
    """x yᵀ, of vectors or of matrices of columns."""
    return np.matmul(x.reshape(len(x), -1), y.reshape(len(y), -1).T)


def _adjoint(g: Any, a: Any, trans: Any, lower: bool) -> Any:
    return solve_triangular(a, g, trans="N" if trans in (1, "T", 2, "C") else "T", lower=lower)


def _of_triangle(g: Any, out: Any, a: Any, b: Any, trans: Any = 0, lower: bool = False) -> Any:
    u = _adjoint(g, a, trans, lower)
    full = _outer(out, u) if trans in (1, "T", 2, "C") else _outer(u, out)
    return -np.tril(full) if lower else -np.triu(full)


def _transposed(l_and_u: Any, ab: Any) -> tuple[Any, Any]:
    """A banded matrix, transposed: its widths and its diagonals."""
    low, up = l_and_u
    return (up, low), np.stack([np.roll(ab[up - k], -k) for k in range(-low, up + 1)])


def _of_diagonals(g: Any, out: Any, l_and_u: Any, ab: Any, b: Any) -> Any:
    low, up = l_and_u
    full = _outer(solve_banded(*_transposed(l_and_u, ab), g), out)
    n = len(full)
    rows = np.arange(-up, low + 1)[:, None] + np.arange(n)
    inside = (rows >= 0) & (rows < n)
    return -full[np.clip(rows, 0, n - 1), np.arange(n)] * inside


defvjp(sqrtm, lambda g, out, a: solve_sylvester(out.T, out.T, g))
defvjp(
    solve_sylvester,
    lambda g, out, a, b, q: -solve_sylvester(a.T, b.T, g) @ out.T,
    lambda g, out, a, b, q: -out.T @ solve_sylvester(a.T, b.T, g),
    lambda g, out, a, b, q: solve_sylvester(a.T, b.T, g),
)
defvjp(
    solve_triangular,
    _of_triangle,
    lambda g, out, a, b, trans=0, lower=False: _adjoint(g, a, trans, lower),
)
defvjp(
    solve_banded,
    None,
    _of_diagonals,
    lambda g, out, l_and_u, ab, b: solve_banded(*_transposed(l_and_u, ab), g),
)
