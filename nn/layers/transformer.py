"""The layers of the Transformer of Vaswani et al., *Attention Is All You Need* (2017), and stacks of them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import functional as F
from .. import init
from ..containers import ModuleList
from ..module import Module
from ..seeding import RandomSource, generator
from .attention import MultiheadAttention
from .dense import Linear
from .dropout import Dropout
from .norms import LayerNorm

__all__ = [
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
]

_ACTIVATIONS = ("relu", "gelu")


class _Layer(Module):
    """What both kinds of layers have in common: parts that are added to what goes in, each with a norm of its own."""

    norm_first: bool
    self_attn: MultiheadAttention

    def _build(
        self,
        attentions: tuple[str, ...],
        sizes: tuple[int, int, int],
        dropout: float,
        activation: str | Callable[[Any], Any],
        layer_norm_eps: float,
        batch_first: bool,
        norm_first: bool,
        bias: bool,
        dtype: Any,
        rng: RandomSource,
    ) -> None:
        d_model, nhead, dim_feedforward = sizes
        if not callable(activation) and activation not in _ACTIVATIONS:
            raise ValueError(
                f"{type(self).__name__}: activation must be 'relu', 'gelu' or a function, got {activation!r}"
            )
        rng = None if rng is None else generator(rng)
        own: dict[str, Any] = {"dtype": dtype, "rng": rng}
        for name in attentions:
            setattr(self, name, MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **own))
        self.linear1 = Linear(d_model, dim_feedforward, bias, **own)
        self.dropout = Dropout(dropout, rng=rng)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **own)
        parts = range(1, len(attentions) + 2)
        for i in parts:
            setattr(self, f"norm{i}", LayerNorm(d_model, eps=layer_norm_eps, bias=bias, dtype=dtype))
        for i in parts:
            setattr(self, f"dropout{i}", Dropout(dropout, rng=rng))
        self.activation = activation
        self.norm_first = bool(norm_first)

    def _added(self, x: Any, i: int, part: Callable[[Any], Any]) -> Any:
        """x + part(x), with the dropout and the norm of this number: before the part, or after the sum."""
        norm, dropout = getattr(self, f"norm{i}"), getattr(self, f"dropout{i}")
        if self.norm_first:
            return x + dropout(part(norm(x)))
        return norm(x + dropout(part(x)))

    def _feed_forward(self, x: Any) -> Any:
        activate = getattr(F, self.activation) if isinstance(self.activation, str) else self.activation
        return self.linear2(self.dropout(activate(self.linear1(x))))


class TransformerEncoderLayer(_Layer):
    """Self-attention, then two dense layers; each is added to what it was given, and normalised.

    x ← norm₁(x + attention(x)); x ← norm₂(x + W₂ g(W₁ x + b₁) + b₂). With `norm_first`, x ← x + attention(norm₁(x)),
    and so on.

    Parameters
    ----------
    d_model, nhead : int
        The number of features, and of heads.
    dim_feedforward : int, optional
        The size of the hidden dense layer.
    dropout : float, optional
    activation : {"relu", "gelu"} or callable, optional
    layer_norm_eps : float, optional
    batch_first : bool, optional
        Whether input and output have the shape (N, L, d_model) instead of (L, N, d_model).
    norm_first, bias : bool, optional
    dtype : floating dtype, optional
    rng : int or numpy.random.Generator, optional

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    >>> layer(np.ones((4, 5, 8), np.float32)).shape
    (4, 5, 8)
    """

    _inputs = ("src", "src_mask", "src_key_padding_mask")

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Any], Any] = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        dtype: Any = None,
        rng: RandomSource = None,
    ):
        sizes, kind = (d_model, nhead, dim_feedforward), (activation, layer_norm_eps, batch_first, norm_first, bias)
        self._build(("self_attn",), sizes, dropout, *kind, dtype, rng)

    def forward(self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False) -> Any:
        """Of the shape of `src`; masks as of `MultiheadAttention`."""
        masks = {"attn_mask": src_mask, "key_padding_mask": src_key_padding_mask, "is_causal": is_causal}
        x = self._added(src, 1, lambda x: self.self_attn(x, x, x, need_weights=False, **masks)[0])
        return self._added(x, 2, self._feed_forward)


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to what an encoder gave, then two dense layers; each is added and normalised.

    Parameters
    ----------
    d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, dtype, rng
        As of `TransformerEncoderLayer`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.TransformerDecoderLayer(8, 2, 16, batch_first=True)
    >>> layer(np.ones((4, 3, 8), np.float32), np.ones((4, 5, 8), np.float32)).shape
    (4, 3, 8)
    """

    _inputs = ("tgt", "memory", "tgt_mask", "memory_mask", "tgt_key_padding_mask", "memory_key_padding_mask")
    multihead_attn: MultiheadAttention

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Any], Any] = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        dtype: Any = None,
        rng: RandomSource = None,
    ):
        sizes, kind = (d_model, nhead, dim_feedforward), (activation, layer_norm_eps, batch_first, norm_first, bias)
        self._build(("self_attn", "multihead_attn"), sizes, dropout, *kind, dtype, rng)

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Any:
        """Of the shape of `tgt`; masks as of `MultiheadAttention`."""
        own = {"attn_mask": tgt_mask, "key_padding_mask": tgt_key_padding_mask, "is_causal": tgt_is_causal}
        other = {"attn_mask": memory_mask, "key_padding_mask": memory_key_padding_mask, "is_causal": memory_is_causal}
        x = self._added(tgt, 1, lambda x: self.self_attn(x, x, x, need_weights=False, **own)[0])
        x = self._added(x, 2, lambda x: self.multihead_attn(x, memory, memory, need_weights=False, **other)[0])
        return self._added(x, 3, self._feed_forward)


class _Stack(Module):
    """Copies of a layer, one after the other, and perhaps a norm at the end."""

    norm: Module | None

    def _build(self, layer: Module, num_layers: int, norm: Module | None) -> None:
        kept = {id(g): g for g in layer.generators()}  # copies draw from the generators that the layer draws from
        self.layers = ModuleList([copy.deepcopy(layer, dict(kept)) for _ in range(num_layers)])
        self.num_layers = num_layers
        self.norm = norm

    def _normed(self, x: Any) -> Any:
        return x if self.norm is None else self.norm(x)


class TransformerEncoder(_Stack):
    """Copies of a `TransformerEncoderLayer`, one after the other.

    Parameters
    ----------
    encoder_layer : TransformerEncoderLayer
        Is copied, with its numbers.
    num_layers : int
    norm : Module, optional
        Is called at the end.
    enable_nested_tensor, mask_check : bool, optional
        Accepted as PyTorch has them, without effect.

    Examples
    --------
    >>> import numpy as np, nn
    >>> encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), num_layers=2)
    >>> encoder(np.ones((4, 5, 8), np.float32)).shape
    (4, 5, 8)
    """

    _inputs = ("src", "mask", "src_key_padding_mask")

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ):
        self._build(encoder_layer, num_layers, norm)

    def forward(
        self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool | None = None
    ) -> Any:
        """Of the shape of `src`; masks as of `MultiheadAttention`."""
        for layer in self.layers:
            src = layer(src, mask, src_key_padding_mask, is_causal=bool(is_causal))
        return self._normed(src)


class TransformerDecoder(_Stack):
    """Copies of a `TransformerDecoderLayer`, one after the other.

    Parameters
    ----------
    decoder_layer : TransformerDecoderLayer
        Is copied, with its numbers.
    num_layers : int
    norm : Module, optional
        Is called at the end.

    Examples
    --------
    >>> import numpy as np, nn
    >>> decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16), num_layers=2)
    >>> decoder(np.ones((3, 4, 8), np.float32), np.ones((5, 4, 8), np.float32)).shape
    (3, 4, 8)
    """

    _inputs = TransformerDecoderLayer._inputs

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None):
        self._build(decoder_layer, num_layers, norm)

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Any:
        """Of the shape of `tgt`; masks as of `MultiheadAttention`."""
        masks = tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask
        for layer in self.layers:
            tgt = layer(tgt, memory, *masks, bool(tgt_is_causal), memory_is_causal)
        return self._normed(tgt)


class Transformer(Module):
    """An encoder and a decoder, which attends to what the encoder gives.

    Parameters
    ----------
    d_model, nhead, num_encoder_layers, num_decoder_layers : int, optional
    dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, dtype, rng
        As of `TransformerEncoderLayer`.
    custom_encoder, custom_decoder : Module, optional
        Instead of those that are made of layers.

    Examples
    --------
    >>> import numpy as np, nn
    >>> model = nn.Transformer(8, 2, 1, 1, 16)
    >>> model(np.ones((5, 4, 8), np.float32), np.ones((3, 4, 8), np.float32)).shape
    (3, 4, 8)
    """

    _inputs = ("src", "tgt", "src_mask", "tgt_mask", "memory_mask")

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Any], Any] = "relu",
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        dtype: Any = None,
        rng: RandomSource = None,
    ):
        rng = None if rng is None else generator(rng)
        own: dict[str, Any] = {"dtype": dtype, "rng": rng}
        options = dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias
        self.d_model, self.nhead, self.batch_first = d_model, nhead, bool(batch_first)
        if custom_encoder is None:
            norm = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, dtype=dtype)
            layer: Module = TransformerEncoderLayer(d_model, nhead, *options, **own)
            custom_encoder = TransformerEncoder(layer, num_encoder_layers, norm)
        self.encoder = custom_encoder
        if custom_decoder is None:
            norm = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, dtype=dtype)
            layer = TransformerDecoderLayer(d_model, nhead, *options, **own)
            custom_decoder = TransformerDecoder(layer, num_decoder_layers, norm)
        self.decoder = custom_decoder
        self.reset_parameters(rng)

    def reset_parameters(self, rng: RandomSource = None) -> None:
        """Draw all weights anew: `init.xavier_uniform_`."""
        rng = generator(rng)
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter, rng=rng)

    def forward(
        self,
        src: Any,
        tgt: Any,
        src_mask: Any = None,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Any:
        """Of the shape of `tgt`; masks as of `MultiheadAttention`."""
        memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
        masks = tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask
        return self.decoder(tgt, memory, *masks, tgt_is_causal, memory_is_causal)

    @staticmethod
    def generate_square_subsequent_mask(sz: int, *, dtype: Any = np.float32) -> Any:
        """A mask of shape (sz, sz) that lets each position see itself and those before: 0 there, −∞ elsewhere.

        Examples
        --------
        >>> import nn
        >>> nn.Transformer.generate_square_subsequent_mask(2)
        array([[  0., -inf],
               [  0.,   0.]], dtype=float32)
        """
        return np.where(np.tri(sz, dtype=bool), 0, -np.inf).astype(dtype)
