"""Augmentation: images changed at random in ways that leave what they show. Names and meanings are torchvision's.

A transform is called with one image, C×H×W or H×W, or with a batch, N×C×H×W, which draws for each of its images.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import Tensor

from .errors import ShapeMismatch, floating, fraction
from .namespace import namespace
from .seeding import RandomSource
from .seeding import generator as generator_of

__all__ = [
    "Compose",
    "RandomAffine",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomRotation",
    "RandomVerticalFlip",
]
__getattr__, __dir__ = namespace(__name__, __all__)


class _Transform:
    """Called with an image or a batch; subclasses write `_changed` of a batch N×C×H×W and numbers 0 ≤ u < 1, N×k."""

    draws = 1

    def __init__(self, generator: RandomSource):
        self.generator = None if generator is None else generator_of(generator)

    def __call__(self, images: Any) -> Any:
        images = _images(images, type(self).__name__)
        return self.batch(images) if images.ndim == 4 else self.batch(images[None])[0]

    def batch(self, images: Any) -> Any:
        """The same of images along a first axis, N×C×H×W or N×H×W; drawn as if they came one after the other."""
        images = _images(images, type(self).__name__)
        if not 3 <= images.ndim <= 4:
            name = type(self).__name__
            raise ShapeMismatch(
                f"{name}: images of shape (C, H, W) or (H, W) are needed, or a batch (N, C, H, W), got {images.shape}"
            )
        u = generator_of(self.generator).random((len(images), self.draws))
        whole = images if images.ndim == 4 else images[:, None]
        changed = self._changed(whole, u)
        return changed if images.ndim == 4 else changed[:, 0]

    def _changed(self, images: Any, u: Any) -> Any:
        raise NotImplementedError

    def __repr__(self) -> str:
        options = [f"{k}={v!r}" for k, v in vars(self).items() if k != "generator" and v is not None]
        return f"{type(self).__name__}({', '.join(options)})"


class RandomAffine(_Transform):
    """Each image turned, shifted, scaled and sheared at random about its centre, with bilinear interpolation.

    A pixel at p from the centre goes to s·R(θ)·S(φ)·p + t, with the rotation R clockwise, as in torchvision, and the
    shear S = [[1, tan φ], [0, 1]].

    Parameters
    ----------
    degrees : float or (float, float)
        θ is drawn between these, or from -degrees to degrees. 0 turns nothing.
    translate : (float, float), optional
        The largest shifts, as shares of width and height; drawn in whole pixels.
    scale : (float, float), optional
        s is drawn between these.
    shear : float or (float, float), optional
        φ, as `degrees`.
    fill : float, optional
        What stands where nothing of the image is.
    generator : int or numpy.random.Generator, optional
        That of `nn.manual_seed` unless told.

    Raises
    ------
    ValueError
        If an option is out of range.
    DtypeMismatch
        If images are not of floating dtype; a TypeError.
    ShapeMismatch
        If they have no two axes of pixels; a ValueError.

    Examples
    --------
    >>> import numpy as np, nn
    >>> turn = nn.transforms.RandomAffine(15, translate=(0.1, 0.1), generator=0)
    >>> images, labels = nn.datasets.mnist()
    >>> few = nn.data.TensorDataset(images[:200], labels[:200], transform=turn)  # new copies in each epoch
    >>> x, y = next(iter(nn.DataLoader(few, batch_size=50)))
    >>> x.shape, bool((x == images[:50]).all())
    ((50, 1, 28, 28), False)
    """

    draws = 5

    def __init__(
        self,
        degrees: Any,
        translate: Sequence[float] | None = None,
        scale: Sequence[float] | None = None,
        shear: Any = None,
        *,
        fill: float = 0.0,
        generator: RandomSource = None,
    ):
        super().__init__(generator)
        self.degrees = _between(degrees, "degrees")
        self.translate = None if translate is None else _pair(translate, "translate")
        for share in self.translate or ():
            fraction(share, "translate")
        self.scale = None if scale is None else _pair(scale, "scale")
        if self.scale and not 0 < self.scale[0] <= self.scale[1]:
            raise ValueError(f"scale must be two numbers above 0, the smaller first, got {scale!r}")
        self.shear = None if shear is None else _between(shear, "shear")
        self.fill = fill

    def _changed(self, images: Any, u: Any) -> Any:
        def drawn(i: int, ends: tuple[float, float] | None, otherwise: float) -> Any:
            return np.full(len(u), otherwise) if ends is None else ends[0] + (ends[1] - ends[0]) * u[:, i]

        theta, scale = np.deg2rad(drawn(0, self.degrees, 0.0)), drawn(3, self.scale, 1.0)
        sizes = images.shape[:-3:-1]  # width, height
        most = (0.0, 0.0) if self.translate is None else self.translate
        shift = [np.rint((2 * u[:, 1 + i] - 1) * share * sizes[i]) for i, share in enumerate(most)]
        return _moved(images, theta, shift, scale, np.tan(np.deg2rad(drawn(4, self.shear, 0.0))), self.fill)


class RandomRotation(_Transform):
    """Each image turned about its centre by a random angle, counter-clockwise, with bilinear interpolation.

    Parameters
    ----------
    degrees : float or (float, float)
        The angle is drawn between these, or from -degrees to degrees.
    fill : float, optional
        What stands where nothing of the image is.
    generator : int or numpy.random.Generator, optional
        That of `nn.manual_seed` unless told.

    Raises
    ------
    ValueError
        If `degrees` is no such range.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.transforms.RandomRotation((90, 90))(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[2., 4.],
           [1., 3.]])
    """

    def __init__(self, degrees: Any, *, fill: float = 0.0, generator: RandomSource = None):
        super().__init__(generator)
        self.degrees = _between(degrees, "degrees")
        self.fill = fill

    def _changed(self, images: Any, u: Any) -> Any:
        low, high = self.degrees
        nothing = np.zeros(len(u))
        return _moved(images, -np.deg2rad(low + (high - low) * u[:, 0]), (nothing, nothing), 1.0, nothing, self.fill)


class RandomCrop(_Transform):
    """A random window of each image, which may first be given a margin.

    Parameters
    ----------
    size : int or (int, int)
        Height and width of the window.
    padding : int, optional
        Width of the margin on all sides.
    fill : float, optional
        What stands there.
    generator : int or numpy.random.Generator, optional
        That of `nn.manual_seed` unless told.

    Raises
    ------
    ShapeMismatch
        If an image is smaller than the window; a ValueError.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.transforms.RandomCrop(28, padding=2)(np.ones((5, 1, 28, 28))).shape
    (5, 1, 28, 28)
    """

    draws = 2

    def __init__(self, size: Any, padding: int | None = None, *, fill: float = 0.0, generator: RandomSource = None):
        super().__init__(generator)
        sides = (size, size) if isinstance(size, int | np.integer) else tuple(size)
        if len(sides) != 2:
            raise ValueError(f"size must be an integer or a pair (height, width), got {size!r}")
        self.size = tuple(_whole(side, "size", 1) for side in sides)
        self.padding = None if padding is None else _whole(padding, "padding", 0)
        self.fill = fill

    def _changed(self, images: Any, u: Any) -> Any:
        margin = self.padding or 0
        images = np.pad(images, ((0, 0), (0, 0), (margin,) * 2, (margin,) * 2), constant_values=self.fill)
        room = np.array(images.shape[2:]) - self.size
        if (room < 0).any():
            raise ShapeMismatch(
                f"RandomCrop: images of {images.shape[2]} × {images.shape[3]}, padding included, are smaller than "
                f"the window of {self.size[0]} × {self.size[1]}"
            )
        top, left = (u * (room + 1)).astype(int).T[..., None]
        rows, columns = (start + np.arange(side) for start, side in zip((top, left), self.size, strict=True))
        each = np.arange(len(images))[:, None, None]
        return np.moveaxis(images[each, :, rows[:, :, None], columns[:, None, :]], 3, 1)


class RandomHorizontalFlip(_Transform):
    """Each image mirrored left to right with probability p. Digits and letters are then others.

    Parameters
    ----------
    p : float, optional
    generator : int or numpy.random.Generator, optional
        That of `nn.manual_seed` unless told.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.transforms.RandomHorizontalFlip(1.0)(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[2., 1.],
           [4., 3.]])
    """

    _axis = 3

    def __init__(self, p: float = 0.5, *, generator: RandomSource = None):
        super().__init__(generator)
        self.p = fraction(p, "p")

    def _changed(self, images: Any, u: Any) -> Any:
        return np.where((u < self.p)[..., None, None], np.flip(images, self._axis), images)


class RandomVerticalFlip(RandomHorizontalFlip):
    """Each image turned upside down as in a mirror with probability p; see `RandomHorizontalFlip`.

    Parameters
    ----------
    p : float, optional
    generator : int or numpy.random.Generator, optional
        That of `nn.manual_seed` unless told.
    """

    _axis = 2


class Compose:
    """Transforms one after the other.

    Parameters
    ----------
    transforms : sequence of callable
        Those of here, or any function of one image.

    Examples
    --------
    >>> import numpy as np, nn
    >>> both = nn.transforms.Compose([nn.transforms.RandomRotation(10, generator=0), lambda image: 1 - image])
    >>> both(np.ones((3, 1, 8, 8))).shape
    (3, 1, 8, 8)
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]):
        self.transforms = list(transforms)
        for one in self.transforms:
            callable_checked(one, "Compose")

    def __call__(self, images: Any) -> Any:
        images = images.data if isinstance(images, Tensor) else images
        if np.ndim(images) == 4:
            return self.batch(images)
        for one in self.transforms:
            images = one(images)
        return images

    def batch(self, images: Any) -> Any:
        """The same of images along a first axis."""
        for one in self.transforms:
            images = transformed(one, images)
        return images

    def __repr__(self) -> str:
        return f"Compose({self.transforms})"


def transformed(transform: Any, images: Any) -> Any:
    """Each image of a batch transformed: at once by what has a method ``batch``, else one after the other."""
    if hasattr(transform, "batch"):
        return transform.batch(images)
    return np.stack([transform(image) for image in images]) if len(images) else images


def callable_checked(transform: Any, what: str) -> Any:
    """The transform itself; a class, or what is no function, is refused."""
    if isinstance(transform, type):
        raise TypeError(f"{what}: transform is the class {transform.__name__}: make one, {transform.__name__}(…)")
    if not callable(transform):
        raise TypeError(f"{what}: a transform must be a function of an image, got {type(transform).__name__}")
    return transform


def _moved(images: Any, theta: Any, shift: Any, scale: Any, shear: Any, fill: float) -> Any:
    """Images N×C×H×W turned clockwise by θ, and so on: each pixel asks where in its image it comes from."""
    height, width = images.shape[2:]
    x, y = np.arange(width) - (width - 1) / 2, np.arange(height)[:, None] - (height - 1) / 2
    theta, scale, shear, *shift = (np.reshape(a, (-1, 1, 1)) for a in (theta, scale, shear, *shift))
    x, y = x - shift[0], y - shift[1]
    x, y = (np.cos(theta) * x + np.sin(theta) * y) / scale, (np.cos(theta) * y - np.sin(theta) * x) / scale
    x = x - shear * y
    # rounded, so that what falls on a pixel is that pixel: multiples of 90° are exact
    x, y = np.round(x + (width - 1) / 2, 9), np.round(y + (height - 1) / 2, 9)
    # a margin of two takes up whatever lies outside
    ground = np.pad(images, ((0, 0), (0, 0), (2, 2), (2, 2)), constant_values=fill)
    x, y = np.clip(x + 2, 0, width + 2), np.clip(y + 2, 0, height + 2)
    left, top = x.astype(int), y.astype(int)
    across, down = ((a - b).astype(images.dtype)[:, None] for a, b in ((x, left), (y, top)))
    flat = ground.reshape(*images.shape[:2], -1)
    start = top * (width + 4) + left

    def at(offset: int) -> Any:
        place = (start + offset).reshape(len(images), 1, -1)
        return np.take_along_axis(flat, place, axis=2).reshape(images.shape)

    upper = at(0) * (1 - across) + at(1) * across
    lower = at(width + 4) * (1 - across) + at(width + 5) * across
    return upper * (1 - down) + lower * down


def _images(images: Any, name: str) -> Any:
    images = floating(images.data if isinstance(images, Tensor) else images, name)
    if images.ndim < 2:
        raise ShapeMismatch(f"{name}: images have two axes of pixels, (…, H, W), got shape {images.shape}")
    return images


def _between(value: Any, name: str) -> tuple[float, float]:
    """A range of angles: (low, high), or -value to value."""
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        if not 0 <= value < np.inf:
            raise ValueError(f"{name} must be at least 0, or a pair (low, high), got {value!r}")
        return (-float(value), float(value))
    low, high = _pair(value, name)
    if not -np.inf < low <= high < np.inf:
        raise ValueError(f"{name} must be a number or a pair (low, high), got {value!r}")
    return low, high


def _whole(value: Any, name: str, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} must be an integer of at least {least}, got {value!r}")
    return int(value)


def _pair(value: Any, name: str) -> tuple[float, float]:
    if not isinstance(value, Sequence | np.ndarray) or isinstance(value, str) or len(value) != 2:
        raise ValueError(f"{name} must be a pair of numbers, got {value!r}")
    return float(value[0]), float(value[1])
