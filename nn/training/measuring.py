"""`evaluate`, and the running means of loss and accuracy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from autograd import no_grad
from autograd.nests import numbers_of

from ..data.loader import DataLoader
from ..data.sets import is_dataset
from ..functional import cross_entropy
from ..modes import modes_kept
from ..module import Module
from ..seeding import RandomSource

__all__ = ["Evaluation", "Mean", "are_classes", "check_loss", "evaluate", "in_words", "loader_of", "pair"]


class Evaluation(NamedTuple):
    """The mean loss over some data, and the share of right classes (None where the targets are not classes)."""

    loss: float
    accuracy: float | None


def evaluate(
    model: Module, data: Any, *, loss: Callable[[Any, Any], Any] = cross_entropy, batch_size: int = 256
) -> Evaluation:
    """The mean loss and the accuracy of a network on data, in evaluation mode, with nothing recorded.

    Parameters
    ----------
    model : Module
    data : (images, labels), or a data set of such pairs, or DataLoader
    loss : callable, optional
        As for `fit`.
    batch_size : int, optional

    Returns
    -------
    Evaluation
        A pair (loss, accuracy).
    """
    if not isinstance(model, Module):
        raise TypeError(f"evaluate: model must be a Module, got {type(model).__name__}")
    check_loss(loss, "evaluate")
    loader = loader_of(data, batch_size, False, None, "data")
    measured = Mean()
    with modes_kept(model), no_grad():
        model.eval()
        for batch in loader:
            x, y = pair(batch, "data")
            out = model(x)
            measured.add(loss(out, y).item(), out, y)
    return measured.result()


class Mean:
    """Running means of the loss and the accuracy, each example counting the same."""

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self.right: int | None = 0

    def add(self, loss: float, out: Any, target: Any) -> None:
        """Take in a batch: its mean loss, the network's output, what it should be."""
        n = len(target)
        self.count += n
        self.total += n * loss
        classes = are_classes(out, target)
        if classes and self.right is not None:
            self.right += int((out.data.argmax(axis=1) == np.asarray(numbers_of(target))).sum())
        else:
            self.right = None

    def result(self) -> Evaluation:
        """The means so far."""
        accuracy = None if self.right is None else self.right / max(self.count, 1)
        return Evaluation(self.total / max(self.count, 1), accuracy)

    def __str__(self) -> str:
        return in_words(self.result())


def in_words(measured: Evaluation) -> str:
    """``loss 0.3210, accuracy 90.0%``."""
    loss, accuracy = measured
    return f"loss {loss:.4f}" + ("" if accuracy is None else f", accuracy {accuracy:.1%}")


def are_classes(out: Any, target: Any) -> bool:
    """Whether the targets are labels of classes that the output has a number for each of."""
    target = np.asarray(numbers_of(target))
    return target.dtype.kind in "iu" and target.ndim == 1 and out.ndim == 2 and out.shape[1] > 1


def pair(batch: Any, name: str) -> Any:
    """A batch, if it is one of images and labels."""
    if not isinstance(batch, tuple | list) or len(batch) != 2:
        got = f"{len(batch)} parts" if isinstance(batch, tuple | list) else type(batch).__name__
        raise ValueError(f"{name}: a batch must be a pair (images, labels), got {got}")
    return batch


def loader_of(data: Any, batch_size: int, shuffle: bool, seed: RandomSource, name: str) -> DataLoader:
    """The loader that was given, or one of the data that were."""
    if isinstance(data, DataLoader):
        if data.arrays and len(data.arrays) != 2 and data.collate_fn is None:
            raise ValueError(
                f"{name}: a DataLoader of (images, labels) is needed, got one of {len(data.arrays)} arrays"
            )
        return data
    if is_dataset(data):
        return loader_of(DataLoader(data, batch_size, shuffle, seed=seed), batch_size, shuffle, seed, name)
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise TypeError(f"{name}: a pair (images, labels) or a DataLoader is needed, got {type(data).__name__}")
    return DataLoader(tuple(data), batch_size, shuffle, seed=seed)


def check_loss(loss: Any, what: str) -> None:
    """Refuse what is no function, and a class of losses."""
    if isinstance(loss, type):
        raise TypeError(f"{what}: loss is the class {loss.__name__}: make one, loss=nn.{loss.__name__}()")
    if not callable(loss):
        raise TypeError(f"{what}: loss must be a function loss(output, target), got {type(loss).__name__}")
