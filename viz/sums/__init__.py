"""Shared parameters: how their gradients are sums over positions, images and uses."""

from .contributions import Contributions, contributions
from .occurrences import Terms, occurrences, shared_axes

__all__ = ["Contributions", "Terms", "contributions", "occurrences", "shared_axes"]
