"""The command line: the one room that imports `autograd`, `nn` and `viz` together."""

__version__ = "0.1.0"
