"""Losses of numbers, and of the parameters of distributions. A scalar loss is named L on the tape."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.rules.elementwise import some

from .. import naming
from ..errors import ShapeMismatch, operand, seen
from .labels import numbers_of
from .reduction import REDUCTIONS, check_reduction, like, reduced, scores, times, weighted

__all__ = ["gaussian_nll_loss", "huber_loss", "kl_div", "l1_loss", "mse_loss", "poisson_nll_loss", "smooth_l1_loss"]


def mse_loss(input: Any, target: Any, reduction: str = "mean", weight: Any = None) -> Any:
    """(input − target)², averaged.

    Parameters
    ----------
    input : Tensor of any shape
    target : Tensor or array of the same shape
    reduction : "mean", "sum" or "none", optional
    weight : array_like that broadcasts to the shape, optional
        How much each element counts; the mean is divided by the sum of the weights.

    Examples
    --------
    >>> from nn import functional as F
    >>> from autograd import Tensor
    >>> F.mse_loss(Tensor([1.0, 2.0]), [1.0, 4.0]).item()
    2.0
    """
    input = scores(input, "mse_loss")
    return _averaged(np.square(input - like(target, input, "mse_loss")), weight, reduction)


def l1_loss(input: Any, target: Any, *, reduction: str = "mean", weight: Any = None) -> Any:
    """|input − target|, averaged. Its derivative where they are equal is 0.

    Parameters
    ----------
    input, target, reduction, weight
        As for `mse_loss`.

    Examples
    --------
    >>> from nn import functional as F
    >>> float(F.l1_loss([1.0, 2.0], [1.0, 4.0]))
    1.0
    """
    input = scores(input, "l1_loss")
    return _averaged(np.abs(input - like(target, input, "l1_loss")), weight, reduction)


def smooth_l1_loss(input: Any, target: Any, *, reduction: str = "mean", beta: float = 1.0) -> Any:
    """d²/(2β) where d = |input − target| < β, else d − β/2, averaged (https://arxiv.org/abs/1504.08083).

    Parameters
    ----------
    input, target, reduction
        As for `mse_loss`.
    beta : float of at least 0, optional
        β; 0 gives `l1_loss`.

    Examples
    --------
    >>> from nn import functional as F
    >>> F.smooth_l1_loss([1.0, 2.0], [1.5, 4.0], reduction="none")
    array([0.125, 1.5  ])
    """
    input = scores(input, "smooth_l1_loss")
    if beta < 0:
        raise ValueError(f"smooth_l1_loss: beta must be at least 0, got {beta!r}")
    d = np.abs(input - like(target, input, "smooth_l1_loss"))
    near = d < beta
    return reduced(np.where(near, np.square(d) / (2 * beta), d - beta / 2) if some(near) else d - beta / 2, reduction)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None) -> Any:
    """d²/2 where d = |input − target| ≤ δ, else δ (d − δ/2), averaged (https://doi.org/10.1214/aoms/1177703732).

    Parameters
    ----------
    input, target, reduction
        As for `mse_loss`.
    delta : float above 0, optional
        δ.
    weight : array_like that broadcasts to the shape, optional
        What each element is multiplied by, before an ordinary mean.

    Examples
    --------
    >>> from nn import functional as F
    >>> F.huber_loss([1.0, 2.0], [1.5, 4.0], reduction="none", delta=0.5)
    array([0.125, 0.875])
    """
    input = scores(input, "huber_loss")
    if not delta > 0:
        raise ValueError(f"huber_loss: delta must be above 0, got {delta!r}")
    d = np.abs(input - like(target, input, "huber_loss"))
    return reduced(weighted(np.where(d <= delta, np.square(d) / 2, (d - delta / 2) * delta), weight), reduction)


def _averaged(values: Any, weight: Any, reduction: str) -> Any:
    """The mean of the values in proportion to their weights; or as `reduced`."""
    values, shape = weighted(values, weight), values.shape
    if weight is None or reduction != "mean":
        return reduced(values, reduction)
    total = np.broadcast_to(numbers_of(operand(weight, "weight")), shape).sum()
    return naming.loss(values.sum() / float(total))


# --- distributions ----------------------------------------------------------------------------------------------------


def kl_div(input: Any, target: Any, *, reduction: str = "mean", log_target: bool = False) -> Any:
    """The Kullback–Leibler divergence's summands, q (log q − input), with input = log p; averaged over all elements.

    Parameters
    ----------
    input : Tensor of any shape
        Logarithms of probabilities, log p: what `log_softmax` gives.
    target : Tensor or array of the same shape
        Probabilities q; what has q = 0 does not count.
    reduction : "mean", "batchmean", "sum" or "none", optional
        "batchmean", the sum divided by the length of the first axis, is what the textbook calls the divergence.
    log_target : bool, optional
        Whether the target is log q.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import functional as F
    >>> float(F.kl_div(np.log([[0.5, 0.5]]), [[1.0, 0.0]], reduction="batchmean").round(4))  # log 2
    0.6931
    """
    check_reduction(reduction, (*REDUCTIONS, "batchmean"))
    input = scores(input, "kl_div")
    target = like(target, input, "kl_div")
    if log_target:
        values = times(target - input, np.exp(target))
    else:
        numbers = numbers_of(target)
        if seen(numbers < 0):
            raise ValueError(f"kl_div takes probabilities as target, got {numbers.min():.4g}; for log q: log_target")
        values = times(np.log(_or_1(target, numbers > 0)) - input, target)
    if reduction != "batchmean":
        return reduced(values, reduction)
    return naming.loss(values.sum() / (values.shape[0] if values.ndim else 1))


def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    *,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Any:
    """−log of the Poisson probability of counts y, up to what does not depend on the input, averaged.

    Parameters
    ----------
    input : Tensor of any shape
        Logarithms of the expected counts, log λ: the loss is e^input − y · input.
    target : Tensor or array of the same shape
        Counts y.
    log_input : bool, optional
        False: the input is λ, and the loss λ − y log(λ + `eps`).
    full : bool, optional
        Add log y! by Stirling's formula, y log y − y + log(2πy)/2, where y > 1.
    eps, reduction
        As above and for `mse_loss`.

    Examples
    --------
    >>> from nn import functional as F
    >>> float(F.poisson_nll_loss([0.0], [3.0]))
    1.0
    """
    input = scores(input, "poisson_nll_loss")
    y = like(target, input, "poisson_nll_loss")
    values = np.exp(input) - y * input if log_input else input - y * np.log(input + eps)
    if full:
        many = numbers_of(y) > 1
        n = _or_1(y, many)
        values = values + np.where(many, n * np.log(n) - n + np.log(n * (2 * math.pi)) * 0.5, 0.0)
    return reduced(values, reduction)


def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    """−log of the normal density of the target, (log σ² + (target − μ)²/σ²) / 2, averaged.

    Parameters
    ----------
    input : Tensor of any shape
        Expected values μ.
    target : Tensor or array of the same shape, or of one that broadcasts to it
    var : Tensor or array of the same shape, or without the last axis, or with an axis of length 1; or a number
        Variances σ².
    full : bool, optional
        Add log(2π)/2.
    eps : float above 0, optional
        What smaller variances are raised to; their gradient is that of `eps`.
    reduction : "mean", "sum" or "none", optional

    Notes
    -----
    Nix and Weigend, https://doi.org/10.1109/ICNN.1994.374138.

    Examples
    --------
    >>> from nn import functional as F
    >>> float(F.gaussian_nll_loss([1.0], [3.0], [1.0]))
    2.0
    """
    input = scores(input, "gaussian_nll_loss")
    target = like(target, input, "gaussian_nll_loss", spreads=True)
    var = operand(var, "gaussian_nll_loss: var")
    if not eps > 0:
        raise ValueError(f"gaussian_nll_loss: eps must be above 0, got {eps!r}")
    var = var if var.dtype == input.dtype else var.astype(input.dtype)
    if not var.ndim:
        pass
    elif var.shape == input.shape[:-1]:
        var = np.expand_dims(var, -1)
    else:
        shorter = [n for n, m in zip(var.shape, input.shape, strict=False) if n != m]
        if var.ndim != input.ndim or shorter not in ([], [1]):
            raise ShapeMismatch(
                f"gaussian_nll_loss: var of shape {var.shape} does not fit an input of shape {input.shape}"
            )
    numbers = numbers_of(var)
    if seen(numbers < 0):
        raise ValueError(f"gaussian_nll_loss: var must be at least 0, got {numbers.min():.4g}")
    if some(numbers < eps):
        var = var + np.maximum(input.dtype.type(eps) - numbers, 0)
    values = (np.log(var) + np.square(input - target) / var) * 0.5
    return reduced(values + 0.5 * math.log(2 * math.pi) if full else values, reduction)


def _or_1(x: Any, where: Any) -> Any:
    """`x`, with 1 in place of what is not meant."""
    return np.where(where, x, 1.0) if some(~where) else x
