"""The address of a saved page: it opens at a step or a unit, and follows the step shown."""

from pathlib import Path

import numpy as np
import pytest
from browser import Open, Shown, show
from browser import running_chromium as running_chromium

from autograd import Tensor
from viz import step
from viz.stepper import Stepper

__all__ = ["running_chromium", "show"]


def layer() -> Stepper:
    x, w, b = Tensor(np.ones((2, 3)), name="x"), Tensor(np.ones((3, 2)), name="W¹"), Tensor(np.zeros(2), name="b")
    z = x @ w + b
    z.name = "z⁽¹⁾"
    return step(np.tanh(z).sum(), granularity="op")


def at(shown: Shown, stepper: Stepper, tmp_path: Path, hash_: str) -> str:
    """The step that a page of the same file opens at with this hash."""
    shown.page.goto("about:blank")
    shown.page.goto((tmp_path / "page0.html").as_uri() + hash_)
    shown.page.locator(".app .cell.now").first.wait_for()
    return shown.text(".count").split(" / ")[0]


def test_an_address_leads_to_a_step_or_a_unit(show: Open, tmp_path: Path) -> None:
    stepper = layer()
    shown = show(stepper.save(tmp_path / "saved.html").read_text(encoding="utf-8"))
    value = next(s.number for s in stepper.walk if s.phase == "forward" and s.node.name == "z⁽¹⁾")
    gradient = next(s.number for s in stepper.walk if s.is_complete and s.target.name == "W¹")
    assert at(shown, stepper, tmp_path, "") == "0"
    assert at(shown, stepper, tmp_path, "#step=3") == "3"
    assert at(shown, stepper, tmp_path, "#unit=z1") == str(value)
    assert at(shown, stepper, tmp_path, "#unit=z⁽¹⁾") == str(value)
    assert str(gradient) in at(shown, stepper, tmp_path, "#unit=∂L/∂W1").split("–")
    for nothing in ("#unit=none", "#step=x", "#%", "#section"):
        assert at(shown, stepper, tmp_path, nothing) == "0"
    shown.page.evaluate("location.hash = '#step=2'")
    shown.page.locator(".count", has_text="2 /").wait_for()
    assert shown.messages == []


def test_the_address_follows_the_step_and_leaves_no_trail(show: Open, tmp_path: Path) -> None:
    shown = show(layer().save(tmp_path / "saved.html").read_text(encoding="utf-8"))
    shown.page.locator(".app .cell.now").first.wait_for()
    assert shown.page.evaluate("location.hash") == ""
    trail = shown.page.evaluate("history.length")
    shown.press("ArrowRight", "ArrowRight")
    assert shown.page.evaluate("location.hash") == "#step=2"
    assert shown.page.evaluate("history.length") == trail


@pytest.mark.parametrize("hash_", ["#step=3", ""])
def test_a_notebook_keeps_its_address(show: Open, tmp_path: Path, hash_: str) -> None:
    stepper = layer()
    shown = show(f"<meta charset='utf-8'>{stepper.html()}")
    assert at(shown, stepper, tmp_path, hash_) == "0"
    shown.step_view().focus()
    shown.press("ArrowRight")
    assert shown.page.evaluate("location.hash") == hash_
