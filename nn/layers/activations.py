"""Activations as layers: each a function of `nn.functional` with its options.

`inplace` is accepted wherever PyTorch has it, without effect: Tensors never change in place.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import functional as F
from .. import init, naming
from ..errors import ShapeMismatch
from ..module import Module
from ..parameter import Parameter
from ..seeding import RandomSource, generator
from .shown import Function
from .weighted import at_least_1, floating_dtype

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]


class Sigmoid(Function):
    """σ(z) = 1 / (1 + e⁻ᶻ): `functional.sigmoid`."""

    _function = "sigmoid"


class Tanh(Function):
    """tanh z: `functional.tanh`."""

    _function = "tanh"


class ReLU(Function):
    """max(z, 0): `functional.relu`. `inplace` is accepted, without effect: Tensors never change in place."""

    _function = "relu"

    def __init__(self, inplace: bool = False):
        self._set_options(inplace=bool(inplace))


class ReLU6(Function):
    """min(max(z, 0), 6): `functional.relu6`."""

    _function = "relu6"

    def __init__(self, inplace: bool = False):
        self._set_options(inplace=bool(inplace))


class Hardtanh(Function):
    """z held between `min_val` and `max_val`: `functional.hardtanh`."""

    _function = "hardtanh"

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False):
        self._set_options(min_val=min_val, max_val=max_val, inplace=bool(inplace))


class Hardsigmoid(Function):
    """(z + 3) / 6 held between 0 and 1: `functional.hardsigmoid`."""

    _function = "hardsigmoid"

    def __init__(self, inplace: bool = False):
        self._set_options(inplace=bool(inplace))


class Hardswish(Function):
    """z · hardsigmoid(z): `functional.hardswish`."""

    _function = "hardswish"

    def __init__(self, inplace: bool = False):
        self._set_options(inplace=bool(inplace))


class LeakyReLU(Function):
    """z where z > 0, else `negative_slope` · z: `functional.leaky_relu`."""

    _function = "leaky_relu"

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False):
        self._set_options(negative_slope=negative_slope, inplace=bool(inplace))


class Threshold(Function):
    """z where z > `threshold`, else `value`: `functional.threshold`."""

    _function = "threshold"

    def __init__(self, threshold: float, value: float, inplace: bool = False):
        self._set_options(threshold=threshold, value=value, inplace=bool(inplace))


class Hardshrink(Function):
    """z, but 0 where |z| ≤ `lambd`: `functional.hardshrink`."""

    _function = "hardshrink"

    def __init__(self, lambd: float = 0.5):
        self._set_options(lambd=lambd)


class Softshrink(Function):
    """z moved towards 0 by `lambd`: `functional.softshrink`."""

    _function = "softshrink"

    def __init__(self, lambd: float = 0.5):
        self._set_options(lambd=lambd)


class ELU(Function):
    """z where z > 0, else α (eᶻ − 1): `functional.elu`."""

    _function = "elu"

    def __init__(self, alpha: float = 1.0, inplace: bool = False):
        self._set_options(alpha=alpha, inplace=bool(inplace))


class SELU(Function):
    """1.0507 · elu(z, α = 1.6733): `functional.selu`."""

    _function = "selu"

    def __init__(self, inplace: bool = False):
        self._set_options(inplace=bool(inplace))


class CELU(Function):
    """z where z > 0, else α (e^(z/α) − 1): `functional.celu`."""

    _function = "celu"

    def __init__(self, alpha: float = 1.0, inplace: bool = False):
        self._set_options(alpha=alpha, inplace=bool(inplace))


class Softplus(Function):
    """log(1 + e^(βz)) / β: `functional.softplus`."""

    _function = "softplus"

    def __init__(self, beta: float = 1.0, threshold: float = 20.0):
        self._set_options(beta=beta, threshold=threshold)


class LogSigmoid(Function):
    """log σ(z): `functional.logsigmoid`."""

    _function = "logsigmoid"


class SiLU(Function):
    """z σ(z): `functional.silu`."""

    _function = "silu"

    def __init__(self, inplace: bool = False):
        self._set_options(inplace=bool(inplace))


class Mish(Function):
    """z tanh(log(1 + eᶻ)): `functional.mish`."""

    _function = "mish"

    def __init__(self, inplace: bool = False):
        self._set_options(inplace=bool(inplace))


class GELU(Function):
    """z Φ(z), Φ the normal distribution function: `functional.gelu`."""

    _function = "gelu"

    def __init__(self, approximate: str = "none"):
        self._set_options(approximate=approximate)


class Softsign(Function):
    """z / (1 + |z|): `functional.softsign`."""

    _function = "softsign"


class Tanhshrink(Function):
    """z − tanh z: `functional.tanhshrink`."""

    _function = "tanhshrink"


class GLU(Function):
    """a σ(b), the two halves of z along the axis `dim`: `functional.glu`."""

    _function = "glu"

    def __init__(self, dim: int = -1):
        self._set_options(dim=dim)


class Softmin(Function):
    """softmax(−z) along the axis `dim`: `functional.softmin`."""

    _function = "softmin"

    def __init__(self, dim: int = -1):
        self._set_options(dim=dim)


class LogSoftmax(Function):
    """log softmax(z) along the axis `dim`: `functional.log_softmax`. Train it with `nll_loss`."""

    _function = "log_softmax"

    def __init__(self, dim: int = -1):
        self._set_options(dim=dim)


class Softmax(Function):
    """Probabilities from logits, along the axis `dim`, named ŷ: `functional.softmax`. Train it with `log_loss`."""

    _function = "softmax"

    def __init__(self, dim: int = -1):
        self._set_options(dim=dim)

    def forward(self, x: Any) -> Any:
        return naming.prediction(self._call(x))


class Softmax2d(Module):
    """Probabilities of the channels at each place of images (N, C, H, W) or (C, H, W), named ŷ."""

    def forward(self, x: Any) -> Any:
        if np.ndim(x) not in (3, 4):
            raise ShapeMismatch(
                f"Softmax2d: images of shape (N, C, H, W) or (C, H, W) are needed, got shape {np.shape(x)}"
            )
        return naming.prediction(F.softmax(x, -3))


class PReLU(Function):
    """z where z > 0, else w z with learned slopes w: `functional.prelu`.

    Parameters
    ----------
    num_parameters : int, optional
        1, or the number of channels: a slope for each.
    init : float, optional
        What slopes start from.
    dtype : floating dtype, optional
        float32 unless told.

    Attributes
    ----------
    weight : Parameter of shape (num_parameters,)
    """

    _function = "prelu"

    def __init__(self, num_parameters: int = 1, init: float = 0.25, *, dtype: Any = None):
        self._set_options(num_parameters=at_least_1(num_parameters, "PReLU: num_parameters"))
        self.init = init
        self.weight = Parameter(np.full(num_parameters, init, floating_dtype(dtype, "PReLU")), copy=False)

    def reset_parameters(self) -> None:
        """Give all slopes their first value."""
        init.constant_(self.weight, self.init)

    def forward(self, x: Any) -> Any:
        return F.prelu(x, self.weight)


class RReLU(Function):
    """z where z > 0, else r z; in training r is drawn for each element, evenly: `functional.rrelu`.

    Parameters
    ----------
    lower, upper : float, optional
    inplace : bool, optional
    rng : int or numpy.random.Generator, optional
        Where slopes are drawn from; the generator of `nn.manual_seed` unless told.
    """

    _function = "rrelu"

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False, *, rng: RandomSource = None):
        self._set_options(lower=lower, upper=upper, inplace=bool(inplace))
        self.rng = None if rng is None else generator(rng)

    def forward(self, x: Any) -> Any:
        return self._call(x, training=self.training, rng=self.rng)
