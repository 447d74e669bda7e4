"""Whatever a loss is made of, its page starts, steps to its end and says nothing on the console."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from browser import Open
from test_step_page import HOSTILE, saved

import nn
import viz
from autograd import Tensor
from nn import functional as F


def leaf(value: Any, name: str | None = "x", dtype: Any = float, **options: Any) -> Tensor:
    return Tensor(np.asarray(value, dtype), name=name, **options)


def of_shape(*shape: int, **options: Any) -> Tensor:
    return leaf(np.random.default_rng(0).normal(size=shape), **options)


def mixed() -> Any:
    """Parts that do not reach each other, a leaf used by nothing that has a gradient, and one beside it that has."""
    x, unused = leaf([1.0, 2.0]), leaf([3.0, 4.0], "y")
    return (x * 2).sum() + np.sign(unused).sum() + (Tensor([1, 2, 3], name="k") * 2).sum()


def deep_batch() -> Any:
    """An array of five axes, one of them empty in the batch."""
    return (of_shape(2, 0, 3, 1, 2) * of_shape(1, 2, name="w")).sum() + of_shape(2, 1, 3, 1, 2, name="v").mean()


LOSSES: dict[str, Callable[[], Any]] = {
    "no elements": lambda: (leaf(np.zeros(0)) * 2).sum(),
    "no rows": lambda: (leaf(np.zeros((0, 3))) @ of_shape(3, 2, name="w")).sum(),
    "no columns": lambda: (leaf(np.zeros((3, 0))) @ leaf(np.zeros((0, 2)), "w")).sum(),
    "no elements in between": lambda: of_shape(4)[2:2].sum() + of_shape(3, name="y").sum(),
    "nothing but empty": lambda: np.concatenate([leaf(np.zeros(0)), leaf(np.zeros(0), "y")]).sum(),
    "an empty axis of five": deep_batch,
    "a leaf": lambda: leaf(3.0),
    "a leaf without a name": lambda: leaf(3.0, None),
    "a leaf of one element": lambda: leaf([3.0]).reshape(()),
    "integers": lambda: (Tensor([1, 2, 3], name="n") * 2).sum(),
    "truth values": lambda: Tensor([True, False, True], name="m").sum(),
    "large integers": lambda: Tensor(np.array([2**62, -(2**62)]), name="n").sum(),
    "unsigned": lambda: (Tensor(np.arange(200, dtype=np.uint8), name="n") * leaf(2.0, "w")).mean(),
    "constants alone": lambda: (leaf([1.0, 2.0], requires_grad=False) ** 2).sum(),
    "parts apart": mixed,
    "only NaN": lambda: (leaf(np.full((3, 4), np.nan)) * 2).sum(),
    "only NaN, large": lambda: (leaf(np.full((30, 40), np.nan)) * 2).sum(),
    "only Inf": lambda: (leaf(np.full(70, np.inf)) * -1.0).sum(),
    "Inf and NaN born": lambda: (np.log(leaf([0.0, -1.0, 1.0])) * leaf([0.0, 1, 1], "w")).sum(),
    "a picture of NaN": lambda: (leaf(np.full((70, 70), np.nan)) * 2).sum(),
    "a picture with Inf": lambda: (leaf(np.where(np.eye(70) > 0, -np.inf, 1.0))).max(),
    "float16": lambda: np.tanh(of_shape(3, 4, dtype=np.float16)).sum(),
    "float16 that overflows": lambda: (leaf(np.full(80, 6e4), dtype=np.float16) * np.float16(2)).sum(),
    "huge": lambda: (leaf([1e308, -1e308, 1e300]) * leaf([1.0, 1, 1], "w")).sum(),
    "huge, many": lambda: (leaf(np.linspace(-1, 1, 100) * 1.7e308) * 0.5).mean(),
    "tiny": lambda: (leaf([1e-308, 5e-324, -1e-310]) * 2).sum(),
    "tiny, many": lambda: (leaf(np.linspace(-1, 1, 100) * 1e-320) * 2).sum(),
    "huge beside tiny": lambda: (leaf([1e308, 5e-324]) * leaf([1e-308, 1e300], "w")).sum(),
    "all zero": lambda: (leaf(np.zeros((9, 9))) * leaf(np.zeros((9, 9)), "w")).sum(),
    "a gradient of zero": lambda: (np.maximum(leaf([-1.0, -2.0]), 0) * 2).sum(),
    "one element everywhere": lambda: (of_shape(1, 1, 1) @ of_shape(1, 1, name="w") + of_shape(1, name="b")).sum(),
    "one element, many axes": lambda: np.tanh(of_shape(1, 1, 1, 1, 1)).sum(),
    "a long row": lambda: (of_shape(1, 5000) * 2).sum(),
    "a long column": lambda: (of_shape(5000, 1) * 2).sum(),
    "a long vector": lambda: np.tanh(of_shape(12)).sum() + np.tanh(of_shape(5000, name="y")).sum(),
    "hostile names": lambda: (leaf(2.0, HOSTILE) * leaf([3.0, 1], HOSTILE[::-1])).sum(),
    "names alike": lambda: leaf(2.0, "L") * leaf(3.0, "L") * leaf(3.0, "%2") * leaf(1.0, "L₁"),
    "empty and blank names": lambda: leaf(2.0, "") * leaf(3.0, " ") * leaf(3.0, "\u202e\n") * leaf(1.0, "\ud800"),
    "names of the language": lambda: leaf(2.0, "__proto__") * leaf(3.0, "constructor") * leaf(3.0, "0"),
    "layers": lambda: F.cross_entropy(nn.Linear(4, 3, rng=0)(of_shape(5, 4, dtype=np.float32)), [0, 1, 2, 0, 1]),
    "a batch of none": lambda: nn.Linear(4, 3, rng=0)(leaf(np.zeros((0, 4)), dtype=np.float32)).sum(),
    "softmax of one": lambda: F.cross_entropy(of_shape(1, 1), [0]),
    "windows": lambda: F.max_pool2d(F.conv2d(of_shape(1, 1, 4, 4), of_shape(1, 1, 3, 3, name="k")), 2).sum(),
    "windows with NaN": lambda: F.max_pool2d(leaf(np.full((1, 1, 4, 4), np.nan)), 2).sum(),
    "no images": lambda: F.conv2d(leaf(np.zeros((0, 1, 5, 5))), of_shape(2, 1, 3, 3, name="k")).sum(),
}


EVERY_LENS = """(app) => {
    const closed = () => [...app.querySelectorAll('.lenses details:not([open]) > summary')];
    for (let more = closed(); more.length; more = closed()) more[0].click();
}"""


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())
def test_a_page_starts_and_steps_to_its_end(show: Open, loss: Callable[[], Any]) -> None:
    stepper = viz.step(loss(), granularity="contribution")
    shown = show(saved(stepper), viewport={"width": 900, "height": 800})
    shown.page.locator(".app .cell.now").first.wait_for(timeout=5000)
    last = len(stepper) - 1
    shown.press("Home")
    for _ in range(last):
        shown.step_view().evaluate(EVERY_LENS)
        shown.press("ArrowRight")
    shown.step_view().evaluate(EVERY_LENS)
    assert shown.text(".count") == f"{last} / {last}"
    shown.step_view().locator(".ledger summary").click()
    for button in ("op", "quiz"):
        shown.step_view().get_by_role("button", name=button, exact=True).click()
        shown.press("Home", *["ArrowRight"] * last)
        assert shown.text(".count").endswith(f"{last} / {last}")
    assert shown.messages == [] and shown.asked == []
