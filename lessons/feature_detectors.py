"""From random numbers to feature detectors: the kernels before, during and after training, and what excites them."""

import sys
from pathlib import Path

import numpy as np

import nn
import viz
from autograd import no_grad
from nn import functional as F


def smoothness(kernels):
    """How alike neighbouring cells are: the correlation between them, about 0 for independent numbers."""
    pairs = ((kernels[..., 1:], kernels[..., :-1]), (kernels[..., 1:, :], kernels[..., :-1, :]))
    a, b = (np.concatenate([pair[i].ravel() for pair in pairs]) for i in (0, 1))
    return float(np.corrcoef(a, b)[0, 1])


def main(pictures=None, examples=2000, epochs=4):
    nn.manual_seed(0)
    (images, labels), test = nn.datasets.mnist("both")
    images, labels = images[:examples], labels[:examples]
    model = nn.Sequential(nn.Conv2d(1, 8, 7), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(968, 10))
    recording = viz.record(model, lambda: F.cross_entropy(model(images[:32]), labels[:32]), every=5)
    before = model[0].weight.data
    # the penalty makes what is not used fade
    optimizer = nn.Adam(model.parameters(), lr=0.005, weight_decay=0.001)
    nn.fit(model, (images, labels), epochs=epochs, optimizer=optimizer, batch_size=32, seed=0, progress=False,
           on_step=recording.update)  # fmt: skip
    after = model[0].weight.data
    accuracy = nn.evaluate(model, test).accuracy
    print(f"accuracy on 1,000 digits it has not seen: {accuracy:.1%}")
    print(
        f"correlation of neighbouring cells of a kernel: {smoothness(before):.2f} before, {smoothness(after):.2f} after"
    )

    with no_grad():
        maps = model[1](model[0](test[0])).data
    excited = {}
    strongest = maps.max(axis=(2, 3))  # of each kernel on each image
    for k in range(strongest.shape[1]):
        best = np.argsort(-strongest[:, k])[:5]
        excited[f"kernel {k}"] = test[0][best]
        print(f"kernel {k}: strongest on test images {', '.join(map(str, best))}: digits {test[1][best].tolist()}")
    if pictures:
        viz.kernels(model[0], recording).save(Path(pictures) / "kernels.svg")
        viz.images(excited).save(Path(pictures) / "excited.svg")
        viz.activations(model, test[0][:1]).save(Path(pictures) / "activations.svg")
    return {"accuracy": accuracy, "before": smoothness(before), "after": smoothness(after)}


if __name__ == "__main__":
    main(*sys.argv[1:])
