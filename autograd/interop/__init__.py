"""Doors to other libraries: PyTorch models and functions, ONNX files. Nothing else here imports this package."""

from .converted import UnknownOperation
from .functions import check_function
from .onnx_files import to_onnx
from .onnx_models import from_onnx
from .torch_models import from_torch

__all__ = ["UnknownOperation", "check_function", "from_onnx", "from_torch", "to_onnx"]
