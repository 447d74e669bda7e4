"""Examples with dense networks: neurons, two- and three-layer nets, their losses, penalties and training runs."""

from __future__ import annotations

from typing import Any

import numpy as np

import nn
from autograd import Tensor, elementwise_grad, jacobian
from nn import functional as F

from . import computed, drawn, example, gradients, inputs

# --- Mazur's 2-2-2 network --------------------------------------------------------------------------------------------


def half_squared_errors(target: Any, out: Any) -> Any:
    return 0.5 * (target - out) ** 2


class Mazur(nn.Module):
    """Two sigmoid layers whose biases stay as they are, in the notation of the article: rows of W receive."""

    def __init__(self, given: Any):
        self.W1, self.W2 = nn.Parameter(given.W1), nn.Parameter(given.W2)
        self.b1, self.b2 = given.b1, given.b2

    def forward(self, x: Any) -> Any:
        self.net_h = self.W1 @ x + self.b1
        self.out_h = F.sigmoid(self.net_h)
        self.net_o = self.W2 @ self.out_h + self.b2
        return F.sigmoid(self.net_o)

    def backward(self, losses: Any, W2_used: Any = None) -> None:
        """Gradients of the losses' sum; with `W2_used`, of a backward pass that goes back through other weights."""
        if W2_used is None:
            losses.sum().backward()
            return
        delta_o, self.W2.grad = gradients(losses.sum(), self.net_o, self.W2)
        self.W1.zero_grad()
        (at_hidden,) = gradients(Tensor(W2_used(self.W2)) @ (out_h := Tensor(self.out_h.data)), out_h, seed=delta_o)
        self.out_h.backward(at_hidden)


def train_mazur(given: Any, steps: int, *, updated_weights: bool = False) -> tuple[list[float], Any]:
    """The losses before each step and after the last one, and the last output.

    With `updated_weights` the error goes back to the hidden layer through output weights that are already new: the
    slip of the author's first script.
    """
    net = Mazur(given)
    optimizer = nn.SGD([net.W1, net.W2], lr=given.lr)
    new_weights = (lambda W2: W2.data - given.lr * W2.grad) if updated_weights else None
    history = []
    for _ in range(steps):
        optimizer.zero_grad()
        losses = half_squared_errors(given.target, net(given.x))
        history.append(float(losses.data.sum()))
        net.backward(losses, new_weights)
        optimizer.step()
    out = net(given.x)
    return [*history, float(half_squared_errors(given.target, out).sum().data)], out.data


@example("mazur-2015")
def mazur(given: Any) -> dict[str, Any]:
    net = Mazur(given)
    out = net(given.x)
    losses = half_squared_errors(given.target, out)
    total = losses.sum()
    dE_dout, delta_o, dE_dout_h, delta_h, dE_dW1, dE_dW2 = gradients(
        total, out, net.net_o, net.out_h, net.net_h, net.W1, net.W2
    )
    by_output = []
    for seed in np.eye(2):
        again = Mazur(given)
        per_output = half_squared_errors(given.target, again(given.x))
        by_output.append(gradients(per_output, again.out_h, seed=seed)[0])
    slope = elementwise_grad(F.sigmoid)
    (_, loss_after), out_after = train_mazur(given, 1)
    history, out_after_10000 = train_mazur(given, 10000)
    nn.SGD([net.W1, net.W2], lr=given.lr).step()
    return {
        "net_h": net.net_h,
        "out_h": net.out_h,
        "net_o": net.net_o,
        "out_o": out,
        "E_o": losses,
        "E_total": total,
        "dE_dout_o": dE_dout,
        "dE_dout_o1": dE_dout[0],
        "dout_dnet_o1": slope(net.net_o.data)[0],
        "delta_o": delta_o,
        "delta_o1": delta_o[0],
        "delta_h": delta_h,
        "dE_dW2": dE_dW2,
        "dE_dw5": dE_dW2[0, 0],
        "dEo1_dout_h1": by_output[0][0],
        "dEo2_dout_h1": by_output[1][0],
        "dE_dout_h": dE_dout_h,
        "dE_dout_h1": dE_dout_h[0],
        "dout_dnet_h1": slope(net.net_h.data)[0],
        "dE_dW1": dE_dW1,
        "dE_dw1": dE_dW1[0, 0],
        "W1_new": net.W1,
        "W2_new": net.W2,
        "b1_new": [net.b1] * 2,
        "b2_new": [net.b2] * 2,
        "loss_after": loss_after,
        "out_after": out_after,
        "E_after_1": loss_after,
        "E_after_10000": history[-1],
        "out_after_10000": out_after_10000,
        "E_after_each_step": history,
    }


@example("mazur-2015-oldbug")
def mazur_with_updated_weights(given: Any) -> dict[str, Any]:
    history, out = train_mazur(given, 10000, updated_weights=True)
    return {
        "E_after_1": history[1],
        "E_after_10000_jianshu": history[-1],
        "out_after_10000": out,
        "E_sim_9999": computed("mazur-2015")["E_after_each_step"][9999],
    }


@example("primelearnpoint-2x2")
def mazur_retold(given: Any) -> dict[str, Any]:
    net = Mazur(inputs("mazur-2015"))
    net(given.x)
    return {"net_h": net.net_h, "out_h": net.out_h, "net_o": net.net_o}


# --- neurons and small nets -------------------------------------------------------------------------------------------


@example("single-neuron-sghosh")
def single_neuron(given: Any) -> dict[str, Any]:
    w, b = Tensor(given.w), Tensor(given.b)
    z = w @ given.x + b
    p = F.sigmoid(z)
    L = half_squared_errors(given.y, p)
    dp, dz, dw, db = gradients(L, p, z, w, b)
    nn.SGD([w, b], lr=given.lr).step()
    s1 = elementwise_grad(F.sigmoid)(z.data)
    return {"z": z, "p": p, "L": L, "dp": dp, "s1": s1, "dz": dz, "dw": dw, "db": db, "w_new": w, "b_new": b}


@example("sklearn-mlp-test_fit")
def sklearn_test_fit(given: Any) -> dict[str, Any]:
    W1, b1, W2, b2 = (Tensor(value) for value in (given.W1, given.b1, given.W2, given.b2))

    def forward() -> tuple[Any, ...]:
        z1 = given.X @ W1 + b1
        h = F.sigmoid(z1)
        z2 = h @ W2 + b2
        return z1, h, z2, F.sigmoid(z2)

    z1, h, z2, o = forward()
    penalty = given.alpha / 2 * ((W1**2).sum() + (W2**2).sum())
    loss = F.binary_cross_entropy(o, [[given.y]]) + penalty
    dz2, dz1, dW1, dW2 = gradients(loss, z2, z1, W1, W2)
    nn.SGD([W1, b1, W2, b2], lr=given.lr).step()
    return {
        "h": h[0],
        "o": o.item(),
        "d21": dz2.item(),
        "d1": dz1[0],
        "W1grad": dW1,
        "W2grad": dW2[:, 0],
        "W1_new": W1.data,
        "W2_new": W2.data[:, 0],
        "b1_new": b1.data,
        "b2_new": b2.data[0],
        "prob_after": forward()[-1].item(),
    }


@example("cs229-backprop-formulas")
def cs229(given: Any) -> dict[str, Any]:
    W1 = Tensor(np.linspace(-0.5, 0.6, 12).reshape(4, 3))
    W2 = Tensor(np.linspace(-0.7, 0.4, 8).reshape(2, 4))
    W3 = Tensor(np.linspace(0.3, -0.8, 2).reshape(1, 2))
    a1 = F.sigmoid(W1 @ given.x[:, None] + 0.1)
    a2 = F.sigmoid(W2 @ a1 - 0.2)
    a3 = F.sigmoid(W3 @ a2 + 0.05)
    L = F.binary_cross_entropy(a3, [[given.y]])
    dW1, dW2, dW3 = gradients(L, W1, W2, W3)
    return {"L": L, "dW1": dW1, "dW2": dW2, "dW3": dW3}


# --- Coursera: examples are columns -----------------------------------------------------------------------------------


def planar(X: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> tuple[Any, Any, Any, Any]:
    Z1 = W1 @ X + b1
    A1 = np.tanh(Z1)
    Z2 = W2 @ A1 + b2
    return Z1, A1, Z2, F.sigmoid(Z2)


@example("coursera-c1w3-planar")
def coursera_planar(given: Any) -> dict[str, Any]:
    X, b1 = drawn(1, (2, 3), (4, 1))
    forward = planar(X, Tensor(given.W1), b1, Tensor(given.W2), given.b2_forward)
    X, Y = drawn(1, (2, 3), (1, 3))
    W1, b1, W2, b2 = Tensor(given.W1), Tensor(np.zeros((4, 1))), Tensor(given.W2), Tensor(np.zeros((1, 1)))
    dW1, db1, dW2, db2 = gradients(F.binary_cross_entropy(planar(X, W1, b1, W2, b2)[-1], Y > 0), W1, b1, W2, b2)
    cost = F.binary_cross_entropy(Tensor(given.A2_cost), drawn(1, (1, 3))[0] > 0)
    means = dict(zip(["Z1m", "A1m", "Z2m", "A2m"], (value.mean() for value in forward), strict=True))
    return means | {"cost": cost, "dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


@example("coursera-c1w3-nn_model")
def coursera_nn_model(given: Any) -> dict[str, Any]:
    X, Y = drawn(1, (2, 3), (1, 3))
    Y = (Y > 0).astype(float)
    # both runs side by side, as a batch of two networks
    W1, W2 = (Tensor(0.01 * np.stack([W, W])) for W in drawn(2, (4, 2), (1, 4)))
    b1, b2 = Tensor(np.zeros((2, 4, 1))), Tensor(np.zeros((2, 1, 1)))
    lr = given.lr[:, None, None]
    costs = []
    for _ in range(given.iterations):
        logits = planar(X, W1, b1, W2, b2)[2]
        cost = (np.logaddexp(0.0, logits) - Y * logits).sum(axis=(1, 2)) / Y.size
        costs.append(cost.data)
        for p, g in zip([W1, b1, W2, b2], gradients(cost, W1, b1, W2, b2, seed=np.ones(2)), strict=True):
            p.rebind(p.data - lr * g)
    parameters = {"W1": W1, "b1": b1, "W2": W2, "b2": b2}
    by_rate = {
        f"{name}{rate}": p.data[i] for i, rate in enumerate(["_lr12", "_lr102"]) for name, p in parameters.items()
    }
    return {"cost0": costs[0][0]} | by_rate


def dropped_out(given: Any, keep_prob: float) -> tuple[Any, Any, Any]:
    """A three-layer ReLU network with the given masks: both activations before they are masked, and the logits."""
    (X,) = drawn(1, (3, 5))
    A1 = F.relu(Tensor(given.W1) @ X + given.b1)
    A2 = F.relu(Tensor(given.W2) @ (A1 * given.D1 / keep_prob) + given.b2)
    return A1, A2, given.W3 @ (A2 * given.D2 / keep_prob) + given.b3


@example("coursera-c2w1-regularization")
def coursera_regularization(given: Any) -> dict[str, Any]:
    Y, m = given.Y, given.Y.size

    def penalised(A3: Any, weights: list[Any], lambd: float) -> Any:
        return F.binary_cross_entropy(A3, Y) + lambd / (2 * m) * sum((W**2).sum() for W in weights)

    weights = drawn(1, (2, 3), (2, 1), (3, 2), (3, 1), (1, 3))[::2]
    cost = penalised(Tensor(given.A3_cost), [Tensor(W) for W in weights], 0.1)

    (X,) = drawn(1, (3, 5))
    W1, b1, W2, b2, W3, b3 = (Tensor(getattr(given, name)) for name in ("W1", "b1", "W2", "b2", "W3", "b3"))
    A1 = F.relu(W1 @ X + b1)
    A2 = F.relu(W2 @ A1 + b2)
    dW1, dW2, dW3 = gradients(penalised(F.sigmoid(W3 @ A2 + b3), [W1, W2, W3], 0.7), W1, W2, W3)

    logits = dropped_out(given, keep_prob=0.5)[-1]
    (dZ3,) = gradients(F.binary_cross_entropy_with_logits(logits, Y, reduction="sum"), logits)
    A1, A2, logits = dropped_out(given, keep_prob=0.8)
    do_dA1, do_dA2 = gradients(logits, A1, A2, seed=dZ3)

    theta = Tensor(float(given.theta))
    J = theta * given.x
    return {
        "cost": cost,
        "dW1": dW1,
        "dW2": dW2,
        "dW3": dW3,
        "do_dA1": do_dA1,
        "do_dA2": do_dA2,
        "J": J,
        "dtheta": gradients(J, theta)[0],
    }


# --- CS231n: examples are rows ----------------------------------------------------------------------------------------


@example("cs231n-a1-two_layer_net")
def two_layer_net(given: Any) -> dict[str, Any]:
    W1, W2 = (Tensor(0.1 * W) for W in drawn(0, (4, 10), (10, 3)))
    b1, b2 = Tensor(np.zeros(10)), Tensor(np.zeros(3))
    (X,) = drawn(1, (5, 4))
    scores = F.relu(10 * X @ W1 + b1) @ W2 + b2
    loss = F.cross_entropy(scores, [0, 1, 2, 2, 1]) + 0.05 * ((W1**2).sum() + (W2**2).sum())
    dW1, db1, dW2, db2 = gradients(loss, W1, b1, W2, b2)
    return {"scores": scores, "loss": loss, "dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


def hinge(scores: Any, labels: Any) -> Any:
    """The multiclass SVM loss: Σ max(0, s_j − s_y + 1) over the wrong classes j, averaged over the examples."""
    rows = np.arange(labels.size)
    wrong = np.ones(scores.shape)
    wrong[rows, labels] = 0
    return (F.relu(scores - scores[rows, labels][:, None] + 1) * wrong).sum() / labels.size


@example("cs231n-a2-layers")
def cs231n_layers(given: Any) -> dict[str, Any]:
    x = Tensor(np.linspace(-0.1, 0.5, 240).reshape(2, 4, 5, 6))
    w, b = np.linspace(-0.2, 0.3, 360).reshape(120, 3), np.linspace(-0.3, 0.1, 3)
    source = np.random.RandomState(231)
    scores = Tensor(0.001 * source.standard_normal((50, 10)))
    labels = source.randint(10, size=50)
    return {
        "affine": F.linear(F.flatten(x), w.T, b),
        "relu": F.relu(Tensor(np.linspace(-0.5, 0.5, 12).reshape(3, 4))),
        "svm": hinge(scores, labels),
        "softmax": F.cross_entropy(scores, labels),
    }


@example("cs231n-a2-FullyConnectedNet-init")
def fully_connected_net(given: Any) -> dict[str, Any]:
    source = np.random.RandomState(231)
    X = source.standard_normal((2, 15))
    y = source.randint(10, size=2)
    losses = {}
    for name, reg in {"loss": 0.0, "loss_reg": 3.14}.items():
        net = nn.Sequential(
            *(nn.Linear(15, 20, dtype=float), nn.ReLU()),
            *(nn.Linear(20, 30, dtype=float), nn.ReLU()),
            nn.Linear(30, 10, dtype=float),
        )
        layers: list[Any] = [layer for layer in net if isinstance(layer, nn.Linear)]
        for layer in layers:
            layer.weight.data = 0.05 * source.standard_normal(layer.weight.shape[::-1]).T
            layer.bias.data = np.zeros(layer.bias.shape)
        losses[name] = F.cross_entropy(net(X), y) + 0.5 * reg * sum((layer.weight**2).sum() for layer in layers)
    return losses


@example("softmax-jacobian-123")
def softmax_jacobian(given: Any) -> dict[str, Any]:
    z = Tensor(given.z)
    p = F.softmax(z)
    J = jacobian(F.softmax)(given.z)
    (sums,) = gradients(p, z, seed=np.ones(3))
    return {"p": p, "J": J, "rust": J, "diag_as_grad": sums, "neupy": sums}
