"""Draw the pictures of the README again: ``python docs/pictures/draw.py``. That of the step view needs a Chromium."""

import sys
import tempfile
from pathlib import Path

import numpy as np

import nn
import viz
from autograd import Tensor
from nn.functional import sigmoid

HERE = Path(__file__).parent


def network() -> viz.Picture:
    """A small convolutional network on a real digit, layer by layer."""
    nn.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.Sigmoid(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(6 * 12 * 12, 10), nn.Softmax()
    )
    loss = nn.LogLoss()
    images, labels = nn.datasets.mnist("train")
    nn.fit(model, (images, labels), epochs=3, lr=0.01, loss=loss, seed=0, progress=False)
    images, labels = nn.datasets.mnist("test")
    certainty = model(images).data[np.arange(len(labels)), labels]
    i = int(np.argmin(np.abs(certainty - 0.5)))
    return viz.draw(loss(model(images[i : i + 1]), labels[i : i + 1]), level="layer")


def neuron() -> viz.Picture:
    """One sigmoid neuron and its squared error."""
    w, x, b = Tensor(0.5, name="w"), Tensor(2.0, name="x"), Tensor(-0.4, name="b")
    z = w * x + b
    z.name = "z"
    a = sigmoid(z)
    a.name = "a"
    loss = 0.5 * (a - 1.0) ** 2
    loss.name = "L"
    return viz.draw(loss)


def steps() -> bytes:
    """The step view of a convolutional network on a digit, where the gradient of a kernel is summed."""
    sys.path.append(str(HERE.parents[1] / "tests"))
    from browser import chromium

    model = nn.Sequential(
        nn.Conv2d(1, 1, 5, rng=3), nn.Sigmoid(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(144, 10, rng=4), nn.Softmax()
    )
    images, labels = nn.datasets.mnist("train")
    nn.fit(model, (images, labels), epochs=2, lr=0.01, loss=nn.LogLoss(), seed=0, progress=False)
    loss = nn.LogLoss()(model(Tensor(images[:1], name="x", requires_grad=False)), labels[:1])
    stepper = viz.step(loss, granularity="op")
    stepper.goto(next(s.number for s in stepper if s.phase == "backward" and s.target.name == "g⁽¹⁾"))
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        page = browser.new_page(viewport={"width": 1120, "height": 1200}, device_scale_factor=1.5)
        page.goto(stepper.save(Path(folder, "steps.html")).as_uri())
        page.get_by_text("Shared kernel").first.click()
        page.locator(".middle").evaluate("(e) => { e.style.height = '960px' }")
        page.locator(".panel").evaluate("(e) => { e.scrollTop = 0 }")
        page.wait_for_timeout(500)
        return page.locator("[data-tracegrad]").screenshot()


if __name__ == "__main__":
    network().save(HERE / "network.svg")
    neuron().save(HERE / "neuron.svg")
    (HERE / "steps.png").write_bytes(steps())
