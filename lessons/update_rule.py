"""The update rule: each parameter moves against its gradient, and a small enough step lowers the loss by η‖∇‖²."""

import numpy as np

import nn
from nn import functional as F


def step_by_hand(rule, w, g, lr):
    """The first step of each optimiser, from its formula; states start at 0."""
    if rule == "SGD":
        return w - lr * g
    if rule == "momentum":
        v = 0.9 * 0 + g
        return w - lr * v
    m, v = (1 - 0.9) * g, (1 - 0.999) * g**2
    return w - lr * (m / (1 - 0.9)) / (np.sqrt(v / (1 - 0.999)) + 1e-8)


def main(pictures=None, examples=500):
    images, labels = (a[:examples] for a in nn.datasets.mnist(dtype=np.float64))
    made = {
        "SGD": lambda p: nn.SGD(p, lr=0.1),
        "momentum": lambda p: nn.SGD(p, lr=0.1, momentum=0.9),
        "Adam": lambda p: nn.Adam(p, lr=0.1),
    }
    found = {"difference": {}, "ratio": {}}
    for rule, optimizer in made.items():
        model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10, dtype=np.float64, rng=0))
        F.cross_entropy(model(images), labels).backward()
        bias = model[1].bias
        w, g = bias.data, bias.grad
        expected = step_by_hand(rule, w, g, 0.1)
        made_of = optimizer(model.named_parameters())
        told = made_of.explain(index={"1.bias": 3})
        made_of.step()
        found["difference"][rule] = float(np.abs(bias.data - expected).max())
        found["explained"] = found.get("explained", True) and np.array_equal(told.changes[-1].new, bias.data)
        there = f"1.bias[3] = {w[3]:+.5f}, gradient {g[3]:+.5f}, new {bias.data[3]:+.5f}"
        print(f"{rule}: {there}; by hand {expected[3]:+.5f}")
        for symbols, numbers in zip(told.changes[-1].equations, told.changes[-1].numbers, strict=True):
            print(f"    {symbols}\n        {numbers}")

    print("\na step of SGD: η, predicted decrease η‖∇‖², real decrease, their ratio")
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10, dtype=np.float64, rng=0))
    F.cross_entropy(model(images), labels).backward()
    for lr in (10.0, 1.0, 0.1, 0.01, 0.001):
        told = nn.SGD(model.parameters(), lr=lr).explain(lambda: F.cross_entropy(model(images), labels))
        found["ratio"][lr] = told.real / told.predicted
        print(f"{lr:6g} {told.predicted:12.6f} {told.real:12.6f} {found['ratio'][lr]:8.3f}")
    return found


if __name__ == "__main__":
    main()
