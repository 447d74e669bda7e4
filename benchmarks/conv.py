"""One convolution, 16×32×32×32 with 64 kernels of 3×3 and a border of zeros, float32: forward and backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import Tensor
from nn import functional as F

from .timing import OURS, Candidate, Row, compare, torch_or_none

GOAL = 1.7
SHAPES = ((16, 32, 32, 32), (64, 32, 3, 3))


def candidates(images: tuple[int, ...], kernels: tuple[int, ...]) -> dict[str, Candidate]:
    """The convolution of arrays of these shapes and both its gradients, for each library."""
    rng = np.random.default_rng(0)
    arrays = [rng.uniform(-1, 1, shape).astype(np.float32) for shape in (images, kernels)]
    seed = rng.uniform(-1, 1, (images[0], kernels[0], *images[2:])).astype(np.float32)
    found = {OURS: _candidate(F, [Tensor(a) for a in arrays], seed, lambda g: g)}
    torch = torch_or_none()
    if torch is not None:
        leaves = [torch.tensor(a, requires_grad=True) for a in arrays]
        found["torch"] = _candidate(torch.nn.functional, leaves, torch.tensor(seed), lambda g: g.detach().numpy())
    return found


def _candidate(functional: Any, leaves: list[Any], seed: Any, numbers: Callable[[Any], Any]) -> Candidate:
    def run() -> Any:
        for leaf in leaves:
            leaf.grad = None
        out = functional.conv2d(*leaves, padding=1)
        out.backward(seed)
        return out

    return Candidate(run, lambda: [numbers(run().detach()), *(numbers(leaf.grad) for leaf in leaves)])


def run(rounds: int) -> list[Row]:
    """One row, in milliseconds."""
    case = "16×32×32×32, 64 of 3×3"
    return [
        compare("conv", case, candidates(*SHAPES), rounds=rounds, calls=3, rtol=1e-3, atol=1e-3, unit="ms", goal=GOAL)
    ]
