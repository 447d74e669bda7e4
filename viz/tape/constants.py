"""What arrays that are no records are called: as in the program, where the line of the operation tells, else c₁, c₂."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Container, Iterable
from typing import Any

import numpy as np

from autograd import Node
from autograd.variables import written_index, written_name

from ..plain.numbers import clean, subscript

_LIMIT = 24


def constants(nodes: Iterable[Node], taken: Container[str]) -> tuple[dict[Any, str], frozenset[Any]]:
    """A name for each array that is an operand, or an index that a variable holds, by its `content`: equal arrays have
    one name, no others have that.

    Beside them those that have it from the program.

    Parameters
    ----------
    nodes : iterable of Node
    taken : container of str
        The names of records.
    """
    wanted: dict[Any, str] = {}
    written: set[Any] = set()
    for node in nodes:
        for i, operand in enumerate(node.operands):
            if isinstance(operand, np.ndarray) and operand.ndim:
                key = content(operand)
                if key not in wanted:
                    name = clean(written_name(node, i), _LIMIT)
                    wanted[key] = name or "c"
                    written |= {key} if name else set()
        index = node.kwargs.get("index")
        for part, name in zip(index if isinstance(index, tuple) else (index,), written_index(node), strict=False):
            if isinstance(part, np.ndarray) and part.ndim and name and (key := content(part)) not in wanted:
                wanted[key] = clean(name, _LIMIT)
                written.add(key)
    counts = Counter((name, key in written) for key, name in wanted.items())
    given: dict[Any, str] = {}
    used: set[str] = set()
    for key, name in sorted(wanted.items(), key=lambda item: item[0] not in written):
        alone = counts[name, key in written] == 1
        numbered = (name + subscript(n) for n in itertools.count(1 + alone))
        free = itertools.chain([name] * alone, numbered)
        given[key] = next(one for one in free if one not in taken and one not in used)
        used.add(given[key])
    return given, frozenset(written)


def content(array: np.ndarray) -> Any:
    """What equal arrays share."""
    return array.shape, array.dtype.str, hashlib.sha256(array.tobytes()).digest()
