"""What the program computed is run again with other numbers: however that fails, nobody hears of it."""

import warnings

import numpy as np
import pytest
from hostile import cases

import viz
from autograd import Tape
from autograd.testing import compare_grads

CASES = {name: (loss, leaves) for name, loss, leaves in cases()}


def stepped(loss, w, z, right):
    s = viz.step(loss, against={w: -right[w]})
    for _ in range(3 * len(Tape(loss))):
        str(s)
        s.next()


TOOLS = {
    "explain, a sign": lambda loss, w, z, right: viz.explain_mismatch(loss, {w: -right[w], z: right[z]}),
    "explain, inherited": lambda loss, w, z, right: viz.explain_mismatch(loss, {w: -right[w], z: -right[z]}),
    "explain, noise": lambda loss, w, z, right: viz.explain_mismatch(
        loss, {w: right[w] * (1 + w.data**2), z: right[z]}
    ),
    "explain, a rate": lambda loss, w, z, right: viz.explain_mismatch(loss, {w: right[w] + w.data}, lr=0.5),
    "compare": lambda loss, w, z, right: compare_grads(loss, {w: -right[w]}, numeric=True),
    "derive": lambda loss, w, z, right: viz.derive(loss, wrt=w),
    "contributions": lambda loss, w, z, right: viz.contributions(loss, w),
    "paths": lambda loss, w, z, right: viz.paths(loss, w),
    "draw": lambda loss, w, z, right: viz.draw(loss),
    "step": stepped,
}


@pytest.mark.parametrize("strict", [False, True], ids=["", "warnings are errors"])
@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("name", CASES)
def test_a_replay_neither_raises_nor_warns(name, tool, strict):
    loss, (w, z) = CASES[name]
    found = Tape(loss).gradients()
    right = {t: np.array(found[t.node]) for t in (w, z)}
    with warnings.catch_warnings(), np.errstate(all="raise" if strict else "warn"):
        warnings.simplefilter("error")
        str(TOOLS[tool](loss, w, z, right))
