"""One of HIPS autograd's examples, run again and again on whichever package is named ``autograd``.

A program of its own, for the Python of either: ``python example.py FOLDER FILE``. It answers each line of its input,
``{"calls": …, "seconds": …}``, with one of its output: the processor time of the example and of its derivatives alone,
how many there were, and the sum of squares of the first. The example ends after so many derivatives, or after so many
seconds with three of them. Plots are silent, MNIST is noise, and random numbers without a seed have one.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import itertools
import json
import os
import sys
import time
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

DERIVATIVES = ("grad", "value_and_grad", "elementwise_grad", "jacobian", "hessian_vector_product")
AT_LEAST = 3


class Silent(types.ModuleType):
    """A module of which everything can be asked, called and walked through, and nothing is drawn."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self

    def __iter__(self) -> Iterator[Any]:
        return itertools.repeat(self)


class Seeded(np.random.RandomState):
    """NumPy's generator, that starts from 0 where it is not told otherwise."""

    def __init__(self, seed: Any = 0):
        super().__init__(seed)


class Enough(BaseException):
    """The example has taken as many derivatives as it was to take."""


class Meter:
    """Counts and times the derivatives that the example takes, those within others as part of them, and ends it."""

    def __init__(self) -> None:
        self.limit, self.until, self.calls, self.spent, self.inside, self.first = 0, 0.0, 0, 0.0, False, 0.0

    def counted(self, transform: Callable[..., Any]) -> Callable[..., Any]:
        """`transform`, such as ``grad``, whose derivatives are counted where they are called."""

        def made(*args: Any, **kwargs: Any) -> Callable[..., Any]:
            derivative = transform(*args, **kwargs)
            return lambda *args, **kwargs: self.call(derivative, *args, **kwargs)

        return made

    def call(self, derivative: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self.inside:
            return derivative(*args, **kwargs)
        if self.calls >= self.limit or (self.calls >= AT_LEAST and time.process_time() > self.until):
            raise Enough
        self.inside, start = True, time.process_time()
        try:
            found = derivative(*args, **kwargs)
        finally:
            self.inside = False
        self.spent += time.process_time() - start
        if self.calls == 0:
            self.first = sum(float(np.sum(np.square(leaf))) for leaf in leaves(found))
        self.calls += 1
        return found

    def run(self, code: Any, file: str, calls: int, seconds: float) -> dict[str, float]:
        """The example once, from its start."""
        np.random.seed(0)  # noqa: NPY002
        gc.collect()
        start = time.process_time()
        self.limit, self.until, self.calls, self.spent = calls, start + seconds, 0, 0.0
        with contextlib.suppress(Enough):
            exec(code, {"__name__": "__main__", "__file__": file})
        seconds = time.process_time() - start
        return {"seconds": seconds, "derivatives": self.spent, "calls": self.calls, "first": self.first}


def leaves(nest: Any) -> list[Any]:
    """The arrays of a nest."""
    if isinstance(nest, dict):
        return [leaf for key in sorted(nest) for leaf in leaves(nest[key])]
    return [leaf for part in nest for leaf in leaves(part)] if isinstance(nest, list | tuple) else [nest]


def prepare() -> None:
    """Put modules in the place of Matplotlib and of the one that fetches MNIST, and seeds in that of none."""
    pyplot: Any = Silent("matplotlib.pyplot")
    with contextlib.suppress(ImportError):
        pyplot.imread = importlib.import_module("matplotlib.image").imread
    matplotlib: Any = Silent("matplotlib")
    matplotlib.pyplot = pyplot
    draw = np.random.default_rng(0).integers
    mnist: Any = types.ModuleType("data_mnist")
    arrays = [draw(0, top, (n, *shape), np.uint8) for n in (1024, 256) for top, shape in ((256, (28, 28)), (10, ()))]
    mnist.mnist = lambda: arrays
    for module in (matplotlib, pyplot, Silent("matplotlib.cm"), Silent("matplotlib.image"), mnist):
        sys.modules[module.__name__] = module
    np.random.RandomState = Seeded  # type: ignore[misc]
    os.system = lambda command: 0


def main(folder: str, file: str) -> None:
    """Answer the lines of the input, until there are no more."""
    prepare()
    sys.path[0] = folder
    autograd = importlib.import_module("autograd")
    meter = Meter()
    for name in DERIVATIVES:
        setattr(autograd, name, meter.counted(getattr(autograd, name)))
    with open(file, encoding="utf-8") as source:
        code = compile(source.read(), file, "exec")
    answers, sys.stdout = sys.stdout, open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for line in sys.stdin:
        print(json.dumps(meter.run(code, file, **json.loads(line))), file=answers, flush=True)
        for name, module in list(
            sys.modules.items()
        ):  # other examples are imported anew, with generators from the start
            if str(getattr(module, "__file__", "")).startswith(folder):
                del sys.modules[name]


if __name__ == "__main__":
    main(*sys.argv[1:])
