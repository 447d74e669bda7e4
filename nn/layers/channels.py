"""Normalisation of each channel, over the batch or by itself, with running statistics for evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import functional as F
from ..errors import ShapeMismatch
from .norms import Scaled
from .shown import shown
from .weighted import at_least_1

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"]


class _ChannelNorm(Scaled):
    """A norm with something for each channel: parameters, and running statistics or None."""

    running_mean: Any
    running_var: Any
    num_batches_tracked: Any
    _axes: tuple[int, ...] = ()

    def _set_channels(
        self, num_features: int, eps: float, momentum: float | None, affine: bool, track: bool, dtype: Any, bias: bool
    ) -> None:
        self.num_features = at_least_1(num_features, f"{type(self).__name__}: num_features")
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track
        self._set_parameters((num_features,), affine, bias, dtype)
        if track:
            self.register_buffer("running_mean", np.zeros(num_features, self._parameters_dtype))
            self.register_buffer("running_var", np.ones(num_features, self._parameters_dtype))
            self.register_buffer("num_batches_tracked", np.array(0))
        else:
            self.running_mean = self.running_var = self.num_batches_tracked = None

    def reset_running_stats(self) -> None:
        """Forget the running statistics: mean 0 and variance 1, of no batch."""
        if self.track_running_stats:
            self.running_mean[...] = 0
            self.running_var[...] = 1
            self.num_batches_tracked[...] = 0

    def reset_parameters(self) -> None:
        """Make the weight 1 and the bias 0 again, and forget the running statistics."""
        self.reset_running_stats()
        super().reset_parameters()

    def _check(self, x: Any, axis: int = 1) -> None:
        kind = type(self).__name__
        if np.ndim(x) not in self._axes:
            raise ShapeMismatch(
                f"{kind}: an input with {' or '.join(map(str, self._axes))} axes is needed, got shape {np.shape(x)}"
            )
        if np.shape(x)[axis] != self.num_features and (self.affine or self.track_running_stats):
            raise ShapeMismatch(
                f"{kind}: the input of shape {np.shape(x)} has {np.shape(x)[axis]} channels, expected "
                f"num_features={self.num_features}"
            )

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, {shown(self, ('eps', 'momentum', 'affine'))}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_ChannelNorm):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
        dtype: Any = None,
    ):
        self._set_channels(num_features, eps, momentum, affine, track_running_stats, dtype, bias)

    def forward(self, x: Any) -> Any:
        self._check(x)
        tracked = self.running_mean is not None
        momentum = self.momentum or 0.0
        mean, var = self.running_mean, self.running_var
        if self.training and tracked and self.track_running_stats:
            self.num_batches_tracked[...] += 1
            if self.momentum is None:
                momentum = 1 / int(self.num_batches_tracked)
        elif self.training:
            mean = var = None
        return F.batch_norm(x, mean, var, self.weight, self.bias, self.training or not tracked, momentum, self.eps)


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of features (N, C), or of sequences (N, C, L). Else as `BatchNorm2d`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.BatchNorm1d(2, eps=0.0)(np.array([[1.0, 0.0], [3.0, 4.0]])).data
    array([[-1., -1.],
           [ 1.,  1.]], dtype=float32)
    """

    _axes = (2, 3)


class BatchNorm2d(_BatchNorm):
    """(x − μ) / √(σ² + ε) · weight + bias, of each channel of images (N, C, H, W): `functional.batch_norm`.

    In training μ and σ² are those of the batch, over all positions; in evaluation the running ones, which follow them.

    Parameters
    ----------
    num_features : int
        C.
    eps : float, optional
    momentum : float or None, optional
        How much a batch counts in the running statistics; None averages over all batches.
    affine : bool, optional
        Whether there are a weight and a bias.
    track_running_stats : bool, optional
        False takes the statistics of the batch in evaluation, too.
    bias : bool, optional
    dtype : floating dtype, optional
        float32 unless told.

    Attributes
    ----------
    weight, bias : Parameter of shape (C,), or None
    running_mean, running_var : array of shape (C,), or None
    num_batches_tracked : array of shape (), or None

    Raises
    ------
    ShapeMismatch
        For another number of axes or channels; or in training, if there is but one value of each channel.

    Examples
    --------
    >>> import numpy as np, nn
    >>> norm = nn.BatchNorm2d(3)
    >>> norm(np.ones((2, 3, 4, 4))).shape
    (2, 3, 4, 4)
    >>> norm.running_mean
    array([0.1, 0.1, 0.1], dtype=float32)
    """

    _axes = (4,)


class BatchNorm3d(_BatchNorm):
    """Batch normalisation of volumes (N, C, D, H, W). Else as `BatchNorm2d`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.BatchNorm3d(3)(np.ones((2, 3, 2, 4, 4))).shape
    (2, 3, 2, 4, 4)
    """

    _axes = (5,)


class _InstanceNorm(_ChannelNorm):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        bias: bool = True,
        dtype: Any = None,
    ):
        self._set_channels(num_features, eps, momentum, affine, track_running_stats, dtype, bias)

    def forward(self, x: Any) -> Any:
        alone = np.ndim(x) == self._axes[0]
        self._check(x, 0 if alone else 1)
        out = F.instance_norm(
            x.reshape((1, *x.shape)) if alone else x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or self.running_mean is None,
            self.momentum or 0.0,
            self.eps,
        )
        return out.reshape(x.shape) if alone else out


class InstanceNorm1d(_InstanceNorm):
    """Instance normalisation of sequences (N, C, L) or (C, L). Else as `InstanceNorm2d`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.InstanceNorm1d(2, eps=0.0)(np.array([[[1.0, 3.0], [0.0, 4.0]]])).data
    array([[[-1.,  1.],
            [-1.,  1.]]])
    """

    _axes = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """`BatchNorm2d` of each image (N, C, H, W) or (C, H, W) by itself: `functional.instance_norm`.

    Parameters and attributes are those of `BatchNorm2d`; `affine` and `track_running_stats` are False unless told, so
    that there is nothing to learn, and training and evaluation are the same.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.InstanceNorm2d(3)(np.ones((2, 3, 4, 4))).shape
    (2, 3, 4, 4)
    """

    _axes = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Instance normalisation of volumes (N, C, D, H, W) or (C, D, H, W). Else as `InstanceNorm2d`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.InstanceNorm3d(3)(np.ones((2, 3, 2, 4, 4))).shape
    (2, 3, 2, 4, 4)
    """

    _axes = (4, 5)
