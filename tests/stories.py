"""Payloads of the step view made by hand, and what tests of its lenses read off the page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from browser import Open

from viz.page import page
from viz.page.packing import Blob, packed, with_length

HOST = "document.querySelector('[data-tracegrad]')"
STAGE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 80" width="60" height="80">{}</svg>'
BOX = '<rect class="box" x="0" y="0" width="9" height="5"/>'
OPEN_ALL = f"{HOST}.shadowRoot.querySelectorAll('.lenses details').forEach((fold) => {{ fold.open = true }})"


CONVOLUTIONS = {
    "plain": {"x": (1, 1, 5, 6), "delta": (1, 2, 3, 4), "kernel": (3, 3)},
    "strided": {"x": (2, 2, 9, 8), "delta": (2, 3, 4, 2), "kernel": (2, 3), "stride": [2, 4]},
    "dilated": {"x": (1, 3, 8, 9), "delta": (1, 2, 4, 7), "kernel": (3, 2), "dilation": [2, 2]},
    "grouped": {"x": (2, 4, 5, 5), "delta": (2, 6, 4, 3), "kernel": (2, 3), "groups": 2},
    "all of it": {
        "x": (3, 4, 9, 11),
        "delta": (3, 4, 3, 5),
        "kernel": (2, 3),
        "stride": [3, 2],
        "dilation": [2, 1],
        "groups": 2,
    },
}


class Story:
    """A payload by hand: arrays, nodes and steps, one after another."""

    def __init__(self) -> None:
        self.arrays: list[np.ndarray] = []
        self.nodes: list[dict[str, Any]] = []
        self.steps: list[dict[str, Any]] = []
        self.paths: dict[str, Any] | None = None
        self.boxes = 0

    def array(self, array: Any) -> int:
        self.arrays.append(np.asarray(array))
        return len(self.arrays) - 1

    def node(self, name: str, value: int, gradient: int | None = None) -> int:
        self.nodes.append(
            {
                "name": name,
                "grad": f"∂{name}",
                "nameml": "<mi>n</mi>",
                "gradml": "<mi>g</mi>",
                "op": "add",
                "kind": "intermediate",
                "shape": list(self.arrays[value].shape),
                "value": value,
                "gradient": gradient,
                "parts": 1,
                "first": 0,
                "layer": -1,
                "box": len(self.nodes),
            }
        )
        return len(self.nodes) - 1

    def step(self, phase: str, node: int, **told: Any) -> None:
        self.steps.append(
            {
                "phase": phase,
                "op": len(self.steps),
                "node": node,
                "target": node,
                "title": "a step",
                "part": [1, 1],
                "upstream": None,
                "contribution": None,
                "before": None,
                "after": None,
                "formula": None,
                "shapes": "",
                "sentence": "One sentence.",
                "source": "net.py:1",
                "code": "z = x",
                "reads": [],
                "inherits": "",
                "check": {"yours": None, "numeric": None},
                "terms": None,
                "lens": None,
                **told,
            }
        )

    def result(self, array: Any, phase: str = "backward", name: str = "a", **told: Any) -> None:
        """A step, after the start, that gives an array."""
        at = self.array(array)
        node = self.node(name, at, at)
        if not self.steps:
            self.step("start", node)
        self.step(phase, node, after=at, **({"contribution": at} if phase == "backward" else {}), **told)

    def bytes(self) -> bytes:
        blob = Blob()
        count = len(self.nodes)
        place = '<g class="node" data-box="{}" transform="translate(5 {})">{}</g>'
        boxes = "".join(place.format(k, 9 * k, BOX) for k in range(count))
        edges = "".join(f'<g class="edge" data-edge="{k}"><path d="M9 {9 * k}v4"/></g>' for k in range(count - 1))
        told = {
            "title": "a story",
            "loss": "L",
            "arrays": [packed(a, blob) for a in self.arrays],
            "nodes": self.nodes,
            "layers": [],
            "granularity": "contribution",
            "stops": {"contribution": list(range(len(self.steps)))},
            "steps": self.steps,
            "units": [],
            "open": len(self.steps) - 1,
            "breakpoints": [],
            "watch": [],
            "frames": None,
            "paths": self.paths,
            "stage": {
                "svg": STAGE.format(boxes + edges),
                "boxes": [{"nodes": [k], "shown": k} for k in range(count)],
                "edges": [{"tail": k, "head": k + 1} for k in range(count - 1)],
                "layers": [],
                "inside": [],
                "svgs": [],
            },
            "bits": blob.bits,
        }
        return with_length(json.dumps(told).encode(), blob.bytes())


@pytest.fixture
def view(show: Open) -> Iterator[Callable[..., Any]]:
    """Opens a story at its last step with all lenses unfolded; what the console says fails the test."""
    opened = []

    def open_story(story: Story, width: int = 900, **options: Any) -> Any:
        html = page.document(story.bytes(), "a story", [], "t")
        shown = show(html, viewport={"width": width, "height": 900}, **options)
        opened.append(shown)
        shown.page.wait_for_selector(".app h3")
        shown.page.evaluate(OPEN_ALL)
        return shown.page

    yield open_story
    assert [(shown.messages, shown.asked) for shown in opened if shown.messages or shown.asked] == []


def number(x: float) -> str:
    """As the page writes it."""
    return "NaN" if x != x else f"{x:.4g}".replace("-", "−").replace("inf", "Inf")


def text(page: Any, selector: str = ".lenses") -> str:
    return re.sub(r"\s+", " ", page.locator(selector).first.inner_text())


def step_of(page: Any) -> int:
    return page.evaluate(f"{HOST}.tracegrad.step")


def contributions(x: Any, delta: Any, kernel: tuple[int, int], stride: Any, dilation: Any, groups: int) -> np.ndarray:
    """What each position adds to each weight: (F, C/groups, KH, KW, N, P, Q)."""
    filters, (rows, columns) = delta.shape[1], delta.shape[2:]
    channels = x.shape[1] // groups
    out = np.zeros((filters, channels, *kernel, *delta.shape[:1], rows, columns), np.result_type(x, delta))
    for f, c, i, j in np.ndindex(out.shape[:4]):
        seen = x[:, f // (filters // groups) * channels + c, i * dilation[0] :, j * dilation[1] :]
        out[f, c, i, j] = seen[:, :: stride[0], :: stride[1]][:, :rows, :columns] * delta[:, f]
    return out


def kernel_story(case: str, off: int = 0) -> tuple[Story, np.ndarray]:
    """A step that sends a convolution's gradient to its weights; `off` is added to what the engine says."""
    made = CONVOLUTIONS[case]
    slides = {
        "stride": [1, 1],
        "dilation": [1, 1],
        "groups": 1,
        **{k: v for k, v in made.items() if k in ("stride", "dilation", "groups")},
    }
    random = np.random.default_rng(4)
    # whole numbers travel exactly, so that every digit shown can be compared
    x, delta = random.integers(-9, 10, made["x"]), random.integers(-9, 10, made["delta"])
    each = contributions(x, delta, made["kernel"], **slides)
    gradient = each.sum((4, 5, 6)) + off
    story = Story()
    at = {
        "x": story.array(x),
        "delta": story.array(delta),
        "kernel": story.array(np.ones(gradient.shape)),
        "dkernel": story.array(gradient),
    }
    story.node("x", at["x"])
    story.node("z", at["delta"], at["delta"])
    story.result(gradient, name="g", lens={"kind": "kernel", "name": "g", **at, **slides})
    return story, each


def pooled(x: np.ndarray, upstream: np.ndarray, k: int, s: int) -> tuple[np.ndarray, np.ndarray]:
    """Max-pooling's gradient by loops: per window (N, C, P, Q, k, k), and for x."""
    windows = np.zeros((*upstream.shape, k, k), upstream.dtype)
    image = np.zeros(x.shape, upstream.dtype)
    for n, c, p, q in np.ndindex(upstream.shape):
        i, j = divmod(int(x[n, c, p * s : p * s + k, q * s : q * s + k].argmax()), k)
        windows[n, c, p, q, i, j] = upstream[n, c, p, q]
        image[n, c, p * s + i, q * s + j] += upstream[n, c, p, q]
    return windows, image


def route_story(x: np.ndarray, upstream: np.ndarray, k: int, s: int, contribution: np.ndarray) -> Story:
    story = Story()
    at = {"x": story.array(x), "upstream": story.array(upstream)}
    story.node("a", at["x"])
    story.node("m", at["upstream"], at["upstream"])
    story.result(contribution, lens={"kind": "route", **at, "kernel": [k, k], "stride": [s, s], "dilation": [1, 1]})
    return story


def bars_story(factor: float, y: Any = None) -> tuple[Story, np.ndarray]:
    p = np.array([[0.7, 0.2, 0.1], [0.05, 0.15, 0.8], [0.3, 0.3, 0.4], [0.25, 0.5, 0.25]])
    hot = np.eye(3)[[0, 1, 2, 1]]
    story = Story()
    at = {"p": story.array(p), "y": story.array(hot if y is None else y), "gradient": story.array((p - hot) * factor)}
    story.result((p - hot) * factor, lens={"kind": "bars", **at})
    return story, (p - hot) * factor


def terms_story(result: Any, operands: list[Any], **terms: Any) -> Story:
    story = Story()
    at = [story.array(a) for a in operands]
    where = {"operands": at} if terms["kind"] == "einsum" else {"x": at[0], "kernel": at[1]}
    story.result(result, "forward", terms={"of": "value", "names": ["a", "b"][: len(at)], **where, **terms})
    return story


def paths_story() -> Story:
    story = Story()
    for name, value, gradient in (("a", 2.0, -6.0), ("b", 3.0, 1.0), ("c", 4.0, 1.0), ("L", 5.0, 1.0)):
        story.node(name, story.array(value), story.array(gradient))
    story.step("start", 0)
    story.step("backward", 3, target=0, contribution=1, after=1)
    story.paths = {
        "nodes": {
            "0": {
                "count": 2,
                "edges": 4,
                "sum": -6.0,
                "paths": [
                    {"nodes": [0, 1, 3], "locals": [2.0, -1.0], "product": -2.0},
                    {"nodes": [0, 2, 3], "locals": [0.5, -8.0], "product": -4.0},
                ],
            },
            "1": {"count": "12345678901234567890", "edges": 80},
        }
    }
    return story
