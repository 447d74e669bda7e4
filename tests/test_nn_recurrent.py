"""Recurrent layers and their cells: the textbook's equations, and torch where it is installed."""

import importlib.util

import numpy as np
import pytest

import nn
import viz
from autograd import Tape, Tensor
from autograd.testing import gradcheck

RNG = np.random.default_rng(0)


def numbers(*shape):
    return RNG.standard_normal(shape)


def σ(z):
    return 1 / (1 + np.exp(-z))


# --- the equations by hand


def rnn(x, h, _, w, u, b, d):
    h = np.tanh(w @ x + b + u @ h + d)
    return h, h


def lstm(x, h, c, w, u, b, d):
    (wi, wf, wg, wo), (ui, uf, ug, uo) = np.split(w, 4), np.split(u, 4)
    (bi, bf, bg, bo), (di, df, dg, do) = np.split(b, 4), np.split(d, 4)
    i = σ(wi @ x + bi + ui @ h + di)
    f = σ(wf @ x + bf + uf @ h + df)
    g = np.tanh(wg @ x + bg + ug @ h + dg)
    o = σ(wo @ x + bo + uo @ h + do)
    c = f * c + i * g
    return o * np.tanh(c), c


def gru(x, h, _, w, u, b, d):
    (wr, wz, wn), (ur, uz, un) = np.split(w, 3), np.split(u, 3)
    (br, bz, bn), (dr, dz, dn) = np.split(b, 3), np.split(d, 3)
    r = σ(wr @ x + br + ur @ h + dr)
    z = σ(wz @ x + bz + uz @ h + dz)
    n = np.tanh(wn @ x + bn + r * (un @ h + dn))
    return (1 - z) * n + z * h, None


KINDS = {"RNN": rnn, "LSTM": lstm, "GRU": gru}


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_is_its_equations_step_by_step_and_so_is_a_loop_of_its_cell(kind):
    layer = getattr(nn, kind)(3, 4, dtype=np.float64, rng=0)
    cell = getattr(nn, kind + "Cell")(3, 4, dtype=np.float64)
    cell.load_state_dict({name[:-3]: array for name, array in layer.state_dict().items()})
    w, u, b, d = (p.data for p in layer.parameters())
    xs = numbers(5, 3)
    h, c = np.zeros(4), np.zeros(4)
    state, expected = None, []
    for x in xs:
        h, c = KINDS[kind](x, h, c, w, u, b, d)
        expected.append(h)
        state = cell(x, state)
        assert np.allclose((state[0] if kind == "LSTM" else state).data, h)
    out, last = layer(xs)
    assert np.allclose(out.data, expected)
    assert np.allclose((last[0] if kind == "LSTM" else last).data[0], h)
    if kind == "LSTM":
        assert np.allclose(last[1].data[0], c) and np.allclose(state[1].data, c)


@pytest.mark.parametrize("kind", KINDS)
def test_recurrent_layers_have_second_derivatives(kind):
    layer = getattr(nn, kind)(2, 2, 2, bidirectional=True, dtype=np.float64, rng=1)
    names, shapes = zip(*[(n, p.shape) for n, p in layer.named_parameters()], strict=True)

    def run(x, *parameters):
        other = getattr(nn, kind)(2, 2, 2, bidirectional=True, dtype=x.dtype)
        for name, value in zip(names, parameters, strict=True):
            object.__setattr__(other, name, value)
        return other(x)[0]

    assert gradcheck(run, numbers(2, 2), *(numbers(*shape) / 2 for shape in shapes))


# --- what stands on the tape

EQUATIONS = {
    "RNN": {"z₁": "add", "h₁": "tanh", "z₂": "add", "h₂": "tanh"},
    "LSTM": {
        **dict.fromkeys(("z₁", "c₁", "z₂", "c₂"), "add"),
        **dict.fromkeys(("i₁", "f₁", "o₁", "i₂", "f₂", "o₂"), "sigmoid"),
        **dict.fromkeys(("g₁", "g₂"), "tanh"),
        **dict.fromkeys(("h₁", "h₂"), "multiply"),
    },
    "GRU": {
        **dict.fromkeys(("s₁", "q₁", "s₂", "q₂", "h₁", "h₂"), "add"),
        **dict.fromkeys(("r₁", "z₁", "r₂", "z₂"), "sigmoid"),
        **dict.fromkeys(("n₁", "n₂"), "tanh"),
    },
}


@pytest.mark.parametrize("kind", KINDS)
def test_gates_and_states_have_their_textbook_names(kind):
    layer = getattr(nn, kind)(2, 3)
    tape = Tape(layer(np.ones((2, 2)))[0].sum())
    named = {node.name: node.op for node in tape if node.name and not node.is_leaf}
    assert named == {"x₁": "getitem", "x₂": "getitem", **EQUATIONS[kind]}
    leaves = {node.name for node in tape if node.is_leaf}
    assert leaves == {"x", "h₀", "Wᵢₕ", "Wₕₕ", "bᵢₕ", "bₕₕ"} | ({"c₀"} if kind == "LSTM" else set())
    assert tape["h₂"].scope.path == f"{kind.lower()}.t2"


def test_the_steps_of_an_LSTM_are_printed_as_equations():
    out, (h, _) = nn.LSTM(2, 3, dtype=np.float64, rng=0)(numbers(2, 2))
    text = str(viz.derive(h.sum(), "bᵢₕ"))
    for line in (
        "∂L/∂c₁ = ∂L/∂c₂ · ∂c₂/∂c₁ + ∂L/∂h₁ · ∂h₁/∂c₁",
        "∂L/∂f₁ = ∂L/∂c₁ ⊙ c₀",
        "∂L/∂h₁ = Wₕₕᵀ ∂L/∂z₂",
        "∂L/∂bᵢₕ = ∂L/∂z₂ + ∂L/∂z₁",
    ):
        assert line in text
    walk = viz.step(out.sum())
    said = [walk.run_to(name).equation for name in ("i₁", "g₁", "c₁", "h₁")]
    assert said == ["i₁ = σ(%14)", "g₁ = tanh(%16)", "c₁ = %22 + %23", "h₁ = o₁ ⊙ %25"]


@pytest.mark.parametrize("kind", KINDS)
def test_recurrent_layers_are_stepped_drawn_and_derived(kind):
    out, _ = getattr(nn, kind)(2, 3)(numbers(3, 2))
    loss = (out * out).sum()
    steps = list(viz.step(loss))
    assert all(step.equation for step in steps if "←" in step.title)
    assert "t3" in viz.draw(loss, level="layer").svg()
    through_time = "∂L/∂Wₕₕ = ∂L/∂z₃ h₂ᵀ + ∂L/∂z₂ h₁ᵀ + ∂L/∂z₁ h₀ᵀ"
    assert (through_time if kind != "GRU" else "∂L/∂n₃ = ∂L/∂h₃ · ∂h₃/∂n₃") in str(viz.derive(loss, "Wₕₕ"))
    small = getattr(nn, kind)(1, 1)(numbers(2, 1))[0]
    assert "<svg" in viz.draw(small.sum(), level="scalar").svg()


def test_a_summary_shows_the_first_output():
    assert [row.shape for row in nn.LSTM(2, 3).summary((5, 2)).rows] == [(5, 3)]


def test_names_carry_the_layer_and_the_direction():
    layer = nn.GRU(2, 3, 2, bidirectional=True)
    out, _ = layer(np.ones((1, 2)))
    names = {node.name for node in Tape(out)}
    assert {"h₁⁽¹⁾", "h₁⁽¹⁻⁾", "h₁⁽²⁾", "h₁⁽²⁻⁾", "Wᵢₕ⁽¹⁾", "Wᵢₕ⁽¹⁻⁾", "Wᵢₕ⁽²⁾", "Wᵢₕ⁽²⁻⁾"} <= names
    assert layer.weight_hh_l1_reverse.name == "Wₕₕ⁽²⁻⁾"


def test_a_loop_of_a_cell_counts_its_steps():
    cell, state = nn.LSTMCell(2, 3), None
    for x in np.ones((3, 2)):
        state = cell(x, state)
    assert [s.name for s in state] == ["h₃", "c₃"]
    assert Tape(state[0])["i₂"].op == "sigmoid"
    start = Tensor(np.ones(3, np.float32), name="start")
    assert nn.RNNCell(2, 3)(np.ones(2), start).name == "h₁"


def test_parameters_of_two_recurrent_layers_are_called_by_their_paths():
    class Two(nn.Module):
        def __init__(self):
            self.encoder, self.decoder = nn.RNN(2, 2), nn.RNN(2, 2)

        def forward(self, x):
            return self.decoder(x, self.encoder(x)[1])[0]

    net = Two()
    net(np.ones((2, 2)))
    assert [p.name for p in net.parameters()][::4] == ["encoder.Wᵢₕ", "decoder.Wᵢₕ"]


def test_initial_states_are_cast_named_and_differentiated():
    layer = nn.LSTM(2, 3)
    h, c = np.ones((1, 4, 3)), np.zeros((1, 4, 3))
    out, _ = layer(np.ones((5, 4, 2)), (h, c))
    assert out.dtype == np.float32
    assert {"x", "h₀", "c₀"} <= {node.name for node in Tape(out)}
    start = Tensor(h.astype(np.float32))
    layer(np.ones((5, 4, 2)), (start, Tensor(c.astype(np.float32))))[0].sum().backward()
    assert start.grad.shape == (1, 4, 3)


def test_dropout_is_between_layers_and_in_training_alone():
    layer, x = nn.GRU(2, 50, 2, dropout=0.5, rng=0), np.ones((3, 2))
    one, other = layer(x)[0].data, layer(x)[0].data
    assert (one != other).any()
    layer.eval()
    assert (layer(x)[0].data == layer(x)[0].data).all()
    with pytest.warns(UserWarning, match="LSTM: dropout is between layers, and there is only one"):
        nn.LSTM(2, 2, dropout=0.5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.LSTM(0, 2), "LSTM: input_size must be an integer of at least 1, got 0"),
        (lambda: nn.GRU(2, 2, 0), "GRU: num_layers must be an integer of at least 1, got 0"),
        (lambda: nn.LSTM(2, 2, proj_size=2), "proj_size must be an int from 0 to below hidden_size, got 2"),
        (lambda: nn.RNN(2, 2, nonlinearity="elu"), "RNN: nonlinearity must be 'tanh' or 'relu', got 'elu'"),
        (lambda: nn.RNNCell(2, 2, nonlinearity="elu"), "RNNCell: nonlinearity must be 'tanh' or 'relu', got 'elu'"),
        (
            lambda: nn.LSTM(2, 2)(np.ones((1, 2, 3))),
            r"input of shape \(L, N, 2\) or \(L, 2\) is needed, got \(1, 2, 3\)",
        ),
        (lambda: nn.LSTM(2, 2, batch_first=True)(np.ones(2)), r"input of shape \(N, L, 2\) or \(L, 2\) is needed"),
        (lambda: nn.GRU(2, 2)(np.ones((0, 2))), r"a sequence of at least one step is needed, got shape \(0, 2\)"),
        (lambda: nn.GRU(2, 2)(np.ones((3, 2)), np.ones(2)), r"h₀ of shape \(1, 2\) is needed, got \(2,\)"),
        (lambda: nn.LSTM(2, 2)(np.ones((3, 2)), np.ones((3, 1, 2))), r"hx must be a pair \(h₀, c₀\), got 3 states"),
        (lambda: nn.GRUCell(2, 3)(np.ones((4, 2)), np.ones((3, 3))), r"h₀ of shape \(4, 3\) is needed, got \(3, 3\)"),
        (lambda: nn.GRUCell(2, 3)(np.ones((1, 1, 2))), r"input of shape \(N, 2\) or \(2,\) is needed, got \(1, 1, 2\)"),
    ],
)
def test_what_does_not_fit_is_answered_with_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_integers_and_other_dtypes_are_refused():
    with pytest.raises(nn.DtypeMismatch, match="look tokens up in an nn"):
        nn.LSTM(2, 2)(np.ones((3, 2), int))
    with pytest.raises(TypeError, match="GRU: dtype must be a floating one, got int64"):
        nn.GRU(2, 2, dtype=int)


def test_repr_says_what_is_unusual():
    assert repr(nn.LSTM(2, 3)) == "LSTM(2, 3)"
    assert repr(nn.RNN(2, 3, 2, "relu", batch_first=True)) == (
        "RNN(2, 3, num_layers=2, batch_first=True, nonlinearity='relu')"
    )
    assert repr(nn.RNNCell(2, 3, False, "relu")) == "RNNCell(2, 3, bias=False, nonlinearity='relu')"


# --- torch

BATCH, ALONE = (5, 4, 3), (5, 3)
LAYERS = {
    "plain": (BATCH, {}),
    "alone": (ALONE, {}),
    "without bias": (BATCH, {"bias": False}),
    "batch first": (BATCH, {"batch_first": True}),
    "batch first, alone": (ALONE, {"batch_first": True}),
    "three layers": (BATCH, {"num_layers": 3}),
    "both directions": (BATCH, {"bidirectional": True}),
    "both directions, alone": (ALONE, {"bidirectional": True, "num_layers": 2}),
    "all": (BATCH, {"num_layers": 2, "bidirectional": True, "batch_first": True, "bias": False, "dropout": 0.5}),
    "one step": ((1, 4, 3), {"num_layers": 2}),
}
RECURRENT = {
    **{f"{kind}, {name}": (kind, shape, options) for kind in KINDS for name, (shape, options) in LAYERS.items()},
    "RNN, relu": ("RNN", BATCH, {"nonlinearity": "relu", "num_layers": 2}),
    "LSTM, projection": ("LSTM", BATCH, {"proj_size": 2}),
    "LSTM, projection, all": ("LSTM", ALONE, {"proj_size": 2, "num_layers": 2, "bidirectional": True}),
}
CELLS = {
    **{f"{kind}Cell{what}": (kind + "Cell", shape, options)
       for kind in KINDS for what, shape, options in (
           ("", (4, 3), {}), (", alone", (3,), {}), (", without bias", (4, 3), {"bias": False}))},
    "RNNCell, relu": ("RNNCell", (4, 3), {"nonlinearity": "relu"}),
}  # fmt: skip

if importlib.util.find_spec("torch"):
    import torch

    def flat(out):
        return [out] if not isinstance(out, tuple) else [leaf for part in out for leaf in flat(part)]

    @pytest.mark.parametrize("mode", ["train", "eval"])
    @pytest.mark.parametrize("given", [False, True], ids=["from zero", "from a state"])
    @pytest.mark.parametrize("case", [*RECURRENT, *CELLS])
    def test_values_and_gradients_are_those_of_torch(case, given, mode):
        kind, shape, options = (RECURRENT | CELLS)[case]
        if mode == "train" and options.get("dropout"):
            options = {**options, "dropout": 0.0}
        theirs = getattr(torch.nn, kind)(3, 4, **options).double()
        ours = getattr(nn, kind)(3, 4, **options, dtype=np.float64)
        ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
        theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
        getattr(ours, mode)(), getattr(theirs, mode)()
        arrays = [numbers(*shape)]
        if given:
            states = theirs(torch.tensor(arrays[0]))
            arrays += [numbers(*s.shape) for s in flat(states if kind.endswith("Cell") else states[1])]
        results = []
        for module, make, as_array in (
            (ours, Tensor, lambda t: np.asarray(t.detach())),
            (theirs, lambda a: torch.tensor(a, requires_grad=True), lambda t: t.detach().numpy()),
        ):
            inputs = [make(a) for a in arrays]
            hx = () if not given else (tuple(inputs[1:]) if "LSTM" in kind else inputs[1],)
            outs = flat(module(inputs[0], *hx))
            sum((out * out * (i + 1)).sum() for i, out in enumerate(outs)).backward()
            grads = [t.grad for t in inputs] + [p.grad for _, p in sorted(module.named_parameters())]
            results.append(
                [as_array(out) for out in outs] + [np.array(g) if module is ours else g.numpy() for g in grads]
            )
        assert len(results[0]) == len(results[1])
        for mine, other in zip(*results, strict=True):
            assert mine.shape == other.shape
            assert np.allclose(mine, other, rtol=1e-10, atol=1e-12)

    @pytest.mark.parametrize("kind", KINDS)
    def test_float32_stays_float32_and_near_torch(kind):
        theirs, ours = getattr(torch.nn, kind)(3, 4, 2), getattr(nn, kind)(3, 4, 2)
        ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
        x = numbers(6, 2, 3).astype(np.float32)
        out = ours(x)[0]
        assert out.dtype == np.float32
        assert np.allclose(out.data, theirs(torch.tensor(x))[0].detach().numpy(), atol=1e-6)
