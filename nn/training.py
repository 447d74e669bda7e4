"""`fit` trains a network on data and returns the `History` of it; `evaluate` measures it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from autograd import Tensor, no_grad

from .functional import cross_entropy
from .functional.labels import check_labels
from .loader import DataLoader
from .module import Module
from .optim import Adam, Optimizer
from .seeding import RandomSource

__all__ = ["Evaluation", "History", "evaluate", "fit"]


class Evaluation(NamedTuple):
    """The mean loss over some data, and the share of right classes (None where the targets are not classes)."""

    loss: float
    accuracy: float | None


class History:
    """What happened in training, one entry per epoch. Prints as a table.

    Attributes
    ----------
    loss, accuracy : list of float
        Means over the epoch's batches, each measured before its step. `accuracy` is empty where targets are no classes.
    val_loss, val_accuracy : list of float
        On the validation data after the epoch; empty without them.
    seconds : list of float
    """

    def __init__(self) -> None:
        self.loss: list[float] = []
        self.accuracy: list[float] = []
        self.val_loss: list[float] = []
        self.val_accuracy: list[float] = []
        self.seconds: list[float] = []

    @property
    def epochs(self) -> int:
        """How many epochs were trained."""
        return len(self.loss)

    def __len__(self) -> int:
        return self.epochs

    def __str__(self) -> str:
        columns = [("epoch", [str(i + 1) for i in range(self.epochs)])]
        columns += [
            (name, [text.format(v) for v in values])
            for name, values, text in (
                ("loss", self.loss, "{:.4f}"),
                ("accuracy", self.accuracy, "{:.2%}"),
                ("val loss", self.val_loss, "{:.4f}"),
                ("val accuracy", self.val_accuracy, "{:.2%}"),
                ("seconds", self.seconds, "{:.2f}"),
            )
            if values
        ]
        widths = [max(len(name), *map(len, cells), 0) for name, cells in columns]
        lines = ["  ".join(name.rjust(w) for (name, _), w in zip(columns, widths, strict=True))]
        lines += [
            "  ".join(cells[i].rjust(w) for (_, cells), w in zip(columns, widths, strict=True))
            for i in range(self.epochs)
        ]
        return "\n".join(lines)

    __repr__ = __str__


def fit(
    model: Module,
    data: Any,
    *,
    epochs: int = 1,
    optimizer: Optimizer | None = None,
    lr: float | None = None,
    loss: Callable[[Any, Any], Any] = cross_entropy,
    batch_size: int = 64,
    validation: Any = None,
    seed: RandomSource = None,
    progress: bool = True,
    callbacks: Iterable[Callable[[int, Module, History], Any]] = (),
    on_step: Callable[[int, Module, float], Any] | None = None,
) -> History:
    """Train a network: for each batch the loss, its gradients, a step of the optimiser.

    Parameters
    ----------
    model : Module
    data : (images, labels), or DataLoader
        Arrays of one length; they are shuffled in each epoch. A DataLoader keeps its own order and batch size.
    epochs : int, optional
    optimizer : Optimizer, optional
        ``Adam(model.parameters(), lr)`` unless told.
    lr : float, optional
        The learning rate of that Adam, 1e-3 unless told.
    loss : callable, optional
        ``loss(output, target)``; `functional.cross_entropy` unless told, which takes logits. A network that ends with
        a Softmax needs `functional.log_loss`.
    batch_size : int, optional
    validation : (images, labels), or DataLoader, optional
        Measured after each epoch.
    seed : int or numpy.random.Generator, optional
        Decides the orders of the examples.
    progress : bool, optional
        Whether to show a bar with the loss and the accuracy.
    callbacks : iterable of callable, optional
        Each is called after each epoch, ``callback(epoch, model, history)`` with epochs from 1 on; training ends
        where one returns True.
    on_step : callable, optional
        Called after each step of the optimiser, ``on_step(step, model, loss)``, with steps from 1 on, counted through
        all epochs, and the batch's loss before the step as a float. Where it returns True, the epoch ends with this
        batch and the training with this epoch.

    Returns
    -------
    History

    Raises
    ------
    ValueError
        If the data are empty or hold NaN, lengths differ, a label is out of range, images don't fit the network, an
        option is out of range, or the optimizer has none of the model's parameters. Nothing was changed then.
    TypeError
        If an argument is of the wrong kind, such as a class where one made of it is needed.
    FloatingPointError
        If the loss becomes NaN or infinite. The step that it would lead to is not taken; the error's `history` has the
        epochs before.

    Examples
    --------
    >>> import numpy as np, nn
    >>> x = np.random.default_rng(0).normal(size=(200, 2))
    >>> y = (x[:, 0] > x[:, 1]).astype(int)
    >>> net = nn.Sequential(nn.Linear(2, 2, rng=0))
    >>> history = nn.fit(net, (x, y), epochs=5, lr=0.1, seed=0, progress=False)
    >>> history.accuracy[-1] > 0.9
    True
    """
    if not isinstance(model, Module):
        raise TypeError(f"fit: model must be a Module, got {type(model).__name__}")
    if isinstance(epochs, bool) or not isinstance(epochs, int | np.integer) or epochs < 1:
        raise ValueError(f"fit: epochs must be an integer of at least 1, got {epochs!r}")
    if optimizer is not None and lr is not None:
        raise ValueError("fit: give either optimizer or lr; an optimizer has its own learning rate")
    _check_loss(loss, "fit")
    _check_optimizer(optimizer, model)
    callbacks = _checked_callbacks(callbacks)
    _check_on_step(on_step)
    loader = _loader(data, batch_size, True, seed, "data")
    checked = _loader(validation, batch_size, False, None, "validation") if validation is not None else None
    for part, name in ((loader, "data"), (checked, "validation")):
        if part is not None:
            _try(model, part, loss, name)
    if optimizer is None:
        optimizer = Adam(model.parameters(), lr=1e-3 if lr is None else lr)
    history = History()
    training = [(module, module.training) for module in model.modules()]
    steps, ended = 0, False
    bar = _bar(epochs * len(loader)) if progress else None
    try:
        for epoch in range(1, epochs + 1):
            started = time.perf_counter()
            if bar is not None:
                bar.set_description(f"epoch {epoch}/{epochs}")
            model.train()
            measured = _Mean()
            for batch, (x, y) in enumerate(loader, 1):
                optimizer.zero_grad()
                out = model(x)
                value = loss(out, y)
                number = value.item()
                if not np.isfinite(number):
                    raise _diverged(number, epoch, batch, history)
                value.backward()
                optimizer.step()
                measured.add(number, out, y)
                if bar is not None:
                    bar.set_postfix_str(measured.text(), refresh=False)
                    bar.update()
                steps += 1
                ended = on_step is not None and on_step(steps, model, number) is True
                if ended:
                    break
            del out, value
            result = measured.result()
            history.loss.append(result.loss)
            if result.accuracy is not None:
                history.accuracy.append(result.accuracy)
            if checked is not None:
                result = evaluate(model, checked, loss=loss)
                history.val_loss.append(result.loss)
                if result.accuracy is not None:
                    history.val_accuracy.append(result.accuracy)
                if bar is not None:
                    bar.set_postfix_str(f"{measured.text()}, validation {_text(*result)}")
            history.seconds.append(time.perf_counter() - started)
            stop = [callback(epoch, model, history) is True for callback in callbacks]
            if ended or any(stop):
                break
    finally:
        if bar is not None:
            bar.close()
        for module, mode in training:
            module.training = mode
    return history


def evaluate(
    model: Module, data: Any, *, loss: Callable[[Any, Any], Any] = cross_entropy, batch_size: int = 256
) -> Evaluation:
    """The mean loss and the accuracy of a network on data, in evaluation mode, with nothing recorded.

    Parameters
    ----------
    model : Module
    data : (images, labels), or DataLoader
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
    _check_loss(loss, "evaluate")
    loader = _loader(data, batch_size, False, None, "data")
    modes = [(module, module.training) for module in model.modules()]
    measured = _Mean()
    try:
        model.eval()
        with no_grad():
            for x, y in loader:
                out = model(x)
                measured.add(loss(out, y).item(), out, y)
    finally:
        for module, mode in modes:
            module.training = mode
    return measured.result()


def _check_loss(loss: Any, what: str) -> None:
    if isinstance(loss, type):
        raise TypeError(f"{what}: loss is the class {loss.__name__}: make one, loss=nn.{loss.__name__}()")
    if not callable(loss):
        raise TypeError(f"{what}: loss must be a function loss(output, target), got {type(loss).__name__}")


def _check_optimizer(optimizer: Any, model: Module) -> None:
    if optimizer is None:
        return
    if isinstance(optimizer, type):
        name = optimizer.__name__
        raise TypeError(f"fit: optimizer is the class {name}: make one, optimizer=nn.{name}(model.parameters())")
    if not (hasattr(optimizer, "step") and hasattr(optimizer, "zero_grad")):
        raise TypeError(f"fit: optimizer must be one such as nn.Adam(model.parameters()), got {optimizer!r}")
    held = {id(p) for p in getattr(optimizer, "params", ())}
    if held and held.isdisjoint(id(p) for p in model.parameters()):
        raise ValueError(
            "fit: the optimizer has none of the model's parameters: make it with model.parameters() of this model"
        )


def _checked_callbacks(callbacks: Any) -> list[Callable[[int, Module, History], Any]]:
    if not np.iterable(callbacks):
        hint = f"[{getattr(callbacks, '__name__', 'callback')}]" if callable(callbacks) else "a list of functions"
        raise TypeError(f"fit: callbacks must be a list of functions, got {type(callbacks).__name__}: give {hint}")
    found: list[Any] = list(callbacks)
    for i, callback in enumerate(found):
        if not callable(callback):
            raise TypeError(
                f"fit: callback number {i} must be a function (epoch, model, history), got {type(callback).__name__}"
            )
    return found


def _check_on_step(on_step: Any) -> None:
    if on_step is None:
        return
    if isinstance(on_step, type):
        raise TypeError(f"fit: on_step is the class {on_step.__name__}: give a function (step, model, loss)")
    if not callable(on_step):
        raise TypeError(f"fit: on_step must be one function (step, model, loss), got {type(on_step).__name__}")


class _Mean:
    """Running means of the loss and the accuracy, each example counting the same."""

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self.right: int | None = 0

    def add(self, loss: float, out: Any, target: Any) -> None:
        n = len(target)
        self.count += n
        self.total += n * loss
        classes = _are_classes(out, target)
        if classes and self.right is not None:
            self.right += int((out.data.argmax(axis=1) == target).sum())
        else:
            self.right = None

    def result(self) -> Evaluation:
        accuracy = None if self.right is None else self.right / max(self.count, 1)
        return Evaluation(self.total / max(self.count, 1), accuracy)

    def text(self) -> str:
        return _text(*self.result())


def _text(loss: float, accuracy: float | None) -> str:
    return f"loss {loss:.4f}" + ("" if accuracy is None else f", accuracy {accuracy:.1%}")


def _are_classes(out: Any, target: Any) -> bool:
    return target.dtype.kind in "iu" and target.ndim == 1 and out.ndim == 2 and out.shape[1] > 1


def _loader(data: Any, batch_size: int, shuffle: bool, seed: RandomSource, name: str) -> DataLoader:
    if isinstance(data, DataLoader):
        if len(data.arrays) != 2:
            raise ValueError(
                f"{name}: a DataLoader of (images, labels) is needed, got one of {len(data.arrays)} arrays"
            )
        return data
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise TypeError(f"{name}: a pair (images, labels) or a DataLoader is needed, got {type(data).__name__}")
    return DataLoader(tuple(data), batch_size, shuffle, seed=seed)


def _try(model: Module, loader: DataLoader, loss: Callable[[Any, Any], Any], name: str) -> None:
    """One example through the network and the loss, so that what does not fit shows before anything is changed."""
    if not len(loader):
        raise ValueError(f"{name}: drop_last leaves no batch of {loader.batch_size} out of {loader.size} examples")
    images, labels = loader.arrays
    modes = [(module, module.training) for module in model.modules()]
    try:
        model.eval()
        with no_grad():
            out = model(images[:1])
            if not isinstance(out, Tensor):
                raise TypeError(f"fit: the model must return a Tensor, got {type(out).__name__}")
            if _are_classes(out, labels):
                check_labels(labels, out.shape[1], name)
            value = _tried(loss, out, labels)
    finally:
        for module, mode in modes:
            module.training = mode
    if not isinstance(value, Tensor) or value.size != 1:
        got = f"shape {value.shape}" if isinstance(value, Tensor) else type(value).__name__
        raise ValueError(f"fit: the loss must be a Tensor with one number, got {got} (reduction='mean' gives one)")


def _tried(loss: Callable[[Any, Any], Any], out: Tensor, labels: Any) -> Any:
    """The loss of the first example. An error is that of all labels, so that it tells their shape."""
    try:
        return loss(out, labels[:1])
    except (TypeError, ValueError) as error:
        problem = error
    if out.shape and len(out) == 1:
        loss(Tensor(np.repeat(out.data, len(labels), axis=0), name=out.name), labels)
    raise problem


def _diverged(number: float, epoch: int, batch: int, history: History) -> FloatingPointError:
    error = FloatingPointError(
        f"the loss became {number} in epoch {epoch}, batch {batch}: a smaller learning rate may help, or a look at "
        "what the network is given"
    )
    error.history = history  # type: ignore[attr-defined]
    return error


def _bar(total: int) -> Any:
    from tqdm import tqdm  # type: ignore[import-untyped]

    return tqdm(total=total, unit="batch", dynamic_ncols=True)
