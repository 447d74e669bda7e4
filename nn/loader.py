"""`DataLoader` and its check, as `nn.data` has them too."""

from .data.loader import DataLoader, check_finite
from .namespace import namespace

__all__ = ["DataLoader", "check_finite"]
__getattr__, __dir__ = namespace(__name__, __all__)
