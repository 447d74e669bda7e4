"""Activations of every element, or along an axis. Each gives an array or Tensor of its input's shape and dtype.

`inplace` is accepted wherever PyTorch has it, without effect: Tensors never change in place. At a kink the derivative
is PyTorch's. What an activation makes of z⁽ˡ⁾ is named a⁽ˡ⁾ on the tape.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.nests import numbers_of
from autograd.rules import elementwise

from .. import naming
from ..errors import ShapeMismatch, floating, operand
from ..seeding import RandomSource, generator

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "logsigmoid",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "rrelu",
    "selu",
    "sigmoid",
    "silu",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
]


def sigmoid(input: Any) -> Any:
    """The logistic function σ(z) = 1 / (1 + e⁻ᶻ) of every element, without overflow. Its derivative is a (1 − a)."""
    input = operand(input, "sigmoid")
    return naming.activation(input, elementwise.sigmoid(input))


def tanh(input: Any) -> Any:
    """The hyperbolic tangent of every element."""
    input = operand(input, "tanh")
    return naming.activation(input, np.tanh(input))


# --- straight lines ---------------------------------------------------------------------------------------------------


def relu(input: Any, inplace: bool = False) -> Any:
    """max(z, 0) of every element; the derivative at 0 is 0.

    `inplace` is accepted as PyTorch has it, without effect: Tensors never change in place.
    """
    input = operand(input, "relu")
    return naming.activation(input, elementwise.relu(input))


def relu6(input: Any, inplace: bool = False) -> Any:
    """min(max(z, 0), 6): `hardtanh` from 0 to 6 (https://arxiv.org/abs/1704.04861)."""
    input = operand(input, "relu6")
    return naming.activation(input, _between(input, 0, 6))


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """z held between `min_val` and `max_val`; the derivative is 1 between them, and 0 from each bound on.

    Raises
    ------
    ValueError
        If `min_val` is above `max_val`.

    Examples
    --------
    >>> from nn import functional as F
    >>> F.hardtanh([-2.0, 0.5, 2.0])
    array([-1. ,  0.5,  1. ])
    """
    input = operand(input, "hardtanh")
    if min_val > max_val:
        raise ValueError(f"hardtanh: min_val={min_val!r} must not be above max_val={max_val!r}")
    return naming.activation(input, _between(input, min_val, max_val))


def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """(z + 3) / 6 held between 0 and 1: a sigmoid of three straight lines (https://arxiv.org/abs/1511.00363)."""
    input = floating(input, "hardsigmoid")
    return naming.activation(input, _hardsigmoid(input))


def hardswish(input: Any, inplace: bool = False) -> Any:
    """z · hardsigmoid(z) (https://arxiv.org/abs/1905.02244): 0 below −3, z above 3.

    Examples
    --------
    >>> from nn import functional as F
    >>> F.hardswish([-1.5, 1.5, 4.0])
    array([-0.375,  1.125,  4.   ])
    """
    input = floating(input, "hardswish")
    return naming.activation(input, input * _hardsigmoid(input))


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """z where z > 0, else `negative_slope` · z.

    Examples
    --------
    >>> from nn import functional as F
    >>> F.leaky_relu([-2.0, 2.0])
    array([-0.02,  2.  ])
    """
    input = floating(input, "leaky_relu")
    return naming.activation(input, np.where(input > 0, input, input * negative_slope))


def prelu(input: Any, weight: Any) -> Any:
    """z where z > 0, else w z with a learned slope w (https://arxiv.org/abs/1502.01852).

    Parameters
    ----------
    input : Tensor or array of shape (N, C, …), or of any shape where there is one slope
    weight : Tensor or array of shape (1,), (), or (C,)
        One slope, or one for each channel: axis 1.

    Raises
    ------
    ShapeMismatch
        If there is neither one slope nor one for each channel.

    Examples
    --------
    >>> from nn import functional as F
    >>> F.prelu([[-1.0, -1.0]], [0.25, 0.5])
    array([[-0.25, -0.5 ]])
    """
    input, weight = floating(input, "prelu"), operand(weight, "prelu: weight")
    channels = input.shape[1] if input.ndim > 1 else 1
    if weight.ndim > 1 or weight.size not in (1, channels):
        raise ShapeMismatch(
            f"prelu: a weight of shape (1,) or ({channels},) is needed for an input of shape {input.shape}, got "
            f"{weight.shape}"
        )
    slope = weight.reshape((-1,) + (1,) * (input.ndim - 2)) if weight.size > 1 else weight.reshape(())
    return naming.activation(input, np.where(input > 0, input, input * slope))


def rrelu(
    input: Any,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
    *,
    rng: RandomSource = None,
) -> Any:
    """z where z > 0, else r z with a slope r drawn for each element (https://arxiv.org/abs/1505.00853).

    Parameters
    ----------
    input : Tensor or array of any shape
    lower, upper : float, optional
        What r is drawn between, evenly, in training; their mean otherwise.
    training : bool, optional
    rng : int or numpy.random.Generator, optional
        Where slopes are drawn from; the generator of `nn.manual_seed` unless told.
    """
    input = floating(input, "rrelu")
    if lower > upper:
        raise ValueError(f"rrelu: lower={lower!r} must not be above upper={upper!r}")
    if not training:
        return leaky_relu(input, (lower + upper) / 2)
    slopes = generator(rng).uniform(lower, upper, input.shape)
    slopes = np.where(numbers_of(input) > 0, 1.0, slopes).astype(input.dtype)
    slopes.setflags(write=False)
    return naming.activation(input, input * slopes)


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """z where z > `threshold`, else `value`."""
    input = operand(input, "threshold")
    return naming.activation(input, np.where(input <= threshold, value, input))


def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """z, but 0 where |z| ≤ `lambd`."""
    input = floating(input, "hardshrink")
    return naming.activation(input, np.where((input >= -lambd) & (input <= lambd), 0.0, input))


def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """z moved towards 0 by `lambd`, and 0 where |z| ≤ `lambd`.

    Examples
    --------
    >>> from nn import functional as F
    >>> F.softshrink([-2.0, 0.25, 2.0])
    array([-1.5,  0. ,  1.5])
    """
    input = floating(input, "softshrink")
    if lambd < 0:
        raise ValueError(f"softshrink: lambd must be at least 0, got {lambd!r}")
    return naming.activation(input, input - np.clip(input, -lambd, lambd))


def _between(x: Any, low: float, high: float) -> Any:
    """x held between two bounds, flat from each bound on: the derivative at them is 0, unlike that of ``np.clip``."""
    return np.where(x <= low, low, np.where(x >= high, high, x))


def _hardsigmoid(x: Any) -> Any:
    return _between(x, -3.0, 3.0) / 6 + 0.5


# --- exponentials -----------------------------------------------------------------------------------------------------


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """z where z > 0, else α (eᶻ − 1) (https://arxiv.org/abs/1511.07289).

    Examples
    --------
    >>> from nn import functional as F
    >>> F.elu([-1.0, 1.0]).round(4)
    array([-0.6321,  1.    ])
    """
    input = floating(input, "elu")
    return naming.activation(input, _elu(input, alpha))


def selu(input: Any, inplace: bool = False) -> Any:
    """1.0507 · elu(z, α = 1.6733), the numbers that keep mean 0 and variance 1 (https://arxiv.org/abs/1706.02515)."""
    input = floating(input, "selu")
    return naming.activation(input, _elu(input, SELU_ALPHA) * SELU_SCALE)


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """z where z > 0, else α (e^(z/α) − 1), which has slope 1 at 0 for any α (https://arxiv.org/abs/1704.07483)."""
    input = floating(input, "celu")
    if alpha == 0:
        raise ValueError("celu: alpha must not be 0")
    return naming.activation(input, _elu(input, alpha, 1 / alpha))


SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def _elu(x: Any, alpha: float, inner: float = 1.0) -> Any:
    positive = x > 0
    negative = np.where(positive, 0.0, x)  # no overflow of what is not taken
    curved = np.expm1(negative if inner == 1 else negative * inner)
    return np.where(positive, x, curved if alpha == 1 else curved * alpha)


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """log(1 + e^(βz)) / β, a smooth relu, without overflow; z itself where βz is above `threshold`.

    Examples
    --------
    >>> from nn import functional as F
    >>> F.softplus([-1000.0, 0.0, 1000.0]).round(4).tolist()
    [0.0, 0.6931, 1000.0]
    """
    input = floating(input, "softplus")
    if beta == 0:
        raise ValueError("softplus: beta must not be 0")
    scaled = input if beta == 1 else input * beta
    smooth = np.logaddexp(0.0, scaled)
    smooth = smooth if beta == 1 else smooth / beta
    straight = scaled > threshold
    return naming.activation(input, np.where(straight, input, smooth) if elementwise.some(straight) else smooth)


def logsigmoid(input: Any) -> Any:
    """log σ(z) = −log(1 + e⁻ᶻ), exact also where σ(z) would underflow to 0."""
    input = floating(input, "logsigmoid")
    return naming.activation(input, -np.logaddexp(0.0, -input))


def silu(input: Any, inplace: bool = False) -> Any:
    """z σ(z), also called swish (https://arxiv.org/abs/1606.08415)."""
    input = floating(input, "silu")
    return naming.activation(input, input * elementwise.sigmoid(input))


def mish(input: Any, inplace: bool = False) -> Any:
    """z tanh(log(1 + eᶻ)) (https://arxiv.org/abs/1908.08681)."""
    input = floating(input, "mish")
    return naming.activation(input, input * np.tanh(np.logaddexp(0.0, input)))


def gelu(input: Any, approximate: str = "none") -> Any:
    """z Φ(z) with Φ the normal distribution function (https://arxiv.org/abs/1606.08415).

    Parameters
    ----------
    input : Tensor or array of any shape
    approximate : "none" or "tanh", optional
        Φ(z) = (1 + erf(z/√2)) / 2, or (1 + tanh(√(2/π) (z + 0.044715 z³))) / 2, which is off by up to 0.0005.

    Examples
    --------
    >>> from nn import functional as F
    >>> F.gelu([-1.0, 1.0]).round(4), F.gelu([-1.0, 1.0], "tanh").round(4)
    (array([-0.1587,  0.8413]), array([-0.1588,  0.8412]))
    """
    input = floating(input, "gelu")
    if approximate == "none":
        bend = elementwise.erf(input * math.sqrt(0.5))
    elif approximate == "tanh":
        # a tanh of 50 is 1: no cube of a large number has to be taken
        z = input if not elementwise.some(np.abs(numbers_of(input)) >= 10) else np.clip(input, -10.0, 10.0)
        bend = np.tanh((z + z**3 * 0.044715) * math.sqrt(2 / math.pi))
    else:
        raise ValueError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}")
    return naming.activation(input, input * (bend + 1) * 0.5)


def softsign(input: Any) -> Any:
    """z / (1 + |z|)."""
    input = operand(input, "softsign")
    return naming.activation(input, input / (np.abs(input) + 1))


def tanhshrink(input: Any) -> Any:
    """z − tanh z."""
    input = operand(input, "tanhshrink")
    return naming.activation(input, input - np.tanh(input))


def glu(input: Any, dim: int = -1) -> Any:
    """a σ(b) with a and b the two halves of the input along the axis `dim` (https://arxiv.org/abs/1612.08083).

    Parameters
    ----------
    input : Tensor or array of shape (…, 2n, …)
    dim : int, optional

    Returns
    -------
    Tensor or array of shape (…, n, …)

    Raises
    ------
    ShapeMismatch
        If there is no such axis, or its length is odd.

    Examples
    --------
    >>> from nn import functional as F
    >>> F.glu([3.0, 4.0, 0.0, 0.0])
    array([1.5, 2. ])
    """
    input = floating(input, "glu")
    dim = axis_of(input, dim, "glu")
    if input.shape[dim] % 2:
        raise ShapeMismatch(f"glu: axis {dim} of an input of shape {input.shape} can't be cut into two equal halves")
    values, gates = np.split(input, 2, axis=dim)
    return naming.activation(input, values * elementwise.sigmoid(gates))


def axis_of(input: Any, dim: int, what: str) -> int:
    """An axis of an input that has elements, checked."""
    if not isinstance(dim, int | np.integer):
        raise TypeError(f"{what}: dim must be an integer, got {dim!r}")
    if not -input.ndim <= dim < input.ndim:
        raise ShapeMismatch(f"{what}: there is no axis {dim} in an input of shape {input.shape}")
    if not input.shape[dim]:
        raise ShapeMismatch(f"{what}: axis {dim} of an input of shape {input.shape} has no elements")
    return int(dim)
