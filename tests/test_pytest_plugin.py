"""The pytest plugin, in runs of pytest of its own."""

import os

import pytest

pytest_plugins = ["pytester"]

COMPARISONS = """
import numpy as np
from autograd import Tensor
from autograd.testing import compare_grads as compare, check_layer


def loss_of(name):
    w = Tensor([1.0, 2.0], name=name)
    return (w * w).sum(), w


def test_right(assert_grads_match):
    loss, w = loss_of("W⁽¹⁾")
    assert_grads_match(loss, {w: [2.0, 4.0]})


def test_wrong(assert_grads_match):
    loss, w = loss_of("W⁽²⁾")
    assert_grads_match(loss, {w: [2.0, -4.0]})


def test_looked_at_only(compare_grads):
    loss, w = loss_of("W⁽³⁾")
    assert not compare_grads(loss, {w: [[2.0, 4.0]]}).ok


def test_imported():
    loss, w = loss_of("W⁽⁴⁾")
    compare(loss, {w: [2.0, 4.0]})
    check_layer(lambda x: (x * x, x), lambda dout, x: 2 * dout * x, np.array([1.0, 2.0]))
"""

PLAIN = "def test_nothing():\n    import sys\n    assert 'numpy' not in sys.modules and 'autograd' not in sys.modules\n"


@pytest.fixture
def run(pytester, monkeypatch, request):
    """A run of pytest in a process of its own, with the plugin."""
    monkeypatch.setenv("PYTHONPATH", str(request.config.rootpath))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return lambda *args: pytester.runpytest_subprocess("-p", "tracegrad.plugin", "-p", "no:cacheprovider", *args)


def test_an_assertion_shows_the_report_and_not_the_inside_of_the_comparison(pytester, run):
    pytester.makepyfile(COMPARISONS)
    result = run()
    result.assert_outcomes(passed=3, failed=1)
    text = result.stdout.str()
    assert "E       AssertionError: WRONG: the gradient of W⁽²⁾[1] is −4, the engine has 4" in text
    assert "compare.py" not in text
    assert "E       why: ∂L/∂W⁽²⁾ is wrong" in text and "explain_mismatch" not in text


def test_the_summary_counts_all_comparisons_and_names_the_wrong_ones(pytester, run):
    pytester.makepyfile(test_it=COMPARISONS)
    run().stdout.fnmatch_lines(
        [
            "gradients: 5 compared, 1 wrong in tests that passed, 1 WRONG: W⁽²⁾ in test_it.py::test_wrong",
            "  … in tests that passed: W⁽³⁾ (shape) in test_it.py::test_looked_at_only",
        ]
    )
    run("-k", "wrong").stdout.fnmatch_lines(["gradients: 1 compared, 1 WRONG: W⁽²⁾ in test_it.py::test_wrong"])
    run("-k", "right").stdout.fnmatch_lines(["gradients: 1 compared"])


def test_long_lists_of_wrong_gradients_are_cut(pytester, run):
    many = """

def test_many(compare_grads):
    for _ in range(13):
        loss, w = loss_of('v')
        compare_grads(loss, {w: [1.0, 1.0]})
    assert False
"""
    pytester.makepyfile(COMPARISONS + many)
    result = run("-k", "many")
    result.stdout.fnmatch_lines(["gradients: 13 compared, 13 WRONG:", "  … and 3 more"])
    assert result.stdout.str().count("  v in ") == 10


def test_of_tests_that_passed_three_wrong_gradients_are_named_after_those_of_tests_that_failed(pytester, run):
    unseen = """

def test_unseen(compare_grads):
    for name in "abcde":
        loss, w = loss_of(name)
        compare_grads(loss, {w: [1.0, 1.0]})
"""
    pytester.makepyfile(test_it=COMPARISONS + unseen)
    lines = run("-k", "unseen or right").stdout.lines
    at = lines.index("gradients: 6 compared, 5 wrong in tests that passed")
    named = [f"  … in tests that passed: {name} in test_it.py::test_unseen" for name in "abc"]
    assert lines[at + 1 : at + 5] == [*named, "  … in tests that passed: 2 more"]
    lines = run("-k", "unseen or wrong").stdout.lines
    at = lines.index("gradients: 6 compared, 5 wrong in tests that passed, 1 WRONG: W⁽²⁾ in test_it.py::test_wrong")
    assert lines[at + 1 : at + 4] == named


def test_the_page_holds_every_comparison_of_the_run(pytester, run):
    pytester.makepyfile(COMPARISONS)
    result = run("--grads-report", "page.html")
    result.stdout.fnmatch_lines(
        ["gradients: all comparisons are in page.html", "E       why: ∂L/∂W⁽²⁾ is wrong*"][::-1]
    )
    page = (pytester.path / "page.html").read_text("utf-8")
    assert page.startswith("<!doctype html>") and page.rstrip().endswith("</html>")
    assert page.count("<h2>") == 5 and "5 compared, 1 wrong in tests that passed, 1 WRONG" in page and "W⁽²⁾" in page


def test_processes_of_xdist_hand_their_comparisons_on(pytester, run):
    pytester.makepyfile(COMPARISONS)
    result = run("-p", "xdist", "-n", "2", "--grads-report", "page.html")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["gradients: 5 compared, 1 wrong in tests that passed, 1 WRONG: *"])
    assert (pytester.path / "page.html").read_text("utf-8").count("<h2>") == 5


@pytest.mark.parametrize(
    ("path", "says"), [("no/page.html", "there is no folder 'no'"), ("page.pdf", "'page.pdf' ends in .pdf; known are")]
)
def test_a_page_that_can_not_be_written_is_told_before_anything_runs(pytester, run, path, says):
    pytester.makepyfile(COMPARISONS)
    result = run("--grads-report", path)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --grads-report: {says}*"])


def test_a_page_that_fails_to_be_written_leaves_the_old_one_and_fails_the_run(pytester, run):
    pytester.makepyfile(
        "import autograd.files\n\n\ndef test_breaks_the_disk(monkeypatch):\n"
        "    def full(*args):\n        raise OSError('no space left')\n\n    autograd.files.os.replace = full\n"
    )
    page = pytester.path / "page.html"
    page.write_text("old")
    result = run("--grads-report", "page.html")
    result.stdout.fnmatch_lines(["gradients: --grads-report was not written: no space left"])
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR and page.read_text() == "old"
    assert not list(pytester.path.glob(".tracegrad-*"))


def test_a_run_that_compares_nothing_imports_nothing_and_prints_nothing(pytester, run):
    pytester.makepyfile(PLAIN)
    result = run()
    result.assert_outcomes(passed=1)
    assert "gradients" not in result.stdout.str()


def test_another_package_called_autograd_does_no_harm(pytester, run, monkeypatch, request):
    (pytester.path / "other" / "autograd").mkdir(parents=True)
    (pytester.path / "other" / "autograd" / "__init__.py").write_text("grad = None\n")
    pytester.makepyfile("import autograd\n\n\ndef test_other():\n    assert autograd.grad is None\n")
    paths = [str(pytester.path / "other"), str(request.config.rootpath)]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    run().assert_outcomes(passed=1)


def test_the_entry_point_names_the_plugin(request):
    import tomllib

    project = tomllib.loads((request.config.rootpath / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"tracegrad": "tracegrad.plugin"}
