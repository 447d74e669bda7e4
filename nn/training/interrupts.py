"""Ctrl-C, which waits until what must be done whole is done."""

from __future__ import annotations

import signal
import threading
from types import TracebackType
from typing import Any

__all__ = ["Whole"]


class Whole:
    """A ``with`` block that Ctrl-C does not cut in two: it counts as pressed when the block is left.

    Only the main thread is ever interrupted, so elsewhere nothing is done.
    """

    def __init__(self) -> None:
        self._main = threading.current_thread() is threading.main_thread()
        self._before: Any = None
        self._pressed: tuple[Any, ...] | None = None

    def __enter__(self) -> None:
        self._pressed = None
        if self._main and callable(signal.getsignal(signal.SIGINT)):
            self._before = signal.signal(signal.SIGINT, self._note)

    def _note(self, *pressed: Any) -> None:
        self._pressed = pressed

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self._before is None:
            return
        before, self._before = self._before, None
        signal.signal(signal.SIGINT, before)
        if self._pressed is not None:
            before(*self._pressed)
