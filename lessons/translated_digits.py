"""A shared filter finds the object wherever it is; a dense layer knows it only where it has seen it.

Both learn digits in the upper left corner of an image twice as high and wide, and are asked about other corners.
"""

import numpy as np

import nn

CORNERS = {"upper left": (2, 2), "upper right": (2, 16), "lower right": (16, 16)}


def placed(digits, corner):
    """Digits of 14 × 14 on a ground of 32 × 32."""
    top, left = CORNERS[corner]
    out = np.zeros((len(digits), 1, 32, 32), np.float32)
    out[:, :, top : top + 14, left : left + 14] = digits
    return out


def halved(images):
    """28 × 28 to 14 × 14: means of 2 × 2 pixels."""
    return images.reshape(-1, 1, 14, 2, 14, 2).mean(axis=(3, 5))


def main(pictures=None, examples=1000, epochs=6):
    (images, labels), (others, answers) = nn.datasets.mnist("both")
    digits, labels, others = halved(images[:examples]), labels[:examples], halved(others)
    nn.manual_seed(0)
    models = {
        "dense": nn.Sequential(nn.Flatten(), nn.Linear(1024, 64), nn.ReLU(), nn.Linear(64, 10)),
        # the largest value of each map, wherever it is; without b, the ground is 0 in all layers, as the padding is
        "convolution": nn.Sequential(
            nn.Conv2d(1, 12, 5, padding=4, bias=False), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 32, 5, padding=4, bias=False), nn.ReLU(), nn.MaxPool2d(22), nn.Flatten(), nn.Linear(32, 10),
        ),
    }  # fmt: skip
    found = {}
    for name, model in models.items():
        nn.fit(model, (placed(digits, "upper left"), labels), epochs=epochs, lr=0.005, batch_size=32, seed=0,
               progress=False)  # fmt: skip
        found[name] = {corner: nn.evaluate(model, (placed(others, corner), answers)).accuracy for corner in CORNERS}
        cells = ", ".join(f"{corner} {accuracy:.1%}" for corner, accuracy in found[name].items())
        print(f"{name:11} ({sum(p.size for p in model.parameters()):,} parameters), learned upper left: {cells}")
    return found


if __name__ == "__main__":
    main()
