"""Vectorisation: loops over examples and units against one product of matrices, with b broadcast to every example."""

import time

import numpy as np

import nn


def loops(x, weight, bias):
    z = np.empty((len(x), len(weight)), x.dtype)
    for i in range(len(x)):  # examples
        for j in range(len(weight)):  # units
            total = bias[j]
            for k in range(len(weight[j])):  # inputs
                total += weight[j, k] * x[i, k]
            z[i, j] = total
    return z


def seconds(function, *args, times):
    best = np.inf
    for _ in range(times):
        start = time.perf_counter()
        function(*args)
        best = min(best, time.perf_counter() - start)
    return best


def main(pictures=None, examples=50):
    images, _ = nn.datasets.mnist(dtype=np.float64)
    x = images[:examples].reshape(examples, 784)
    layer = nn.Linear(784, 10, dtype=np.float64, rng=0)
    weight, bias = layer.weight.data, layer.bias.data
    difference = float(np.abs(loops(x, weight, bias) - layer(x).data).max())
    slow, fast = seconds(loops, x, weight, bias, times=1), seconds(layer, x, times=20)
    shapes = f"{x.shape} @ {weight.T.shape} + {bias.shape} → {layer(x).shape}"
    print(f"X Wᵀ + b: {shapes}; b is added to all {examples} rows")
    print(f"largest difference to the loops {difference:.1e}")
    print(
        f"loops {1e3 * slow:.1f} ms, matrices {1e3 * fast:.3f} ms (recording included): {slow / fast:,.0f} times faster"
    )
    return {"difference": difference, "ratio": slow / fast}


if __name__ == "__main__":
    main()
