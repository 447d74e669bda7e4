"""Stochastic, mini-batch and full: how far the gradient of a batch is from that of all, and what an epoch reaches."""

import sys
from pathlib import Path

import nn
import viz
from nn import functional as F


def network():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10, rng=0))


def main(pictures=None, examples=2000, draws=30):
    images, labels = (a[:examples] for a in nn.datasets.mnist())
    sizes = (1, 8, 64, 512, examples)
    plot = viz.gradient_noise(network(), (images, labels), F.cross_entropy, sizes, draws=draws)
    found = {"noise": plot.data["noise"], "loss": {}}
    print("examples in a batch: noise ‖g − ∇‖ / ‖∇‖, noise × √B; after one epoch: steps, loss")
    for size, noise in found["noise"].items():
        trained = network()
        optimizer = nn.SGD(trained.parameters(), lr=0.02)
        nn.fit(trained, (images, labels), batch_size=size, optimizer=optimizer, seed=0, progress=False)
        loss = nn.evaluate(trained, (images, labels)).loss
        found["loss"][size] = loss
        print(f"{size:5}: {noise:8.4f} {noise * size**0.5:8.3f}; {-(-examples // size):5} {loss:8.4f}")
    if pictures:
        plot.save(Path(pictures) / "gradient_noise.svg")
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
