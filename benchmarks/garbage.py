"""What a training step leaves for Python's cycle collector: nothing, so that it can be switched off."""

from __future__ import annotations

import gc

from . import lenet, mlp
from .networks import candidates
from .timing import OURS, Row

BATCH = 8


def left_behind(network: object, batch: int = BATCH) -> int:
    """How many objects the collector finds after one training step of `network`."""
    step = candidates(network, batch)[OURS].run
    step()
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        step()
        return gc.collect()
    finally:
        if enabled:
            gc.enable()


def run(rounds: int) -> list[Row]:
    """A row for each network: the number of objects."""
    return [
        Row("garbage", f"after a step of {name}", "objects", {OURS: left_behind(network)}, {}, 0, "")
        for name, network in (("mlp", mlp), ("lenet", lenet))
    ]
