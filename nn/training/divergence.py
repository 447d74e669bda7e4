"""A loss that is no number: the error that says where it comes from."""

from __future__ import annotations

from typing import Any

from autograd import Node, Tape
from autograd.labels import Labels
from autograd.listing import not_finite, option_text, summary
from autograd.nests import numbers_of

from ..module import Module
from .history import History

__all__ = ["born_at", "diverged", "steep"]


def diverged(loss: Any, number: float, where: str, model: Module, history: History) -> FloatingPointError:
    """The error for a loss that is NaN or infinite."""
    return _error(f"the loss became {number} in {where}", _birth(loss, model), history)


def steep(norm: float, where: str, model: Module, history: History) -> FloatingPointError:
    """The error for gradients whose norm, by which they are to be clipped, is NaN or infinite."""
    names = [name for name, p in model.named_parameters() if p.grad is not None and not_finite(numbers_of(p.grad))]
    whose = f"not finite is that of {', '.join(names[:4])}{', …' if len(names) > 4 else ''}" if names else ""
    return _error(f"the norm of the gradients became {norm} in {where}", whose, history)


def _error(what: str, why: str, history: History) -> FloatingPointError:
    hint = "a smaller learning rate may help, or a look at what the network is given"
    error = FloatingPointError(f"{what}: {why + '; ' if why else ''}{hint}")
    error.history = history  # type: ignore[attr-defined]
    return error


def born_at(tape: Tape) -> Node | None:
    """The oldest record that the root's NaN or infinity comes from: not finite, while its operands are.

    Only records that lead to the root through others that are not finite are looked at: an infinite mask that a
    softmax makes 0 is none.
    """
    if not not_finite(tape.value(tape.root)):
        return None
    seen, waiting, born = {tape.root}, [tape.root], []
    while waiting:
        node = waiting.pop()
        bad = [one for one in node.parents if not_finite(tape.value(one))]
        born += [] if bad else [node]
        waiting += [one for one in bad if one not in seen]
        seen.update(bad)
    return min(born, key=lambda node: node.seq)


def _birth(loss: Any, model: Module) -> str:
    try:
        tape = Tape(loss)
    except TypeError:  # nothing was recorded
        return ""
    node = born_at(tape)
    if node is None:
        return ""
    labels = Labels(tape)
    kinds = " and ".join(sorted(not_finite(tape.value(node)), reverse=True))
    if node.is_leaf:
        return f"{kinds} is in {_called(labels, node, model)}, which no operation made"
    operands = ", ".join(_operand(tape, labels, one) for one in node.operands)
    options = option_text(node)
    text = f"{kinds} was born in {labels.of(node)} = {node.op}({'; '.join(filter(None, (operands, options)))})"
    source = node.source
    places = [node.scope.path and f"in {node.scope.path}", f"at {source}: {source.text.strip()}" if source else ""]
    return " ".join([text, *filter(None, places)])


def _operand(tape: Tape, labels: Labels, one: Any) -> str:
    if isinstance(one, Node):
        return f"{labels.of(one)}: {summary(tape.value(one))}"
    return f"constant: {summary(one)}" if hasattr(one, "dtype") or isinstance(one, float | int) else "…"


def _called(labels: Labels, node: Node, model: Module) -> str:
    path = next((path for path, p in model.named_parameters() if p.node is node), None)
    return labels.of(node) + (f" ({path})" if path else "")
