"""Stacked linear layers collapse into one, W̃ = W⁽²⁾W⁽¹⁾; with a ReLU between them they do not."""

import numpy as np

import nn
from autograd import jacobian


def main(pictures=None):
    rng = np.random.default_rng(0)
    first, second = nn.Linear(4, 8, dtype=np.float64, rng=0), nn.Linear(8, 3, dtype=np.float64, rng=1)
    straight, bent = nn.Sequential(first, second), nn.Sequential(first, nn.ReLU(), second)
    W = second.weight.data @ first.weight.data
    b = second.weight.data @ first.bias.data + second.bias.data
    x, other = rng.normal(size=(2, 4))

    one = float(np.abs(straight(x).data - (W @ x + b)).max())
    print(f"two linear layers against W̃x + b̃: largest difference {one:.1e}")
    print(f"parameters: {sum(p.size for p in straight.parameters())} in two layers, {W.size + b.size} in one")
    found = {"difference": one}
    for name, model in (("linear", straight), ("with ReLU", bent)):
        here, there = jacobian(model)(x), jacobian(model)(other)
        found[name] = float(np.abs(here - there).max()), float(np.abs(here - W).max())
        print(f"{name:10}: ∂ŷ/∂x at two points differs by {found[name][0]:.3f}, from W̃ by {found[name][1]:.3f}")
    return found


if __name__ == "__main__":
    main()
