"""Layers as students write them, in the signatures that courses publish: with caches, loops that fill arrays, options.

``LAYERS`` holds them with inputs, and whether the engine can trace their forward pass.
"""

import numpy as np

RNG = np.random.default_rng(5)


def normal(*shape):
    return RNG.normal(size=shape)


def affine_forward(x, w, b):
    out = x.reshape(x.shape[0], -1).dot(w) + b
    cache = (x, w, b)
    return out, cache


def affine_backward(dout, cache):
    x, w, _ = cache
    dx = dout.dot(w.T).reshape(x.shape)
    dw = x.reshape(x.shape[0], -1).T.dot(dout)
    db = np.sum(dout, axis=0)
    return dx, dw, db


def relu_forward(x):
    out = np.maximum(0, x)
    return out, x


def relu_backward(dout, cache):
    return dout * (cache > 0)


def softmax_loss(x, y):
    shifted = x - np.max(x, axis=1, keepdims=True)
    log_probs = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    N = x.shape[0]
    loss = -np.sum(log_probs[np.arange(N), y]) / N
    dx = np.exp(log_probs)
    dx[np.arange(N), y] -= 1
    dx /= N
    return loss, dx


def conv_forward_naive(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    N, _, H, W = x.shape
    F, _, HH, WW = w.shape
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="constant")
    out_h, out_w = 1 + (H + 2 * pad - HH) // stride, 1 + (W + 2 * pad - WW) // stride
    out = np.zeros((N, F, out_h, out_w))
    for n in range(N):
        for f in range(F):
            for i in range(out_h):
                for j in range(out_w):
                    window = padded[n, :, i * stride : i * stride + HH, j * stride : j * stride + WW]
                    out[n, f, i, j] = np.sum(window * w[f]) + b[f]
    return out, (x, w, b, conv_param)


def conv_backward_naive(dout, cache):
    x, w, b, conv_param = cache
    stride, pad = conv_param["stride"], conv_param["pad"]
    N, F, out_h, out_w = dout.shape
    _, _, HH, WW = w.shape
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="constant")
    dpadded, dw, db = np.zeros_like(padded), np.zeros_like(w), np.zeros_like(b)
    for n in range(N):
        for f in range(F):
            for i in range(out_h):
                for j in range(out_w):
                    rows, columns = slice(i * stride, i * stride + HH), slice(j * stride, j * stride + WW)
                    dw[f] += padded[n, :, rows, columns] * dout[n, f, i, j]
                    dpadded[n, :, rows, columns] += w[f] * dout[n, f, i, j]
                    db[f] += dout[n, f, i, j]
    dx = dpadded[:, :, pad : dpadded.shape[2] - pad, pad : dpadded.shape[3] - pad]
    return dx, dw, db


def max_pool_forward_naive(x, pool_param):
    height, width, stride = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    N, C, H, W = x.shape
    out = np.zeros((N, C, 1 + (H - height) // stride, 1 + (W - width) // stride))
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            window = x[:, :, i * stride : i * stride + height, j * stride : j * stride + width]
            out[:, :, i, j] = window.max(axis=(2, 3))
    return out, (x, pool_param)


def max_pool_backward_naive(dout, cache, *, first_only=True):
    x, pool_param = cache
    height, width, stride = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dout.shape):
        rows, columns = slice(i * stride, i * stride + height), slice(j * stride, j * stride + width)
        window = x[n, c, rows, columns]
        mask = window == window.max()
        if first_only:
            mask = np.arange(mask.size).reshape(mask.shape) == mask.argmax()
        dx[n, c, rows, columns] += mask * dout[n, c, i, j]
    return dx


def batchnorm_forward(x, gamma, beta, bn_param):
    eps, momentum = bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
    running_mean = bn_param.get("running_mean", np.zeros(x.shape[1], dtype=x.dtype))
    running_var = bn_param.get("running_var", np.zeros(x.shape[1], dtype=x.dtype))
    if bn_param["mode"] == "train":
        mean, var = x.mean(axis=0), x.var(axis=0)
        std = np.sqrt(var + eps)
        normalized = (x - mean) / std
        bn_param["running_mean"] = momentum * running_mean + (1 - momentum) * mean
        bn_param["running_var"] = momentum * running_var + (1 - momentum) * var
    else:
        std = np.sqrt(running_var + eps)
        normalized = (x - running_mean) / std
    return gamma * normalized + beta, (normalized, gamma, std)


def batchnorm_backward(dout, cache):
    normalized, gamma, std = cache
    dnorm = dout * gamma
    dx = (dnorm - dnorm.mean(axis=0) - normalized * (dnorm * normalized).mean(axis=0)) / std
    return dx, np.sum(dout * normalized, axis=0), dout.sum(axis=0)


def layernorm_forward(x, gamma, beta, ln_param):
    eps = ln_param.get("eps", 1e-5)
    mean, var = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
    std = np.sqrt(var + eps)
    normalized = (x - mean) / std
    return gamma * normalized + beta, (normalized, gamma, std)


def layernorm_backward(dout, cache):
    normalized, gamma, std = cache
    dnorm = dout * gamma
    dx = dnorm - dnorm.mean(axis=1, keepdims=True) - normalized * (dnorm * normalized).mean(axis=1, keepdims=True)
    return dx / std, np.sum(dout * normalized, axis=0), dout.sum(axis=0)


def dropout_forward(x, dropout_param):
    mask = (np.random.rand(*x.shape) < dropout_param["p"]) / dropout_param["p"]  # noqa: NPY002
    return x * mask, (dropout_param, mask)


def dropout_backward(dout, cache):
    return dout * cache[1]


def lstm_like_forward(x, h, Wx):
    a = np.tanh(x.dot(Wx))
    return a * h, a + h, (x, h, Wx, a)


def lstm_like_backward(dfirst, dsecond, cache):
    x, h, Wx, a = cache
    da = dfirst * h + dsecond
    dz = da * (1 - a**2)
    return dz.dot(Wx.T), dfirst * a + dsecond, x.T.dot(dz)


def embedding_forward(x, W):
    return W[x], (x, W.shape)


def embedding_backward(dout, cache):
    x, shape = cache
    dW = np.zeros(shape)
    np.add.at(dW, x, dout)
    return dW


CONV = {"stride": 2, "pad": 1}
POOL = {"pool_height": 2, "pool_width": 2, "stride": 2}
LAYERS = {
    "affine": (affine_forward, affine_backward, (normal(4, 2, 3), normal(6, 5), normal(5)), True),
    "relu": (relu_forward, relu_backward, (normal(4, 5),), True),
    "softmax": (softmax_loss, None, (normal(5, 3), np.array([0, 2, 1, 1, 0])), False),
    "conv": (conv_forward_naive, conv_backward_naive, (normal(2, 3, 4, 5), normal(2, 3, 3, 3), normal(2), CONV), False),
    "pool": (max_pool_forward_naive, max_pool_backward_naive, (normal(2, 3, 4, 4), POOL), False),
    "batchnorm": (batchnorm_forward, batchnorm_backward, (normal(6, 3), normal(3), normal(3), {"mode": "train"}), True),
    "batchnorm test": (
        batchnorm_forward,
        lambda dout, cache: (dout * cache[1] / cache[2], (dout * cache[0]).sum(0), dout.sum(0)),
        (normal(6, 3), normal(3), normal(3), {"mode": "test", "running_var": np.full(3, 2.0)}),
        True,
    ),
    "layernorm": (layernorm_forward, layernorm_backward, (normal(4, 5), normal(5), normal(5), {}), True),
    "dropout": (dropout_forward, dropout_backward, (normal(4, 5), {"p": 0.5}), True),
    "two outputs": (lstm_like_forward, lstm_like_backward, (normal(2, 3), normal(2, 4), normal(3, 4)), True),
    "embedding": (embedding_forward, embedding_backward, (np.array([[0, 2], [2, 1]]), normal(4, 3)), True),
}
CS231N = (normal(4, 3, 5, 5), normal(2, 3, 3, 3), normal(2), {"stride": 1, "pad": 1})
