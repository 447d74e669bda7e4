"""The tree of a formula: symbols, numbers, and functions of them. What is printed is what is evaluated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeGuard

import numpy as np

from autograd.registry import RULES, Rule

Kind = Literal["value", "gradient", "constant"]


class Symbol:
    """A name in a formula, and the array that it stands for.

    Attributes
    ----------
    kind : {"value", "gradient", "constant"}
    node : Node or None
        The record whose value or gradient it is.
    name : str
        In plain text: ``"z⁽¹⁾"``, ``"δ⁽²⁾"``, ``"∂L/∂a⁽¹⁾"``. May be given as a function, called when it is asked for.
    of : (str, str) or None
        A gradient's loss and what it is with respect to: ``("L", "a⁽¹⁾")``; None where it is written by a letter.
    shape, dtype
        Of the array.
    """

    __slots__ = ("_array", "_name", "dtype", "kind", "node", "of", "shape")

    def __init__(
        self,
        kind: Kind,
        name: str | Callable[[], str],
        array: Any,
        node: Any = None,
        of: tuple[str, str] | None = None,
        shape: tuple[int, ...] | None = None,
        dtype: Any = None,
    ):
        self.kind = kind
        self._name = name
        self.node = node
        self.of = of
        self._array = array
        self.shape: tuple[int, ...] = np.shape(array) if shape is None else shape
        self.dtype = np.asarray(array).dtype if dtype is None else dtype

    @property
    def name(self) -> str:
        if callable(self._name):
            self._name = self._name()
        return self._name

    @property
    def array(self) -> Any:
        """The numbers, read-only; computed when they are asked for."""
        if callable(self._array):
            self._array = self._array()
        return self._array

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    def __repr__(self) -> str:
        return f"<Symbol {self.name}: {self.kind} {self.shape}>"


class Number:
    """A number in a formula."""

    __slots__ = ("value",)
    shape: tuple[int, ...] = ()
    ndim = 0

    def __init__(self, value: Any):
        self.value = value

    @property
    def dtype(self) -> Any:
        return np.asarray(self.value).dtype

    def __repr__(self) -> str:
        return f"<Number {self.value}>"


class Apply:
    """A function of other parts of the formula.

    Attributes
    ----------
    rule : Rule
        The row of the engine's table: what is called.
    args : tuple of Symbol, Number or Apply
    options : dict
        By keyword; arrays in them are symbols.
    shape, dtype
        Of the result.
    """

    __slots__ = ("args", "dtype", "options", "rule", "shape")

    def __init__(self, rule: Rule, args: tuple[Any, ...], options: dict[str, Any], shape: Any, dtype: Any):
        self.rule = rule
        self.args = args
        self.options = options
        self.shape: tuple[int, ...] = tuple(shape)
        self.dtype = dtype

    @property
    def fn(self) -> Callable[..., Any]:
        return self.rule.fn

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def with_args(self, args: Sequence[Tree], shape: tuple[int, ...] | None = None) -> Apply:
        """The same function of other parts; itself where they are the same."""
        if shape is None and all(a is b for a, b in zip(args, self.args, strict=True)):
            return self
        return Apply(self.rule, tuple(args), self.options, self.shape if shape is None else shape, self.dtype)

    def __repr__(self) -> str:
        return f"{self.rule.name}{self.args}"


Tree = Symbol | Number | Apply


def apply(fn: Callable[..., Any], *args: Tree, like: Tree | None = None, shape: Any = None, dtype: Any = None) -> Apply:
    """A function with a rule, applied; of the shape and dtype of `like`, or as if it works element by element."""
    if like is not None:
        return Apply(RULES[fn], args, {}, like.shape, like.dtype)
    shape = np.broadcast_shapes(*(a.shape for a in args)) if shape is None else shape
    return Apply(RULES[fn], args, {}, shape, np.result_type(*(a.dtype for a in args)) if dtype is None else dtype)


def negated(x: Tree) -> Apply:
    return apply(np.negative, x, like=x)


def transposed(x: Tree) -> Tree:
    """The transpose of a matrix; of what is one already, the matrix; a vector as it is."""
    if x.ndim < 2:
        return x
    if is_call(x, np.transpose) and x.ndim == 2 and not x.options:
        return x.args[0]
    return apply(np.transpose, x, shape=x.shape[::-1], dtype=x.dtype)


class Opaque(Apply):
    """A derivative that is too large to be written out.

    Attributes
    ----------
    operations : int
        How many its rule is made of.
    """

    __slots__ = ("operations",)

    def __init__(self, rule: Rule, args: tuple[Any, ...], shape: Any, dtype: Any, operations: int):
        super().__init__(rule, args, {}, shape, dtype)
        self.operations = operations

    def with_args(self, args: Sequence[Tree], shape: tuple[int, ...] | None = None) -> Apply:
        new = super().with_args(args, shape)
        return self if new is self else Opaque(self.rule, new.args, new.shape, self.dtype, self.operations)


def stretched(x: Tree, shape: tuple[int, ...]) -> Tree:
    """`x` broadcast to a shape."""
    return x if x.shape == shape else Apply(RULES[np.broadcast_to], (x,), {"shape": shape}, shape, x.dtype)


def is_call(tree: Any, *fns: Callable[..., Any]) -> TypeGuard[Apply]:
    """Whether a tree is one of some functions, applied."""
    return isinstance(tree, Apply) and tree.rule.fn in fns


def axes_of(tree: Apply, default: Any = None) -> list[int]:
    """The axes that a reduction is over, counted from 0."""
    axis, ndim = tree.options.get("axis", default), tree.args[0].ndim
    if axis is None:
        return list(range(ndim))
    return [a % max(1, ndim) for a in (axis if isinstance(axis, tuple) else (axis,))]


def replaced(option: Any, by: Callable[[Any], Any]) -> Any:
    """An option in which `by` has replaced what is no tuple."""
    return tuple(replaced(part, by) for part in option) if type(option) is tuple else by(option)


def rebuilt(tree: Tree, by: Callable[[Tree], Tree]) -> Tree:
    """The tree from its leaves upward, each part as what `by` makes of it."""
    done: dict[int, Tree] = {}

    def go(part: Tree) -> Tree:
        if not isinstance(part, Apply):
            return by(part)
        if id(part) not in done:
            done[id(part)] = by(part.with_args([go(a) for a in part.args]))
        return done[id(part)]

    return go(tree)


def substituted(tree: Tree, by: dict[int, Tree]) -> Tree:
    """The tree with symbols replaced: `by` maps the ``id`` of a symbol to what stands in its place."""
    done: dict[int, Tree] = {}

    def go(part: Any) -> Any:
        if isinstance(part, Symbol):
            return by.get(id(part), part)
        if not isinstance(part, Apply):
            return part
        if id(part) not in done:
            new = part.with_args([go(a) for a in part.args])
            options = {name: replaced(option, go) for name, option in part.options.items()}
            same = options == part.options
            done[id(part)] = new if same else Apply(part.rule, new.args, options, part.shape, part.dtype)
        return done[id(part)]

    return go(tree)


def evaluate(tree: Tree, values: Mapping[int, Any] | None = None) -> Any:
    """The value of a tree; `values` maps the ``id`` of a symbol to what it is instead."""
    with np.errstate(all="ignore"):
        return Evaluator(values)(tree)


class Evaluator:
    """Values of trees; parts that trees share are computed once."""

    def __init__(self, values: Mapping[int, Any] | None = None) -> None:
        self._given = values or {}
        self._values: dict[int, tuple[Any, Any]] = {}

    def __call__(self, part: Any) -> Any:
        if isinstance(part, Number):
            return part.value
        if isinstance(part, Symbol):
            array = self._given.get(id(part), part.array)
            return array[()] if isinstance(array, np.ndarray) and not array.shape else array
        if not isinstance(part, Apply):
            return part
        known = self._values.get(id(part))
        if known is None:
            options = {name: replaced(option, self) for name, option in part.options.items()}
            known = self._values[id(part)] = part, part.rule.op(*[self(a) for a in part.args], **options)
        return known[1]


def each(*trees: Tree) -> Iterator[Tree]:
    """All parts of some trees, options left out, each once."""
    waiting, seen = list(trees), set()
    while waiting:
        part = waiting.pop()
        if id(part) not in seen:
            seen.add(id(part))
            yield part
            waiting += part.args if isinstance(part, Apply) else ()


def parts(tree: Any) -> Iterator[Any]:
    """What a part is directly made of, options included, in reading order."""
    if not isinstance(tree, Apply):
        return
    yield from tree.args
    found: list[Any] = []
    for option in tree.options.values():
        replaced(option, found.append)
    yield from (f for f in found if isinstance(f, Symbol | Apply))


def symbols(tree: Tree) -> tuple[Symbol, ...]:
    """The symbols of a tree, each once, in reading order."""
    seen: dict[int, Any] = {}
    stack: list[Any] = [tree]
    while stack:
        part = stack.pop()
        if id(part) not in seen:
            seen[id(part)] = part
            stack.extend(reversed(list(parts(part))))
    return tuple(part for part in seen.values() if isinstance(part, Symbol))


def reached(root: Any, below: Callable[[Any], Sequence[Any]]) -> tuple[list[Any], int, int]:
    """What is under a root, each part after its own; how many there are when written out, and how deep they are."""
    order: list[Any] = []
    sizes: dict[Any, tuple[int, int]] = {}
    stack = [(root, False)]
    while stack:
        part, ready = stack.pop()
        if part in sizes:
            continue
        if not ready:
            stack.append((part, True))
            stack += [(p, False) for p in reversed(below(part)) if p not in sizes]
            continue
        inner = [sizes[p] for p in below(part)]
        sizes[part] = 1 + sum(n for n, _ in inner), 1 + max((d for _, d in inner), default=0)
        order.append(part)
    return order, *sizes[root]


Table = dict[Any, tuple[Callable[..., "Tree | None"], ...]]
"""Rules that may say a tree otherwise, by the function that it is."""


def table(*rows: tuple[Callable[..., Tree | None], Sequence[Any]]) -> Table:
    """A table of rules, from rows that name the functions which a rule is for."""
    functions = dict.fromkeys(fn for _, of in rows for fn in of)
    return {fn: tuple(rule for rule, of in rows if fn in of) for fn in functions}


def rewritten(tree: Apply, rules: Table, *given: Any) -> Tree | None:
    """The tree as another one, by the first rule that fits; None if none does."""
    for rule in rules.get(tree.rule.fn, ()):
        found = rule(tree, *given)
        if found is not None:
            return found
    return None


def same(a: Any, b: Any) -> bool:
    """Whether two trees say the same."""
    if a is b:
        return True
    if isinstance(a, Number) and isinstance(b, Number):
        equal = a.value == b.value
        return equal if equal.__class__ is bool else bool(np.all(equal))
    if isinstance(a, Apply) and isinstance(b, Apply):
        return (
            a.rule is b.rule
            and len(a.args) == len(b.args)
            and all(same(x, y) for x, y in zip(a.args, b.args, strict=True))
            and a.options.keys() == b.options.keys()
            and all(same_option(a.options[name], b.options[name]) for name in a.options)
        )
    return False


def same_option(a: Any, b: Any) -> bool:
    """Whether two options say the same: two indices, say."""
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(same_option(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, Symbol | Apply | np.ndarray) or isinstance(b, Symbol | Apply | np.ndarray):
        return a is b or (isinstance(a, Apply) and isinstance(b, Apply) and same(a, b))
    return type(a) is type(b) and bool(a == b)
