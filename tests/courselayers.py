"""Layers and losses as courses have them written, in all the forms that courses use, each right and with mistakes.

``COURSES`` holds, by name: what `check_layer` is called with, which gradients it is to compare, and the mistakes, each
with what takes the place of the right pass and the gradients that are wrong then.
"""

from typing import Any, NamedTuple

import numpy as np

RNG = np.random.default_rng(11)


def normal(*shape):
    return RNG.normal(size=shape)


class Course(NamedTuple):
    call: tuple[Any, ...]
    names: list[str]
    mistakes: dict[str, tuple[tuple[Any, ...], set[str]]]


COURSES: dict[str, Course] = {}


def course(name, forward, backward, inputs, names, mistakes):
    """`mistakes`: by name a backward pass (or, where there is none, a forward pass), and what is wrong then."""
    wrong = {
        said: ((forward, other, *inputs) if backward is not None else (other, None, *inputs), expected)
        for said, (other, expected) in mistakes.items()
    }
    COURSES[name] = Course((forward, backward, *inputs), names, wrong)


# --- losses with their gradient: (W, X, y, reg) -> loss, dW -----------------------------------------------------------


def softmax_naive(W, X, y, reg):
    loss, dW = 0.0, np.zeros_like(W)
    for i in range(len(X)):
        scores = X[i].dot(W)
        scores = scores - np.max(scores)
        p = np.exp(scores) / np.sum(np.exp(scores))
        loss = loss - np.log(p[y[i]])
        for c in range(W.shape[1]):
            dW[:, c] += (p[c] - (c == y[i])) * X[i]
    loss = loss / len(X) + reg * np.sum(W * W)
    dW = dW / len(X) + 2 * reg * W
    return loss, dW


def softmax_naive_without_mean(W, X, y, reg):
    loss, dW = softmax_naive(W, X, y, reg)
    return loss, (dW - 2 * reg * W) * len(X) + 2 * reg * W


def softmax_naive_half_decay(W, X, y, reg):
    loss, dW = softmax_naive(W, X, y, reg)
    return loss, dW - reg * W


def softmax_vectorized(W, X, y, reg):
    scores = X @ W
    scores = scores - scores.max(axis=1, keepdims=True)
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    loss = -np.mean(np.log(p[np.arange(len(X)), y])) + reg * np.sum(W**2)
    delta = p - np.eye(W.shape[1])[y]
    dW = X.T @ delta / len(X) + 2 * reg * W
    return loss, dW


def softmax_vectorized_without_targets(W, X, y, reg):
    loss, dW = softmax_vectorized(W, X, y, reg)
    return loss, dW + X.T @ np.eye(W.shape[1])[y] / len(X)


def svm_naive(W, X, y, reg):
    loss, dW = 0.0, np.zeros(W.shape)
    for i in range(X.shape[0]):
        scores = X[i].dot(W)
        for j in range(W.shape[1]):
            margin = scores[j] - scores[y[i]] + 1
            if j != y[i] and margin > 0:
                loss += margin
                dW[:, j] += X[i]
                dW[:, y[i]] -= X[i]
    loss = loss / X.shape[0] + reg * np.sum(W * W)
    dW = dW / X.shape[0] + 2 * reg * W
    return loss, dW


def svm_naive_without_the_right_class(W, X, y, reg):
    loss, dW = svm_naive(W, X, y, reg)
    for i in range(X.shape[0]):
        scores = X[i].dot(W)
        dW[:, y[i]] += X[i] * ((scores - scores[y[i]] + 1 > 0).sum() - 1) / X.shape[0]
    return loss, dW


def svm_vectorized(W, X, y, reg):
    rows = np.arange(X.shape[0])
    scores = X.dot(W)
    margins = np.maximum(0, scores - scores[rows, y][:, np.newaxis] + 1)
    loss = (np.sum(margins) - X.shape[0]) / X.shape[0] + reg * np.sum(W * W)
    mask = (margins > 0) * 1.0
    mask[rows, y] -= mask.sum(axis=1)
    dW = X.T.dot(mask) / X.shape[0] + 2 * reg * W
    return loss, dW


def svm_vectorized_transposed(W, X, y, reg):
    loss, dW = svm_vectorized(W, X, y, reg)
    dW = np.ascontiguousarray(dW.T)
    return loss, dW


X, Y = normal(6, 4), RNG.integers(0, 3, 6)
course(
    "softmax loss, naive", softmax_naive, None, (normal(4, 3), X, Y, 0.1), ["W"],
    {"not divided by N": (softmax_naive_without_mean, {"W"}), "half the decay": (softmax_naive_half_decay, {"W"})},
)  # fmt: skip
course(
    "softmax loss, vectorized", softmax_vectorized, None, (normal(4, 3), X, Y, 0.1), ["W"],
    {"targets not subtracted": (softmax_vectorized_without_targets, {"W"})},
)  # fmt: skip
course(
    "svm loss, naive", svm_naive, None, (normal(4, 3), X, Y, 0.1), ["W"],
    {"the right class left out": (svm_naive_without_the_right_class, {"W"})},
)  # fmt: skip
course(
    "svm loss, vectorized, square", svm_vectorized, None, (normal(4, 4), normal(4, 4), np.array([0, 3, 1, 1]), 0.1),
    ["W"], {"transposed": (svm_vectorized_transposed, {"W"})},
)  # fmt: skip


# --- layers with a cache ----------------------------------------------------------------------------------------------


def affine_forward(x, w, b):
    return x.reshape(x.shape[0], -1) @ w + b, (x, w, b)


def affine_backward(dout, cache):
    x, w, _ = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout.sum(axis=0)


def relu_forward(x):
    return np.maximum(0, x), x


def relu_backward(dout, cache):
    return dout * (cache > 0)


def affine_relu_forward(x, w, b):
    a, first = affine_forward(x, w, b)
    out, second = relu_forward(a)
    return out, (first, second)


def affine_relu_backward(dout, cache):
    return affine_backward(relu_backward(dout, cache[1]), cache[0])


def batchnorm_forward(x, gamma, beta, bn_param):
    eps = bn_param.get("eps", 1e-5)
    mean = x.mean(axis=0)
    centered = x - mean
    var = (centered**2).mean(axis=0)
    std = np.sqrt(var + eps)
    xhat = centered / std
    bn_param["running_mean"] = 0.9 * bn_param.get("running_mean", 0.0) + 0.1 * mean
    return gamma * xhat + beta, (xhat, gamma, std)


def batchnorm_backward(dout, cache):
    xhat, gamma, std = cache
    N = len(dout)
    dxhat = dout * gamma
    dx = (N * dxhat - dxhat.sum(axis=0) - xhat * (dxhat * xhat).sum(axis=0)) / (N * std)
    return dx, (dout * xhat).sum(axis=0), dout.sum(axis=0)


def batchnorm_without_mean(dout, cache):
    xhat, gamma, std = cache
    dxhat = dout * gamma
    dx = (dxhat - xhat * (dxhat * xhat).mean(axis=0)) / std
    return dx, (dout * xhat).sum(axis=0), dout.sum(axis=0)


def layernorm_forward(x, gamma, beta, ln_param):
    centered = x - x.mean(axis=1, keepdims=True)
    std = np.sqrt((centered**2).mean(axis=1, keepdims=True) + ln_param["eps"])
    return gamma * centered / std + beta, (centered / std, gamma, std)


def layernorm_backward(dout, cache):
    xhat, gamma, std = cache
    g = dout * gamma
    dx = (g - g.mean(axis=1, keepdims=True) - xhat * (g * xhat).mean(axis=1, keepdims=True)) / std
    return dx, (dout * xhat).sum(axis=0), dout.sum(axis=0)


def layernorm_over_the_batch(dout, cache):
    xhat, gamma, std = cache
    g = dout * gamma
    dx = (g - g.mean(axis=0) - xhat * (g * xhat).mean(axis=0)) / std
    return dx, (dout * xhat).sum(axis=0), dout.sum(axis=0)


def dropout_forward(x, dropout_param):
    p, mode = dropout_param["p"], dropout_param["mode"]
    mask = None
    if mode == "train":
        rng = np.random.default_rng(dropout_param["seed"])
        mask = (rng.random(x.shape) < p) / p
        return x * mask, (dropout_param, mask)
    return x, (dropout_param, mask)


def dropout_backward(dout, cache):
    return dout * cache[1] if cache[0]["mode"] == "train" else dout


def conv_forward(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    height = 1 + (padded.shape[2] - w.shape[2]) // stride
    width = 1 + (padded.shape[3] - w.shape[3]) // stride
    out = np.zeros((len(x), len(w), height, width))
    for n, f, i, j in np.ndindex(*out.shape):
        patch = padded[n, :, i * stride : i * stride + w.shape[2], j * stride : j * stride + w.shape[3]]
        out[n, f, i, j] = (patch * w[f]).sum() + b[f]
    return out, (x, w, b, conv_param)


def conv_backward(dout, cache, *, flipped=False, unpadded=True):
    x, w, _, conv_param = cache
    stride, pad = conv_param["stride"], conv_param["pad"]
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    for n, f, i, j in np.ndindex(*dout.shape):
        rows, columns = slice(i * stride, i * stride + w.shape[2]), slice(j * stride, j * stride + w.shape[3])
        dpadded[n, :, rows, columns] += (w[f, :, ::-1, ::-1] if flipped else w[f]) * dout[n, f, i, j]
        dw[f] += padded[n, :, rows, columns] * dout[n, f, i, j]
    dx = dpadded[:, :, pad:-pad, pad:-pad] if unpadded else dpadded[:, :, : x.shape[2], : x.shape[3]]
    return dx, dw, dout.sum(axis=(0, 2, 3))


def maxpool_forward(x, pool_param):
    size, stride = pool_param["pool_height"], pool_param["stride"]
    out = np.zeros((*x.shape[:2], (x.shape[2] - size) // stride + 1, (x.shape[3] - size) // stride + 1))
    for i, j in np.ndindex(*out.shape[2:]):
        out[:, :, i, j] = x[:, :, i * stride : i * stride + size, j * stride : j * stride + size].max(axis=(2, 3))
    return out, (x, pool_param)


def maxpool_backward(dout, cache, *, shared=False):
    x, pool_param = cache
    size, stride = pool_param["pool_height"], pool_param["stride"]
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(*dout.shape):
        part = (n, c, slice(i * stride, i * stride + size), slice(j * stride, j * stride + size))
        mask = np.full((size, size), 1 / size**2) if shared else x[part] == x[part].max()
        dx[part] += mask * dout[n, c, i, j]
    return dx


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    next_h = np.tanh(x @ Wx + prev_h @ Wh + b)
    return next_h, (x, prev_h, Wx, Wh, next_h)


def rnn_step_backward(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h = cache
    dz = dnext_h * (1 - next_h**2)
    return dz @ Wx.T, dz @ Wh.T, x.T @ dz, prev_h.T @ dz, dz.sum(axis=0)


def rnn_step_without_tanh(dnext_h, cache):
    x, prev_h, Wx, Wh, _ = cache
    dz = dnext_h
    return dz @ Wx.T, dz @ Wh.T, x.T @ dz, prev_h.T @ dz, dz.sum(axis=0)


def rnn_step_crossed(dnext_h, cache):
    dx, dprev_h, dWx, dWh, db = rnn_step_backward(dnext_h, cache)
    return dx, dprev_h, dWx, dWh.T, db


def rnn_forward(x, h0, Wx, Wh, b):
    h, caches, all_h = h0, [], []
    for t in range(x.shape[1]):
        h, cache = rnn_step_forward(x[:, t], h, Wx, Wh, b)
        all_h.append(h)
        caches.append(cache)
    return np.stack(all_h, axis=1), caches


def rnn_backward(dh, cache, *, through_time=True):
    dx = np.zeros((dh.shape[0], dh.shape[1], cache[0][2].shape[0]))
    dprev, dWx, dWh, db = np.zeros_like(dh[:, 0]), 0, 0, 0
    for t in reversed(range(dh.shape[1])):
        dx[:, t], dprev, a, c, d = rnn_step_backward(dh[:, t] + (dprev if through_time else 0), cache[t])
        dWx, dWh, db = dWx + a, dWh + c, db + d
    return dx, dprev, dWx, dWh, db


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    H = prev_h.shape[1]
    a = x @ Wx + prev_h @ Wh + b
    i, f, o, g = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H]), sigmoid(a[:, 2 * H : 3 * H]), np.tanh(a[:, 3 * H :])
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    return next_h, next_c, (x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c)


def lstm_step_backward(dnext_h, dnext_c, cache, *, cell=True):
    x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
    t = np.tanh(next_c)
    dc = dnext_h * o * (1 - t**2) + (dnext_c if cell else 0)
    da = np.hstack([dc * g * i * (1 - i), dc * prev_c * f * (1 - f), dnext_h * t * o * (1 - o), dc * i * (1 - g**2)])
    return da @ Wx.T, da @ Wh.T, dc * f, x.T @ da, prev_h.T @ da, da.sum(axis=0)


def embedding_forward(x, W):
    return W[x], (x, W)


def embedding_backward(dout, cache, *, adds=True):
    x, W = cache
    dW = np.zeros_like(W)
    if adds:
        np.add.at(dW, x, dout)
    else:
        dW[x] += dout
    return dW


def temporal_affine_forward(x, w, b):
    N, T, D = x.shape
    return (x.reshape(N * T, D) @ w).reshape(N, T, -1) + b, (x, w, b)


def temporal_affine_backward(dout, cache):
    x, w, _ = cache
    flat = dout.reshape(-1, dout.shape[-1])
    return (flat @ w.T).reshape(x.shape), x.reshape(-1, x.shape[-1]).T @ flat, flat.sum(axis=0)


def attention_forward(q, k, v):
    scores = q @ k.T / np.sqrt(q.shape[1])
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return p @ v, (q, k, v, p)


def attention_backward(dout, cache, *, scaled=True, whole=True):
    q, k, v, p = cache
    dp = dout @ v.T
    ds = p * (dp - (dp * p).sum(axis=1, keepdims=True)) if whole else dp * p * (1 - p)
    ds = ds / np.sqrt(q.shape[1]) if scaled else ds
    return ds @ k, ds.T @ q, p.T @ dout


def elu_forward(x, alpha):
    return np.where(x > 0, x, alpha * (np.exp(np.minimum(x, 0)) - 1)), (x, alpha)


def elu_backward(dout, cache):
    x, alpha = cache
    return dout * np.where(x > 0, 1.0, alpha * np.exp(np.minimum(x, 0)))


def leaky_relu_forward(x, slope=0.01):
    return np.where(x > 0, x, slope * x), x


course(
    "affine", affine_forward, affine_backward, (normal(4, 2, 3), normal(6, 5), normal(5)), ["x", "w", "b"],
    {
        "mean for sum": (lambda d, c: (*affine_backward(d, c)[:2], d.mean(axis=0)), {"b"}),
        "dout forgotten": (lambda d, c: affine_backward(np.ones_like(d), c), {"x", "w", "b"}),
    },
)  # fmt: skip
course(
    "affine and relu", affine_relu_forward, affine_relu_backward, (normal(4, 3), normal(3, 5), normal(5)),
    ["x", "w", "b"], {"relu left out": (lambda d, c: affine_backward(d, c[0]), {"x", "w", "b"})},
)  # fmt: skip
course(
    "relu", relu_forward, relu_backward, (normal(4, 5),), ["x"],
    {"the mask of dout": (lambda d, c: d * (d > 0), {"x"}), "the mask alone": (lambda d, c: (c > 0) * 1.0, {"x"})},
)  # fmt: skip
course(
    "batch normalisation", batchnorm_forward, batchnorm_backward,
    (normal(6, 3), normal(3), normal(3), {"mode": "train"}), ["x", "gamma", "beta"],
    {"the mean taken for constant": (batchnorm_without_mean, {"x"})},
)  # fmt: skip
course(
    "layer normalisation", layernorm_forward, layernorm_backward, (normal(4, 4), normal(4), normal(4), {"eps": 1e-5}),
    ["x", "gamma", "beta"], {"over the wrong axis": (layernorm_over_the_batch, {"x"})},
)  # fmt: skip
course(
    "dropout", dropout_forward, dropout_backward, (normal(4, 5), {"p": 0.6, "mode": "train", "seed": 3}), ["x"],
    {"not scaled": (lambda d, c: d * (c[1] > 0), {"x"}), "no mask": (lambda d, c: d, {"x"})},
)  # fmt: skip
course(
    "convolution, naive", conv_forward, conv_backward,
    (normal(2, 2, 4, 4), normal(2, 2, 3, 3), normal(2), {"stride": 1, "pad": 1}), ["x", "w", "b"],
    {
        "kernel flipped": (lambda d, c: conv_backward(d, c, flipped=True), {"x"}),
        "padding not cut off": (lambda d, c: conv_backward(d, c, unpadded=False), {"x"}),
    },
)  # fmt: skip
course(
    "max-pooling, naive", maxpool_forward, maxpool_backward,
    (normal(2, 2, 4, 4), {"pool_height": 2, "pool_width": 2, "stride": 2}), ["x"],
    {"spread over the window": (lambda d, c: maxpool_backward(d, c, shared=True), {"x"})},
)  # fmt: skip
STEP = (normal(3, 4), normal(3, 5), normal(4, 5), normal(5, 5), normal(5))
course(
    "rnn step", rnn_step_forward, rnn_step_backward, STEP, ["x", "prev_h", "Wx", "Wh", "b"],
    {
        "without tanh′": (rnn_step_without_tanh, {"x", "prev_h", "Wx", "Wh", "b"}),
        "a transpose": (rnn_step_crossed, {"Wh"}),
    },
)  # fmt: skip
course(
    "rnn", rnn_forward, rnn_backward, (normal(2, 3, 4), normal(2, 5), normal(4, 5), normal(5, 5), normal(5)),
    ["x", "h0", "Wx", "Wh", "b"],
    {"not through time": (lambda d, c: rnn_backward(d, c, through_time=False), {"x", "h0", "Wx", "Wh", "b"})},
)  # fmt: skip
LSTM = (normal(3, 4), normal(3, 5), normal(3, 5), normal(4, 20), normal(5, 20), normal(20))
course(
    "lstm step", lstm_step_forward, lstm_step_backward, LSTM, ["x", "prev_h", "prev_c", "Wx", "Wh", "b"],
    {
        "dnext_c forgotten": (
            lambda dh, dc, c: lstm_step_backward(dh, dc, c, cell=False), {"x", "prev_h", "prev_c", "Wx", "Wh", "b"}
        )
    },
)  # fmt: skip
course(
    "word embedding", embedding_forward, embedding_backward, (np.array([[0, 2], [2, 1]]), normal(4, 3)), ["W"],
    {"a word twice counted once": (lambda d, c: embedding_backward(d, c, adds=False), {"W"})},
)  # fmt: skip
course(
    "temporal affine", temporal_affine_forward, temporal_affine_backward, (normal(2, 3, 4), normal(4, 5), normal(5)),
    ["x", "w", "b"],
    {"summed over the batch alone": (lambda d, c: (*temporal_affine_backward(d, c)[:2], d[:, 0].sum(axis=0)), {"b"})},
)  # fmt: skip
course(
    "attention", attention_forward, attention_backward, (normal(3, 4), normal(5, 4), normal(5, 2)), ["q", "k", "v"],
    {
        "not scaled": (lambda d, c: attention_backward(d, c, scaled=False), {"q", "k"}),
        "softmax as if diagonal": (lambda d, c: attention_backward(d, c, whole=False), {"q", "k"}),
    },
)  # fmt: skip
course(
    "elu", elu_forward, elu_backward, (normal(4, 5), 0.7), ["x"],
    {"α forgotten": (lambda d, c: d * np.where(c[0] > 0, 1.0, np.exp(np.minimum(c[0], 0))), {"x"})},
)  # fmt: skip
course(
    "leaky relu", leaky_relu_forward, lambda d, c: d * np.where(c > 0, 1.0, 0.01), (normal(4, 5),), ["x"],
    {"as relu": (relu_backward, {"x"})},
)  # fmt: skip
