"""What is done to all gradients or parameters of a network at once. Names, formulas and defaults are PyTorch's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.nests import numbers_of

from .errors import ShapeMismatch
from .module import Module
from .namespace import namespace
from .optim.options import at_least_0

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
    "parameters_to_vector",
    "vector_to_parameters",
]
__getattr__, __dir__ = namespace(__name__, __all__)


def _held(parameters: Any, what: str, kinds: Any = Tensor) -> list[Any]:
    if isinstance(parameters, Module):
        raise TypeError(f"{what}: give model.parameters(), not the {type(parameters).__name__} itself")
    held = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    for i, p in enumerate(held):
        if not isinstance(p, kinds):
            raise TypeError(f"{what}: number {i} of parameters is {type(p).__name__}, not a Tensor or nn.Parameter")
    return held


def get_total_norm(tensors: Any, norm_type: float = 2.0, error_if_nonfinite: bool = False) -> Any:
    """The norm (Σ|x|ᵖ)^(1/p) of all elements of all arrays, as if they were one vector.

    Parameters
    ----------
    tensors : Tensor, array, or an iterable of them
    norm_type : float, optional
        p, above 0; ``math.inf`` for the largest |x|.
    error_if_nonfinite : bool, optional
        Raise an error if the norm is NaN or infinite.

    Returns
    -------
    numpy.float64

    Raises
    ------
    ValueError
        If `norm_type` is not above 0.
    RuntimeError
        If the norm is not finite, and that is asked for.

    Examples
    --------
    >>> import numpy as np, nn
    >>> float(nn.utils.get_total_norm([np.array([3.0, 0.0]), np.array([[4.0]])]))
    5.0
    """
    arrays = [np.asarray(numbers_of(x)) for x in ([tensors] if isinstance(tensors, Tensor | np.ndarray) else tensors)]
    p = norm_type
    if isinstance(p, bool) or not isinstance(p, int | float | np.number) or not p > 0:
        raise ValueError(f"norm_type must be a number above 0, or math.inf, got {p!r}")
    elements = np.concatenate([np.zeros(0), *(np.abs(x.ravel()) for x in arrays)])
    total = elements.max(initial=0.0)
    if p != math.inf and total > 0 and np.isfinite(total):
        elements /= total  # no power over- or underflows
        total *= (elements**p).sum() ** (1 / p)
    if error_if_nonfinite and not np.isfinite(total):
        raise RuntimeError(
            f"the norm of order {p:g} of the gradients is {total}, so that they can't be clipped by it "
            "(error_if_nonfinite=False clips nevertheless)"
        )
    return total


def clip_grad_norm_(parameters: Any, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False) -> Any:
    """Shorten the gradient of all parameters, taken as one vector, to the norm `max_norm`, if it is longer.

    Parameters
    ----------
    parameters : Tensor, or an iterable of them
        Those without a gradient are left out.
    max_norm : float
        ``math.inf`` only measures the norm.
    norm_type : float, optional
        p of the norm (Σ|g|ᵖ)^(1/p), above 0; ``math.inf`` for the largest |g|.
    error_if_nonfinite : bool, optional
        Raise a RuntimeError, and change nothing, if the norm is NaN or infinite.

    Returns
    -------
    numpy.float64
        The norm before.

    Notes
    -----
    g ← g · min(1, max_norm / (norm + 10⁻⁶)), as new arrays. From R. Pascanu et al., "On the difficulty of training
    recurrent neural networks" (2013).

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.5, 2.0])
    >>> (w * w).sum().backward()
    >>> norm = nn.utils.clip_grad_norm_([w], max_norm=1.0)
    >>> print(norm, w.grad.round(4))
    5.0 [0.6 0.8]
    """
    held = _held(parameters, "clip_grad_norm_")
    total = get_total_norm([p.grad for p in held if p.grad is not None], norm_type, error_if_nonfinite)
    clip_grads_with_norm_(held, max_norm, total)
    return total


def clip_grads_with_norm_(parameters: Any, max_norm: float, total_norm: float) -> None:
    """The second half of `clip_grad_norm_`, for a norm that is known: g ← g · min(1, max_norm / (total_norm + 10⁻⁶)).

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.5, 2.0])
    >>> (w * w).sum().backward()
    >>> nn.utils.clip_grads_with_norm_([w], max_norm=1.0, total_norm=10.0)
    >>> w.grad.round(4)
    array([0.3, 0.4])
    """
    longest = math.inf if max_norm == math.inf else at_least_0(max_norm, "max_norm")
    factor = longest / (total_norm + 1e-6)
    for p in _held(parameters, "clip_grads_with_norm_"):
        if p.grad is not None and not factor >= 1:
            with np.errstate(invalid="ignore"):  # 0 times infinite, where the norm is
                p.grad = numbers_of(p.grad) * factor


def clip_grad_value_(parameters: Any, clip_value: float) -> None:
    """Bring every element of every gradient between ±`clip_value`.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.5, -0.2])
    >>> (w * w).sum().backward()
    >>> nn.utils.clip_grad_value_([w], 1.0)
    >>> w.grad
    array([ 1. , -0.4])
    """
    bound = at_least_0(clip_value, "clip_value")
    for p in _held(parameters, "clip_grad_value_"):
        if p.grad is not None:
            p.grad = np.clip(numbers_of(p.grad), -bound, bound)


def parameters_to_vector(parameters: Any) -> Tensor:
    """All parameters, one after the other, as one vector on the tape.

    Examples
    --------
    >>> import nn
    >>> nn.utils.parameters_to_vector([nn.Parameter([[1.0, 2.0]]), nn.Parameter(3.0)]).data
    array([1., 2., 3.])
    """
    held = _held(parameters, "parameters_to_vector", (Tensor, np.ndarray))
    if not held:
        raise ValueError("parameters_to_vector: there are no parameters")
    vector: Any = np.concatenate([np.reshape(p, -1) for p in held])
    return vector


def vector_to_parameters(vec: Any, parameters: Any) -> None:
    """Give the parameters, one after the other, the numbers of a vector: the inverse of `parameters_to_vector`.

    Parameters
    ----------
    vec : Tensor or array of shape (number of all elements,)
        Its numbers are copied; it is not recorded where they come from.
    parameters : Tensor, or an iterable of them

    Examples
    --------
    >>> import numpy as np, nn
    >>> w, b = nn.Parameter([[1.0, 2.0]]), nn.Parameter(3.0)
    >>> nn.utils.vector_to_parameters(np.array([4.0, 5.0, 6.0]), [w, b])
    >>> w.data, b.data
    (array([[4., 5.]]), array(6.))
    """
    numbers, held = np.asarray(numbers_of(vec)), _held(parameters, "vector_to_parameters")
    count = sum(p.size for p in held)
    if numbers.shape != (count,):
        raise ShapeMismatch(f"vector_to_parameters: vec must have shape ({count},), got {numbers.shape}")
    start = 0
    for p in held:
        p.rebind(numbers[start : start + p.size].reshape(p.shape).astype(p.dtype))
        start += p.size
