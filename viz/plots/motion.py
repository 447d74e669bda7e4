"""Paths of descent step by step: an SVG that moves by itself, and a slider where scripts run."""

from __future__ import annotations

import hashlib
import html
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autograd.files import target_of, write_whole

from ..plain.display import still
from ..plain.numbers import counted
from .contours import contours, way
from .directions import Plane
from .figure import SUFFIXES, Plot, plot
from .tiles import spread

__all__ = ["Motion", "motion"]

_HOLD = 0.15
"""How long the end stays, of the time that the steps take."""
_MOST = 60


class Motion(Plot):
    """A figure in which time passes. `data` and `figure` are those of its end.

    Attributes
    ----------
    steps : list of int
        The steps that are shown, 0 is the start: all, or 61 evenly spread of more.
    seconds : float
        How long one round takes.
    """

    steps: list[int]
    seconds: float

    @property
    def _moments(self) -> int:
        """In how many equal parts a round is divided: the start, each step, and the end again and again."""
        return len(self.steps) + max(1, round(_HOLD * len(self.steps)))

    def svg(self) -> str:
        """An SVG that moves by itself, without a script; where nothing moves it shows the end."""

        end = len(self.steps) - 1

        def animated(match: re.Match[str]) -> str:
            part, k = match[1], int(match[2])
            share, following = (f"{i / self._moments:.5g}" for i in (k, k + 1))
            if part == "head" and k < end:
                values, times = ("hidden;visible;hidden", f"0;{share};{following}") if k else (
                    "visible;hidden", f"0;{following}")  # fmt: skip
            elif k:
                values, times = "hidden;visible", f"0;{share}"
            else:
                return match[0]
            still_hidden = ' visibility="hidden"' if part == "head" and k < end else ""
            return (
                f'{match[0][:-1]}{still_hidden}><animate attributeName="visibility" values="{values}" '
                f'keyTimes="{times}" dur="{self.seconds:g}s" calcMode="discrete" repeatCount="indefinite"/>'
            )

        whole = re.sub(r"(\d{2,}\.\d{2})\d+", r"\1", super().svg())  # hundredths of a point are enough
        return re.sub(r'<g id="(head|line)-(\d+)-[^"]+">', animated, whole)

    def _html(self) -> str:
        """The moving image, with a slider and a button where scripts run."""
        image = still(self.svg(), self.name)
        token = hashlib.sha256(image.encode()).hexdigest()[:12]
        script = _PLAYER % (token, self.steps, self._moments, self.seconds)
        return f'<div data-tracegrad-motion="{token}">{image}</div>\n<script>\n{script}\n</script>\n'

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it to a file, in the format of its suffix. The file is written whole or not at all.

        Parameters
        ----------
        path : str or path
            Ends in ``.svg`` (moves by itself), ``.html`` (with a slider too) or ``.png`` (the end).

        Returns
        -------
        Path
            Where it is.

        Raises
        ------
        ValueError
            If the suffix is another one.
        FileNotFoundError
            If the folder does not exist.
        """
        target = target_of(path, (*SUFFIXES, ".html"))
        if target.suffix.lower() != ".html":
            return super().save(target)
        head = '<meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        head += f"<title>{html.escape(self.name)}</title>"
        return write_whole(target, f"<!DOCTYPE html>\n{head}\n{self._html()}".encode())


def motion(data: Mapping[str, Any], plane: Plane, log: bool, seconds: float, name: str) -> Motion:
    """The paths of `data` on the contours, and the losses there, step by step."""
    if not data["paths"]:
        raise ValueError("animate: there is no path: give loss_surface(…, path=…) what viz.record returned, or states")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float | np.number) or not 0 < seconds < np.inf:
        raise ValueError(f"animate: seconds must be a positive number, got {seconds!r}")
    steps = max(len(places) for places, _ in data["paths"].values()) - 1
    if not steps:
        raise ValueError("animate: the paths have no step: one moment each")
    numbers = spread(steps + 1, _MOST + 1)

    def draw(figure: Any) -> None:
        flat, course = figure.subplots(1, 2, width_ratios=(1.35, 1))
        contours(figure, flat, data, plane, log)
        for i, (label, (places, losses)) in enumerate(data["paths"].items()):
            style = way(i)
            course.plot([], [], label=label, **style)
            marker = {"marker": style.pop("marker"), "color": style["color"], "clip_on": False}
            small = {**marker, "markersize": style.pop("markersize"), "zorder": 30}
            large = {**marker, "markersize": 8, "zorder": 40, "markeredgecolor": "white"}
            own = np.minimum(numbers, len(losses) - 1)  # a path that has ended stays where it is
            for part, axes, x, y in (("path", flat, *places[own].T), ("loss", course, own, losses[own])):
                seen = np.isfinite(y)
                axes.update_datalim(np.column_stack([x, y])[seen])
                for k in np.flatnonzero(seen).tolist():
                    axes.plot(x[k], y[k], gid=f"head-{k}-{i}-{part}", **large)
                    if k and own[k] == own[k - 1]:
                        continue
                    axes.plot(x[k], y[k], gid=f"line-{k}-{i}-{part}", **small)
                    if k:
                        axes.plot(x[k - 1 : k + 1], y[k - 1 : k + 1], gid=f"line-{k}-{i}-{part}-way", **style)
        for axes in (flat, course):
            for one in axes.lines:
                one.set_in_layout(False)
        course.set(xlabel="step", title="loss L at each step")
        flat.set(title="path on the loss surface")
        if log:
            course.set_yscale("log")
        course.set_xlim(-0.03 * steps, 1.03 * steps)
        course.xaxis.get_major_locator().set_params(integer=True)
        course.grid(True)
        figure.legend(*course.get_legend_handles_labels(), loc="outside lower center", ncols=4)

    shown = plot(draw, (9.6, 4.4), f"{counted(steps, 'step')} on the {name}", data, Motion)
    shown.steps, shown.seconds = numbers, float(seconds)
    return shown


_PLAYER = """\
for (const host of document.querySelectorAll('[data-tracegrad-motion="%s"]')) {
  if (host.shadowRoot) continue;
  const steps = %r, end = steps.length - 1, moments = %d, seconds = %r;
  const text = decodeURIComponent(host.querySelector('img').src.split(',').slice(1).join(','));
  const svg = new DOMParser().parseFromString(text, 'image/svg+xml').documentElement;
  const style = document.createElement('style');
  style.textContent = `:host { display: block; max-width: 960px } svg { display: block; max-width: 100%%; height: auto }
    div { display: flex; gap: 8px; align-items: center; font: 13px system-ui, sans-serif; color: #7b7b7b }
    input { flex: 1 } button { width: 5em } span { width: 6em }`;
  const bar = document.createElement('div');
  const [button, slider, told] = ['button', 'input', 'span'].map((tag) => document.createElement(tag));
  button.type = 'button';
  Object.assign(slider, { type: 'range', min: 0, max: end, value: 0, ariaLabel: 'step' });
  const show = () => {
    const k = Math.min(end, Math.floor((svg.getCurrentTime() %% seconds) / seconds * moments + 1e-6));
    if (!svg.animationsPaused()) slider.value = k;
    told.textContent = `step ${steps[slider.value]}`;
    button.textContent = svg.animationsPaused() ? 'play' : 'pause';
  };
  slider.oninput = () => {
    svg.pauseAnimations();
    svg.setCurrentTime((Number(slider.value) + 0.5) / moments * seconds);
    show();
  };
  button.onclick = () => { if (svg.animationsPaused()) svg.unpauseAnimations(); else svg.pauseAnimations(); show(); };
  bar.append(button, slider, told);
  host.attachShadow({ mode: 'open' }).append(style, svg, bar);
  svg.removeAttribute('style');
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) {
    slider.value = end;
    slider.oninput();
  }
  const timer = setInterval(() => { if (host.isConnected) show(); else clearInterval(timer); }, 60);
}"""
