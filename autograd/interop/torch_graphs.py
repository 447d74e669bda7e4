"""Graphs of ``torch.export`` as programs: each operation a call from the line of the model that it stands in."""

from __future__ import annotations

import linecache
import operator
import os
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from .aten import CREATING, ROWS
from .converted import Program, Ref, Step
from .lines import Caller, Site, callers

__all__ = ["UnknownOperation", "numpys", "program_of", "torchs"]


class UnknownOperation(NotImplementedError):
    """An operation of a model has no row in the table that says what it is here. Names it, and what uses it."""


def torchs(caller: str) -> Any:
    """PyTorch, or an error that says who needs it."""
    try:
        import torch
    except ImportError:
        raise ImportError(f"{caller} needs PyTorch: pip install 'tracegrad[torch]'") from None
    return torch


def numpys(tensor: Any, what: str) -> Any:
    """The numbers of a tensor of PyTorch, as an array of one's own."""
    try:
        return np.array(tensor.detach().cpu().numpy())
    except (TypeError, RuntimeError) as error:
        raise TypeError(f"{what} of {tensor.dtype} is no array of NumPy's ({error})") from None


def program_of(exported: Any) -> Program:
    """What the graph of an ``ExportedProgram`` computes, in calls of this library.

    Raises
    ------
    UnknownOperation
        If operations have no row: all of them, with the lines that use them.
    """
    torch = torchs("from_torch")
    if _changes_views(exported.graph):
        exported = exported.run_decompositions({})
    signature = exported.graph_signature
    nodes = list(exported.graph.nodes)
    calls = [n for n in nodes if n.op == "call_function"]
    sites = {n: _site(n.meta.get("stack_trace"), os.path.dirname(torch.__file__)) for n in calls}
    via = callers(site for site in sites.values() if site is not None)
    steps, missing = [], []
    current: dict[str, Ref] = {}
    for node in calls:
        found = _call(node, torch)
        if found is None:
            missing.append(f"{node.target} {_user(sites[node], node)}")
            continue
        args = _numpys_own(node.args, torch, current)
        kwargs = {k: v for k, v in _numpys_own(node.kwargs, torch, current).items() if k not in _NOWHERE}
        value = node.meta.get("val")
        dtype = _dtype(value.dtype, torch) if hasattr(value, "dtype") else None
        if node.target.__class__.__name__ == "OpOverload" and _name(node.target) in CREATING:
            kwargs["dtype"] = dtype
        steps.append(Step(node.name, found, args, kwargs, _layers(node), _caller(via, sites[node]), dtype))
        if _changes(node.target):
            current[node.args[0].name] = Ref(node.name)
    if missing:
        raise UnknownOperation("from_torch: there is no row for " + "; ".join(dict.fromkeys(missing)))
    outputs = _numpys_own(next(n for n in nodes if n.op == "output").args[0], torch, current)
    held = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    changed = {target: current[name].name for name, target in held.items() if name in current}
    names = [spec.arg.name for spec in signature.output_specs]
    changed |= {signature.buffers_to_mutate[n]: n for n in names if n in signature.buffers_to_mutate}
    results = tuple(
        o for o, spec in zip(outputs, signature.output_specs, strict=True) if spec.kind.name == "USER_OUTPUT"
    )
    lifted = {n: numpys(exported.constants[t], t) for n, t in signature.inputs_to_lifted_tensor_constants.items()}
    inputs = tuple(n.name for n in nodes if n.op == "placeholder" and n.name not in held and n.name not in lifted)
    return Program(tuple(steps), inputs, held, lifted, results, changed)


def _call(node: Any, torch: Any) -> Callable[..., Any] | None:
    """The row of an operation: its overload's, or its name's; of Python's own operations the operation itself."""
    target = node.target
    if isinstance(target, torch._ops.OpOverload):
        if target.namespace not in ("aten", "prims"):
            return None
        name = _name(target)
        base = name.partition(".")[0]
        names = (name, base, base.removeprefix("special_"))
        return next((table[n] for n in names for table in (ROWS, CREATING) if n in table), None)
    known = getattr(target, "__module__", "") in ("_operator", "math") or target in (torch.sym_float, torch.sym_int)
    if known or target in (torch.sym_max, torch.sym_min, torch.sym_not, torch.sym_ite):
        return _OF_SIZES.get(target.__name__, target)
    return None


_OF_SIZES: dict[str, Callable[..., Any]] = {
    "sym_float": float, "sym_int": int, "sym_max": max, "sym_min": min, "sym_not": operator.not_,
}  # fmt: skip


def _name(target: Any) -> str:
    """``"max.dim"``; without the underscore of what changes its argument."""
    name, _, overload = target.__name__.partition(".")
    name = name[:-1] if _changes(target) and name.endswith("_") else name
    return name if overload == "default" else f"{name}.{overload}"


def _changes(target: Any) -> bool:
    """Whether an operation changes its first argument."""
    schema = getattr(target, "_schema", None)
    first = schema.arguments[0] if schema is not None and schema.arguments else None
    return first is not None and first.alias_info is not None and first.alias_info.is_write


def _changes_views(graph: Any) -> bool:
    """Whether something is changed in place that other names of the graph see a part of."""
    viewed: set[Any] = set()
    for node in graph.nodes:
        schema = getattr(node.target, "_schema", None)
        if schema is None or _changes(node.target):
            continue
        if any(r.alias_info is not None for r in schema.returns):
            viewed |= {node, *node.all_input_nodes[:1]}
    return any(_changes(n.target) and n.args and n.args[0] in viewed for n in graph.nodes if n.op == "call_function")


_NOWHERE = {"device", "layout", "pin_memory", "memory_format", "non_blocking", "generator", "copy", "out"}
"""Options that say where and how numbers are held, which nobody sees here."""


def _numpys_own(tree: Any, torch: Any, current: dict[str, Ref]) -> Any:
    """Arguments of a node: nodes as Refs, dtypes as NumPy's."""
    if isinstance(tree, torch.fx.Node):
        return current.get(tree.name, Ref(tree.name))
    if isinstance(tree, list | tuple):
        return type(tree)(_numpys_own(part, torch, current) for part in tree) if type(tree) in (list, tuple) else [
            _numpys_own(part, torch, current) for part in tree]  # fmt: skip
    if isinstance(tree, dict):
        return {key: _numpys_own(part, torch, current) for key, part in tree.items()}
    return _dtype(tree, torch) if isinstance(tree, torch.dtype) else tree


def _dtype(dtype: Any, torch: Any) -> Any:
    try:
        return torch.empty(0, dtype=dtype).numpy().dtype
    except TypeError:
        raise TypeError(
            f"from_torch: {dtype} is no dtype of NumPy's; convert model.float() or model.double()"
        ) from None


def _layers(node: Any) -> tuple[tuple[str, str, str], ...]:
    """The calls of layers around an operation, outermost first, without the whole model's."""
    found: list[tuple[str, str, str]] = []
    above = ""
    for key, (path, kind) in (node.meta.get("nn_module_stack") or {}).items():
        if path and not path.startswith("_empty_nn"):
            kind = kind if isinstance(kind, str) else kind.__name__
            found.append(
                (key, path[len(above) + 1 :] if above and path.startswith(above + ".") else path, kind.split(".")[-1])
            )
            above = path
    return tuple(found)


_FRAME = re.compile(r'File "(.*)", line (\d+), in (.*)')


def _site(trace: str | None, home: str) -> Site | None:
    """The innermost line of the model in a stack trace: the last that is not of PyTorch."""
    frames = [(file, int(line), name) for file, line, name in _FRAME.findall(trace or "")]
    own = [f for f in frames if not f[0].startswith((home + os.sep, "torch" + os.sep))]
    return (*own[-1], own[-1] is not frames[-1]) if own else None


def _caller(via: dict[Site, Caller], site: Site | None) -> Caller | None:
    return None if site is None else via[site]


def _user(site: Site | None, node: Any) -> str:
    layers = ".".join(name for _, name, _ in _layers(node))
    if site is None:
        return f"(in {layers or 'the model'})"
    file, line, name, _ = site
    text = linecache.getline(file, line).strip()
    return f"({os.path.basename(file)}:{line} in {name}{', in ' + layers if layers else ''}: {text})"
