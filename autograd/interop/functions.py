"""`check_function`: the backward of a ``torch.autograd.Function`` beside what its forward says it should give."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.testing import Report, check_layer

from .torch_graphs import numpys, torchs
from .torch_models import from_torch

__all__ = ["check_function"]


def check_function(
    function: Any,
    *inputs: Any,
    upstream: Any = None,
    rtol: float | None = None,
    atol: float | None = None,
    numeric: bool = False,
) -> Report:
    """Check the backward of a ``torch.autograd.Function``; its forward is taken as the truth.

    The operations of the forward are run on Tensors where `from_torch` knows them, so that the engine has the gradients
    and `viz.explain_mismatch` can say what is wrong; else finite differences of it take their place.

    Parameters
    ----------
    function : subclass of torch.autograd.Function
        With ``forward(ctx, ...)``, or ``forward(...)`` and ``setup_context``.
    *inputs : tensors, arrays, options
        What ``function.apply`` is called with. The gradients of all floating-point tensors are checked, each also
        where it is the only one that is asked for. Give float64: differences are only as good as the numbers.
    upstream : array or tuple of arrays, optional
        The gradient of each output; several random ones unless told.
    rtol, atol : float, optional
        As of `compare_grads`.
    numeric : bool, optional
        Compare with finite differences also where the engine can differentiate.

    Returns
    -------
    Report
        One row for each gradient, by the names of the parameters of ``forward``; `autograd.testing.check_layer` says
        what is in it. A gradient that is None counts as 0, and is noted.

    Raises
    ------
    TypeError
        If it is no ``torch.autograd.Function``, or none of the inputs holds floating-point numbers.
        Where the backward returns what is neither a tensor nor None.
    ValueError
        Where it returns more or fewer gradients than there are inputs; one of a wrong shape is a row of the report.
    ImportError
        Without PyTorch.

    Examples
    --------
    >>> import torch
    >>> from autograd.interop import check_function
    >>> class Cube(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x, scale):
    ...         ctx.save_for_backward(x)
    ...         return scale * x**3
    ...
    ...     @staticmethod
    ...     def backward(ctx, dout):
    ...         (x,) = ctx.saved_tensors
    ...         return 3 * x**2 * dout, None
    >>> report = check_function(Cube, torch.tensor([1.0, 2.0], dtype=torch.float64), 5.0)
    >>> [(row.name, row.ok, row.note) for row in report.rows]
    [('x', False, "2 of 2 elements differ; yours is 0.2 times the engine's everywhere")]
    """
    torch = torchs("check_function")
    if not (isinstance(function, type) and issubclass(function, torch.autograd.Function)):
        raise TypeError(f"check_function: a subclass of torch.autograd.Function is needed, got {function!r:.60}")
    arrays = [numpys(x, f"input {i}") if isinstance(x, torch.Tensor) else x for i, x in enumerate(inputs)]
    passes = _Passes(function, arrays)
    if not passes.places:
        kinds = ", ".join(f"{name} is of dtype {getattr(x, 'dtype', type(x).__name__)}" for name, x in passes.named)
        raise TypeError(f"check_function: none of the inputs holds real floating-point numbers: {kinds}")
    return passes.report(upstream=upstream, rtol=rtol, atol=atol, numeric=numeric)


class _Passes:
    """The two passes of a ``torch.autograd.Function``, as `check_layer` calls them."""

    def __init__(self, function: Any, inputs: list[Any]):
        self.torch = torchs("check_function")
        self.function, self.inputs = self.watched(function), inputs
        self.misshapen: dict[int, Any] = {}
        self.takes_context = function.setup_context is self.torch.autograd.Function.setup_context
        self.places = [i for i, x in enumerate(inputs) if isinstance(x, np.ndarray) and x.dtype.kind == "f"]
        own = [p.name for p in inspect.signature(function.forward).parameters.values() if p.kind in _BY_PLACE]
        own = own[self.takes_context :][: len(inputs)]
        self.names = own + [f"input_{i}" for i in range(len(own), len(inputs))]
        self.named = list(zip(self.names, inputs, strict=True))
        self.notes: dict[str, None] = {}
        self.differ: set[int] = set()

    def report(self, **options: Any) -> Report:
        """That of the gradients asked for together; of those asked for alone, where the others are right."""
        found = self._report(options, alone=False)
        if found.ok and self.differ:
            found = self._report(options, alone=True)
        found.notes += tuple(self.notes)
        return found

    def _report(self, options: Any, *, alone: bool) -> Report:
        def forward(*given: Any) -> Any:
            return self.forward(*given)

        def backward(*given: Any) -> Any:
            return self.backward(*given, alone=alone)

        parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in self.names]
        forward.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        backward.__name__ = self.function.__name__
        return check_layer(forward, backward, *self.inputs, conventions=False, **options)

    def forward(self, *given: Any) -> Any:
        if any(isinstance(x, Tensor) for x in given):
            steps = functools.partial(self.function.forward, *([_Context()] if self.takes_context else []))
            steps.__name__ = self.function.__name__  # type: ignore[attr-defined]
            numbers = [x.data if isinstance(x, Tensor) else x for x in given]
            outs = from_torch(steps, *self.tensors(numbers), dynamic=False)(*given)
        else:
            with self.torch.no_grad():
                outs = self.function.apply(*self.tensors(given))
        outs = [x.numpy() if isinstance(x, self.torch.Tensor) else x for x in _several(outs)]
        return *(x for x in outs if x.dtype.kind == "f"), given

    def backward(self, *given: Any, alone: bool) -> dict[str, Any]:
        *douts, inputs = given
        found = self.gradients(inputs, douts, self.places)
        for i in self.places:
            name = self.names[i]
            if found[i] is None:
                self.notes[f"The backward returned None for the gradient of {name}, which is taken as 0."] = None
            elif len(self.places) > 1:
                single = self.gradients(inputs, douts, [i])[i]
                if single is None or not np.allclose(single, found[i], equal_nan=True):
                    self.differ.add(i)
                    self.notes[f"The gradient of {name} is another one where no other is asked for."] = None
                    found[i] = single if alone else found[i]
        return {self.names[i]: np.zeros_like(inputs[i]) if g is None else g for i, g in found.items()}

    def gradients(self, inputs: Any, douts: Any, wanted: list[int]) -> dict[int, Any]:
        """What the backward gives for some of the inputs, None where it gives nothing."""
        tensors = self.tensors(inputs)
        for i in wanted:
            tensors[i].requires_grad_()
        outs = [x for x in _several(self.function.apply(*tensors)) if x.is_floating_point()]
        flows = [(x, self.torch.as_tensor(d)) for x, d in zip(outs, douts, strict=True) if x.requires_grad]
        if not flows:
            return dict.fromkeys(wanted)
        roots, seeds = [x for x, _ in flows], [d.to(x.dtype).reshape(x.shape) for x, d in flows]
        self.misshapen.clear()
        found = self.torch.autograd.grad(roots, [tensors[i] for i in wanted], seeds, allow_unused=True)
        given = {i: self.misshapen.get(i, g) for i, g in zip(wanted, found, strict=True)}
        return {i: None if g is None else g.numpy() for i, g in given.items()}

    def watched(self, function: Any) -> Any:
        """The function with a backward that says itself what PyTorch can't take of what it returns; gradients of
        another shape are kept for the report."""
        name = "backward" if function.backward is not self.torch.autograd.Function.backward else "vjp"

        said = f"check_function: the backward of {function.__name__} returns"

        def backward(context: Any, *douts: Any) -> Any:
            given = _several(getattr(function, name)(context, *douts))
            if len(given) < len(self.inputs) or any(g is not None for g in given[len(self.inputs) :]):
                raise ValueError(
                    f"{said} {len(given)} gradient{'s' * (len(given) != 1)} for the {len(self.inputs)} inputs "
                    f"{', '.join(self.names)}: one for each is expected, or None"
                )
            for i, g in enumerate(given[: len(self.inputs)]):
                if g is not None and not isinstance(g, self.torch.Tensor):
                    kind = type(g).__name__
                    raise TypeError(f"{said} a {kind} as the gradient of {self.names[i]}: a torch.Tensor is expected")
                if g is not None and i in self.places and not _sums_to(tuple(g.shape), self.inputs[i].shape):
                    self.misshapen[i] = g
            return tuple(None if i in self.misshapen else g for i, g in enumerate(given))

        return type(function.__name__, (function,), {name: staticmethod(backward)})

    def tensors(self, given: Any) -> list[Any]:
        return [self.torch.tensor(x) if isinstance(x, np.ndarray | np.generic) else x for x in given]


_BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _sums_to(shape: tuple[int, ...], into: tuple[int, ...]) -> bool:
    """Whether an array of a shape is summed into another one by the rules of broadcasting, as PyTorch does."""
    return len(into) <= len(shape) and all(n in (1, m) for n, m in zip(reversed(into), reversed(shape), strict=False))


def _several(outs: Any) -> tuple[Any, ...]:
    return outs if isinstance(outs, tuple) else (outs,)


class _Context:
    """What ``forward`` is handed in the place of PyTorch's context: it takes all, and keeps nothing."""

    needs_input_grad = (True,) * 64

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None
