"""One current step for the page and for Python, where `anywidget` is installed and a kernel runs.

The page itself is plain HTML, which lives on in a saved notebook; what is made here is never displayed. Its front-end
part runs when the kernel makes it, finds the page in the document and hands steps to and fro.
"""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .stepper import Stepper

_SCRIPT = """
function initialize({ model }) {
  const pages = () => [...document.querySelectorAll(`[data-tracegrad="${model.get('token')}"]`)].map((host) => host.tracegrad);
  const follow = () => pages().forEach((page) => page && page.step !== model.get('step') && page.goto(model.get('step')));
  const tell = (event) => {
    if (event.target.dataset?.tracegrad !== model.get('token') || event.detail.step === model.get('step')) return;
    model.set('step', event.detail.step);
    model.save_changes();
    follow();
  };
  model.on('change:step', follow);
  document.addEventListener('tracegrad:step', tell);
  return () => document.removeEventListener('tracegrad:step', tell);
}
export default { initialize };
"""


def bridge(stepper: Stepper) -> Any:
    """What keeps the page and a stepper at the same step; None where nothing can."""
    if "ipykernel" not in sys.modules or importlib.util.find_spec("anywidget") is None:
        return None
    import anywidget  # type: ignore[import-not-found]
    import traitlets  # type: ignore[import-not-found]

    class Bridge(anywidget.AnyWidget):  # type: ignore[misc]
        _esm = _SCRIPT
        token = traitlets.Unicode().tag(sync=True)
        step = traitlets.Int().tag(sync=True)

    made = Bridge(token=stepper.token, step=stepper.position)

    def moved(change: Any) -> None:
        stepper.position = change["new"]

    made.observe(moved, "step")
    return made
