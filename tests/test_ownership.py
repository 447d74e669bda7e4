"""Nothing that a user dropped is kept alive by a table of this package."""

import gc
import weakref

import numpy as np
import pytest

import nn
import viz
from autograd import NoRuleError, Tensor, defvjp, grad, primitive
from autograd.registry import PRIMITIVES, RULES
from autograd.testing import compare_grads


def scaled_by(table):
    """A primitive that holds on to an array, and whose rule holds on to the primitive."""

    @primitive
    def scaled(x, offset=0.0):
        return x * table[: x.size] + offset

    defvjp(scaled, lambda g, out, x, offset=0.0: g * scaled(np.ones_like(x)))
    return scaled


def differentiate(scaled):
    assert grad(lambda x: np.sum(scaled(x)))(np.ones(3)).tolist() == [2, 2, 2]


def draw(scaled):
    loss = np.sum(scaled(Tensor(np.ones(3), name="x"), offset=1.0) ** 2)
    assert viz.draw(loss).text() and viz.draw(loss, level="scalar").text()
    assert viz.step(loss).run_to("backward").title


def explain(scaled):
    x = Tensor(np.ones(3), name="x")
    loss = np.sum(scaled(x, offset=1.0) ** 2)
    compare_grads(loss, {x: np.ones(3)})
    viz.explain_mismatch(loss, {x: np.ones(3)})
    viz.derive(loss, wrt=x)


def fail(scaled):
    with pytest.raises(NoRuleError):
        np.nextafter(scaled(Tensor(np.ones((1, 1)))), 2.0)


@pytest.mark.parametrize("use", [differentiate, draw, explain, fail])
def test_a_primitive_that_was_dropped_frees_what_it_held(use):
    table = np.full(1000, 2.0)
    held = weakref.ref(table)
    scaled = scaled_by(table)
    use(scaled)
    del table, scaled
    gc.collect()
    assert held() is None


def test_the_table_of_primitives_does_not_grow():
    gc.collect()
    before = len(PRIMITIVES), len(RULES)
    for _ in range(50):
        differentiate(scaled_by(np.full(3, 2.0)))
    gc.collect()
    assert (len(PRIMITIVES), len(RULES)) == before


def test_a_primitive_is_found_by_its_function_while_it_lives():
    def double(x):
        return 2 * x

    made = primitive(double)
    assert RULES[double] is made.rule
    defvjp(double, lambda g, out, x: 2 * g)
    assert grad(made)(1.0) == 2.0
    tape_owner = made(Tensor(1.0))
    del made
    tape_owner.backward()  # what was recorded keeps its rule
    del tape_owner
    gc.collect()
    with pytest.raises(KeyError):
        RULES[double]
    with pytest.raises(TypeError, match="decorate it with @primitive"):
        defvjp(double, lambda g, out, x: 2 * g)


def test_a_model_that_was_dropped_is_freed():
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    held = weakref.ref(model[0].weight)
    x = np.ones((1, 2), np.float32)
    recording = viz.record(model, lambda model: model(x).sum())
    recording.step()
    nn.fit(model, (x, np.array([0])), progress=False)
    del model, recording
    gc.collect()
    assert held() is None
