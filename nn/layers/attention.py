"""Multi-head attention."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import functional as F
from .. import init
from ..errors import ShapeMismatch, floating, fraction
from ..functional.attention import added_mask, attend
from ..module import Module
from ..naming import give
from ..parameter import Parameter
from ..seeding import RandomSource, generator
from .dense import Linear
from .weighted import at_least_1

__all__ = ["MultiheadAttention"]

_SYMBOLS = {
    "in_proj_weight": "W_QKV",
    "in_proj_bias": "b_QKV",
    "q_proj_weight": "W_Q",
    "k_proj_weight": "W_K",
    "v_proj_weight": "W_V",
    "bias_k": "b_k",
    "bias_v": "b_v",
}


class OutputLinear(Linear):
    """The last product of attention, whose weight is W_O."""

    weight_symbol: str | None = None  # type: ignore[assignment]

    def _symbol(self, parameter: str) -> str | None:
        return {"weight": "W_O", "bias": "b_O"}.get(parameter)


class MultiheadAttention(Module):
    """Attention with several heads: each projects queries, keys and values, and attends by itself.

    MultiHead(Q, K, V) = concat(head₁, …, headₕ) W_Oᵀ + b_O, where headᵢ = softmax(QᵢKᵢᵀ/√d) Vᵢ and Qᵢ, Kᵢ, Vᵢ are each
    d = embed_dim / num_heads columns of Q W_Qᵀ + b_Q, K W_Kᵀ + b_K, V W_Vᵀ + b_V. Of Vaswani et al., *Attention Is All
    You Need* (2017).

    Parameters
    ----------
    embed_dim : int
    num_heads : int
        Divides `embed_dim`.
    dropout : float, optional
        Of the attention weights, in training.
    bias : bool, optional
    add_bias_kv : bool, optional
        Whether one more key and value are learned.
    add_zero_attn : bool, optional
        Whether there is one more key and value of zeros.
    kdim, vdim : int, optional
        The number of features of keys and values; `embed_dim` unless told.
    batch_first : bool, optional
        Whether inputs and output have the shape (N, L, …) instead of (L, N, …).
    dtype : floating dtype, optional
    rng : int or numpy.random.Generator, optional

    Attributes
    ----------
    in_proj_weight : Parameter of shape (3·embed_dim, embed_dim), or None
        W_Q, W_K and W_V, one below the other. With `kdim` or `vdim` they are ``q_proj_weight``, ``k_proj_weight`` and
        ``v_proj_weight``.
    in_proj_bias : Parameter of shape (3·embed_dim,), or None
    out_proj : Linear
    bias_k, bias_v : Parameter of shape (1, 1, embed_dim), or None

    Examples
    --------
    >>> import numpy as np, nn
    >>> attention, x = nn.MultiheadAttention(8, 2, batch_first=True), np.ones((4, 5, 8), np.float32)
    >>> out, weights = attention(x, x, x)
    >>> out.shape, weights.shape
    ((4, 5, 8), (4, 5, 5))
    """

    _inputs = ("query", "key", "value")
    in_proj_weight: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        *,
        dtype: Any = None,
        rng: RandomSource = None,
    ):
        self.embed_dim = at_least_1(embed_dim, "MultiheadAttention: embed_dim")
        self.num_heads = at_least_1(num_heads, "MultiheadAttention: num_heads")
        if embed_dim % num_heads:
            raise ValueError(f"MultiheadAttention: num_heads={num_heads} must divide embed_dim={embed_dim}")
        self.dropout = fraction(dropout, "MultiheadAttention: dropout")
        self.add_zero_attn = bool(add_zero_attn)
        self.kdim = embed_dim if kdim is None else at_least_1(kdim, "MultiheadAttention: kdim")
        self.vdim = embed_dim if vdim is None else at_least_1(vdim, "MultiheadAttention: vdim")
        self.batch_first = bool(batch_first)
        self.rng = None if rng is None else generator(rng)
        self.out_proj = OutputLinear(embed_dim, embed_dim, bias, dtype=dtype, rng=self.rng)
        dtype = self.out_proj.weight.dtype
        one = (self.kdim, self.vdim) == (embed_dim, embed_dim)
        shapes = {
            "in_proj_weight": (3 * embed_dim, embed_dim) if one else None,
            "q_proj_weight": None if one else (embed_dim, embed_dim),
            "k_proj_weight": None if one else (embed_dim, self.kdim),
            "v_proj_weight": None if one else (embed_dim, self.vdim),
            "in_proj_bias": (3 * embed_dim,) if bias else None,
            "bias_k": (1, 1, embed_dim) if add_bias_kv else None,
            "bias_v": (1, 1, embed_dim) if add_bias_kv else None,
        }
        for name, shape in shapes.items():
            setattr(self, name, None if shape is None else Parameter(np.zeros(shape, dtype), copy=False))
        self.reset_parameters(self.rng)

    def reset_parameters(self, rng: RandomSource = None) -> None:
        """Draw new parameters: `init.xavier_uniform_` for the projections, 0 for biases, as in PyTorch."""
        rng = generator(rng)
        self.out_proj.reset_parameters(rng)
        for name, parameter in self.named_parameters():
            if name in ("bias_k", "bias_v"):
                init.xavier_normal_(parameter, rng=rng)
            elif name.endswith("bias"):
                init.zeros_(parameter)
            elif name != "out_proj.weight":
                init.xavier_uniform_(parameter, rng=rng)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:
        """What the queries find, of the shape of `query`; and the weights, or None.

        Parameters
        ----------
        query : Tensor or array of shape (L, N, embed_dim), (N, L, embed_dim) with `batch_first`, or (L, embed_dim)
        key, value : Tensor or array
            Alike, with S for L, `kdim` and `vdim` for `embed_dim`.
        key_padding_mask : array of shape (N, S), or (S,), optional
            Of booleans: True where a key is left out. Of floating-point numbers: added to the scores.
        need_weights : bool, optional
            Whether to return the weights.
        attn_mask : array of shape (L, S) or (N·num_heads, L, S), optional
            Like `key_padding_mask`.
        average_attn_weights : bool, optional
            Whether the weights are the mean over the heads, of shape (N, L, S), or those of each, (N, num_heads, L, S).
        is_causal : bool, optional
            Without an `attn_mask`, query i sees the keys 0 to i alone.

        Raises
        ------
        ShapeMismatch
            If an input or a mask has another shape; a ValueError.
        DtypeMismatch
            If an input or a mask holds integers; a TypeError.
        """
        query, key, value = self._checked(query, key, value)
        turned = query.ndim == 3 and not self.batch_first
        if turned:
            query, key, value = (np.swapaxes(x, 0, 1) for x in (query, key, value))
        mask = self._mask(key_padding_mask, attn_mask, query, key, is_causal)
        q = self._heads(self._projected(query, 0), "Q")
        k, v = self._projected(key, 1), self._projected(value, 2)
        if self.bias_k is not None and self.bias_v is not None:
            k, v = (self._extended(x, b.reshape(1, -1)) for x, b in ((k, self.bias_k), (v, self.bias_v)))
        if self.add_zero_attn:
            k, v = (self._extended(x, np.zeros((1, self.embed_dim), x.dtype)) for x in (k, v))
        k, v = self._heads(k, "K"), self._heads(v, "V")
        out, weights = attend(q, k, v, mask, self.dropout if self.training else 0.0, rng=self.rng)
        if self.num_heads > 1:
            out = np.swapaxes(out, -3, -2)
            out = out.reshape((*out.shape[:-2], self.embed_dim))
        out = self.out_proj(out)
        if turned:
            out = np.swapaxes(out, 0, 1)
        if not need_weights:
            return out, None
        if self.num_heads == 1:
            return out, weights if average_attn_weights else np.expand_dims(weights, -3)
        return out, np.mean(weights, axis=-3) if average_attn_weights else weights

    def _checked(self, *inputs: Any) -> list[Any]:
        names, sizes = ("query", "key", "value"), (self.embed_dim, self.kdim, self.vdim)
        found = [floating(x, f"MultiheadAttention: {n}") for x, n in zip(inputs, names, strict=True)]
        shapes = [x.shape for x in found]
        same_rank = {len(shape) for shape in shapes} in ({2}, {3})
        axis = 0 if self.batch_first else 1
        if (
            not same_rank
            or any(shape[-1] != size for shape, size in zip(shapes, sizes, strict=True))
            or shapes[1][:-1] != shapes[2][:-1]
            or (len(shapes[0]) == 3 and shapes[0][axis] != shapes[1][axis])
        ):
            lead = "N, " if self.batch_first else ""
            after = "" if self.batch_first else "N, "
            needed = [f"({lead}{n}, {after}{size})" for n, size in zip("LSS", sizes, strict=True)]
            raise ShapeMismatch(
                f"MultiheadAttention: query, key and value of shape {', '.join(needed)} are needed, or all without N; "
                f"got {', '.join(map(str, shapes))}"
            )
        return found

    def _projected(self, x: Any, i: int) -> Any:
        """Queries (0), keys (1) or values (2) times their weight."""
        rows, letter = slice(i * self.embed_dim, (i + 1) * self.embed_dim), "QKV"[i]
        if self.in_proj_weight is not None:
            weight = give(self.in_proj_weight[rows], f"W_{letter}")
        else:
            weight = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)[i]
        return F.linear(x, weight, None if self.in_proj_bias is None else give(self.in_proj_bias[rows], f"b_{letter}"))

    def _extended(self, x: Any, row: Any) -> Any:
        """With one more key or value at the end of each sequence."""
        return np.concatenate([x, np.broadcast_to(row, (*x.shape[:-2], 1, self.embed_dim))], axis=-2)

    def _heads(self, x: Any, name: str) -> Any:
        """(…, L, embed_dim) as (…, heads, L, d); as it is where there is one head."""
        if self.num_heads == 1:
            return give(x, name)
        shape = (*x.shape[:-1], self.num_heads, self.embed_dim // self.num_heads)
        return give(np.swapaxes(x.reshape(shape), -3, -2), name)

    def _mask(self, padding: Any, mask: Any, query: Any, key: Any, is_causal: bool) -> Any:
        """Both masks as one that is added to the scores, with 0 for keys that are added; None where there is none."""
        length, size = query.shape[-2], key.shape[-2]
        if mask is None and is_causal:
            mask = ~np.tri(length, size, dtype=bool)
        heads = () if self.num_heads == 1 else (self.num_heads,)
        parts = []
        if mask is not None:
            part = added_mask(mask, query.dtype, "MultiheadAttention: attn_mask", counts=False)
            every = (*key.shape[:-2], *heads, length, size)
            several = (int(np.prod(every[:-2])), length, size)
            if part.shape not in ((length, size), several):
                raise ShapeMismatch(
                    f"MultiheadAttention: attn_mask of shape {(length, size)} or {several} is needed, got {part.shape}"
                )
            parts.append(part if part.ndim == 2 else part.reshape(every))
        if padding is not None:
            part = added_mask(padding, query.dtype, "MultiheadAttention: key_padding_mask", counts=False)
            if part.shape != key.shape[:-1]:
                raise ShapeMismatch(
                    f"MultiheadAttention: key_padding_mask of shape {key.shape[:-1]} is needed, got {part.shape}"
                )
            parts.append(part.reshape((*part.shape[:-1], *(1 for _ in heads), 1, size)))
        if not parts:
            return None
        whole = parts[0] if len(parts) == 1 else parts[0] + parts[1]
        more = (self.bias_k is not None) + self.add_zero_attn
        if more:
            whole = np.concatenate([whole, np.zeros((*whole.shape[:-1], more), query.dtype)], axis=-1)
        return whole

    def _symbol(self, parameter: str) -> str | None:
        return _SYMBOLS.get(parameter)
