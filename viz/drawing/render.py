"""Running Graphviz: where its program is, how long it may take, what is tried when it takes longer."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

HINT = (
    "no Graphviz program found: `pip install graphviz-pure`, or install Graphviz (https://graphviz.org), for pictures"
)
CHEAPER = (
    (),
    ("-Gnslimit=1", "-Gnslimit1=1", "-Gmclimit=0.5"),
    ("-Gnslimit=0.2", "-Gnslimit1=0.2", "-Gmclimit=0.1", "-Gsplines=line"),
)


class RenderError(RuntimeError):
    """Graphviz could not draw the picture; the message says why and what to do."""


def programs() -> list[str]:
    """The Graphviz programs on this machine: the system's ``dot`` first, then ``graphviz-pure``."""
    found = [shutil.which("dot"), _beside_python(), shutil.which("graphviz-pure"), _in_package()]
    return list(dict.fromkeys(path for path in found if path))


def _beside_python() -> str | None:
    return shutil.which("graphviz-pure", path=os.path.dirname(sys.executable))


def _in_package() -> str | None:
    try:
        files = importlib.metadata.files("graphviz-pure") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.stem == "graphviz-pure" and file.suffix in ("", ".exe"):
            path = Path(str(file.locate())).resolve()
            if path.is_file() and os.access(path, os.X_OK):
                return str(path)
    return None


def run_dot(program: str, text: str, *, time_limit: float = 20.0) -> bytes:
    """Lay out DOT text and draw it as an SVG.

    Parameters
    ----------
    program : str
        The path of a Graphviz program.
    text : str
        DOT.
    time_limit : float, optional
        Seconds for all tries: after half of it the layout is tried again with less effort, then with hardly any.

    Returns
    -------
    bytes
        The SVG.

    Raises
    ------
    RenderError
        If the program fails or takes too long.
    """
    end = time.monotonic() + time_limit
    for i, options in enumerate(CHEAPER):
        left = end - time.monotonic()
        limit = left if i == len(CHEAPER) - 1 else left / 2
        try:
            run = subprocess.run(
                [program, "-Tsvg", *options],
                input=text.encode(),
                capture_output=True,
                timeout=max(limit, 0.01),
                check=False,
            )
        except subprocess.TimeoutExpired:
            continue
        except OSError as error:
            raise RenderError(f"{program} could not be started: {error.strerror or error}") from error
        if run.returncode == 0 and run.stdout:
            return run.stdout
        if i == len(CHEAPER) - 1 or run.returncode > 0:
            said = run.stderr.decode(errors="replace").strip().splitlines()
            raise RenderError(f"{os.path.basename(program)} failed: {said[-1] if said else run.returncode}")
    raise RenderError(
        f"{os.path.basename(program)} took longer than {time_limit:g} s: draw less (level='layer', a smaller "
        "max_nodes) or allow more (time_limit=)"
    )
