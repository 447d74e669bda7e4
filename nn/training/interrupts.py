"""Ctrl-C, which waits until what must be done whole is done."""

from __future__ import annotations

import signal
import threading
from typing import Any

__all__ = ["Whole"]


class Whole:
    """A ``with`` block, used again and again, that Ctrl-C does not cut in two: it counts when the block is left.

    From `start` to `end`; before and after, and outside the main thread, which alone is ever interrupted, nothing is
    done.
    """

    def __init__(self) -> None:
        self._before: Any = None
        self._inside = False
        self._pressed: tuple[Any, ...] | None = None

    def start(self) -> None:
        """Be told of Ctrl-C, in the place of whoever is now."""
        before = signal.getsignal(signal.SIGINT)
        if threading.current_thread() is threading.main_thread() and callable(before):
            self._before = before
            signal.signal(signal.SIGINT, self._told)

    def end(self) -> None:
        """Let the one before be told again."""
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None

    def _told(self, *pressed: Any) -> None:
        if self._inside:
            self._pressed = pressed
        else:
            self._before(*pressed)

    def __enter__(self) -> None:
        self._inside = True

    def __exit__(self, *error: object) -> None:
        self._inside = False
        if self._pressed is not None:
            pressed, self._pressed = self._pressed, None
            self._before(*pressed)
