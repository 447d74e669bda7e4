"""What is no slip where it is meant: the gradient by a symmetric matrix."""

from __future__ import annotations

from collections.abc import Iterator

from autograd.testing.otherwise import of_symmetric

from ..pushing import Change
from ..trials import Scene, Trial, slip


@slip("symmetric matrix", 6, harmless=True)
def symmetric(scene: Scene) -> Iterator[Trial]:
    if scene.outcome is None:
        for other in of_symmetric(scene.tape, scene.gradients, [one.node for one in scene.wrong]):
            node = next(iter(other.ends))
            yield Trial(node, f"it is right for {other.says}", Change(ends=other.ends))
