"""Computations of the program run again with other numbers: they may fail or warn there, which concerns nobody."""

from __future__ import annotations

import warnings
from types import TracebackType

import numpy as np

__all__ = ["attempted"]


class attempted:
    """Run something that may fail: with no warning and no error beyond this block.

    What a program computed, or a rule of its own, is run again with numbers that it never met: a matrix that is
    singular, a logarithm of less than 0, an index out of range. However it fails, and whatever the program made of
    warnings and of NumPy's floating-point errors, a trial that fails is no trial.

    Attributes
    ----------
    failed : bool
        Whether an exception was raised in the block, and so its end not reached.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.testing.attempts import attempted
    >>> with attempted() as trial:
    ...     inverse = np.linalg.inv(np.zeros((2, 2)))
    >>> trial.failed
    True
    """

    def __init__(self) -> None:
        self.failed = False
        self._quiet = np.errstate(all="ignore")
        self._warnings = warnings.catch_warnings()

    def __enter__(self) -> attempted:
        self._warnings.__enter__()
        warnings.simplefilter("ignore")
        self._quiet.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        self._quiet.__exit__(kind, error, traceback)
        self._warnings.__exit__(kind, error, traceback)
        self.failed = kind is not None and issubclass(kind, Exception)
        return self.failed
