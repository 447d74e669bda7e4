"""The vector space that an array, or a nest of arrays, is an element of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .nests import leaves, map_leaves, numbers_of, unflatten
from .operands import constant
from .tracing import paired

__all__ = ["VSpace", "vspace"]


class VSpace:
    """What `vspace` returns: its zeros, ones and basis, and what can be done with its elements."""

    def __init__(self, value: Any):
        def zeros(leaf: Any) -> Any:
            array = np.asarray(numbers_of(constant(leaf)))
            if array.dtype.kind not in "fiuc":
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
        """How many real numbers an element is made of: complex ones are two each."""
        return sum(leaf.size * _parts(leaf) for leaf in leaves(self._zeros))

    @property
    def iscomplex(self) -> bool:
        return any(leaf.dtype.kind == "c" for leaf in leaves(self._zeros))

    def zeros(self) -> Any:
        return map_leaves(lambda leaf: np.zeros_like(leaf)[()], self._zeros)

    def ones(self) -> Any:
        """Ones; 1 + 1j where an element is complex."""
        return map_leaves(lambda leaf: _joined(np.ones((_parts(leaf), *leaf.shape)), leaf), self._zeros)

    def randn(self) -> Any:
        """An element drawn from NumPy's global generator, as `numpy.random.seed` sets it."""
        draw = np.random.randn
        return map_leaves(lambda leaf: _joined([draw(*leaf.shape) for _ in range(_parts(leaf))], leaf), self._zeros)

    def standard_basis(self) -> Iterator[Any]:
        for i in range(self.size):
            flat = iter(np.eye(1, self.size, i)[0])
            yield map_leaves(
                lambda leaf: _joined(
                    np.fromiter(flat, float, leaf.size * _parts(leaf)).reshape(-1, *leaf.shape),  # noqa: B023
                    leaf,
                ),
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
        """Σ x y, of complex elements Σ Re(conj(x) y)."""
        return sum(paired(a, b) for a, b in zip(leaves(x), leaves(y), strict=True))

    def covector(self, x: Any) -> Any:
        """`x` itself: gradients of complex elements are such that the loss changes by ⟨gradient, v⟩ along v."""
        return x

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, VSpace):
            return NotImplemented
        return repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        return f"VSpace({map_leaves(lambda leaf: (leaf.dtype.name, leaf.shape), self._zeros)})"


def _parts(leaf: Any) -> int:
    return 2 if leaf.dtype.kind == "c" else 1


def _joined(parts: Any, leaf: Any) -> Any:
    """An element of the dtype of `leaf`, of its real part or of its real and its imaginary part."""
    whole = parts[0] if len(parts) == 1 else parts[0] + 1j * parts[1]
    return np.asarray(whole).astype(leaf.dtype).reshape(leaf.shape)[()]


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
