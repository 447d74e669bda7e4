"""The table of differentiable functions: which there are, and the rule of each.

A rule is a plain NumPy expression ``rule(g, out, *operands, **options)`` that turns ``g``, the gradient of the loss
with respect to the function's output ``out``, into the gradient with respect to one operand. It is written once;
what it is called with decides what comes out of it (arrays, Tensors, ...). This room knows no Tensor and no tape.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

import numpy as np

from .bytecode import values_read
from .recording import DEPTH

__all__ = ["NoRuleError", "Rule", "defvjp", "nondifferentiable", "primitive"]

Vjp = Callable[..., Any]


class NoRuleError(NotImplementedError, TypeError):
    """A function was called on a Tensor, but the table has no derivative rule for it (or for that operand)."""


class Rule:
    """One row of the table: a function, and how to pull a gradient back through it.

    Attributes
    ----------
    fn : callable
        The function, as it is called on arrays.
    name : str
        What the tape and the pictures call it.
    op : callable
        What computes the value again when a dropped one is looked at; `fn`, but for Python's operators.
    vjps : list of callable or None
        The rule of each operand; None where an operand carries no gradient (a condition, say).
    variadic : callable or None
        One rule for any number of operands, ``rule(g, out, i, *operands, **options)``, used instead of `vjps`.
    keeps_output : bool
        Whether the output is always kept, because calling `fn` again may not give the same numbers.
    fixed : bool
        Whether the rules can no longer be replaced, because an operator of `Tensor` relies on what they read.
    constant : bool
        Whether its derivative is zero wherever there is one: it is recorded, and no gradient flows through it.
    beyond : callable or None
        The function as a composition, which takes the options that the rules do not know (``where=``).
    holomorphic : bool
        Whether the rules become right for complex results by the conjugates of values (`for_complex`).
    of_complex : Rule or None
        The row for complex results, where one was asked for or given.
    uses : callable or None
        ``uses(node, i)``: how many times each element of operand ``i`` is used, where one is shared (a kernel).
    """

    __slots__ = (
        "__weakref__", "_defaults", "_names", "_of_this_house", "_options", "beyond", "constant", "fixed", "fn",
        "holomorphic", "keeps_output", "name", "of_complex", "op", "reads_operands", "uses", "variadic", "vjps",
        "what_is_read",
    )  # fmt: skip

    def __init__(self, fn: Callable[..., Any], name: str | None = None):
        self.fn = fn
        self.name = name or getattr(fn, "__name__", type(fn).__name__)
        self.op: Callable[..., Any] = fn
        self.vjps: list[Vjp | None] = []
        self.variadic: Vjp | None = None
        self.keeps_output = False
        self.constant = False
        self.fixed = False
        self.reads_operands = True
        self.beyond: Callable[..., Any] | None = None
        self.holomorphic = True
        self.of_complex: Rule | None = None
        self.uses: Callable[..., int] | None = None
        self.what_is_read: dict[int, tuple[bool, frozenset[int] | None]] = {}
        self._defaults: dict[str, Any] | None = None
        self._names: list[str] | None = None
        self._of_this_house: bool | None = None
        self._options: frozenset[str] | None = None

    def __repr__(self) -> str:
        return f"<Rule of {self.name}>"

    def has_vjp(self, i: int) -> bool:
        """Whether there is a rule for operand `i`."""
        return self.variadic is not None or (i < len(self.vjps) and self.vjps[i] is not None)

    def pull(self, g: Any, out: Any, i: int, *operands: Any, **options: Any) -> Any:
        """What operand `i` gets of the gradient `g` of the result, as the rule gives it."""
        if self.variadic is not None:
            return self.variadic(g, out, i, *operands, **options)
        return self.vjps[i](g, out, *operands, **options)  # type: ignore[misc]

    def reads(self, i: int) -> tuple[bool, frozenset[int] | None]:
        """What the rule of operand `i` looks at: whether at the output, and the values of which operands (None: all).

        An operand of which a rule takes only ``.shape``, ``.dtype``, ``.ndim`` or ``.size`` is not read: its value
        need not be kept for the backward pass.
        """
        found = self.what_is_read.get(i)
        if found is None:
            vjp, before = (self.variadic, 3) if self.variadic is not None else (self.vjps[i], 2)
            reads_output, read = values_read(getattr(vjp, "of_reals", vjp), before)
            if not self.reads_operands:
                read = frozenset()
            found = self.what_is_read[i] = (reads_output, read)
        return found

    @property
    def of_this_house(self) -> bool:
        """Whether nobody else wrote its derivatives."""
        if self._of_this_house is None:
            modules = [str(getattr(vjp, "__module__", "")) for vjp in (*self.vjps, self.variadic) if vjp is not None]
            self._of_this_house = all(name.startswith(("autograd.rules.", "nn.")) for name in modules)
        return self._of_this_house

    def split_options(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The call with its array operands by position and every option by keyword, as rules expect them."""
        operands = len(self.vjps)
        if self.variadic is not None or (len(args) <= operands and not kwargs):
            return args, kwargs
        names = self._names
        if names is None:
            names = self._names = _parameters(self.fn)
        if not names:
            return args, kwargs
        if len(args) > len(names):
            raise TypeError(f"{self.name}() takes at most {len(names)} arguments, but {len(args)} were given")
        twice = kwargs.keys() & set(names[: len(args)])
        if twice:
            raise TypeError(f"{self.name}() got more than one value for {', '.join(sorted(twice))}")
        options = {**dict(zip(names[operands:], args[operands:], strict=False)), **kwargs}
        args = args[:operands]
        while len(args) < min(operands, len(names)) and names[len(args)] in options:
            args = (*args, options.pop(names[len(args)]))
        return args, options

    def defaults(self) -> dict[str, Any]:
        """The parameters of the function, with what they are by default (``inspect.Parameter.empty``: nothing)."""
        if self._defaults is None:
            try:
                parameters = inspect.signature(self.fn).parameters
            except (TypeError, ValueError):
                parameters = MappingProxyType({})
            self._defaults = {name: parameter.default for name, parameter in parameters.items()}
        return self._defaults

    def knows(self, option: str) -> bool:
        """Whether the derivative rule takes this option into account."""
        known = self._options
        if known is None:
            vjp = self.variadic or next((vjp for vjp in self.vjps if vjp is not None), None)
            code = vjp.__code__ if inspect.isfunction(vjp) else None
            if code is None or code.co_flags & inspect.CO_VARKEYWORDS:
                return True
            before = 3 if self.variadic is not None else 2 + len(self.vjps)
            known = self._options = frozenset(code.co_varnames[before : code.co_argcount + code.co_kwonlyargcount])
        return option in known


def _parameters(fn: Callable[..., Any]) -> list[str]:
    """The names of what may be given by position; none where any number may, each of which is an operand."""
    parameters = inspect.signature(fn).parameters.values()
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return []
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


PRIMITIVES: WeakValueDictionary[int, Rule] = WeakValueDictionary()
"""The rules of primitives, by the ids of their functions: who made a primitive owns it, and what it holds on to."""


class _Rules(dict[Callable[..., Any], Rule]):
    """The rules of NumPy's functions; those of primitives are found here too."""

    def __missing__(self, fn: Callable[..., Any]) -> Rule:
        found = PRIMITIVES.get(id(fn))
        if found is None:
            raise KeyError(fn)
        return found


RULES = _Rules()
COMPOSITES: dict[Callable[..., Any], Callable[..., Any]] = {}
INSTEAD: dict[Callable[..., Any], Callable[..., Any]] = {}
"""What to call of arrays of other libraries in the place of functions that these may lack."""
METHODS: set[str] = set()
"""The names of methods and properties of `Tensor` that are operations on it."""
NUMBERS_ONLY: set[Callable[..., Any]] = set()
"""Functions that look at the numbers and give plain arrays (``np.argmax``, ``np.zeros_like``)."""


class Refusal(NamedTuple):
    """Why a function is refused on Tensors, and what to write instead, where there is something."""

    why: str
    instead: str


REFUSED: dict[Any, Refusal] = {}
"""Functions, and names of modules all of whose functions are refused unless they stand elsewhere."""


def _rule_of(fn: Callable[..., Any]) -> Rule:
    target = getattr(fn, "rule", None)
    if isinstance(target, Rule):
        return target
    if fn not in RULES and id(fn) not in PRIMITIVES:
        if inspect.isfunction(fn) and not (fn.__module__ or "").startswith("numpy"):
            raise TypeError(
                f"{name_of(fn)} is a plain function, whose calls are not recorded: decorate it with @primitive"
            )
        RULES[fn] = Rule(fn)
    return RULES[fn]


def defvjp(
    fn: Callable[..., Any], *vjps: Vjp | None, argnums: tuple[int, ...] | None = None, holomorphic: bool = True
) -> Rule:
    """Give `fn` its derivative rules, one for each array operand, in order.

    Parameters
    ----------
    fn : callable
        A NumPy function, or one made with `primitive`.
    *vjps : callable or None
        ``vjp(g, out, *operands, **options)`` returns the gradient with respect to one operand. ``g`` has the shape of
        ``out``. The result may have any shape that `out`'s broadcasting gives: the engine sums it to the operand's
        shape and casts it to the operand's dtype. None: the operand carries no gradient.
    argnums : tuple of int, optional
        The operands that `vjps` are for; 0, 1, 2, ... unless told.
    holomorphic : bool, optional
        Where a result is complex, rules are called with the conjugates of the values, which makes those of real numbers
        right for every holomorphic function (docs/complex.md). False: they are right for complex values as they stand.

    Returns
    -------
    Rule
        The row of the table.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Tensor, defvjp, primitive
    >>> @primitive
    ... def softsign(x):
    ...     return x / (1 + np.abs(x))
    >>> _ = defvjp(softsign, lambda g, out, x: g / (1 + np.abs(x)) ** 2)
    >>> x = Tensor([1.0, -3.0])
    >>> softsign(x).sum().backward()
    >>> x.grad
    array([0.25  , 0.0625])
    """
    for vjp in vjps:
        if vjp is not None and not callable(vjp):
            raise TypeError(f"defvjp: a rule of {name_of(fn)} must be callable or None, got {type(vjp).__name__}")
    rule = _rule_of(fn)
    if rule.fixed:
        raise ValueError(f"defvjp: the rule of {name_of(fn)} can't be replaced, an operator of Tensor relies on it")
    positions = range(len(vjps)) if argnums is None else argnums
    if len(positions) != len(vjps):
        raise ValueError(f"defvjp: {len(vjps)} rules for {len(positions)} argnums of {name_of(fn)}")
    size = max([len(rule.vjps), *(i + 1 for i in positions)])
    rule.vjps += [None] * (size - len(rule.vjps))
    for i, vjp in zip(positions, vjps, strict=True):
        rule.vjps[i] = vjp
    rule.constant = False
    rule._options = rule._of_this_house = None
    rule.holomorphic, rule.of_complex = holomorphic, None
    rule.what_is_read.clear()
    return rule


def defvjp_variadic(fn: Callable[..., Any], vjp: Vjp, *, reads_operands: bool = True, holomorphic: bool = True) -> Rule:
    """Give a function of any number of array operands one rule: ``vjp(g, out, i, *operands, **options)``.

    ``reads_operands=False`` states that the rule takes only the shapes and dtypes of the operands; `holomorphic` is
    that of `defvjp`.
    """
    rule = _rule_of(fn)
    rule.variadic = vjp
    rule.reads_operands = reads_operands
    rule.constant = False
    rule._options = rule._of_this_house = None
    rule.holomorphic, rule.of_complex = holomorphic, None
    rule.what_is_read.clear()
    return rule


def alias(fn: Callable[..., Any], of: Callable[..., Any]) -> None:
    """Let `fn` be recorded as `of`, its other name."""
    RULES[fn] = _rule_of(of)


def composite(fn: Callable[..., Any], expression: Callable[..., Any]) -> None:
    """Trace `fn` as `expression`: the same function, composed of functions that have rules."""
    COMPOSITES[fn] = expression


def nondifferentiable(*fns: Callable[..., Any]) -> None:
    """State that `fns` have a derivative of zero wherever they have one (``np.sign``, ``np.floor``).

    On Tensors they compute with the numbers; no gradient flows through what they return. Floating-point results are
    recorded, so that a picture is whole; integer and boolean ones are plain arrays.
    """
    for fn in fns:
        rule = _rule_of(fn)
        rule.constant = True
        rule.variadic = None
        rule.vjps = [None] * (fn.nin if isinstance(fn, np.ufunc) else 1)


def numbers_only(*fns: Callable[..., Any]) -> None:
    """State that `fns` look at the numbers and give plain arrays, also on Tensors (``np.argmax``)."""
    NUMBERS_ONLY.update(fns)


def refused(*fns: Any, why: str, instead: str = "") -> None:
    """State that `fns`, functions or names of modules, are refused on Tensors: why, and what to write instead."""
    REFUSED.update(dict.fromkeys(fns, Refusal(why, instead)))


def on_numbers(fn: Callable[..., Any], values: Any, caller: str, options: Any = MappingProxyType({})) -> Any:
    """What a function of arrays gives, as an array, and as if no derivative were being taken around it.

    A result that has a history came from a Tensor that the function was not given: that is refused.
    """
    token = DEPTH.set(0)
    try:
        out = fn(*values, **options)
    finally:
        DEPTH.reset(token)
    if not hasattr(out, "_record"):
        return out
    if out.requires_grad:
        raise TypeError(
            f"{caller}: the function uses a Tensor that requires a gradient and is not among its arguments: give it "
            "as one"
        )
    return out.data[()]


class primitive:
    """Make a function of arrays an operation of its own on the tape. Use as a decorator, then give it a rule.

    Parameters
    ----------
    fn : callable
        A function of arrays (and options), which must not change its arguments.

    Notes
    -----
    The table of rules does not keep it: it lives, with what `fn` holds on to, as long as the program or a tape does.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import defvjp, grad, primitive
    >>> @primitive
    ... def double(x):
    ...     return 2 * x
    >>> _ = defvjp(double, lambda g, out, x: 2 * g)
    >>> float(grad(double)(3.0))
    2.0
    """

    __name__: str

    def __init__(self, fn: Callable[..., Any], *, keeps_output: bool = True):
        if not callable(fn):
            raise TypeError(f"primitive expects a function of arrays, got {type(fn).__name__}")
        self.rule = Rule(fn)
        self.rule.keeps_output = keeps_output
        if keeps_output:
            name = str(self.rule.name)
            self.rule.op = lambda *values, **options: on_numbers(fn, values, name, options)
        self.fn = fn
        PRIMITIVES[id(fn)] = self.rule
        for name in ("__module__", "__name__", "__qualname__", "__doc__"):
            setattr(self, name, getattr(fn, name, None))
        self.__wrapped__ = fn

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        for arg in args:
            record = getattr(arg, "_record", None)
            if record is not None:
                return record(self.rule, args, kwargs)
        if kwargs and any(hasattr(value, "_record") for value in kwargs.values()):
            bound = inspect.signature(self.fn).bind(*args, **kwargs)
            if any(hasattr(value, "_record") for value in bound.kwargs.values()):
                raise TypeError(f"{self.__name__}: a Tensor was given for a keyword-only option, which has no gradient")
            return self(*bound.args, **bound.kwargs)
        for arg in args:
            if isinstance(arg, tuple | list) and any(hasattr(part, "_record") for part in arg):
                raise TypeError(
                    f"{self.__name__}: a primitive takes each Tensor as an argument of its own, a {type(arg).__name__} "
                    f"of them was given: write def {self.__name__}(*arrays) and {self.__name__}(*tensors)"
                )
        return self.rule.op(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<primitive {self.__name__}>"


def pure(fn: Callable[..., Any]) -> primitive:
    """A primitive whose value may be dropped and computed again: same operands, same numbers."""
    return primitive(fn, keeps_output=False)


def named(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A part of rules that a printed formula calls by its name; anywhere else it is the plain function.

    Arguments that trace a formula have a ``_note`` method, which is told of the call.
    """
    rule = Rule(fn, fn.__name__.lstrip("_"))

    @functools.wraps(fn)
    def call(*args: Any, **options: Any) -> Any:
        for arg in args:
            note = getattr(arg, "_note", None)
            if note is not None:
                return note(rule, args, options)
        return fn(*args, **options)

    return call


def name_of(fn: Any) -> str:
    """What a function is called."""
    return getattr(fn, "__name__", repr(fn))
