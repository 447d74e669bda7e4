"""Weight sharing: the gradient of a kernel is the sum of what every position that it slides over contributes."""

import numpy as np

import nn
import viz
from autograd import Tape
from nn import functional as F


def main(pictures=None):
    images, labels = nn.datasets.mnist(dtype=np.float64)
    conv, dense = nn.Conv2d(1, 2, 5, dtype=np.float64, rng=0), nn.Linear(1152, 10, dtype=np.float64, rng=1)
    model = nn.Sequential(conv, nn.ReLU(), nn.Flatten(), dense)
    loss = F.cross_entropy(model(images[:1]), labels[:1])
    loss.backward()
    terms = viz.contributions(loss, conv.weight)
    print(terms)
    difference = float(np.abs(terms.total - conv.weight.grad).max())

    # the same sum written out, for one cell: ∂L/∂z at each position, times the pixel that the cell meets there
    tape = Tape(loss)
    delta = tape.gradients()[tape["z⁽¹⁾"]][0, 0]
    by_hand = float(sum(delta[i, j] * images[0, 0, i + 1, j + 2] for i in range(24) for j in range(24)))
    gradient = float(conv.weight.grad[0, 0, 1, 2])
    print(f"∂L/∂g[0, 0, 1, 2] = {gradient:.6f}; added up by hand over 24 × 24 positions {by_hand:.6f}")
    shared, unshared = conv.weight.size, 2 * 24 * 24 * 28 * 28
    print(f"weights: {shared} shared ones; a dense layer from 28 × 28 to 2 × 24 × 24 would have {unshared:,}")
    return {"difference": difference, "by_hand": by_hand, "gradient": gradient, "terms": terms}


if __name__ == "__main__":
    main()
