"""The lenses that write a number as a sum, and the quiz, in a real browser: their numbers are NumPy's."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from stories import CONVOLUTIONS, HOST, number, paths_story, step_of, terms_story, text

# --- one element ------------------------------------------------------------------------------------------------------


def test_an_element_is_its_five_largest_products_and_the_rest(view: Any) -> None:
    random = np.random.default_rng(3)
    a, b = random.integers(-99, 100, (3, 120)), random.integers(-99, 100, (5, 120))
    page = view(terms_story(a @ b.T, [a, b], kind="einsum", subscripts="ik,jk->ij"))
    page.get_by_label("index of the element").fill("2, 1")
    page.keyboard.press("Enter")
    products = a[2] * b[1]
    order = np.argsort(-np.abs(products), kind="stable")
    rows = [re.sub(r"\s+", " ", row) for row in page.locator(".terms tbody tr").all_inner_texts()]
    for row, k in zip(rows[:5], order[:5], strict=True):
        assert row.startswith(f"k = {k} ")
        assert row.endswith(f" = {number(products[k])}")
    assert rows[5].strip() == f"… 115 more = {number(products[order[5:]].sum())}"
    assert rows[6] == f"Σ 120 terms = {number(products.sum())}"
    assert "✔ the engine’s number" in text(page)
    assert step_of(page) == 1


EINSUMS = {
    "transposed": ("ki,jk->ij", [(4, 3), (2, 4)]),
    "outer": ("i,j->ij", [(3,), (4,)]),
    "one operand": ("ij->i", [(3, 5)]),
    "diagonal": ("ii->i", [(4, 4)]),
    "batched": ("nij,njk->nik", [(2, 3, 4), (2, 4, 2)]),
    "scalar": ("ij,ij->", [(2, 3), (2, 3)]),
    "broadcast": ("ij,ij->i", [(3, 1), (3, 4)]),
}


@pytest.mark.parametrize("case", EINSUMS)
def test_the_terms_of_any_einsum_add_up_to_its_element(view: Any, case: str) -> None:
    subscripts, shapes = EINSUMS[case]
    random = np.random.default_rng(5)
    operands = [random.integers(-9, 10, shape) for shape in shapes]
    result = np.einsum(subscripts, *operands)
    page = view(terms_story(result, operands, kind="einsum", subscripts=subscripts))
    if result.ndim:
        page.get_by_label("index of the element").fill(", ".join(str(n - 1) for n in result.shape))
        page.keyboard.press("Enter")
    value = result[(-1,) * result.ndim]
    assert f" {number(value)} ✔ the engine’s number" in text(page)


@pytest.mark.parametrize("case", ["plain", "strided", "dilated", "grouped", "all of it"])
def test_the_terms_of_a_convolutions_element_add_up_to_it(view: Any, case: str) -> None:
    made = CONVOLUTIONS[case]
    stride, dilation, groups = made.get("stride", [1, 1]), made.get("dilation", [1, 1]), made.get("groups", 1)
    random = np.random.default_rng(6)
    filters, channels = made["delta"][1], made["x"][1] // groups
    x, w = random.integers(-9, 10, made["x"]), random.integers(-9, 10, (filters, channels, *made["kernel"]))
    out = np.zeros(made["delta"], int)
    for n, f, p, q in np.ndindex(out.shape):
        first = f // (filters // groups) * channels
        seen = x[n, first : first + channels, p * stride[0] :: dilation[0], q * stride[1] :: dilation[1]]
        out[n, f, p, q] = (seen[:, : w.shape[2], : w.shape[3]] * w[f]).sum()
    page = view(terms_story(out, [x, w], kind="windows", stride=stride, dilation=dilation, groups=groups))
    page.get_by_label("index of the element").fill(", ".join(str(n - 1) for n in out.shape))
    page.keyboard.press("Enter")
    assert f" {number(out[-1, -1, -1, -1])} ✔ the engine’s number" in text(page)


def test_a_clicked_element_of_the_result_is_taken_apart(view: Any) -> None:
    a, b = np.array([[1.0, 2], [3, 4]]), np.array([[5.0, 6], [7, 8]])
    page = view(terms_story(a @ b, [a, b], kind="einsum", subscripts="ik,kj->ij"))
    page.locator(".lens .matrix td").nth(3).click()
    said = text(page)
    assert "Element [1, 1]: a × b" in said
    assert "k = 1 4 × 8 = 32" in said
    assert "k = 0 3 × 6 = 18" in said


def test_an_index_that_is_not_there_is_explained(view: Any) -> None:
    a = np.ones((2, 3))
    page = view(terms_story(a.sum(1), [a], kind="einsum", subscripts="ij->i"))
    page.get_by_label("index of the element").fill("2")
    page.keyboard.press("Enter")
    assert "There is no such element: the index is one number, 0…1." in text(page)


# --- paths ------------------------------------------------------------------------------------------------------------


def test_paths_are_listed_with_their_derivatives_and_add_up_to_the_gradient(view: Any) -> None:
    page = view(paths_story())
    assert "2 paths through 4 edges from a to L." in text(page)
    rows = [re.sub(r"\s+", " ", row) for row in page.locator(".paths tbody tr").all_inner_texts()]
    assert rows == ["a → b → L 2 · (−1) −2 −2", "a → c → L 0.5 · (−8) −4 −6"]
    assert "= −6; ∂a ✔ the engine’s number" in text(page)


def test_a_path_under_the_pointer_or_the_focus_is_marked_in_the_graph(view: Any) -> None:
    page = view(paths_story())
    marked = f"[...{HOST}.shadowRoot.querySelectorAll('.node.path')].map((box) => box.dataset.box).join()"
    page.locator(".paths tbody tr").nth(1).hover()
    assert page.evaluate(marked) == "0,2,3"
    page.locator(".paths tbody tr").nth(0).focus()
    assert page.evaluate(marked) == "0,1,3"
    page.mouse.move(1, 1)
    page.locator(".controls .next").focus()
    assert page.evaluate(marked) == ""


def test_too_many_paths_are_counted(view: Any) -> None:
    page = view(paths_story())
    page.get_by_label("from").select_option("1")
    assert "12 345 678 901 234 567 890 paths through 80 edges from b to L. Too many to list" in text(page)
