"""Graphs of ``torch.export`` as programs: each operation a call from the line of the model that it stands in."""

from __future__ import annotations

import linecache
import operator
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .aten import ROWS
from .aten_new import CREATING
from .converted import Program, Ref, Step, UnknownOperation, takes
from .lines import Caller, Site, callers

__all__ = ["numpys", "program_of", "torchs"]


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
    if _changes_views(exported.graph):
        exported = exported.run_decompositions({})
    signature, reading = exported.graph_signature, _Reading(exported.graph_module)
    outputs = reading.read(exported.graph)
    if reading.missing:
        raise UnknownOperation("from_torch: there is no row for " + "; ".join(dict.fromkeys(reading.missing)))
    held = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    changed = {path: reading.current[name].name for name, path in held.items() if name in reading.current}
    results = []
    for out, spec in zip(outputs, signature.output_specs, strict=True):
        if spec.kind.name == "USER_OUTPUT":
            results.append(out)
        elif spec.kind.name == "BUFFER_MUTATION":
            changed[spec.target] = out.name
    lifted = {n: numpys(exported.constants[t], t) for n, t in signature.inputs_to_lifted_tensor_constants.items()}
    inputs = tuple(n for n in reading.inputs if n not in held and n not in lifted)
    return Program(tuple(reading.steps), inputs, held, lifted, tuple(results), changed)


class _Reading:
    """The steps of a graph, and of the graphs inside it."""

    def __init__(self, module: Any):
        self.torch, self.module = torchs("from_torch"), module
        self.steps: list[Step] = []
        self.inputs: list[str] = []
        self.missing: list[str] = []
        self.current: dict[str, Ref] = {}  # what has become of what was changed, by its first name
        self._first: dict[str, str] = {}

    def read(self, graph: Any, given: Iterator[Any] | None = None, above: str = "") -> Any:
        """Read the steps of a graph; what it gives. One inside another is `given` its inputs, and names of its own."""
        home = os.path.dirname(self.torch.__file__)
        sites = {n: _site(n.meta.get("stack_trace"), home) for n in graph.nodes if n.op == "call_function"}
        via = callers(site for site in sites.values() if site is not None)
        ref = lambda name: self.current.get(self._first.get(above + name, above + name), Ref(above + name))
        for node in graph.nodes:
            name = above + node.name
            if node.op == "placeholder" and given is not None:
                self.current[name] = next(given)
            elif node.op == "placeholder":
                self.inputs.append(name)
            elif node.op == "output":
                return self._own(node.args[0], ref)
            elif getattr(node.target, "__name__", "") == "wrap_with_set_grad_enabled":
                enabled, inner, *rest = node.args
                outs = self.read(getattr(self.module, inner.target).graph, iter(self._own(rest, ref)), f"{name}/")
                cut = (lambda *xs: xs) if enabled else (lambda *xs: tuple(map(ROWS["detach"], xs)))
                self.steps.append(Step(name, cut, outs, {}, _layers(node)))
            elif node.op == "call_function":
                self._call(node, name, ref, sites[node], via)
        raise AssertionError("a graph without an output")

    def _call(
        self, node: Any, name: str, ref: Callable[[str], Any], site: Site | None, via: dict[Site, Caller]
    ) -> None:
        found = _row(node, self.torch)
        args = self._own(node.args, ref)
        kwargs = {k: v for k, v in self._own(node.kwargs, ref).items() if k not in _NOWHERE}
        wanted = {**kwargs, "dtype": None} if found in CREATING.values() else kwargs
        if found is None or not takes(found, args, wanted):
            self.missing.append(f"{node.target} {_user(site, node)}")
            return
        value = node.meta.get("val")
        dtype = _dtype(value.dtype, self.torch) if hasattr(value, "dtype") else None
        if found in CREATING.values():
            kwargs["dtype"] = dtype
        caller = None if site is None else via[site]
        self.steps.append(Step(name, found, args, kwargs, _layers(node), caller, dtype))
        if _changes(node.target):
            before = name.removesuffix(node.name) + node.args[0].name
            self._first[name] = self._first.get(before, before)
            self.current[self._first[name]] = Ref(name)

    def _own(self, tree: Any, ref: Callable[[str], Any]) -> Any:
        """Arguments of a node: nodes as Refs, dtypes as NumPy's."""
        if isinstance(tree, self.torch.fx.Node):
            return ref(tree.name)
        if isinstance(tree, list | tuple):
            parts = [self._own(part, ref) for part in tree]
            return tuple(parts) if isinstance(tree, tuple) else parts
        if isinstance(tree, dict):
            return {key: self._own(part, ref) for key, part in tree.items()}
        return _dtype(tree, self.torch) if isinstance(tree, self.torch.dtype) else tree


def _row(node: Any, torch: Any) -> Callable[..., Any] | None:
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


def _user(site: Site | None, node: Any) -> str:
    layers = ".".join(name for _, name, _ in _layers(node))
    if site is None:
        return f"(in {layers or 'the model'})"
    file, line, name, _ = site
    text = linecache.getline(file, line).strip()
    return f"({os.path.basename(file)}:{line} in {name}{', in ' + layers if layers else ''}: {text})"
