"""`from_torch`: somebody's PyTorch model, run and recorded here."""

from __future__ import annotations

import inspect
import warnings
from dataclasses import dataclass
from inspect import signature
from types import FunctionType
from typing import Any

import numpy as np

import nn
from autograd import Tensor
from nn.modes import modes_kept

from .converted import Converted, Part, Program, of_kind
from .torch_graphs import numpys, program_of, torchs

__all__ = ["from_torch"]


def from_torch(model: Any, *inputs: Any, dynamic: bool = True, **kwinputs: Any) -> Any:
    """A PyTorch model as an `nn.Module` that records what it does: to draw, step through, derive and check.

    ``torch.export`` gives the operations of the model; each is a call of NumPy or of `nn.functional` here. Parameters
    and buffers are copies under the names that they have there, layers are scopes, and each record has the line of the
    model that made it.

    Parameters
    ----------
    model : torch.nn.Module, or function of tensors
        In training mode or not, as it is; `train` and `eval` of what is returned convert it for the other mode too,
        once it is called in that.
    *inputs, **kwinputs : tensors, arrays, nests of them, numbers
        An example of what it is called with: Python's ``if`` goes the way that these go.
    dynamic : bool, optional
        Whether the lengths of axes may change where the model allows it. False holds all of them.

    Returns
    -------
    nn.Module
        Called with arrays or Tensors it gives Tensors. Its dtype is that of the model.

    Raises
    ------
    UnknownOperation
        If an operation is none of those known here: says which, and where the model uses it.
    TypeError
        If it is no model, or has parameters of a dtype that NumPy lacks (``bfloat16``).
    ImportError
        Without PyTorch.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from autograd.interop import from_torch
    >>> theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    >>> ours = from_torch(theirs, torch.zeros(2, 3))
    >>> [name for name, _ in ours.named_parameters()]
    ['0.weight', '0.bias', '2.weight', '2.bias']
    >>> loss = (ours(np.ones((5, 3))) ** 2).mean()
    >>> loss.backward()
    >>> ours.get_parameter("0.weight").grad.shape
    (4, 3)
    """
    torch = torchs("from_torch")
    if not isinstance(model, torch.nn.Module):
        if not callable(model):
            raise TypeError(f"from_torch: a torch.nn.Module or a function is needed, got {type(model).__name__}")
        model = _module_of(model, torch)
    args, kwargs = torch.utils._pytree.tree_map(_example, (inputs, kwinputs))
    ours = _part(model, {}, TorchModel)
    ours._set(_source=Source(model, args, kwargs, dynamic), _inputs=tuple(signature(model.forward).parameters))
    tensors = [x for x in torch.utils._pytree.tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor)]
    dtypes = [numpys(x, "an input").dtype for x in tensors if x.is_floating_point()]
    ours._set(_base_dtype=ours._input_dtype() or next(iter(dtypes), None))
    ours._source.program(ours.training)
    return ours


def _example(x: Any) -> Any:
    """An input to convert with: a tensor of its own, as PyTorch takes two names of one tensor for one input."""
    torch = torchs("from_torch")
    return torch.as_tensor(x).detach().clone() if isinstance(x, np.ndarray | torch.Tensor) else x


def _module_of(fn: Any, torch: Any) -> Any:
    """A function as a model without layers. PyTorch notes the lines of what is called ``forward``."""
    forward: Any
    if inspect.isfunction(fn):
        forward = FunctionType(fn.__code__.replace(co_name="forward"), fn.__globals__, closure=fn.__closure__,
                               argdefs=fn.__defaults__)  # fmt: skip
        forward.__kwdefaults__ = fn.__kwdefaults__
    else:
        forward = lambda *args, **kwargs: fn(*args, **kwargs)
    name = getattr(fn, "__name__", "").strip("<>") or "function"
    return type(name, (torch.nn.Module,), {"forward": staticmethod(forward)})()


def _part(theirs: Any, made: dict[int, Any], base: type[Part] = Part) -> Any:
    """The parts, parameters and buffers of a module under their names; what is there twice is one here too."""
    if id(theirs) in made:
        return made[id(theirs)]
    ours = made[id(theirs)] = of_kind(type(theirs).__name__, base)
    for name, parameter in theirs._parameters.items():
        if parameter is not None and id(parameter) not in made:
            made[id(parameter)] = nn.Parameter(numpys(parameter, name), parameter.requires_grad, copy=False)
        setattr(ours, name, made.get(id(parameter)))
    for name, buffer in theirs._buffers.items():
        if buffer is not None:
            ours.register_buffer(name, numpys(buffer, name), name not in theirs._non_persistent_buffers_set)
    for name, child in theirs._modules.items():
        if child is not None:
            setattr(ours, name, _part(child, made))
    ours.training = theirs.training
    return ours


@dataclass(frozen=True)
class Form:
    """What a model takes and gives: the nests of both, as PyTorch has them; the shape or the value of each input."""

    inputs: Any
    outputs: Any
    shapes: dict[str, Any]

    def __deepcopy__(self, memo: Any) -> Form:
        return self  # nothing of it changes


class Source:
    """A model of PyTorch with what it is called with, and what it computes in each mode that it was asked for in."""

    def __init__(self, model: Any, args: Any, kwargs: Any, dynamic: bool):
        self.model, self.args, self.kwargs, self.dynamic = model, args, kwargs, dynamic
        self._programs: dict[bool, tuple[Program, Form]] = {}

    def program(self, training: bool) -> tuple[Program, Form]:
        """The steps in a mode, and what they take and give."""
        if training not in self._programs:
            with modes_kept(self.model), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what PyTorch says of its own attributes on the way
                if self.model.training != training:
                    self.model.train(training)
                exported = self._exported()
                self._programs[training] = program_of(exported), _form(exported)
        return self._programs[training]

    def _exported(self) -> Any:
        export, tree = torchs("from_torch").export, torchs("from_torch").utils._pytree
        bound = signature(self.model.forward).bind(*self.args, **self.kwargs)
        by_name = dict(bound.arguments)
        for name, parameter in bound.signature.parameters.items():
            if parameter.kind is parameter.VAR_KEYWORD:
                by_name |= by_name.pop(name, {})
        free = lambda x: {i: export.Dim.AUTO for i, n in enumerate(x.shape) if n > 1} if hasattr(x, "shape") else None
        shapes = tree.tree_map(free, by_name) if self.dynamic else None
        try:
            return export.export(self.model, self.args, self.kwargs, dynamic_shapes=shapes)
        except Exception as error:
            error.add_note("from_torch: torch.export, which lists the operations of a model, can't follow this one")
            raise


class TorchModel(Converted):
    """A PyTorch model that runs on Tensors: what `from_torch` gives."""

    _source: Source

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        tree = torchs("from_torch").utils._pytree
        program, form = self._source.program(self.training)
        given, own = tree.tree_flatten((args, kwargs))
        if own != form.inputs:
            raise TypeError(f"{type(self).__name__} was converted for inputs of the form {form.inputs}, got {own}")
        dtype = self.dtype_of(program)
        given = [_input(x, dtype) for x in given]
        _check(type(self).__name__, program.inputs, given, form)
        return tree.tree_unflatten([_output(x) for x in self.run(program, given)], form.outputs)


def _form(exported: Any) -> Form:
    values = {node.name: node.meta.get("val") for node in exported.graph.nodes if node.op == "placeholder"}
    shapes = {name: tuple(map(str, x.shape)) if hasattr(x, "shape") else x for name, x in values.items()}
    return Form(exported.call_spec.in_spec, exported.call_spec.out_spec, shapes)


def _check(what: str, names: tuple[str, ...], given: list[Any], form: Form) -> None:
    """Refuse inputs of other lengths than the model was converted for, where it is for these alone."""
    free: dict[str, int] = {}
    for name, x in zip(names, given, strict=True):
        expected = form.shapes[name]
        if not isinstance(expected, tuple):
            if x != expected:
                raise ValueError(f"{what} was converted for {name}={expected!r}, got {x!r}: convert it for that")
            continue
        shape = np.shape(x)
        lengths = zip(expected, shape, strict=False)
        wanted = [int(n) if n.isdigit() else free.setdefault(n, m) if n.isidentifier() else m for n, m in lengths]
        if tuple(wanted) != shape or len(expected) != len(shape):
            said = ", ".join(str(free.get(n, n)) if len(expected) == len(shape) else n for n in expected)
            raise ValueError(f"{what} was converted for {name} of shape ({said}), got {shape}")


def _input(x: Any, dtype: Any) -> Any:
    """An input as the calls take it: a Tensor in the dtype of the parameters, or an array of other numbers."""
    if hasattr(x, "detach") and not isinstance(x, Tensor):
        x = numpys(x, "an input")
    if isinstance(x, np.ndarray) and x.dtype.kind in "fc":
        x = Tensor(x, requires_grad=False)
    if not isinstance(x, Tensor):
        return x
    if x.dtype.kind != "f":
        return x if x.dtype.kind == "c" else x.data
    return x if dtype is None or x.dtype == dtype else x.astype(dtype)


def _output(x: Any) -> Any:
    return Tensor(x, requires_grad=False) if isinstance(x, np.ndarray | np.generic) and x.dtype.kind in "fc" else x
