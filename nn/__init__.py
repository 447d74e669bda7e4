"""Layers, losses, optimisers, data and training on traced Tensors. Names and defaults follow PyTorch."""

import os

import autograd

if not hasattr(autograd, "Tape"):
    raise ImportError(
        "nn needs tracegrad's own package 'autograd', but another one (HIPS autograd, say) is installed under that "
        "name: pip uninstall -y autograd tracegrad, then pip install tracegrad"
    )

from autograd.recording import hide_frames

from . import data, datasets, functional, init, layers, loader, optim, transforms, utils
from .containers import ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential
from .errors import DtypeMismatch, LayerError, ShapeMismatch
from .layers import *  # noqa: F403
from .loader import DataLoader
from .module import Module
from .namespace import in_order, namespace
from .optim import SGD, Adam
from .parameter import Parameter
from .saving import load, save
from .seeding import manual_seed
from .training import Diagnostics, EarlyStopping, History, evaluate, fit

__all__ = [
    "SGD",
    "Adam",
    "DataLoader",
    "Diagnostics",
    "DtypeMismatch",
    "EarlyStopping",
    "History",
    "LayerError",
    "Module",
    "ModuleDict",
    "ModuleList",
    "Parameter",
    "ParameterDict",
    "ParameterList",
    "Sequential",
    "ShapeMismatch",
    "data",
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
    "transforms",
    "utils",
]
__all__ += layers.__all__
__all__[:] = in_order(__all__)

# Source lines on the tape point at the program that calls a layer.
hide_frames(os.path.dirname(__file__))
__getattr__, __dir__ = namespace(__name__, __all__)
