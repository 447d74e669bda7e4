"""The gradient that the backward pass starts from, left out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..trials import Scene, Trial, handed_on, slip


@slip("upstream gradient not multiplied in", 25)
def alone(scene: Scene) -> Iterator[Trial]:
    root = scene.tape.root
    if not np.all(np.asarray(scene.sweeper.run.seed) == 1):
        name = scene.words.say(root)
        sentence = f"the gradient that is handed in for {name} was not multiplied in, as if it were 1 everywhere"
        yield Trial(root, sentence, handed_on(scene.sweeper, root, np.ones_like))
