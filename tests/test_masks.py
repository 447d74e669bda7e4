"""What comparisons of Tensors give: arrays as NumPy's, which remember what was compared until they are written into."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Tensor, no_grad
from autograd.masks import Mask, mask_of


def compared() -> tuple[Tensor, Any]:
    x = Tensor([-1.0, 0.0, 2.0], name="x")
    return x, x > 0


@pytest.mark.parametrize(
    "use",
    [
        lambda m: m.all(), lambda m: m.any(), lambda m: m.sum(), lambda m: m.mean(), lambda m: np.any(m),
        lambda m: np.sum(m), lambda m: np.arange(3)[m], lambda m: m.nonzero()[0], lambda m: np.argmax(m),
        lambda m: m.cumsum(), lambda m: m.tolist(), lambda m: repr(m), lambda m: str(m), lambda m: m[1:],
        lambda m: m[2],
        lambda m: m[:, None], lambda m: m.T, lambda m: m.reshape(3, 1), lambda m: ~m, lambda m: m & m[::-1],
        lambda m: m ^ True, lambda m: np.logical_or(m, False), lambda m: m.astype(np.int8), lambda m: 1.0 * m,
        lambda m: 1 - m, lambda m: m == 0, lambda m: np.where(m, 2.0, 3.0), lambda m: m.copy(), lambda m: copy.copy(m),
        lambda m: copy.deepcopy(m), lambda m: pickle.loads(pickle.dumps(m)), lambda m: np.concatenate([m, m]),
        lambda m: np.stack([m, m]), lambda m: np.add(m, m, out=np.zeros(3)), lambda m: np.broadcast_to(m, (2, 3)),
        lambda m: np.asarray(m), lambda m: np.array(m), lambda m: [int(i) for i in m], lambda m: m.max(),
        lambda m: -1.0 * m,
    ],
)  # fmt: skip
def test_a_mask_does_what_numpys_does(use: Callable[[Any], Any]) -> None:
    x, mask = compared()
    found, expected = use(mask), use(x.data > 0)
    np.testing.assert_array_equal(found, expected)
    assert np.asarray(found).dtype == np.asarray(expected).dtype and np.shape(found) == np.shape(expected)
    assert isinstance(found, np.ndarray) == isinstance(expected, np.ndarray) or isinstance(found, Mask)


def test_a_mask_can_be_written_into_also_through_a_view_and_forgets() -> None:
    x, mask = compared()
    mask[0] = True
    assert mask.tolist() == [True, False, True] and mask_of(mask) is None
    mask = x > 0
    mask &= x < 1
    assert mask.tolist() == [False, False, False] and mask_of(mask) is None
    mask = x > 0
    mask[1:][0] = True
    assert mask.tolist() == [False, True, True]


def test_an_operation_keeps_the_mask_it_was_given() -> None:
    x, mask = compared()
    y = np.where(mask, x, 0.0)
    mask[:] = True
    (kept, *_) = y.node.operands
    assert type(kept) is np.ndarray and kept.tolist() == [False, False, True] and not kept.flags.writeable
    assert mask_of(kept).node.op == "greater"  # type: ignore[union-attr]
    z = x * mask
    assert type(z.node.operands[1]) is np.ndarray and mask_of(z.node.operands[1]) is None


def test_a_comparison_of_numbers_is_a_truth_value() -> None:
    x = Tensor(2.0)
    assert (x > 1) and not (x > 3) and hash(x > 1) == hash(True) and repr(x > 1) == "np.True_" and f"{x < 1}" == "False"
    assert {x > 1: "yes"}[True] == "yes" and sum(x > k for k in range(4)) == 2


def test_a_mask_that_a_loop_goes_on_with_does_not_hold_all_that_was_ever_compared() -> None:
    x, alive = compared()
    for _ in range(50):
        alive = alive * (x > -2).astype(float)
    count, node = 0, getattr(alive, "node", None)
    waiting = [node] if node is not None else []
    while waiting:
        count += 1
        waiting += waiting.pop().parents
    assert count < 1000 and alive.tolist() == [0, 0, 1]


def test_without_recording_a_comparison_is_a_plain_array() -> None:
    x, mask = compared()
    with no_grad():
        assert type(x > 0) is np.ndarray and type(~mask) is np.ndarray
        assert (x * mask).data.tolist() == [0, 0, 2]
