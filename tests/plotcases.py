"""A small network, its data and a short training, for the tests of pictures."""

import numpy as np

import nn
import viz
from nn import functional as F

IMAGES = np.random.default_rng(0).normal(size=(8, 1, 8, 8)).astype(np.float32)
LABELS = np.arange(8) % 3


def network():
    return nn.Sequential(nn.Conv2d(1, 4, 3, rng=0), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(144, 3, rng=1))


def trained(net, steps=4, lr=0.1):
    """The recording of some steps of training, and the states before and after each."""
    recording = viz.record(net, lambda: F.cross_entropy(net(IMAGES), LABELS), every=1)
    states = [net.state_dict()]

    def look(*_):
        recording.update()
        states.append(net.state_dict())

    nn.fit(net, (IMAGES, LABELS), epochs=steps, batch_size=8, optimizer=nn.SGD(net.parameters(), lr=lr), seed=0,
           progress=False, on_step=look)  # fmt: skip
    return recording, states


def mean_loss(net, *_):
    return F.cross_entropy(net(IMAGES), LABELS)


def texts(figure):
    return {t.get_text() for axes in figure.axes for t in (axes.xaxis.label, axes.yaxis.label)}
