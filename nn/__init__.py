"""Layers, losses, optimisers, data and training on traced Tensors. Names and defaults follow PyTorch."""

import os

import autograd

if not hasattr(autograd, "Tape"):
    raise ImportError(
        "nn needs tracegrad's own package 'autograd', but another one (HIPS autograd, say) is installed under that "
        "name: pip uninstall -y autograd tracegrad, then pip install tracegrad"
    )

from autograd.recording import hide_frames

from . import datasets, functional, init, loader, optim
from .errors import DtypeMismatch, LayerError, ShapeMismatch
from .layers import (
    AvgPool2d,
    BCELoss,
    BCEWithLogitsLoss,
    Conv2d,
    CrossEntropyLoss,
    Dropout,
    Flatten,
    Linear,
    LogLoss,
    MaxPool2d,
    MSELoss,
    NLLLoss,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)
from .loader import DataLoader
from .module import Module
from .namespace import namespace
from .optim import SGD, Adam
from .parameter import Parameter
from .saving import load, save
from .seeding import manual_seed
from .sequential import Sequential
from .training import History, evaluate, fit

__all__ = [
    "SGD",
    "Adam",
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "Conv2d",
    "CrossEntropyLoss",
    "DataLoader",
    "Dropout",
    "DtypeMismatch",
    "Flatten",
    "History",
    "LayerError",
    "Linear",
    "LogLoss",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "NLLLoss",
    "Parameter",
    "ReLU",
    "Sequential",
    "ShapeMismatch",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "datasets",
    "evaluate",
    "fit",
    "functional",
    "init",
    "load",
    "loader",
    "manual_seed",
    "optim",
    "save",
]

# Source lines on the tape point at the program that calls a layer.
hide_frames(os.path.dirname(__file__))
__getattr__, __dir__ = namespace(__name__, __all__)
