"""Layers, losses, optimisers, data and training on traced Tensors."""
