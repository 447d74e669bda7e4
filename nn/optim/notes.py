"""Arrays and numbers that note how they were computed, and the notes as text."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

__all__ = ["Held", "Noted", "Number", "numeral", "printed", "root"]

_WORDS = {"maximum": "max", "clip": "clip", "where": "where", "sign": "sign"}
_SIGNS = {"add": " + ", "subtract": " − ", "greater": " > ", "less": " < "}
_POWERS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Number(float):
    """A number with a note; what is computed of it in Python is one too."""

    note: Any

    def __new__(cls, value: float, note: Any) -> Number:
        made = super().__new__(cls, value)
        made.note = ("leaf", note, float(value)) if isinstance(note, str) else note
        return made

    def __neg__(self) -> Number:
        return Number(-float(self), ("negative", self.note))


def _arithmetic(name: str, swapped: bool) -> Callable[[Any, Any], Any]:
    compute = getattr(operator, {"add": "add", "sub": "sub", "mul": "mul", "truediv": "truediv", "pow": "pow"}[name])
    op = {"sub": "subtract", "mul": "multiply", "truediv": "divide", "pow": "power"}.get(name, name)

    def method(self: Any, other: Any) -> Any:
        if not isinstance(other, int | float) or isinstance(other, np.generic):
            return NotImplemented
        a, b = (other, self) if swapped else (self, other)
        return Number(compute(_plain(a), _plain(b)), (op, _note(a), _note(b)))

    return method


for _name in ("add", "sub", "mul", "truediv", "pow"):
    setattr(Number, f"__{_name}__", _arithmetic(_name, False))
    setattr(Number, f"__r{_name}__", _arithmetic(_name, True))


def root(number: float) -> float:
    """The square root of a number, with a note where the number has one."""
    value = math.sqrt(number)
    return Number(value, ("sqrt", number.note)) if isinstance(number, Number) else value


class Noted(np.lib.mixins.NDArrayOperatorsMixin):
    """An array with a note: NumPy's functions compute as ever, and note it, also where they write into it."""

    def __init__(self, value: Any, note: Any):
        self.value = value
        self.note = ("leaf", note, value) if isinstance(note, str) else note

    dtype = property(lambda self: self.value.dtype)
    shape = property(lambda self: self.value.shape)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        note = (ufunc.__name__, *map(_note, inputs))
        if out is not None:
            options["out"] = tuple(map(_plain, out))
        value = getattr(ufunc, method)(*map(_plain, inputs), **options)
        if out is None:
            return Noted(value, note)
        out[0].note = note
        return out[0]

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        value = function(*map(_plain, args), **{name: _plain(a) for name, a in kwargs.items()})
        if function is np.zeros_like:
            return Noted(value, ("leaf", "0", value))
        if function is np.full_like:
            return Noted(value, _note(args[1]))
        return Noted(value, (function.__name__, *map(_note, args)))

    def __setitem__(self, key: Any, other: Any) -> None:
        self.value[key] = _plain(other)
        self.note = _note(other)

    def astype(self, dtype: Any, copy: bool = True) -> Noted:
        return Noted(self.value.astype(dtype, copy=copy), self.note)

    def copy(self) -> Noted:
        return Noted(self.value.copy(), self.note)


class Held(dict[str, Any]):
    """A state whose arrays and numbers are noted, called v of the step before when they come from there."""

    _SYMBOLS: ClassVar = {"eta": "η", "mu": "μ", "mu_product": "Π", "step_size": "s", "prev": "g", "max_v": "max v"}

    def symbol(self, key: str) -> str:
        return self._SYMBOLS.get(key, key)

    def start(self, key: str, value: Any) -> None:
        """What the state has before the step."""
        name = f"{self.symbol(key)}ₜ₋₁"
        held = Noted(value.copy(), ("leaf", name, value)) if isinstance(value, np.ndarray) else Number(value, name)
        super().__setitem__(key, held)

    def __setitem__(self, key: str, value: Any) -> None:
        if key == "step":
            value = Number(float(value), "t")
        elif isinstance(value, Noted) and value.note[:2] == ("leaf", "0"):
            value.note = ("leaf", f"{self.symbol(key)}ₜ₋₁", value.value.copy())
        super().__setitem__(key, value)


def _plain(a: Any) -> Any:
    if isinstance(a, Noted):
        return a.value
    return float(a) if isinstance(a, Number) else a


def _note(a: Any) -> Any:
    return a.note if isinstance(a, Noted | Number) else ("leaf", None, a)


def printed(note: Any, known: Mapping[int, str], index: tuple[int, ...] | None = None) -> str:
    """A note as text, in symbols, or in the numbers of an entry. `known` has the names of notes by their ids."""
    return _Printer(known, index).sum(note, top=True)


class _Printer:
    """Sums of products, as they are read: signs in front, numbers before arrays, g² for g times g."""

    def __init__(self, known: Mapping[int, str], index: tuple[int, ...] | None):
        self.known, self.index = known, index

    def sum(self, note: Any, top: bool = False) -> str:
        if top and self.index is None:
            known, self.known = self.known, {key: name for key, name in self.known.items() if key != id(note)}
            text = self.sum(note)
            self.known = known
            return text
        op, *parts = note
        if op == "multiply" and id(note) not in self.known:
            for one, other in (parts, parts[::-1]):
                if one[:2] == ("leaf", None) and np.ndim(one[2]) == 0 and one[2] == 1:
                    return self.sum(other)
        if op in _SIGNS and id(note) not in self.known:
            minus = op == "subtract"
            if op == "add" and self.sign(parts[0]) and not self.sign(parts[1]):
                parts = parts[::-1]
            first = self.sum(parts[0])
            if op == "add" or minus:
                turned = self.sign(parts[1])
                second = self.product(parts[1]) if parts[1][0] not in _SIGNS or not (minus or turned) else None
                second = second if second is not None else self.bracketed(parts[1])
                if parts[1][0] == "add" and not minus and not turned:
                    second = self.sum(parts[1])
                return f"{first}{_SIGNS['subtract' if turned != minus else 'add']}{second}"
            return f"{first}{_SIGNS[op]}{self.sum(parts[1])}"
        return ("−" if self.sign(note) else "") + self.product(note)

    def sign(self, note: Any) -> bool:
        """Whether there is a minus in front of a product."""
        op, *parts = note
        if id(note) in self.known:
            return False
        if op == "negative":
            return not self.sign(parts[0])
        if op in ("multiply", "divide"):
            return self.sign(parts[0]) != self.sign(parts[1])
        return False

    def product(self, note: Any) -> str:
        """A product without the minus in front of it."""
        op, *parts = note
        if id(note) in self.known or op not in ("negative", "multiply", "divide"):
            return self.atom(note)
        if op == "negative":
            return self.product(parts[0]) if parts[0][0] not in _SIGNS else self.bracketed(parts[0])
        if op == "divide":
            below = self.product(parts[1]) if self.single(parts[1]) else f"({self.sum(parts[1])})"
            return f"{self.factors(parts[0])} / {below}"
        return self.factors(note)

    def single(self, note: Any) -> bool:
        return id(note) in self.known or note[0] not in ("multiply", "divide", "negative", *_SIGNS)

    def factors(self, note: Any) -> str:
        found: list[Any] = []

        def collect(one: Any) -> None:
            if one[0] == "multiply" and id(one) not in self.known:
                collect(one[1])
                collect(one[2])
            elif one[0] == "negative" and id(one) not in self.known:
                collect(one[1])
            else:
                found.append(one)

        collect(note)
        texts: dict[str, int] = {}
        ordered = sorted(found, key=self.is_array)
        for one in ordered:
            text = f"({self.product(one)})" if one[0] == "divide" and id(one) not in self.known else self.atom(one)
            texts[text] = texts.get(text, 0) + 1
        if len(texts) > 1 and texts.get("1") is not None:
            del texts["1"]
        shown = [text if n == 1 else self.raised(text, str(n)) for text, n in texts.items()]
        return (" · " if self.index is None else " × ").join(shown)

    def is_array(self, note: Any) -> bool:
        if note[0] == "leaf":
            return isinstance(note[2], np.ndarray)
        return any(self.is_array(part) for part in note[1:] if isinstance(part, tuple))

    def bracketed(self, note: Any) -> str:
        return f"({self.sum(note)})"

    def raised(self, text: str, power: str) -> str:
        plain = text[0] not in "(√|−" and not any(sign in text for sign in "/·× ")
        text = text if plain or text[0] in "(|" else f"({text})"
        return text + (power.translate(_POWERS) if power.isdigit() else f"^{power}")

    def atom(self, note: Any) -> str:
        op, *parts = note
        if id(note) in self.known:
            return self.known[id(note)] if self.index is None else numeral(self.evaluated(note))
        if op == "leaf":
            if self.index is None and parts[0] is not None:
                return str(parts[0])
            return numeral(self.number(note))
        if op == "sqrt":
            return f"√{self.atom(parts[0])}" if self.single(parts[0]) else f"√({self.sum(parts[0])})"
        if op == "power":
            base = self.atom(parts[0]) if self.single(parts[0]) else self.bracketed(parts[0])
            power = self.sum(parts[1])
            return self.raised(base, power if self.single(parts[1]) and " " not in power else f"({power})")
        if op == "absolute":
            return f"|{self.sum(parts[0])}|"
        if op in _WORDS:
            return f"{_WORDS[op]}({', '.join(map(self.sum, parts))})"
        return self.bracketed(note)

    def number(self, note: Any) -> float:
        value = note[2]
        return float(value[self.index or (0,) * value.ndim]) if isinstance(value, np.ndarray) else float(value)

    def evaluated(self, note: Any) -> float:
        op, *parts = note
        if op == "leaf":
            return self.number(note)
        numbers = [self.evaluated(part) for part in parts]
        return float(getattr(np, op)(*numbers))


def numeral(number: float) -> str:
    """A number in six digits."""
    return f"{number:.6g}".replace("-", "−")
