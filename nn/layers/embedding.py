"""Embeddings: a table of vectors, looked up by number."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from autograd import Tensor

from .. import functional as F
from .. import init
from ..errors import ShapeMismatch
from ..functional.embedding import check_embedding
from ..module import Module
from ..parameter import Parameter
from ..seeding import RandomSource
from .weighted import at_least_1

__all__ = ["Embedding", "EmbeddingBag"]

T = TypeVar("T", bound="_Table")


class _Table(Module):
    """A table of vectors, drawn from the normal distribution."""

    def _set_table(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None,
        max_norm: float | None,
        norm_type: float,
        refused: tuple[bool, bool],
        dtype: Any,
        rng: RandomSource,
    ) -> None:
        what = type(self).__name__
        self.num_embeddings = at_least_1(num_embeddings, f"{what}: num_embeddings")
        self.embedding_dim = at_least_1(embedding_dim, f"{what}: embedding_dim")
        check_embedding(num_embeddings, padding_idx, *refused, what)
        self.padding_idx = padding_idx if padding_idx is None else padding_idx % num_embeddings
        self.max_norm = max_norm
        self.norm_type = norm_type
        shape = (num_embeddings, embedding_dim)
        self.weight = Parameter(np.zeros(shape, np.float32 if dtype is None else dtype), copy=False)
        self.reset_parameters(rng)

    def reset_parameters(self, rng: RandomSource = None) -> None:
        """Draw the table from N(0, 1) anew; the padding row is 0."""
        init.normal_(self.weight, rng=rng)
        if self.padding_idx is not None:
            array = np.array(self.weight.data)
            array[self.padding_idx] = 0
            self.weight.rebind(array)

    @classmethod
    def from_pretrained(cls: type[T], embeddings: Any, freeze: bool = True, **options: Any) -> T:
        """A layer with a given table.

        Parameters
        ----------
        embeddings : array or Tensor of shape (V, D)
        freeze : bool, optional
            Whether the table is not to be trained.
        **options
            As the class takes them.

        Examples
        --------
        >>> import nn
        >>> nn.Embedding.from_pretrained([[1.0, 2.0], [3.0, 4.0]])([1]).data
        array([[3., 4.]])
        """
        array = np.array(embeddings.data if isinstance(embeddings, Tensor) else embeddings)
        if array.ndim != 2 or array.dtype.kind != "f":
            raise ShapeMismatch(
                f"from_pretrained: floating-point embeddings of shape (V, D) are needed, got {array.dtype} of shape "
                f"{array.shape}"
            )
        make: Any = cls
        layer: T = make(*array.shape, **options, dtype=array.dtype, rng=0)
        layer.weight.rebind(array)
        layer.weight.requires_grad = not freeze
        return layer

    def _symbol(self, parameter: str) -> str | None:
        return "E" if parameter == "weight" else None

    def extra_repr(self) -> str:
        usual = {"padding_idx": None, "max_norm": None, "norm_type": 2.0, "mode": None}
        options = {name: getattr(self, name, None) for name in usual}
        written = (f", {name}={value!r}" for name, value in options.items() if value != usual[name])
        return f"{self.num_embeddings}, {self.embedding_dim}{''.join(written)}"


class Embedding(_Table):
    """A table of vectors, looked up by number: `functional.embedding`.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
    padding_idx : int, optional
        A row that is 0 at first and gets no gradient.
    max_norm, norm_type : float, optional
        Longer rows are shortened, in the table, when they are looked up.
    scale_grad_by_freq, sparse : bool, optional
        Must be False.
    dtype : floating dtype, optional
    rng : int or numpy.random.Generator, optional

    Attributes
    ----------
    weight : Parameter of shape (num_embeddings, embedding_dim), named E

    Examples
    --------
    >>> import nn
    >>> nn.Embedding(10, 3)([[1, 2, 4, 5], [4, 3, 2, 9]]).shape
    (2, 4, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        *,
        dtype: Any = None,
        rng: RandomSource = None,
    ):
        refused = scale_grad_by_freq, sparse
        self._set_table(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, refused, dtype, rng)

    def forward(self, input: Any) -> Any:
        return F.embedding(input, self.weight, self.padding_idx, self.max_norm, self.norm_type)


class EmbeddingBag(_Table):
    """Of each bag of row numbers the mean, sum or largest elements of the rows: `functional.embedding_bag`.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
    max_norm, norm_type, scale_grad_by_freq, sparse
        As of `Embedding`.
    mode : {"mean", "sum", "max"}, optional
    include_last_offset : bool, optional
    padding_idx : int, optional
        A row that is left out.
    dtype : floating dtype, optional
    rng : int or numpy.random.Generator, optional

    Examples
    --------
    >>> import nn
    >>> nn.EmbeddingBag(10, 3)([[1, 2, 4, 5], [4, 3, 2, 9]]).shape
    (2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        *,
        dtype: Any = None,
        rng: RandomSource = None,
    ):
        if mode not in ("sum", "mean", "max"):
            raise ValueError(f"EmbeddingBag: mode must be 'sum', 'mean' or 'max', got {mode!r}")
        self.mode = mode
        self.include_last_offset = bool(include_last_offset)
        refused = scale_grad_by_freq, sparse
        self._set_table(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, refused, dtype, rng)

    def forward(self, input: Any, offsets: Any = None, per_sample_weights: Any = None) -> Any:
        return F.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            mode=self.mode,
            per_sample_weights=per_sample_weights,
            include_last_offset=self.include_last_offset,
            padding_idx=self.padding_idx,
        )
