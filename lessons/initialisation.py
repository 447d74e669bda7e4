"""Initialisation: zeros and constants leave all units alike; N(0, σ²) fades or grows; Xavier keeps the variance."""

import itertools
import sys
from pathlib import Path

import numpy as np

import nn
import viz

WAYS = {
    "zeros": lambda w, rng: nn.init.zeros_(w),
    "constant 0.5": lambda w, rng: nn.init.constant_(w, 0.5),
    "N(0, 0.01²)": lambda w, rng: nn.init.normal_(w, 0, 0.01, rng=rng),
    "N(0, 0.1²)": lambda w, rng: nn.init.normal_(w, 0, 0.1, rng=rng),
    "Xavier": lambda w, rng: nn.init.xavier_normal_(w, rng=rng),
}


def network(sizes, way, activation):
    layers = [nn.Flatten()]
    for i, (n, m) in enumerate(itertools.pairwise(sizes)):
        layers += [nn.Linear(n, m), activation()]
        WAYS[way](layers[-2].weight, np.random.default_rng(i))
        nn.init.zeros_(layers[-2].bias)
    return nn.Sequential(*layers[:-1])


def main(pictures=None, examples=1000, width=200, depth=8, epochs=3):
    (images, labels), test = nn.datasets.mnist("both", normalize=True)
    images, labels = images[:examples], labels[:examples]
    found = {}
    print(
        f"{depth} tanh layers of {width}: variance of a in the first and the last, of ∂/∂z in the last and the first;"
    )
    print("one hidden layer of 20 units, trained:")
    for way in WAYS:
        deep = network([784, *[width] * depth, 10], way, nn.Tanh)
        plot = viz.signal(deep, images[:200] / 10)  # small, where tanh is nearly linear
        a, dz = plot.data["a"], plot.data["∂z"]
        # in float64: what rounding alone makes unlike grows with each step, for equal units are no stable state
        model = network([784, 20, 10], way, nn.Sigmoid).double()
        nn.fit(model, (images.astype(np.float64), labels), epochs=epochs, lr=0.01, seed=0, progress=False)
        units = model[1].weight.data
        near = 1e-6 * np.abs(units).max()
        different = sum(all(np.abs(unit - other).max() > near for other in units[:k]) for k, unit in enumerate(units))
        accuracy = nn.evaluate(model, test).accuracy
        variances = (a[1][1], a[depth][1], dz[depth][1], dz[1][1])
        found[way] = {"variances": variances, "different": different, "accuracy": accuracy}
        forward, backward = (f"{v:8.2g} → {w:8.2g}" for v, w in (variances[:2], variances[2:]))
        print(f"{way:13}: {forward} | {backward} | {different:2} of 20 units differ, accuracy {accuracy:.1%}")
        if pictures:
            plot.save(Path(pictures) / f"signal_{list(WAYS).index(way)}.svg")
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
