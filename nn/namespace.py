"""What a public module of `nn` shows in ``dir``, and what it says to a name that it does not have."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

__all__ = ["in_order", "namespace"]


def namespace(module: str, names: list[str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """``__getattr__`` and ``__dir__`` of a module: its public names, and an AttributeError that says what there is.

    Examples
    --------
    >>> import nn
    >>> nn.init.xavier_uniform  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    AttributeError: nn.init has no 'xavier_uniform'; nearest: nn.init.xavier_uniform_, ...
    """

    def missing(name: str) -> Any:
        said = f"{module} has no {name!r}"
        if not name.startswith("_"):
            if module == "nn" and name in _ELSEWHERE:
                raise AttributeError(f"{said}: {_ELSEWHERE[name]}", name=name, obj=sys.modules[module])
            near = _nearest(name)
            said += f"; nearest: {', '.join(near)}" if near else ""
            said += f". dir({module}) lists the {len(names)} names that it has"
            if module in ("nn", "nn.functional"):
                said += "; write what else you need with NumPy's functions, in the forward of an nn.Module: " + _TRACED
        raise AttributeError(said, name=name, obj=sys.modules[module])

    return missing, lambda: sorted(names)


_ELSEWHERE = {
    "DataParallel": "there is one device; call the module itself",
    "SyncBatchNorm": "there is one process, whose batch is whole; take nn.BatchNorm1d, 2d or 3d",
}
"""What PyTorch has for several devices or processes."""

_TRACED = "each operation is recorded and differentiated"


def _public(path: str = "nn") -> list[str]:
    """Every public name of `nn`, and of the modules that are public names of it."""
    module = sys.modules[path]
    inside = [name for name in module.__all__ if isinstance(getattr(module, name), ModuleType)]
    return [*(f"{path}.{name}" for name in module.__all__), *(n for m in inside for n in _public(f"{path}.{m}"))]


def _nearest(name: str) -> list[str]:
    """The public names that read nearly the same: ``log_softmax`` to ``LogSoftmax``, ``Adam`` to ``AdamW``."""
    by_spelling: dict[str, list[str]] = {}
    for path in _public():
        by_spelling.setdefault(_bare(path.rpartition(".")[2]), []).append(path)
    close = difflib.get_close_matches(_bare(name), by_spelling, n=3)
    return [path for spelling in close for path in by_spelling[spelling]][:3]


def in_order(names: Iterable[str]) -> list[str]:
    """Public names as ``__all__`` has them: abbreviations, then classes, then functions."""
    return sorted(names, key=lambda name: (not name.isupper(), name[0].islower(), name))


def _bare(name: str) -> str:
    return name.replace("_", "").lower()
