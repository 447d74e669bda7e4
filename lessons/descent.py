"""The surface of a loss and the way down: learning rates too small, right and too large; two minima.

Where the loss is a quadratic, descent stays within it up to a rate of 2/λ, with λ its greatest curvature.
"""

import itertools
import sys
from pathlib import Path

import numpy as np

import nn
import viz
from nn import functional as F

RATES = {"too small": 0.01, "right": 0.9, "too large": 1.02}


def from_start(start, lr=0.02, steps=200):
    """Where descent on w⁴ − 2w² + w/2, which has two minima, ends."""
    w = nn.Parameter([start])
    optimizer = nn.SGD([w], lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (w**4 - 2 * w**2 + 0.5 * w).sum()
        loss.backward()
        optimizer.step()
    return float(w.data[0]), loss.item()


def main(pictures=None, examples=300, steps=40, points=25):
    images, labels = (a[:examples] for a in nn.datasets.mnist(dtype=np.float64))
    targets = np.eye(10)[labels]
    pixels = np.column_stack([images.reshape(examples, 784), np.ones(examples)])
    limit = 2 / (2 / (10 * examples) * np.linalg.norm(pixels, 2) ** 2)  # 2/λ of the mean of 10 · N squares
    paths, found = {}, {}
    print(f"descent in {steps} steps on the squared loss of {examples} digits, whose limit 2/λ is {limit:.4f}")
    for what, share in RATES.items():
        model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10, dtype=np.float64, rng=0))
        optimizer = nn.SGD(model.parameters(), lr=share * limit)
        states, losses = [model.state_dict()], []
        for _ in range(steps):
            optimizer.zero_grad()
            loss = F.mse_loss(model(images), targets)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            states.append(model.state_dict())
        rises = sum(b > a for a, b in itertools.pairwise(losses))
        paths[f"η = {share:g} · 2/λ, {what}"] = states
        found[what] = (losses[0], losses[-1], rises)
        print(f"η = {share:4g} · 2/λ, {what:9}: loss {losses[0]:.4f} → {losses[-1]:.4f}, up in {rises} of {steps - 1}")

    found["minima"] = [from_start(start) for start in (-0.1, 1.5)]
    for start, (w, end) in zip((-0.1, 1.5), found["minima"], strict=True):
        print(f"w⁴ − 2w² + w/2 from w = {start:+.1f}: ends at w = {w:+.3f}, L = {end:+.3f}")
    if pictures:
        surface = viz.loss_surface(model, (images, targets), "pca", path=paths, points=points)
        surface.save(Path(pictures) / "descent.svg")
        surface.animate().save(Path(pictures) / "descent.html")  # step by step, with a slider
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
