"""What a comparison of Tensors gives: an array as NumPy's, which remembers the record that it was computed by.

`z > 0` is no Tensor: users index with it, count it and write into it. But a formula is to say `[z > 0]` where a program
says `np.where(z > 0, z, 0.01 * z)`, `z * (z > 0).astype(float)` or `x[(x > low) & ~odd]`, and that can't be read off
from the numbers: another comparison may give the same ones. So the array keeps the record of the comparison, what is
computed from it keeps what it was computed by, and writing into it makes it forget.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Mask", "mask_of"]


class Mask(np.ndarray):
    """An array of truth values (or numbers made of them) and the record that gives them.

    Attributes
    ----------
    node : Node or None
        The record; None where it was forgotten: after writing into the array, and in views of it.
    steps : int
        How many operations on masks led to it.
    """

    node: Any = None
    steps = 0

    def settled(self) -> Any:
        """The array as a constant operand holds it: plain, read-only, and with this one, or a copy, as its owner."""
        own = self if self.flags.owndata and not self.flags.writeable else self.copy("K")
        own.setflags(write=False)
        return own.view(np.ndarray)

    def copy(self, order: Any = "C") -> Mask:
        """A copy that remembers the same record."""
        copied: Any = super().copy(order)
        copied.node, copied.steps = self.node, self.steps
        return copied

    def __setitem__(self, index: Any, value: Any) -> None:
        self.node = None
        super().__setitem__(index, value)

    def __reduce__(self) -> Any:
        return self.view(np.ndarray).__reduce__()

    def __deepcopy__(self, memo: Any) -> Mask:
        return self.copy()

    def __repr__(self) -> str:
        return repr(self.view(np.ndarray)[()])

    def __hash__(self) -> int:  # type: ignore[override]  # as the numbers of NumPy that stand for 0-d arrays
        return hash(self.view(np.ndarray)[()])


def remembering(data: Any, node: Any) -> Any:
    """Numbers that nobody else holds, as an array that remembers their record; those of another library as they are."""
    if not isinstance(data, np.ndarray | np.generic):
        return data
    mask: Mask = np.asarray(data).view(Mask)
    mask.node = node
    return mask


def mask_of(array: Any) -> Mask | None:
    """The array itself, or what it is a plain view of all of, where that remembers its record."""
    mask = array if array.__class__ is Mask else getattr(array, "base", None)
    if mask.__class__ is not Mask or mask.node is None:
        return None
    same = mask is array or (
        (array.shape, array.strides, array.dtype) == (mask.shape, mask.strides, mask.dtype)
        and array.__array_interface__["data"] == mask.__array_interface__["data"]
    )
    return mask if same else None
