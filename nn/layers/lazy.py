"""Layers that take the number of their input features or channels from the first input."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

import numpy as np

from ..errors import ShapeMismatch
from ..module import Module
from .channels import BatchNorm1d, BatchNorm2d, BatchNorm3d, InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from .convolution import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from .dense import Linear

__all__ = [
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
    "LazyLinear",
]


class _Lazy(Module):
    """A layer without its first size, before the first input: the next class among its bases is what it becomes.

    The parameters are there from the start, so that an optimiser can hold them; those of unknown shape are empty.
    """

    _size = "in_channels"
    _unknown: ClassVar[tuple[str, ...]] = ("weight",)
    _otherwise: ClassVar[dict[str, Any]] = {}  # defaults that differ from those of the layer it becomes
    _given: inspect.BoundArguments

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if len(cls.__bases__) == 2:
            known = inspect.signature(cls.__bases__[1])
            rest = [
                p.replace(default=cls._otherwise.get(p.name, p.default)) for p in list(known.parameters.values())[1:]
            ]
            cls.__signature__ = known.replace(parameters=rest)  # type: ignore[attr-defined]

    def __init__(self, *args: Any, **options: Any):
        given = inspect.signature(type(self)).bind(*args, **options)
        given.apply_defaults()
        super().__init__(given.arguments.get("groups", 1), *given.args, **given.kwargs)  # type: ignore[call-arg]
        self._set(_given=given)
        setattr(self, self._size, 0)
        for name in self._unknown:
            self._fill(name, np.zeros(0))

    def _fill(self, name: str, numbers: Any) -> None:
        held = getattr(self, name)
        if held is None:
            return
        if name in self._buffers:
            setattr(self, name, np.array(numbers, held.dtype))
        else:
            held.resize(numbers)

    def _axis(self, ndim: int) -> int:
        """The axis of channels: before those of a sequence, an image or a volume."""
        return ndim - self._axes - 1  # type: ignore[attr-defined]

    def forward(self, x: Any, *more: Any, **options: Any) -> Any:
        shape = np.shape(x)
        axis = self._axis(len(shape))
        if not 0 <= axis < len(shape) or (axis > 1 and self._size != "in_features") or not shape[axis]:
            raise ShapeMismatch(f"{type(self).__name__}: {self._size} can't be told from an input of shape {shape}")
        given = self._given
        becomes: Any = type(self).__bases__[1]
        fresh = becomes(shape[axis], *given.args, **given.kwargs)
        setattr(self, self._size, shape[axis])
        for name, numbers in fresh.state_dict().items():
            self._fill(name, numbers)
        del self.__dict__["_given"]
        self.__class__ = becomes
        return self.forward(x, *more, **options)


class _LazyNorm(_Lazy):
    _size = "num_features"
    _unknown = ("weight", "bias", "running_mean", "running_var")

    def _axis(self, ndim: int) -> int:
        return 1 if ndim in self._axes else -1  # type: ignore[attr-defined]


class _LazyInstanceNorm(_LazyNorm):
    _otherwise: ClassVar[dict[str, Any]] = {"affine": True, "track_running_stats": True}

    def _axis(self, ndim: int) -> int:
        return ndim - min(self._axes)  # type: ignore[attr-defined]


class LazyLinear(_Lazy, Linear):
    """`Linear` without `in_features`, the last size of the first input.

    The first call makes it a Linear. Until then `in_features` is 0 and the weight is empty; a `state_dict` can be
    loaded after it only.

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.LazyLinear(3)
    >>> layer(np.ones((2, 4))).shape, layer
    ((2, 3), Linear(in_features=4, out_features=3))
    """

    _size = "in_features"

    def _axis(self, ndim: int) -> int:
        return ndim - 1


class LazyConv1d(_Lazy, Conv1d):
    """`Conv1d` without `in_channels`, taken from the first input, as in `LazyLinear`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.LazyConv1d(6, 3)(np.ones((2, 4, 5))).shape
    (2, 6, 3)
    """


class LazyConv2d(_Lazy, Conv2d):
    """`Conv2d` without `in_channels`, taken from the first input, as in `LazyLinear`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.LazyConv2d(6, 3)(np.ones((2, 4, 5, 5))).shape
    (2, 6, 3, 3)
    """


class LazyConv3d(_Lazy, Conv3d):
    """`Conv3d` without `in_channels`, taken from the first input, as in `LazyLinear`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.LazyConv3d(6, 3)(np.ones((2, 4, 5, 5, 5))).shape
    (2, 6, 3, 3, 3)
    """


class LazyConvTranspose1d(_Lazy, ConvTranspose1d):
    """`ConvTranspose1d` without `in_channels`, taken from the first input, as in `LazyLinear`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.LazyConvTranspose1d(6, 3)(np.ones((2, 4, 5))).shape
    (2, 6, 7)
    """


class LazyConvTranspose2d(_Lazy, ConvTranspose2d):
    """`ConvTranspose2d` without `in_channels`, taken from the first input, as in `LazyLinear`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.LazyConvTranspose2d(6, 3)(np.ones((2, 4, 5, 5))).shape
    (2, 6, 7, 7)
    """


class LazyConvTranspose3d(_Lazy, ConvTranspose3d):
    """`ConvTranspose3d` without `in_channels`, taken from the first input, as in `LazyLinear`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.LazyConvTranspose3d(6, 3)(np.ones((2, 4, 5, 5, 5))).shape
    (2, 6, 7, 7, 7)
    """


class LazyBatchNorm1d(_LazyNorm, BatchNorm1d):
    """`BatchNorm1d` without `num_features`, taken from the first input, as in `LazyLinear`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.LazyBatchNorm1d()(np.ones((2, 4, 5))).shape
    (2, 4, 5)
    """


class LazyBatchNorm2d(_LazyNorm, BatchNorm2d):
    """`BatchNorm2d` without `num_features`, taken from the first input, as in `LazyLinear`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.LazyBatchNorm2d()(np.ones((2, 4, 5, 5))).shape
    (2, 4, 5, 5)
    """


class LazyBatchNorm3d(_LazyNorm, BatchNorm3d):
    """`BatchNorm3d` without `num_features`, taken from the first input, as in `LazyLinear`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.LazyBatchNorm3d()(np.ones((2, 4, 5, 5, 5))).shape
    (2, 4, 5, 5, 5)
    """


class LazyInstanceNorm1d(_LazyInstanceNorm, InstanceNorm1d):
    """`InstanceNorm1d` without `num_features`; as PyTorch has it with weight, bias and running statistics unless told.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.LazyInstanceNorm1d()(np.ones((2, 4, 5))).shape
    (2, 4, 5)
    """


class LazyInstanceNorm2d(_LazyInstanceNorm, InstanceNorm2d):
    """`InstanceNorm2d` without `num_features`; as PyTorch has it with weight, bias and running statistics unless told.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.LazyInstanceNorm2d()(np.ones((2, 4, 5, 5))).shape
    (2, 4, 5, 5)
    """


class LazyInstanceNorm3d(_LazyInstanceNorm, InstanceNorm3d):
    """`InstanceNorm3d` without `num_features`; as PyTorch has it with weight, bias and running statistics unless told.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.LazyInstanceNorm3d()(np.ones((2, 4, 5, 5, 5))).shape
    (2, 4, 5, 5, 5)
    """
