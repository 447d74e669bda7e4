"""Numbers in files: `save` writes those of a model, whole or not at all; `load` reads them and never unpickles."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.files import target_of, write_whole

from .module import Module

__all__ = ["load", "save", "save_arrays"]

SUFFIXES = (".npz", ".safetensors")


def save(state: Module | Mapping[str, Any], path: str | os.PathLike[str]) -> Path:
    """Write the parameters and buffers of a model to a file, whole or not at all.

    Values and gradients of the last call are not saved: z and a are computed anew from what is learned.

    Parameters
    ----------
    state : Module or mapping of str to array or Tensor
        A model, or its `state_dict`.
    path : str or path
        Ends in ``.npz``, or in ``.safetensors``, which PyTorch's users read too (the extra ``safetensors``).

    Returns
    -------
    Path
        Where it is.

    Raises
    ------
    ValueError
        If the suffix is another one.
    TypeError
        If `state` is neither, or holds what is no array of numbers.
    FileNotFoundError
        If the folder does not exist.
    ImportError
        For ``.safetensors``, if that is not installed.

    Examples
    --------
    >>> import os, tempfile
    >>> import nn
    >>> net, other = nn.Linear(2, 3, rng=0), nn.Linear(2, 3, rng=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = nn.save(net, os.path.join(folder, "net.npz"))
    ...     other.load_state_dict(nn.load(path))
    Incompatible(missing_keys=[], unexpected_keys=[])
    >>> bool((other.weight.data == net.weight.data).all())
    True
    """
    target = target_of(path, SUFFIXES)
    if isinstance(state, Module):
        state = state.state_dict()
    if not isinstance(state, Mapping):
        raise TypeError(f"save: a Module or its state_dict() is needed, got {type(state).__name__}")
    arrays = {str(name): _numbers(name, value) for name, value in state.items()}
    content = _npz(arrays) if target.suffix.lower() == ".npz" else _safetensors().save(arrays)
    return write_whole(target, content)


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read what `save` wrote, for ``model.load_state_dict(nn.load(path))``.

    Parameters
    ----------
    path : str or path
        Ends in ``.npz`` or ``.safetensors``, made here or by PyTorch.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    ValueError
        If the suffix is another one, or the file is no such file; if it holds pickled objects, which are not read.
    FileNotFoundError
        If there is no file.
    """
    source = Path(path)
    suffix = source.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"load: {source.name!r} ends in {suffix or 'no suffix'}; known are {' '.join(SUFFIXES)}")
    content = source.read_bytes()
    try:
        if suffix == ".safetensors":
            return dict(_safetensors().load(content))
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except ImportError:
        raise
    except Exception as error:
        raise ValueError(f"load: {str(source)!r} is no {suffix} file of numbers ({error})") from None


def save_arrays(target: Path, arrays: Mapping[str, Any]) -> Path:
    """Write arrays, those of text too, to an ``.npz`` file, whole or not at all."""
    return write_whole(target, _npz(arrays))


def _numbers(name: Any, value: Any) -> Any:
    array = np.ascontiguousarray(value.data if isinstance(value, Tensor) else value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"save: {name} must be an array of numbers, got {type(value).__name__} of dtype {array.dtype}")
    return array.reshape(np.shape(value))


def _npz(arrays: Mapping[str, Any]) -> bytes:
    """As `numpy.savez` writes it, which takes no array of the name ``file``."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as whole:
        for name, array in arrays.items():
            with whole.open(f"{name}.npy", "w", force_zip64=True) as part:
                np.lib.format.write_array(part, array, allow_pickle=False)
    return content.getvalue()


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError:
        raise ImportError("for .safetensors the extra is needed: pip install 'tracegrad[safetensors]'") from None
    return safetensors.numpy
