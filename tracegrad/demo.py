"""``tracegrad demo``: a convolutional network on real handwritten digits, from training to the picture of one digit.

conv g⁽¹⁾ → sigmoid → max-pool → conv g⁽²⁾ → sigmoid → max-pool → flatten → W⁽¹⁾ → sigmoid → W⁽²⁾ → softmax ŷ,
with the loss L = −Σ y log ŷ.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import nn
import viz
from autograd import Tape, Tensor, no_grad
from autograd.listing import summary
from nn.functional import log_loss

from .errors import UsageError

BATCH_SIZE = 32
LEARNING_RATE = 0.005
NEXT = """
wrote, to be opened in a browser:
  {out}/steps.html      every step of the backpropagation of that digit; → goes on
  {out}/graph.svg       its computation graph, operation by operation
  {out}/layers.svg      the same, layer by layer
and {out}/parameters.npz: what was learned, for model.load_state_dict(dict(np.load(...)))

next, with a script of yours that leaves a loss (a Tensor) under the name loss:
  tracegrad step SCRIPT.py:loss --out steps.html
  tracegrad draw SCRIPT.py:loss --out graph.svg
"""


class DigitNet(nn.Module):
    """The network of the diagram: two convolutions, two dense layers, sigmoids between them, a softmax at the end.

    Parameters
    ----------
    dtype : dtype, optional
        Of the parameters.

    Notes
    -----
    The weights start from Glorot and Bengio's uniform distribution (2010, "Understanding the difficulty
    of training deep feedforward neural networks"), four times as wide before a sigmoid: PyTorch's default is too narrow
    for sigmoids. The biases start at 0.
    """

    def __init__(self, dtype: Any = np.float32):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, dtype=dtype)
        self.sigmoid1 = nn.Sigmoid()
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(6, 16, 5, dtype=dtype)
        self.sigmoid2 = nn.Sigmoid()
        self.pool2 = nn.MaxPool2d(2)
        self.flatten = nn.Flatten()
        self.linear1 = nn.Linear(256, 64, dtype=dtype)
        self.sigmoid3 = nn.Sigmoid()
        self.linear2 = nn.Linear(64, 10, dtype=dtype)
        self.softmax = nn.Softmax(dim=1)
        for layer, gain in ((self.conv1, 4.0), (self.conv2, 4.0), (self.linear1, 4.0), (self.linear2, 1.0)):
            nn.init.xavier_uniform_(layer.weight, gain=gain)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

    def forward(self, x: Any) -> Any:
        """The probabilities (N, 10) of images (N, 1, 28, 28)."""
        a = self.pool1(self.sigmoid1(self.conv1(x)))
        a = self.pool2(self.sigmoid2(self.conv2(a)))
        a = self.sigmoid3(self.linear1(self.flatten(a)))
        return self.softmax(self.linear2(a))


def run(out: Path, *, seed: int = 0, epochs: int = 15, quiet: bool = False) -> None:
    """Train, look at one digit, check the gradients, write the pictures and the parameters.

    Parameters
    ----------
    out : Path
        The folder to write to; it is made if it is missing.
    seed : int, optional
        Of the weights and the order of the digits.
    epochs : int, optional
        Passes over the 5,000 training digits.
    quiet : bool, optional
        No progress bar.

    Raises
    ------
    UsageError
        If nothing can be written to `out`.
    """
    _prepare(out)
    nn.manual_seed(seed)
    model = DigitNet()
    train, test = nn.datasets.mnist("both")
    if not quiet:
        print(f"training on {len(train[1])} handwritten digits, {epochs} epochs")
    optimizer = nn.Adam(model.parameters(), lr=LEARNING_RATE)
    nn.fit(
        model, train, epochs=epochs, optimizer=optimizer, loss=log_loss, batch_size=BATCH_SIZE, seed=seed,
        progress=not quiet,
    )  # fmt: skip
    result = nn.evaluate(model, test, loss=log_loss)
    print(f"accuracy on {len(test[1])} digits it has not seen: {result.accuracy:.1%}")

    index = least_certain(model, *test)
    digit, other = ((test[0][[i]], test[1][[i]]) for i in (index, (index + 1) % len(test[1])))
    probabilities, loss = _forward(model, *digit)
    guess, label = int(np.argmax(probabilities.data)), int(digit[1][0])
    print(f"\nthe test digit it is least sure of, number {index}, is a {label}; it says {guess}:")
    print("ŷ = " + np.array2string(probabilities.data[0], precision=3, suppress_small=True) + "\n")
    print(intermediates(Tape(loss)))
    print("\nevery parameter's gradient against central differences in float64\n")
    print(check_gradients(model, *digit))
    graph = viz.draw(loss, level="op")
    layers = viz.draw(loss, level="layer")
    steps = viz.step(loss)
    state = model.state_dict()
    print("\nwhat changes from image to image, and what a step of learning changes\n")
    print(compare(model, digit, other))

    graph.save(out / "graph.svg")
    layers.save(out / "layers.svg")
    steps.save(out / "steps.html")
    _save_arrays(out / "parameters.npz", state)
    print(NEXT.format(out=out))


def least_certain(model: DigitNet, images: Any, labels: Any) -> int:
    """The position of the digit whose probability of being what it is is nearest to ½: its gradients are large."""
    with no_grad():
        probabilities = model(images).data
    return int(np.argmin(np.abs(probabilities[np.arange(len(labels)), labels] - 0.5)))


def _prepare(out: Path) -> None:
    """Make the folder, and see before the work starts that files can be written there."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise UsageError(f"can't write to the folder {out}: {error.strerror}") from error


def _save_arrays(path: Path, arrays: dict[str, Any]) -> None:
    """Write the file whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        with open(partial, "wb") as file:
            np.savez(file, **arrays)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _forward(model: DigitNet, image: Any, label: Any) -> tuple[Tensor, Tensor]:
    probabilities = model(image)
    return probabilities, log_loss(probabilities, label)


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[c]) for row in [header, *rows]) for c in range(len(header))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in [header, *rows]]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def _named(tape: Tape) -> list[Any]:
    """The records of z⁽ˡ⁾, a⁽ˡ⁾, ŷ and L, in order."""
    return [node for node in tape if node.name and not node.is_leaf]


def intermediates(tape: Tape) -> str:
    """The table of every z and a, with the gradient that reaches it."""
    gradients = tape.gradients()
    rows = [
        (str(node.name), node.op, str(node.shape), summary(tape.value(node)), summary(gradients[node]))
        for node in _named(tape)
    ]
    return _table(("name", "op", "shape", "value", "∂L/∂"), rows)


def check_gradients(model: DigitNet, image: Any, label: Any, *, entries: int = 100, seed: int = 0) -> str:
    """Compare the gradient of every parameter with central differences, and say how far they are apart.

    Along three directions of random signs, in which every entry takes part; and for the `entries` entries with the
    largest gradients one by one. Where the largest element of a pooling window changes within a step, the loss has a
    kink, and differences can't tell: such a direction is counted and left out.

    Raises
    ------
    AssertionError
        If one differs by more than a millionth of the largest entry (and 1e-8, which rounding alone can make).
    """
    exact = DigitNet(dtype=np.float64)
    exact.load_state_dict({name: array.astype(np.float64) for name, array in model.state_dict().items()})
    image = image.astype(np.float64)
    _forward(exact, image, label)[1].backward()
    rng = np.random.default_rng(seed)
    rows = []
    here = _forward(exact, image, label)[1].item()
    for name, parameter in exact.named_parameters():
        start, gradient = parameter.data, parameter.grad
        largest = np.argsort(-np.abs(gradient), axis=None)[:entries]
        directions = [rng.choice([-1.0, 1.0], start.shape) for _ in range(3)]
        directions += [np.bincount([i], minlength=start.size).reshape(start.shape) for i in largest]
        worst, kinks = 0.0, 0
        for direction in directions:
            slope = float(np.sum(gradient * direction))
            (wide, bend), (narrow, small_bend) = (
                _difference(exact, parameter, start, direction, step, here, image, label) for step in (1e-6, 1.25e-7)
            )
            difference = min(abs(wide - slope), abs(narrow - slope))
            if difference > 1e-7 and small_bend > bend / 2:
                kinks += 1
            else:
                worst = max(worst, difference)
        parameter.rebind(start)
        largest_entry = float(np.abs(gradient).max())
        if not worst <= 1e-6 * largest_entry + 1e-8:
            raise AssertionError(f"the gradient of {name} differs from central differences by {worst:.2g}")
        checked = f"{len(largest)} of {start.size}, 3 directions" + (f", {kinks} at a kink" if kinks else "")
        figures = f"{largest_entry:.3g}", f"{worst:.1g}"
        rows.append((parameter.name or name, name, str(start.shape), checked, *figures))
    return _table(("", "parameter", "shape", "checked", "largest |∂L/∂|", "largest difference"), rows)


def _difference(
    model: DigitNet, parameter: Any, start: Any, direction: Any, step: float, here: float, image: Any, label: Any
) -> tuple[float, float]:
    """The central difference of the loss along a direction, and how far the slopes on its two sides are apart: that
    shrinks with the step unless there is a kink."""
    with no_grad():
        parameter.rebind(start + step * direction)
        above = _forward(model, image, label)[1].item()
        parameter.rebind(start - step * direction)
        below = _forward(model, image, label)[1].item()
    return (above - below) / (2 * step), abs(above - 2 * here + below) / step


def compare(model: DigitNet, digit: Any, other: Any) -> str:
    """How far z and a move when the image changes, and when one gradient step is taken; and how far g, W and b do.

    The model takes that step.
    """
    first, second = (Tape(_forward(model, *pair)[1]) for pair in (digit, other))
    before = {name: p.data for name, p in model.named_parameters()}
    optimizer = nn.SGD(model.parameters(), lr=0.1)
    optimizer.zero_grad()
    _forward(model, *digit)[1].backward()
    optimizer.step()
    after = Tape(_forward(model, *digit)[1])
    rows = [
        (
            str(node.name),
            "computed",
            _moved(first.value(node), second.value(second[node.name])),
            _moved(first.value(node), after.value(after[node.name])),
        )
        for node in _named(first)
    ]
    for name, parameter in model.named_parameters():
        rows.append((parameter.name or name, "learned", "no", _moved(before[name], parameter.data)))
    return _table(("", "", "with another image", "after one step of learning"), rows)


def _moved(before: Any, after: Any) -> str:
    change = float(np.linalg.norm(after - before))
    return f"{100 * change / max(float(np.linalg.norm(before)), 1e-12):.3g} %" if change else "no"
