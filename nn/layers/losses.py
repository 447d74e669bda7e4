"""The losses of `nn.functional` as layers, which hold their options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..functional.labels import numbers_of
from ..functional.reduction import REDUCTIONS, check_reduction
from .shown import OfFunction

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CTCLoss",
    "CosineEmbeddingLoss",
    "CrossEntropyLoss",
    "GaussianNLLLoss",
    "HingeEmbeddingLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "LogLoss",
    "MSELoss",
    "MarginRankingLoss",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "NLLLoss",
    "NLLLoss2d",
    "PoissonNLLLoss",
    "SmoothL1Loss",
    "SoftMarginLoss",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]


class _Loss(OfFunction):
    """What losses share: each has a reduction, which is one that there is."""

    reductions: tuple[str, ...] = REDUCTIONS

    def __init__(self, reduction: str = "mean"):
        self._set_options(reduction=reduction)

    def _set_options(self, **options: Any) -> None:
        check_reduction(options["reduction"], self.reductions)
        super()._set_options(**options)
        for name in ("weight", "pos_weight"):
            if options.get(name) is not None:
                del self.__dict__[name]  # a weight belongs to the state
                self.register_buffer(name, numbers_of(options[name]))

    def extra_repr(self) -> str:
        return "" if self.reduction == "mean" else f"reduction={self.reduction!r}"

    def _input(self, value: Any, name: str) -> Any:
        return value  # predictions and targets are not the input x


class _OfTarget(_Loss):
    def forward(self, input: Any, target: Any) -> Any:
        return self._call(input, target)


# --- numbers and distributions


class MSELoss(_OfTarget):
    """(input − target)², averaged: `functional.mse_loss`."""

    _function = "mse_loss"


class L1Loss(_OfTarget):
    """|input − target|, averaged: `functional.l1_loss`."""

    _function = "l1_loss"

    def __init__(self, *, reduction: str = "mean"):
        self._set_options(reduction=reduction)


class SmoothL1Loss(_OfTarget):
    """d²/(2β) where d = |input − target| < β, else d − β/2: `functional.smooth_l1_loss`."""

    _function = "smooth_l1_loss"

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0):
        self._set_options(reduction=reduction, beta=beta)


class HuberLoss(_OfTarget):
    """d²/2 where d = |input − target| ≤ δ, else δ (d − δ/2): `functional.huber_loss`."""

    _function = "huber_loss"

    def __init__(self, reduction: str = "mean", delta: float = 1.0):
        self._set_options(reduction=reduction, delta=delta)


class KLDivLoss(_OfTarget):
    """q (log q − input), averaged; divided by the batch with "batchmean": `functional.kl_div`."""

    _function = "kl_div"
    reductions = (*REDUCTIONS, "batchmean")

    def __init__(self, *, reduction: str = "mean", log_target: bool = False):
        self._set_options(reduction=reduction, log_target=log_target)


class PoissonNLLLoss(_OfTarget):
    """e^input − y · input: `functional.poisson_nll_loss`."""

    _function = "poisson_nll_loss"

    def __init__(self, log_input: bool = True, full: bool = False, *, eps: float = 1e-8, reduction: str = "mean"):
        self._set_options(log_input=log_input, full=full, eps=eps, reduction=reduction)


class GaussianNLLLoss(_Loss):
    """(log σ² + (target − μ)²/σ²) / 2, called with μ, the target and σ²: `functional.gaussian_nll_loss`."""

    _function = "gaussian_nll_loss"

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean"):
        self._set_options(full=full, eps=eps, reduction=reduction)

    def forward(self, input: Any, target: Any, var: Any) -> Any:
        return self._call(input, target, var)


# --- classes


class CrossEntropyLoss(_OfTarget):
    """−log softmax(z) of the right class: `functional.cross_entropy`."""

    _function = "cross_entropy"

    def __init__(
        self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0
    ):
        self._set_options(
            weight=weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing
        )


class NLLLoss(_OfTarget):
    """−log p of the right class, from log p: `functional.nll_loss`."""

    _function = "nll_loss"

    def __init__(self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean"):
        self._set_options(weight=weight, ignore_index=ignore_index, reduction=reduction)


class NLLLoss2d(NLLLoss):
    """`NLLLoss`, which takes images (N, C, H, W) and labels (N, H, W) too, by its old name."""


class LogLoss(_OfTarget):
    """−log ŷ of the right class, from probabilities ŷ: `functional.log_loss`."""

    _function = "log_loss"


class BCELoss(_OfTarget):
    """−(y log p + (1 − y) log(1 − p)): `functional.binary_cross_entropy`."""

    _function = "binary_cross_entropy"

    def __init__(self, weight: Any = None, reduction: str = "mean"):
        self._set_options(weight=weight, reduction=reduction)


class BCEWithLogitsLoss(_OfTarget):
    """Binary cross-entropy of σ(z), from logits z: `functional.binary_cross_entropy_with_logits`."""

    _function = "binary_cross_entropy_with_logits"

    def __init__(self, weight: Any = None, reduction: str = "mean", pos_weight: Any = None):
        self._set_options(weight=weight, reduction=reduction, pos_weight=pos_weight)


class CTCLoss(_Loss):
    """−log of the probability of a label sequence whose place in time is not known: `functional.ctc_loss`."""

    _function = "ctc_loss"

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False):
        self._set_options(blank=blank, reduction=reduction, zero_infinity=zero_infinity)

    def forward(self, log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any) -> Any:
        return self._call(log_probs, targets, input_lengths, target_lengths)


# --- margins


class SoftMarginLoss(_OfTarget):
    """log(1 + e^(−y z)): `functional.soft_margin_loss`."""

    _function = "soft_margin_loss"

    def __init__(self, *, reduction: str = "mean"):
        self._set_options(reduction=reduction)


class HingeEmbeddingLoss(_OfTarget):
    """d where y = 1, max(0, margin − d) where y = −1: `functional.hinge_embedding_loss`."""

    _function = "hinge_embedding_loss"

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean"):
        self._set_options(margin=margin, reduction=reduction)


class MultiMarginLoss(_OfTarget):
    """Σ max(0, margin − z_y + zᵢ)ᵖ / C over the wrong classes i: `functional.multi_margin_loss`."""

    _function = "multi_margin_loss"

    def __init__(self, p: int = 1, margin: float = 1.0, weight: Any = None, *, reduction: str = "mean"):
        self._set_options(p=p, margin=margin, weight=weight, reduction=reduction)


class MultiLabelMarginLoss(_OfTarget):
    """Σ max(0, 1 − z_y + zᵢ) / C over right classes y, wrong i: `functional.multilabel_margin_loss`."""

    _function = "multilabel_margin_loss"

    def __init__(self, *, reduction: str = "mean"):
        self._set_options(reduction=reduction)


class MultiLabelSoftMarginLoss(_OfTarget):
    """Binary cross-entropy of each class, their mean: `functional.multilabel_soft_margin_loss`."""

    _function = "multilabel_soft_margin_loss"

    def __init__(self, weight: Any = None, *, reduction: str = "mean"):
        self._set_options(weight=weight, reduction=reduction)


class MarginRankingLoss(_Loss):
    """max(0, −y (x₁ − x₂) + margin): `functional.margin_ranking_loss`."""

    _function = "margin_ranking_loss"

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean"):
        self._set_options(margin=margin, reduction=reduction)

    def forward(self, input1: Any, input2: Any, target: Any) -> Any:
        return self._call(input1, input2, target)


class CosineEmbeddingLoss(_Loss):
    """1 − cos where y = 1, max(0, cos − margin) where y = −1: `functional.cosine_embedding_loss`."""

    _function = "cosine_embedding_loss"

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean"):
        self._set_options(margin=margin, reduction=reduction)

    def forward(self, input1: Any, input2: Any, target: Any) -> Any:
        return self._call(input1, input2, target)


class TripletMarginLoss(_Loss):
    """max(0, d(a, p) − d(a, n) + margin): `functional.triplet_margin_loss`."""

    _function = "triplet_margin_loss"

    def __init__(
        self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False, *, reduction: str = "mean"
    ):
        self._set_options(margin=margin, p=p, eps=eps, swap=swap, reduction=reduction)

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Any:
        return self._call(anchor, positive, negative)


class TripletMarginWithDistanceLoss(_Loss):
    """`TripletMarginLoss` with any distance: `functional.triplet_margin_with_distance_loss`."""

    _function = "triplet_margin_with_distance_loss"

    def __init__(
        self,
        *,
        distance_function: Callable[[Any, Any], Any] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ):
        self._set_options(distance_function=distance_function, margin=margin, swap=swap, reduction=reduction)

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Any:
        return self._call(anchor, positive, negative)
