"""Both examples of the article 卷积神经网络 - 参数学习, whose lost numbers are completed by ones that fit."""

from __future__ import annotations

from typing import Any

import numpy as np

import nn
from autograd import Tensor
from nn import functional as F

from . import example, gradients


def first_example(X: Any, W: Any, b: Any, y: float, lr: float) -> dict[str, Any]:
    """A 2×2 picture, a 2×2 kernel and a bias to one number O; half the squared error; one step."""
    X, W, b = Tensor(X), Tensor(W), Tensor([b])

    def forward() -> tuple[Any, Any]:
        O = F.conv2d(X[None, None], W[None, None], b)[0, 0, 0, 0]  # noqa: E741  (the article's letter)
        return O, 0.5 * (O - y) ** 2

    O, L = forward()  # noqa: E741
    dO, dW, dX, db = gradients(L, O, W, X, b)
    nn.SGD([W, b], lr=lr).step()
    O_new, L_new = forward()
    return {
        "O": O.item(),
        "L": L.item(),
        "dL_dO": dO,
        "dL_db": db.item(),
        "db_step": -lr * db.item(),
        "dW": dW,
        "dX": dX,
        "W_new": W.data,
        "b_new": b.data.item(),
        "O_new": O_new.item(),
        "L_new": L_new.item(),
    }


@example("seed1-conv-mse")
def first(given: Any) -> dict[str, Any]:
    found = first_example(np.array([[1.0, 2.0], [3.0, 4.0]]), np.full((2, 2), 0.4), 0.5, given.y, given.lr)
    keys = ("dW", "dX", "W_new", "b_new", "O_new", "L_new")
    return found | {f"completion_{key}": found[key] for key in keys}


class ConvReluSoftmax(nn.Module):
    """A 2×2 convolution, ReLU, a dense layer of two classes (class 1 first), softmax."""

    def __init__(self, W: Any, b: float, dense_weight: Any, dense_bias: Any):
        self.conv: Any = nn.Conv2d(1, 1, 2, dtype=float)
        self.dense: Any = nn.Linear(1, 2, dtype=float)
        for p, value in zip(self.parameters(), [W, b, dense_weight, dense_bias], strict=True):
            p.data = np.reshape(value, p.shape)

    def forward(self, X: Any) -> Any:
        self.z = self.conv(X[None, None])
        return F.softmax(self.dense(F.flatten(F.relu(self.z))))


DENSE_WEIGHT, DENSE_BIAS = [-0.7, 0.2], [0.33, -0.30]


def second_example(given: Any, *, dense_learns: bool) -> dict[str, Any]:
    """Forward, backward, one step and the second forward pass, with the completed dense layer."""
    net = ConvReluSoftmax(given.W, given.b, DENSE_WEIGHT, DENSE_BIAS)
    X = Tensor(given.X)
    p = net(X)
    loss = F.log_loss(p, given.y_true[None])
    conv, dense = net.conv, net.dense
    dz, dX, dW, db, dw_dense, db_dense = gradients(loss, net.z, X, conv.weight, conv.bias, dense.weight, dense.bias)
    nn.SGD((net if dense_learns else conv).parameters(), lr=given.lr).step()
    z = net.z
    p_new = net(X)
    return {
        "conv": z.item(),
        "p1": p[0, 0],
        "p0": p[0, 1],
        "loss": loss,
        "dz": dz.item(),
        "dX": dX,
        "dW": dW[0, 0],
        "db": db.item(),
        "dw_dense": dw_dense[:, 0],
        "db_dense": db_dense,
        "W_new": conv.weight.data[0, 0],
        "b_new": conv.bias.data.item(),
        "w_dense_new": dense.weight.data[:, 0],
        "b_dense_new": dense.bias.data,
        "conv_new": net.z.item(),
        "p1_new": p_new[0, 0],
        "loss_new": F.log_loss(p_new, given.y_true[None]),
    }


@example("seed2-conv-relu-softmax")
def second(given: Any) -> dict[str, Any]:
    frozen = second_example(given, dense_learns=False)
    return second_example(given, dense_learns=True) | {
        "p1_new_dense_frozen": frozen["p1_new"],
        "loss_new_dense_frozen": frozen["loss_new"],
    }
