"""ONNX's Attention and RotaryEmbedding: heads in an axis of their own or side by side, caches, masks and windows.

https://onnx.ai/onnx/operators/onnx__Attention.html has what each option does.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.nests import numbers_of
from autograd.rules import reductions

from .calls import integer

__all__ = ["attention", "rotary_embedding"]


def attention(
    q: Any,
    k: Any,
    v: Any,
    mask: Any = None,
    past_key: Any = None,
    past_value: Any = None,
    lengths: Any = None,
    *,
    is_causal: int = 0,
    kv_num_heads: int = 0,
    q_num_heads: int = 0,
    left_window_size: int = -1,
    qk_matmul_output_mode: int = 0,
    right_window_size: int = -1,
    scale: float | None = None,
    softcap: float = 0.0,
    softmax_precision: Any = None,
) -> tuple[Any, ...]:
    """The attended values; key and value with what came before them; and the scores, at the stage that is asked for."""
    together = q.ndim == 3
    if together:
        q, k, v = _heads(q, q_num_heads), _heads(k, kv_num_heads), _heads(v, kv_num_heads)
    before = 0 if past_key is None else past_key.shape[2]
    if past_key is not None:
        k, v = np.concatenate([past_key, k], axis=2), np.concatenate([past_value, v], axis=2)
    present = k, v
    if q.shape[1] != k.shape[1]:
        k, v = (np.repeat(x, q.shape[1] // x.shape[1], axis=1) for x in (k, v))
    root = q.dtype.type(math.sqrt(1 / math.sqrt(q.shape[-1]) if scale is None else scale))  # for each, in float16 too
    stages = [np.matmul(q * root, np.swapaxes(k * root, -1, -2))]
    stages.append(q.dtype.type(softcap) * np.tanh(stages[0] / q.dtype.type(softcap)) if softcap else stages[0])
    ends = None if lengths is None else integer(lengths).reshape(-1, 1, 1, 1)
    allowed = _allowed(q.shape[2], k.shape[2], before, ends, is_causal, left_window_size, right_window_size)
    stages.append(_masked(stages[1], mask, allowed))
    scores = stages[2] if softmax_precision is None else stages[2].astype(_SOFTMAX.get(softmax_precision, q.dtype))
    weights = reductions.softmax(scores, axis=-1)
    stages.append(weights if weights.dtype == q.dtype else weights.astype(q.dtype))
    out = np.matmul(stages[3], v)
    if together:
        out = np.reshape(np.transpose(out, (0, 2, 1, 3)), (out.shape[0], out.shape[2], -1))
    return out, *present, stages[qk_matmul_output_mode]


_SOFTMAX = {1: np.dtype(np.float32), 10: np.dtype(np.float16), 11: np.dtype(np.float64)}


def _heads(x: Any, heads: int) -> Any:
    """Heads that stand side by side, in an axis of their own."""
    return np.transpose(np.reshape(x, (*x.shape[:2], heads, -1)), (0, 2, 1, 3))


def _allowed(queries: int, keys: int, before: int, ends: Any, causal: int, left: int, right: int) -> Any:
    """Which keys each query may see."""
    at = np.arange(keys)
    place = np.arange(queries)[:, None] + (before if ends is None else ends - queries)
    allowed = np.ones((queries, keys), bool)
    allowed = allowed & (at <= place) if causal else allowed
    allowed = allowed & (at >= place - left) if left >= 0 else allowed
    allowed = allowed & (at <= place + right) if right >= 0 else allowed
    return allowed if ends is None else allowed & (at < ends)


def _masked(scores: Any, mask: Any, allowed: Any) -> Any:
    if mask is not None:
        short = scores.shape[-1] - mask.shape[-1]
        none = False if mask.dtype == bool else -np.inf
        if short:
            mask = np.pad(mask, [(0, 0)] * (mask.ndim - 1) + [(0, short)], constant_values=none)
        if mask.dtype == bool:
            allowed = allowed & numbers_of(mask)
        else:
            scores = scores + mask
    return scores if allowed.all() else scores + np.where(allowed, 0.0, -np.inf).astype(scores.dtype)


def rotary_embedding(
    x: Any,
    cos: Any,
    sin: Any,
    at: Any = None,
    *,
    interleaved: int = 0,
    num_heads: int = 0,
    rotary_embedding_dim: int = 0,
) -> Any:
    """Pairs of features turned by an angle that grows with the place in the sequence."""
    shape = x.shape
    x = np.transpose(x, (0, 2, 1, 3)) if x.ndim == 4 else np.reshape(x, (*shape[:2], num_heads, -1))
    size = rotary_embedding_dim or x.shape[-1]
    cos, sin = ((t if at is None else t[integer(at)])[:, :, None, : size // 2] for t in (cos, sin))
    turned, rest = x[..., :size], x[..., size:]
    pair = (slice(0, None, 2), slice(1, None, 2)) if interleaved else (slice(size // 2), slice(size // 2, None))
    a, b = (turned[..., part] for part in pair)
    both = cos * a - sin * b, sin * a + cos * b
    turned = np.reshape(np.stack(both, axis=-1), turned.shape) if interleaved else np.concatenate(both, axis=-1)
    out = np.concatenate([turned, rest], axis=-1)
    return np.transpose(out, (0, 2, 1, 3)) if len(shape) == 4 else np.reshape(out, shape)
