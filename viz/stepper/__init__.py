"""The step view: the steps of a computation as data, as text, and as a page."""

from .stepper import Stepper
from .walk import Step, Walk

__all__ = ["Step", "Stepper", "Walk"]
