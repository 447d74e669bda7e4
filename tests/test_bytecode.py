"""What byte code tells is told alike by that of newer Pythons, whose instructions have other names."""

import dis
import inspect
import itertools
from collections import Counter

import numpy as np

from autograd import Tape, Tensor, bytecode
from autograd.registry import PRIMITIVES, RULES

ROWS = {*RULES.values(), *PRIMITIVES.values()}
FUNCTIONS = [f for rule in ROWS for f in (*rule.vjps, rule.variadic) if inspect.isfunction(f)]
_instructions = dis.get_instructions


def of_python_3_14(function):
    """The instructions of a function as Python 3.14 has them: locals are borrowed, two at a time, small integers are
    loaded as they are (https://docs.python.org/3.14/library/dis.html)."""
    singles = []
    for one in _instructions(function):
        names = one.argval if isinstance(one.argval, tuple) and "LOAD_FAST" in one.opname else (one.argval,)
        if one.opname == "STORE_FAST_LOAD_FAST":
            singles += [one._replace(opname="STORE_FAST", argval=names[0])]
            names = names[1:]
        if "LOAD_FAST" in one.opname:
            singles += [one._replace(opname="LOAD_FAST_BORROW", argval=name) for name in names]
        elif one.opname == "LOAD_CONST" and type(one.argval) is int and 0 <= one.argval < 256:
            singles += [one._replace(opname="LOAD_SMALL_INT")]
        else:
            singles += [one]
    for borrowed, run in itertools.groupby(singles, lambda one: one.opname == "LOAD_FAST_BORROW"):
        run = list(run)
        while borrowed and len(run) > 1:
            first, second, *run = run
            both = f"{first.opname}_{second.opname}"
            yield first._replace(opname=both, argval=(first.argval, second.argval))
        yield from run


def test_what_rules_read_is_told_by_borrowed_locals_too(monkeypatch):
    before = [[bytecode.values_read(f, k) for k in (2, 3)] for f in FUNCTIONS]
    monkeypatch.setattr(bytecode.dis, "get_instructions", of_python_3_14)
    assert [[bytecode.values_read(f, k) for k in (2, 3)] for f in FUNCTIONS] == before
    assert len(FUNCTIONS) > 150 and any(not out for (out, _), _ in before) and any(out for (out, _), _ in before)


def test_an_attribute_that_is_read_to_be_updated_is_told_from_one_that_is_read():
    def program(p, q):
        p.data -= q.data
        return q.data

    told = [
        bytecode.reads_for_update(program.__code__, one.offset)
        for one in _instructions(program) if one.opname == "LOAD_ATTR"
    ]  # fmt: skip
    assert told == [True, False, False]


def test_a_place_in_a_loop_is_the_same_at_each_pass_also_where_python_specialises_an_instruction():
    x = Tensor(np.ones(40))
    total = 0.0
    for i in range(40):
        total = total + x[i] * x.T[i].sum()
    places = Counter((node.op, node.lasti) for node in Tape(total) if not node.is_leaf)
    assert set(places.values()) == {40}
