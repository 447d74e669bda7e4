"""Momentum in both forms, and weight decay: v = βv + (1 − β)∂J/∂W, and (1 − αλ)W − α∂J/∂W.

With Adam the penalty's gradient λW is divided by √v as well (coupled); AdamW shrinks W by itself (decoupled).
"""

import numpy as np

import nn


def descend(optimizer, w, steps):
    """In a valley that is 100 times steeper across than along: J = (w₀² + 100 w₁²) / 2."""
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = ((w**2) * np.array([1.0, 100.0])).sum() / 2
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def main(pictures=None, steps=60):
    beta, lr, found = 0.9, 0.01, {}
    ways = {
        "plain": {"lr": lr},
        "accumulate": {"lr": lr, "momentum": beta},
        "average": {"lr": lr / (1 - beta), "momentum": beta, "momentum_form": "average"},
    }
    ends = {}
    for name, options in ways.items():
        w = nn.Parameter([10.0, 1.0])
        found[name] = descend(nn.SGD([w], **options), w, steps)[-1]
        ends[name] = w.data
        print(f"{name:11} {options}: J = {found[name]:.4f} after {steps} steps")
    found["forms apart"] = float(np.abs(ends["accumulate"] - ends["average"]).max())
    print(f"average with α/(1 − β) takes the steps of accumulate: largest difference {found['forms apart']:.1e}")

    alpha, decay = 0.1, 0.5
    w = nn.Parameter([10.0, 1.0])
    before = w.data
    ((w**2) * np.array([1.0, 100.0])).sum().backward()
    by_hand = (1 - alpha * decay) * before - alpha * w.grad
    nn.SGD([w], lr=alpha, weight_decay=decay).step()
    found["decay apart"] = float(np.abs(w.data - by_hand).max())
    print(f"(1 − αλ)W − α∂J/∂W = {by_hand}, SGD with weight_decay=λ {w.data}")

    w = nn.Parameter([10.0, 1.0])
    optimizer = nn.SGD([w], lr=alpha, weight_decay=decay)
    for _ in range(10):  # no gradient from the data: the weights decay alone
        w.grad = np.zeros(2)
        optimizer.step()
    found["shrunk"] = float(w.data[0] / 10)
    print(
        f"without a gradient, after 10 steps: {found['shrunk']:.4f} of W; (1 − αλ)¹⁰ = {(1 - alpha * decay) ** 10:.4f}"
    )

    for kind in (nn.Adam, nn.optim.AdamW):  # gradients to and fro, those of the second weight 100 times larger
        w = nn.Parameter([1.0, 1.0])
        optimizer = kind([w], lr=0.01, weight_decay=decay)
        for step in range(100):
            w.grad = np.array([0.1, 10.0]) * (-1) ** step
            optimizer.step()
        found[kind.__name__] = w.data
        print(f"{kind.__name__:5} with λ = {decay} leaves {w.data.round(3)} of [1, 1] after 100 steps")
    w = nn.Parameter([10.0, 1.0])
    w.grad, before = np.array([10.0, 100.0]), w.data
    nn.optim.AdamW([w], lr=alpha, weight_decay=decay).step()
    by_hand = (1 - alpha * decay) * before - alpha * w.grad / (np.abs(w.grad) + 1e-8)
    found["decoupled apart"] = float(np.abs(w.data - by_hand).max())
    print(f"AdamW's first step by hand, (1 − αλ)W − α m̂/(√v̂ + ε): {by_hand}, apart by {found['decoupled apart']:.1e}")
    return found


if __name__ == "__main__":
    main()
