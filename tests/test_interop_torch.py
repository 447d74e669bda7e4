"""PyTorch's models and functions, run here: their numbers and gradients are PyTorch's."""

import copy
import itertools
import logging
import re
import warnings

import numpy as np
import pytest

import viz
from autograd import Tape, Tensor
from autograd.testing import compare_grads, gradcheck

torch = pytest.importorskip("torch")
logging.getLogger("torch.__trace").setLevel(logging.WARNING)
from interopcases import CASES, D, R, in_place  # noqa: E402
from torch import nn  # noqa: E402

from autograd.interop import UnknownOperation, check_function, from_torch  # noqa: E402

pytree = torch.utils._pytree
AT_ONCE = 50
"""So many cases are converted as one model, since to convert takes PyTorch a while."""


def seeded(*shape):
    return torch.randn(*shape, dtype=D, generator=torch.Generator().manual_seed(sum(shape)))


def total(outs):
    """A number that every element of some results has a part in, each another one."""
    parts = [
        (x * (np.cos(0.7 * np.arange(x.size)).reshape(x.shape) if isinstance(x, Tensor) else
              torch.cos(0.7 * torch.arange(x.numel(), dtype=D)).reshape(x.shape))).sum()
        for x in outs if getattr(x, "requires_grad", False)
    ]  # fmt: skip
    return sum(parts[1:], parts[0]) if parts else None


def assert_same(found, expected, *, rtol=1e-9, atol=1e-11):
    found = found.data if isinstance(found, Tensor) else np.asarray(found)
    expected = expected.detach().numpy()
    assert found.shape == expected.shape and found.dtype.kind == expected.dtype.kind
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol)


def with_grads(inputs):
    """Leaves of PyTorch and the same of ours."""
    theirs = pytree.tree_map(lambda x: x.clone().requires_grad_(x.is_floating_point()), inputs)
    ours = pytree.tree_map(lambda x: Tensor(x.numpy()) if x.is_floating_point() else x.numpy(), inputs)
    return theirs, ours


def assert_same_grads(ours, theirs):
    for x, y in zip(pytree.tree_leaves(ours), pytree.tree_leaves(theirs), strict=True):
        if y.requires_grad:
            zero = np.zeros(x.shape)
            grads = (zero if x.grad is None else x.grad), (torch.tensor(zero) if y.grad is None else y.grad)
            assert_same(*grads, rtol=1e-8, atol=1e-10)


def assert_same_models(ours, theirs):
    for of in ("named_parameters", "named_buffers"):
        for (name, x), (their_name, y) in zip(getattr(ours, of)(), getattr(theirs, of)(), strict=True):
            assert name == their_name
            assert_same(x, y)
            assert_same_grads([x], [y])


class Many(nn.Module):
    """Several cases as one model."""

    def __init__(self, names):
        super().__init__()
        self.layers = nn.ModuleDict({str(i): CASES[n][0] for i, n in enumerate(names) if n.startswith("nn.")})
        self.names = names

    def forward(self, inputs):
        made = [self.layers[str(i)] if str(i) in self.layers else CASES[n][0] for i, n in enumerate(self.names)]
        return {name: call(*inputs[name]) for name, call in zip(self.names, made, strict=True)}


def check(name, position, both):
    (expected, given, theirs), (found, own, ours) = both
    outs, wanted = pytree.tree_leaves(found[name]), pytree.tree_leaves(expected[name])
    for x, y in zip(outs, wanted, strict=True):
        assert_same(x, y)
    total(wanted).backward(retain_graph=True)
    total(outs).backward()
    assert_same_grads(own[name], given[name])
    if name.startswith("nn."):
        assert_same_models(ours.get_submodule(f"layers.{position}"), theirs.layers[f"{position}"])


@pytest.mark.parametrize("start", range(0, len(CASES), AT_ONCE))
def test_layers_and_functions_give_the_numbers_and_gradients_of_pytorch(start):
    names = list(CASES)[start : start + AT_ONCE]
    theirs = Many(names)
    inputs = {name: CASES[name][1:] for name in names}
    ours = from_torch(theirs, inputs, dynamic=False)
    given, own = with_grads(inputs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        both = (theirs(given), given, theirs), (ours(own), own, ours)
    wrong = {}
    for position, name in enumerate(names):
        try:
            check(name, position, both)
        except Exception as error:
            wrong[name] = error
    assert wrong == {}


# --- whole models -----------------------------------------------------------------------------------------------------


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))
        self.register_buffer("scale", torch.tensor([1.0, 2.0, 3.0]))

    def forward(self, x):
        h = self.layers(x)
        return h * self.scale


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 3, 5, padding=2), nn.Conv2d(3, 4, 5)
        self.fc1, self.fc2 = nn.Linear(16, 8), nn.Linear(8, 4)

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.conv1(x)), 2)
        x = nn.functional.max_pool2d(torch.relu(self.conv2(x)), 2)
        x = x.view(x.size(0), -1)
        return self.fc2(torch.relu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, before, after, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after)
        self.conv2, self.bn2 = nn.Conv2d(after, after, 3, 1, 1, bias=False), nn.BatchNorm2d(after)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride > 1 or before != after:
            self.downsample = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, x):
        identity = x if self.downsample is None else self.downsample(x)
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out += identity
        return self.relu(out)


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 4, 3, 1, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU(inplace=True))
        widths = (4, 4, 6, 8, 10)
        self.layers = nn.Sequential(
            *(nn.Sequential(Block(a, b, 1 + (a != b)), Block(b, b, 1)) for a, b in itertools.pairwise(widths))
        )
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d((1, 1)), nn.Linear(10, 3)

    def forward(self, x):
        return self.fc(torch.flatten(self.avgpool(self.layers(self.stem(x))), 1))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.lstm = nn.Embedding(7, 4), nn.LSTM(4, 5, batch_first=True)
        self.out = nn.Linear(5, 2)

    def forward(self, tokens):
        _, (h, _) = self.lstm(self.embed(tokens))
        return self.out(h[-1])


TOKENS = torch.tensor([[1, 2, 3, 0], [6, 5, 1, 1], [2, 2, 2, 4]])
MODELS = {
    "MLP": (MLP, seeded(3, 4)),
    "LeNet": (LeNet, seeded(3, 1, 16, 16)),
    "ResNet-18": (ResNet, seeded(3, 1, 8, 8)),
    "LSTM": (Recurrent, TOKENS),
    "encoder": (lambda: nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True), seeded(3, 5, 8)),
}
LABELS = torch.tensor([0, 1, 1])


def losses(theirs, ours, x):
    labels = LABELS if x.ndim != 3 else torch.tensor([[0, 1, 1, 3, 2]] * 3)
    out, expected = ours(x.numpy()), theirs(x)
    if out.ndim == 3:
        out, expected = out.swapaxes(1, 2), expected.transpose(1, 2)
    import nn as own

    return own.functional.cross_entropy(out, labels.numpy()), nn.functional.cross_entropy(expected, labels)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_trains_and_evaluates_as_in_pytorch(name):
    make, x = MODELS[name]
    torch.manual_seed(1)
    theirs = make().double()
    ours = from_torch(theirs, x, dynamic=name in ("MLP", "LSTM"))
    for mode in (True, False):
        theirs.train(mode), ours.train(mode)
        theirs.zero_grad(), ours.zero_grad()
        loss, expected = losses(theirs, ours, x)
        loss.backward(), expected.backward()
        assert_same(loss, expected)
        assert_same_models(ours, theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert_same(copy.deepcopy(ours)(x.numpy()), theirs(x))
    ours.load_state_dict({n: v.numpy() for n, v in theirs.state_dict().items()})
    assert repr(ours).startswith(type(theirs).__name__)
    if name in ("MLP", "LSTM"):
        assert_same(ours(x.numpy()[:2]), theirs(x[:2]))  # another batch


def test_records_have_the_layers_and_lines_of_the_model():
    ours = from_torch(MLP().double(), seeded(3, 4))
    out = ours(np.ones((2, 4)))
    made = [node for node in Tape(out) if not node.is_leaf]
    assert [(n.op, n.scope.path, n.scope.kind) for n in made] == [
        ("inner", "mlp.layers.0", "Linear"), ("add", "mlp.layers.0", "Linear"), ("tanh", "mlp.layers.1", "Tanh"),
        ("inner", "mlp.layers.2", "Linear"), ("add", "mlp.layers.2", "Linear"), ("multiply", "mlp", "MLP"),
    ]  # fmt: skip
    assert {(n.source.text, n.source.expression, n.source.function) for n in made} == {
        ("h = self.layers(x)", "self.layers(x)", "forward"),
        ("return h * self.scale", "h * self.scale", "forward"),
    }
    names = {n.name for n in Tape(out) if n.is_leaf}
    assert names == {"x", "layers.0.weight", "layers.0.bias", "layers.2.weight", "layers.2.bias", "scale"}


def test_a_model_is_drawn_stepped_derived_and_checked():
    torch.manual_seed(0)
    theirs, x = MLP().double(), seeded(3, 4)
    ours = from_torch(theirs, x)
    loss = (ours(x.numpy()) ** 2).mean()
    assert "layers.0.weight" in viz.draw(loss).svg()
    assert "test_interop_torch.py" in viz.step(loss).walk[5].source
    assert "∂L/∂layers.2.weight" in str(viz.derive(loss, ours.get_parameter("layers.2.weight")))
    (theirs(x) ** 2).mean().backward()
    hand = {ours.get_parameter(name): p.grad.numpy() for name, p in theirs.named_parameters()}
    assert compare_grads(loss, hand).ok
    hand[ours.get_parameter("layers.0.bias")] = hand[ours.get_parameter("layers.0.bias")] / 3
    report = compare_grads(loss, hand)
    assert [row.name for row in report.rows if not row.ok] == ["layers.0.bias"]
    assert "3" in str(viz.explain_mismatch(report))
    assert gradcheck(lambda x: (ours(x) ** 2).mean(), x.numpy())


def test_what_changes_in_place_is_seen_by_other_names_of_it():
    ours = from_torch(in_place, R(3, 4), dynamic=False)
    (theirs,), (own,) = with_grads([seeded(3, 4)])
    out, expected = ours(own), in_place(theirs)
    assert_same(out, expected)
    (out * out).sum().backward(), (expected * expected).sum().backward()
    assert_same_grads([own], [theirs])


def test_what_is_changed_twice_has_the_last_value_under_all_its_names():
    def f(x):
        h = x * 2
        a = h.relu_()
        a.add_(1)
        return h + a

    assert_same(from_torch(f, seeded(3), dynamic=False)(seeded(3).numpy()), f(seeded(3)))


def test_no_gradient_flows_through_what_the_model_does_without():
    def f(x):
        with torch.no_grad():
            scale = x.exp().sum()
        return x * scale

    (theirs,), (own,) = with_grads([seeded(3)])
    out, expected = from_torch(f, seeded(3), dynamic=False)(own), f(theirs)
    assert_same(out, expected)
    out.sum().backward(), expected.sum().backward()
    assert_same_grads([own], [theirs])


def test_shared_parameters_are_one():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 3)
            self.b.weight = self.a.weight
            self.again = self.a

        def forward(self, x):
            return self.again(self.b(self.a(x)))

    theirs = Tied().double()
    ours = from_torch(theirs, seeded(2, 3))
    (ours(seeded(2, 3).numpy()) ** 2).sum().backward()
    (theirs(seeded(2, 3)) ** 2).sum().backward()
    assert_same_models(ours, theirs)
    assert ours.get_parameter("b.weight") is ours.get_parameter("a.weight")


def test_another_dtype_goes_through_the_whole_model():
    theirs = ResNet()
    ours = from_torch(theirs.eval(), R(2, 1, 8, 8).float(), dynamic=False)
    assert ours(np.ones((2, 1, 8, 8))).dtype == np.float32
    assert_same(ours.double()(np.ones((2, 1, 8, 8))), theirs.double()(torch.ones(2, 1, 8, 8, dtype=D)))


def test_dropout_draws_and_frozen_parameters_stay_frozen():
    theirs = nn.Sequential(nn.Linear(50, 50), nn.Dropout(0.5)).double()
    theirs[0].bias.requires_grad_(False)
    ours = from_torch(theirs, seeded(2, 50))
    out = ours(np.ones((4, 50))).data
    assert 0.3 < (out == 0).mean() < 0.7 and not ours.get_parameter("0.bias").requires_grad
    assert not (ours.eval()(np.ones((4, 50))).data == 0).any()


@pytest.mark.parametrize(
    ("made", "error", "message"),
    [
        (lambda: from_torch(lambda x: x.cummax(0).values, R(3)), UnknownOperation,
         r"no row for aten.cummax.default \(test_interop_torch.py:\d+ in forward: .*cummax"),
        (lambda: from_torch(lambda x: x.scatter(0, torch.tensor([1]), x, reduce="multiply"), R(3)), UnknownOperation,
         r"no row for aten.scatter.reduce"),
        (lambda: from_torch(3, R(3)), TypeError, "a torch.nn.Module or a function is needed, got int"),
        (lambda: from_torch(nn.Linear(2, 2, dtype=torch.bfloat16), R(3, 2).bfloat16()), TypeError, "bfloat16"),
        (lambda: from_torch(nn.Linear(2, 2), R(3, 2).float(), dynamic=False)(np.ones((3, 3))), ValueError,
         r"converted for input of shape \(3, 2\), got \(3, 3\)"),
        (lambda: from_torch(lambda x, n: x * n, R(3), 2)(np.ones(3), 3), ValueError, "converted for n=2, got 3"),
        (lambda: from_torch(lambda x: x * 2, R(3))(np.ones(3), np.ones(3)), TypeError, "for inputs of the form"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_refused(made, error, message):
    with pytest.raises(error, match=message):
        made()


# --- torch.autograd.Function ------------------------------------------------------------------------------------------


class Affine(torch.autograd.Function):
    """Of two outputs, with an option; the gradient of w is twice what it should be, that of b is missing."""

    @staticmethod
    def forward(ctx, x, w, b, times=2):
        ctx.save_for_backward(x, w)
        return x @ w + times * b, (x * x).sum()

    @staticmethod
    def backward(ctx, dy, ds):
        x, w = ctx.saved_tensors
        dx = dy @ w.T + 2 * ds * x if ctx.needs_input_grad[0] else None
        dw = 2 * x.T @ dy if ctx.needs_input_grad[1] else None
        return dx, dw, None, None


class Exp(torch.autograd.Function):
    """With setup_context."""

    @staticmethod
    def forward(x, k):
        return torch.exp(x) * k

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx, g):
        return g * ctx.saved_tensors[0], None


class OfNumPy(torch.autograd.Function):
    """Not traced by PyTorch."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.from_numpy(np.sin(x.numpy()))

    @staticmethod
    def backward(ctx, g):
        return g * torch.sin(*ctx.saved_tensors)


class Alone(torch.autograd.Function):
    """Right only where both gradients are asked for."""

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y

    @staticmethod
    def backward(ctx, g):
        x, y = ctx.saved_tensors
        return g * y * (1 if ctx.needs_input_grad[1] else 3), g * x


class Gate(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x)
        return g * (s + x * s)


def test_the_wrong_gradients_of_a_function_are_named():
    report = check_function(Affine, seeded(3, 4), seeded(4, 2), seeded(2))
    assert {row.name: row.ok for row in report.rows} == {"x": True, "w": False, "b": False}
    assert "2 times the engine's" in str(report) and "The backward returned None for the gradient of b" in str(report)


class Squares(torch.autograd.Function):
    """A loss, whose backward forgets what comes from above."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x**2).sum()

    @staticmethod
    def backward(ctx, g):
        return 2 * ctx.saved_tensors[0]


class Mean(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, b):
        return x + b

    @staticmethod
    def backward(ctx, g):
        return g, g.mean(0)


class Rounded(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.round()

    @staticmethod
    def backward(ctx, g):
        return g


def test_what_pytorch_calls_is_handed_the_gradient_of_the_loss_and_is_in_no_convention():
    report = check_function(Squares, seeded(3))
    assert not report.ok and "the same whatever the upstream gradient is" in str(report)
    report = check_function(Mean, seeded(3, 4), seeded(4))
    assert [row.verdict for row in report.rows] == ["exact", "WRONG"]
    assert "a mean was taken instead of the sum" in str(viz.explain_mismatch(report))


def test_a_step_has_no_gradient_to_explain():
    report = check_function(Rounded, seeded(5))
    assert not report.ok
    with pytest.raises(ValueError, match="no gradient flows through it"):
        viz.explain_mismatch(report)


def test_inputs_without_real_numbers_are_refused():
    with pytest.raises(TypeError, match=r"check_function: .*: x is of dtype complex128"):
        check_function(Squares, seeded(3) + 0j)


class Spectral(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.ones(5, dtype=torch.cdouble))

    def forward(self, x):
        return torch.fft.irfft(torch.fft.rfft(x) * self.w, n=x.shape[-1])


def test_real_inputs_stay_real_beside_complex_parameters():
    x = seeded(8)
    ours = from_torch(Spectral(), x)
    for given in (x.numpy(), Tensor(x.numpy())):
        np.testing.assert_allclose(ours(given).data, x.numpy(), atol=1e-12)


def test_a_right_function_passes_and_options_are_handed_on():
    assert check_function(Exp, seeded(3), 3.0).ok
    assert check_function(Exp, seeded(3).numpy(), 3.0, numeric=True).ok


def test_a_forward_that_can_not_be_traced_is_differentiated_by_differences():
    report = check_function(OfNumPy, seeded(3))
    assert not report.ok and "compared with finite differences" in str(report)


def test_each_input_is_also_asked_for_alone():
    report = check_function(Alone, seeded(3), seeded(3))
    assert "The gradient of x is another one where no other is asked for." in report.notes
    assert not report.ok


def test_why_a_backward_is_wrong_is_said():
    report = check_function(Gate, seeded(5))
    assert "the factor (1 − sigmoid(x)) was left out" in str(viz.explain_mismatch(report))


def test_a_class_is_needed():
    with pytest.raises(TypeError, match=r"a subclass of torch.autograd.Function is needed, got 3"):
        check_function(3, seeded(2))


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (lambda x, w, g: (g @ w.T, (x.T @ g).T), "w: yours has shape (2, 3), expected (3, 2); its transpose would be"),
        (lambda x, w, g: ((g @ w.T)[0], x.T @ g), "x: yours has shape (3,), expected (4, 3)"),
        (lambda x, w, g: (g @ w.T,), "the backward of Product returns 1 gradient for the 2 inputs x, w"),
        (lambda x, w, g: (g @ w.T, x.T @ g, g), "the backward of Product returns 3 gradients for the 2 inputs x, w"),
        (lambda x, w, g: (g @ w.T, 3.0), "the backward of Product returns a float as the gradient of w"),
        (lambda x, w, g: (g @ w.T, x.T @ g, None), "gradients of Product: 2 right"),
        (lambda x, w, g: ((g @ w.T)[None], x.T @ g), "gradients of Product: 2 right"),
    ],
)
def test_gradients_that_pytorch_can_not_take_are_named(returned, said):
    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, w):
            ctx.save_for_backward(x, w)
            return x @ w

        @staticmethod
        def backward(ctx, dout):
            return returned(*ctx.saved_tensors, dout)

    try:
        report = str(check_function(Product, seeded(4, 3), seeded(3, 2)))
        report = re.sub("2 (exact|close)", "2 right", report)  # to the last bit where both multiply in the same order
    except (TypeError, ValueError) as error:
        report = str(error)
    assert said in report


def test_a_model_that_torch_export_can_not_follow_is_said_to_be_one():
    lstm = torch.nn.LSTM(3, 4)

    def packed(x):
        return lstm(torch.nn.utils.rnn.pack_padded_sequence(x, [4, 2]))[1][0]

    with pytest.raises(Exception) as caught:
        from_torch(packed, seeded(4, 2, 3))
    assert any("torch.export" in note for note in caught.value.__notes__)
