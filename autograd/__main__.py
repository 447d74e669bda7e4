"""``python -m autograd``: what each function of NumPy is on Tensors."""

from .coverage import table

if __name__ == "__main__":
    print(table(), end="")
