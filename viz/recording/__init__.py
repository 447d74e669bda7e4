"""Time travel: the graph of one loss at several moments of a training."""

from .record import Recording, Snapshot, record

__all__ = ["Recording", "Snapshot", "record"]
