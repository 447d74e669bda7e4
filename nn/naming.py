"""The textbook names that layers leave on the tape: g⁽¹⁾, W⁽¹⁾, b⁽¹⁾, z⁽¹⁾, a⁽¹⁾, ŷ, L."""

from __future__ import annotations

from collections import Counter
from typing import Any

from autograd import Tensor

__all__ = [
    "activation",
    "give",
    "in_parent",
    "input_names",
    "logits",
    "loss",
    "name_tree",
    "prediction",
    "subscript",
    "superscript",
]

_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
PRE_ACTIVATION = "z⁽"


def superscript(symbol: str, number: int) -> str:
    """A symbol with the number of its layer.

    >>> superscript("W", 12)
    'W⁽¹²⁾'
    """
    return f"{symbol}⁽{str(number).translate(_RAISED)}⁾"


def subscript(symbol: str, number: int) -> str:
    """A symbol with the number of an input or of a step.

    >>> subscript("h", 12)
    'h₁₂'
    """
    return f"{symbol}{str(number).translate(_LOWERED)}"


def input_names(count: int) -> list[str]:
    """What the inputs of a network are called: x, or x₁, x₂, … where it has several."""
    return ["x"] if count == 1 else [subscript("x", i + 1) for i in range(count)]


def name_tree(root: Any) -> None:
    """Name the layers of a module and their parameters, in the order in which the module holds them.

    Kernels are numbered among kernels (g⁽¹⁾, g⁽²⁾), weights among weights (W⁽¹⁾), biases and pre-activations with
    their layer, counting all layers (b⁽³⁾, z⁽³⁾). A parameter of another kind of module is called by the symbol that
    the module has for it, where no other is called so, or by its path. A name that a user gave stays.
    """
    layer = 0
    others: list[tuple[str | None, str, Any]] = []
    of_symbol: dict[str, int] = {}
    paths: set[str] = set()
    for path, module in root.named_modules():
        paths.add(path)
        symbol = module.weight_symbol
        z_name = None
        if symbol is not None:
            layer += 1
            of_symbol[symbol] = of_symbol.get(symbol, 0) + 1
            z_name = superscript("z", layer)
        module._place(in_parent(path, paths) or type(module).__name__.lower(), z_name)
        for name, parameter in module.named_parameters(recurse=False):
            if symbol is not None and name == "weight":
                parameter.name_if_unnamed(superscript(symbol, of_symbol[symbol]))
            elif symbol is not None and name == "bias":
                parameter.name_if_unnamed(superscript("b", layer))
            else:
                own = module._symbol(name)
                others.append((own, ".".join(filter(None, (path, own or name))), parameter))
    uses = Counter(own for own, _, _ in others)
    for own, path, parameter in others:
        parameter.name_if_unnamed(own if own is not None and uses[own] == 1 else path)


def in_parent(path: str, paths: set[str]) -> str:
    """The path of a module from the module that holds it: ``"layers.0"`` where that holds it in a list."""
    above = path.rpartition(".")[0]
    while above and above not in paths:
        above = above.rpartition(".")[0]
    return path[len(above) + 1 :] if above else path


def give(value: Any, name: str) -> Any:
    """Name what an operation made; a leaf keeps its name."""
    if isinstance(value, Tensor) and (node := value._node) is not None and node.args is not None:
        node.name = name
    return value


def activation(x: Any, out: Any) -> Any:
    """Name what an activation makes of z⁽ˡ⁾ a⁽ˡ⁾."""
    name = x.name if isinstance(x, Tensor) else None
    return give(out, "a" + name[1:]) if name is not None and name.startswith(PRE_ACTIVATION) else out


def logits(x: Any, out: Any, name: str) -> Any:
    """Name what a softmax makes of z⁽ˡ⁾, the prediction."""
    before = x.name if isinstance(x, Tensor) else None
    return give(out, name) if before is not None and before.startswith(PRE_ACTIVATION) else out


def prediction(out: Any) -> Any:
    """Name an output ŷ."""
    return give(out, "ŷ")


def loss(value: Any) -> Any:
    """Name a scalar loss L."""
    return give(value, "L") if value.shape == () else value
