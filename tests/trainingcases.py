"""A small network with chance in it, its data, and `fit` as the tests of training call it."""

import numpy as np

import nn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 4)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0).astype(int)
HELD_OUT = X[40:], Y[40:]
DATA = X[:40], Y[:40]


def network(seed=0, dtype=np.float32):
    rng = np.random.default_rng(seed)
    return nn.Sequential(
        nn.Linear(4, 8, rng=rng, dtype=dtype), nn.BatchNorm1d(8, dtype=dtype), nn.ReLU(), nn.Dropout(0.3, rng=seed),
        nn.Dropout(0.1), nn.Linear(8, 2, rng=rng, dtype=dtype),
    )  # fmt: skip


def fit(net, **options):
    return nn.fit(net, **{"data": DATA, "batch_size": 8, "validation": HELD_OUT, "progress": False, **options})


def assert_same(a, b):
    for (name, one), (other, two) in zip(a.state_dict().items(), b.state_dict().items(), strict=True):
        assert name == other and one.dtype == two.dtype
        np.testing.assert_array_equal(one, two, err_msg=name)


def told(history):
    return {name: values for name, values in history.state_dict().items() if name != "seconds"}
