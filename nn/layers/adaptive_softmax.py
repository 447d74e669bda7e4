"""A softmax over very many classes: the frequent ones in one layer, the rare ones in clusters of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from .. import functional as F
from .. import naming
from ..containers import ModuleList, Sequential
from ..errors import ShapeMismatch, floating
from ..functional.labels import class_labels, numbers_of
from ..module import Module
from ..seeding import RandomSource, generator
from .dense import Linear
from .weighted import at_least_1

__all__ = ["AdaptiveLogSoftmaxWithLoss", "LogProbabilityAndLoss"]


class LogProbabilityAndLoss(NamedTuple):
    """log p of the right class of each example, and minus their mean."""

    output: Any
    loss: Any


class AdaptiveLogSoftmaxWithLoss(Module):
    """log p of the right class where classes are sorted by how frequent they are (https://arxiv.org/abs/1609.04309).

    The head has a score for each class up to the first cutoff, and one for each cluster of rarer ones:
    log p(class) = log p(cluster) + log p(class in its cluster), and a cluster is computed for its own examples only.

    Parameters
    ----------
    in_features, n_classes : int
    cutoffs : sequence of int, rising, from 1 to n_classes − 1
        Where the clusters begin.
    div_value : float, optional
        Cluster i is computed from in_features // div_valueⁱ⁺¹ features.
    head_bias : bool, optional
    dtype, rng
        As for `Linear`.

    Attributes
    ----------
    head : Linear
    tail : ModuleList of Sequential
        Two Linear layers without biases for each cluster.

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.AdaptiveLogSoftmaxWithLoss(8, 20, cutoffs=[4, 10], div_value=2.0)
    >>> output, loss = layer(np.ones((3, 8), np.float32), [0, 5, 19])
    >>> output.shape, loss.name, layer.log_prob(np.ones((3, 8), np.float32)).shape
    ((3,), 'L', (3, 20))
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        *,
        dtype: Any = None,
        rng: RandomSource = None,
    ):
        what, rng = type(self).__name__, generator(rng)
        self.in_features = at_least_1(in_features, f"{what}: in_features")
        self.n_classes = at_least_1(n_classes, f"{what}: n_classes")
        ends = [0, *cutoffs, n_classes]
        if len(ends) < 3 or any(int(b) != b or b <= a for a, b in pairwise(ends)):
            raise ValueError(
                f"{what}: cutoffs must be rising integers from 1 to n_classes − 1 = {n_classes - 1}, got "
                f"{list(cutoffs)!r}"
            )
        self.cutoffs = [*map(int, cutoffs), self.n_classes]
        self.div_value, self.head_bias = div_value, bool(head_bias)
        sizes = [b - a for a, b in pairwise(self.cutoffs)]
        self.head = Linear(in_features, self.cutoffs[0] + len(sizes), self.head_bias, dtype=dtype, rng=rng)
        self.tail = ModuleList()
        for i, size in enumerate(sizes):
            narrow = at_least_1(int(in_features // div_value ** (i + 1)), f"{what}: the features of cluster {i}")
            layers = (Linear(a, b, False, dtype=dtype, rng=rng) for a, b in ((in_features, narrow), (narrow, size)))
            self.tail.append(Sequential(*layers))

    def forward(self, input: Any, target: Any) -> LogProbabilityAndLoss:
        """log p of the right classes: input of shape (N, in_features), integers of shape (N,); or one of each."""
        x = self._checked(input)
        alone = x.ndim == 1
        x = x.reshape((1, -1)) if alone else x
        labels = np.asarray(numbers_of(target))
        labels, _ = class_labels(labels[None] if alone else labels, (x.shape[0], self.n_classes), None, "target")
        first = self.cutoffs[0]
        cluster = np.searchsorted(self.cutoffs, labels, side="right")  # 0: in the head
        head = F.log_softmax(self.head(x), 1)
        output = head[np.arange(labels.size), np.where(cluster == 0, labels, first + cluster - 1)]
        parts, order = [output[cluster == 0]], [np.flatnonzero(cluster == 0)]
        for i, layers in enumerate(self.tail, 1):
            rows = np.flatnonzero(cluster == i)
            if rows.size:
                inside = F.log_softmax(layers(x[rows]), 1)[np.arange(rows.size), labels[rows] - self.cutoffs[i - 1]]
                parts.append(output[rows] + inside)
                order.append(rows)
        output = np.concatenate(parts)[np.argsort(np.concatenate(order))]
        loss = naming.loss(-output.mean())
        return LogProbabilityAndLoss(output[0] if alone else output, loss)

    def log_prob(self, input: Any) -> Any:
        """log p of every class, of shape (N, n_classes)."""
        x = self._checked(input)
        head = F.log_softmax(self.head(x), -1)
        first = self.cutoffs[0]
        parts = [head[..., :first]]
        for i, layers in enumerate(self.tail):
            parts.append(F.log_softmax(layers(x), -1) + head[..., first + i : first + i + 1])
        return np.concatenate(parts, axis=-1)

    def predict(self, input: Any) -> Any:
        """The most probable class of each example."""
        return numbers_of(self.log_prob(input)).argmax(axis=-1)

    def reset_parameters(self, rng: RandomSource = None) -> None:
        """Draw new parameters, as `Linear` does."""
        rng = generator(rng)
        for layer in (self.head, *(layer for layers in self.tail for layer in layers)):
            layer.reset_parameters(rng)

    def _checked(self, input: Any) -> Any:
        input = floating(input, "input")
        if input.ndim not in (1, 2) or input.shape[-1] != self.in_features:
            raise ShapeMismatch(
                f"input of shape (N, {self.in_features}) or ({self.in_features},) is needed, got shape {input.shape}"
            )
        return input

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, n_classes={self.n_classes}, cutoffs={self.cutoffs[:-1]}"
