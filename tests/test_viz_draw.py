"""`viz.draw`: what the pictures say is what the engine computed, whatever people call things."""

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import autograd.testing
import nn
import viz
from autograd import Tape, Tensor, no_grad, scope
from autograd.registry import Rule
from autograd.rules.elementwise import relu, sigmoid
from viz.drawing import render
from viz.plain.numbers import number

SVG = "{http://www.w3.org/2000/svg}"
RNG = np.random.default_rng(3)
HOSTILE = [
    "<script>alert(1)</script>",
    'a"b\\',
    "{x|y} <b>&amp;& ]]> -->",
    "two\nlines\ttab\x00\x1b",
    "😀" * 2500,
    "\\N \\G \\l",
    "javascript:alert(1)",
    "\ud800 lone",
    "\u202eesrever",
    "%0",
]


class Learned(Tensor):
    __slots__ = ()
    _leaf_rule = Rule(lambda: None, "parameter")


def neuron():
    a, b, c = Tensor(2.0, name="a"), Tensor(-3.0, name="b"), Tensor(10.0, name="c")
    d = a * b
    d.name = "d"
    return relu(d + c)


def network():
    """Two dense layers in scopes of a net, with textbook names."""
    x = Tensor(RNG.normal(size=(1, 4)), name="x", requires_grad=False)
    weights = [Learned(RNG.normal(size=(4, 3)), name="W⁽¹⁾"), Learned(RNG.normal(size=(3, 2)), name="W⁽²⁾")]
    biases = [Learned(RNG.normal(size=3), name="b⁽¹⁾"), Learned(RNG.normal(size=2), name="b⁽²⁾")]
    with scope("net", "MLP"):
        for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            with scope(f"fc{i + 1}", "Linear"):
                z = x @ weight + bias
                z.name = f"z⁽{'¹²'[i]}⁾"
            with scope(f"sigmoid{i + 1}", "Sigmoid"):
                x = sigmoid(z)
                x.name = f"a⁽{'¹²'[i]}⁾"
    return (x * x).sum()


def recurrent(steps):
    w_h, w_x = Learned(RNG.normal(size=(3, 3)), name="W_h"), Learned(RNG.normal(size=(2, 3)), name="W_x")
    h = Tensor(np.zeros((1, 3)), requires_grad=False, name="h0")
    for t in range(steps):
        with scope(f"step{t}", "Cell"):
            h = np.tanh(h @ w_h + Tensor(RNG.normal(size=(1, 2)), requires_grad=False) @ w_x)
    return (h * h).sum()


def residual(blocks):
    x = Tensor(RNG.normal(size=(2, 3)), name="x")
    for i in range(blocks):
        with scope(f"block{i}", "Block"):
            with scope("fc", "Linear"):
                y = x @ Learned(RNG.normal(size=(3, 3)), name=f"W{i}")
            x = relu(y) + x
    return x.sum()


def parse(picture):
    return ET.fromstring(picture.svg())


def titles(root, kind):
    return [g.find(f"{SVG}title").text for g in root.iter(f"{SVG}g") if g.get("class") == kind]


def texts(root):
    return [t.text for t in root.iter(f"{SVG}text")]


def box(picture, title):
    return next(b for b in picture.graph.boxes if b.title.split(" = ")[0] == title)


# --- the numbers ------------------------------------------------------------------------------------------------------


def test_every_node_of_a_scalar_graph_shows_its_value_and_gradient():
    loss = neuron()
    tape = Tape(loss)
    gradients = tape.gradients()
    groups = {
        g.find(f"{SVG}title").text: [t.text for t in g.findall(f"{SVG}text")]
        for g in parse(viz.draw(loss)).iter(f"{SVG}g")
        if g.get("class") == "node"
    }
    assert len(groups) == len(tape)
    for i, node in enumerate(tape):
        shown = [text.strip() for text in groups[f"%{i}"]]
        name = node.name or ("L" if node is tape.root else f"%{i}")
        assert shown[shown.index(f"∂L/∂{name}") + 1] == number(gradients[node])
        at = max(k for k, text in enumerate(shown) if text == name)
        assert shown[at + 1] == number(tape.value(node))


def test_small_arrays_are_printed_in_full():
    x = Tensor([[1.5, -2.25], [0.125, 4.0]], name="x")
    shown = " ".join(texts(parse(viz.draw((x * x).sum()))))
    for value in (1.5, -2.25, 0.125, 4, 3, -4.5, 0.25, 8, 5.062):
        assert f" {value:g}" in shown


def test_large_arrays_are_heat_maps_with_norms():
    x = Tensor(RNG.normal(size=(1, 2, 6, 6)), name="x")
    loss = (x * x).sum()
    root = parse(viz.draw(loss))
    tape = Tape(loss)
    assert len(list(root.iter(f"{SVG}image"))) == 4
    for array in (x.data, tape.gradients()[tape["x"]]):
        assert f"‖·‖ {number(np.linalg.norm(array))}" in texts(root)


def test_edges_of_scalars_carry_the_local_derivative_of_each_operand():
    x = Tensor(3.0, name="x")
    square = x * x
    square.name = "s"
    edges = viz.draw(np.exp(square / 9.0)).graph.edges
    assert [(e.label, e.local) for e in edges[:2]] == [("∂s/∂(1st x)", 3.0), ("∂s/∂(2nd x)", 3.0)]
    assert edges[-1].local == pytest.approx(np.e)


def test_a_local_derivative_is_shown_also_where_the_gradient_is_zero():
    a, b = Tensor(2.0, name="a"), Tensor(-3.0, name="b")
    edges = viz.draw(relu(a * b)).graph.edges
    assert [e.local for e in edges] == [-3.0, 2.0, 0.0]


def test_a_gradient_that_was_not_computed_is_a_dash_and_not_zero():
    x = Tensor([1.0, 2.0], requires_grad=False, name="x")
    w = Tensor([0.0, 0.0], name="w")
    picture = viz.draw((x * w * 0.0).sum())
    assert box(picture, "x").grad.array is None
    assert "∂L/∂x —" in picture.text().replace("  ", " ")
    assert re.search(r"∂L/∂w +\[ 0  0 \]", picture.text())


def test_a_graph_without_any_gradient_is_drawn_forward_only():
    x = Tensor([1.0, 2.0], requires_grad=False, name="x")
    picture = viz.draw(x * 2.0)
    assert all(b.grad.array is None for b in picture.graph.boxes)
    assert any("forward only" in text for text in texts(parse(picture)))


def test_drawing_neither_reads_nor_changes_grad():
    x = Tensor(2.0, name="x")
    loss = x * x
    viz.draw(loss).svg()
    assert x.grad is None


def test_a_seed_gives_the_gradients_of_a_value_that_is_no_scalar():
    x = Tensor([1.0, 2.0], name="x")
    picture = viz.draw(x * x, grad=[1.0, 10.0])
    np.testing.assert_array_equal(box(picture, "x").grad.array, [2.0, 40.0])


def test_python_numbers_stand_in_the_expression():
    x = Tensor(4.0, name="x")
    picture = viz.draw(x * 0.5)
    assert [b.title for b in picture.graph.boxes] == ["x", "L = x × 0.5"]


def test_nan_is_marked_on_the_node_where_it_is_born():
    x = Tensor([-1.0, 4.0], name="x")
    with np.errstate(invalid="ignore"):
        y = np.sqrt(x)
        y.name = "y"
        loss = (y * 2.0).sum()
    picture = viz.draw(loss)
    assert box(picture, "y").alarm == "NaN born here"
    assert [b.title.split(" = ")[0] for b in picture.graph.boxes if "born here" in b.alarm] == ["y"]
    assert "▲ NaN born here" in texts(parse(picture))


def test_an_infinite_gradient_is_marked_where_its_rule_made_it():
    x = Tensor(0.0, name="x")
    picture = viz.draw(np.sqrt(x) * 2.0)
    assert [b.alarm for b in picture.graph.boxes] == ["", "Inf born in its gradient", ""]


# --- structure --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", [neuron(), network(), recurrent(4), residual(3)])
@pytest.mark.parametrize("level", ["op", "layer"])
def test_the_svg_is_valid_and_both_ends_of_every_edge_exist(loss, level):
    picture = viz.draw(loss, level, legend=True)
    root = parse(picture)
    nodes = titles(root, "node")
    assert sorted(nodes) == sorted(b.id for b in picture.graph.boxes)
    assert len(set(nodes)) == len(nodes)
    edges = [title.split("->") for title in titles(root, "edge")]
    assert len(edges) == len(picture.graph.edges)
    assert {end for edge in edges for end in edge} <= set(nodes)


def test_layers_are_frames_around_their_operations():
    (net,) = viz.draw(network(), "op").graph.frames
    assert net.title == "net · MLP"
    assert [frame.title for frame in net.frames] == [
        "fc1 · Linear", "sigmoid1 · Sigmoid", "fc2 · Linear", "sigmoid2 · Sigmoid",
    ]  # fmt: skip
    assert len(net.frames[0].boxes) == 4
    assert "fc1 · Linear" in texts(parse(viz.draw(network(), "op")))


def test_layers_are_single_nodes_that_list_their_parameters():
    picture = viz.draw(network(), "layer")
    layer = box(picture, "fc1 · Linear")
    assert layer.kind == "layer"
    assert layer.value.label == "z⁽¹⁾"
    assert [(one.name, one.shape) for one in layer.learned] == [("W⁽¹⁾", (4, 3)), ("b⁽¹⁾", (3,))]
    assert not any(b.kind == "learned" for b in picture.graph.boxes)


def test_auto_draws_operations_while_they_fit_and_layers_after_that():
    loss = network()
    assert not any(b.kind == "layer" for b in viz.draw(loss).graph.boxes)
    assert any(b.kind == "layer" for b in viz.draw(loss, max_nodes=8).graph.boxes)


def test_parameters_are_marked_as_learned_in_words_and_in_form():
    picture = viz.draw(network(), "op")
    assert {b.kind for b in picture.graph.boxes if b.title.startswith(("W", "b"))} == {"learned"}
    assert {b.kind for b in picture.graph.boxes if b.title.startswith(("z", "a"))} == {"intermediate"}
    root = parse(picture)
    (shape,) = (
        g.find(f"{SVG}polygon")
        for g in root.iter(f"{SVG}g")
        if g.get("class") == "node" and (g.get("aria-label") or "").startswith("W⁽¹⁾;")
    )
    assert float(shape.get("stroke-width")) > 2
    assert "learned" in texts(root)


def test_a_shared_weight_says_how_often_each_element_is_used():
    x = Tensor(RNG.normal(size=(8, 3)), requires_grad=False)
    w, b = Learned(RNG.normal(size=(3, 2)), name="W"), Learned(RNG.normal(size=2), name="b")
    picture = viz.draw((x @ w + b.reshape(1, 2)).sum())
    assert box(picture, "W").badges == ("each weight used ×8",)
    assert box(picture, "b").badges == ("each weight used ×8",)


def test_a_weight_used_once_has_no_badge():
    assert all(b.badges == () for b in viz.draw(network(), "op").graph.boxes)


def test_a_shared_weight_of_an_unrolled_loop_is_copied_for_each_use():
    picture = viz.draw(recurrent(50), "op", max_nodes=None)
    copies = [b for b in picture.graph.boxes if b.title == "W_h"]
    assert len(copies) == 50
    assert sum(not b.brief for b in copies) == 1
    assert copies[0].badges == ("each weight used ×50", "copy 1 of 50")
    assert all(sum(e.tail == b.id for e in picture.graph.edges) == 1 for b in copies)
    assert len(titles(parse(picture), "node")) == len(picture.graph.boxes)


def test_repeats_are_folded_with_their_number():
    boxes = viz.draw(recurrent(50)).graph.boxes
    (cells,) = (b for b in boxes if b.kind == "folded")
    count = int(cells.title.removeprefix("Cell ×"))
    assert count + sum(b.title.endswith("· Cell") for b in boxes) == 50
    (block,) = (b for b in viz.draw(residual(40), max_nodes=20).graph.boxes if b.kind == "folded")
    assert len(block.learned) == int(block.title.removeprefix("Block ×"))
    assert 20 < len(block.learned) < 40


@pytest.mark.parametrize("steps", range(2, 40))
def test_one_more_step_of_a_loop_changes_little(steps):
    fewer, more = (viz.draw(unrolled(n)).graph.boxes for n in (steps, steps + 1))
    assert abs(len(more) - len(fewer)) <= 8
    assert len(more) <= 60
    assert more[-2].title.startswith(f"h ({steps + 1}) = tanh(W @ h ({steps}) + U @ xs")


def unrolled(steps):
    """A recurrent network as a person writes it, in plain NumPy."""
    rng = np.random.default_rng(0)
    W, U, b = (Tensor(rng.normal(size=shape)) for shape in ((3, 3), (3, 2), (3,)))
    xs, h = rng.normal(size=(steps, 2)), np.zeros(3)
    for t in range(steps):
        h = np.tanh(W @ h + U @ xs[t] + b)
    return np.sum(h)


@pytest.mark.parametrize("max_nodes", [1, 2, 3, 7, 20, 60])
@pytest.mark.parametrize("level", ["op", "layer", "auto"])
def test_no_picture_has_more_nodes_than_asked_for(max_nodes, level):
    mixed = Tensor(0.5, name="x")
    for i in RNG.integers(4, size=150):
        mixed = (np.sin, np.cos, np.tanh, np.arctan)[i](mixed)
    for loss in (recurrent(30), residual(30), mixed):
        picture = viz.draw(loss, level, max_nodes=max_nodes)
        assert 1 <= len(picture.graph.boxes) <= max_nodes
        assert len(titles(parse(picture), "node")) == len(picture.graph.boxes)


@pytest.mark.parametrize("loss", [recurrent(30), residual(30)])
@pytest.mark.parametrize("max_nodes", [3, 9, 25, 40])
def test_folding_makes_no_cycle(loss, max_nodes):
    graph = viz.draw(loss, max_nodes=max_nodes).graph
    order = {b.id: i for i, b in enumerate(graph.boxes)}
    assert all(order[edge.tail] < order[edge.head] for edge in graph.edges)


def test_scalar_graphs_run_left_to_right_and_others_top_to_bottom():
    assert viz.draw(neuron()).graph.direction == "LR"
    assert viz.draw(network()).graph.direction == "TB"
    assert viz.draw(network(), direction="LR").graph.direction == "LR"


def test_a_tape_and_a_single_leaf_can_be_drawn():
    assert len(viz.draw(Tape(neuron())).graph.boxes) == 6
    assert titles(parse(viz.draw(Tensor(3.0, name="x"))), "node") == ["%0"]


def test_a_legend_explains_the_kinds_that_are_there():
    for level in ("op", "layer"):
        shown = texts(parse(viz.draw(network(), level, legend=True)))
        assert "learned: what training changes" in shown
        assert "dashed arrow: no gradient flows back" in shown
    assert "learned" not in viz.draw(neuron(), legend=True).svg()


def test_the_svg_speaks_to_screen_readers():
    root = parse(viz.draw(neuron()))
    assert root.get("role") == "img"
    assert root.get("aria-label").startswith("Computation graph of L")
    assert root.find(f"{SVG}title").text == "Computation graph of L"


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("program", range(2))
def test_no_name_breaks_the_picture_or_runs(name, program, monkeypatch):
    found = render.programs()
    monkeypatch.setattr(render, "programs", lambda: found[program % len(found) :][:1])
    x, y = Tensor(2.0, name=name), Learned(3.0, name=name)
    with scope(name, name), scope(name):
        loss = x * y
        loss.name = name
    for level in ("op", "layer"):
        picture = viz.draw(loss * 2.0, level)
        svg = picture.svg()
        root = ET.fromstring(svg)
        assert len(titles(root, "node")) == len(picture.graph.boxes)
        assert {e.tag.partition("}")[2] for e in root.iter()} <= {
            "svg", "g", "title", "desc", "path", "polygon", "polyline", "rect", "text", "image",
        }  # fmt: skip
        assert not any(key.endswith("href") for e in root.iter() for key in e.attrib)
        assert len(svg) < 60_000
        assert picture.text().encode()


def test_a_name_is_shown_as_it_was_given():
    name = 'x < y & z > "0" \\n {a|b}'
    assert name in texts(parse(viz.draw(Tensor(1.0, name=name) * 2.0)))


# --- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (((1.0,), {}), TypeError, "expected a Tensor or a Tape, got float"),
        ((("loss",), {}), TypeError, "expected a Tensor or a Tape, got str"),
        (
            ((neuron(), "ops"), {}),
            ValueError,
            "level must be one of 'op', 'line', 'layer', 'auto', 'scalar', got 'ops'",
        ),
        (((neuron(),), {"direction": "up"}), ValueError, "direction must be 'TB'"),
        (((neuron(),), {"max_nodes": 0}), ValueError, "max_nodes must be a positive integer or None, got 0"),
        (((neuron(),), {"max_nodes": 2.5}), ValueError, "max_nodes"),
        (((neuron(),), {"time_limit": 0}), ValueError, "time_limit"),
        (((Tensor([1.0, 2.0]) * 2.0,), {}), ValueError, r"shape \(2,\).*grad=np.ones\(\(2,\)\)"),
        (((Tensor([1.0, 2.0]) * 2.0,), {"grad": [1.0]}), ValueError, r"shape \(1,\)"),
    ],
)
def test_bad_arguments_are_answered_with_a_sentence(arguments, error, words):
    args, options = arguments
    with pytest.raises(error, match=words):
        viz.draw(*args, **options)


def test_an_unrecorded_tensor_is_refused():
    x = Tensor(2.0)
    with no_grad():
        y = x * x
    with pytest.raises(TypeError, match="recording was off"):
        viz.draw(y)


def test_the_packages_list_what_is_meant_for_people_and_either_room_has_the_comparisons():
    for package in (autograd, viz):
        assert dir(package) == sorted(package.__all__)
    for name in autograd.testing.__all__:
        if name[0].islower():
            assert getattr(viz, name) is getattr(autograd.testing, name)


# --- what is learned --------------------------------------------------------------------------------------------------


def kinds(loss):
    return {b.title: b.kind for b in viz.draw(loss, "op").graph.boxes}


def test_a_tensor_that_an_update_changes_is_learned():
    w, x = Tensor([1.0, 2.0], name="w"), Tensor([3.0, 4.0], name="x")
    assert kinds((w * x).sum())["w"] == "input"
    (w * x).sum().backward()
    w.data -= 0.1 * w.grad
    assert (kinds((w * x).sum())["w"], kinds((w * x).sum())["x"]) == ("learned", "input")
    v = Tensor([1.0, 2.0], name="v")
    with no_grad():
        v -= 0.5
    assert kinds((v * x).sum())["v"] == "learned"


def test_a_tensor_that_an_optimiser_is_given_is_learned():
    w, x = Tensor([1.0, 2.0], name="w"), Tensor([3.0, 4.0], name="x")
    nn.SGD([w], lr=0.1)
    assert (kinds((w * x).sum())["w"], kinds((w * x).sum())["x"]) == ("learned", "input")


def test_the_legend_says_what_is_numbered_with_what():
    dense = nn.Sequential(nn.Linear(4, 3), nn.Sigmoid(), nn.Linear(3, 2))
    mixed = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3))
    said = "W⁽ᵏ⁾ the k-th weight"
    drawn = [
        viz.draw(m(x).sum(), legend=True).svg() for m, x in ((dense, np.ones((2, 4))), (mixed, np.ones((1, 1, 4, 4))))
    ]
    assert [said in svg for svg in drawn] == [False, True]
