"""Fixtures that several test files share."""

from browser import running_chromium, show
from stories import view

__all__ = ["running_chromium", "show", "view"]
