"""The layers as functions of their input and weights: compositions of traced NumPy functions and primitives.

Names, signatures and defaults are those of ``torch.nn.functional``. A convolution's graph shows pad → windows →
product → bias.
"""

from ..namespace import namespace
from .activations import log_softmax, relu, sigmoid, softmax, tanh
from .convolution import conv2d
from .dense import dropout, flatten, linear
from .losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    log_loss,
    mse_loss,
    nll_loss,
)
from .pooling import avg_pool2d, max_pool2d

__all__ = [
    "avg_pool2d",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "conv2d",
    "cross_entropy",
    "dropout",
    "flatten",
    "linear",
    "log_loss",
    "log_softmax",
    "max_pool2d",
    "mse_loss",
    "nll_loss",
    "relu",
    "sigmoid",
    "softmax",
    "tanh",
]
__getattr__, __dir__ = namespace(__name__, __all__)
