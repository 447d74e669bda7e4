"""What made NaN or Inf, in words: the first function of a step that gave one, at the first element where it did."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.node import reachable
from autograd.rules.windows import window_product

from ..formula.notation import name_of, printer
from ..formula.tree import Apply, Symbol, Tree, evaluate, is_call
from ..formula.writers import PLAIN
from ..plain.numbers import counted
from .steps import Step

_LOGARITHMS = (np.log, np.log2, np.log10, np.log1p)
_PRODUCTS = (np.matmul, np.dot, np.inner)
_SUMS = (np.sum, np.mean, np.cumsum, np.prod)
_IS = {"NaN": np.isnan, "Inf": np.isinf}
_TROUBLE = {"overflow": "overflow", "divide by zero": "a division by 0", "invalid value": "an invalid operation"}


def cause(step: Step, steps: Sequence[Step] = ()) -> str:
    """``√(−1), the root of a negative number``; empty where nothing is born, or that can't be told. With the `steps` of
    the walk also what made the Inf that a NaN is made of."""
    if not step.born:
        return "Inf − Inf" if step.born_in_sum else ""
    formula = step.formula
    assert formula is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [_of(kind, formula.tree) for kind in sorted(step.born, reverse=True)]
        found += [_infinite_before(step, steps)] if "NaN" in step.born else []
    return "; ".join(dict.fromkeys(filter(None, found)))


def _infinite_before(step: Step, steps: Sequence[Step]) -> str:
    """Where the Inf came up that a NaN is made of: ``Inf comes from e: overflow of exp(800)``."""
    if not any("Inf" in step.run.kinds.of(node) for node in step.reads):
        return ""
    made_of = set(reachable(step.node))
    for other in steps[: step.number]:
        if other.phase == "forward" and other.node in made_of and "Inf" in other.born:
            return f"Inf comes from {step.run.names.of(other.node)}: {cause(other, steps)}"
    return ""


def _of(kind: str, tree: Tree) -> str:
    part = _first(tree, kind)
    if part is None:
        return ""
    given = [np.asarray(evaluate(arg)) for arg in part.args]
    value = np.asarray(evaluate(part))
    at = tuple(np.argwhere(_IS[kind](value))[0])
    if isinstance(part.fn, np.ufunc) and part.fn.signature is None and not part.options:
        return _of_numbers(part, [np.broadcast_to(a, value.shape)[at] for a in given])
    if is_call(part, *_PRODUCTS) and all(a.ndim in (1, 2) for a in given):
        return _of_products(part, given, at)
    return _of_arrays(part, given, kind)


def _first(tree: Tree, kind: str) -> Apply | None:
    """The innermost part that holds NaN or Inf."""
    if not isinstance(tree, Apply):
        return None
    inner = next(filter(None, (_first(arg, kind) for arg in tree.args)), None)
    if inner is not None:
        return inner
    value = np.asarray(evaluate(tree))
    return tree if value.dtype.kind == "f" and _IS[kind](value).any() else None


def _of_numbers(part: Apply, numbers: list[Any]) -> str:
    """One element of what works element by element."""
    call = part.with_args([Symbol("constant", "", np.asarray(n)) for n in numbers], shape=())
    text = printer(PLAIN, "numbers").tree(call, top=True).text.strip()
    trouble = _trouble(part, numbers)
    if "overflow" in trouble:
        return f"overflow of {text}"
    if not np.isfinite(numbers).all():
        return text
    if "divide by zero" in trouble:
        divides = is_call(part, np.divide, np.power, np.float_power, np.reciprocal)
        what = "a division by 0" if divides else "which is infinite"
        return f"{text}, {'the logarithm of 0' if is_call(part, *_LOGARITHMS) else what}"
    if len(numbers) == 2 and not numbers[1]:
        return text
    what = "the root" if is_call(part, np.sqrt) else "the logarithm" if is_call(part, *_LOGARITHMS) else ""
    what = "a power" if is_call(part, np.power, np.float_power) else what
    return f"{text}, {f'{what} of a negative number' if what else 'which is not defined'}"


def _of_products(part: Apply, given: list[Any], at: tuple[int, ...]) -> str:
    """One element of a matrix product: a row times a column."""
    a, b = given
    row = a if a.ndim == 1 else a[at[0]]
    column = b if b.ndim == 1 else b[at[-1]] if is_call(part, np.inner) else b[:, at[-1]]
    with np.errstate(all="ignore"):
        products = row * column
    many = f"in a sum of {counted(row.size, 'product')}"
    if np.isnan(products).any():
        return f"0 × Inf {many}"
    infinite = products[np.isinf(products)]
    if not infinite.size:
        return f"overflow {many}"
    if (infinite > 0).any() and (infinite < 0).any():
        return f"Inf − Inf {many}"
    return f"overflow of a product {many}"


def _of_arrays(part: Apply, given: list[Any], kind: str) -> str:
    """Any other function: which trouble NumPy reports as it runs again."""
    name = "a convolution" if is_call(part, window_product.fn) else name_of(part)
    name = "a sum" if is_call(part, *_SUMS[:1]) else f"a {part.rule.name}" if is_call(part, *_SUMS) else name
    if is_call(part, *_SUMS) and not given[0].size:
        return f"0 / 0, {name} of no numbers"
    numbers = [a for a in given if a.dtype.kind == "f"]
    if any(np.isinf(a).any() for a in numbers):
        both = all(any((a == sign * np.inf).any() for a in numbers) for sign in (1, -1))
        return f"{'Inf − Inf' if both and is_call(part, *_SUMS[:3]) else 'Inf'} in {name}"
    trouble = _trouble(part, given)
    found = next((words for said, words in _TROUBLE.items() if said in trouble), "")
    many = f" of {counted(given[0].size, 'number')}" if is_call(part, *_SUMS) and not part.options.get("axis") else ""
    return f"{found} in {name}{many}" if found else f"{kind} in {name}"


def _trouble(part: Apply, given: list[Any]) -> set[str]:
    """What NumPy reports while a function runs: ``overflow``, ``divide by zero``, ``invalid value``."""
    said: set[str] = set()
    with np.errstate(all="call", under="ignore", call=lambda kind, _: said.add(kind)):
        options = {k: evaluate(v) if isinstance(v, Symbol) else v for k, v in part.options.items()}
        part.rule.op(*given, **options)
    return said
