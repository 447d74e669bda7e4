"""Stochastic, mini-batch and full: how far the gradient of a batch is from that of all, and what an epoch reaches."""

import numpy as np

import nn
from nn import functional as F


def network():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10, rng=0))


def gradient(model, images, labels):
    model.zero_grad()
    F.cross_entropy(model(images), labels).backward()
    return np.concatenate([p.grad.ravel() for p in model.parameters()])


def main(pictures=None, examples=2000, draws=30):
    images, labels = (a[:examples] for a in nn.datasets.mnist())
    model = network()
    full = gradient(model, images, labels)
    rng = np.random.default_rng(0)
    found = {"noise": {}, "loss": {}}
    print("examples in a batch: noise ‖g − ∇‖ / ‖∇‖, noise × √B; after one epoch: steps, loss")
    for size in (1, 8, 64, 512, examples):
        apart = []
        for _ in range(draws):
            chosen = rng.choice(examples, size, replace=False)
            apart.append(np.linalg.norm(gradient(model, images[chosen], labels[chosen]) - full))
        noise = float(np.sqrt(np.mean(np.square(apart))) / np.linalg.norm(full))

        trained = network()
        optimizer = nn.SGD(trained.parameters(), lr=0.02)
        nn.fit(trained, (images, labels), batch_size=size, optimizer=optimizer, seed=0, progress=False)
        loss = nn.evaluate(trained, (images, labels)).loss
        found["noise"][size], found["loss"][size] = noise, loss
        print(f"{size:5}: {noise:8.4f} {noise * size**0.5:8.3f}; {-(-examples // size):5} {loss:8.4f}")
    return found


if __name__ == "__main__":
    main()
