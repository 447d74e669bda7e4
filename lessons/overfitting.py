"""Overfitting on 200 digits, and what closes the gap to others: regularisation, a shallower network, more data."""

import sys
from pathlib import Path

import numpy as np

import nn
import viz

DEEP, SHALLOW = (128, 128, 128), (128,)


def shifted(images, labels, copies, rng):
    """The digits, and copies of them moved by up to 2 pixels each way."""
    moved = [np.stack([np.roll(i, rng.integers(-2, 3, 2), (1, 2)) for i in images]) for _ in range(copies)]
    return np.concatenate([images, *moved]), np.tile(labels, copies + 1)


def network(widths, dropout=0.0):
    layers, inputs = [nn.Flatten()], 784
    for width in widths:
        layers += [nn.Linear(inputs, width), nn.ReLU(), nn.Dropout(dropout)]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, 10))


def main(pictures=None, few=200, many=2000, steps=500):
    (images, labels), test = nn.datasets.mnist("both")
    small, large = (images[:few], labels[:few]), (images[:many], labels[:many])
    augmented = shifted(*small, 9, np.random.default_rng(0))
    ways = {  # the data, the layers, dropout, weight decay
        "as it is": (small, DEEP, 0.0, 0.0),
        "weight decay": (small, DEEP, 0.0, 0.01),
        "dropout": (small, DEEP, 0.5, 0.0),
        "shallower": (small, SHALLOW, 0.0, 0.0),
        "augmentation": (augmented, DEEP, 0.0, 0.0),
        "more data": (large, DEEP, 0.0, 0.0),
    }
    histories, found = {}, {}
    print(f"{'':13} {'accuracy':>9} {'on others':>10} {'loss':>8} {'on others':>10}")
    for name, (data, widths, dropout, decay) in ways.items():
        nn.manual_seed(0)
        model = network(widths, dropout)
        optimizer = nn.Adam(model.parameters(), lr=0.003, weight_decay=decay)
        epochs = max(1, steps * 50 // len(data[1]))  # as many steps of 50 digits each
        check = test if pictures else None
        histories[name] = nn.fit(
            model, data, epochs=epochs, optimizer=optimizer, batch_size=50, seed=0, validation=check, progress=False
        )
        train, other = nn.evaluate(model, small), nn.evaluate(model, test)
        found[name] = train, other
        print(f"{name:13} {train.accuracy:9.1%} {other.accuracy:10.1%} {train.loss:8.4f} {other.loss:10.4f}")
    if pictures:
        for name in ("as it is", "augmentation"):
            viz.history(histories[name]).save(Path(pictures) / f"overfitting_{name.split()[0]}.svg")
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
