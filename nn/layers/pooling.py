"""Pooling: the largest, the mean or the norm of the elements of windows."""

from __future__ import annotations

from typing import Any

from ..functional.pooling import pooling_sizes
from ..functional.windows import Sizes, sizes
from .shown import Function, OfFunction

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
]


class _MaxPool(Function):
    _axes = 2
    _options = ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
    _shown = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ):
        pooling_sizes(kernel_size, stride, padding, dilation, type(self).__name__, self._axes)
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode


class MaxPool1d(_MaxPool):
    """The largest element of each window of sequences: `functional.max_pool1d`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.MaxPool1d(2)(np.zeros((1, 6, 24))).shape
    (1, 6, 12)
    """

    _axes = 1
    _function = "max_pool1d"


class MaxPool2d(_MaxPool):
    """The largest element of each window: `functional.max_pool2d`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.MaxPool2d(2)(np.zeros((1, 6, 24, 24))).shape
    (1, 6, 12, 12)
    """

    _function = "max_pool2d"


class MaxPool3d(_MaxPool):
    """The largest element of each window of volumes: `functional.max_pool3d`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.MaxPool3d(2)(np.zeros((1, 6, 8, 24, 24))).shape
    (1, 6, 4, 12, 12)
    """

    _axes = 3
    _function = "max_pool3d"


class _MaxUnpool(OfFunction):
    _axes = 2
    _options = ("kernel_size", "stride", "padding")

    def __init__(self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0):
        self.kernel_size = sizes(kernel_size, "kernel_size", self._axes)
        self.stride = self.kernel_size if stride is None else sizes(stride, "stride", self._axes)
        self.padding = sizes(padding, "padding", self._axes, least=0)

    def forward(self, x: Any, indices: Any, output_size: Any = None) -> Any:
        return self._call(x, indices, output_size=output_size)


class MaxUnpool1d(_MaxUnpool):
    """Max pooling of sequences undone, each maximum put back to its place: `functional.max_unpool1d`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.MaxUnpool1d(2)(np.array([[7.0]]), np.array([[1]])).data
    array([[0., 7.]])
    """

    _axes = 1
    _function = "max_unpool1d"


class MaxUnpool2d(_MaxUnpool):
    """Max pooling of images undone, each maximum put back to its place: `functional.max_unpool2d`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.MaxUnpool2d((1, 2))(np.array([[[7.0]]]), np.array([[[1]]])).data
    array([[[0., 7.]]])
    """

    _function = "max_unpool2d"


class MaxUnpool3d(_MaxUnpool):
    """Max pooling of volumes undone, each maximum put back to its place: `functional.max_unpool3d`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.MaxUnpool3d((1, 1, 2))(np.array([[[[7.0]]]]), np.array([[[[1]]]])).data
    array([[[[0., 7.]]]])
    """

    _axes = 3
    _function = "max_unpool3d"


class AvgPool1d(Function):
    """The mean of each window of sequences: `functional.avg_pool1d`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.AvgPool1d(2)(np.zeros((1, 6, 24))).shape
    (1, 6, 12)
    """

    _function = "avg_pool1d"
    _options = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad")
    _shown = ("kernel_size", "stride", "padding")

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ):
        pooling_sizes(kernel_size, stride, padding, 1, type(self).__name__, 1)
        self.kernel_size, self.padding = ((n,) if isinstance(n, int) else tuple(n) for n in (kernel_size, padding))
        self.stride = self.kernel_size if stride is None else (stride,) if isinstance(stride, int) else tuple(stride)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad


class _AvgPool(Function):
    _axes = 2
    _options = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override")
    _shown = ("kernel_size", "stride", "padding")

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ):
        pooling_sizes(kernel_size, stride, padding, 1, type(self).__name__, self._axes)
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override


class AvgPool2d(_AvgPool):
    """The mean of each window: `functional.avg_pool2d`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.AvgPool2d(2)(np.zeros((1, 6, 24, 24))).shape
    (1, 6, 12, 12)
    """

    _function = "avg_pool2d"


class AvgPool3d(_AvgPool):
    """The mean of each window of volumes: `functional.avg_pool3d`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.AvgPool3d(2)(np.zeros((1, 6, 8, 24, 24))).shape
    (1, 6, 4, 12, 12)
    """

    _axes = 3
    _function = "avg_pool3d"


class _LPPool(Function):
    _axes = 2
    _options = ("norm_type", "kernel_size", "stride", "ceil_mode")

    def __init__(self, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False):
        pooling_sizes(kernel_size, stride, 0, 1, type(self).__name__, self._axes)
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode


class LPPool1d(_LPPool):
    """(Σ xᵖ)^(1/p) over each window of sequences: `functional.lp_pool1d`.

    Examples
    --------
    >>> import nn
    >>> nn.LPPool1d(2, kernel_size=2)([[3.0, 4.0, 6.0, 8.0]]).data
    array([[ 5., 10.]])
    """

    _axes = 1
    _function = "lp_pool1d"


class LPPool2d(_LPPool):
    """(Σ xᵖ)^(1/p) over each window: `functional.lp_pool2d`.

    Examples
    --------
    >>> import nn
    >>> nn.LPPool2d(2, kernel_size=2)([[[3.0, 0.0], [0.0, 4.0]]]).data
    array([[[5.]]])
    """

    _function = "lp_pool2d"


class LPPool3d(_LPPool):
    """(Σ xᵖ)^(1/p) over each window of volumes: `functional.lp_pool3d`.

    Examples
    --------
    >>> import nn
    >>> nn.LPPool3d(2, kernel_size=(1, 2, 2))([[[[3.0, 0.0], [0.0, 4.0]]]]).data
    array([[[[5.]]]])
    """

    _axes = 3
    _function = "lp_pool3d"


class _Adaptive(Function):
    _options = ("output_size",)

    def __init__(self, output_size: Any):
        self.output_size = output_size


class _AdaptiveMax(Function):
    _options = ("output_size", "return_indices")
    _shown = ("output_size",)

    def __init__(self, output_size: Any, return_indices: bool = False):
        self.output_size = output_size
        self.return_indices = return_indices


class AdaptiveAvgPool1d(_Adaptive):
    """The means of `output_size` windows of sequences: `functional.adaptive_avg_pool1d`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.AdaptiveAvgPool1d(5)(np.zeros((1, 6, 8))).shape
    (1, 6, 5)
    """

    _function = "adaptive_avg_pool1d"


class AdaptiveAvgPool2d(_Adaptive):
    """The means of as many windows as `output_size` tells: `functional.adaptive_avg_pool2d`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.AdaptiveAvgPool2d((5, None))(np.zeros((1, 6, 8, 9))).shape
    (1, 6, 5, 9)
    """

    _function = "adaptive_avg_pool2d"


class AdaptiveAvgPool3d(_Adaptive):
    """The means of as many windows of volumes as `output_size` tells: `functional.adaptive_avg_pool3d`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.AdaptiveAvgPool3d(2)(np.zeros((1, 6, 4, 8, 9))).shape
    (1, 6, 2, 2, 2)
    """

    _function = "adaptive_avg_pool3d"


class AdaptiveMaxPool1d(_AdaptiveMax):
    """The largest elements of `output_size` windows of sequences: `functional.adaptive_max_pool1d`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.AdaptiveMaxPool1d(5)(np.zeros((1, 6, 8))).shape
    (1, 6, 5)
    """

    _function = "adaptive_max_pool1d"


class AdaptiveMaxPool2d(_AdaptiveMax):
    """The largest elements of as many windows as `output_size` tells: `functional.adaptive_max_pool2d`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.AdaptiveMaxPool2d((5, None))(np.zeros((1, 6, 8, 9))).shape
    (1, 6, 5, 9)
    """

    _function = "adaptive_max_pool2d"


class AdaptiveMaxPool3d(_AdaptiveMax):
    """The largest elements of as many windows of volumes as `output_size` tells: `functional.adaptive_max_pool3d`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.AdaptiveMaxPool3d(2)(np.zeros((1, 6, 4, 8, 9))).shape
    (1, 6, 2, 2, 2)
    """

    _function = "adaptive_max_pool3d"
