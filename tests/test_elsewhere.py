"""No rule, layer, loss or transform forces NumPy: all of them compute with arrays that refuse to become NumPy's.

CuPy's arrays go the same road; they are tried where there is a GPU.
"""

import importlib.util
import warnings

import numpy as np
import opcases
import opchecks
import pytest
import scalecases
from elsewhere import Elsewhere, brought_back, taken_away

import nn
from autograd import Tape, Tensor
from nn import functional as F
from nn import optim


def close(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        one = brought_back(one)
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("op", opcases.ALL, ids=str)
def test_a_rule_computes_with_arrays_that_refuse_numpy(op):
    operands = op.operands()
    tensors = [Tensor(taken_away(x)) for x in operands]
    opchecks.loss(op.fn(*tensors)).backward()
    close([t.grad for t in tensors], opchecks.gradients(op, operands))


@pytest.mark.parametrize("name", scalecases.LAYERS)
def test_a_layer_computes_with_arrays_that_refuse_numpy(name):
    layer, x = scalecases.LAYERS[name]
    close(scalecases.gradients(layer, x, taken_away, taken_away), scalecases.gradients(layer, x, np.array))


@pytest.mark.parametrize("name", scalecases.LOSSES)
def test_a_loss_computes_with_arrays_that_refuse_numpy(name):
    loss, arrays = scalecases.LOSSES[name]
    close(scalecases.loss_and_gradient(loss, arrays, taken_away), scalecases.loss_and_gradient(loss, arrays, np.array))


@pytest.mark.parametrize("name", scalecases.TRANSFORMS)
def test_a_transform_computes_with_arrays_that_refuse_numpy(name):
    transform, x = scalecases.TRANSFORMS[name], scalecases.ROWS
    close([transform(taken_away(x))], [transform(x)])


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam, optim.RMSprop], ids=lambda make: make.__name__)
def test_an_optimiser_moves_parameters_that_are_elsewhere(make):
    nets = [nn.Linear(4, 4, rng=0, dtype=np.float64) for _ in range(2)]
    nets[1].load_state_dict({path: taken_away(array) for path, array in nets[1].state_dict().items()})
    for net, taken in zip(nets, (np.array, taken_away), strict=True):
        optimizer = make(net.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            F.cross_entropy(net(Tensor(taken(scalecases.ROWS))), taken(scalecases.LABELS)).backward()
            optimizer.step()
    close([p.data for p in nets[1].parameters()], [p.data for p in nets[0].parameters()])


def test_constants_of_numpy_go_to_the_library_of_the_operands():
    x = Tensor(taken_away([1.0, 2.0]))
    (np.array([3.0, 4.0]) * x + np.array([1.0, 1.0])).sum().backward()
    assert brought_back(x.grad).tolist() == [3.0, 4.0]


def test_a_tensor_of_numpy_does_not():
    x, w = Tensor(taken_away([1.0, 2.0])), Tensor([3.0, 4.0], name="w")
    with pytest.raises(TypeError, match="among arrays that are elsewhere") as caught:
        w * x
    assert "multiply was computed by elsewhere" in "".join(caught.value.__notes__)


def test_the_tape_of_arrays_elsewhere_is_swept():
    x = Tensor(taken_away([1.0, 2.0]), name="x")
    tape = Tape((x * x).sum())
    assert brought_back(tape.gradients()[tape["x"]]).tolist() == [2.0, 4.0]


def test_a_label_that_is_not_looked_at_and_out_of_range_makes_the_loss_nan():
    loss = F.cross_entropy(Tensor(taken_away(scalecases.ROWS)), taken_away(np.full(scalecases.N, 9)))
    assert np.isnan(brought_back(loss.data))
    out = F.embedding(taken_away([0, 9]), Tensor(taken_away(np.ones((3, 2)))))
    assert np.isnan(brought_back(out.data)).tolist() == [[False, False], [True, True]]


def test_running_statistics_of_numpy_can_not_follow():
    with pytest.raises(TypeError, match="track_running_stats=False"):
        F.batch_norm(Tensor(taken_away(scalecases.ROWS)), np.zeros(4), np.ones(4), training=True)


def test_the_array_of_these_tests_refuses_numpy():
    with pytest.raises(TypeError, match="no NumPy array is made of them"):
        np.asarray(taken_away([1.0]))
    with pytest.raises(TypeError, match="among arrays that are elsewhere"):
        taken_away([1.0]) + np.array([1.0])
    assert isinstance(taken_away([1.0]) + 1, Elsewhere)


@pytest.mark.skipif(importlib.util.find_spec("cupy") is None, reason="CuPy, for arrays on a GPU, is not installed")
@pytest.mark.parametrize("name", scalecases.LAYERS)
def test_a_layer_computes_on_a_gpu(name):
    import cupy

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            cupy.zeros(1)
        except cupy.cuda.runtime.CUDARuntimeError:
            pytest.skip("there is no GPU")
    layer, x = scalecases.LAYERS[name]
    found = scalecases.gradients(layer, x, cupy.asarray, cupy.asarray)
    expected = scalecases.gradients(layer, x, np.array)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(cupy.asnumpy(one), other, rtol=1e-8, atol=1e-10)
