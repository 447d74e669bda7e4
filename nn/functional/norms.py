"""Normalisation: (x − μ) / √(σ² + ε), scaled and shifted. The norms differ in what μ and σ² are taken over."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.libraries import foreign
from autograd.nests import numbers_of

from ..errors import ShapeMismatch, floating, one_dtype, operand

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "rms_norm"]


def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """(x − μ) / √(σ² + ε) · weight + bias, with mean and variance of each channel over the batch and all positions.

    Not in training, μ and σ² are the running ones.

    Parameters
    ----------
    input : Tensor or array of shape (N, C, ...)
    running_mean, running_var : array of shape (C,), or None
        In training they change in place, r ← (1 − momentum) r + momentum · (mean, or unbiased variance, of the batch).
    weight, bias : Tensor or array of shape (C,), optional
    training : bool, optional
    momentum, eps : float, optional

    Raises
    ------
    ShapeMismatch
        If something of a channel has another shape; or in training, if there is but one value of each channel.

    Notes
    -----
    Ioffe and Szegedy, Batch Normalization, 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> F.batch_norm(np.array([[1.0, 0.0], [3.0, 4.0]]), None, None, training=True, eps=0.0)
    array([[-1., -1.],
           [ 1.,  1.]])
    """
    input = floating(input, "batch_norm")
    if input.ndim < 2:
        raise ShapeMismatch(f"batch_norm: an input of shape (N, C, ...) is needed, got {input.shape}")
    running = _running(input, running_mean, running_var, weight, bias, "batch_norm")
    if not training:
        if running is None:
            raise ValueError("batch_norm: without training=True, running_mean and running_var are needed")
        return _normalized(input, running[0], running[1], eps, weight, bias)
    axes = (0, *range(2, input.ndim))
    n = input.size // max(1, input.shape[1])
    if n == 0:  # no statistics, and nothing to normalise
        return _normalized(input, 0, 1, eps, weight, bias)
    if n == 1:
        raise ShapeMismatch(
            f"batch_norm: in training more than one value of each channel is needed, got shape {input.shape}"
        )
    mean, var = np.mean(input, axis=axes, keepdims=True), np.var(input, axis=axes, keepdims=True)
    _follow(running_mean, numbers_of(mean).ravel(), momentum)
    _follow(running_var, numbers_of(var).ravel() * (n / max(1, n - 1)), momentum)
    return _normalized(input, mean, var, eps, weight, bias)


def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """`batch_norm` of each example by itself: mean and variance of each channel over its positions.

    Parameters
    ----------
    input : Tensor or array of shape (N, C, L, ...)
    running_mean, running_var, weight, bias, momentum, eps
        As for `batch_norm`; the running ones follow the means over the batch.
    use_input_stats : bool, optional
        False takes the running mean and variance.

    Raises
    ------
    ShapeMismatch
        As for `batch_norm`.

    Notes
    -----
    Ulyanov, Vedaldi and Lempitsky, Instance Normalization, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> F.instance_norm(np.array([[[1.0, 3.0], [0.0, 4.0]]]), eps=0.0)
    array([[[-1.,  1.],
            [-1.,  1.]]])
    """
    input = floating(input, "instance_norm")
    if input.ndim < 3:
        raise ShapeMismatch(f"instance_norm: an input of shape (N, C, L, ...) is needed, got {input.shape}")
    running = _running(input, running_mean, running_var, weight, bias, "instance_norm")
    if not use_input_stats:
        if running is None:
            raise ValueError("instance_norm: with use_input_stats=False, running_mean and running_var are needed")
        return _normalized(input, running[0], running[1], eps, weight, bias)
    axes = tuple(range(2, input.ndim))
    n = prod(input.shape[2:])
    if input.size == 0:
        return _normalized(input, 0, 1, eps, weight, bias)
    if n == 1:
        raise ShapeMismatch(f"instance_norm: more than one position is needed, got shape {input.shape}")
    mean, var = np.mean(input, axis=axes, keepdims=True), np.var(input, axis=axes, keepdims=True)
    if running is not None:
        _follow(running_mean, numbers_of(mean).mean(axis=0).ravel(), momentum)
        _follow(running_var, numbers_of(var).mean(axis=0).ravel() * (n / max(1, n - 1)), momentum)
    return _normalized(input, mean, var, eps, weight, bias)


def layer_norm(input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """(x − μ) / √(σ² + ε) · weight + bias, with mean and variance over the last axes.

    Parameters
    ----------
    input : Tensor or array of shape (..., *normalized_shape)
    normalized_shape : int or tuple of int
        The lengths of the last axes.
    weight, bias : Tensor or array of shape `normalized_shape`, optional
    eps : float, optional

    Raises
    ------
    ShapeMismatch
        If the last axes have other lengths; a ValueError.

    Notes
    -----
    Ba, Kiros and Hinton, Layer Normalization, 2016.

    Examples
    --------
    >>> from nn import functional as F
    >>> F.layer_norm([[1.0, 3.0], [0.0, 4.0]], 2, eps=0.0)
    array([[-1.,  1.],
           [-1.,  1.]])
    """
    input = floating(input, "layer_norm")
    axes = _last_axes(input, normalized_shape, (weight, bias), "layer_norm")
    mean, var = np.mean(input, axis=axes, keepdims=True), np.var(input, axis=axes, keepdims=True)
    return _scaled((input - mean) / np.sqrt(var + eps), weight, bias)


def rms_norm(input: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Any:
    """x / √(mean of x² + ε) · weight, with the mean over the last axes.

    Parameters
    ----------
    input, normalized_shape, weight
        As for `layer_norm`.
    eps : float, optional
        That of the input's dtype, ``np.finfo(dtype).eps``, unless told.

    Raises
    ------
    ShapeMismatch
        As for `layer_norm`.

    Notes
    -----
    Zhang and Sennrich, Root Mean Square Layer Normalization, 2019.

    Examples
    --------
    >>> from nn import functional as F
    >>> F.rms_norm([1.0, 7.0], 2, eps=0.0)
    array([0.2, 1.4])
    """
    input = floating(input, "rms_norm")
    axes = _last_axes(input, normalized_shape, (weight,), "rms_norm")
    eps = float(np.finfo(input.dtype).eps) if eps is None else eps
    return _scaled(input / np.sqrt(np.mean(input * input, axis=axes, keepdims=True) + eps), weight, None)


def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """(x − μ) / √(σ² + ε) · weight + bias, with mean and variance over each group of channels of an example.

    Parameters
    ----------
    input : Tensor or array of shape (N, C, ...)
    num_groups : int
        Must divide C.
    weight, bias : Tensor or array of shape (C,), optional
    eps : float, optional

    Raises
    ------
    ShapeMismatch
        If the channels don't fall into groups, or weight or bias have another shape; a ValueError.

    Notes
    -----
    Wu and He, Group Normalization, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> F.group_norm(np.array([[1.0, 3.0, 0.0, 4.0]]), 2, eps=0.0)
    array([[-1.,  1., -1.,  1.]])
    """
    input = floating(input, "group_norm")
    if input.ndim < 2 or num_groups < 1 or input.shape[1] % num_groups:
        raise ShapeMismatch(
            f"group_norm: the channels of an input (N, C, ...) must fall into num_groups={num_groups}, "
            f"got shape {input.shape}"
        )
    _running(input, None, None, weight, bias, "group_norm")
    n, channels, *size = input.shape
    groups = input.reshape((n, num_groups, channels // num_groups * prod(size)))
    mean, var = np.mean(groups, axis=2, keepdims=True), np.var(groups, axis=2, keepdims=True)
    out = ((groups - mean) / np.sqrt(var + eps)).reshape(input.shape)
    return _scaled(out, _of_channels(weight, input), _of_channels(bias, input))


def local_response_norm(input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    """x / (k + alpha · mean of x² over `size` neighbouring channels) ** beta, with 0 beyond the first and the last.

    Parameters
    ----------
    input : Tensor or array of shape (N, C, L, ...)
    size : int
    alpha, beta, k : float, optional

    Notes
    -----
    Krizhevsky, Sutskever and Hinton, ImageNet Classification with Deep Convolutional Neural Networks, 2012; as in
    PyTorch, alpha is divided by `size`.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> F.local_response_norm(np.array([[[3.0], [4.0]]]), 2, alpha=2.0, beta=0.5, k=0.0)
    array([[[1. ],
            [0.8]]])
    """
    input = floating(input, "local_response_norm")
    if input.ndim < 3:
        raise ShapeMismatch(f"local_response_norm: an input of shape (N, C, L, ...) is needed, got {input.shape}")
    if not isinstance(size, int | np.integer) or size < 1:
        raise ValueError(f"local_response_norm: size must be an integer of at least 1, got {size!r}")
    widths = [(0, 0), (size // 2, (size - 1) // 2), *[(0, 0)] * (input.ndim - 2)]
    near = np.lib.stride_tricks.sliding_window_view(np.pad(input * input, widths), size, axis=1)
    return input / (k + alpha * np.mean(near, axis=-1)) ** beta


def _normalized(input: Any, mean: Any, var: Any, eps: float, weight: Any, bias: Any) -> Any:
    out = (input - mean) / np.sqrt(var + eps)
    return _scaled(out, _of_channels(weight, input), _of_channels(bias, input))


def _scaled(out: Any, weight: Any, bias: Any) -> Any:
    out = out if weight is None else out * weight
    return out if bias is None else out + bias


def _of_channels(value: Any, input: Any) -> Any:
    """What each channel has one of, in a shape that broadcasts to the input."""
    return None if value is None else np.reshape(value, (1, -1, *(1,) * (input.ndim - 2)))


def _running(input: Any, mean: Any, var: Any, weight: Any, bias: Any, what: str) -> Any:
    """Copies of the running mean and variance, as constants for each channel, or None; all that is given is checked."""
    given = {"running_mean": mean, "running_var": var, "weight": weight, "bias": bias}
    for name, value in given.items():
        _check(value, (input.shape[1],), input, name, what)
    if mean is None or var is None:
        return None
    return tuple(_of_channels(operand(numbers_of(v), what).astype(input.dtype), input) for v in (mean, var))


def _follow(running: Any, value: Any, momentum: float) -> None:
    """Move a running statistic towards a value, in place."""
    if isinstance(running, Tensor):
        running.data = (1 - momentum) * running.data + momentum * value
    elif running is not None and foreign(value) and not foreign(running):
        raise TypeError(
            f"batch norm: running statistics that are NumPy's can't follow those of {type(value).__module__}: give it "
            "track_running_stats=False, or let them be of that library too"
        )
    elif running is not None:
        running[...] = (1 - momentum) * running + momentum * value


def _last_axes(input: Any, normalized_shape: Any, parameters: Any, what: str) -> tuple[int, ...]:
    shape = tuple(normalized_shape) if np.iterable(normalized_shape) else (normalized_shape,)
    if not shape or input.shape[-len(shape) :] != shape:
        raise ShapeMismatch(f"{what}: the last axes must be those of normalized_shape={shape}, got shape {input.shape}")
    for name, value in zip(("weight", "bias"), parameters, strict=False):
        _check(value, shape, input, name, what)
    return tuple(range(-len(shape), 0))


def _check(value: Any, shape: tuple[int, ...], input: Any, name: str, what: str) -> None:
    if value is None:
        return
    value = operand(value, f"{what}: {name}")
    if value.shape != shape:
        raise ShapeMismatch(
            f"{what}: a {name} of shape {shape} is needed for an input of shape {input.shape}, got {value.shape}"
        )
    if not name.startswith("running"):
        one_dtype(input, value, what, f"the {name}")
