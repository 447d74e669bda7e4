"""Functions of many precisions, with kinks, offsets and saturations, and their gradients, right ones and wrong ones.

``python tests/roughcases.py 20000`` tries so many, and counts what finite differences say of each.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd import Tape, Tensor
from autograd.testing.differences import Partials
from autograd.testing.replaying import Replay
from autograd.testing.rounding import roundings

OPS: list[Any] = [
    np.tanh, np.sin, np.exp, np.square, np.abs, lambda x: 1 / (1 + np.exp(-x)), lambda x: np.maximum(x, 0.0),
    lambda x: np.log1p(x * x), lambda x: x * x * x, lambda x: np.sqrt(x * x + 1e-3), lambda x: np.tanh(30.0 * x),
    lambda x: np.clip(x, -1.0, 1.0), lambda x: 1e8 + x, lambda x: (1e12 + x) - 1e12, lambda x: np.sin(1e5 * x),
]  # fmt: skip


def draw(rng: np.random.Generator) -> tuple[Any, Any]:
    """A function of an array, which returns a number and takes Tensors too; and a point."""
    n = int(rng.integers(1, 6))
    x = rng.normal(size=n) * 10.0 ** rng.uniform(-3, 3)
    if rng.random() < 0.2:
        x[rng.integers(n)] = rng.choice([0.0, 1.0, 1e8, 1e-9])
    weights, mixed, c = rng.normal(size=n), rng.normal(size=(n, n)), rng.normal()
    dtypes = rng.choice(["f8", "f8", "f8", "f4", "f2"], size=3)
    chosen = [OPS[i] for i in rng.integers(len(OPS), size=rng.integers(1, 4))]
    scale = 1.0 if rng.random() < 0.3 else 1 / (np.abs(x).max() or 1.0)

    def f(value: Any) -> Any:
        a = value * scale
        for op, dtype in zip(chosen, dtypes, strict=False):
            a = op(mixed @ a if c > 0 else a)
            if dtype != "f8":
                a = a.astype(dtype).astype("f8")
        return (weights * a).sum()

    return f, x


def wrong_ones(g: float, rng: np.random.Generator) -> Iterator[tuple[str, float]]:
    """Ways in which a partial derivative can be wrong."""
    yield "sign", -g
    yield "factor 2", 2 * g
    yield "1 %", 1.01 * g
    yield "missing", 0.0
    yield "another", g + float(rng.normal()) * abs(g)


def verdict(partial: Any, number: float, slack: float) -> str:
    """What a partial derivative says of a number."""
    if not partial.allows(number, slack):
        return "wrong"
    return "right" if partial.tells(number) else "undecided"


def tried(seed: int) -> Iterator[tuple[str, str, str, float]]:
    """What finite differences say of one element, with a tape and without: of its gradient and of wrong ones."""
    rng = np.random.default_rng(seed)
    f, x = draw(rng)
    tensor = Tensor(x, name="x")
    with np.errstate(all="ignore"):
        tape = Tape(f(tensor))
        gradient = tape.gradients().get(tensor.node)
    if gradient is None or not np.isfinite(gradient).all() or not np.isfinite(tape.root.value):
        return
    if any(node.dtype == np.float16 and np.abs(tape.value(node)).min() < 1e-3 for node in tape):
        return  # all digits of such numbers may be noise
    noise = np.broadcast_to(roundings(tape)[tensor.node], x.shape)
    i = int(rng.integers(x.size))
    g, slack = float(gradient[i]), float(4 * noise[i] + 1e-5 * abs(gradient[i]))
    for how, partials in (("plain", Partials(f, x)), ("tape", Replay(tape).partials(tensor.node))):
        yield how, "right", verdict(partials.at((i,), g, slack), g, slack), g
        for name, number in wrong_ones(g, rng):
            if abs(number - g) > 3 * slack:
                yield how, name, verdict(partials.at((i,), number, slack), number, slack), g


def count(seeds: range) -> tuple[Counter[tuple[str, str, str]], list[tuple[int, str, str, str, float]]]:
    """How often each was said, and the seeds at which it was false."""
    counts: Counter[tuple[str, str, str]] = Counter()
    false = []
    for seed in seeds:
        for how, name, said, g in tried(seed):
            counts[how, name, said] += 1
            if said == ("wrong" if name == "right" else "right"):
                false.append((seed, how, name, said, g))
    return counts, false


if __name__ == "__main__":
    found, false = count(range(int(sys.argv[1])))
    for key, times in sorted(found.items()):
        print(*key, times)
    print(len(false), "false:", *false[:40], sep="\n")
