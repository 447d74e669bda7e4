"""What `fit` was given, looked at before anything is changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import Tensor, no_grad

from ..data.loader import DataLoader
from ..functional.labels import check_labels
from ..modes import modes_kept
from ..module import Module
from ..optim import Adam
from ..optim.lr_scheduler import LRScheduler
from .diagnostics import Diagnostics
from .measuring import are_classes, pair
from .stopping import EarlyStopping

__all__ = [
    "best_of",
    "check_on_step",
    "checked_callbacks",
    "given_optimizer",
    "made",
    "positive",
    "try_out",
    "watching",
]


def given_optimizer(model: Module, optimizer: Any, lr: float | None, schedule: Any) -> Any:
    """The optimiser that was given, with a schedule or by itself; None where one is to be made."""
    if isinstance(schedule, type):
        name = schedule.__name__
        raise TypeError(f"fit: schedule is the class {name}: make one, or give lambda optimizer: {name}(optimizer, …)")
    if isinstance(schedule, LRScheduler):
        if optimizer is not None and schedule.optimizer is not optimizer:
            raise ValueError("fit: the schedule is of another optimizer")
        optimizer = schedule.optimizer
    elif schedule is not None and not callable(schedule):
        raise TypeError(f"fit: schedule must be one of nn.optim.lr_scheduler, got {type(schedule).__name__}")
    elif schedule is not None and optimizer is not None:
        raise ValueError(
            "fit: a schedule that is a function is for the optimizer that fit makes: give schedule(optimizer)"
        )
    if optimizer is not None and lr is not None:
        raise ValueError("fit: give either optimizer or lr; an optimizer has its own learning rate")
    _check_optimizer(optimizer, model)
    return optimizer


def made(model: Module, optimizer: Any, lr: float | None, schedule: Any) -> tuple[Any, Any]:
    """Optimiser and schedule, made where none was given."""
    if optimizer is None:
        optimizer = Adam(model.parameters(), lr=1e-3 if lr is None else lr)
    if schedule is not None and not isinstance(schedule, LRScheduler):
        schedule = schedule(optimizer)
        if not isinstance(schedule, LRScheduler) or schedule.optimizer is not optimizer:
            raise TypeError(f"fit: schedule must give a schedule of the optimizer it is called with, got {schedule!r}")
    return optimizer, schedule


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


def best_of(early_stopping: Any, validated: bool, classes: bool) -> tuple[EarlyStopping | None, str]:
    """When to stop early, if at all, and by what epochs are compared."""
    if early_stopping is None or early_stopping is False:
        return None, "val_loss" if validated else ""
    if isinstance(early_stopping, type):
        raise TypeError(f"fit: early_stopping is the class {early_stopping.__name__}: make one, or give the patience")
    if isinstance(early_stopping, EarlyStopping):
        stopping = early_stopping
    elif isinstance(early_stopping, int | np.integer) and not isinstance(early_stopping, bool):
        stopping = EarlyStopping(patience=int(early_stopping))
    else:
        raise TypeError(f"fit: early_stopping must be a patience in epochs or an EarlyStopping, got {early_stopping!r}")
    monitor = stopping.monitor or ("val_loss" if validated else "loss")
    if monitor.startswith("val_") and not validated:
        raise ValueError(f"fit: early_stopping watches {monitor}, but there are no validation data")
    if monitor.endswith("accuracy") and not classes:
        raise ValueError(f"fit: early_stopping watches {monitor}, but the targets are no classes")
    return stopping, monitor


def positive(value: Any, name: str) -> float | None:
    """A number above 0, or None."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not value > 0:
        raise ValueError(f"fit: {name} must be a number above 0, got {value!r}")
    return float(value)


def checked_callbacks(callbacks: Any) -> list[Callable[[int, Module, Any], Any]]:
    """The functions that are called after each epoch."""
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


def check_on_step(on_step: Any) -> None:
    """Refuse what is no function."""
    if on_step is None:
        return
    if isinstance(on_step, type):
        raise TypeError(f"fit: on_step is the class {on_step.__name__}: give a function (step, model, loss)")
    if not callable(on_step):
        raise TypeError(f"fit: on_step must be one function (step, model, loss), got {type(on_step).__name__}")


def watching(diagnostics: Any) -> Diagnostics | None:
    """What measures the layers, if anything is to."""
    if diagnostics is None or diagnostics is False:
        return None
    if diagnostics is True:
        return Diagnostics()
    if not isinstance(diagnostics, Diagnostics):
        raise TypeError(f"fit: diagnostics must be True or an nn.Diagnostics, got {diagnostics!r}")
    if diagnostics.steps:
        raise ValueError("fit: these diagnostics have measured another run; make new ones")
    return diagnostics


def try_out(model: Module, loader: DataLoader, loss: Callable[[Any, Any], Any], name: str) -> bool:
    """One example through the network and the loss, so that what does not fit shows before anything is changed.

    Returns whether the targets are classes.
    """
    if not len(loader):
        raise ValueError(f"{name}: drop_last leaves no batch of {loader.batch_size} out of {loader.size} examples")
    images, label = pair(loader.first(), name)
    labels = loader.arrays[1] if loader.arrays and loader.collate_fn is None else label
    with modes_kept(model), no_grad():
        model.eval()
        out = model(images)
        if not isinstance(out, Tensor):
            raise TypeError(f"fit: the model must return a Tensor, got {type(out).__name__}")
        if classes := are_classes(out, labels):
            check_labels(labels, out.shape[1], name)
        value = _tried(loss, out, label, labels)
    if not isinstance(value, Tensor) or value.size != 1:
        got = f"shape {value.shape}" if isinstance(value, Tensor) else type(value).__name__
        raise ValueError(f"fit: the loss must be a Tensor with one number, got {got} (reduction='mean' gives one)")
    return classes


def _tried(loss: Callable[[Any, Any], Any], out: Tensor, label: Any, labels: Any) -> Any:
    """The loss of the first example. An error is that of all labels, so that it tells their shape."""
    try:
        return loss(out, label)
    except (TypeError, ValueError) as error:
        problem = error
    if out.shape and len(out) == 1:
        loss(Tensor(np.repeat(out.data, len(labels), axis=0), name=out.name), labels)
    raise problem
