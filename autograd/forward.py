"""The way forward: `record` computes a call on numbers and puts it on the tape."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from .errors import no_rule, otherwise
from .node import Node
from .operands import NO_NUMBER, constant, frozen, number
from .recording import SCOPE, located, next_seq
from .registry import Rule
from .tensor import Tensor

_new, _getframe, _current_scope = object.__new__, sys._getframe, SCOPE.get


def record(rule: Rule, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """Compute ``rule.op(*args, **kwargs)`` on the numbers of `args`, of which one at least is a Tensor, and record it.

    `args` are the array operands; `kwargs` the options, by keyword.
    """
    scope = _current_scope()
    values: list[Any] = []
    nodes: list[Any] = []
    for a in args:
        if isinstance(a, Tensor):
            values.append(a._data)
            nodes.append(a._node if a._node is not None or scope is None else a._set_leaf(False))
        else:
            values.append(constant(a) if scope is None else frozen(a))
            nodes.append(values[-1])
    try:
        data = rule.op(*values, **kwargs)
    except Exception as error:
        return otherwise(record, rule, args, values, kwargs, error)
    if data.__class__ is np.ndarray and not data.shape:
        data = data[()]
    if getattr(data, "dtype", NO_NUMBER).kind not in "fiub":
        data, rule = number(data, rule)
    tensor = _new(Tensor)
    tensor._data, tensor._node = data, None
    if scope is None:
        return tensor
    tensor._node = node = Node()
    node.rule, node.args, node.kwargs = rule, tuple(nodes), kwargs
    node.kept = data if rule.keeps_output else None
    node.shape, node.dtype = data.shape, data.dtype
    node.seq, node.scope = next_seq(), scope
    node.needs_grad, node.name, node.holder = False, None, None
    frame = located(_getframe(1))
    node.code, node.byte = frame.f_code, frame.f_lasti
    if node.dtype.kind in "fc" and not rule.constant:
        for i, operand in enumerate(nodes):
            if operand.__class__ is Node and operand.needs_grad:
                node.needs_grad = True
                if (known := rule.what_is_read.get(i)) is None and not rule.has_vjp(i):
                    raise no_rule(rule.fn, f" for operand {i}")
                reads_output, read = known or rule.reads(i)
                if reads_output:
                    node.kept = data
                for j in range(len(nodes)) if read is None else read:
                    if j < len(nodes) and nodes[j].__class__ is Node:
                        nodes[j].kept = values[j]
    return tensor
