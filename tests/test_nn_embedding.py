"""Embeddings: rows looked up by number, one by one and by the bag, against torch where it is installed."""

import importlib.util

import numpy as np
import pytest

import nn
import viz
from autograd import Tape, Tensor
from autograd.testing import gradcheck
from nn import functional as F

RNG = np.random.default_rng(0)


def numbers(*shape):
    return RNG.standard_normal(shape)


def test_an_embedding_looks_rows_up_and_adds_their_gradients():
    layer = nn.Embedding(5, 3, padding_idx=-1, dtype=np.float64)
    assert not layer.weight.data[4].any() and layer.padding_idx == 4
    layer.weight.data = numbers(5, 3)
    out = layer([[1, 4], [1, 0]])
    assert (out.data == layer.weight.data[[[1, 4], [1, 0]]]).all()
    out.sum().backward()
    assert layer.weight.grad.tolist() == [[1.0] * 3, [2.0] * 3, [0.0] * 3, [0.0] * 3, [0.0] * 3]
    assert layer.weight.name == "E"
    assert [n.op for n in Tape(layer(np.array([0]))) if not n.is_leaf] == ["getitem"]
    assert repr(layer) == "Embedding(5, 3, padding_idx=4)"


def test_a_table_is_given_and_frozen():
    table = numbers(4, 2).astype(np.float32)
    layer = nn.Embedding.from_pretrained(table, padding_idx=1)
    assert (layer.weight.data == table).all() and not layer.weight.requires_grad
    assert nn.Embedding.from_pretrained(table, freeze=False).weight.requires_grad
    with pytest.raises(nn.ShapeMismatch, match="floating-point embeddings of shape"):
        nn.Embedding.from_pretrained([1, 2])


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_embeddings_have_second_derivatives(mode):
    ids = np.array([[1, 2, 0], [1, 1, 3]])
    assert gradcheck(lambda w: F.embedding(ids, w, padding_idx=0)[0, :2] ** 2, numbers(4, 2))
    assert gradcheck(lambda w: F.embedding_bag(ids[:1], w, mode=mode) ** 2, numbers(4, 2))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.Embedding(3, 2)([0, 3]), IndexError, "3 at position 1 is out of range: the table has 3 rows"),
        (lambda: nn.Embedding(3, 2)(np.int64(-1)), IndexError, "embedding: -1 is out of range"),
        (lambda: nn.Embedding(3, 2)([0.5]), TypeError, "row numbers must be integers, got dtype float32"),
        (lambda: nn.Embedding(3, 2, padding_idx=3), ValueError, "padding_idx must be from -3 to 2, got 3"),
        (lambda: nn.Embedding(3, 2, sparse=True), ValueError, "Embedding: sparse=True is not supported"),
        (lambda: F.embedding([0], np.ones((3, 2)), max_norm=1.0), TypeError, "which must be a Tensor or nn.Parameter"),
        (lambda: F.embedding([0], np.ones(3)), ValueError, r"a weight of shape \(V, D\) is needed, got \(3,\)"),
        (lambda: nn.EmbeddingBag(3, 2, mode="min"), ValueError, "mode must be 'sum', 'mean' or 'max', got 'min'"),
        (lambda: F.embedding_bag([0], np.ones((3, 2)), mode="no"), ValueError, "mode must be 'sum', 'mean' or 'max'"),
        (lambda: nn.EmbeddingBag(3, 2)([0]), ValueError, r"or \(N,\) with offsets, is needed, got \(1,\) without"),
        (lambda: nn.EmbeddingBag(3, 2)([0, 1], [1]), ValueError, r"offsets must ascend from 0 to at most 2, got \[1\]"),
        (
            lambda: nn.EmbeddingBag(3, 2)([[0]], None, np.ones((1, 1))),
            ValueError,
            "per_sample_weights go with mode='sum'",
        ),
    ],
)
def test_what_an_embedding_can_not_take_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_embeddings_are_stepped_drawn_and_derived():
    out = nn.Embedding(4, 3, padding_idx=0)(np.array([0, 2]))
    loss = (out * out).sum()
    assert all(step.equation for step in viz.step(loss) if "←" in step.title)
    assert "E" in viz.draw(loss).svg()
    assert "∂L/∂E" in str(viz.derive(loss, "E"))


# --- torch

IDS = np.array([[1, 4, 1], [2, 0, 4]])
TABLES = {
    "Embedding": ({}, [IDS]),
    "Embedding, padding": ({"padding_idx": 4}, [IDS]),
    "Embedding, padding from the end": ({"padding_idx": -4}, [IDS]),
    "Embedding, longest": ({"max_norm": 1.0}, [IDS]),
    "Embedding, longest in another norm": ({"max_norm": 0.7, "norm_type": 1.0}, [IDS]),
    **{f"EmbeddingBag, {mode}": ({"mode": mode}, [IDS]) for mode in ("sum", "mean", "max")},
    **{f"EmbeddingBag, {mode}, offsets": ({"mode": mode}, [IDS.ravel(), np.array([0, 2, 2])])
       for mode in ("sum", "mean", "max")},
    **{f"EmbeddingBag, {mode}, padding": ({"mode": mode, "padding_idx": 4}, [IDS]) for mode in ("sum", "mean", "max")},
    "EmbeddingBag, last offset": ({"include_last_offset": True}, [IDS.ravel(), np.array([0, 4, 6])]),
    "EmbeddingBag, factors": ({"mode": "sum"}, [IDS, None, numbers(2, 3)]),
    "EmbeddingBag, longest": ({"max_norm": 1.0}, [IDS]),
}  # fmt: skip

if importlib.util.find_spec("torch"):
    import torch

    @pytest.mark.parametrize("case", TABLES)
    def test_tables_are_those_of_torch(case):
        options, inputs = TABLES[case]
        kind = case.partition(",")[0]
        theirs = getattr(torch.nn, kind)(5, 3, **options).double()
        ours = getattr(nn, kind)(5, 3, **options, dtype=np.float64)
        ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
        mine = [Tensor(a) if a is not None and a.dtype == float else a for a in inputs]
        other = [None if a is None else torch.tensor(a, requires_grad=a.dtype == float) for a in inputs]
        out, expected = ours(*mine), theirs(*other)
        assert np.allclose(out.data, expected.detach().numpy())
        g = numbers(*out.shape)
        out.backward(g)
        expected.backward(torch.tensor(g))
        assert np.allclose(ours.weight.grad, theirs.weight.grad.numpy())
        assert np.allclose(ours.weight.data, theirs.weight.detach().numpy())
        if len(mine) > 2:
            assert np.allclose(mine[2].grad, other[2].grad.numpy())
