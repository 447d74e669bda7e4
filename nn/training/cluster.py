"""Training on a cluster of Dask: each batch in chunks, one for each worker; their gradients are summed on the workers.

A chunk is a pure function of numbers that travel with it, so that Dask computes it again where a worker died. For
chunks of n₁, n₂, … examples of N, the gradient of the mean loss is Σ nₖ/N times that of chunk k.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import Tensor, no_grad
from autograd.nests import numbers_of

from ..layers.channels import _BatchNorm
from ..module import Module
from ..seeding import generator

__all__ = ["Cluster"]

PATIENCE = 30.0
"""How many seconds a step waits for a worker where there is none."""
_TURN = threading.Lock()  # threads of one worker share its random numbers


class Cluster:
    """What computes the loss of a batch and its gradients on the workers of a client, as many chunks as there are now.

    Parameters
    ----------
    client : distributed.Client
    model : Module
    loss : callable
        A mean over examples.

    Raises
    ------
    ImportError
        If Dask is not installed.
    TypeError
        If `client` is no client.
    ValueError
        If there is no worker, or the model normalises over the batch, of which a worker sees a chunk.
    """

    def __init__(self, client: Any, model: Module, loss: Callable[[Any, Any], Any]):
        try:
            import distributed
        except ImportError:
            raise ImportError("fit: cluster= needs Dask: pip install 'tracegrad[dask]'") from None
        if not isinstance(client, distributed.Client):
            raise TypeError(f"fit: cluster must be a distributed.Client, got {type(client).__name__}")
        for path, module in model.named_modules():
            if isinstance(module, _BatchNorm):
                raise ValueError(
                    f"fit: {path or 'the model'} is a {type(module).__name__}, which needs the whole batch, and a "
                    "worker sees a chunk of it: use GroupNorm or LayerNorm, or train without cluster="
                )
        self.client, self.model, self.loss = client, model, loss
        self.chunks = len(client.nthreads())
        if not self.chunks:
            raise ValueError("fit: the cluster has no worker")

    def step(self, x: Any, y: Any, step: int, where: str) -> tuple[Any, Any, list[Any]]:
        """The output for a batch, its loss, and the gradient of each parameter (None where none arrives).

        Raises
        ------
        RuntimeError
            If chunk after chunk its workers die, or no worker is left.
        ValueError
            If the loss is no mean over examples.
        """
        from distributed.protocol.pickle import dumps

        x, y = numbers_of(x), numbers_of(y)
        packed, chance = dumps((self.model, self.loss)), generator().bit_generator.state
        parts = [
            self.client.submit(_chunk, packed, x[rows], y[rows], len(rows) / len(x), chance, [step, k], pure=False)
            for k, rows in enumerate(np.array_split(np.arange(len(x)), min(self.chunks, len(x))))
        ]
        every = [*parts]
        while len(parts) > 1:
            pairs = [parts[i : i + 2] for i in range(0, len(parts), 2)]
            parts = [pair[0] if len(pair) == 1 else self.client.submit(_sum, *pair, pure=False) for pair in pairs]
            every += parts
        try:
            outs, number, grads = self._result(parts[0], where)
        except BaseException:
            self.client.cancel(every)  # what is left of a step that failed would go on, and may end other workers
            raise
        with no_grad():
            out = Tensor(outs, copy=False)
            value = self.loss(out, y)
        whole = value.item()
        if abs(whole - number) > 1e3 * np.finfo(value.dtype).eps * (abs(whole) + abs(number)):
            raise ValueError(
                f"fit: the loss of a batch, {whole:.6g}, is not the mean of those of its chunks, {number:.6g}: with "
                "cluster= it must be a mean over examples, each counting the same (reduction='mean', without weights "
                "of classes or ignored ones)"
            )
        return out, value, grads

    def _result(self, future: Any, where: str) -> Any:
        import distributed

        alone = 0.0
        while True:
            try:
                return future.result(timeout=1)
            except distributed.TimeoutError:
                if future.status != "pending":
                    raise
                alone = 0.0 if self.client.nthreads() else alone + 1
                if alone < PATIENCE:
                    continue
                said = f"no worker is left, and none came in {PATIENCE:.0f} s"
            except (distributed.KilledWorker, distributed.CancelledError) as error:
                said = f"one worker after the other died of it ({error})"
            raise RuntimeError(
                f"fit: the step of {where} could not be computed: {said}. The parameters are those of the last whole "
                "step; smaller batches need less of a worker's memory"
            )


def _chunk(packed: bytes, x: Any, y: Any, share: float, chance: Any, turn: list[int]) -> tuple[Any, float, list[Any]]:
    """On a worker: the output for a chunk, its share of the loss, and that of the gradients."""
    from distributed.protocol.pickle import loads

    model, loss = loads(packed)
    shared, *own = model.generators()
    with _TURN:
        here = shared.bit_generator.state  # the client's own, where workers are threads beside it
        try:
            for source, state in ((shared, chance), *((each, each.bit_generator.state) for each in own)):
                seed = [*pickle.dumps(state), *turn]
                source.bit_generator.state = type(source.bit_generator)(seed).state
            before = [np.array(buffer) for buffer in model.buffers()]
            out = model(x)
            if not all(map(np.array_equal, before, model.buffers())):
                raise ValueError("fit: buffers of the model change in training, which a worker can't do for them all")
            value = loss(out, y)
            (value * share).backward()
        finally:
            shared.bit_generator.state = here
    return out.data, value.item() * share, [p.grad for p in model.parameters()]


def _sum(one: Any, other: Any) -> Any:
    """On a worker: the outputs of two chunks one after the other, and the sums of the rest."""
    grads = [b if a is None else a if b is None else a + b for a, b in zip(one[2], other[2], strict=True)]
    return np.concatenate([one[0], other[0]]), one[1] + other[1], grads
