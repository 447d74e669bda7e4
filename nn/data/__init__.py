"""Data sets, the order in which their examples come, and batches of them. Names and defaults are PyTorch's.

Anything with ``len(data)`` and ``data[i]`` is a data set. The folder also holds the digits of `nn.datasets`.
"""

from ..namespace import namespace
from .collate import default_collate
from .loader import DataLoader
from .samplers import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from .sets import ConcatDataset, Dataset, Subset, TensorDataset, random_split

__all__ = [
    "BatchSampler",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "default_collate",
    "random_split",
]
__getattr__, __dir__ = namespace(__name__, __all__)
