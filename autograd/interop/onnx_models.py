"""`from_onnx`: a model in ONNX's format, run and recorded here."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

import nn
from autograd import Tensor

from .calls import Call
from .converted import Converted, Program, Ref, Step, UnknownOperation, of_kind, takes
from .onnx_rows import FLATTENING, ROWS

__all__ = ["from_onnx"]


def onnxs(caller: str) -> Any:
    """The package onnx, or an error that says who needs it."""
    try:
        import onnx
    except ImportError:
        raise ImportError(f"{caller} needs onnx: pip install 'tracegrad[onnx]'") from None
    return onnx


def from_onnx(model: Any) -> Any:
    """A model in ONNX's format as an `nn.Module` that records what it does: to draw, step through, derive and train.

    Each node is a call of NumPy or of `nn.functional`. Initialisers of floating-point numbers are parameters under
    their own names; the mean and variance of a batch norm are buffers. The parts of a node's name, ``/net/conv1/Conv``,
    are frames.

    Parameters
    ----------
    model : path, bytes or onnx.ModelProto

    Returns
    -------
    nn.Module
        Called with the inputs of the graph in order, or by their names; gives a Tensor, a tuple where there are several
        outputs, arrays of what is no floating-point number.

    Raises
    ------
    UnknownOperation
        If the model has operators that are not known here: all of them by name.
    TypeError
        If it has strings, or numbers of a dtype that NumPy lacks.
    ImportError
        Without the package onnx.

    Examples
    --------
    >>> import numpy as np
    >>> from onnx import helper as h, numpy_helper
    >>> from autograd.interop import from_onnx
    >>> x, y = (h.make_tensor_value_info(name, 1, [None, n]) for name, n in (("x", 2), ("y", 3)))
    >>> weight = numpy_helper.from_array(np.ones((2, 3), np.float32), "layer.weight")
    >>> nodes = [h.make_node("MatMul", ["x", "layer.weight"], ["z"]), h.make_node("Relu", ["z"], ["y"])]
    >>> net = from_onnx(h.make_model(h.make_graph(nodes, "net", [x], [y], [weight])))
    >>> net(np.array([[1.0, -3.0], [1.0, 1.0]])).data
    array([[0., 0., 0.],
           [2., 2., 2.]], dtype=float32)
    >>> [name for name, _ in net.named_parameters()]
    ['layer.weight']
    """
    onnx = onnxs("from_onnx")
    if isinstance(model, str | os.PathLike):
        model = onnx.load(model)
    elif isinstance(model, bytes):
        model = onnx.load_from_string(model)
    elif not isinstance(model, onnx.ModelProto):
        raise TypeError(f"from_onnx: a path, bytes or an onnx.ModelProto is needed, got {type(model).__name__}")
    graph = model.graph
    opset = {entry.domain: entry.version for entry in model.opset_import}.get("", 1)
    _check_known(model)
    for one in (*graph.input, *graph.output):
        if not one.type.HasField("tensor_type"):
            raise TypeError(f"from_onnx: {one.name} is no tensor, but a {one.type.WhichOneof('value')}")
        _dtype(one.type.tensor_type.elem_type, onnx)
    arrays = {one.name: _array(one, onnx) for one in graph.initializer}
    running = {name for node in graph.node if node.op_type == "BatchNormalization" for name in node.input[3:5]}
    ours = of_kind(graph.name.strip() or "Graph", OnnxModel)
    held, constants = {}, {}
    for name, array in arrays.items():
        if array.dtype.kind != "f":
            constants[name] = array
            continue
        held[name] = name
        if name in running:
            ours.hold(name, array)
        else:
            setattr(ours, name, nn.Parameter(array, copy=False))
    steps = [step for i, node in enumerate(graph.node) for step in _steps(node, i, opset, onnx)]
    inputs = tuple(one.name for one in graph.input if one.name not in arrays)
    outputs = tuple(Ref(one.name) for one in graph.output)
    ours._set(_given=Program(tuple(steps), inputs, held, constants, outputs, {}), _inputs=inputs)
    ours._set(_base_dtype=ours._input_dtype())
    return ours


class OnnxModel(Converted):
    """A model in ONNX's format: what `from_onnx` gives."""

    _given: Program

    def hold(self, name: str, array: Any) -> None:
        """Hold a buffer, whatever its name."""
        self._set(**{name: array}, _buffers=(*self._buffers, name))

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        names = self._given.inputs
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        if len(args) > len(names) or given.keys() != set(names):
            raise TypeError(f"{type(self).__name__} takes the inputs {', '.join(names)}, got {', '.join(given)}")
        outs = self.run(self._given, [_input(given[name]) for name in names])
        outs = tuple(Tensor(x, requires_grad=False) if _is_float(x) else x for x in outs)
        return outs[0] if len(outs) == 1 else outs


def _is_float(x: Any) -> bool:
    return isinstance(x, np.ndarray | np.generic) and x.dtype.kind == "f"


def _input(x: Any) -> Any:
    if isinstance(x, Tensor):
        return x if x.dtype.kind == "f" else x.data
    x = np.asarray(x)
    return Tensor(x, requires_grad=False) if x.dtype.kind == "f" else x


def _check_known(model: Any) -> None:
    functions = {f.name for f in model.functions}
    found = [f"{n.domain + '.' if n.domain else ''}{n.op_type}" + (f" ({n.name})" if n.name else "")
             for n in model.graph.node if n.op_type not in ROWS or n.domain not in ("", "ai.onnx")]  # fmt: skip
    if found:
        more = " (functions of the model's own are not taken apart)" if functions else ""
        raise UnknownOperation(f"from_onnx: there is no row for {', '.join(dict.fromkeys(found))}{more}")


def _steps(node: Any, number: int, opset: int, onnx: Any) -> list[Step]:
    """A node as a call; and, where it has several outputs, one that picks each."""
    attributes = {one.name: _value(one, onnx) for one in node.attribute}
    row = FLATTENING[node.op_type] if opset < 13 and node.op_type in FLATTENING else ROWS[node.op_type]
    if node.op_type == "Split":
        attributes["_outputs"] = len(node.output)
    args = tuple(Ref(name) if name else None for name in node.input)
    if not takes(row, args, attributes):
        raise UnknownOperation(f"from_onnx: there is no row for {node.op_type} with {', '.join(attributes) or 'this'}")
    parts = [part for part in node.name.split("/")[:-1] if part]
    layers = tuple(("/".join(parts[: i + 1]), part, "") for i, part in enumerate(parts))
    whole = f"{node.op_type}#{number}"
    picks = [Step(name, _picked(i), (Ref(whole),), {}, layers) for i, name in enumerate(node.output) if name]
    return [Step(whole, row, args, attributes, layers), *picks]


def _picked(i: int) -> Call:
    return lambda outs: outs[i] if isinstance(outs, tuple | list) else outs


def _value(attribute: Any, onnx: Any) -> Any:
    """An attribute: numbers, strings, arrays, dtypes."""
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, onnx.TensorProto):
        return _array(value, onnx)
    if attribute.name in ("to", "dtype"):
        return _dtype(value, onnx)
    if isinstance(value, bytes):
        return value.decode()
    return tuple(value) if hasattr(value, "__len__") else value


def _array(tensor: Any, onnx: Any) -> Any:
    _dtype(tensor.data_type, onnx)
    return np.array(onnx.numpy_helper.to_array(tensor))


def _dtype(number: int, onnx: Any) -> Any:
    dtype = onnx.helper.tensor_dtype_to_np_dtype(number)
    if dtype.kind not in "fiub" or dtype.isbuiltin != 1:
        raise TypeError(f"from_onnx: {onnx.TensorProto.DataType.Name(number)} is no dtype of real numbers of NumPy's")
    return dtype
