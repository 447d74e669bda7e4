"""Padding as layers: a way of padding for one, two or three last axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import functional as F
from ..functional.windows import Sizes
from ..module import Module

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]


class _Pad(Module):
    """Padding of the last `_axes` axes: one int for all sides, or (left, right, top, bottom, ...)."""

    _axes = 1
    _mode = "constant"

    def __init__(self, padding: Sizes):
        self._set_padding(padding)

    def _set_padding(self, padding: Any) -> None:
        sides = (padding,) * (2 * self._axes) if isinstance(padding, int | np.integer) else padding
        self.padding = tuple(sides) if np.iterable(sides) else ()
        if len(self.padding) != 2 * self._axes or not all(isinstance(n, int | np.integer) for n in self.padding):
            raise ValueError(f"{type(self).__name__}: padding must be an int or {2 * self._axes} ints, got {padding!r}")

    def forward(self, x: Any) -> Any:
        return F.pad(x, self.padding, self._mode)

    def extra_repr(self) -> str:
        return str(self.padding)


class _ConstantPad(_Pad):
    def __init__(self, padding: Sizes, value: float):
        self._set_padding(padding)
        self.value = value

    def forward(self, x: Any) -> Any:
        return F.pad(x, self.padding, value=self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class CircularPad1d(_Pad):
    """The elements of the other end around sequences (…, L): `functional.pad`.

    `padding` is an int, or (left, right).

    Examples
    --------
    >>> import nn
    >>> nn.CircularPad1d((2, 1))([[1.0, 2.0, 3.0]]).data
    array([[2., 3., 1., 2., 3., 1.]])
    """

    _mode = "circular"


class CircularPad2d(_Pad):
    """The elements of the other end around images (…, H, W): `functional.pad`.

    `padding` is an int, or (left, right, top, bottom).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.CircularPad2d(1)(np.ones((1, 3, 4))).shape
    (1, 5, 6)
    """

    _axes = 2
    _mode = "circular"


class CircularPad3d(_Pad):
    """The elements of the other end around volumes (…, D, H, W): `functional.pad`.

    `padding` is an int, or (left, right, top, bottom, front, back).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.CircularPad3d(1)(np.ones((1, 2, 3, 4))).shape
    (1, 4, 5, 6)
    """

    _axes = 3
    _mode = "circular"


class ConstantPad1d(_ConstantPad):
    """`value` around sequences (…, L): `functional.pad`.

    `padding` is an int, or (left, right).

    Examples
    --------
    >>> import nn
    >>> nn.ConstantPad1d((2, 1), 9.0)([[1.0, 2.0]]).data
    array([[9., 9., 1., 2., 9.]])
    """


class ConstantPad2d(_ConstantPad):
    """`value` around images (…, H, W): `functional.pad`.

    `padding` is an int, or (left, right, top, bottom).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.ConstantPad2d(1, 0.5)(np.ones((1, 3, 4))).shape
    (1, 5, 6)
    """

    _axes = 2


class ConstantPad3d(_ConstantPad):
    """`value` around volumes (…, D, H, W): `functional.pad`.

    `padding` is an int, or (left, right, top, bottom, front, back).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.ConstantPad3d(1, 0.5)(np.ones((1, 2, 3, 4))).shape
    (1, 4, 5, 6)
    """

    _axes = 3


class ReflectionPad1d(_Pad):
    """Sequences (…, L), mirrored at the edge, which is not repeated: `functional.pad`.

    `padding` is an int, or (left, right).

    Examples
    --------
    >>> import nn
    >>> nn.ReflectionPad1d((2, 1))([[1.0, 2.0, 3.0]]).data
    array([[3., 2., 1., 2., 3., 2.]])
    """

    _mode = "reflect"


class ReflectionPad2d(_Pad):
    """Images (…, H, W), mirrored at the edge, which is not repeated: `functional.pad`.

    `padding` is an int, or (left, right, top, bottom).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.ReflectionPad2d(1)(np.ones((1, 3, 4))).shape
    (1, 5, 6)
    """

    _axes = 2
    _mode = "reflect"


class ReflectionPad3d(_Pad):
    """Volumes (…, D, H, W), mirrored at the edge, which is not repeated: `functional.pad`.

    `padding` is an int, or (left, right, top, bottom, front, back).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.ReflectionPad3d(1)(np.ones((1, 2, 3, 4))).shape
    (1, 4, 5, 6)
    """

    _axes = 3
    _mode = "reflect"


class ReplicationPad1d(_Pad):
    """The elements at the edge around sequences (…, L): `functional.pad`.

    `padding` is an int, or (left, right).

    Examples
    --------
    >>> import nn
    >>> nn.ReplicationPad1d((2, 1))([[1.0, 2.0, 3.0]]).data
    array([[1., 1., 1., 2., 3., 3.]])
    """

    _mode = "replicate"


class ReplicationPad2d(_Pad):
    """The elements at the edge around images (…, H, W): `functional.pad`.

    `padding` is an int, or (left, right, top, bottom).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.ReplicationPad2d(1)(np.ones((1, 3, 4))).shape
    (1, 5, 6)
    """

    _axes = 2
    _mode = "replicate"


class ReplicationPad3d(_Pad):
    """The elements at the edge around volumes (…, D, H, W): `functional.pad`.

    `padding` is an int, or (left, right, top, bottom, front, back).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.ReplicationPad3d(1)(np.ones((1, 2, 3, 4))).shape
    (1, 4, 5, 6)
    """

    _axes = 3
    _mode = "replicate"


class ZeroPad1d(_Pad):
    """Zeros around sequences (…, L): `functional.pad`.

    `padding` is an int, or (left, right).

    Examples
    --------
    >>> import nn
    >>> nn.ZeroPad1d((2, 1))([[1.0, 2.0]]).data
    array([[0., 0., 1., 2., 0.]])
    """


class ZeroPad2d(_Pad):
    """Zeros around images (…, H, W): `functional.pad`.

    `padding` is an int, or (left, right, top, bottom).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.ZeroPad2d(1)(np.ones((1, 3, 4))).shape
    (1, 5, 6)
    """

    _axes = 2


class ZeroPad3d(_Pad):
    """Zeros around volumes (…, D, H, W): `functional.pad`.

    `padding` is an int, or (left, right, top, bottom, front, back).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.ZeroPad3d(1)(np.ones((1, 2, 3, 4))).shape
    (1, 4, 5, 6)
    """

    _axes = 3
