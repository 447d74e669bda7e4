"""Doors to other libraries: PyTorch models and functions, ONNX files. Nothing else here imports this package."""

from .functions import check_function
from .torch_graphs import UnknownOperation
from .torch_models import from_torch

__all__ = ["UnknownOperation", "check_function", "from_torch"]
