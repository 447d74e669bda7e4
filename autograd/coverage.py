"""What each function of NumPy is on Tensors: it has a rule, works on the numbers, or is refused. ``python -m autograd``
prints it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from .registry import COMPOSITES, NUMBERS_ONLY, REFUSED, RULES, Refusal

__all__ = ["functions", "public", "refusal", "status", "table", "where_it_is"]


def functions() -> list[Callable[..., Any]]:
    """Every function that NumPy calls a Tensor's protocols for: those of ``__array_function__``, and ufuncs."""
    import numpy.char
    import numpy.fft
    import numpy.lib.recfunctions
    import numpy.polynomial
    import numpy.strings  # noqa: F401
    from numpy.testing import overrides

    found = overrides.get_overridable_numpy_array_functions() | overrides.get_overridable_numpy_ufuncs()
    return sorted({public(fn) for fn in found}, key=where_it_is)


def public(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function that people call: one with ``like=`` has a twin, which is what the protocol is handed."""
    twin: Callable[..., Any] = getattr(sys.modules.get(getattr(fn, "__module__", None) or ""), fn.__name__, fn)
    return twin


def where_it_is(fn: Any) -> str:
    """``np.linalg.inv``: the full name of a function."""
    name = getattr(fn, "__name__", repr(fn))
    if isinstance(fn, np.ufunc):
        rooms = (("np", np), ("np.strings", sys.modules.get("numpy.strings")), ("scipy.special", _scipy()))
        return next((f"{room}.{name}" for room, module in rooms if getattr(module, name, None) is fn), f"ufunc {name}")
    module = getattr(fn, "__module__", None) or ""
    return f"{'np' if module == 'numpy' else module.replace('numpy.', 'np.')}.{name}".lstrip(".")


def _scipy() -> Any:
    return sys.modules.get("scipy.special")


def refusal(fn: Any) -> Refusal | None:
    """Why a function is refused, where it is."""
    if isinstance(fn, np.ufunc) and not fn.types:
        return REFUSED["numpy.strings"]
    return REFUSED.get(fn) or REFUSED.get(getattr(fn, "__module__", None))


def status(fn: Any) -> str:
    """``"rule"``, ``"values"``, ``"refused"``, or nothing, for a function that the table does not know."""
    if fn in COMPOSITES:
        return "rule"
    if fn in NUMBERS_ONLY:
        return "values"
    rule = RULES.get(fn)
    if rule is not None:
        return "values" if rule.constant else "rule"
    return "refused" if refusal(fn) is not None else ""


def table() -> str:
    """The status of every function of NumPy, as a page of Markdown."""
    known = functions()
    by = {what: [fn for fn in known if status(fn) == what] for what in ("rule", "values", "refused")}
    counts = {what: len(fns) for what, fns in by.items()}
    why: dict[Refusal, list[str]] = {}
    for fn, said in REFUSED.items():
        what = f"all of `{fn.replace('numpy.', 'np.')}`" if isinstance(fn, str) else f"`{where_it_is(fn)}`"
        why.setdefault(said, []).append(what)
    rows = [f"| {', '.join(names)} | {said.why} | {said.instead or '–'} |" for said, names in why.items()]
    rules, numbers = (", ".join(f"`{where_it_is(fn)}`" for fn in by[what]) for what in ("rule", "values"))
    return _PAGE.format(
        **counts,
        version=np.__version__.rpartition(".")[0],
        all=len(known),
        rules=rules,
        numbers=numbers,
        rows="\n".join(rows),
    )


_PAGE = """# NumPy's functions on Tensors

NumPy {version} hands {all} functions to a Tensor. Each has one of three statuses: this page is printed from the table
of rules by `python -m autograd`.

| status | functions | on a Tensor |
| --- | --- | --- |
| rule | {rule} | recorded; has derivatives of any order |
| values | {values} | computes with the numbers; no gradient flows: it has none, or zero wherever it has one |
| refused | {refused} | raises `NoRuleError`, which says why and what to write instead |

## With a rule

{rules}

## On values

{numbers}

## Refused

| function | why | instead |
| --- | --- | --- |
{rows}

## SciPy

Where SciPy is installed, these functions of `scipy.special` have rules too (a Bessel function in its argument,
`expn`, `gammainc`, `gammaincc` and `betainc` in the last one, `zeta(s, q)` in `q`):

`beta`, `betainc`, `betaln`, `cbrt`, `dawsn`, `digamma`, `entr`, `erf`, `erfc`, `erfcinv`, `erfcx`, `erfi`, `erfinv`,
`exp1`, `exp10`, `exp2`, `expi`, `expit`, `expm1`, `expn`, `gamma`, `gammainc`, `gammaincc`, `gammaln`, `gammasgn`,
`i0`, `i0e`, `i1`, `i1e`, `iv`, `ive`, `j0`, `j1`, `jv`, `k0`, `k1`, `kl_div`, `kv`, `log1p`, `log_expit`, `log_ndtr`,
`loggamma`, `logit`, `ndtr`, `ndtri`, `poch`, `psi`, `rel_entr`, `rgamma`, `spence`, `xlog1py`, `xlogy`, `y0`, `y1`,
`yn`, `yv`, `zeta`

`logsumexp`, `softmax`, `log_softmax`, `polygamma` and `multigammaln` call `np.asarray` on what they are given, whose
result can be nothing but an array of NumPy's own, so that a Tensor is refused there; so do the functions of
`scipy.linalg`, `scipy.signal`, `scipy.integrate` and `scipy.stats`. The error names the function of `autograd.scipy`
that has the same name and is traced, where there is one ([the table](from_hips.md)). SciPy's own switch for arrays
of other libraries, `SCIPY_ARRAY_API=1`, is of no help: under it `logsumexp` and `log_softmax` write into their
operands, and `erf` and its kin are no longer ufuncs, which a Tensor could answer to. Leave it unset.
"""
