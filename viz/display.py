"""What a notebook asks an object to show itself as."""

from __future__ import annotations

from collections.abc import Iterable


def asked_for(kinds: Iterable[str], include: Iterable[str] | None, exclude: Iterable[str] | None) -> set[str]:
    """Those of the MIME types `kinds` that a call of ``_repr_mimebundle_(include, exclude)`` wants."""
    wanted = set(kinds) if include is None else set(kinds) & set(include)
    return wanted - set(exclude or ())
