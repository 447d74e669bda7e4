"""Derivatives by the transforms: jvp, jacobian and hvp in both modes, the Hessian, high orders; against torch.func."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import elementwise_grad, hessian, hvp, jacobian, jvp

from .timing import Candidate, Row, compare, torch_or_none

RNG = np.random.default_rng(0)
X, V, W1, W2 = (RNG.uniform(-1, 1, shape) for shape in ((32, 20), (32, 20), (20, 64), (64, 10)))
Y, U, POINTS = (RNG.uniform(-1, 1, n) for n in (20, 20, 1000))
ANGLES = RNG.uniform(0.5, 1.5, 3)


def _net(lib: Any, w1: Any, w2: Any) -> Callable[[Any], Any]:
    return lambda x: lib.tanh(lib.tanh(x @ w1) @ w2)


def _curve(lib: Any, times: Any) -> Callable[[Any], Any]:
    return lambda p: p[0] * lib.exp(-p[1] * times) * lib.sin(p[2] * times)


def rosenbrock(x: Any) -> Any:
    return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def nth(n: int) -> Callable[[Any], Any]:
    f: Any = np.tanh
    for _ in range(n):
        f = elementwise_grad(f)
    return f


def _nth_of_torch(torch: Any, n: int) -> Callable[[Any], Any]:
    def derivative(x: Any) -> Any:
        x = x.detach().requires_grad_()
        y = torch.tanh(x)
        for _ in range(n):
            (y,) = torch.autograd.grad(y.sum(), x, create_graph=True)
        return y.detach()

    return derivative


def cases(torch: Any) -> dict[str, tuple[float | None, Callable[..., Any], Callable[..., Any] | None, tuple[Any, ...]]]:
    """For each case: the goal, our function, torch's, and what both are called with."""
    net, curve = _net(np, W1, W2), _curve(np, POINTS)
    cost = lambda x: (net(x) ** 2).sum()
    rows: dict[str, Any] = {
        "jvp, 20-64-10": (1.0, lambda x, v: jvp(net, (x,), (v,))[1], (X, V)),
        "jacobian forward, 3 to 1,000": (None, jacobian(curve), (ANGLES,)),
        "jacobian reverse, 20 to 10": (None, jacobian(lambda x: net(x)), (Y,)),
        "hvp, 20-64-10": (1.0, hvp(cost), (X, V)),
        "hvp, 20-d Rosenbrock": (1.0, hvp(rosenbrock), (Y, U)),
        "hessian, 20-d Rosenbrock": (0.15, hessian(rosenbrock), (Y,)),
        "4th derivative of tanh, 1,000 points": (0.7, nth(4), (POINTS,)),
        "8th derivative of tanh, 1,000 points": (0.35, nth(8), (POINTS,)),
    }
    theirs: list[Any] = [None] * len(rows)
    if torch is not None:
        t_net = _net(torch, torch.tensor(W1), torch.tensor(W2))
        t_curve = _curve(torch, torch.tensor(POINTS))
        func, functional = torch.func, torch.autograd.functional
        t_cost = lambda x: (t_net(x) ** 2).sum()
        theirs = [
            lambda x, v: func.jvp(t_net, (x,), (v,))[1], func.jacfwd(t_curve), func.jacrev(t_net),
            lambda x, v: func.jvp(func.grad(t_cost), (x,), (v,))[1],
            lambda x, v: func.jvp(func.grad(rosenbrock), (x,), (v,))[1],
            lambda x: functional.hessian(rosenbrock, x), _nth_of_torch(torch, 4), _nth_of_torch(torch, 8),
        ]  # fmt: skip
    return {name: (*row[:2], other, row[2]) for (name, row), other in zip(rows.items(), theirs, strict=True)}


def candidates(ours: Any, theirs: Any, args: tuple[Any, ...], torch: Any) -> dict[str, Candidate]:
    """The two functions, each on arrays of its own kind."""
    found = {"tracegrad": Candidate(lambda: ours(*args), lambda: [ours(*args)])}
    if torch is not None:
        tensors = [torch.tensor(a) for a in args]
        found["torch"] = Candidate(lambda: theirs(*tensors), lambda: [theirs(*tensors)])
    return found


def run(rounds: int) -> list[Row]:
    """A row for each case, in microseconds."""
    torch = torch_or_none()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch's own, of what its functions load when first called
        return [
            compare(
                "derivatives", name, candidates(ours, theirs, args, torch), rounds=rounds, calls=5,
                rtol=1e-9, atol=1e-9, goal=goal,
            )
            for name, (goal, ours, theirs, args) in cases(torch).items()
        ]  # fmt: skip
