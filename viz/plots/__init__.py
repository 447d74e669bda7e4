"""Pictures of training: filters, feature maps, the size of signals, the surface of a loss, the course of a training.

Models are known by what they can do (``parameters()``, ``named_parameters()``, being called), not by their class.
"""

from .course import history
from .features import activations
from .filters import kernels
from .heatmaps import heatmap
from .noise import gradient_noise
from .pictures import images
from .signals import signal
from .surface import loss_surface
from .through_time import through_time

__all__ = [
    "activations", "gradient_noise", "heatmap", "history", "images", "kernels", "loss_surface", "signal", "through_time"
]  # fmt: skip
