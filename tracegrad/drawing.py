"""``tracegrad draw`` and ``tracegrad step``: find the loss in somebody's script, draw its graph or step through it."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import runpy
import sys
import traceback
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import viz
from autograd import Tape, Tensor
from autograd.recording import IS_HIDDEN

from .errors import UsageError


def draw_target(
    target: str,
    out: Path,
    *,
    level: str,
    direction: str | None,
    max_nodes: int,
    legend: bool = False,
    given: Sequence[str] = (),
) -> None:
    """Draw the loss that `target` names into the file `out`.

    Parameters
    ----------
    target : str
        ``FILE.py:NAME`` or ``module:NAME``; NAME is a Tensor, a Tape, or a function that returns one.
    out : Path
        Its suffix decides the format.
    level, direction, max_nodes, legend
        As for `viz.draw`.
    given : sequence of str, optional
        The script's own arguments.

    Raises
    ------
    UsageError
        If there is no such script, module or name, the script fails, or what it names can't be drawn.
    """
    loss = _loss_of(target, given)
    try:
        viz.draw(loss, level=level, direction=direction, max_nodes=max_nodes, legend=legend).save(out)
    except (ValueError, TypeError, OSError, RuntimeError) as error:
        raise UsageError(str(error)) from error
    print(f"wrote {out}")


def step_target(
    target: str,
    out: Path | None,
    *,
    break_at: str | None = None,
    against: Path | None = None,
    given: Sequence[str] = (),
) -> None:
    """Write the step view of the loss that `target` names into the file `out`, or print all its steps.

    Parameters
    ----------
    target : str
        As for `draw_target`.
    out : Path or None
        Ends in ``.html`` or ``.txt``.
    break_at : str, optional
        Where the page opens: a layer, a value, ``nan``.
    against : Path, optional
        An ``.npz`` file of gradients derived by hand, by the names of what they belong to.
    given : sequence of str, optional
        The script's own arguments.

    Raises
    ------
    UsageError
        As for `draw_target`; if that file can't be read; if there is no page for `break_at` to open.
    """
    if break_at is not None and (out is None or out.suffix.lower() == ".txt"):
        raise UsageError("--break-at says where a page opens, and no page is written: add --out steps.html")
    hand = None if against is None else _arrays(against)
    loss = _loss_of(target, given)
    try:
        stepper = viz.step(loss, break_at=break_at, against=hand)
        if out is not None:
            stepper.save(out)
    except (ValueError, TypeError, OSError) as error:
        raise UsageError(str(error)) from error
    except KeyError as error:
        raise UsageError(str(error.args[0])) from error
    if out is not None:
        print(f"wrote {out}")
        if break_at == "nan" and not stepper.breakpoints:
            print(f"no NaN or Inf is born in {target}: the page opens at its first step")
        return
    for step in stepper:
        print(step, end="\n\n")


def check_target(target: str, against: Path, *, timeout: float, given: Sequence[str] = ()) -> int:
    """Print which step of a derivation is wrong, as ``tracegrad check`` does; 1 if one is, else 0."""
    hand = _arrays(against)
    loss = _loss_of(target, given)
    try:
        found = viz.explain_mismatch(loss, hand, timeout=timeout)
    except (ValueError, TypeError) as error:
        raise UsageError(str(error)) from error
    except KeyError as error:
        raise UsageError(str(error.args[0])) from error
    print(found)
    return 0 if found.ok else 1


def _arrays(path: Path) -> dict[str, Any]:
    """The arrays of an ``.npz`` file, by name."""
    try:
        with contextlib.ExitStack() as stack:
            found = np.load(path, allow_pickle=False)
            if isinstance(found, np.ndarray):
                raise UsageError(f"--against: {path} holds one array; expected an .npz file, np.savez(…, W1=dW1)")
            return dict(stack.enter_context(found))
    except FileNotFoundError:
        raise UsageError(f"--against: there is no file {path}") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UsageError(f"--against: {path} is no .npz file of numbers: {error}") from error


def _loss_of(target: str, given: Sequence[str]) -> Tensor | Tape:
    place, colon, name = target.rpartition(":")
    if not colon or not place or not name:
        raise UsageError(f"expected FILE.py:NAME or module:NAME, got {target!r}")
    with _own_arguments(place, given):
        found = _lookup(_namespace(place), name, place)
        if callable(found) and not isinstance(found, Tensor | Tape):
            with _reporting(f"{name}() in {place}"):
                found = found()
    if not isinstance(found, Tensor | Tape):
        raise UsageError(
            f"{name} in {place} is of type {type(found).__name__}; expected a Tensor, or a function returning one"
        )
    return found


def _namespace(place: str) -> dict[str, Any]:
    if place.endswith(".py"):
        path = Path(place)
        if not path.is_file():
            raise UsageError(f"there is no file {place}")
        with _reporting(place), _import_path(str(path.resolve().parent)):
            return runpy.run_path(str(path), run_name="__tracegrad__")
    with _reporting(place), _import_path("."):
        try:
            return vars(importlib.import_module(place))
        except ModuleNotFoundError as error:
            if error.name and place.split(".")[0] == error.name.split(".")[0]:
                raise UsageError(f"there is no module {place} (a script needs its suffix: {place}.py)") from None
            raise


@contextlib.contextmanager
def _own_arguments(place: str, given: Sequence[str]) -> Iterator[None]:
    """Let a script find its own arguments in ``sys.argv``, and none of ours."""
    ours = sys.argv
    sys.argv = [place, *given]
    try:
        yield
    finally:
        sys.argv = ours


@contextlib.contextmanager
def _import_path(folder: str) -> Iterator[None]:
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(folder)


@contextlib.contextmanager
def _reporting(what: str) -> Iterator[None]:
    """Turn an error of somebody's script into one that shows its own last line, not our frames."""
    try:
        yield
    except UsageError:
        raise
    except (Exception, SystemExit) as error:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if not _is_ours(f.filename)]
        place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else what
        if isinstance(error, SyntaxError):
            place = f"{error.filename}:{error.lineno}"
        raise UsageError(f"{what} failed with {type(error).__name__}: {error} ({place})") from error


def _is_ours(filename: str) -> bool:
    return "runpy" in filename or IS_HIDDEN[filename] or Path(filename).parent == Path(__file__).parent


def _lookup(names: dict[str, Any], name: str, place: str) -> Any:
    if name in names:
        return names[name]
    drawable = [key for key, value in names.items() if isinstance(value, Tensor | Tape) or callable(value)]
    near = difflib.get_close_matches(name, [key for key in drawable if not key.startswith("_")], n=3, cutoff=0.3)
    raise UsageError(f"{place} has no {name!r}" + (f"; nearest: {', '.join(near)}" if near else ""))
