"""The step view: the steps of a computation as data, as text, and as a page."""

from ..walk.walk import Step, Walk
from .stepper import Stepper

__all__ = ["Step", "Stepper", "Walk"]
