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
        optimizer(model.parameters()).step()
        found["difference"][rule] = float(np.abs(bias.data - expected).max())
        there = f"b[3] = {w[3]:+.5f}, gradient {g[3]:+.5f}, new b[3] = {bias.data[3]:+.5f}"
        print(f"{rule:9} {there}; by hand {expected[3]:+.5f}")

    print("\na step of SGD: η, predicted decrease η‖∇‖², real decrease, their ratio")
    for lr in (10.0, 1.0, 0.1, 0.01, 0.001):
        model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10, dtype=np.float64, rng=0))
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        squared = sum(float((p.grad**2).sum()) for p in model.parameters())
        nn.SGD(model.parameters(), lr=lr).step()
        real = loss.item() - F.cross_entropy(model(images), labels).item()
        found["ratio"][lr] = real / (lr * squared)
        print(f"{lr:6g} {lr * squared:12.6f} {real:12.6f} {found['ratio'][lr]:8.3f}")
    return found


if __name__ == "__main__":
    main()
