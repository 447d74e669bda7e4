"""The layers: each a thin Module over a function of `nn.functional`. Signatures and defaults are PyTorch's."""

from .activations import ReLU, Sigmoid, Softmax, Tanh
from .convolution import Conv2d
from .dense import Dropout, Flatten, Linear
from .losses import BCELoss, BCEWithLogitsLoss, CrossEntropyLoss, LogLoss, MSELoss, NLLLoss
from .pooling import AvgPool2d, MaxPool2d

__all__ = [
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "Conv2d",
    "CrossEntropyLoss",
    "Dropout",
    "Flatten",
    "Linear",
    "LogLoss",
    "MSELoss",
    "MaxPool2d",
    "NLLLoss",
    "ReLU",
    "Sigmoid",
    "Softmax",
    "Tanh",
]
