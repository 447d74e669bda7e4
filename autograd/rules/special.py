"""Rules of the functions of ``scipy.special``, read when a Tensor first meets one: SciPy is not imported before."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special as sp

from ..registry import defvjp, nondifferentiable
from .elementwise import TWO_OVER_ROOT_PI, conj

ROOT_TWO_PI = math.sqrt(2 * math.pi)

# --- the error function, the normal distribution, the logistic function -----------------------------------------------

defvjp(sp.erf, lambda g, out, x: g * TWO_OVER_ROOT_PI * np.exp(-np.square(x)))
defvjp(sp.erfc, lambda g, out, x: -g * TWO_OVER_ROOT_PI * np.exp(-np.square(x)))
defvjp(sp.erfcx, lambda g, out, x: g * (2 * x * out - TWO_OVER_ROOT_PI))
defvjp(sp.erfi, lambda g, out, x: g * TWO_OVER_ROOT_PI * np.exp(np.square(x)))
defvjp(sp.dawsn, lambda g, out, x: g * (1 - 2 * x * out))
defvjp(sp.erfinv, lambda g, out, x: g / TWO_OVER_ROOT_PI * np.exp(np.square(out)))
defvjp(sp.erfcinv, lambda g, out, x: -g / TWO_OVER_ROOT_PI * np.exp(np.square(out)))
defvjp(sp.ndtr, lambda g, out, x: g * np.exp(-np.square(x) / 2) / ROOT_TWO_PI)
defvjp(sp.log_ndtr, lambda g, out, x: g * np.exp(-np.square(x) / 2 - out) / ROOT_TWO_PI)
defvjp(sp.ndtri, lambda g, out, x: g * ROOT_TWO_PI * np.exp(np.square(out) / 2))
defvjp(sp.expit, lambda g, out, x: g * out * (1 - out))
defvjp(sp.log_expit, lambda g, out, x: g * sp.expit(-x))
defvjp(sp.logit, lambda g, out, x: g / (x * (1 - x)))

# --- gamma and beta ---------------------------------------------------------------------------------------------------

for _digamma in {sp.digamma, sp.psi}:
    defvjp(_digamma, lambda g, out, x: g * sp.zeta(2.0, x))
defvjp(sp._ufuncs._zeta, None, lambda g, out, s, q: -g * s * sp.zeta(s + 1.0, q))  # what sp.zeta(s, q) calls
for _log in (sp.gammaln, sp.loggamma):
    defvjp(_log, lambda g, out, x: g * sp.digamma(x))
defvjp(sp.gamma, lambda g, out, x: g * out * sp.digamma(x))
defvjp(sp.rgamma, lambda g, out, x: -g * out * sp.digamma(x))
defvjp(
    sp.betaln,
    lambda g, out, a, b: g * (sp.digamma(a) - sp.digamma(a + b)),
    lambda g, out, a, b: g * (sp.digamma(b) - sp.digamma(a + b)),
)
defvjp(
    sp.beta,
    lambda g, out, a, b: g * out * (sp.digamma(a) - sp.digamma(a + b)),
    lambda g, out, a, b: g * out * (sp.digamma(b) - sp.digamma(a + b)),
)

defvjp(sp.gammainc, None, lambda g, out, a, x: g * np.exp(sp.xlogy(a - 1, x) - x - sp.gammaln(a)))
defvjp(sp.gammaincc, None, lambda g, out, a, x: -g * np.exp(sp.xlogy(a - 1, x) - x - sp.gammaln(a)))
defvjp(
    sp.betainc,
    None,
    None,
    lambda g, out, a, b, x: g * np.exp(sp.xlogy(a - 1, x) + sp.xlog1py(b - 1, -x) - sp.betaln(a, b)),
)
defvjp(
    sp.poch,
    lambda g, out, x, m: g * out * (sp.digamma(x + m) - sp.digamma(x)),
    lambda g, out, x, m: g * out * sp.digamma(x + m),
)
nondifferentiable(sp.gammasgn)

# --- Bessel functions: the slope of one is made of those of the orders beside it --------------------------------------

defvjp(sp.j0, lambda g, out, x: -g * sp.j1(x))
defvjp(sp.y0, lambda g, out, x: -g * sp.y1(x))
defvjp(sp.i0, lambda g, out, x: g * sp.i1(x))
defvjp(sp.k0, lambda g, out, x: -g * sp.k1(x))
defvjp(sp.j1, lambda g, out, x: g * (sp.j0(x) - sp.jv(2, x)) / 2)
defvjp(sp.y1, lambda g, out, x: g * (sp.y0(x) - sp.yv(2, x)) / 2)
defvjp(sp.i1, lambda g, out, x: g * (sp.i0(x) + sp.iv(2, x)) / 2)
defvjp(sp.k1, lambda g, out, x: -g * (sp.k0(x) + sp.kv(2, x)) / 2)
defvjp(sp.i0e, lambda g, out, x: g * (sp.i1e(x) - np.sign(x) * out))
defvjp(sp.i1e, lambda g, out, x: g * ((sp.i0e(x) + sp.ive(2, x)) / 2 - np.sign(x) * out))
defvjp(sp.jv, None, lambda g, out, v, x: g * (sp.jv(v - 1, x) - sp.jv(v + 1, x)) / 2)
defvjp(sp.yv, None, lambda g, out, v, x: g * (sp.yv(v - 1, x) - sp.yv(v + 1, x)) / 2)
defvjp(sp.yn, None, lambda g, out, n, x: g * (sp.yn(n - 1, x) - sp.yn(n + 1, x)) / 2)
defvjp(sp.iv, None, lambda g, out, v, x: g * (sp.iv(v - 1, x) + sp.iv(v + 1, x)) / 2)
defvjp(sp.kv, None, lambda g, out, v, x: -g * (sp.kv(v - 1, x) + sp.kv(v + 1, x)) / 2)
defvjp(
    sp.ive,
    None,
    lambda g, out, v, x: g * conj((sp.ive(v - 1, x) + sp.ive(v + 1, x)) / 2) - np.sign(x.real) * (conj(g) * out).real,
    holomorphic=False,  # it is scaled by exp(−|Re x|)
)

# --- integrals of exponentials and logarithms -------------------------------------------------------------------------

defvjp(sp.expn, None, lambda g, out, n, x: -g * sp.expn(n - 1, x))
defvjp(sp.exp1, lambda g, out, x: -g * np.exp(-x) / x)
defvjp(sp.expi, lambda g, out, x: g * np.exp(x) / x)
defvjp(sp.spence, lambda g, out, x: g * np.log(x) / (1 - x))

# --- entropies: 0 · log 0 counts for nothing --------------------------------------------------------------------------


def _counted(x: Any, y: Any) -> Any:
    """y, but 1 where neither x nor y is positive."""
    return np.where((x == 0) & (y <= 0), 1.0, y)


defvjp(
    sp.xlogy,
    lambda g, out, x, y: g * np.log(_counted(x, y)),
    lambda g, out, x, y: g * x / _counted(x, y),
)
defvjp(
    sp.xlog1py,
    lambda g, out, x, y: g * np.log(_counted(x, 1 + y)),
    lambda g, out, x, y: g * x / _counted(x, 1 + y),
)
defvjp(sp.entr, lambda g, out, x: -g * (np.log(x) + 1))
defvjp(sp.rel_entr, lambda g, out, x, y: g * (np.log(x / y) + 1), lambda g, out, x, y: -g * x / y)
defvjp(sp.kl_div, lambda g, out, x, y: g * np.log(x / y), lambda g, out, x, y: g * (1 - x / y))

# --- SciPy's own spellings of what NumPy has --------------------------------------------------------------------------

defvjp(sp.exp2, lambda g, out, x: g * out * math.log(2))
defvjp(sp.exp10, lambda g, out, x: g * out * math.log(10))
defvjp(sp.expm1, lambda g, out, x: g * np.exp(x))
defvjp(sp.log1p, lambda g, out, x: g / (1 + x))
defvjp(sp.cbrt, lambda g, out, x: g / (3 * out * out))
