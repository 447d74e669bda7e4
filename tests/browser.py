"""A headless Chromium for tests of pages: every request, message and error of a page is kept.

Run as a program, ``python tests/browser.py``, it installs one where there is none: Debian's package, elsewhere the
one that playwright brings.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
)  # fmt: skip


@dataclass
class Shown:
    """A page in the browser, and what happened on it.

    Attributes
    ----------
    page : playwright's Page
    asked : list of str
        Addresses that the page asked for and was refused.
    messages : list of str
        What its console says, uncaught errors included.
    """

    page: Any
    asked: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def step_view(self, which: int = 0) -> Any:
        """The root of a step view."""
        return self.page.locator("[data-tracegrad] .app").nth(which)

    def dom(self, which: int = 0) -> str:
        """All that is in a step view, as markup."""
        return str(self.step_view(which).evaluate("(app) => app.outerHTML"))

    def text(self, selector: str, which: int = 0) -> str:
        """The text of a part of a step view."""
        return str(self.step_view(which).locator(selector).first.inner_text())

    def press(self, *keys: str) -> None:
        """Press keys where the focus is."""
        for key in keys:
            self.page.keyboard.press(key)


Open = Callable[..., Shown]


def program() -> str | None:
    """The path of an installed Chromium, or None."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)


def install() -> None:
    """Install a Chromium, with Debian's package manager or with playwright's."""
    system = Path("/etc/os-release")
    if system.exists() and "ID=debian" in system.read_text().split():
        rights = [] if os.geteuid() == 0 else ["sudo"]
        subprocess.run([*rights, "apt-get", "update", "-qq"], check=True)
        command = [*rights, "apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
    else:
        command = [sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def chromium() -> Iterator[Any]:
    """A running browser, as playwright gives it; without one the test fails with a sentence that says what to do."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        pytest.fail("these tests need the package playwright: pip install playwright", pytrace=False)
    with sync_playwright() as driver:
        executable = program() or driver.chromium.executable_path
        if not os.path.exists(executable):
            pytest.fail(
                "these tests need a Chromium: python tests/browser.py installs one; or name one in the variable "
                "CHROMIUM",
                pytrace=False,
            )
        started = driver.chromium.launch(executable_path=executable, args=list(QUIET))
        yield started
        started.close()


# One browser per test file: while it runs, its driver keeps an event loop in this thread, which tests of notebooks
# in other files could not stand.
@pytest.fixture(scope="module")
def running_chromium() -> Iterator[Any]:
    """The browser, started once per test file."""
    with chromium() as started:
        yield started


@pytest.fixture
def show(running_chromium: Any, tmp_path: Path) -> Iterator[Open]:
    """A function that opens a page given as HTML; keywords are those of a browser context (color_scheme, viewport…)."""
    contexts = []

    def open_html(html: str, **options: Any) -> Shown:
        file = tmp_path / f"page{len(contexts)}.html"
        file.write_text(html, encoding="utf-8")
        context = running_chromium.new_context(**{"viewport": {"width": 940, "height": 800}, **options})
        contexts.append(context)
        shown = Shown(context.new_page())

        def answer(route: Any) -> None:
            if route.request.url == file.as_uri():
                route.continue_()
            else:
                shown.asked.append(route.request.url)
                route.abort()

        context.route("**/*", answer)
        shown.page.on("console", lambda message: shown.messages.append(message.text))
        shown.page.on("pageerror", lambda error: shown.messages.append(str(error)))
        shown.page.goto(file.as_uri())
        return shown

    yield open_html
    for context in contexts:
        context.close()


def _main() -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        there = program() or os.path.exists(driver.chromium.executable_path)
    if not there:
        install()
    print("Chromium:", program() or "the one that playwright brings")


if __name__ == "__main__":
    _main()
