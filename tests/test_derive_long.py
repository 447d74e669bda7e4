"""`viz.derive` beyond article size: lines fit a cell, parts that do not have names, and MathJax can hold it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from derivecases import LONG
from test_derive import derived, named, parameter, rows

import viz
from autograd import Tape, Tensor
from viz.plain.numbers import columns


@pytest.fixture(scope="module", params=LONG, ids=LONG)
def long(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    loss, wrt = LONG[request.param]()
    return viz.derive(loss, wrt), Tape(loss)


def test_every_line_and_every_name_in_it_gives_what_it_says(long: tuple[Any, Any]) -> None:
    derivation, tape = long
    gradients = tape.gradients()
    assert not derivation.fell_back
    for line in derivation.lines:
        expected = gradients[line.target.node]
        atol = np.finfo(np.float32).eps ** 0.6 * np.abs(expected).max(initial=0)
        np.testing.assert_allclose(line.evaluate(), expected, rtol=1e-4, atol=atol, err_msg=repr(line))
        for definition in line.definitions:
            scale = np.abs(definition.symbol.array).max(initial=0)
            np.testing.assert_allclose(definition.evaluate(), definition.symbol.array, rtol=1e-4, atol=1e-6 * scale)


def test_every_line_of_text_fits_a_terminal(long: tuple[Any, Any]) -> None:
    text = str(long[0])
    assert max(map(columns, text.splitlines())) <= 104
    assert max(map(columns, long[0].closed.splitlines())) <= 104
    assert columns(repr(long[0])) <= 120


def test_no_row_of_latex_is_wider_than_a_cell(long: tuple[Any, Any]) -> None:
    brace = r"\\underbrace\{(.*?)\}_\{\\begin\{array\}\{c\} (.*?) \\\\ .*?\\end\{array\}\}"
    for row in long[0].latex().split(r"\\[2ex]"):
        for side in r"\1", r"\2":  # what stands over the braces, and what stands under them
            for part in re.sub(brace, side, row).split(r"\\"):  # a matrix is as wide as its widest row
                text = re.sub(r"\\(begin|end|left|right|text|phantom|mathrm|operatorname|q?quad)\b", "", part)
                assert len(re.sub(r"[{}&^_\s]", "", re.sub(r"\\[A-Za-z]+|\\.", "x", text))) <= 110, row


def test_what_stands_in_a_name_is_said_by_its_own_name() -> None:
    U, c = (Tensor(np.ones(shape), name=name) for name, shape in (("U", (3, 3)), ("c", (3,))))
    hs = [Tensor(np.ones(3), name="h0")]
    for _ in range(3):
        hs = [np.tanh(U @ hs[0] + c)]
    (line,) = [line for line in viz.derive((hs[0] ** 2).sum(), U).lines if line.kind == "closed"]
    texts = [row.plain for definition in line.definitions for row in definition.notes()]
    assert texts[:3] == ["u = tanh(U h0 + c)", "u₂ = tanh(U u + c)", "u₃ = tanh(U u₂ + c)"]


def test_every_formula_of_a_notebook_is_less_than_mathjax_holds(long: tuple[Any, Any]) -> None:
    bundle = long[0]._repr_mimebundle_()
    formulas = re.findall(
        r"\$\\displaystyle (.*?)\$(?:\n\n|$)", bundle.get("text/markdown", bundle["text/latex"]), re.S
    )
    assert formulas and max(map(len, formulas)) < 5000 and sum(map(len, formulas)) < 20_000
    for formula in formulas:
        assert formula.startswith(r"\begin{aligned}") and formula.endswith(r"\end{aligned}")
        assert formula.count("{") - formula.count(r"\{") == formula.count("}") - formula.count(r"\}")
        assert formula.count(r"\left") == formula.count(r"\right")


def test_a_name_is_explained_before_it_is_used_in_another_explanation(long: tuple[Any, Any]) -> None:
    known: set[int] = set()
    for line in long[0].lines:
        for definition in line.definitions:
            inner = {id(s) for s in viz.formula.tree.symbols(definition.tree) if s.name[:1] == "u" and s.node is None}
            assert inner <= known
            known.add(id(definition.symbol))


def test_what_stands_there_twice_has_a_name() -> None:
    loss, wrt = LONG["lstm without names"]()
    (line,) = [line for line in viz.derive(loss, wrt).lines if line.kind == "closed"]
    texts = [definition.notes()[0].plain for definition in line.definitions]
    assert any("= concatenate(h0, " in text for text in texts)
    assert sum("concatenate" in text for text in [line.plain(), *texts]) == 1


def test_lines_that_are_left_out_of_a_notebook_are_counted() -> None:
    h: Any = Tensor([0.3, 0.4], name="h0")
    x = h
    for i in range(1, 15):
        h = named(np.sin(h) * parameter(f"w{i}", 2) + np.cos(h), f"h{i}")
        h = named(h * h, f"g{i}")
    derivation = derived((h * x).sum(), x, 1e-6)
    shown = "".join(derivation._repr_mimebundle_().values())
    kinds = [line.kind for line in derivation.lines]
    left_out = [int(n) for n in re.findall(r"… (\d+) more lines: print\(derivation\) shows all", shown)]
    assert kinds.count("recursion") - 7 in left_out
    assert len(rows(derivation, "recursion")) == kinds.count("recursion")
    assert "more lines" not in str(derivation)


def test_what_is_shared_is_not_written_out_to_see_that_it_is_too_long() -> None:
    x = viz.formula.tree.Symbol("value", "x", np.ones, None, None, (), np.dtype(float))
    tree: Any = x
    for _ in range(100):
        tree = viz.formula.tree.apply(np.add, tree, tree, like=x)
    assert viz.formula.tree.symbols(tree) == (x,)
    assert viz.derivation.breaking.width(tree) > viz.derivation.breaking.WIDEST
