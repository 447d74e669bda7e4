"""The pytest plugin: fixtures that compare gradients, a summary of all comparisons of a run, and a page of them.

It is loaded by every pytest run of the environment it is installed in, so it imports nothing of `autograd` until a test
has: a run that has nothing to do with gradients is not slowed down, nor stopped by another package called autograd.
"""

from __future__ import annotations

import contextlib
import html
import importlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

_LISTED = 10
"""Of the wrong gradients of a run, so many are listed at its end."""
_LISTED_OF_PASSED = 3
"""And so many of those of tests that passed, as they may be meant to be wrong."""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Gradients compared</title>
<style>
:root {{ color-scheme: light dark; font-family: system-ui, sans-serif; }}
body {{ max-width: 75em; margin: 2em auto; padding: 0 1em; }}
td, th {{ padding: 0.15em 0.6em; }}
</style>
</head>
<body>
<h1>Gradients compared</h1>
{body}
</body>
</html>
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("tracegrad", "gradients compared with tracegrad")
    group.addoption("--grads-report", metavar="FILE.html", help="write all comparisons of gradients to one HTML page")


def pytest_configure(config: pytest.Config) -> None:
    path, target = config.getoption("--grads-report"), None
    if path is not None and not _is_worker(config):
        from autograd.files import target_of

        try:
            target = target_of(path, [".html", ".htm"])
        except (ValueError, OSError) as error:
            raise pytest.UsageError(f"--grads-report: {str(error).removeprefix('save: ')}") from None
    config.pluginmanager.register(_Collector(config, target), "tracegrad-collector")


def _is_worker(config: pytest.Config) -> bool:
    """Whether this is one of several processes of pytest-xdist, which hand their reports to the first one."""
    return hasattr(config, "workerinput")


@pytest.fixture
def compare_grads(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """`autograd.testing.compare_grads`: ``compare_grads(loss, {W: dW})`` returns a report."""
    from autograd.testing import compare_grads as function

    _collector(request.config).listen()
    return function


@pytest.fixture
def assert_grads_match(request: pytest.FixtureRequest) -> Callable[..., None]:
    """`autograd.testing.assert_grads_match`: ``assert_grads_match(loss, {W: dW})`` fails with a report."""
    from autograd.testing import assert_grads_match as function

    _collector(request.config).listen()
    return function


def _collector(config: pytest.Config) -> _Collector:
    found = config.pluginmanager.get_plugin("tracegrad-collector")
    assert isinstance(found, _Collector)
    return found


class _Collector:
    """The comparisons of a run: what a test makes goes with its report to the process that prints the summary."""

    def __init__(self, config: pytest.Config, target: Any):
        self.config = config
        self.target = target
        self.failed: str | None = None
        self.fresh: list[dict[str, Any]] = []
        self.all: list[tuple[str, bool, dict[str, Any]]] = []
        self._listeners: list[Any] | None = None

    def listen(self) -> None:
        """Hear of every comparison from now on, if there can be any."""
        if self._listeners is not None or "autograd" not in sys.modules:
            return
        try:
            from autograd.testing.report import LISTENERS
        except ImportError:  # another package of that name
            return
        self._listeners = LISTENERS
        LISTENERS.append(self._hear)

    def _hear(self, report: Any) -> None:
        if not report.ok:
            with contextlib.suppress(ImportError):  # where another package has that name
                importlib.import_module("viz.blame")  # it finds out why, where a report says that
        rows = [(row.name, row.verdict, row.ok) for row in (*report.values, *report.rows)]
        wanted = self.config.getoption("--grads-report") is not None
        self.fresh.append({"rows": rows, "html": report._repr_html_() if wanted else ""})

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Iterator[None]:
        self.listen()
        try:
            return (yield)
        finally:
            if self._listeners is not None:
                self._listeners.remove(self._hear)
                self._listeners = None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Iterator[None]:
        report: Any = yield
        if self.fresh:
            report.gradients, self.fresh = self.fresh, []
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.all += [(report.nodeid, report.passed, found) for found in getattr(report, "gradients", [])]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.target is None:
            return
        from autograd.files import write_whole

        try:
            write_whole(self.target, self._page().encode("utf-8", "backslashreplace"))
        except OSError as error:
            self.failed = str(error)
            session.exitstatus = session.exitstatus or pytest.ExitCode.INTERNAL_ERROR

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if _is_worker(self.config):
            return
        if self.all:
            wrong = self._wrong(passed=False)
            first, *rest = self._summary(wrong)
            terminalreporter.write_line(first, red=bool(wrong), green=not wrong)
            for line in rest:
                terminalreporter.write_line(line)
        if self.failed is not None:
            terminalreporter.write_line(f"gradients: --grads-report was not written: {self.failed}", red=True)
        elif self.target is not None:
            terminalreporter.write_line(f"gradients: all comparisons are in {self.target}")

    def _wrong(self, passed: bool) -> list[str]:
        """``W⁽²⁾ in test_x``, for each gradient that is not right in a test that passed, or in one that did not."""
        found = []
        for where, has_passed, comparison in self.all:
            for name, verdict, ok in comparison["rows"] if has_passed == passed else ():
                kind = f" ({verdict})" if verdict not in ("WRONG", "close", "exact") else ""
                found += [] if ok else [f"{name}{kind} in {where}"]
        return found

    def _summary(self, wrong: list[str]) -> list[str]:
        rows = [row for _, _, comparison in self.all for row in comparison["rows"]]
        undecided = sum(verdict == "undecided" for _, verdict, _ in rows)
        of_passed = self._wrong(passed=True)
        said = f"gradients: {len(rows)} compared" + (f", {undecided} undecided" if undecided else "")
        said += f", {len(of_passed)} wrong in tests that passed" if of_passed else ""
        if len(wrong) < 2:
            lines = [said + (f", 1 WRONG: {wrong[0]}" if wrong else "")]
        else:
            lines = [f"{said}, {len(wrong)} WRONG:", *(f"  {line}" for line in wrong[:_LISTED])]
            lines += [f"  … and {len(wrong) - _LISTED} more"] if len(wrong) > _LISTED else []
        more = len(of_passed) - _LISTED_OF_PASSED
        listed = of_passed[:_LISTED_OF_PASSED] + ([f"{more} more"] if more > 0 else [])
        return lines + [f"  … in tests that passed: {line}" for line in listed]

    def _page(self) -> str:
        lines = self._summary(self._wrong(passed=False)) if self.all else ["gradients: none compared"]
        parts = [f"<p>{'<br>'.join(html.escape(line) for line in lines)}</p>"]
        for where, _, comparison in self.all:
            parts.append(f"<h2>{html.escape(where)}</h2>\n{comparison['html']}")
        return _PAGE.format(body="\n".join(parts))
