"""Models with parameters in a dict, and layers that are classes, as courses have them: see `courselayers`."""

import copy

import numpy as np
from courselayers import COURSES, RNG, Course, conv_backward, conv_forward, course, normal, sigmoid

# --- with parameters in a dict, more arguments, gradients in a dict ---------------------------------------------------


def linear_activation_forward(A_prev, W, b, activation):
    Z = W @ A_prev + b
    A = np.maximum(0, Z) if activation == "relu" else sigmoid(Z)
    return A, ((A_prev, W, b), Z)


def linear_activation_backward(dA, cache, activation):
    (A_prev, W, _), Z = cache
    dZ = dA * (Z > 0) if activation == "relu" else dA * sigmoid(Z) * (1 - sigmoid(Z))
    return W.T @ dZ, dZ @ A_prev.T, dZ.sum(axis=1, keepdims=True)


def linear_activation_at_a(dA, cache, activation):
    (A_prev, W, _), Z = cache
    dZ = dA * Z * (1 - Z)
    return W.T @ dZ, dZ @ A_prev.T, dZ.sum(axis=1, keepdims=True)


def deep_model(X, parameters, Y):
    Z1 = parameters["W1"] @ X + parameters["b1"]
    A1 = np.tanh(Z1)
    A2 = sigmoid(parameters["W2"] @ A1 + parameters["b2"])
    m = Y.shape[1]
    cost = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
    dZ2 = A2 - Y
    dZ1 = parameters["W2"].T @ dZ2 * (1 - A1**2)
    grads = {
        "dW2": dZ2 @ A1.T / m, "db2": np.sum(dZ2, axis=1, keepdims=True) / m,
        "dW1": dZ1 @ X.T / m, "db1": np.sum(dZ1, axis=1, keepdims=True) / m, "dA1": parameters["W2"].T @ dZ2,
    }  # fmt: skip
    return cost, grads


def deep_model_summed_over_all(X, parameters, Y):
    cost, grads = deep_model(X, parameters, Y)
    return cost, {**grads, "db1": np.full((3, 1), grads["db1"].sum())}


def rnn_cell_forward(xt, a_prev, parameters):
    a_next = np.tanh(parameters["Wax"] @ xt + parameters["Waa"] @ a_prev + parameters["ba"])
    yt_pred = parameters["Wya"] @ a_next
    return a_next, yt_pred, (a_next, a_prev, xt, parameters)


def rnn_cell_backward(da_next, cache, *, forgets=False):
    a_next, a_prev, xt, parameters = cache
    dz = da_next * (1 if forgets else 1 - a_next**2)
    return {
        "dxt": parameters["Wax"].T @ dz, "da_prev": parameters["Waa"].T @ dz, "dWax": dz @ xt.T,
        "dWaa": dz @ a_prev.T, "dba": dz.sum(axis=1, keepdims=True),
    }  # fmt: skip


LINEAR = (normal(4, 6), normal(3, 4), normal(3, 1), "sigmoid")
course(
    "linear and activation", linear_activation_forward, linear_activation_backward, LINEAR, ["A_prev", "W", "b"],
    {"σ′ of z itself": (linear_activation_at_a, {"A_prev", "W", "b"})},
)  # fmt: skip
PARAMETERS = {"W1": normal(3, 2), "b1": normal(3, 1), "W2": normal(1, 3), "b2": normal(1, 1)}
course(
    "a model with a dict of parameters", deep_model, None, (normal(2, 5), PARAMETERS, (normal(1, 5) > 0) * 1.0),
    ["W2", "b2", "W1", "b1"], {"summed over units, too": (deep_model_summed_over_all, {"b1"})},
)  # fmt: skip
CELL = {"Wax": normal(4, 3), "Waa": normal(4, 4), "ba": normal(4, 1), "Wya": normal(2, 4)}
course(
    "rnn cell with a dict of gradients", rnn_cell_forward, rnn_cell_backward, (normal(3, 2), normal(4, 2), CELL),
    ["xt", "a_prev", "Wax", "Waa", "ba"],
    {
        "without tanh′": (
            lambda da_next, cache: rnn_cell_backward(da_next, cache, forgets=True),
            {"xt", "a_prev", "Wax", "Waa", "ba"},
        )
    },
)  # fmt: skip


def sigmoid_forward(Z):
    return sigmoid(Z), Z


def tanh_layer(z):
    return np.tanh(z)


course(
    "sigmoid", sigmoid_forward, lambda dA, cache: dA * sigmoid(cache) * (1 - sigmoid(cache)), (normal(3, 4),), ["Z"],
    {"σ′ without the second factor": (lambda dA, cache: dA * sigmoid(cache), {"Z"})},
)  # fmt: skip
course(
    "tanh without a cache", tanh_layer, lambda dout, z: dout * (1 - np.tanh(z) ** 2), (normal(3, 4),), ["z"],
    {"of the wrong sign": (lambda dout, z: dout * (1 + np.tanh(z) ** 2), {"z"})},
)  # fmt: skip


# --- classes ----------------------------------------------------------------------------------------------------------


class Affine:
    def __init__(self, W, b):
        self.W, self.b = W, b
        self.x = self.dW = self.db = None

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = dout.sum(axis=0)
        return dout @ self.W.T


class AffineOfDout(Affine):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dW = self.dW * 2
        return dx


class Relu:
    def forward(self, x):
        self.mask = x <= 0
        out = x.copy()
        out[self.mask] = 0
        return out

    def backward(self, dout):
        dout[self.mask] = 0
        return dout


class ReluOfAll(Relu):
    def backward(self, dout):
        return dout * 1.0


class SoftmaxWithLoss:
    def forward(self, x, t):
        self.t = t
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y = e / e.sum(axis=1, keepdims=True)
        return -np.sum(np.log(self.y[np.arange(len(t)), t])) / len(t)

    def backward(self, dout=1):
        dx = self.y.copy()
        dx[np.arange(len(self.t)), self.t] -= 1
        return dx / len(self.t)


class SoftmaxWithoutMean(SoftmaxWithLoss):
    def backward(self, dout=1):
        return super().backward(dout) * len(self.t)


class MatMul:
    def __init__(self, W):
        self.params, self.grads = [W], [np.zeros_like(W)]

    def forward(self, x):
        self.x = x
        return x @ self.params[0]

    def backward(self, dout):
        self.grads[0][...] = self.x.T @ dout
        return dout @ self.params[0].T


class MatMulUnfilled(MatMul):
    def backward(self, dout):
        return dout @ self.params[0].T


class Convolution:
    def __init__(self, W, b, pad=1):
        self.W, self.b, self.param = W, b, {"stride": 1, "pad": pad}

    def forward(self, x):
        out, self.cache = conv_forward(x, self.W, self.b, self.param)
        return out

    def backward(self, dout):
        dx, self.dW, self.db = conv_backward(dout, self.cache)
        return dx


class ConvolutionFlipped(Convolution):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dW = self.dW[:, :, ::-1, ::-1]
        return dx


class TwoLayerNet:
    def __init__(self):
        self.params = {"W1": normal(4, 5), "b1": normal(5), "W2": normal(5, 3), "b2": normal(3)}
        self.reg = 0.05

    def loss(self, X, y):
        W1, b1, W2, b2 = (self.params[k] for k in ("W1", "b1", "W2", "b2"))
        hidden = np.maximum(0, X @ W1 + b1)
        scores = hidden @ W2 + b2
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        N = len(X)
        loss = -np.log(p[np.arange(N), y]).mean() + self.reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
        d = (p - np.eye(3)[y]) / N
        dhidden = d @ W2.T * (hidden > 0)
        grads = {
            "W2": hidden.T @ d + 2 * self.reg * W2, "b2": d.sum(axis=0),
            "W1": X.T @ dhidden + 2 * self.reg * W1, "b1": dhidden.sum(axis=0),
        }  # fmt: skip
        return loss, grads


class TwoLayerNetWithoutRelu(TwoLayerNet):
    def loss(self, X, y):
        loss, grads = super().loss(X, y)
        N, hidden = len(X), np.maximum(0, X @ self.params["W1"] + self.params["b1"])
        scores = hidden @ self.params["W2"] + self.params["b2"]
        p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        d = (p - np.eye(3)[y]) / N @ self.params["W2"].T
        return loss, {**grads, "W1": X.T @ d + 2 * self.reg * self.params["W1"], "b1": d.sum(axis=0)}


class Network:
    """Layers that share their parameters with the network, and a method that gives the gradients."""

    def __init__(self):
        self.params = {"W1": normal(4, 5), "b1": normal(5), "W2": normal(5, 3), "b2": normal(3)}
        self.first = Affine(self.params["W1"], self.params["b1"])
        self.second = Affine(self.params["W2"], self.params["b2"])
        self.last = SoftmaxWithLoss()

    def loss(self, x, t):
        return self.last.forward(self.second.forward(np.tanh(self.first.forward(x))), t)

    def gradient(self, x, t):
        self.loss(x, t)
        a = self.second.x
        self.first.backward(self.second.backward(self.last.backward(1)) * (1 - a**2))
        return {"W1": self.first.dW, "b1": self.first.db, "W2": self.second.dW, "b2": self.second.db}


class NetworkWithoutTanh(Network):
    def gradient(self, x, t):
        self.loss(x, t)
        self.first.backward(self.second.backward(self.last.backward(1)))
        return {"W1": self.first.dW, "b1": self.first.db, "W2": self.second.dW, "b2": self.second.db}


def class_course(name, right, inputs, names, mistakes, call=lambda layer, *inputs: (layer, None, *inputs)):
    wrong = {said: (call(_turned(right, kind), *inputs), expected) for said, (kind, expected) in mistakes.items()}
    COURSES[name] = Course(call(right, *inputs), names, wrong)


def _turned(layer, kind):
    other = copy.deepcopy(layer)
    other.__class__ = kind
    return other


class_course(
    "class Affine", Affine(normal(3, 4), normal(4)), (normal(5, 3),), ["x", "W", "b"],
    {"dW twice": (AffineOfDout, {"W"})},
)  # fmt: skip
class_course("class Relu", Relu(), (normal(4, 5),), ["x"], {"no mask": (ReluOfAll, {"x"})})
class_course(
    "class SoftmaxWithLoss", SoftmaxWithLoss(), (normal(5, 3), np.array([0, 2, 1, 1, 0])), ["x"],
    {"not divided by N": (SoftmaxWithoutMean, {"x"})},
)  # fmt: skip
class_course(
    "class MatMul with lists", MatMul(normal(3, 4)), (normal(5, 3),), ["x", "params[0]"],
    {"the gradient not filled in": (MatMulUnfilled, {"params[0]"})},
)  # fmt: skip
class_course(
    "class Convolution", Convolution(normal(2, 2, 3, 3), normal(2)), (normal(2, 2, 4, 4),), ["x", "W", "b"],
    {"kernel flipped": (ConvolutionFlipped, {"W"})},
)  # fmt: skip
class_course(
    "class TwoLayerNet", TwoLayerNet(), (normal(6, 4), RNG.integers(0, 3, 6)), ["W2", "b2", "W1", "b1"],
    {"relu left out": (TwoLayerNetWithoutRelu, {"W1", "b1"})}, lambda net, *inputs: (net.loss, None, *inputs),
)  # fmt: skip
class_course(
    "class Network of layers", Network(), (normal(6, 4), RNG.integers(0, 3, 6)), ["W1", "b1", "W2", "b2"],
    {"tanh′ left out": (NetworkWithoutTanh, {"W1", "b1"})}, lambda net, *inputs: (net.loss, net.gradient, *inputs),
)  # fmt: skip
