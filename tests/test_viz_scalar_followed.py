"""The scalar graph of every function, followed by others: constants among the elements are numbers like them."""

import numpy as np
import pytest
from opcases import ALL

import viz
from autograd import Tape, Tensor
from viz.scalar import ScalarGraph

_MOST = 40
WHOLE = {
    "det", "inv", "solve", "eigvalsh", "eigenvectors", "svdvals", "left_vectors", "right_vectors", "q_factor",
    "r_factor", "cholesky", "pinv", "logabsdet",
}  # fmt: skip
"""What is no computation of single numbers."""
FOLLOWED = {
    "where, astype": lambda y: np.where(y > 0, y, 0.0).astype(np.float32),
    "concatenate, sqrt": lambda y: np.sqrt(1 + np.concatenate([y.reshape(-1), np.zeros(2)]) ** 2),
    "std": lambda y: np.std(y) * y,
}


@pytest.mark.parametrize("follow", FOLLOWED.values(), ids=FOLLOWED)
@pytest.mark.parametrize("op", ALL, ids=str)
def test_what_follows_a_function_has_a_scalar_graph_with_the_same_numbers(op, follow):
    operands = [Tensor(x) for x in op.operands()]
    y = op.fn(*operands)
    y = y if isinstance(y, Tensor) else y[0]
    if not 0 < y.size <= _MOST or y.dtype.kind != "f":
        pytest.skip("the graph is empty, large, or of whole numbers")
    if follow is FOLLOWED["std"] and y.size > 1 and np.ptp(y.data) == 0:
        pytest.skip("NumPy's spread of equal numbers is rounding")
    loss = follow(y).sum()
    if WHOLE & {node.op for node in Tape(loss)}:
        with pytest.raises(ValueError, match="has no scalar graph"):
            ScalarGraph(loss)
        return
    graph = ScalarGraph(loss)
    size = max(1.0, float(np.max(np.abs(y.data), initial=0)) ** 2)
    np.testing.assert_allclose(graph.root.data, loss.data, rtol=1e-4, atol=1e-5 * size)
    if not loss.requires_grad:
        return
    loss.backward()
    found = graph.gradients()
    for x in operands:
        if x.node in found and x.grad is not None:
            np.testing.assert_allclose(found[x.node], x.grad, rtol=1e-3, atol=1e-5 * size)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.triu(x).astype(np.float32),
        lambda x: np.diag(x[0]).astype(np.float32),
        lambda x: np.where(x > 1, x, 0).astype(np.float32),
        lambda x: np.concatenate([x, np.zeros((1, 2))]).astype(np.float32),
        lambda x: np.reciprocal(np.where(x > 1, x, 2)),
        lambda x: np.where(x > 1, x, 2) ** -1,
    ],
)
def test_a_constant_among_elements_has_their_dtype(f):
    picture = viz.draw(f(Tensor([[1.0, 2.0], [3.0, 4.0]], name="x")).sum(), level="scalar")
    assert "x[0,1]" in picture.text()


def test_the_spread_of_one_number_is_zero_and_its_length_its_size():
    x = Tensor([-2.0], name="x")
    for f, value, slope in ((np.std, 0, 0), (np.var, 0, 0), (np.linalg.norm, 2, -1), (np.max, -2, 1)):
        graph = ScalarGraph(f(x))
        assert float(graph.root.data) == value
        assert graph.gradients()[x.node].tolist() == [slope]
