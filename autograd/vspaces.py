"""The vector space that an array, or a nest of arrays, is an element of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .nests import leaves, map_leaves, numbers_of, unflatten
from .operands import constant

__all__ = ["VSpace", "vspace"]


class VSpace:
    """What `vspace` returns: its zeros, ones and basis, and what can be done with its elements."""

    def __init__(self, value: Any):
        def zeros(leaf: Any) -> Any:
            array = np.asarray(numbers_of(constant(leaf)))
            if array.dtype.kind not in "fiu":
                raise TypeError(f"vspace: {leaf!r:.40} of type {type(leaf).__name__} is no element of a vector space")
            return np.zeros_like(array)

        self._zeros = map_leaves(zeros, value)

    @property
    def shape(self) -> Any:
        """The shape of an array; for a nest, the nest of the spaces of its parts."""
        return self._zeros.shape if isinstance(self._zeros, np.ndarray) else map_leaves(VSpace, self._zeros)

    @property
    def dtype(self) -> Any:
        return self._zeros.dtype

    @property
    def size(self) -> int:
        return sum(leaf.size for leaf in leaves(self._zeros))

    @property
    def iscomplex(self) -> bool:
        return False

    def zeros(self) -> Any:
        return map_leaves(lambda leaf: np.zeros_like(leaf)[()], self._zeros)

    def ones(self) -> Any:
        return map_leaves(lambda leaf: np.ones_like(leaf)[()], self._zeros)

    def randn(self) -> Any:
        """An element drawn from NumPy's global generator, as `numpy.random.seed` sets it."""
        draw = np.random.randn
        return map_leaves(lambda leaf: np.asarray(draw(*leaf.shape)).astype(leaf.dtype)[()], self._zeros)

    def standard_basis(self) -> Iterator[Any]:
        for i in range(self.size):
            flat = iter(np.eye(1, self.size, i)[0])
            yield map_leaves(
                lambda leaf: np.fromiter(flat, leaf.dtype, leaf.size).reshape(leaf.shape)[()],  # noqa: B023
                self._zeros,
            )

    def _each(self, fn: Any, *values: Any) -> Any:
        return unflatten(self._zeros, map(fn, *(leaves(value) for value in values)))

    def add(self, x: Any, y: Any) -> Any:
        return self._each(lambda a, b: a + b, x, y)

    def mut_add(self, x: Any, y: Any) -> Any:
        """`add`; nothing is changed in place, and None counts as zero."""
        return self.add(self.zeros() if x is None else x, y)

    def scalar_mul(self, x: Any, a: Any) -> Any:
        return self._each(lambda leaf: leaf * a, x)

    def inner_prod(self, x: Any, y: Any) -> Any:
        return sum(np.sum(a * b) for a, b in zip(leaves(x), leaves(y), strict=True))

    def covector(self, x: Any) -> Any:
        return x

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, VSpace):
            return NotImplemented
        return repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        return f"VSpace({map_leaves(lambda leaf: (leaf.dtype.name, leaf.shape), self._zeros)})"


def vspace(value: Any) -> VSpace:
    """The vector space that `value`, an array, a number, a Tensor or a nest of them, is an element of.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.extend import vspace
    >>> space = vspace({"w": np.zeros(2), "b": 0.0})
    >>> space.size, space.ones()
    (3, {'w': array([1., 1.]), 'b': np.float64(1.0)})
    """
    return VSpace(value)
