"""Sliding windows, their adjoint, and the products and maxima over them that convolution and pooling are made of."""
