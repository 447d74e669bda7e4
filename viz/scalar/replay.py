"""One recorded function called again, on elements: what the operations of a scalar graph come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import Node, Tensor
from autograd.rules import decompositions, linalg, norms, reductions, windows

from .cuts import is_elementwise
from .elements import Elements, each, reduced

_OPAQUE = {
    np.linalg.inv: "np.linalg.inv", np.linalg.solve: "np.linalg.solve", np.linalg.det: "np.linalg.det",
    linalg.cofactors.fn: "the slope of np.linalg.det",
    linalg.cofactors_along.fn: "the second derivative of np.linalg.det",
    np.linalg.eigvalsh: "np.linalg.eigvalsh", decompositions.eigenvectors.fn: "np.linalg.eigh",
    np.linalg.svdvals: "np.linalg.svdvals", decompositions.left_vectors.fn: "np.linalg.svd",
    decompositions.right_vectors.fn: "np.linalg.svd", decompositions.q_factor.fn: "np.linalg.qr",
    decompositions.r_factor.fn: "np.linalg.qr", np.linalg.cholesky: "np.linalg.cholesky",
    np.linalg.pinv: "np.linalg.pinv", decompositions.logabsdet.fn: "np.linalg.slogdet",
}  # fmt: skip
_ROOTS = {np.std, norms.norm.fn}
"""Roots of sums of squares: at 0, and where squares overflow, they are more than the sum and the root alone."""


def call(node: Node, operands: list[Any], options: Mapping[str, Any], value: Any) -> Any:
    """The function of a record, called on elements.

    Parameters
    ----------
    node : Node
    operands : list of Elements, arrays, numbers and None
    options : dict
    value : array
        What it gave of the numbers.

    Returns
    -------
    array of Element, or Element; a plain array or number where nothing was recorded

    Raises
    ------
    ValueError
        If it does not run on elements; the sentence names it.
    """
    rule = node.rule
    if rule.fn in _OPAQUE:
        raise ValueError(
            f"{_OPAQUE[rule.fn]} has no scalar graph: it is not computed as sums and products of single numbers; "
            "draw the operations, level='op'"
        )
    if is_elementwise(node):
        return each(lambda *xs: _recorded(rule, xs, options), operands)
    if rule.fn is windows.window_max.fn:
        return reduced(rule, operands[0], (-2, -1), False, ndim=2)
    if rule.fn in _ROOTS and not np.all(reductions.squares_fit(np.asarray(value))):
        others = {k: v for k, v in options.items() if k not in ("axis", "keepdims")}
        return reduced(rule, operands[0], options.get("axis"), bool(options.get("keepdims")), **others)
    if rule.fn is np.sort:
        return _sorted(operands[0], options.get("axis", -1))
    found = None if is_known(node) else _element_by_element(node, operands, options, value)
    if found is not None:
        return found
    try:
        return rule.op(*operands, **options)
    except Exception as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{rule.name} has no scalar graph: it does not run on single numbers ({said})") from error


def is_known(node: Node) -> bool:
    """Whether a function comes from here or from NumPy; a user's may have a rule that is not its derivative."""
    fn = node.rule.fn
    return isinstance(fn, np.ufunc) or (getattr(fn, "__module__", None) or "").split(".")[0] in ("autograd", "numpy")


def _recorded(rule: Any, xs: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
    if any(isinstance(x, Tensor) for x in xs):
        return Tensor._record(rule, xs, dict(options))
    return rule.op(*xs, **options)


def _element_by_element(node: Node, operands: list[Any], options: Mapping[str, Any], value: Any) -> Any:
    """A user's function as one operation for each element, where that gives the same numbers; else None."""
    if node.shape != np.broadcast_shapes(*(np.shape(x) for x in operands)):
        return None
    try:
        found = each(lambda *xs: _recorded(node.rule, xs, options), operands)
        same = np.array_equal(found.numbers, value, equal_nan=True)
    except Exception:  # whatever a function of arrays says to single numbers
        return None
    return found if same else None


def _sorted(x: Elements, axis: int | None) -> Any:
    """The elements in the order that the rule of ``np.sort`` takes ties in."""
    flat: Any = x.reshape(-1) if axis is None else x
    axis = 0 if axis is None else axis
    return np.take_along_axis(flat, np.argsort(flat.numbers, axis=axis, kind="stable"), axis=axis)
