"""`fit`: the loop of training."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..functional import cross_entropy
from ..module import Module
from ..optim import Optimizer
from ..seeding import RandomSource
from ..utils import clip_grad_norm_
from . import checks
from .buffers import Buffers
from .checkpoint import Checkpoint, generators_of, settings_of
from .cluster import Cluster
from .diagnostics import Diagnostics
from .divergence import diverged, steep
from .history import History
from .interrupts import Whole
from .measuring import Mean, check_loss, evaluate, in_words, loader_of, pair
from .rates import Rates, rate_of
from .stopping import Best

__all__ = ["fit"]


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
    schedule: Any = None,
    schedule_every: str | None = None,
    clip_grad_norm: float | None = None,
    early_stopping: Any = None,
    checkpoint: Any = None,
    resume: bool = False,
    diagnostics: bool | Diagnostics = False,
    cluster: Any = None,
) -> History:
    """Train a network: for each batch the loss, its gradients, a step of the optimiser.

    Parameters
    ----------
    model : Module
    data : (images, labels), or a data set of such pairs, or DataLoader
        They are shuffled in each epoch. A DataLoader keeps its own order and batch size.
    epochs : int, optional
        How many in all, those of a run that is resumed included.
    optimizer : Optimizer, optional
        ``Adam(model.parameters(), lr)`` unless told, or that of `schedule`.
    lr : float, optional
        The learning rate of that Adam, 1e-3 unless told.
    loss : callable, optional
        ``loss(output, target)``; `functional.cross_entropy` unless told, which takes logits. A network that ends with
        a Softmax needs `functional.log_loss`.
    batch_size : int, optional
    validation : as data, optional
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
    schedule : one of nn.optim.lr_scheduler, or function, optional
        Changes the learning rate; a function makes one of the optimiser, where none is given. ReduceLROnPlateau is
        told the validation loss (without validation data the loss; with ``mode="max"`` the accuracy).
    schedule_every : "epoch" or "step", optional
        When it steps: after each epoch, OneCycleLR and CyclicLR after each step of the optimiser, unless told.
    clip_grad_norm : float, optional
        Gradients of a larger norm, all taken as one vector, are shortened to it: `nn.utils.clip_grad_norm_`.
    early_stopping : int or EarlyStopping, optional
        After how many epochs in a row without a better one to end. The network then has the numbers of the best epoch.
    checkpoint : str or path, optional
        An ``.npz`` file to write the run to after each epoch, whole or not at all: parameters and buffers, the states
        of optimiser, schedule and random generators, the history, the best numbers. Nothing in it is pickled.
    resume : bool, optional
        Go on from `checkpoint`, with the numbers of a run that was never ended. Begin if there is no such file yet.
        Callbacks that keep numbers of their own, and generators that only they or the data know, are not in it.
    diagnostics : bool or Diagnostics, optional
        Measure every tenth step, or as told, what each layer does: ``history.diagnostics``. Not in the checkpoint.
    cluster : distributed.Client, optional
        Compute each batch in as many chunks as it has workers, and step here (extra `dask`; docs/scale.md). The loss
        must be a mean over examples; batch normalisation is refused. Dropout draws by step and chunk.

    Returns
    -------
    History
        Ctrl-C ends the training and is no error: no half step is taken, one line is printed, `history.interrupted` is
        True. The network then has the numbers of the best epoch, if there are validation data or `early_stopping`,
        else those of the last whole step.

    Raises
    ------
    ValueError
        If the data are empty or hold NaN, lengths differ, a label is out of range, images don't fit the network, an
        option is out of range, the optimizer has none of the model's parameters, or the checkpoint is of another run:
        what differs. Nothing was changed then.
    TypeError
        If an argument is of the wrong kind, such as a class where one made of it is needed.
    FloatingPointError
        If the loss becomes NaN or infinite, or the norm that gradients are clipped by: where it was born, as name,
        operation and line. The step that it would lead to is not taken; the error's `history` has the epochs before.
    RuntimeError
        If the workers of the cluster die for good. The parameters are those of the last whole step.

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
    if resume and checkpoint is None:
        raise ValueError("fit: resume needs a checkpoint, the file to go on from")
    check_loss(loss, "fit")
    watch = checks.watching(diagnostics)
    callbacks = checks.checked_callbacks(callbacks)
    checks.check_on_step(on_step)
    clip_grad_norm = checks.positive(clip_grad_norm, "clip_grad_norm")
    optimizer = checks.given_optimizer(model, optimizer, lr, schedule)
    loader = loader_of(data, batch_size, True, seed, "data")
    checked = loader_of(validation, batch_size, False, None, "validation") if validation is not None else None
    workers = None if cluster is None else Cluster(cluster, model, loss)
    if workers is not None and watch is not None:
        raise ValueError("fit: diagnostics look at layers as they compute, which they do elsewhere with cluster=")
    classes = checks.try_out(model, loader, loss, "data")
    if checked is not None:
        classes = checks.try_out(model, checked, loss, "validation") and classes
    optimizer, schedule = checks.made(model, optimizer, lr, schedule)
    stopping, monitor = checks.best_of(early_stopping, checked is not None, classes)
    rates = Rates(schedule, schedule_every, checked is not None, classes)
    history = History()
    history.diagnostics = watch
    best = Best(monitor, stopping) if monitor else None
    file, epoch, steps = None, 0, 0
    if checkpoint is not None:
        parts = {"optimizer": optimizer, "schedule": schedule, "history": history, "best": best}
        parts = {name: part for name, part in parts.items() if part is not None}
        settings = settings_of(model, optimizer, schedule, stopping, loader)
        settings["options"] = {"clip_grad_norm": clip_grad_norm, "schedule_every": rates.every, "monitor": monitor}
        file = Checkpoint(checkpoint, model, parts, generators_of(model, loss, (loader, checked)), settings)
        epoch, steps = file.read() if resume else (0, 0)
    rates.check(epochs * len(loader), epoch > 0)
    if file is not None:
        file.restore()
    training = [(module, module.training) for module in model.modules()]
    whole, buffers, ended = Whole(), Buffers(model), False
    bar = _bar(epochs * len(loader), epoch * len(loader)) if progress else None
    whole.start()
    try:
        if watch is not None:
            watch.start(model)
        while epoch < epochs and not ended and not (best is not None and best.stop):
            epoch += 1
            started = time.perf_counter()
            if bar is not None:
                bar.set_description(f"epoch {epoch}/{epochs}")
            model.train()
            measured, rate = Mean(), None
            for batch, examples in enumerate(loader, 1):
                x, y = pair(examples, "data")
                where = f"epoch {epoch}, batch {batch}"
                buffers.keep()
                optimizer.zero_grad()
                if watch is not None:
                    watch.before(steps + 1)
                if workers is None:
                    out = model(x)
                    value = loss(out, y)
                else:
                    out, value, grads = workers.step(x, y, steps + 1, where)
                number = value.item()
                if not np.isfinite(number):
                    raise diverged(value, number, where, model, history)
                if workers is None:
                    value.backward()
                else:
                    for parameter, grad in zip(model.parameters(), grads, strict=True):
                        parameter.grad = grad
                if clip_grad_norm is not None:
                    norm = clip_grad_norm_(model.parameters(), clip_grad_norm)
                    if not np.isfinite(norm):
                        raise steep(norm, where, model, history)
                if watch is not None:
                    watch.ready()
                with whole:
                    rate = rate_of(optimizer)
                    optimizer.step()
                    rates.after_step()
                    buffers.forget()
                    steps += 1
                if watch is not None:
                    watch.after(steps)
                measured.add(number, out, y)
                if bar is not None:
                    bar.set_postfix_str(str(measured), refresh=False)
                    bar.update()
                ended = on_step is not None and on_step(steps, model, number) is True
                if ended:
                    break
            del out, value
            validated = None if checked is None else evaluate(model, checked, loss=loss)
            if bar is not None and validated is not None:
                bar.set_postfix_str(f"{measured}, validation {in_words(validated)}")
            with whole:
                history.add(measured.result(), validated, rate, time.perf_counter() - started)
                rates.after_epoch(history)
                if best is not None:
                    best.look(history, model)
            stop = [callback(epoch, model, history) is True for callback in callbacks]
            ended = ended or any(stop)
            if file is not None:
                with whole:
                    file.write(epoch, steps)
    except KeyboardInterrupt:
        optimizer.zero_grad()
        history.interrupted = True
    finally:
        whole.end()
        buffers.put_back()
        if watch is not None:
            watch.end()
        if bar is not None:
            bar.close()
        for module, mode in training:
            module.training = mode
    if best is not None and (stopping is not None or history.interrupted):
        best.restore(model)
    if history.interrupted:
        print(_interrupted(epoch, history, best, file))
    return history


def _interrupted(epoch: int, history: History, best: Best | None, file: Checkpoint | None) -> str:
    if best is not None and history.best_epoch is not None:
        numbers = f"those of epoch {history.best_epoch}, the best ({best.monitor} {best.value:.4f})"
    else:
        numbers = "those of the last whole step"
    told = f"fit: interrupted in epoch {epoch}; the parameters are {numbers}"
    return told if file is None else f"{told}; resume=True goes on from {file.path.name}"


def _bar(total: int, done: int) -> Any:
    from tqdm import tqdm  # type: ignore[import-untyped]

    return tqdm(total=total, initial=done, unit="batch", dynamic_ncols=True)
