"""Normalisation over the features of an example, with a scale and a shift that are learned."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import functional as F
from ..module import Module
from ..parameter import Parameter
from .shown import Function, shown
from .weighted import at_least_1, floating_dtype

__all__ = ["GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm", "Scaled"]


class Scaled(Module):
    """A layer with a weight of ones and a bias of zeros, or None."""

    weight: Parameter | None
    bias: Parameter | None

    def _set_parameters(self, shape: tuple[int, ...], weight: bool, bias: bool, dtype: Any) -> None:
        self._parameters_dtype = floating_dtype(dtype, type(self).__name__)
        self.weight = Parameter(np.ones(shape, self._parameters_dtype), copy=False) if weight else None
        self.bias = Parameter(np.zeros(shape, self._parameters_dtype), copy=False) if weight and bias else None

    def _symbol(self, parameter: str) -> str | None:
        return {"weight": "γ", "bias": "β"}.get(parameter)

    def reset_parameters(self) -> None:
        """Make the weight 1 and the bias 0 again."""
        for parameter, value in ((self.weight, 1), (self.bias, 0)):
            if parameter is not None:
                parameter.data = np.full(parameter.shape, value, parameter.dtype)


class LayerNorm(Scaled):
    """(x − μ) / √(σ² + ε) · weight + bias, with mean and variance over the last axes: `functional.layer_norm`.

    Parameters
    ----------
    normalized_shape : int or tuple of int
        The lengths of the last axes.
    eps : float, optional
    elementwise_affine : bool, optional
        Whether there are a weight and a bias.
    bias : bool, optional
        Whether there is a bias.
    dtype : floating dtype, optional
        float32 unless told.

    Attributes
    ----------
    weight, bias : Parameter of shape `normalized_shape`, or None

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.LayerNorm(2, eps=0.0)(np.array([[1.0, 3.0], [0.0, 4.0]])).data
    array([[-1.,  1.],
           [-1.,  1.]], dtype=float32)
    """

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: Any = None,
    ):
        self.normalized_shape = _lengths(normalized_shape, "LayerNorm")
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._set_parameters(self.normalized_shape, elementwise_affine, bias, dtype)

    def forward(self, x: Any) -> Any:
        return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, {shown(self, ('eps', 'elementwise_affine'))}, bias={self.bias is not None}"


class RMSNorm(Scaled):
    """x / √(mean of x² + ε) · weight, with the mean over the last axes: `functional.rms_norm`.

    Parameters
    ----------
    normalized_shape, elementwise_affine, dtype
        As for `LayerNorm`.
    eps : float, optional
        That of the input's dtype unless told.

    Attributes
    ----------
    weight : Parameter of shape `normalized_shape`, or None

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.RMSNorm(2, eps=0.0, dtype=np.float64)(np.array([1.0, 7.0])).data
    array([0.2, 1.4])
    """

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        dtype: Any = None,
    ):
        self.normalized_shape = _lengths(normalized_shape, "RMSNorm")
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._set_parameters(self.normalized_shape, elementwise_affine, False, dtype)

    def forward(self, x: Any) -> Any:
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, {shown(self, ('eps', 'elementwise_affine'))}"


class GroupNorm(Scaled):
    """(x − μ) / √(σ² + ε) · weight + bias, with mean and variance over groups of channels: `functional.group_norm`.

    Parameters
    ----------
    num_groups, num_channels : int
        The first must divide the second.
    eps, affine, bias, dtype
        As for `BatchNorm2d`.

    Attributes
    ----------
    weight, bias : Parameter of shape (num_channels,), or None

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.GroupNorm(2, 4, eps=0.0)(np.array([[1.0, 3.0, 0.0, 4.0]])).data
    array([[-1.,  1., -1.,  1.]], dtype=float32)
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        bias: bool = True,
        dtype: Any = None,
    ):
        self.num_groups = at_least_1(num_groups, "GroupNorm: num_groups")
        self.num_channels = at_least_1(num_channels, "GroupNorm: num_channels")
        if num_channels % num_groups:
            raise ValueError(f"GroupNorm: num_groups={num_groups} must divide num_channels={num_channels}")
        self.eps = eps
        self.affine = affine
        self._set_parameters((num_channels,), affine, bias, dtype)

    def forward(self, x: Any) -> Any:
        return F.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, {shown(self, ('eps', 'affine'))}, bias={self.bias is not None}"


class LocalResponseNorm(Function):
    """x / (k + alpha · mean of x² over `size` neighbouring channels) ** beta: `functional.local_response_norm`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.LocalResponseNorm(2, alpha=2.0, beta=0.5, k=0.0)(np.array([[[3.0], [4.0]]])).data
    array([[[1. ],
            [0.8]]])
    """

    _function = "local_response_norm"
    _options = ("size", "alpha", "beta", "k")

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0):
        self.size = at_least_1(size, "LocalResponseNorm: size")
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def extra_repr(self) -> str:
        return f"{self.size}, {shown(self, ('alpha', 'beta', 'k'))}"


def _lengths(normalized_shape: Any, kind: str) -> tuple[int, ...]:
    given = tuple(normalized_shape) if np.iterable(normalized_shape) else (normalized_shape,)
    return tuple(at_least_1(n, f"{kind}: normalized_shape") for n in given)
