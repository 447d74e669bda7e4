"""`viz.derive` on the published worked examples: every line of every derivation gives the engine's gradient."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from published import NETWORKS, inputs

import viz
from autograd import Node, Step, Tape, sweep

GO_BACKWARD_FROM_A_NUMBER = (
    "seed1-conv-mse", "seed2-conv-relu-softmax", "cs231n-mul-gate", "cs231n-circuit-xyz", "cs231n-sigmoid-circuit",
    "cs231n-staged", "colah-2015", "micrograd-readme", "micrograd-sanity", "micrograd-lecture-L",
    "micrograd-lecture-fanout", "dezero-steps", "dlfs-buy-apple", "autograd-readme-tanh", "pytorch-blitz", "mazur-2015",
    "mazur-2015-oldbug", "single-neuron-sghosh", "sklearn-mlp-test_fit", "cs229-backprop-formulas",
    "coursera-c1w3-planar", "coursera-c2w1-regularization", "cs231n-a1-two_layer_net",
)  # fmt: skip


@pytest.fixture
def losses(monkeypatch: pytest.MonkeyPatch) -> list[Node]:
    """The numbers that an example goes backward from, by whatever function; of those computed alike the first."""
    found: list[Node] = []
    seen: set[tuple[str, ...]] = set()

    def watched(root: Node, *args: Any, **options: Any) -> Iterator[Step]:
        if root.size == 1 and root.needs_grad:
            operations = tuple(node.op for node in Tape(root))
            if operations not in seen:
                seen.add(operations)
                found.append(root)
        return sweep(root, *args, **options)

    for module in ("tape", "tensor", "tracing"):
        monkeypatch.setattr(f"autograd.{module}.sweep", watched)
    return found


@pytest.mark.parametrize("identity", GO_BACKWARD_FROM_A_NUMBER)
def test_every_line_is_the_engines_gradient(identity: str, losses: list[Node]) -> None:
    NETWORKS[identity](inputs(identity))
    assert losses
    for loss in losses:
        tape = Tape(loss)
        gradients = tape.gradients()
        for node in gradients:
            if node is loss or not (node.is_leaf or node.name):
                continue
            derivation = viz.derive(tape, node)
            assert str(derivation) and derivation.latex() and not derivation.fell_back
            for line in derivation.lines:
                expected = gradients[line.target.node]
                atol = np.finfo(expected.dtype).eps ** 0.6 * np.abs(expected).max(initial=0)
                np.testing.assert_allclose(line.evaluate(), expected, rtol=0, atol=atol, err_msg=repr(line))


@pytest.mark.parametrize("identity", sorted(NETWORKS.keys() - set(GO_BACKWARD_FROM_A_NUMBER)))
def test_the_others_go_backward_from_no_number(identity: str, losses: list[Node]) -> None:
    """They go backward from arrays with a gradient given, update parameters, or compute a forward pass alone."""
    NETWORKS[identity](inputs(identity))
    assert not losses
