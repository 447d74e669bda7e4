"""Python's containers under the names that code written for HIPS autograd imports: arguments here are plain ones."""

from __future__ import annotations

import builtins
from builtins import dict, list, tuple  # noqa: UP029
from typing import Any

from .extend import getval

__all__ = ["dict", "isinstance", "list", "tuple", "type"]


def isinstance(x: Any, kinds: Any) -> bool:
    """Python's own, where a Tensor counts as the array that it holds, too."""
    return builtins.isinstance(x, kinds) or builtins.isinstance(getval(x), kinds)


def type(x: Any) -> Any:
    """Python's own, but for a Tensor the type of what it holds."""
    return builtins.type(getval(x))
