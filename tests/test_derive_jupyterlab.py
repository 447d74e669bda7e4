"""Long derivations in JupyterLab itself: every formula is set, and none is wider than its cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from test_step_jupyterlab import browser, folder, lab, notebook, opened, page, run_cell

__all__ = ["browser", "folder", "lab", "page"]  # fixtures

WHERE = Path(__file__).parent
MEASURED = """(output) => ({
    cell: output.clientWidth,
    widths: [...output.querySelectorAll("mjx-container")].map((formula) => formula.getBoundingClientRect().width),
    errors: [...output.querySelectorAll("mjx-merror, [data-mjx-error]")].map((error) => error.textContent),
    text: output.innerText,
})"""
SHOWN = ["lenet", "attention without names", "lstm", "resnet", "terms", "plain rnn of 12 steps"]


def test_no_formula_of_a_long_derivation_is_wider_than_its_cell(page: Any, lab: str, folder: Path) -> None:
    imports = f"import sys; sys.path.insert(0, {str(WHERE)!r})\nimport viz; from derivecases import LONG"
    cells = [f"loss, wrt = LONG[{which!r}](); viz.derive(loss, wrt)" for which in SHOWN]
    (folder / "long.ipynb").write_text(notebook(imports, *cells))
    opened(page, lab, "long.ipynb")
    for k in range(len(cells) + 1):
        run_cell(page, k)
    for k, which in enumerate(SHOWN, 1):
        output = page.locator(".jp-Notebook .jp-CodeCell").nth(k).locator(".jp-OutputArea-output").last
        output.scroll_into_view_if_needed()
        output.locator("mjx-container").last.wait_for()
        page.wait_for_timeout(500)
        measured = output.evaluate(MEASURED)
        assert measured["errors"] == [] and "MathJax" not in measured["text"], which
        assert measured["widths"] and 0 < max(measured["widths"]) <= measured["cell"] <= 900, which
