"""The tree of a tape: lines, loops and their passes, calls, layers; and how far a picture opens it."""

import itertools
import sys
from pathlib import Path

import numpy as np
import pytest

import viz
from autograd import Tape, Tensor, scope
from autograd.variables import variables
from nn import functional as F
from viz.units.frontier import frontier
from viz.units.tree import tree_of

sys.path.append(str(Path(__file__).parents[1] / "docs" / "gallery"))
from draw import GALLERY, rnn


def kinds(unit):
    """The tree as nested kinds."""
    return unit.kind if not unit.parts else (unit.kind, *map(kinds, unit.parts))


def titles(loss):
    drawn = ("intermediate", "loss", "folded", "layer")
    return [b.title for b in viz.draw(loss).graph.boxes if b.kind in drawn]


def test_a_line_of_the_program_is_one_unit():
    X, W1, b1 = Tensor(np.ones((2, 3))), Tensor(np.ones((3, 4))), Tensor(np.zeros(4))
    z1 = X @ W1 + b1
    a1 = np.tanh(z1)
    loss = (a1**2).sum()
    tree = tree_of(Tape(loss))
    assert kinds(tree) == ("tape", ("line", "op", "op"), "op", ("line", "op", "op"))
    assert [part.text for part in tree.parts] == ["z1 = X @ W1 + b1", "", "loss = (a1 ** 2).sum()"]
    assert titles(loss) == ["z₁ = X W₁ + b₁", "a₁ = tanh(z₁)", "L = Σ a₁²"]


def test_a_loop_is_made_of_its_passes():
    loss = rnn(3)
    loop = next(part for part in tree_of(Tape(loss)).parts if part.kind == "loop")
    assert loop.text == "for t in range(steps)" and [p.kind for p in loop.parts] == ["pass"] * 3
    assert [[line.text for line in p.parts if line.text] for p in loop.parts] == [["z = W @ xs[t] + U @ h + b"]] * 3


def test_a_unit_holds_every_operation_once_and_in_order():
    for made in GALLERY.values():
        tape = Tape(made())
        operations = [node for node in tape if not node.is_leaf]
        waiting = [tree_of(tape)]
        assert list(waiting[0].nodes) == operations
        while waiting:
            unit = waiting.pop()
            if unit.parts:
                assert [node for part in unit.parts for node in part.nodes] == list(unit.nodes)
            waiting += unit.parts


@pytest.mark.parametrize("level", ["op", "line", "layer", "auto"])
@pytest.mark.parametrize("max_nodes", [1, 5, 20, 60, None])
def test_a_frontier_holds_every_operation_once(level, max_nodes):
    for name in ("rnn_20", "residual_12", "attention", "lenet", "transformer_12"):
        tape = Tape(GALLERY[name]())
        units, _ = frontier(tape, level, max_nodes, len)
        assert [n for unit in units for n in unit.nodes] == [n for n in tape if not n.is_leaf]
        assert max_nodes is None or len(units) <= max_nodes


def test_one_more_step_never_changes_a_picture_by_more_than_one_pass():
    counts = [len(viz.draw(rnn(steps)).graph.boxes) for steps in range(1, 26)]
    assert all(abs(b - a) <= 3 for a, b in itertools.pairwise(counts)), counts


@pytest.mark.parametrize("name", [name for name in GALLERY if name != "mlp"])
def test_a_default_picture_has_from_15_to_60_boxes(name):
    assert 15 <= len(viz.draw(GALLERY[name]()).graph.boxes) <= 60


def test_a_function_of_one_line_belongs_to_the_line_that_calls_it():
    def squash(z):
        return 1 / (1 + np.exp(-z))

    x, w = Tensor(np.ones(3)), Tensor(np.ones(3))
    f = squash(w * x + 1.0)
    g = np.tanh(f * x)
    assert titles((f * g).sum()) == ["f = 1 / (1 + exp(−(w ⊙ x + 1)))", "g = tanh(f ⊙ x)", "L = Σ (f ⊙ g)"]


def test_a_function_of_several_lines_is_a_call():
    def softmax(z):
        e = np.exp(z - np.max(z))
        return e / e.sum()

    w = Tensor(np.ones(3))
    p = softmax(w)
    q = softmax(w * 2.0)
    tree = tree_of(Tape((p * q).sum()))
    assert [(part.kind, part.text) for part in tree.parts if part.kind == "call"] == [("call", "softmax")] * 2


def test_each_name_of_a_tuple_is_a_line_of_its_own():
    X, A, B = (Tensor(np.ones((2, 2))) for _ in range(3))
    Q, K = X @ A + 1.0, X @ B + 2.0
    assert titles((Q * K).sum())[:2] == ["Q = X A + 1", "K = X B + 2"]


def test_a_layer_that_runs_lines_of_the_program_holds_them():
    x, w = Tensor(np.ones(3)), Tensor(np.ones(3))
    with scope("hidden"):
        z = w * x + 1.0
        a = np.tanh(z * 2.0)
    layer = tree_of(Tape((a * a).sum())).parts[0]
    assert layer.kind == "layer" and [part.kind for part in layer.parts] == ["line", "line"]


def test_numbers_alone_are_drawn_as_operations():
    a, b, c = Tensor(2.0), Tensor(-3.0), Tensor(10.0)
    d = a * b + c
    e = d * a + b
    assert titles(e * e)[:2] == ["%3 = a × b", "d = %3 + c"]


def test_there_are_names_for_leaves_results_and_what_functions_return():
    def scores(weights, given):
        return given @ weights

    W, data = Tensor(np.ones((3, 2)), requires_grad=True), Tensor(np.ones((4, 3)))
    out = scores(W, data)
    hidden = [np.tanh(out)]
    hidden.append(np.exp(hidden[-1]))
    tape = Tape(hidden[-1].sum())
    assert list(variables(tape).values()) == ["weights", "given", "out"]


def test_what_a_lambda_gives_has_the_name_under_which_it_is_used():
    x, a, b = (Tensor(np.ones((2, 2)), name=name) for name in "xab")
    heads = lambda weight: (x @ weight).reshape(4)
    q, k = heads(a), heads(b)
    assert list(variables(Tape((q * k).sum())).values()) == ["q", "k"]


def test_what_is_taken_apart_has_a_name_for_each_part():
    z = Tensor(np.ones((2, 6)), name="z")
    for _ in range(2):
        i, f, o = np.split(z, 3, axis=1)
        f, g = np.tanh(f), i * o
        z = np.concatenate([f, g, i], axis=1)
    assert list(variables(Tape(z.sum())).values()) == ["i", "o", "f", "g", "z"] * 2


def test_a_call_that_does_the_same_along_two_axes_gives_one_value():
    image = Tensor(np.ones((1, 1, 2, 2)), name="image")
    large = F.interpolate(image, scale_factor=2, mode="bilinear")
    for _ in range(2):
        large = F.interpolate(large, scale_factor=2, mode="bilinear")
    assert list(variables(Tape(large.sum())).values()) == ["large", "large", "large"]


def test_a_line_that_gives_several_results_is_a_line_for_each():
    x, w = Tensor(np.ones((3, 2)), name="x"), Tensor(np.ones((2, 2)), name="w")
    one, other = (F.sigmoid(x @ w * k) for k in (1.0, 2.0))
    both = [np.tanh(one * 2.0), np.exp(other) + 1.0]
    assert titles((both[0] * both[1]).sum())[:4] == [
        "one = σ((x w) × 1)", "other = σ((x w) × 2)", "%9 = tanh(one × 2)", "%11 = exp(other) + 1"
    ]  # fmt: skip


def test_names_that_the_user_gives_win():
    W1 = Tensor(np.ones((2, 2)), name="kernel")
    z1 = W1 @ np.ones(2)
    z1.name = "scores"
    assert titles((z1 * 2.0).sum())[0].startswith("scores = kernel")


def test_code_without_source_is_drawn_by_operations():
    space = {"np": np, "w": Tensor(np.ones(3))}
    exec("z = w * 2.0 + 1.0\nloss = (np.tanh(z) * z).sum()", space)
    assert titles(space["loss"])[0].startswith("%")


def test_the_last_call_of_an_object_made_in_the_same_line_has_its_own_lines():
    class Cell:
        def __call__(self, xs):
            h = Tensor(np.zeros(2))
            for x in xs:
                z = x * h + 1.0
                h = np.tanh(z)
            return h

    loss = (Cell()(np.ones((3, 2))) ** 2).sum()
    assert titles(loss)[-1] == "L = Σ (h (4))²"
