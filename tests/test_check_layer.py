"""`check_layer` on hand-written layers in the signatures that courses publish, right ones and wrong ones.

The layers are written as students write them: caches, loops that fill arrays, dicts of options.
"""

import numpy as np
import pytest

from autograd.testing import check_layer

RNG = np.random.default_rng(5)


def normal(*shape):
    return RNG.normal(size=shape)


# --- the layers -------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("name", LAYERS)
def test_right_layers_in_the_published_signatures_pass_unchanged(name):
    forward, backward, inputs, is_traced = LAYERS[name]
    report = check_layer(forward, backward, *inputs)
    assert report.ok, str(report)
    assert {row.verdict for row in report.rows} <= {"exact", "close"}
    assert [row.shape for row in report.rows] == [x.shape for x in inputs if getattr(x, "dtype", None) == np.float64]
    assert (report.engine == "engine") is is_traced
    assert any("can't be traced" in note for note in report.notes) is not is_traced


def wrong_affine(dout, cache):
    dx, dw, db = affine_backward(dout, cache)
    return dx, dw.T, db


def wrong_softmax(x, y):
    loss, dx = softmax_loss(x, y)
    return loss, dx * x.shape[0]


def wrong_conv(dout, cache):
    dx, dw, db = conv_backward_naive(dout, cache)
    return dx, dw[:, :, ::-1, ::-1], db


def one_wrong_element_of_conv(dout, cache):
    dx, dw, db = conv_backward_naive(dout, cache)
    dx[1, 2, 3, 4] += 1e-3
    return dx, dw, db


def wrong_batchnorm(dout, cache):
    normalized, gamma, std = cache
    return dout * gamma / std, np.sum(dout * normalized, axis=0), dout.sum(axis=0)


def wrong_layernorm(dout, cache):
    dx, dgamma, dbeta = layernorm_backward(dout, cache)
    return dx, dgamma, np.full_like(dbeta, dbeta.mean())


MISTAKES = {
    "affine": (affine_forward, wrong_affine, {"w": "shape"}),
    "relu": (relu_forward, lambda dout, cache: dout * (dout > 0), {"x": "WRONG"}),
    "softmax": (wrong_softmax, None, {"x": "WRONG"}),
    "conv": (conv_forward_naive, wrong_conv, {"w": "WRONG"}),
    "pool": (max_pool_forward_naive, lambda dout, cache: -max_pool_backward_naive(dout, cache), {"x": "WRONG"}),
    "batchnorm": (batchnorm_forward, wrong_batchnorm, {"x": "WRONG"}),
    "layernorm": (layernorm_forward, wrong_layernorm, {"beta": "WRONG"}),
    "dropout": (dropout_forward, lambda dout, cache: dout * (cache[1] > 0), {"x": "WRONG"}),
    "embedding": (embedding_forward, lambda dout, cache: embedding_backward(dout, cache) * 2, {"W": "WRONG"}),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_one_mistake_in_a_layer_is_found_where_it_is(name):
    forward, backward, expected = MISTAKES[name]
    report = check_layer(forward, backward, *LAYERS[name][2])
    assert {row.name: row.verdict for row in report.wrong} == expected, str(report)


def test_one_wrong_element_of_many_is_found_by_halving():
    report = check_layer(conv_forward_naive, one_wrong_element_of_conv, *LAYERS["conv"][2])
    (row,) = report.wrong
    assert (row.name, row.where, int(row.wrong.sum())) == ("x", (1, 2, 3, 4), 1)
    assert row.values[0] - row.values[1] == pytest.approx(1e-3, rel=1e-4)
    assert "random directions" in row.note


def test_pooling_that_gives_the_gradient_to_every_tie_is_wrong_and_to_the_first_is_not():
    x = np.zeros((1, 1, 4, 4))
    x[0, 0, 2:, 2:] = [[3.0, 1.0], [2.0, 3.0]]
    to_every = lambda dout, cache: max_pool_backward_naive(dout, cache, first_only=False)
    assert not check_layer(max_pool_forward_naive, to_every, x, POOL).ok
    assert check_layer(max_pool_forward_naive, max_pool_backward_naive, x, POOL).rows[0].verdict == "undecided"


def test_relu_at_zero_may_have_either_slope_and_no_other():
    x = np.array([0.0, 1.0, -1.0])
    for slope, verdict in ((0.0, "undecided"), (1.0, "undecided"), (2.0, "WRONG")):
        report = check_layer(relu_forward, lambda d, c, s=slope: d * np.where(c == 0, s, c > 0), x, upstream=np.ones(3))
        assert report.rows[0].verdict == verdict


def test_the_inputs_and_the_random_numbers_of_the_caller_stay_as_they_are():
    x, gamma, beta, param = normal(6, 3), normal(3), normal(3), {"mode": "train"}
    before = x.copy()
    state = np.random.get_state()  # noqa: NPY002
    check_layer(batchnorm_forward, batchnorm_backward, x, gamma, beta, param)
    check_layer(dropout_forward, dropout_backward, x, {"p": 0.5})
    assert param == {"mode": "train"} and np.array_equal(x, before)
    after = np.random.get_state()  # noqa: NPY002
    assert np.array_equal(after[1], state[1]) and after[2:] == state[2:]


def test_random_numbers_that_the_backward_pass_draws_change_no_mask_of_the_forward_pass():
    def backward(dout, cache):
        np.random.rand(7)  # noqa: NPY002
        return dropout_backward(dout, cache)

    assert check_layer(dropout_forward, backward, normal(4, 5), {"p": 0.5}).ok


def test_passes_that_write_into_what_they_are_given_are_told():
    def forward(x):
        x -= 1.0
        return x * x, x

    def backward(dout, cache):
        dout *= 2
        return dout * cache

    report = check_layer(forward, backward, normal(3))
    assert report.ok
    assert "The forward pass writes into its input x." in report.notes
    assert "The backward pass writes into the upstream gradient that it is given." in report.notes


def test_a_trace_that_loses_a_part_of_the_gradient_is_not_believed():
    def forward(x):
        return x * float(x.sum().item()), x

    report = check_layer(forward, lambda dout, x: dout * x.sum() + np.sum(dout * x), normal(4))
    assert report.ok and report.engine == "differences"
    assert "loses a part of the gradient of x" in report.notes[-1]


def test_the_gradients_may_come_with_none_for_what_has_none_and_for_numbers_too():
    with_none = lambda dout, cache: (*conv_backward_naive(dout, cache), None)
    assert check_layer(conv_forward_naive, with_none, *LAYERS["conv"][2]).ok
    scaled = check_layer(
        lambda x, k: (x * k, (x, k)), lambda d, c: (d * c[1], np.sum(d * c[0])), np.array([1.0, 2.0]), 3.0
    )
    assert [(row.name, row.ok) for row in scaled.rows] == [("x", True), ("k", True)]


def test_numeric_compares_with_finite_differences_where_the_engine_can_differentiate():
    report = check_layer(*LAYERS["affine"][:2], *LAYERS["affine"][2], numeric=True)
    assert all(row.numeric.engine and row.numeric.yours for row in report.rows)


def test_a_nan_in_a_gradient_is_wrong_also_without_a_trace():
    def backward(dout, cache):
        dx, dw, db = conv_backward_naive(dout, cache)
        dx[0, 0, 0, 0] = np.nan
        return dx, dw, db

    (row,) = check_layer(conv_forward_naive, backward, *LAYERS["conv"][2]).wrong
    assert (row.verdict, row.where) == ("WRONG", (0, 0, 0, 0))
    right = check_layer(conv_forward_naive, conv_backward_naive, *LAYERS["conv"][2])["x"].yours
    assert row.values[1] == pytest.approx(right[0, 0, 0, 0], abs=1e-8)
    assert "yours has NaN in 1 of 120 elements" in row.note


def test_layers_in_float32_are_held_to_its_precision():
    inputs = [x.astype(np.float32) for x in LAYERS["affine"][2]]
    assert check_layer(affine_forward, affine_backward, *inputs).ok
    assert not check_layer(affine_forward, lambda d, c: [g * 1.01 for g in affine_backward(d, c)], *inputs).ok


def same(x):
    return x * 1.0, x


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: check_layer(3, None, normal(2)), TypeError, "forward must be a function, got int"),
        (lambda: check_layer(same, "b", normal(2)), TypeError, "backward must be a function, got str"),
        (lambda: check_layer(same, same, np.arange(3)), TypeError, "floating-point numbers: x is an array of int64"),
        (lambda: check_layer(lambda x: x, same, normal(2)), TypeError, r"must return a tuple \(out, cache\), got an"),
        (
            lambda: check_layer(lambda x: (3, x), same, normal(2)),
            TypeError,
            "of floating-point numbers, got a value of type int",
        ),
        (lambda: check_layer(lambda x: (None, None), same, normal(2)), TypeError, "numbers, got a value of type None"),
        (lambda: check_layer(same, lambda d, c: d, normal(2), rtol="a"), ValueError, "rtol must be a number that is"),
        (
            lambda: check_layer(same, lambda d, c: (d, d), normal(2)),
            ValueError,
            "2 gradients were returned, expected 1",
        ),
        (lambda: check_layer(same, lambda d, c: None, normal(2)), ValueError, "no gradient was returned, only None"),
        (lambda: check_layer(same, lambda d, c: d > 0, normal(2)), TypeError, "gradient of x returned has dtype bool"),
        (
            lambda: check_layer(same, lambda d, c: d, normal(2), upstream=np.ones(3)),
            ValueError,
            r"shape \(3,\), expected",
        ),
        (lambda: check_layer(same, lambda d, c: d, normal(2), upstream=(1.0, 2.0)), ValueError, "upstream has 2 grad"),
        (
            lambda: check_layer(softmax_loss, None, normal(2, 2), [0, 1], upstream=1.0),
            ValueError,
            "no upstream gradient",
        ),
        (
            lambda: check_layer(affine_forward, affine_backward, np.ones((2, 2), int), normal(2, 3), normal(3)),
            ValueError,
            r"for x, which is an array of int64 and has none: give it as floating-point numbers, .astype\(float\)",
        ),
    ],
)
def test_bad_input_is_told_in_a_sentence(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_a_forward_pass_that_never_gives_the_same_numbers_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="forward gives other numbers when it is called again"):
        check_layer(lambda x: (x * rng.random(x.shape), x), lambda d, c: d, normal(3))


def test_an_error_in_the_backward_pass_says_where_it_was_called():
    with pytest.raises(ZeroDivisionError) as caught:
        check_layer(same, lambda d, c: 1 / 0, normal(3))
    assert "called by check_layer" in caught.value.__notes__[0]
