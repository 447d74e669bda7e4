"""How fast tracegrad is, as ratios to PyTorch and to NumPy written by hand: ``python -m benchmarks --help``.

Each workload checks that all candidates compute the same numbers before it times any of them.
"""
