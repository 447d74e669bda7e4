"""Numbers as people give them, by Tensor or by name: arrays, nested lists, as a source printed them, some left out."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

import numpy as np

from ..errors import describe
from ..labels import Labels
from ..leaving import number_taken
from ..node import Node
from ..tape import Tape
from ..tensor import Tensor

__all__ = ["Hand", "Named", "check_has_gradient", "read_hand", "read_hands"]

_LEFT_OUT = ("", "\N{HORIZONTAL ELLIPSIS}", "...")


class Hand(NamedTuple):
    """A gradient as given: its numbers in float64, and how precise they are.

    ``unit`` is the unit of the last digit printed, NaN where a number carries none; None where none does. ``given``
    tells which of the numbers were given, the others being NaN; None: all of them.
    """

    array: Any
    dtype: np.dtype[Any]
    unit: Any
    given: Any = None

    def completed(self, by: Any) -> Hand:
        """The same with other numbers in place of those that were not given; itself if the shapes differ."""
        if self.given is None or np.shape(by) != self.array.shape:
            return self
        return self._replace(array=np.where(self.given, self.array, by))

    def reshaped(self, shape: tuple[int, ...], *, turned: bool = False) -> Hand:
        """The same numbers in another shape; `turned`: those of its transpose."""

        def of(part: Any) -> Any:
            return None if part is None else np.reshape(part.T if turned else part, shape)

        return self._replace(array=of(self.array), unit=of(self.unit), given=of(self.given))

    @property
    def counted(self) -> str:
        """``3 of 12 given``; empty where all are."""
        return "" if self.given is None else f"{int(self.given.sum())} of {self.given.size} given"

    def times(self, k: float) -> Hand:
        """All of its numbers multiplied by one."""
        return self._replace(array=self.array * k, unit=None if self.unit is None else self.unit * abs(k))


class Named(NamedTuple):
    """What was given for a record: what that is called, the numbers, and a note on the name."""

    name: str
    hand: Hand
    note: str


def read_hands(
    tape: Tape, given: Any, who: str, what: str = "gradient", *, empty: bool = False, whole: bool = False
) -> dict[Node, Named]:
    """Gradients or values that a person gives, ``{W1: dW1, "z": dz}``: by Tensor, record or name, as it is printed.

    Parameters
    ----------
    tape : Tape
    given : mapping
    who : str
        Begins the sentence of an error: ``"compare_grads"``.
    what : str
        What is given: ``"gradient"`` or ``"value"``.
    empty : bool
        Whether nothing need be given.
    whole : bool
        As of `read_hand`.

    Raises
    ------
    TypeError, ValueError
        As `read_hand`; if it is no dict or empty, a key is no record on the tape, or one is given twice.
    KeyError
        If no record has a name; names the nearest.
    """
    if not isinstance(given, Mapping):
        raise TypeError(f"{who}: expected a dict of {what}s, {{W1: dW1, ...}}, got {type(given).__name__}")
    if not given and not empty:
        raise ValueError(f"{who}: no {what}s were given: the dict of {what}s is empty")
    found: dict[Node, Named] = {}
    labels = Labels(tape)
    for key, value in given.items():
        node = _record_of(tape, key, who)
        of = labels.of(node)
        name = node.name or (key if isinstance(key, str) else of if labels.has(node) else f"{of} ({node.op})")
        if node in found:
            raise ValueError(f"{who}: the {what} of {name} is given twice, by Tensor and by name")
        same = len(labels.called(key)) if isinstance(key, str) else 1
        note = f"the latest of {same} records of this name" if same > 1 else ""
        hand = value if isinstance(value, Hand) else read_hand(value, f"{who}: the {what} of {name}", whole=whole)
        found[node] = Named(name, hand, note)
    return found


def check_has_gradient(node: Node, who: str) -> None:
    """Refuse a record of which no gradient can be given."""
    if not node.needs_grad:
        why = f"its dtype is {node.dtype}" if node.dtype.kind != "f" else "requires_grad is False"
        raise ValueError(f"{who}: {describe(node)} has no gradient to compare with: {why}")


def _record_of(tape: Tape, key: Any, who: str) -> Node:
    if isinstance(key, str):
        try:
            return tape.find(key)
        except KeyError as error:
            raise KeyError(f"{who}: {error.args[0]}") from None
    if not isinstance(key, Tensor | Node):
        raise TypeError(f"{who}: the keys are Tensors or their names, got {key!r:.40} of type {type(key).__name__}")
    node = tape.record_of(key)
    if node is None or node not in tape:
        own = key.node if isinstance(key, Tensor) else key
        taken = number_taken(own, tape.root)
        raise ValueError(f"{who}: {describe(own)} is not on the tape of this loss" + (taken and f": {taken}"))
    return node


def read_hand(value: Any, who: str, *, whole: bool = False) -> Hand:
    """The numbers of a gradient that a person gives.

    Parameters
    ----------
    value : array, Tensor, number, str, Decimal, or nested lists of them
        Strings and Decimals carry as many digits as they were printed with: ``"0.0127"``. Numbers that are not given
        are None, ``""``, ``"…"``, ``"..."`` or ``...``, or masked, ``np.ma.masked_invalid(dW)``; beside these or
        strings NaN, too. Among plain numbers NaN is a number that was computed, and a wrong one.
    who : str
        Begins the sentence of an error: ``"compare_grads: the gradient of W⁽¹⁾"``.
    whole : bool
        Whether an array of whole numbers or truth values may be meant, as by the value of a record.

    Raises
    ------
    TypeError
        If it is not of real numbers, or an array of whole numbers, which can't hold a gradient.
    ValueError
        If a list is ragged, a string is no number, or no number is given.

    Examples
    --------
    >>> from autograd.testing.hand import read_hand
    >>> read_hand([["0.50", "1.25"]], "dW").unit
    array([[0.01, 0.01]])
    >>> read_hand([["0.50", "…"]], "dW").given
    array([[ True, False]])
    """
    if value is None:
        raise TypeError(f"{who} is None; expected an array of numbers")
    if isinstance(value, Tensor):
        value = value.data
    elif callable(getattr(value, "detach", None)):  # torch refuses to convert a Tensor that requires a gradient
        value = value.detach()
    masked = np.ma.getmaskarray(value) if isinstance(value, np.ma.MaskedArray) else None
    array = _as_array(value, who)
    if array.dtype.kind in "iub" and (isinstance(value, np.ndarray | np.generic) or array.dtype.kind == "b"):
        if not whole:
            raise TypeError(
                f"{who} has dtype {array.dtype}; expected floating-point numbers: an array of dtype {array.dtype} cuts "
                "off every fraction written into it (np.zeros(shape), or zeros_like of a floating-point array)"
            )
        array = array.astype(np.float64)
    if array.dtype.kind == "c":
        raise TypeError(f"{who} has dtype {array.dtype}; expected real numbers")
    if array.dtype.kind in "fi":
        dtype = array.dtype if array.dtype.kind == "f" else np.dtype(np.float64)
        hand = Hand(array.astype(np.float64), dtype, None)
    elif array.dtype.kind in "OUS":
        hand = _from_elements(array, who)
    else:
        raise TypeError(f"{who} has dtype {array.dtype}; expected floating-point numbers")
    if masked is not None and masked.any():
        known = ~masked if hand.given is None else hand.given & ~masked
        hand = hand._replace(array=np.where(known, hand.array, np.nan), given=known)
    if hand.given is not None and not hand.given.any():
        raise ValueError(f"{who} has no number that is given, expected one at least")
    return hand


def _as_array(value: Any, who: str) -> Any:
    try:
        array = np.array(value)
        if array.dtype.kind in "USO" and not isinstance(value, np.ndarray):
            array = np.array(value, dtype=object)  # numbers beside strings stay numbers
    except Exception as error:
        if "inhomogeneous" in str(error) or "broadcast" in str(error):
            raise ValueError(f"{who} is a ragged list; expected rows of one length") from None
        raise TypeError(f"{who} is of type {type(value).__name__}; expected an array of numbers ({error})") from error
    return array


def _from_elements(array: Any, who: str) -> Hand:
    values, units, given = np.full(array.shape, np.nan), np.full(array.shape, np.nan), np.ones(array.shape, bool)
    as_printed = any(e is None or e is ... or isinstance(e, str | bytes | Decimal) for e in array.ravel())
    for index in np.ndindex(array.shape):
        element = array[index]
        if isinstance(element, bytes):
            element = element.decode(errors="replace")
        left_out = element is None or element is ... or (isinstance(element, str) and element.strip() in _LEFT_OUT)
        if left_out or (as_printed and isinstance(element, float | np.floating) and element != element):
            given[index] = False
            continue
        place = f" at {index}" if index else ""
        if isinstance(element, list | tuple | np.ndarray):
            raise ValueError(f"{who} is a ragged list; expected rows of one length")
        if isinstance(element, str):
            element = _printed(element, f"{who} is {element!r}{place}")
        if isinstance(element, Decimal):
            exponent = element.as_tuple().exponent
            if isinstance(exponent, int):
                units[index] = float(Decimal(1).scaleb(exponent))
        elif isinstance(element, bool | np.bool) or not isinstance(element, numbers.Real):
            raise TypeError(f"{who} holds a value of type {type(element).__name__}{place}; expected real numbers")
        try:
            values[index] = float(element)
        except OverflowError:
            raise ValueError(f"{who} holds a number{place} that is too large for a float") from None
    units[(values == 0) & (units >= 1)] = np.nan  # "0" is nothing at all, not anything up to a half
    unit = None if np.isnan(units).all() else units
    return Hand(values, np.dtype(np.float64), unit, None if given.all() else given)


def _printed(text: str, what: str) -> Decimal:
    """A number as a source prints it; a minus sign may be the typographic one."""
    try:
        return Decimal(text.strip().replace("\N{MINUS SIGN}", "-"))
    except InvalidOperation:
        raise ValueError(f"{what}, which is no number; expected one as printed, like '0.0127'") from None
