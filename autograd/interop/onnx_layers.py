"""One row for each ONNX operator that is a layer or a loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.nests import numbers_of
from autograd.rules import elementwise
from nn import functional as F
from nn.functional.recurrent import gru_step, lstm_step, rnn_step

from .calls import CALLS, Call, integer
from .onnx_attention import attention, rotary_embedding
from .onnx_resizing import resize, upsample

__all__ = ["LAYERS"]


def _pads(x: Any, kernel: Any, strides: Any, dilations: Any, pads: Any, auto_pad: str) -> list[tuple[int, int]]:
    """How much is put before and after each axis of an image."""
    if auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        found = []
        for n, k, s, d in zip(x.shape[2:], kernel, strides, dilations, strict=True):
            total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
            less = total // 2
            found.append((less, total - less) if auto_pad == "SAME_UPPER" else (total - less, less))
        return found
    axes = len(kernel)
    given = list(pads) if pads is not None and auto_pad != "VALID" else [0] * (2 * axes)
    return list(zip(given[:axes], given[axes:], strict=True))


def _padded(x: Any, pads: Any, value: float = 0.0) -> Any:
    """An image with its pads put on, where they are not the same on both sides of each axis."""
    return np.pad(x, [(0, 0), (0, 0), *pads], constant_values=value)


def _conv(x: Any, weight: Any, bias: Any = None, *, auto_pad: str = "NOTSET", dilations: Any = None, group: int = 1,
          kernel_shape: Any = None, pads: Any = None, strides: Any = None) -> Any:  # fmt: skip
    kernel = weight.shape[2:]
    ones = (1,) * len(kernel)
    strides, dilations = tuple(strides or ones), tuple(dilations or ones)
    around = _pads(x, kernel, strides, dilations, pads, auto_pad)
    if any(a != b for a, b in around):
        x, around = _padded(x, around), [(0, 0)] * len(kernel)
    padding = tuple(a for a, _ in around)
    return CALLS[f"conv{len(kernel)}d"](x, weight, bias, strides, padding, dilations, group)


def _conv_transpose(x: Any, weight: Any, bias: Any = None, *, auto_pad: str = "NOTSET", dilations: Any = None,
                    group: int = 1, kernel_shape: Any = None, output_padding: Any = None, output_shape: Any = None,
                    pads: Any = None, strides: Any = None) -> Any:  # fmt: skip
    kernel = weight.shape[2:]
    axes = len(kernel)
    ones = (1,) * axes
    strides, dilations = tuple(strides or ones), tuple(dilations or ones)
    extra = tuple(output_padding or (0,) * axes)
    out = CALLS[f"conv_transpose{axes}d"](x, weight, bias, strides, 0, 0, group, dilations)
    # a shape that is given, and what SAME is, say how much is cut off; what lies beyond is the bias
    full = [(n - 1) * s + (k - 1) * d + 1 + e for n, s, k, d, e in zip(x.shape[2:], strides, kernel, dilations, extra,
                                                                       strict=True)]  # fmt: skip
    wanted = output_shape[-axes:] if output_shape is not None else None
    if wanted is None and auto_pad.startswith("SAME"):
        wanted = [n * s for n, s in zip(x.shape[2:], strides, strict=True)]
    if wanted is not None:
        cut = []
        for have, n in zip(full, wanted, strict=True):
            total = max(have - n, 0)
            less = total - total // 2 if auto_pad == "SAME_LOWER" else total // 2
            cut.append((less, total - less))
    else:
        cut = _pads(x, kernel, strides, dilations, pads, auto_pad)
        wanted = [have - a - b for have, (a, b) in zip(full, cut, strict=True)]
    ends = [a + n for (a, _), n in zip(cut, wanted, strict=True)]
    more = [max(end - have, 0) for end, have in zip(ends, out.shape[2:], strict=True)]
    if any(more):
        bias_of = 0.0 if bias is None else np.reshape(bias, (1, -1, *(1,) * axes))
        out = _padded(out - bias_of, [(0, n) for n in more]) + bias_of
    return out[(slice(None), slice(None), *(slice(a, end) for (a, _), end in zip(cut, ends, strict=True)))]


def _pool_ends(x: Any, kernel: Any, strides: Any, dilations: Any, around: Any, ceil_mode: int) -> list[tuple[int, int]]:
    """The pads with what the last window needs, where the number of windows is rounded up."""
    found = []
    for n, k, s, d, (a, b) in zip(x.shape[2:], kernel, strides, dilations, around, strict=True):
        size = n + a + b - (k - 1) * d - 1
        count = (-(-size // s) if ceil_mode else size // s) + 1
        if ceil_mode and (count - 1) * s >= n + a:
            count -= 1
        found.append((a, max((count - 1) * s + (k - 1) * d + 1 - n - a, 0)))
    return found


def _windows(x: Any, kernel: Any, strides: Any, dilations: Any) -> Any:
    """All windows of an image: of shape (N, C, places…, kernel…)."""
    wide = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    axes = tuple(range(2, x.ndim))
    all_of = np.lib.stride_tricks.sliding_window_view(x, wide, axis=axes)
    return all_of[(slice(None), slice(None), *(slice(None, None, s) for s in strides),
                   *(slice(None, None, d) for d in dilations))]  # fmt: skip


def _max_pool(x: Any, *, kernel_shape: Any, auto_pad: str = "NOTSET", ceil_mode: int = 0, dilations: Any = None,
              pads: Any = None, storage_order: int = 0, strides: Any = None) -> Any:  # fmt: skip
    ones = (1,) * len(kernel_shape)
    strides, dilations = tuple(strides or ones), tuple(dilations or ones)
    around = _pads(x, kernel_shape, strides, dilations, pads, auto_pad)
    around = _pool_ends(x, kernel_shape, strides, dilations, around, ceil_mode)
    if x.dtype.kind != "f":
        whole = _padded(x, around, np.iinfo(x.dtype).min)
        return np.max(_windows(whole, kernel_shape, strides, dilations), axis=tuple(range(-len(ones), 0))), None
    if x.shape[2:] and len(ones) <= 3:
        whole = _padded(x, around, -np.inf) if any(map(any, around)) else x
        values, at = CALLS[f"max_pool{len(ones)}d"](whole, tuple(kernel_shape), strides, 0, dilations,
                                                    return_indices=True)  # fmt: skip
        return values, _flat_places(at, whole.shape[2:], x.shape, around, storage_order)
    raise NotImplementedError(f"MaxPool over {len(ones)} axes")


def _flat_places(at: Any, padded: Any, shape: Any, around: Any, storage_order: int) -> Any:
    """Places in a padded image as numbers of elements of the whole tensor without pads."""
    each = [p - a for p, (a, _) in zip(np.unravel_index(at, padded), around, strict=True)]
    n, c = (np.arange(m).reshape(-1, *(1,) * (at.ndim - 1 - i)) for i, m in enumerate(shape[:2]))
    if storage_order:
        return (n * shape[1] + c) * int(np.prod(shape[2:])) + np.ravel_multi_index(tuple(each), shape[2:], order="F")
    return np.ravel_multi_index((n + 0 * at, c + 0 * at, *each), shape).astype(np.int64)


def _average_pool(x: Any, *, kernel_shape: Any, auto_pad: str = "NOTSET", ceil_mode: int = 0,
                  count_include_pad: int = 0, dilations: Any = None, pads: Any = None, strides: Any = None,
                  ) -> Any:  # fmt: skip
    ones = (1,) * len(kernel_shape)
    strides, dilations = tuple(strides or ones), tuple(dilations or ones)
    around = _pads(x, kernel_shape, strides, dilations, pads, auto_pad)
    plain = not ceil_mode and dilations == ones and (count_include_pad or not any(map(any, around)))
    if plain and all(a == b and 2 * a <= k for (a, b), k in zip(around, kernel_shape, strict=True)) and len(ones) <= 3:
        return CALLS[f"avg_pool{len(ones)}d"](x, tuple(kernel_shape), strides, tuple(a for a, _ in around))
    ends = _pool_ends(x, kernel_shape, strides, dilations, around, ceil_mode)
    over = tuple(range(-len(ones), 0))
    total = np.sum(_windows(_padded(x, ends), kernel_shape, strides, dilations), axis=over)
    counted = np.ones((1, 1, *x.shape[2:]), x.dtype)
    if count_include_pad:
        counted = _padded(counted, around, 1.0)
        ends = [(0, b - given) for (_, b), (_, given) in zip(ends, around, strict=True)]
    ends = [(a, max(b, 0)) for a, b in ends]
    return total / np.sum(_windows(_padded(counted, ends), kernel_shape, strides, dilations), axis=over)


def _lp_pool(x: Any, *, kernel_shape: Any, p: int = 2, auto_pad: str = "NOTSET", ceil_mode: int = 0,
             dilations: Any = None, pads: Any = None, strides: Any = None) -> Any:  # fmt: skip
    ones = (1,) * len(kernel_shape)
    strides, dilations = tuple(strides or ones), tuple(dilations or ones)
    around = _pads(x, kernel_shape, strides, dilations, pads, auto_pad)
    ends = _pool_ends(x, kernel_shape, strides, dilations, around, ceil_mode)
    near = np.abs(_windows(_padded(x, ends), kernel_shape, strides, dilations)) ** p
    return np.sum(near, axis=tuple(range(-len(ones), 0))) ** (1 / p)


def _whole(fn: Call) -> Call:
    return lambda x: fn(x, axis=tuple(range(2, x.ndim)), keepdims=True)


def _batch_norm(x: Any, scale: Any, bias: Any, mean: Any, var: Any, *, epsilon: float = 1e-5, momentum: float = 0.9,
                training_mode: int = 0, spatial: int = 1) -> Any:  # fmt: skip
    if not training_mode:
        return F.batch_norm(x, numbers_of(mean), numbers_of(var), scale, bias, False, 0.1, epsilon)
    axes = (0, *range(2, x.ndim))
    now = np.mean(numbers_of(x), axis=axes), np.var(numbers_of(x), axis=axes)
    out = F.batch_norm(x, None, None, scale, bias, True, 0.1, epsilon)
    return (out, *(old * momentum + new * (1 - momentum) for old, new in zip(map(numbers_of, (mean, var)), now,
                                                                            strict=True)))  # fmt: skip


def _layer_norm(x: Any, scale: Any, bias: Any = None, *, axis: int = -1, epsilon: float = 1e-5,
                stash_type: int = 1) -> Any:  # fmt: skip
    axes = tuple(range(axis % x.ndim, x.ndim))
    mean, var = np.mean(x, axis=axes, keepdims=True), np.var(x, axis=axes, keepdims=True)
    shape = x.shape[axis % x.ndim :]
    if scale.shape == shape and (bias is None or bias.shape == shape):
        out = F.layer_norm(x, shape, scale, bias, epsilon)
    else:
        out = F.layer_norm(x, shape, None, None, epsilon) * scale
        out = out if bias is None else out + bias
    return out, numbers_of(mean), numbers_of(1 / np.sqrt(var + epsilon))


def _rms_norm(x: Any, scale: Any, *, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1) -> Any:
    return F.rms_norm(x, x.shape[axis % x.ndim :], None, epsilon) * scale


def _group_norm(x: Any, scale: Any, bias: Any, *, num_groups: int, epsilon: float = 1e-5, stash_type: int = 1) -> Any:
    if scale.shape[0] != x.shape[1]:
        scale, bias = (np.repeat(v, x.shape[1] // num_groups) for v in (scale, bias))
    return F.group_norm(x, num_groups, scale, bias, epsilon)


def _lp_normalization(x: Any, *, axis: int = -1, p: int = 2) -> Any:
    size = np.linalg.vector_norm(x, ord=p, axis=axis, keepdims=True)
    return x / np.where(numbers_of(size) == 0, 1.0, size).astype(x.dtype)


def _mean_variance(x: Any, *, axes: Any = (0, 2, 3)) -> Any:
    axes = tuple(axes)
    return (x - np.mean(x, axis=axes, keepdims=True)) / (np.std(x, axis=axes, keepdims=True) + 1e-9)


def _dropout(x: Any, ratio: Any = None, training: Any = None, *, seed: Any = None, **_: Any) -> Any:
    p = 0.5 if ratio is None else float(integer(ratio))
    train = training is not None and bool(integer(training))
    kept = np.ones(x.shape, bool)
    if not train or p == 0:
        return x, kept
    kept = np.random.RandomState(seed).uniform(0, 1, x.shape) >= p
    return x * (kept / (1 - p)).astype(x.dtype), kept


def _hardmax(x: Any, *, axis: int = -1) -> Any:
    at = np.expand_dims(np.argmax(numbers_of(x), axis=axis), axis)
    out = np.zeros(x.shape, x.dtype)
    np.put_along_axis(out, at, 1, axis)
    return out


def _shrink(x: Any, *, bias: float = 0.0, lambd: float = 0.5) -> Any:
    at = numbers_of(x)
    out = np.where(at < -lambd, x + bias, np.where(at > lambd, x - bias, x * 0))
    return out if out.dtype == x.dtype else out.astype(x.dtype)


def _nll(x: Any, target: Any, weight: Any = None, *, ignore_index: Any = None, reduction: str = "mean") -> Any:
    """The loss, where what is ignored weighs nothing; the mean is over the weights."""
    target = integer(target)
    ignored = target == ignore_index if ignore_index is not None else np.zeros(target.shape, bool)
    at = np.where(ignored, 0, target)
    weights = np.ones(target.shape, x.dtype) if weight is None else numbers_of(weight)[at]
    weights = np.where(ignored, 0, weights).astype(x.dtype)
    values = -np.squeeze(np.take_along_axis(x, np.expand_dims(at, 1), 1), 1) * weights
    if reduction == "none":
        return values
    return np.sum(values) / (np.sum(weights) if reduction == "mean" else x.dtype.type(1))


def _softmax_cross_entropy(x: Any, target: Any, weight: Any = None, **options: Any) -> Any:
    logarithms = F.log_softmax(x, 1)
    return _nll(logarithms, target, weight, **options), logarithms


def _recurrent(kind: str) -> Call:
    """RNN, GRU and LSTM: x of shape (L, N, …), the gates in ONNX's order, one or two directions."""
    order = {"RNN": [0], "GRU": [1, 0, 2], "LSTM": [0, 2, 3, 1]}[kind]

    def call(x: Any, w: Any, r: Any, b: Any = None, lengths: Any = None, h0: Any = None, c0: Any = None,
             peepholes: Any = None, *, hidden_size: Any = None, direction: str = "forward", layout: int = 0,
             activations: Any = None, linear_before_reset: int = 0, **options: Any) -> Any:  # fmt: skip
        usual = {"RNN": ["Tanh"], "GRU": ["Sigmoid", "Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"]}[kind]
        given = [a if isinstance(a, str) else a.decode() for a in activations or usual * len(w)]
        if given != usual * len(w) or (lengths is not None and len(set(integer(lengths).tolist())) > 1) or options:
            raise NotImplementedError(f"{kind} with activations, lengths of its own or {list(options)}")
        x = np.swapaxes(x, 0, 1) if layout else x
        steps, batch, size = x.shape[0], x.shape[1], r.shape[-1]
        turned = lambda m: np.concatenate([m[g * size : (g + 1) * size] for g in order])
        outs, ends = [], []
        for d in range(len(w)):
            backwards = direction == "reverse" or d == 1
            biases = np.zeros(2 * w.shape[1], x.dtype) if b is None else b[d]
            weights = (turned(w[d]), turned(r[d]), turned(biases[: w.shape[1]]), turned(biases[w.shape[1] :]))
            initial = [h0, c0] if kind == "LSTM" else [h0]
            initial = [None if s is None else np.swapaxes(s, 0, 1) if layout else s for s in initial]
            state = tuple(np.zeros((batch, size), x.dtype) if s is None else s[d] for s in initial)
            hs: list[Any] = [None] * steps
            for t in reversed(range(steps)) if backwards else range(steps):
                state = _step(kind, x[t], state, weights, peepholes if peepholes is None else peepholes[d],
                              linear_before_reset)  # fmt: skip
                hs[t] = state[0]
            outs.append(np.stack(hs))
            ends.append(state)
        last = [np.stack(parts) for parts in zip(*ends, strict=True)]
        if layout:
            last = [np.swapaxes(s, 0, 1) for s in last]
        out = np.stack(outs, axis=1)
        return (np.transpose(out, (2, 0, 1, 3)) if layout else out, *last)

    return call


def _step(kind: str, x: Any, state: Any, weights: Any, peepholes: Any, linear_before_reset: int) -> Any:
    if kind == "RNN":
        return rnn_step(x, state, weights, "")
    if kind == "GRU" and linear_before_reset:
        return gru_step(x, state, weights, "")
    if kind == "LSTM" and peepholes is None:
        return lstm_step(x, state, weights, "")
    w, r, wb, rb = weights
    n = r.shape[-1]
    s = F.linear(x, w, wb)
    if kind == "GRU":  # the reset gate before the product
        (h,) = state
        q = F.linear(h, r[: 2 * n], rb[: 2 * n])
        reset, update = (elementwise.sigmoid(s[:, k : k + n] + q[:, k : k + n]) for k in (0, n))
        new = np.tanh(s[:, 2 * n :] + F.linear(reset * h, r[2 * n :], rb[2 * n :]))
        return ((1 - update) * new + update * h,)
    h, c = state
    z = s + F.linear(h, r, rb)
    p_i, p_o, p_f = (peepholes[k * n : (k + 1) * n] for k in range(3))
    i = elementwise.sigmoid(z[:, :n] + p_i * c)
    f = elementwise.sigmoid(z[:, n : 2 * n] + p_f * c)
    c = f * c + i * np.tanh(z[:, 2 * n : 3 * n])
    return elementwise.sigmoid(z[:, 3 * n :] + p_o * c) * np.tanh(c), c


def _grid_sample(
    x: Any, grid: Any, *, mode: str = "linear", padding_mode: str = "zeros", align_corners: int = 0
) -> Any:
    modes = {"linear": "bilinear", "cubic": "bicubic"}
    return F.grid_sample(x, grid, modes.get(mode, mode), padding_mode, bool(align_corners))


def _max_unpool(x: Any, at: Any, shape: Any = None, *, kernel_shape: Any, pads: Any = None, strides: Any = None) -> Any:
    axes = len(kernel_shape)
    strides, pads = strides or (1,) * axes, pads or (0,) * (2 * axes)
    each = enumerate(zip(x.shape[2:], strides, kernel_shape, strict=True))
    size = [(n - 1) * s - pads[i] - pads[axes + i] + k for i, (n, s, k) in each]
    flat = np.bincount(integer(at).ravel(), np.reshape(x, (-1,)), int(np.prod((*x.shape[:2], *size))))
    out = np.reshape(flat.astype(x.dtype), (*x.shape[:2], *size))
    wanted = out.shape if shape is None else tuple(integer(shape).tolist())
    return np.pad(out, [(0, n - m) for n, m in zip(wanted, out.shape, strict=True)])


def _col2im(x: Any, image: Any, block: Any, *, dilations: Any = None, pads: Any = None, strides: Any = None) -> Any:
    """Blocks added up where they belong in an image of any number of axes."""
    image, block = integer(image).tolist(), integer(block).tolist()
    axes = len(image)
    strides, dilations, pads = strides or (1,) * axes, dilations or (1,) * axes, pads or (0,) * (2 * axes)
    whole = [n + a + b for n, a, b in zip(image, pads[:axes], pads[axes:], strict=True)]
    each = zip(whole, block, strides, dilations, strict=True)
    along = [np.arange(k)[:, None] * d + np.arange((n - (k - 1) * d - 1) // s + 1) * s for n, k, s, d in each]
    at = np.zeros((1, 1), int)
    for n, places in zip(whole, along, strict=True):
        at = (at[:, None, :, None] * n + places[:, None, :]).reshape(at.shape[0] * len(places), -1)
    n, size = x.shape[0] * x.shape[1] // len(at), int(np.prod(whole))
    where = np.arange(n)[:, None] * size + at.ravel()
    out = np.bincount(where.ravel(), np.reshape(x, (-1,)), n * size).astype(x.dtype)
    inside = tuple(slice(a, a + n) for a, n in zip(pads, image, strict=False))
    return np.reshape(out, (x.shape[0], -1, *whole))[(slice(None), slice(None), *inside)]


LAYERS: dict[str, Call] = {
    "Softmax": lambda x, *, axis=-1: F.softmax(x, axis),
    "LogSoftmax": lambda x, *, axis=-1: F.log_softmax(x, axis),
    "Hardmax": _hardmax,
    "Celu": lambda x, *, alpha=1.0: F.celu(x, alpha),
    "Elu": lambda x, *, alpha=1.0: F.elu(x, alpha),
    "Gelu": lambda x, *, approximate="none": F.gelu(x, approximate),
    "HardSigmoid": lambda x, *, alpha=0.2, beta=0.5: np.clip(x * alpha + beta, 0, 1),
    "LeakyRelu": lambda x, *, alpha=0.01: F.leaky_relu(x, alpha),
    "PRelu": lambda x, slope: np.where(numbers_of(x) < 0, x * slope, x),
    "Selu": lambda x, *, alpha=1.67326319217681884765625, gamma=1.05070102214813232421875: gamma * F.elu(x, alpha),
    "Shrink": _shrink,
    "Swish": lambda x, *, alpha=1.0: F.silu(x) if alpha == 1 else x * elementwise.sigmoid(x * alpha),
    "ThresholdedRelu": lambda x, *, alpha=1.0: F.threshold(x, alpha, 0.0),
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "MaxPool": _max_pool,
    "AveragePool": _average_pool,
    "LpPool": _lp_pool,
    "GlobalAveragePool": _whole(np.mean),
    "GlobalMaxPool": _whole(np.max),
    "MaxUnpool": _max_unpool,
    "BatchNormalization": _batch_norm,
    "InstanceNormalization": lambda x, scale, bias, *, epsilon=1e-5: F.instance_norm(
        x, None, None, scale, bias, eps=epsilon),
    "LayerNormalization": _layer_norm,
    "RMSNormalization": _rms_norm,
    "GroupNormalization": _group_norm,
    "LpNormalization": _lp_normalization,
    "MeanVarianceNormalization": _mean_variance,
    "LRN": lambda x, *, size, alpha=1e-4, beta=0.75, bias=1.0: F.local_response_norm(x, size, alpha, beta, bias),
    "Dropout": _dropout,
    "NegativeLogLikelihoodLoss": _nll,
    "SoftmaxCrossEntropyLoss": _softmax_cross_entropy,
    "RNN": _recurrent("RNN"),
    "GRU": _recurrent("GRU"),
    "LSTM": _recurrent("LSTM"),
    "GridSample": _grid_sample,
    "AffineGrid": lambda theta, size, *, align_corners=0: F.affine_grid(
        theta, tuple(integer(size).tolist()), bool(align_corners)),
    "Col2Im": _col2im,
    "Attention": attention,
    "RotaryEmbedding": rotary_embedding,
    "SwiGLU": lambda a, b, *, alpha=1.0: a * elementwise.sigmoid(a * alpha) * b,
    "Resize": resize,
    "Upsample": upsample,
}  # fmt: skip
