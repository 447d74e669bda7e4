"""A run in a file: all that the rest of a training depends on, so that it goes on as if it had not ended."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from autograd.files import target_of

from ..data.loader import DataLoader
from ..module import Module
from ..optim.lr_scheduler import LRScheduler
from ..saving import load, save_arrays
from ..state import fitted
from .packing import TEXT, packed, unpacked
from .stopping import EarlyStopping

__all__ = ["Checkpoint", "generators_of", "settings_of"]

FORMAT = 1


class Checkpoint:
    """Where a training is written to after each epoch, and read from.

    Parameters
    ----------
    path : str or path
        Ends in ``.npz``.
    model : Module
    parts : dict of str to object
        What else changes in a training, with ``state_dict`` and ``load_state_dict``.
    generators : list of numpy.random.Generator
    settings : dict
        What must be the same when it goes on: numbers and words, in dicts.
    """

    def __init__(
        self, path: Any, model: Module, parts: Mapping[str, Any], generators: list[Any], settings: Mapping[str, Any]
    ):
        self.path: Path = target_of(path, (".npz",))
        self.model, self.parts, self.generators, self.settings = model, parts, generators, settings
        for name, part in parts.items():
            if not (hasattr(part, "state_dict") and hasattr(part, "load_state_dict")):
                raise TypeError(
                    f"fit: a checkpoint needs the state of the {name}: {type(part).__name__} has no state_dict"
                )
        self._found: dict[str, Any] | None = None
        packed(self._state(0, 0))  # what can't be written is told before anything is changed

    def _state(self, epoch: int, steps: int) -> dict[str, Any]:
        parts = {name: part.state_dict() for name, part in self.parts.items()}
        drawn = [{"kind": _kind(g), "state": g.bit_generator.state} for g in self.generators]
        return {
            "format": FORMAT, "epoch": epoch, "steps": steps, "settings": self.settings,
            "model": self.model.state_dict(), **parts, "generators": drawn,
        }  # fmt: skip

    def write(self, epoch: int, steps: int) -> None:
        """Write all as it is now, whole or not at all."""
        save_arrays(self.path, packed(self._state(epoch, steps)))

    def read(self) -> tuple[int, int]:
        """Read the file, if there is one, and hold it against what is to go on: epochs and steps that it has."""
        if not os.path.exists(self.path):
            return 0, 0
        arrays = load(self.path)
        try:
            if TEXT not in arrays:
                raise KeyError("only arrays, such as nn.save writes")
            found = unpacked(arrays)
            needed = {"format", "epoch", "steps", "settings", "model", "generators", *self.parts}
            if found["format"] != FORMAT:
                raise ValueError(f"of format {found['format']}")
            wrong = differences(found["settings"], self.settings)
            if not wrong and (lacking := needed - set(found)):
                raise KeyError(f"no {', '.join(sorted(lacking))}")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"resume: {str(self.path)!r} is no checkpoint of fit ({error})") from None
        drawn, here = [g["kind"] for g in found["generators"]], [_kind(g) for g in self.generators]
        wrong += [] if drawn == here else [f"generators: {', '.join(drawn)} there, {', '.join(here)} here"]
        if wrong:
            raise ValueError(
                f"resume: the checkpoint {str(self.path)!r} is of another run, and nothing was changed: "
                + "; ".join(wrong[:5])
                + (f"; and {len(wrong) - 5} more" if len(wrong) > 5 else "")
            )
        fitted(type(self.model).__name__, self.model.state_dict(), found["model"], True)
        self._found = found
        return int(found["epoch"]), int(found["steps"])

    def restore(self) -> None:
        """Give everything the state that `read` found."""
        if self._found is None:
            return
        for name, part in self.parts.items():
            part.load_state_dict(self._found[name])
        self.model.load_state_dict(self._found["model"])
        for g, drawn in zip(self.generators, self._found["generators"], strict=True):
            g.bit_generator.state = drawn["state"]
        self._found = None


def generators_of(model: Module, loss: Any, loaders: Iterable[DataLoader | None]) -> list[Any]:
    """Every generator that a training draws from, each once: those of layers, of the loss, of the orders."""
    sources = [model, loss, *loaders]
    found = {id(g): g for one in sources if hasattr(one, "generators") for g in one.generators()}
    return list(found.values())


def settings_of(
    model: Module, optimizer: Any, schedule: LRScheduler | None, stopping: EarlyStopping | None, loader: DataLoader
) -> dict[str, Any]:
    """What must be the same when a run goes on, as far as it can be seen."""
    state = model.state_dict().items()
    sizes: dict[str, Any] = {"examples": loader.size, "batches": len(loader)}
    return {
        "model": {path or "itself": type(module).__name__ for path, module in model.named_modules()},
        "numbers": {path: f"{array.dtype} of shape {array.shape}" for path, array in state},
        "optimizer": {
            "kind": type(optimizer).__name__,
            **{name: _listed(value) for name, value in getattr(optimizer, "defaults", {}).items()},
            "groups": [len(group["params"]) for group in getattr(optimizer, "param_groups", [])],
        },
        "schedule": _options(schedule),
        "early_stopping": None if stopping is None else {"kind": type(stopping).__name__, **vars(stopping)},
        "data": sizes,
    }


def _options(schedule: Any) -> Any:
    """The kind of a schedule and what its constructor was told, as far as it is kept under that name."""
    if isinstance(schedule, list):
        return [_options(one) for one in schedule]
    if not isinstance(schedule, LRScheduler):
        return _listed(schedule)
    held = {name.lstrip("_"): value for name, value in vars(schedule).items()}
    told = [name for name in inspect.signature(type(schedule)).parameters if name in held]
    kept = {name: _options(held[name]) for name in told if name not in ("optimizer", "last_epoch")}
    return {"kind": type(schedule).__name__, **kept}


def _listed(value: Any) -> Any:
    """A setting as it compares to one that was read again; functions and the like by their kind."""
    if isinstance(value, tuple | list):
        return [_listed(v) for v in value]
    return value if value is None or isinstance(value, bool | int | float | str) else type(value).__name__


def differences(there: Any, here: Any, path: str = "") -> list[str]:
    """Where two settings differ, in words: ``optimizer.momentum: 0.9 there, 0.5 here``."""
    if isinstance(there, Mapping) and isinstance(here, Mapping):
        keys = list(dict.fromkeys([*there, *here]))
        below = f"{path}." if path else ""
        if "kind" in keys and there.get("kind") != here.get("kind"):
            keys = ["kind"]
        paths = [path if key == "kind" else f"{below}{key}" for key in keys]
        return [
            text
            for key, where in zip(keys, paths, strict=True)
            for text in differences(there.get(key), here.get(key), where)
        ]
    if there == here:
        return []
    words = ["nothing" if v is None else v.get("kind", v) if isinstance(v, Mapping) else v for v in (there, here)]
    return [f"{path}: {words[0]} there, {words[1]} here"]


def _kind(generator: Any) -> str:
    return type(generator.bit_generator).__name__
