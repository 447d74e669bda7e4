"""What a line or a layer sends back, as one formula each: as a person writes it, with the engine's numbers."""

import numpy as np
import pytest

import nn
from autograd import Tape, Tensor
from viz.derivation.composed import Composer, composed
from viz.tape.run import Run
from viz.units.tree import tree_of
from viz.units.unit import Unit, whole

RNG = np.random.default_rng(0)


def parameter(*shape):
    return Tensor(RNG.normal(size=shape))


def units_of(unit):
    """The lines and layers that hold operations alone, oldest first."""
    if not unit.is_op and all(part.is_op for part in unit.parts):
        yield unit
    for part in unit.parts:
        yield from units_of(part)


def lines_of(loss):
    run = Run(Tape(loss))
    composer = Composer(run)
    return {unit.text or unit.scope.path: (run, composer.of(unit)) for unit in units_of(tree_of(run.tape))}


def told(run, line):
    return line.forward.equation(), {run.names.gradient(n): f and f.plain() for n, f in line.backward.items()}


def mlp():
    X, t = RNG.normal(size=(5, 4)), RNG.normal(size=(5, 3))
    W1, b1, W2, b2 = parameter(4, 6), parameter(6), parameter(6, 3), parameter(3)
    z1 = X @ W1 + b1
    z2 = np.tanh(z1) @ W2 + b2
    return np.mean((z2 - t) ** 2)


def rnn():
    x, U, W, b = RNG.normal(size=(3, 2, 3)), parameter(4, 4), parameter(3, 4), parameter(4)
    h = parameter(2, 4)
    for t in range(3):
        h = np.tanh(x[t] @ W + h @ U + b)
    return h.sum()


def logistic():
    X, y = RNG.normal(size=(6, 2)), (RNG.random(6) > 0.5).astype(float)
    w, b = parameter(2), parameter()
    p = 1 / (1 + np.exp(-(X @ w + b)))
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)) + 0.1 * np.sum(w**2)


def shares():
    z, y = parameter(5, 3), np.eye(3)[[0, 1, 2, 0, 1]]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return -np.sum(y * np.log(p)) / 5


def convolved():
    x = Tensor(RNG.normal(size=(2, 3, 8, 8)).astype(np.float32), name="x")
    first, second = nn.Conv2d(3, 4, 3, padding=1, rng=0), nn.Conv2d(4, 2, 3, stride=2, groups=2, rng=0)
    a = nn.functional.max_pool2d(np.maximum(first(x), 0), 2)
    return np.sum(second(a) ** 2)


def layers():
    net = nn.Sequential(nn.Linear(4, 6, rng=0), nn.GELU(), nn.LayerNorm(6), nn.Linear(6, 3, rng=1))
    return nn.functional.cross_entropy(net(RNG.normal(size=(5, 4)).astype(np.float32)), np.array([0, 1, 2, 0, 1]))


def test_the_lines_of_a_network_read_as_a_textbook():
    lines = lines_of(mlp())
    forward, backward = told(*lines["z1 = X @ W1 + b1"])
    assert forward == "z₁ = X W₁ + b₁"
    assert backward == {"∂L/∂W₁": "Xᵀ ∂L/∂z₁", "∂L/∂b₁": "Σ₀ ∂L/∂z₁"}
    _, backward = told(*lines["z2 = np.tanh(z1) @ W2 + b2"])
    assert backward["∂L/∂z₁"] == "(∂L/∂z₂ W₂ᵀ) ⊙ (1 − tanh(z₁)²)"
    run, loss = lines["return np.mean((z2 - t) ** 2)"]
    assert told(run, loss) == ("L = mean((z₂ − t)²)", {"∂L/∂z₂": "2 / n × (z₂ − t)"})
    assert next(iter(loss.backward.values())).notes == ("n = 15",)


def test_a_line_that_needs_its_own_result_calls_it_by_its_name():
    run = Run(Tape(rnn()))
    third = tree_of(run.tape).parts[0].parts[-1].parts[0]
    line = composed(run, third)
    assert [run.names.of(node) for node in line.inputs] == ["x₃", "W", "h (3)", "U", "b"][1:]
    assert line.forward.plain() == "tanh(x₃ @ W + h (3) @ U + b)"
    formulas = {run.names.of(node): formula.plain() for node, formula in line.backward.items()}
    assert formulas["b"] == "Σ₀ (∂L/∂h (4) ⊙ (1 − (h (4))²))"
    assert formulas["h (3)"] == "(∂L/∂h (4) ⊙ (1 − (h (4))²)) Uᵀ"


def test_a_convolution_is_written_without_its_windows():
    run = Run(Tape(nn.Conv2d(1, 2, 3, rng=0)(Tensor(np.ones((1, 1, 5, 5), np.float32), name="x")).sum()))
    line = composed(run, tree_of(run.tape).parts[0].parts[0])
    assert told(run, line) == (
        "z⁽¹⁾ = g⁽¹⁾ ⋆ x + b⁽¹⁾",
        {
            "∂L/∂g⁽¹⁾": "x ⋆ ∂L/∂z⁽¹⁾",
            "∂L/∂x": "fold(∂L/∂z⁽¹⁾ ⋆ g⁽¹⁾ᵀ, 1×1×5×5)",
            "∂L/∂b⁽¹⁾": "Σ₀,₂,₃ ∂L/∂z⁽¹⁾",
        },
    )


def test_what_is_one_minus_labels_is_written_so():
    lines = lines_of(logistic())
    run, loss = lines["return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)) + 0.1 * np.sum(w ** 2)"]
    forward, backward = told(run, loss)
    assert forward == "L = −mean(y ⊙ log(p) + (1 − y) ⊙ log(1 − p)) + 0.1 Σ w²"
    assert backward == {"∂L/∂p": "1 / N × ((1 − y) / (1 − p) − y / p)", "∂L/∂w": "0.2 w"}
    _, backward = told(*lines["p = 1 / (1 + np.exp(-(X @ w + b)))"])
    assert backward["∂L/∂w"] == "Xᵀ (∂L/∂p ⊙ p ⊙ (1 − p))"


@pytest.mark.parametrize("program", [mlp, rnn, logistic, shares, convolved, layers])
def test_each_formula_gives_the_numbers_of_the_engine(program):
    run = Run(Tape(program()))
    composer = Composer(run)
    count = 0
    for unit in units_of(tree_of(run.tape)):
        line = composer.of(unit)
        np.testing.assert_allclose(line.forward.evaluate(), run.tape.value(line.result), rtol=1e-5)
        arrived = {n: sum(run.sent[one, p] for one in unit.nodes for p, n_ in enumerate(one.operands)
                          if n_ is n and (one, p) in run.sent) for n in line.sent}  # fmt: skip
        for node, formula in line.backward.items():
            inner = set(unit.nodes) - {line.result}
            assert formula.target.node is node and not inner & {symbol.node for symbol in formula.symbols}
            for given in (formula.evaluate(), line.sent[node]):
                np.testing.assert_allclose(given, arrived[node], rtol=1e-3, atol=1e-5)
            count += 1
    assert count >= 3


def test_several_results_have_no_formula_and_their_numbers_all_the_same():
    x, a, b = parameter(3), parameter(3), parameter(3)
    run = Run(Tape((x * a / (x * b)).sum()))
    operations = [Unit("op", (node,)) for node in run.tape if node.op == "multiply"]
    line = composed(run, whole("line", operations))
    assert line.result is None and line.forward is None
    assert [run.names.of(node) for node in line.backward] == ["x", "b", "a"] and set(line.backward.values()) == {None}
    np.testing.assert_allclose(line.sent[x.node], run.gradients[x.node])


def test_what_is_too_long_to_be_read_is_left_to_its_parts():
    x = parameter(3)
    run = Run(Tape(sum((np.sin(k * x) * np.exp(x + k) for k in range(20)), x).sum()))
    line = composed(run, tree_of(run.tape))
    assert line.forward is None and list(line.backward.values()) == [None]


def test_nothing_is_sent_where_no_gradient_flows():
    x = Tensor([1.0, 2.0], requires_grad=False)
    y = x * 2 + 1
    run = Run(Tape(y.sum()))
    line = composed(run, tree_of(run.tape).parts[0])
    assert line.forward.equation() == "y = x × 2 + 1" and line.backward == {} == line.sent


def test_a_gradient_that_was_given_stands_in_the_formula():
    x = Tensor([1.0, 2.0])
    run = Run(Tape(x * 2 + 1), np.array([1.0, 3.0]))
    line = composed(run, tree_of(run.tape))
    assert [formula.equation() for formula in line.backward.values()] == ["∂L/∂x += 2 ∂L/∂L"]
    np.testing.assert_array_equal(line.sent[x.node], [2.0, 6.0])
