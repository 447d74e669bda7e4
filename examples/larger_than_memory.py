"""Train on a batch that is larger than the memory of one worker: python examples/larger_than_memory.py

The batch is an array of Dask, which its workers make (in life: read) chunk by chunk. The network, the loss and the
gradients are written as for NumPy; nothing is computed before `dask.compute`, which computes them all together and
keeps a chunk no longer than it is needed. Needs the extra `dask`.
"""

from __future__ import annotations

import dask
import dask.array as da
import numpy as np
from distributed import Client, LocalCluster

import nn
from autograd import Tensor
from nn import functional as F

FEATURES = 1000


def batch(examples: int, chunk: int) -> tuple[da.Array, np.ndarray]:
    """Examples, and their classes, which say whether the first half of the numbers is the larger.

    The classes are few bytes, and NumPy's: how many count is known then, and no chunk has to wait for the others.
    """
    x = da.random.default_rng(0).random((examples, FEATURES), chunks=(chunk, FEATURES), dtype=np.float32) - np.float32(
        0.5
    )
    half = FEATURES // 2
    return x, (x[:, :half].sum(axis=1) > x[:, half:].sum(axis=1)).astype(int).compute()


def train(examples: int, steps: int, chunk: int = 2500) -> list[float]:
    """The losses of so many steps, each on all examples."""
    x, y = batch(examples, chunk)
    net = nn.Sequential(nn.Linear(FEATURES, 8, rng=0), nn.Tanh(), nn.Linear(8, 2, rng=1))
    optimizer = nn.Adam(net.parameters(), lr=0.01)
    losses = []
    for _ in range(steps):
        loss = F.cross_entropy(net(Tensor(x, requires_grad=False)), y)
        loss.backward()
        number, *gradients = dask.compute(loss.data, *(p.grad for p in net.parameters()))
        for parameter, gradient in zip(net.parameters(), gradients, strict=True):
            parameter.grad = gradient
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(number))
    return losses


def main(examples: int = 150_000, steps: int = 5, memory: int = 500_000_000) -> list[float]:
    """Train with two workers of so many bytes each, which are stopped before they take more."""
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, memory_limit=memory, dashboard_address=":0") as cluster,
        Client(cluster),
    ):
        print(f"a batch of {examples * FEATURES * 4 / 1e6:,.0f} MB, two workers of {memory / 1e6:,.0f} MB")
        losses = train(examples, steps)
        print("losses", *(f"{loss:.4f}" for loss in losses))
    return losses


if __name__ == "__main__":
    main()
