"""One row for each ATen operation that is a layer or a loss.

The arguments are those of ATen's schema, in its order; `aten` has the other rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.nests import numbers_of
from autograd.rules import reductions
from nn import functional as F

from .calls import CALLS, Call, axes_of, integer
from .pieces import placed, recurrent

__all__ = ["LAYERS"]

REDUCTION = ("none", "mean", "sum")


def _loss(fn: Call, *options: str) -> Call:
    """A loss of two operands, whose `options` come next, in this order; the reduction is a number there."""

    def call(input: Any, target: Any, *given: Any) -> Any:
        named = dict(zip(options, given, strict=False))
        return fn(input, target, **{**named, "reduction": REDUCTION[named.get("reduction", 1)]})

    return call


def _of_three(fn: Call) -> Call:
    return lambda a, b, c, margin=0.0, reduction=1: fn(a, b, c, margin=margin, reduction=REDUCTION[reduction])


def _softmax(fn: Call) -> Call:
    return lambda x, dim, dtype=None: fn(x if dtype is None or not hasattr(dtype, "kind") else x.astype(dtype), dim)


def _padding(mode: str) -> Call:
    return lambda x, pad: F.pad(x, pad, mode)


def _pad(x: Any, pad: Any, mode: str = "constant", value: Any = None) -> Any:
    return F.pad(x, pad, mode, value) if len(pad) else x


def _upsample(mode: str) -> Call:
    def call(x: Any, size: Any, *rest: Any) -> Any:
        align = rest[0] if mode != "nearest" and mode != "nearest-exact" and rest else None
        factors = next((r for r in rest if isinstance(r, list | tuple)), None)
        scale = tuple(factors) if factors is not None and size is None else None
        return F.interpolate(x, None if size is None else tuple(size), scale, mode, align or None)

    return call


_MODES = {f"upsample_{name}": mode for name, mode in {
    "nearest1d": "nearest", "nearest2d": "nearest", "nearest3d": "nearest", "_linear1d": "linear",
    "linear1d": "linear", "bilinear2d": "bilinear", "trilinear3d": "trilinear", "bicubic2d": "bicubic",
}.items()} | {f"_upsample_nearest_exact{n}d": "nearest-exact" for n in (1, 2, 3)}  # fmt: skip


def _batch_norm(x: Any, weight: Any, bias: Any, mean: Any, var: Any, training: bool, momentum: float, eps: float,
                *_: Any) -> Any:  # fmt: skip
    return F.batch_norm(x, mean, var, weight, bias, training, momentum, eps)


def _batch_norm_new(x: Any, weight: Any, bias: Any, mean: Any, var: Any, *options: Any) -> Any:
    """`_batch_norm` that gives the new running mean and variance back, at places 3 and 4."""
    mean, var = np.array(numbers_of(mean)), np.array(numbers_of(var))
    return _batch_norm(x, weight, bias, mean, var, *options), None, None, mean, var


def _instance_norm(x: Any, weight: Any, bias: Any, mean: Any, var: Any, use_input: bool, momentum: float, eps: float,
                   *_: Any) -> Any:  # fmt: skip
    return F.instance_norm(x, mean, var, weight, bias, use_input, momentum, eps)


def _layer_norm(x: Any, shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5, *_: Any) -> Any:
    return F.layer_norm(x, tuple(shape), weight, bias, eps)


def _group_norm(x: Any, groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5, *_: Any) -> Any:
    return F.group_norm(x, groups, weight, bias, eps)


def _embedding(weight: Any, rows: Any, padding_idx: int = -1, scale_grad: bool = False, sparse: bool = False) -> Any:
    padding_idx = None if padding_idx == -1 else padding_idx  # type: ignore[assignment]
    return F.embedding(integer(rows), weight, padding_idx, scale_grad_by_freq=scale_grad, sparse=sparse)


def _embedding_bag(weight: Any, rows: Any, offsets: Any, scale_grad: bool = False, mode: int = 0, sparse: bool = False,
                   per_sample: Any = None, last: bool = False, padding_idx: Any = None) -> Any:  # fmt: skip
    padding_idx = None if padding_idx is None or padding_idx < 0 else padding_idx
    named: dict[str, Any] = {"scale_grad_by_freq": scale_grad, "sparse": sparse}
    named |= {"mode": ("sum", "mean", "max")[mode], "per_sample_weights": per_sample, "include_last_offset": last}
    return F.embedding_bag(integer(rows), weight, integer(offsets), padding_idx=padding_idx, **named), None, None, None


def _grid_sampler(x: Any, grid: Any, mode: int, padding: int, align: bool) -> Any:
    modes, paddings = ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")
    return F.grid_sample(x, grid, modes[mode], paddings[padding], align)


def _convolution(x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, transposed: bool,
                 output_padding: Any, groups: int) -> Any:  # fmt: skip
    axes = weight.ndim - 2
    if transposed:
        given = (tuple(stride), tuple(padding), tuple(output_padding), groups, tuple(dilation))
        return CALLS[f"conv_transpose{axes}d"](x, weight, bias, *given)
    return CALLS[f"conv{axes}d"](x, weight, bias, tuple(stride), tuple(padding), tuple(dilation), groups)


def _pooled(axes: int) -> Call:
    return lambda x, *options: CALLS[f"max_pool{axes}d"](x, *options, return_indices=True)


def _adaptive_max(axes: int) -> Call:
    return lambda x, size: getattr(F, f"adaptive_max_pool{axes}d")(x, tuple(size), return_indices=True)


def _unpooled(x: Any, at: Any, size: Any, *_: Any) -> Any:
    axes = len(size)
    flat = np.reshape(x, (*x.shape[:-axes], -1))
    zeros = np.zeros((*flat.shape[:-1], int(np.prod(size))), x.dtype)
    return np.reshape(placed(zeros, -1, integer(at).reshape(flat.shape), flat), (*flat.shape[:-1], *size))


def _elu(x: Any, alpha: float, scale: float, input_scale: float) -> Any:
    out = F.elu(x if input_scale == 1 else x * input_scale, alpha)
    if input_scale != 1:
        out = np.where(numbers_of(x) > 0, x, out)
    return out if scale == 1 else scale * out


def _dropped(fn: Call) -> Call:
    return lambda x, p, training: fn(x, p, bool(training))


LAYERS: dict[str, Call] = {
    "gelu": lambda x, approximate="none": F.gelu(x, approximate),
    "softmax": _softmax(F.softmax),
    "log_softmax": _softmax(F.log_softmax),
    "_softmax": lambda x, dim, half: F.softmax(x, dim),
    "_log_softmax": lambda x, dim, half: F.log_softmax(x, dim),
    "logsumexp": lambda x, dim, keepdim=False: reductions.logsumexp(x, axis=axes_of(dim), keepdims=keepdim),
    "elu": lambda x, alpha=1.0, scale=1.0, input_scale=1.0: _elu(x, alpha, scale, input_scale),
    "celu": lambda x, alpha=1.0: F.celu(x, alpha),
    "threshold": lambda x, threshold, value: F.threshold(x, threshold, value),
    "rrelu": lambda x, lower=1 / 8, upper=1 / 3, training=False, *_: F.rrelu(x, lower, upper, training),
    "_prelu_kernel": lambda x, weight: np.where(numbers_of(x) > 0, x, weight * x),
    "batch_norm": _batch_norm,
    "_native_batch_norm_legit_functional": _batch_norm_new,
    "_native_batch_norm_legit_no_training": lambda x, w, b, m, v, momentum, eps: (
        F.batch_norm(x, m, v, w, b, False, momentum, eps), None, None),
    "_native_batch_norm_legit.no_stats": lambda x, w, b, *options: (_batch_norm(x, w, b, None, None, *options), None,
                                                                   None),
    "instance_norm": _instance_norm,
    "layer_norm": _layer_norm,
    "native_layer_norm": lambda x, *given: (_layer_norm(x, *given), None, None),
    "group_norm": _group_norm,
    "rms_norm": lambda x, shape, weight=None, eps=None: F.rms_norm(x, tuple(shape), weight, eps),
    "dropout": _dropped(F.dropout),
    "native_dropout": lambda x, p, training=True: (F.dropout(x, p, training is not False), None),
    "feature_dropout": _dropped(lambda x, p, training: F.dropout2d(x, p, training) if x.ndim == 4 else
                                F.dropout1d(x, p, training) if x.ndim < 4 else F.dropout3d(x, p, training)),
    "alpha_dropout": _dropped(F.alpha_dropout),
    "feature_alpha_dropout": _dropped(F.feature_alpha_dropout),
    "embedding": _embedding,
    "embedding_bag": _embedding_bag,
    "convolution": _convolution,
    **{f"max_pool{n}d_with_indices": _pooled(n) for n in (1, 2, 3)},
    **{f"adaptive_max_pool{n}d": _adaptive_max(n) for n in (1, 2, 3)},
    **dict.fromkeys(("max_unpool2d", "max_unpool3d"), _unpooled),
    **{f"_adaptive_avg_pool{n}d": CALLS[f"adaptive_avg_pool{n}d"] for n in (2, 3)},
    "constant_pad_nd": lambda x, pad, value=0: F.pad(x, pad, "constant", value),
    "pad": _pad,
    **{f"reflection_pad{n}d": _padding("reflect") for n in (1, 2, 3)},
    **{f"replication_pad{n}d": _padding("replicate") for n in (1, 2, 3)},
    **{name: _upsample(mode) for name, mode in _MODES.items()},
    "im2col": lambda x, *options: F.unfold(x, *options),
    "col2im": lambda x, *options: F.fold(x, *options),
    **dict.fromkeys(("grid_sampler", "grid_sampler_2d", "grid_sampler_3d"), _grid_sampler),
    "affine_grid_generator": lambda theta, size, align: F.affine_grid(theta, tuple(size), align),
    "one_hot": lambda x, classes=-1: F.one_hot(integer(x), classes),
    **{name: recurrent(name) for name in ("lstm.input", "gru.input", "rnn_tanh.input", "rnn_relu.input")},
    **{name: recurrent(name) for name in ("lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell")},
    # --- losses
    "mse_loss": _loss(F.mse_loss, "reduction"),
    "l1_loss": _loss(F.l1_loss, "reduction"),
    "smooth_l1_loss": _loss(F.smooth_l1_loss, "reduction", "beta"),
    "huber_loss": _loss(F.huber_loss, "reduction", "delta"),
    "soft_margin_loss": _loss(F.soft_margin_loss, "reduction"),
    "hinge_embedding_loss": _loss(F.hinge_embedding_loss, "margin", "reduction"),
    "multi_margin_loss": _loss(F.multi_margin_loss, "p", "margin", "weight", "reduction"),
    "multilabel_margin_loss": _loss(F.multilabel_margin_loss, "reduction"),
    "kl_div": lambda x, y, reduction=1, log_target=False: F.kl_div(x, y, reduction=REDUCTION[reduction],
                                                                  log_target=log_target),
    "poisson_nll_loss": lambda x, y, log_input, full, eps, reduction: F.poisson_nll_loss(
        x, y, log_input=log_input, full=full, eps=eps, reduction=REDUCTION[reduction]),
    "binary_cross_entropy": _loss(F.binary_cross_entropy, "weight", "reduction"),
    "binary_cross_entropy_with_logits": _loss(
        F.binary_cross_entropy_with_logits, "weight", "pos_weight", "reduction"),
    "cross_entropy_loss": _loss(F.cross_entropy, "weight", "reduction", "ignore_index", "label_smoothing"),
    **dict.fromkeys(("nll_loss", "nll_loss_nd", "nll_loss2d"), _loss(F.nll_loss, "weight", "reduction",
                                                                     "ignore_index")),
    "margin_ranking_loss": _of_three(F.margin_ranking_loss),
    "cosine_embedding_loss": _of_three(F.cosine_embedding_loss),
    "triplet_margin_loss": lambda a, p, n, margin=1.0, power=2.0, eps=1e-6, swap=False, reduction=1:
        F.triplet_margin_loss(a, p, n, margin=margin, p=power, eps=eps, swap=swap, reduction=REDUCTION[reduction]),
    **dict.fromkeys(("ctc_loss.IntList", "ctc_loss.Tensor"), lambda x, y, nx, ny, blank=0, reduction=1, zero=False:
                    F.ctc_loss(x, integer(y), np.asarray(nx), np.asarray(ny), blank, REDUCTION[reduction], zero)),
}  # fmt: skip
