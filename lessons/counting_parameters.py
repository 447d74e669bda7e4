"""z = Wx + b, a = g(z), three layers: n inputs, 3, 2 and 1 units have 3n + 14 parameters."""

import numpy as np

import nn


def network(n):
    return nn.Sequential(nn.Linear(n, 3), nn.Sigmoid(), nn.Linear(3, 2), nn.Sigmoid(), nn.Linear(2, 1), nn.Sigmoid())


def main(pictures=None):
    found = {}
    for n in (1, 10, 784):
        model = network(n)
        found[n] = model.summary((1, n)).parameters
        print(f"n = {n:3}: 3n + 3 of W⁽¹⁾ and b⁽¹⁾, 8 of the second layer, 3 of the third: {found[n]} = 3n + 14")
    print()
    print(model.summary((5, n)))
    x = np.random.default_rng(0).random((5, n), np.float32)
    print(f"\nx {x.shape} → ŷ {model(x).shape}; " + ", ".join(f"{p.name} {p.shape}" for p in model.parameters()))
    return found


if __name__ == "__main__":
    main()
