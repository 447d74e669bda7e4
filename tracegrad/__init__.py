"""The command line: the one room that imports `autograd`, `nn` and `viz` together."""
