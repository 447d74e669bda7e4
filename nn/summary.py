"""The table of a network's layers: what each is, the shape it gives out, how many parameters it has."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np

from autograd import Tensor

from .modes import modes_kept
from .naming import in_parent

__all__ = ["Row", "Summary", "summarize"]


class Row(NamedTuple):
    """One layer: its path, its class, the shape of its (first) output (None: not called), its own parameters."""

    path: str
    kind: str
    shape: tuple[int, ...] | None
    parameters: int


class Summary:
    """The layers of a network as `rows`, with totals; prints as a table.

    Attributes
    ----------
    rows : list of Row
    parameters, trained : int
        How many numbers the parameters hold, and how many of them require gradients. Shared ones count once.
    nbytes : int
        The memory of the parameters.
    """

    def __init__(self, rows: list[Row], parameters: int, trained: int, nbytes: int):
        self.rows = rows
        self.parameters = parameters
        self.trained = trained
        self.nbytes = nbytes

    def __str__(self) -> str:
        cells = [("layer", "kind", "output shape", "parameters")]
        paths = {row.path for row in self.rows[1:]}
        depths = {"": 0}
        for row in self.rows:
            name = row.path if row is self.rows[0] else in_parent(row.path, paths)
            above = row.path[: -len(name) - 1] if name != row.path else ""
            depth = 0 if row is self.rows[0] else depths[above] + 1
            depths[row.path] = depth
            shape = "not called" if row.shape is None else str(row.shape)
            count = f"{row.parameters:,}" if row.parameters else ""
            cells.append(("  " * depth + name, row.kind, shape, count))
        widths = [max(len(line[c]) for line in cells) for c in range(4)]
        lines = [
            "  ".join(
                [*(c.ljust(w) for c, w in zip(line[:3], widths, strict=False)), line[3].rjust(widths[3])]
            ).rstrip()
            for line in cells
        ]
        rule = "-" * max(map(len, lines))
        total = f"{self.parameters:,} parameters, {self.trained:,} of them trained, {self.nbytes:,} bytes"
        return "\n".join([lines[0], rule, *lines[1:], rule, total])

    __repr__ = __str__


def summarize(model: Any, inputs: Any) -> Summary:
    """Call the model once, in evaluation mode, and note the shape that each layer gives out."""
    parameters = list(model.parameters())
    if isinstance(inputs, tuple | list) and all(isinstance(n, int | np.integer) for n in inputs):
        if any(n < 1 for n in inputs):
            raise ValueError(f"summary: an input shape has lengths of at least 1, got {tuple(inputs)}")
        inputs = np.zeros(inputs, parameters[0].dtype if parameters else np.float32)
    elif not isinstance(inputs, np.ndarray | Tensor):
        raise TypeError(f"summary expects the shape of an input, (1, 1, 28, 28), or an input; got {inputs!r}")
    shapes: dict[int, tuple[int, ...] | None] = {}

    def note(module: Any, args: Any, out: Any) -> None:
        shapes[id(module)] = getattr(out[0] if isinstance(out, tuple) and out else out, "shape", None)

    with modes_kept(model), ExitStack() as stack:
        for module in model.modules():
            stack.enter_context(module.register_forward_hook(note))
        model.eval()(inputs)
    rows = []
    counted: set[int] = set()
    for path, module in model.named_modules():
        own = [p for p in module.parameters(recurse=False) if id(p) not in counted]
        counted.update(map(id, own))
        rows.append(
            Row(
                path or type(model).__name__.lower(),
                type(module).__name__,
                shapes.get(id(module)),
                sum(p.size for p in own),
            )
        )
    return Summary(
        rows,
        sum(p.size for p in parameters),
        sum(p.size for p in parameters if p.requires_grad),
        sum(p.size * p.dtype.itemsize for p in parameters),
    )
