"""Initialisers: each gives a parameter new numbers and returns it. Names, formulas and defaults are PyTorch's."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np

from autograd import Tensor

from .errors import fraction
from .namespace import namespace
from .seeding import RandomSource, generator

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "fans",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]
__getattr__, __dir__ = namespace(__name__, __all__)

T = TypeVar("T", bound=Tensor)

_GAINS = {
    **dict.fromkeys(("linear", "conv1d", "conv2d", "conv3d"), 1.0),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "sigmoid"), 1.0),
    "tanh": 5 / 3,
    "relu": math.sqrt(2),
    "selu": 3 / 4,
}


def constant_(tensor: T, val: float) -> T:
    """All elements `val`."""
    _check(tensor, "constant_")
    tensor.rebind(np.full(tensor.shape, val, tensor.dtype))
    return tensor


def _check(tensor: Any, what: str) -> None:
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{what}: an nn.Parameter or a Tensor is needed, got {type(tensor).__name__}")


def zeros_(tensor: T) -> T:
    """All elements 0."""
    _check(tensor, "zeros_")
    return constant_(tensor, 0.0)


def ones_(tensor: T) -> T:
    """All elements 1."""
    _check(tensor, "ones_")
    return constant_(tensor, 1.0)


def uniform_(tensor: T, a: float = 0.0, b: float = 1.0, *, rng: RandomSource = None) -> T:
    """Drawn evenly from [a, b).

    Parameters
    ----------
    tensor : Tensor
        A leaf, such as ``layer.weight``; it is given a new array.
    a, b : float, optional
    rng : int or numpy.random.Generator, optional
        A seed or a generator; the one of `nn.manual_seed` unless told.
    """
    _check(tensor, "uniform_")
    if not a <= b:
        raise ValueError(f"uniform_: a must be at most b, got a={a}, b={b}")
    tensor.rebind(np.asarray(generator(rng).uniform(a, b, tensor.shape)).astype(tensor.dtype))
    return tensor


def normal_(tensor: T, mean: float = 0.0, std: float = 1.0, *, rng: RandomSource = None) -> T:
    """Drawn from a normal distribution."""
    _check(tensor, "normal_")
    if std < 0:
        raise ValueError(f"normal_: std must be at least 0, got {std}")
    tensor.rebind(np.asarray(generator(rng).normal(mean, std, tensor.shape)).astype(tensor.dtype))
    return tensor


def trunc_normal_(
    tensor: T, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, *, rng: RandomSource = None
) -> T:
    """Drawn from the part of a normal distribution between a and b, which need not be near its mean.

    Parameters
    ----------
    tensor : Tensor
    mean, std : float, optional
        Those of the whole distribution.
    a, b : float, optional
        Bounds of the numbers themselves, not multiples of `std`.
    rng : int or numpy.random.Generator, optional

    Examples
    --------
    >>> import nn
    >>> w = nn.init.trunc_normal_(nn.Parameter([0.0] * 1000), std=0.5, a=0.0, b=1.0, rng=0)
    >>> bool(0 <= w.data.min() and w.data.max() <= 1)
    True
    """
    _check(tensor, "trunc_normal_")
    if not (a < b and 0 < std < math.inf):
        raise ValueError(f"trunc_normal_: std must be above 0 and a below b, got std={std}, a={a}, b={b}")
    low, high = (a - mean) / std, (b - mean) / std
    top = min(max(0.0, low), high)  # where the density is highest; beyond `reach` less than e⁻³⁷ of it is left
    reach = math.hypot(top, math.sqrt(74))
    low, high = max(low, -reach), min(high, reach)
    source, numbers = generator(rng), np.empty(0)
    while numbers.size < tensor.size:
        x = source.uniform(low, high, max(4 * tensor.size, 64))
        kept = x[source.uniform(size=x.size) < np.exp((top - x) * (top + x) / 2)]
        numbers = np.concatenate([numbers, kept])
    numbers = np.clip(mean + std * numbers[: tensor.size], a, b)
    tensor.rebind(numbers.reshape(tensor.shape).astype(tensor.dtype))
    return tensor


def eye_(tensor: T) -> T:
    """The identity: 1 on the diagonal of a matrix, 0 beside it."""
    _check_axes(tensor, "eye_", 2, 2)
    tensor.rebind(np.eye(*tensor.shape, dtype=tensor.dtype))
    return tensor


def dirac_(tensor: T, groups: int = 1) -> T:
    """Kernels which leave as many channels as they can as they are: 1 in the middle for channel d of kernel d.

    Parameters
    ----------
    tensor : Tensor of shape (F, C, K), (F, C, KH, KW) or (F, C, KD, KH, KW)
    groups : int, optional
        Of the convolution; F is a multiple of it.

    Examples
    --------
    >>> import nn
    >>> nn.init.dirac_(nn.Parameter([[[7.0, 7.0, 7.0]] * 2])).data
    array([[[0., 1., 0.], [0., 0., 0.]]])
    """
    _check_axes(tensor, "dirac_", 3, 5)
    count = tensor.shape[0]
    if groups < 1 or count % groups:
        raise ValueError(f"dirac_: groups must divide the {count} kernels, got {groups!r}")
    array = np.zeros(tensor.shape, tensor.dtype)
    middle = tuple(size // 2 for size in tensor.shape[2:])
    for first in range(0, count, count // groups):
        for d in range(min(count // groups, tensor.shape[1])):
            array[(first + d, d, *middle)] = 1
    tensor.rebind(array)
    return tensor


def orthogonal_(tensor: T, gain: float = 1.0, *, rng: RandomSource = None) -> T:
    """gain times a random matrix with orthonormal rows, or columns where it has more rows than columns.

    Parameters
    ----------
    tensor : Tensor of shape (out, in, …)
        Kernels count as rows of all their numbers.
    gain : float, optional
    rng : int or numpy.random.Generator, optional

    Notes
    -----
    From A. Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks" (2014).
    The Q of a random normal matrix's QR, its signs chosen such that R has a positive diagonal, is evenly distributed.

    Examples
    --------
    >>> import nn
    >>> w = nn.init.orthogonal_(nn.Parameter([[0.0] * 3] * 2), rng=0).data
    >>> (w @ w.T).round(6) + 0.0
    array([[1., 0.], [0., 1.]])
    """
    _check_axes(tensor, "orthogonal_", 2)
    if tensor.size:
        rows = tensor.shape[0]
        columns = tensor.size // rows
        normal = generator(rng).normal(size=(max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(normal)
        q = q * np.where(np.diag(r) < 0, -gain, gain)
        tensor.rebind((q if rows >= columns else q.T).reshape(tensor.shape).astype(tensor.dtype))
    return tensor


def sparse_(tensor: T, sparsity: float, std: float = 0.01, *, rng: RandomSource = None) -> T:
    """Drawn from a normal distribution, except for zeros: in each column, that part of the rows, rounded up.

    From J. Martens, "Deep learning via Hessian-free optimization" (2010).

    Parameters
    ----------
    tensor : Tensor of shape (out, in)
    sparsity : float from 0 to 1
    std : float, optional
    rng : int or numpy.random.Generator, optional

    Examples
    --------
    >>> import nn
    >>> w = nn.init.sparse_(nn.Parameter([[0.0] * 3] * 5), sparsity=0.5, rng=0)
    >>> (w.data == 0).sum(axis=0)
    array([3, 3, 3])
    """
    _check_axes(tensor, "sparse_", 2, 2)
    zeros = math.ceil(fraction(sparsity, "sparsity") * tensor.shape[0])
    source = generator(rng)
    normal_(tensor, 0.0, std, rng=source)
    order = source.permuted(np.tile(np.arange(tensor.shape[0])[:, None], tensor.shape[1]), axis=0)
    tensor.rebind(np.where(order < zeros, 0, tensor.data))
    return tensor


def _check_axes(tensor: Any, what: str, least: int, most: int | None = None) -> None:
    _check(tensor, what)
    if not least <= tensor.ndim <= (most or tensor.ndim):
        axes = f"at least {least}" if most is None else f"{least}" if least == most else f"{least} to {most}"
        raise ValueError(f"{what}: a tensor of {axes} axes is needed, got shape {tensor.shape}")


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much an activation function shrinks the spread of what passes through it; weights are scaled up by it.

    Parameters
    ----------
    nonlinearity : str
        ``"linear"``, ``"conv2d"``, ``"sigmoid"`` (1), ``"tanh"`` (5/3), ``"relu"`` (√2), ``"selu"`` (3/4),
        ``"leaky_relu"`` (√(2/(1+a²))).
    param : float, optional
        The slope a of ``leaky_relu``, 0.01 unless told.

    Examples
    --------
    >>> from nn import init
    >>> round(init.calculate_gain("relu"), 4)
    1.4142
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, int | float | np.number):
            raise ValueError(f"calculate_gain: param must be the slope of leaky_relu, got {param!r}")
        return math.sqrt(2 / (1 + slope**2))
    if nonlinearity not in _GAINS:
        raise ValueError(
            f"calculate_gain: nonlinearity must be one of {', '.join([*_GAINS, 'leaky_relu'])}, got {nonlinearity!r}"
        )
    return _GAINS[nonlinearity]


def fans(tensor: Any) -> tuple[int, int]:
    """How many inputs an element of the output depends on, and how many outputs an element of the input reaches.

    For a weight (out, in) these are ``in`` and ``out``; for a kernel (F, C, KH, KW), C·KH·KW and F·KH·KW.
    """
    shape = np.shape(tensor)
    if len(shape) < 2:
        raise ValueError(f"fan-in and fan-out need a weight of at least 2 axes (out, in, …), got shape {shape}")
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def xavier_uniform_(tensor: T, gain: float = 1.0, *, rng: RandomSource = None) -> T:
    """Glorot's: drawn evenly from ±gain·√(6 / (fan_in + fan_out)), which suits sigmoid and tanh.

    From X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010).
    """
    bound = gain * math.sqrt(6 / sum(fans(tensor)))
    return uniform_(tensor, -bound, bound, rng=rng)


def xavier_normal_(tensor: T, gain: float = 1.0, *, rng: RandomSource = None) -> T:
    """Glorot's: drawn from a normal distribution of standard deviation gain·√(2 / (fan_in + fan_out))."""
    return normal_(tensor, 0.0, gain * math.sqrt(2 / sum(fans(tensor))), rng=rng)


def _kaiming_std(tensor: Any, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode must be 'fan_in' or 'fan_out', got {mode!r}")
    return calculate_gain(nonlinearity, a) / math.sqrt(fans(tensor)[mode == "fan_out"] or 1)


def kaiming_uniform_(
    tensor: T, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", *, rng: RandomSource = None
) -> T:
    """He's: drawn evenly from ±gain·√(3 / fan), which suits rectifiers.

    From K. He et al., "Delving deep into rectifiers" (2015).

    Parameters
    ----------
    tensor : Tensor of shape (out, in, …)
    a : float, optional
        The slope of the rectifier below 0.
    mode : "fan_in" or "fan_out", optional
        Whether the spread is kept on the way forward or on the way back.
    nonlinearity : str, optional
        See `calculate_gain`.
    rng : int or numpy.random.Generator, optional
    """
    bound = math.sqrt(3) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, rng=rng)


def kaiming_normal_(
    tensor: T, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", *, rng: RandomSource = None
) -> T:
    """He's: drawn from a normal distribution of standard deviation gain / √fan. Parameters as `kaiming_uniform_`."""
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), rng=rng)
