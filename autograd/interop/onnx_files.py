"""`to_onnx`: what a model or a value was computed by, as a file in ONNX's format."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

import nn
from autograd import Node, Tape, Tensor
from autograd.files import target_of, write_whole
from autograd.masks import mask_of
from autograd.nests import leaves
from autograd.tensor import PARAMETER
from nn.modes import modes_kept

from .onnx_models import onnxs
from .onnx_twins import Differs, Twins, unwritten
from .onnx_writers import WRITERS

__all__ = ["to_onnx"]

OPSET, IR = 18, 10
SETTLED = {"shape", "index", "indices", "dtype", "optimize"}
"""Options that are read otherwise, or that the record itself tells."""


def to_onnx(model: Any, path: str | os.PathLike[str], *inputs: Any, dynamic: bool = True) -> Path:
    """Write a model, or what a Tensor was computed by, into an ONNX file, which other programs run.

    The model is run on the inputs, as it evaluates; each record of the tape becomes one node or a few, of opset 18.
    Parameters are initialisers under the names that they have in the model, layers the parts of the names of nodes, and
    each node notes the line that made it. The model is run on other numbers too: what it computed beside the tape, and
    depends on the inputs, is an error.

    Parameters
    ----------
    model : callable, or Tensor
        An `nn.Module` or a function of arrays; or a recorded Tensor, whose leaves that have names are the inputs of the
        file, and whose numbers from elsewhere are written as they are.
    path : str or path, ending in .onnx
        Written whole or not at all.
    *inputs : arrays or Tensors
        What the model is called with. Integers (tokens, labels) are inputs where an operation takes them as they are.
    dynamic : bool, optional
        Whether the first axis of all inputs is a batch of any length, where the model allows it.

    Returns
    -------
    pathlib.Path
        Of the file.

    Raises
    ------
    UnknownOperation
        If an operation has no counterpart here: names it, with its line.
    ValueError
        If something that is written depends on the numbers of the inputs, or a name does not end in .onnx.
    ImportError
        Without the package onnx.

    Examples
    --------
    >>> import numpy as np, nn, tempfile
    >>> from pathlib import Path
    >>> from autograd.interop import from_onnx, to_onnx
    >>> net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    >>> x = np.ones((5, 3), np.float32)
    >>> path = to_onnx(net, Path(tempfile.mkdtemp()) / "net.onnx", x)
    >>> again = from_onnx(path)
    >>> [name for name, _ in again.named_parameters()]
    ['0.weight', '0.bias', '2.weight', '2.bias']
    >>> bool(np.allclose(again(x[:2]).data, net(x[:2]).data))
    True
    """
    onnx = onnxs("to_onnx")
    target = target_of(path, (".onnx",))
    if isinstance(model, Tensor):
        named = {n: n.name for n in Tape(model) if n.is_leaf and n.name and n.rule is not PARAMETER}
        proto = _File(onnx, [model.node], [model.node], {}, named, [], False).proto("tape")
    elif not callable(model):
        raise TypeError(f"to_onnx: a model, a function or a Tensor is needed, got {type(model).__name__}")
    elif not inputs:
        raise TypeError("to_onnx: give the inputs that the model is to be called with")
    else:
        proto = _written(onnx, model, inputs, dynamic)
    onnx.checker.check_model(proto, full_check=True)
    return write_whole(target, proto.SerializeToString())


def _written(onnx: Any, model: Any, inputs: tuple[Any, ...], dynamic: bool) -> Any:
    """The model as traced twice, on other numbers and, where it may be, on a batch of another length."""
    if any(isinstance(x, list | tuple | dict) for x in inputs):
        raise TypeError("to_onnx: each input must be one array or Tensor, got a list, a tuple or a dict")
    arrays = [np.asarray(x.data if isinstance(x, Tensor) else x) for x in inputs]
    names = list(getattr(model, "_inputs", ()))
    names = [n if isinstance(n, str) else "_".join(n) for n in names] if len(names) >= len(arrays) else []
    names = names[: len(arrays)] or (["x"] if len(arrays) == 1 else [f"x{i + 1}" for i in range(len(arrays))])
    parameters = {p.node: name for name, p in getattr(model, "named_parameters", list)()}
    batches = {x.shape[:1] for x in arrays}
    lengths = [1, 0] if dynamic and len(batches) == 1 and () not in batches else [0]
    for more in lengths:
        given, roots = _run(model, arrays, names)
        try:
            others, other_roots = _run(model, [_other(x, more) for x in arrays], names)
        except Exception:
            if more:
                continue  # it takes no batch of another length
            raise
        try:
            leaves_of = {t.node: n for t, n in zip(given, names, strict=True) if isinstance(t, Tensor)}
            plain = [(n, a, b) for n, a, b in zip(names, given, others, strict=True) if not isinstance(a, Tensor)]
            file = _File(onnx, roots, other_roots, parameters, leaves_of, plain, bool(more))
            return file.proto(getattr(model, "__name__", type(model).__name__).lower())
        except Differs as error:
            if not more:
                raise ValueError(
                    f"to_onnx: {error} depends on the numbers of the inputs, and the tape does not say how"
                ) from None
    raise AssertionError


def _run(model: Any, arrays: list[Any], names: list[str]) -> tuple[list[Any], list[Node]]:
    """What the model is called with, and the records of what it gives, as it evaluates."""
    given = [Tensor(x, requires_grad=False, name=name) if x.dtype.kind == "f" else x
             for x, name in zip(arrays, names, strict=True)]  # fmt: skip
    with np.errstate(all="ignore"), modes_kept(model) if isinstance(model, nn.Module) else nullcontext():
        outs = leaves((model.eval() if isinstance(model, nn.Module) else model)(*given))
    roots = [out.node for out in outs if isinstance(out, Tensor)]
    if not roots or len(roots) < len(outs):
        raise TypeError(f"to_onnx: the model must give Tensors, got {', '.join(type(out).__name__ for out in outs)}")
    return given, roots


def _other(x: Any, more: int) -> Any:
    """Other numbers of the same kind, in a batch that is longer by `more`."""
    other = np.concatenate([x[::-1], x[:more]]) if x.ndim else x
    if x.dtype.kind == "f":
        return (0.7 * other + 0.1).astype(x.dtype)
    return (
        other if not np.array_equal(other, x) else ~x if x.dtype == bool else np.where(x > 0, x - 1, 1).astype(x.dtype)
    )


class _File:
    """An ONNX graph that is being written.

    Parameters
    ----------
    roots, others : list of Node
        The results, of the run that is written and of the one on other numbers.
    parameters, inputs : dict of Node to str
    plain : list of (name, array, array)
        Inputs that are no Tensors, of both runs.
    free : bool
        Whether the first axis of inputs and results is free.
    """

    def __init__(self, onnx: Any, roots: list[Node], others: list[Node], parameters: Mapping[Node, str],
                 inputs: Mapping[Node, str], plain: list[Any], free: bool):  # fmt: skip
        self.onnx, self.free, self.plain = onnx, free, plain
        self.nodes: list[Any] = []
        self.initialisers: dict[str, Any] = {}
        self.names: dict[Node, str] = dict(inputs)
        self.inputs = [(name, node.shape, node.dtype) for node, name in inputs.items()]
        self.inputs += [(name, array.shape, array.dtype) for name, array, _ in plain]
        self.parameters = parameters
        self.taken = {name for name, *_ in self.inputs} | set(parameters.values())
        self.here: Node | None = None
        written = self.write(roots, others)
        self.outputs = [(name, root.shape, root.dtype) for name, root in zip(written, roots, strict=True)]

    def write(self, roots: list[Node], others: list[Node]) -> list[str]:
        """Write records, the oldest first, with all that they were made from; the names of their values."""
        found: dict[Node, Node] = {}
        pairs = list(zip(roots, others, strict=True))
        while pairs:
            node, twin = pairs.pop()
            if node in found or node in self.names:
                continue
            found[node] = twin
            if node.rule is not twin.rule or len(node.operands) != len(twin.operands):
                raise Differs(f"which operation is done ({node.op}, {node.source})")
            operands = [(_recorded(a), _recorded(b)) for a, b in zip(node.operands, twin.operands, strict=True)]
            pairs += [(a, b) for a, b in operands if isinstance(a, Node) and isinstance(b, Node)]
        for node, twin in sorted(found.items(), key=lambda pair: pair[0].seq):
            self.names[node] = self._leaf(node, twin) if node.is_leaf else self._record(Twins(node, twin, set()))
        return [self.names[root] for root in roots]

    def _leaf(self, node: Node, twin: Node) -> str:
        name = self.parameters.get(node) or (node.name if node.rule is PARAMETER else None)
        return self.array(node.value, twin.value, name)

    def _record(self, at: Twins) -> str:
        writer = WRITERS.get(at.node.rule)
        if writer is None or at.node.dtype.kind == "c":
            raise unwritten(at.node, at.node.op + (" of complex numbers" if writer is not None else ""))
        self.here = at.node
        name = writer(self, at)
        left = {*at.node.kwargs, *range(len(at.node.operands))} - at.asked - SETTLED
        if name and left:
            raise unwritten(at.node, f"{at.node.op} with {', '.join(map(str, left))}")
        return name

    # --- what writers call

    def operand(self, at: Twins, i: int, dtype: Any = None) -> str:
        """The name of an operand: of a record, of an input, or of an array that is written."""
        at.asked.add(i)
        a, b = _recorded(at.node.operands[i]), _recorded(at.twin.operands[i])
        if isinstance(a, Node):
            name = self.names[a]
            return name if dtype is None else self._cast(name, a.dtype, dtype)
        return self.array(a, b, dtype=dtype)

    def array(self, a: Any, b: Any = None, name: str | None = None, dtype: Any = None) -> str:
        """The name of an array that is written; of an input where it is one, in both runs."""
        for given, one, other in self.plain:
            if _equal(a, one) and _equal(b, other):
                return str(given)
        if b is not None and not _equal(a, b):
            a, b = np.asarray(a), np.asarray(b)
            made = self._grown(a, b, dtype) or self._of_integers(a, b, dtype or a.dtype)
            if made is not None:
                return made
            raise Differs(f"an operand of {self.here.op} ({self.here.source})" if self.here else f"{name or 'a leaf'}")
        array = np.asarray(a) if dtype is None else np.asarray(a).astype(dtype)
        name = name or self._free("constant")
        if name not in self.initialisers:
            self.initialisers[name] = self.onnx.numpy_helper.from_array(np.array(array, order="C"), name)
            self.taken.add(name)
        return name

    def _grown(self, a: Any, b: Any, dtype: Any) -> str | None:
        """An array that is as long as the batch: of one number throughout, or counted up; None if it is another."""
        if not self._as_the_batch(a.shape, b.shape) or a.dtype != b.dtype or not a.size:
            return None
        one = a.reshape(-1)[0]
        if (a == one).all() and (b == one).all():
            return self.node("Expand", [self.array(one, dtype=dtype), self.lengths(a.shape, b.shape)])
        if a.ndim == 1 and all(np.array_equal(x, np.arange(len(x))) for x in (a, b)):
            end = self.node("Squeeze", [self.lengths(a.shape, b.shape)])
            return self.node("Range", [self.array(np.int64(0)), end, self.array(np.int64(1))])
        return None

    def _of_integers(self, a: Any, b: Any, dtype: Any) -> str | None:
        """An array that is an input of integers plus a number, or its one-hot vectors; None if it is another."""
        for name, one, other in self.plain:
            if one.dtype.kind not in "iu" or not one.size:
                continue
            if a.shape == one.shape and b.shape == other.shape and a.dtype.kind in "iu":
                first, *more = {*(a - one).ravel().tolist(), *(b - other).ravel().tolist()}
                if not more:
                    total = self.node("Add", [name, self.array(np.array(first, one.dtype))])
                    return self._cast(total, one.dtype, dtype)
            places = np.arange(a.shape[-1] if a.ndim else 0)
            if all(np.array_equal(x, given[..., None] == places) for x, given in ((a, one), (b, other))):
                at = self._cast(name, one.dtype, np.int64)
                hot = self.node("OneHot", [at, self.array(np.int64(places.size)), self.ints(0, 1)])
                return self._cast(hot, np.int64, dtype)
        return None

    def _cast(self, name: str, before: Any, dtype: Any) -> str:
        return name if before == dtype else self.node("Cast", [name], to=self.type_of(dtype))

    def _as_the_batch(self, shape: Any, other: Any) -> bool:
        """Whether what differs between two shapes is the length of the batch."""
        if len(shape) != len(other) or not self.free:
            return tuple(shape) == tuple(other)
        batch = self.inputs[0][1][0]
        return {(n, m) for n, m in zip(shape, other, strict=True) if n != m} <= {(batch, batch + 1)}

    def lengths(self, shape: Any, other: Any) -> str:
        """The name of a shape, in which what differs in the other run is the batch."""
        if tuple(shape) == tuple(other):
            return self.ints(*shape)
        if not self._as_the_batch(shape, other):
            raise Differs(f"the shape {tuple(shape)}" + (f" ({self.here.source})" if self.here else ""))
        batch = self.node("Shape", [self.inputs[0][0]], start=0, end=1)
        parts = [self.ints(n) if n == m else batch for n, m in zip(shape, other, strict=True)]
        return self.node("Concat", parts, axis=0) if len(parts) > 1 else batch

    def ints(self, *numbers: int) -> str:
        """The name of a list of integers."""
        return self.array(np.array(numbers, np.int64))

    def node(self, op: str, inputs: list[str], results: int = 1, **attributes: Any) -> str:
        """Write a node; the name of its first result."""
        here = self.here
        path = "/".join(s.name for s in here.scope.chain()) if here is not None else ""
        own = self._free(f"{path}/{op}" if path else op)
        outs = [own, *(self._free(f"{own}_{i}") for i in range(1, results))]
        written = self.onnx.helper.make_node(op, inputs, outs, name=f"/{own}", **attributes)
        if here is not None and here.source is not None:
            written.doc_string = f"{here.source}: {here.source.text}"
        self.nodes.append(written)
        return own

    def type_of(self, dtype: Any) -> int:
        """ONNX's number of a dtype."""
        return int(self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def _free(self, name: str) -> str:
        found, i = name, 0
        while found in self.taken:
            i += 1
            found = f"{name}_{i}"
        self.taken.add(found)
        return found

    # --- the whole

    def proto(self, name: str) -> Any:
        helper = self.onnx.helper
        results = []
        for i, (value, shape, dtype) in enumerate(self.outputs):
            out = self._free("output" if len(self.outputs) == 1 else f"output{i + 1}")
            self.nodes.append(helper.make_node("Identity", [value], [out], name=f"/{out}"))
            results.append(helper.make_tensor_value_info(out, self.type_of(dtype), self._shape(shape)))
        inputs = [helper.make_tensor_value_info(n, self.type_of(d), self._shape(shape)) for n, shape, d in self.inputs]
        graph = helper.make_graph(self.nodes, name, inputs, results, list(self.initialisers.values()))
        opsets = [helper.make_opsetid("", OPSET)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR, producer_name="tracegrad")

    def _shape(self, shape: tuple[int, ...]) -> list[Any]:
        return ["batch", *shape[1:]] if self.free and shape else list(shape)


def _recorded(operand: Any) -> Any:
    """An operand, or the record that an array of truth values remembers."""
    mask = mask_of(operand) if isinstance(operand, np.ndarray) else None
    return operand if mask is None or mask.node is None else mask.node


def _equal(a: Any, b: Any) -> bool:
    return np.shape(a) == np.shape(b) and np.asarray(a).dtype == np.asarray(b).dtype and bool(
        np.array_equal(a, b, equal_nan=np.asarray(a).dtype.kind == "f"))  # fmt: skip
