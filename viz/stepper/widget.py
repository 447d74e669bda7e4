"""One current step for the page and for Python, where `anywidget` is installed and a kernel runs.

The page itself is plain HTML, which lives on in a saved notebook; what is made here is never displayed. Its front-end
part runs when the kernel makes it, finds the page in the document and hands steps to and fro.
"""

from __future__ import annotations

import importlib.util
import sys
import weakref
from typing import Any

_SCRIPT = """
function initialize({ model }) {
  const hosts = () => [...document.querySelectorAll(`[data-tracegrad="${model.get('token')}"]`)];
  const pages = () => hosts().map((host) => host.tracegrad).filter(Boolean);
  const follow = () => pages().forEach((page) => page.step !== model.get('step') && page.goto(model.get('step')));
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


def bridge(token: str, step: int, goto: Any) -> Any:
    """What keeps a page and a stepper, whose method `goto` is, at the same step; None where nothing can.

    It starts at `step`.
    """
    if "ipykernel" not in sys.modules or importlib.util.find_spec("anywidget") is None:
        return None
    import anywidget
    import traitlets

    class Bridge(anywidget.AnyWidget):
        _esm = _SCRIPT
        token = traitlets.Unicode().tag(sync=True)
        step = traitlets.Int().tag(sync=True)

    made = Bridge(token=token, step=step)
    # every widget is kept until it is closed: it must not keep the stepper, which has all arrays of the walk
    held = weakref.WeakMethod(goto)

    def moved(change: Any) -> None:
        move = held()
        if move is not None:
            move(change["new"])

    made.observe(moved, "step")
    weakref.finalize(goto.__self__, made.close).atexit = False
    return made
