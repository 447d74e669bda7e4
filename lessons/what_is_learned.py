"""What is learned and what is not: g, W and b are updated; z and a are computed anew, from the image and from them."""

import tempfile
from pathlib import Path

import numpy as np

import nn
from autograd import Tape
from nn import functional as F


def numbers(model, image, label):
    """All that has a name on the tape of one image: by its name the numbers, and whether they are parameters."""
    tape = Tape(F.cross_entropy(model(image), label))
    return {n.name: (tape.value(n), n.is_leaf) for n in tape if n.name and n.name not in ("x", "L")}


def main(pictures=None):
    nn.manual_seed(0)
    images, labels = nn.datasets.mnist()
    model = nn.Sequential(
        nn.Conv2d(1, 4, 5), nn.ReLU(), nn.MaxPool2d(4), nn.Flatten(), nn.Linear(144, 16), nn.ReLU(), nn.Linear(16, 10)
    )
    here = numbers(model, images[:1], labels[:1])
    other = numbers(model, images[1:2], labels[1:2])

    optimizer = nn.SGD(model.parameters(), lr=0.5)
    F.cross_entropy(model(images[:64]), labels[:64]).backward()
    still = numbers(model, images[:1], labels[:1])  # gradients alone change nothing
    optimizer.step()
    after = numbers(model, images[:1], labels[:1])

    found = {}
    print(f"{'':8}{'':10}{'another image':>16}{'backward()':>13}{'step()':>9}")
    for name, (value, learned) in here.items():
        moved = [not np.array_equal(value, new[name][0]) for new in (other, still, after)]
        found[name] = (learned, *moved)
        words = ["moves" if m else "–" for m in moved]
        print(f"{name:8}{'learned' if learned else 'computed':10}{words[0]:>16}{words[1]:>13}{words[2]:>9}")
    with tempfile.TemporaryDirectory() as folder:
        saved = list(nn.load(nn.save(model, Path(folder) / "model.npz")))
    print(f"the file of a saved model has {', '.join(saved)}")
    print(model.summary((1, 1, 28, 28)))
    return {"moved": found, "saved": saved}


if __name__ == "__main__":
    main()
