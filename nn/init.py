"""Initialisers: each gives a parameter new numbers and returns it. Names, formulas and defaults are PyTorch's."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np

from autograd import Tensor

from .namespace import namespace
from .seeding import RandomSource, generator

__all__ = [
    "calculate_gain",
    "constant_",
    "fans",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]
__getattr__, __dir__ = namespace(__name__, __all__)

T = TypeVar("T", bound=Tensor)

_GAINS = {
    "linear": 1.0,
    "conv1d": 1.0,
    "conv2d": 1.0,
    "conv3d": 1.0,
    "sigmoid": 1.0,
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
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
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
    return calculate_gain(nonlinearity, a) / math.sqrt(fans(tensor)[mode == "fan_out"])


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
