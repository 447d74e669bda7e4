"""Arrays of Dask through networks, losses and transforms: recorded and differentiated before anything is computed."""

import numpy as np
import pytest
import scalecases

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

import nn  # noqa: E402
from autograd import Tensor  # noqa: E402
from nn import functional as F  # noqa: E402


def chunked(x):
    """In three chunks along the batch."""
    return da.from_array(x, chunks=(2, *x.shape[1:]))


@pytest.fixture(autouse=True)
def computed(monkeypatch):
    """How many times something was computed."""
    counts = []
    compute = dask.threaded.get

    def counting(*args, **options):
        counts.append(1)
        return compute(*args, **options)

    with dask.config.set(scheduler=counting):
        yield counts


def close(found, expected, counts):
    assert not counts, "something was computed on the way"
    assert all(isinstance(one, da.Array) for one in found)
    for one, other in zip(dask.compute(*found, scheduler="synchronous"), expected, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", scalecases.LAYERS)
def test_a_layer_is_differentiated_in_chunks(name, computed):
    layer, x = scalecases.LAYERS[name]
    close(scalecases.gradients(layer, x, chunked), scalecases.gradients(layer, x, np.array), computed)


@pytest.mark.parametrize("name", scalecases.LOSSES)
def test_a_loss_is_differentiated_in_chunks(name, computed):
    loss, arrays = scalecases.LOSSES[name]
    expected = scalecases.loss_and_gradient(loss, arrays, np.array)
    close(scalecases.loss_and_gradient(loss, arrays, chunked), expected, computed)


@pytest.mark.parametrize("name", scalecases.TRANSFORMS)
def test_a_transform_is_one_of_chunks(name, computed):
    transform, x = scalecases.TRANSFORMS[name], scalecases.ROWS
    close([transform(chunked(x))], [transform(x)], computed)


def test_a_network_is_computed_once():
    net = nn.Sequential(nn.Conv2d(2, 3, 3, rng=0), nn.ReLU(), nn.Flatten(), nn.Linear(48, 4, rng=1))
    seen = []
    x = chunked(scalecases.IMAGE.astype(np.float32)).map_blocks(lambda block: seen.append(1) or block, dtype=np.float32)
    loss = F.cross_entropy(net(Tensor(x, requires_grad=False)), chunked(scalecases.LABELS))
    loss.backward()
    seen.clear()
    dask.compute(loss.data, *(p.grad for p in net.parameters()), scheduler="synchronous")
    assert len(seen) == 3  # a chunk of the batch, for all gradients together


def test_labels_of_numpy_go_with_scores_of_dask():
    z = Tensor(chunked(scalecases.ROWS))
    F.cross_entropy(z, scalecases.LABELS).backward()
    expected = scalecases.loss_and_gradient(F.cross_entropy, (scalecases.ROWS, scalecases.LABELS), np.array)
    np.testing.assert_allclose(z.grad.compute(scheduler="synchronous"), expected[1], rtol=1e-12)


@pytest.mark.filterwarnings("ignore:The `numpy.sort` function:FutureWarning")
def test_where_dask_would_go_back_to_numpy_the_error_says_what_to_do():
    with pytest.raises(TypeError, match=r"np\.sort: dask made a NumPy array .* write sort in functions of NumPy"):
        np.sort(Tensor(chunked(scalecases.ROWS)))


def test_where_dask_can_not_the_error_names_the_operation_and_the_library():
    x = Tensor(chunked(scalecases.ROWS), name="x")
    with pytest.raises(NotImplementedError) as caught:
        x[np.array([[0, 1]]), np.array([[1, 2]])]
    assert "getitem was computed by dask" in "".join(caught.value.__notes__)
