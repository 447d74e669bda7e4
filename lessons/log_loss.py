"""Logistic regression: with the log loss the gradient is (a − y) x, as σ′ cancels."""

import numpy as np

import nn
import viz
from autograd import Tensor
from nn import functional as F


def main(pictures=None, examples=1000, steps=100):
    x, w, b = Tensor([1.0, -2.0], name="x"), Tensor([0.5, 0.25], name="w"), Tensor(0.1, name="b")
    z = (w * x).sum() + b
    z.name = "z"
    y = 1.0
    loss = F.binary_cross_entropy_with_logits(z, y)
    loss.backward()
    a = 1 / (1 + np.exp(-z.data))
    print(viz.derive(loss, wrt=w))
    difference = float(np.abs(w.grad - (a - y) * x.data).max())
    print(f"\n(a − y) x = {(a - y) * x.data}, the engine's gradient {w.grad}\n")

    (images, labels), (others, answers) = nn.datasets.mnist("both")
    images, labels = images[:examples], labels[:examples]
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 1))
    nn.init.zeros_(model[1].weight)
    nn.init.zeros_(model[1].bias)
    optimizer = nn.SGD(model.parameters(), lr=0.5)
    costs = []
    for _ in range(steps):
        optimizer.zero_grad()
        cost = F.binary_cross_entropy_with_logits(model(images)[:, 0], (labels == 0).astype(np.float32))
        cost.backward()
        optimizer.step()
        costs.append(cost.item())
    accuracy = float(((model(others).data[:, 0] > 0) == (answers == 0)).mean())
    print(
        f"is it a 0? log loss {costs[0]:.4f} (log 2) → {costs[-1]:.4f} in {steps} steps; {accuracy:.1%} of 1,000 right"
    )
    return {"difference": difference, "costs": costs, "accuracy": accuracy}


if __name__ == "__main__":
    main()
