"""Writing what people save: into an existing folder, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

__all__ = ["target_of", "write_whole"]


def target_of(path: str | os.PathLike[str], suffixes: Sequence[str]) -> Path:
    """Where to write, checked before anything is computed.

    Raises
    ------
    TypeError
        If it is no string or path.
    ValueError
        If the suffix is not one of `suffixes`.
    FileNotFoundError
        If the folder does not exist.
    IsADirectoryError
        If there is a folder of that name.
    """
    if not isinstance(path, str | os.PathLike) or isinstance(os.fspath(path), bytes):
        raise TypeError(
            f"save: path must be a string or a path, ending in {' or '.join(suffixes)}, got {type(path).__name__}"
        )
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in suffixes:
        raise ValueError(f"save: {target.name!r} ends in {suffix or 'no suffix'}; known are {' '.join(suffixes)}")
    folder = target.parent
    if not folder.is_dir():
        raise FileNotFoundError(f"save: there is no folder {str(folder)!r} to write {target.name!r} into")
    if target.is_dir():
        raise IsADirectoryError(f"save: {str(target)!r} is a folder")
    return target


def write_whole(target: Path, content: bytes) -> Path:
    """Write a file beside its place and move it there; where that fails, what was there before stays.

    Raises
    ------
    OSError
        If nothing can be written there; names `target`.
    """
    try:
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".tracegrad-", suffix=target.suffix)
    except OSError as error:
        raise OSError(error.errno, f"save: can't write into this folder ({error.strerror})", str(target)) from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
    return target


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
