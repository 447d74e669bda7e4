"""ONNX both ways: its own node tests, and what is written beside what onnxruntime makes of it."""

import importlib
import pkgutil
import warnings

import numpy as np
import pytest

import nn
import viz
from autograd import Tape, Tensor
from nn import functional as F

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from autograd.interop import UnknownOperation, from_onnx, to_onnx  # noqa: E402

RNG = np.random.default_rng(0)


def numbers(*shape):
    return RNG.normal(size=shape).astype(np.float32)


# --- the node tests of ONNX -------------------------------------------------------------------------------------------


def agrees(case):
    """Whether a node test passes: numbers, shapes and dtypes. An error says why not, unless it is refused by name."""
    try:
        net = from_onnx(case.model)
    except (UnknownOperation, TypeError) as refusal:
        assert "there is no row for" in str(refusal) or "is no dtype" in str(refusal) or "is no tensor" in str(refusal)
        return False
    for given, expected in case.data_sets:
        found = net(*(numpy_helper.to_array(x) if isinstance(x, TensorProto) else x for x in given))
        for out, wanted in zip(found if isinstance(found, tuple) else (found,), expected, strict=True):
            wanted = numpy_helper.to_array(wanted) if isinstance(wanted, TensorProto) else np.asarray(wanted)
            out = out.data if isinstance(out, Tensor) else np.asarray(out)
            assert out.shape == wanted.shape and out.dtype == wanted.dtype
            np.testing.assert_allclose(out, wanted, rtol=case.rtol, atol=case.atol)
    return True


@pytest.fixture(scope="module")
def node_tests():
    """Which of the node tests pass, are refused, fail."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.case import node

        for module in pkgutil.iter_modules(node.__path__):
            importlib.import_module(f"{node.__name__}.{module.name}")
        found = {"passed": [], "refused": [], "failed": []}
        for case in node._NodeTestCases:
            try:
                found["passed" if agrees(case) else "refused"].append(case.name)
            except Exception:
                found["failed"].append(case.name)
    return found


def test_most_node_tests_of_onnx_pass_and_the_others_are_refused_by_name(node_tests):
    passed, everything = len(node_tests["passed"]), sum(map(len, node_tests.values()))
    assert passed >= 450 and passed >= 0.75 * everything
    assert node_tests["failed"] == []


# --- what is written --------------------------------------------------------------------------------------------------


class LeNet(nn.Module):
    def __init__(self):
        self.conv1, self.conv2 = nn.Conv2d(1, 3, 5, padding=2), nn.Conv2d(3, 4, 5)
        self.fc1, self.fc2 = nn.Linear(16, 8), nn.Linear(8, 4)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.reshape(x.shape[0], -1))))


class Reader(nn.Module):
    def __init__(self):
        self.embed, self.lstm, self.out = nn.Embedding(7, 4), nn.LSTM(4, 5, batch_first=True), nn.Linear(5, 2)

    def forward(self, tokens):
        _, (h, _) = self.lstm(self.embed(tokens))
        return self.out(h[-1])


def of_shapes(x):
    y = np.concatenate([x, np.flip(x, 1)], axis=1)[:, None, 1:-1].swapaxes(1, 2)
    y = np.moveaxis(np.stack([y, y * 2], axis=1), 1, -1).squeeze(2)
    y = np.pad(y, ((0, 0), (1, 0), (0, 0)), constant_values=2.0)[:, ::2, -1]
    squares = np.tril(y[:, None] * np.ones((4, 1), np.float32))
    squares = squares + np.sort(squares, axis=1) + np.roll(squares, 1, axis=2) + np.repeat(squares[:, ::2], 2, axis=1)
    return np.tile(squares, (1, 1, 2)) + np.broadcast_to(y[:, :1, None], (len(y), 1, 8))


MODELS = {
    "MLP": (nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2), nn.Softmax(1)), numbers(5, 3)),
    "LeNet": (LeNet(), numbers(3, 1, 16, 16)),
    "batch norm": (
        nn.Sequential(
            nn.Conv2d(1, 2, 3, padding=1, stride=2), nn.BatchNorm2d(2), nn.LeakyReLU(), nn.AvgPool2d(2),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 3),
        ).eval(),
        numbers(2, 1, 8, 8),
    ),
    "LSTM": (Reader(), RNG.integers(0, 7, (3, 4))),
    "encoder": (nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True), numbers(2, 5, 8)),
    "transposed": (
        nn.Sequential(nn.ConvTranspose2d(2, 3, 3, 2, 1, 1), nn.GELU(), nn.ConvTranspose2d(3, 1, 2)),
        numbers(2, 2, 4, 4),
    ),
    "activations": (
        nn.Sequential(nn.ELU(), nn.Softplus(), nn.SiLU(), nn.Hardtanh(), nn.PReLU(), nn.SELU(), nn.LogSoftmax(1)),
        numbers(3, 4),
    ),
    "norms": (
        nn.Sequential(nn.Conv1d(2, 4, 3, groups=2, dilation=2), nn.MaxPool1d(2), nn.GroupNorm(2, 4), nn.LayerNorm(4)),
        numbers(2, 2, 12),
    ),
    "shapes": (of_shapes, numbers(3, 4)),
    "reductions": (
        lambda x, y: np.where(x > y, x, y * 2).sum(1) + np.linalg.norm(x, axis=1) + np.std(y, axis=1, ddof=1)
        + x.max(1) * np.prod(y, axis=1) + np.logaddexp(x, y).mean(1) - np.cumsum(x, axis=1)[:, -1] + x.var(1),
        numbers(3, 4), numbers(3, 4),
    ),
    "products": (
        lambda x: np.tensordot(x, np.ones((4, 2), np.float32), 1) + np.einsum("ij,jk->ik", x, np.ones((4, 2), "f4"))
        + np.dot(x, np.ones((4, 1), "f4")) + np.log1p(np.abs(x)).clip(0.1, 0.5) @ np.ones((4, 2), "f4"),
        numbers(3, 4),
    ),
    "elementwise": (
        lambda x: np.expm1(x) + np.log2(x * x + 1) + np.log10(x * x + 1) + np.exp2(x) + np.hypot(x, 1) + np.trunc(x)
        + np.arctan(x) * np.floor(x) + np.round(x) + np.square(x) + (x != 0) * np.reciprocal(x * x + 1),
        numbers(3, 4),
    ),
    "loss": (F.cross_entropy, numbers(3, 4), np.array([1, 0, 2])),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_what_is_written_runs_in_onnxruntime_and_is_read_again(name, tmp_path):
    model, *inputs = MODELS[name]
    path = to_onnx(model, tmp_path / "model.onnx", *inputs)
    written = onnx.load(path)
    session, again = ort.InferenceSession(str(path)), from_onnx(path)
    assert {one.type.tensor_type.shape.dim[0].dim_param for one in written.graph.input} == {"batch"}
    for others in inputs, [0.5 * x[::-1] if x.dtype.kind == "f" else x[::-1] for x in inputs], [x[:2] for x in inputs]:
        others = [np.ascontiguousarray(x) for x in others]
        expected = model(*(Tensor(x, requires_grad=False) if x.dtype.kind == "f" else x for x in others)).data
        feed = {one.name: x for one, x in zip(session.get_inputs(), others, strict=True)}
        np.testing.assert_allclose(session.run(None, feed)[0], expected, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(again(*others).data, expected, rtol=1e-4, atol=1e-6)


def test_names_layers_and_lines_are_kept(tmp_path):
    net = LeNet()
    x = numbers(2, 1, 16, 16)
    written = onnx.load(to_onnx(net, tmp_path / "net.onnx", x))
    held = {one.name: numpy_helper.to_array(one) for one in written.graph.initializer}
    for name, parameter in net.named_parameters():
        np.testing.assert_array_equal(held[name], parameter.data)
    convolutions = [node for node in written.graph.node if node.op_type == "Conv"]
    assert [node.name for node in convolutions] == ["/lenet/conv1/Conv", "/lenet/conv2/Conv"]
    assert "F.max_pool2d(F.relu(self.conv1(x)), 2)" in convolutions[0].doc_string
    again = from_onnx(written)
    names = {name for name, _ in again.named_parameters()}
    assert names >= {name for name, _ in net.named_parameters()}
    out = again(x)
    assert "conv1" in {scope.name for node in Tape(out) for scope in node.scope.chain()}
    loss = (out**2).mean()
    loss.backward()
    own = (net(x) ** 2).mean()
    own.backward()
    np.testing.assert_allclose(again.get_parameter("conv1.weight").grad, net.conv1.weight.grad, rtol=1e-3, atol=1e-7)
    assert "conv1.weight" in viz.draw(loss).svg() and len(viz.step(loss).walk) > 20


def test_a_model_of_pytorch_is_written(tmp_path):
    torch = pytest.importorskip("torch")
    from autograd.interop import from_torch

    class Vision(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.patches, self.out = torch.nn.Conv2d(1, 8, 4, 4), torch.nn.Linear(8, 3)
            self.token, self.places = (torch.nn.Parameter(torch.randn(1, n, 8)) for n in (1, 5))
            self.encoder = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)

        def forward(self, x):
            h = self.patches(x).flatten(2).transpose(1, 2)
            h = torch.cat([self.token.expand(x.shape[0], -1, -1), h], 1) + self.places
            return self.out(self.encoder(h)[:, 0])

    torch.manual_seed(0)
    theirs, x = Vision().eval(), torch.randn(3, 1, 8, 8)
    path = to_onnx(from_torch(theirs, x), tmp_path / "vision.onnx", x.numpy())
    session, others = ort.InferenceSession(str(path)), torch.randn(5, 1, 8, 8)
    found = session.run(None, {"x": others.numpy()})[0]
    np.testing.assert_allclose(found, theirs(others).detach().numpy(), rtol=1e-3, atol=1e-5)


def test_a_batch_that_the_model_holds_is_held_in_the_file(tmp_path):
    model = lambda x: x.sum(axis=0) / len(x)
    for options in {}, {"dynamic": False}:
        written = onnx.load(to_onnx(model, tmp_path / "model.onnx", numbers(4, 3), **options))
        assert [d.dim_value for d in written.graph.input[0].type.tensor_type.shape.dim] == [4, 3]


def test_a_recorded_tensor_is_written_as_it_is(tmp_path):
    x, w = Tensor(numbers(2, 3), name="x"), nn.Parameter(numbers(3), name="w")
    path = to_onnx(np.tanh(x * w).sum(), tmp_path / "value.onnx")
    session = ort.InferenceSession(str(path))
    assert [one.name for one in session.get_inputs()] == ["x"]
    assert [one.name for one in onnx.load(path).graph.initializer] == ["w"]
    np.testing.assert_allclose(session.run(None, {"x": x.data})[0], np.tanh(x.data * w.data).sum(), rtol=1e-5)


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (lambda x: np.arctan2(x, 1), UnknownOperation, r"no row for arctan2 \(test_interop_onnx.py:\d+: .*np.arctan2"),
        (lambda x: x * np.argmax(x.data), ValueError, "an operand of multiply .* depends on the numbers of the inputs"),
        (lambda x: x[x.data > 0], UnknownOperation, r"no row for what a mask picks \(test_interop_onnx"),
        (lambda x: x.data, TypeError, "must give Tensors, got ndarray"),
        (3, TypeError, "a model, a function or a Tensor is needed, got int"),
    ],
)
def test_what_can_not_be_written_is_said_and_leaves_no_file(model, error, message, tmp_path):
    with pytest.raises(error, match=message):
        to_onnx(model, tmp_path / "model.onnx", numbers(2, 3))
    assert list(tmp_path.iterdir()) == []


def test_a_model_is_written_as_it_evaluates(tmp_path):
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
    before = net.state_dict()
    path = to_onnx(net, tmp_path / "net.onnx", numbers(5, 3))
    assert net.training and all(np.array_equal(v, before[k]) for k, v in net.state_dict().items())
    x = numbers(2, 3)
    found = ort.InferenceSession(str(path)).run(None, {"x": x})[0]
    np.testing.assert_allclose(found, net.eval()(x).data, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "model",
    [
        lambda x, n: x[np.arange(len(x)), n - 1],
        lambda x, n: x * F.one_hot(n, 4).astype("f4"),
        lambda x, n: np.where(F.one_hot(n, 4) == 1, x, 0.0),
    ],
)
def test_what_comes_of_an_input_of_integers_is_computed_in_the_file(model, tmp_path):
    path = to_onnx(model, tmp_path / "model.onnx", numbers(3, 4), np.array([3, 1, 2]))
    x, n = numbers(5, 4), np.array([1, 3, 2, 2, 1])
    found = ort.InferenceSession(str(path)).run(None, {"x1": x, "x2": n})[0]
    np.testing.assert_allclose(found, model(x, n), rtol=1e-5)


def test_numbers_that_are_all_the_same_are_an_input_too(tmp_path):
    path = to_onnx(lambda i: nn.Parameter(np.eye(3, dtype="f4"))[i], tmp_path / "rows.onnx", np.zeros(2, int))
    assert ort.InferenceSession(str(path)).run(None, {"x": np.array([2, 1, 0])})[0].tolist() == np.eye(3)[::-1].tolist()


def test_the_path_is_checked(tmp_path):
    with pytest.raises(ValueError, match=r"known are .onnx"):
        to_onnx(lambda x: x, tmp_path / "model.png", numbers(2))
    with pytest.raises(TypeError, match="give the inputs"):
        to_onnx(lambda x: x, tmp_path / "model.onnx")


def graph_of(*nodes, elem=1, name="net"):
    x, y = (helper.make_tensor_value_info(n, elem, [2]) for n in "xy")
    return helper.make_model(helper.make_graph(list(nodes), name, [x], [y]))


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (lambda: graph_of(helper.make_node("NonMaxSuppression", ["x", "x"], ["y"], name="boxes")), UnknownOperation,
         r"no row for NonMaxSuppression \(boxes\)"),
        (lambda: graph_of(helper.make_node("Relu", ["x"], ["y"]), elem=TensorProto.BFLOAT16), TypeError, "BFLOAT16"),
        (lambda: 3, TypeError, "a path, bytes or an onnx.ModelProto is needed, got int"),
    ],
)  # fmt: skip
def test_what_can_not_be_read_is_said(model, error, message):
    with pytest.raises(error, match=message):
        from_onnx(model())


def test_inputs_are_given_in_order_or_by_name():
    net = from_onnx(graph_of(helper.make_node("Neg", ["x"], ["y"])).SerializeToString())
    assert net(np.ones(2, np.float32)).data.tolist() == net(x=np.ones(2, np.float32)).data.tolist() == [-1, -1]
    with pytest.raises(TypeError, match="takes the inputs x, got x, z"):
        net(np.ones(2), z=3)


def test_inputs_whose_lengths_belong_together_are_written_with_fixed_axes(tmp_path):
    x, a = np.ones((6, 4), np.float32), np.eye(6, dtype=np.float32)
    path = to_onnx(lambda x, a: a @ x, tmp_path / "graph.onnx", x, a)
    (out,) = ort.InferenceSession(path).run(None, {"x1": x, "x2": a})
    np.testing.assert_array_equal(out, x)
