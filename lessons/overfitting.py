"""Overfitting, and what closes the gap to others: regularisation, a shallower network, changed copies, more data."""

import sys
from pathlib import Path

import nn
import viz
from nn.transforms import RandomAffine

DEEP, SHALLOW = (128, 128, 128), (128,)


def network(widths, dropout=0.0):
    layers, inputs = [nn.Flatten()], 784
    for width in widths:
        layers += [nn.Linear(inputs, width), nn.ReLU(), nn.Dropout(dropout)]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, 10))


def train(data, steps, *, transform=None, widths=DEEP, dropout=0.0, kind=nn.Adam, lr=0.003, decay=0.0, size=50, **told):
    """A network after so many steps of `size` digits each, and how it came there."""
    nn.manual_seed(0)
    model = network(widths, dropout)
    optimizer = kind(model.parameters(), lr=lr, weight_decay=decay)
    epochs = max(1, steps * size // len(data[1]))
    copies = nn.data.TensorDataset(*data, transform=transform)  # drawn anew whenever a digit is taken
    return model, nn.fit(
        model, copies, epochs=epochs, optimizer=optimizer, batch_size=size, seed=0, progress=False, **told
    )


def main(pictures=None, few=200, many=2000, steps=500):
    (images, labels), test = nn.datasets.mnist("both")
    small = images[:few], labels[:few]
    turned, shifted = {"degrees": 15, "generator": 0}, {"translate": (0.1, 0.1)}
    ways = {
        "as it is": {},
        "weight decay": {"decay": 0.01},
        "decoupled": {"decay": 3.0, "kind": nn.optim.AdamW},
        "dropout": {"dropout": 0.5},
        "shallower": {"widths": SHALLOW},
        "shifted": {"transform": RandomAffine(**{**turned, "degrees": 0}, **shifted)},
        "rotated": {"transform": RandomAffine(**turned)},
        "both": {"transform": RandomAffine(**turned, **shifted)},
        "more data": {"data": (images[:many], labels[:many])},
    }
    histories, found = {}, {}
    print(f"{few} digits; {'accuracy':>8} {'on others':>10} {'loss':>8} {'on others':>10}")
    for name, options in ways.items():
        data = options.pop("data", small)
        model, histories[name] = train(data, steps, **options, validation=test if pictures else None)
        found[name] = report(name, model, small, test)

    print("so few and so short that it comes near 96 % and 64 %, then with turned and shifted copies:")
    tiny = images[:60], labels[:60]
    both = RandomAffine(15, (0.1, 0.1), generator=0)
    for name, options in {
        "60 digits": {"steps": 50}, "60, both": {"steps": steps, "transform": both},
    }.items():  # fmt: skip
        model, _ = train(**{"data": tiny, "lr": 0.001, "size": 20, **options})
        found[name] = report(name, model, tiny, test)
    if pictures:
        for name in ("as it is", "both"):
            viz.history(histories[name]).save(Path(pictures) / f"overfitting_{name.split()[0]}.svg")
    return found


def report(name, model, data, test):
    train, other = nn.evaluate(model, data), nn.evaluate(model, test)
    print(f"{name:12} {train.accuracy:8.1%} {other.accuracy:10.1%} {train.loss:8.4f} {other.loss:10.4f}")
    return train, other


if __name__ == "__main__":
    main(*sys.argv[1:])
