"""Module, Parameter, Sequential: what is found, saved, loaded, named and printed."""

import copy
import gc
import pathlib
import pickle
import subprocess
import sys
from collections import OrderedDict

import numpy as np
import pytest

import nn
from autograd import Tape, Tensor, no_grad
from nn import functional as F


class Net(nn.Module):
    def __init__(self, dtype=np.float32):
        self.conv1 = nn.Conv2d(1, 2, 3, dtype=dtype, rng=0)
        self.pool = nn.MaxPool2d(2)
        self.heads = [nn.Linear(18, 4, dtype=dtype, rng=1), nn.Linear(4, 3, dtype=dtype, rng=2)]

    def forward(self, x):
        x = self.pool(F.sigmoid(self.conv1(x)))
        x = F.flatten(x)
        for head in self.heads:
            x = head(x)
        return x


IMAGES = np.random.default_rng(0).random((2, 1, 8, 8))


def test_parameters_are_found_by_attribute_and_inside_lists():
    names = [name for name, _ in Net().named_parameters()]
    assert names == ["conv1.weight", "conv1.bias", "heads.0.weight", "heads.0.bias", "heads.1.weight", "heads.1.bias"]


def test_a_module_needs_no_call_of_super_init():
    class Scale(nn.Module):
        def __init__(self):
            self.by = nn.Parameter(2.0)

        def forward(self, x):
            return x * self.by

    scale = Scale()
    assert [n for n, _ in scale.named_parameters()] == ["by"]
    assert scale(np.array([1.0, 2.0])).tolist() == [2.0, 4.0]


def test_a_parameter_held_twice_is_listed_once_and_saved_under_both_names():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[1].weight = net[0].weight
    assert len(list(net.parameters())) == 3
    assert set(net.state_dict()) == {"0.weight", "0.bias", "1.weight", "1.bias"}


def test_modules_that_hold_each_other_are_walked_once():
    parent, child = nn.Sequential(nn.ReLU()), nn.Sequential(nn.Linear(1, 1))
    parent.child, child.parent = child, parent
    assert [type(m).__name__ for m in parent.modules()] == ["Sequential", "ReLU", "Sequential", "Linear"]


def test_children_and_named_modules_carry_dotted_paths():
    net = Net()
    assert [n for n, _ in net.named_children()] == ["conv1", "pool", "heads.0", "heads.1"]
    assert [n for n, _ in net.named_modules()] == ["", "conv1", "pool", "heads.0", "heads.1"]
    assert next(net.children()) is net.conv1


def test_parameters_have_their_own_kind_of_leaf():
    w = nn.Parameter([1.0])
    assert w.requires_grad
    assert w.node.op == "parameter"
    w.rebind(np.array([2.0]))
    assert w.node.op == "parameter"


def test_integers_can_not_be_parameters():
    with pytest.raises(TypeError, match="int64 can't require a gradient"):
        nn.Parameter([1, 2])


def test_a_parameter_attribute_can_not_become_an_array():
    layer = nn.Linear(2, 2)
    with pytest.raises(TypeError, match=r"Linear\.weight is a Parameter and can't become ndarray"):
        layer.weight = np.zeros((2, 2))


def test_train_and_eval_reach_all_modules():
    net = nn.Sequential(nn.Dropout(), nn.Sequential(nn.Dropout()))
    assert net.eval() is net
    assert [m.training for m in net.modules()] == [False] * 4
    assert all(m.training for m in net.train().modules())


def test_zero_grad_forgets_all_gradients():
    net = Net()
    net(IMAGES).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_apply_reaches_every_module_innermost_first():
    seen = []
    nn.Sequential(nn.Linear(1, 1), nn.ReLU()).apply(lambda m: seen.append(type(m).__name__))
    assert seen == ["Linear", "ReLU", "Sequential"]


def test_forward_must_be_written():
    class Empty(nn.Module):
        pass

    with pytest.raises(NotImplementedError, match="Empty has no forward method"):
        Empty()(1.0)


# --- inputs


def test_a_plain_array_becomes_a_constant_named_x_of_the_parameters_dtype():
    out = Net()(IMAGES)
    assert out.dtype == np.float32
    x = Tape(out)["x"]
    assert x.shape == IMAGES.shape
    assert not x.needs_grad


def test_a_tensor_keeps_its_dtype_and_its_name():
    image = Tensor(IMAGES.astype(np.float32), name="digit")
    out = Net()(image)
    assert out.dtype == np.float32
    assert Tape(out)["digit"].needs_grad


def test_the_input_of_a_network_is_not_changed_by_the_caller_afterwards():
    layer = nn.Linear(2, 1, dtype=np.float64)
    x = np.ones((1, 2))
    out = layer(x)
    x[:] = 100.0
    out.sum().backward()
    assert layer.weight.grad.tolist() == [[1.0, 1.0]]


def test_nothing_is_recorded_without_grad():
    with no_grad():
        out = Net()(IMAGES)
    assert not out.requires_grad
    assert out.name is None


# --- scopes


def test_scopes_carry_the_attribute_path_and_the_kind():
    out = Net()(IMAGES)
    scopes = {node.scope.path: node.scope.kind for node in Tape(out) if not node.is_leaf}
    assert scopes == {
        "net": "Net",
        "net.conv1": "Conv2d",
        "net.pool": "MaxPool2d",
        "net.heads.0": "Linear",
        "net.heads.1": "Linear",
    }


def test_source_lines_point_at_the_program_that_calls_a_layer():
    layer = nn.Linear(2, 1)
    out = layer(np.ones((1, 2)))
    assert out.node.source.file == __file__
    assert out.node.source.expression == "layer(np.ones((1, 2)))"


# --- state


def test_state_dict_holds_copies_that_load_back():
    net, other = Net(), Net()
    other.heads[0].reset_parameters(rng=7)
    state = net.state_dict()
    state["conv1.weight"][:] = 0
    assert net.conv1.weight.data.any()
    state = net.state_dict()
    assert other.load_state_dict(state) == ([], [])
    for name, p in other.named_parameters():
        assert (p.data == state[name]).all()


def test_state_survives_a_file(tmp_path):
    net, other = Net(), Net(dtype=np.float64)
    np.savez(tmp_path / "net.npz", **net.state_dict())
    with np.load(tmp_path / "net.npz") as file:
        other.load_state_dict(file)
    assert other.conv1.weight.dtype == np.float64
    assert np.array_equal(other.conv1.weight.data, net.conv1.weight.data.astype(np.float64))


def test_missing_and_unexpected_names_are_told_and_nothing_is_changed():
    net = Net()
    before, state = net.state_dict(), Net().state_dict()
    state["conv1.wieght"] = state.pop("conv1.weight")
    state["conv1.bias"] = state["conv1.bias"] + 1
    with pytest.raises(KeyError, match=r"it lacks conv1.weight; it has conv1.wieght \(did you mean conv1.weight\?\)"):
        net.load_state_dict(state)
    assert all((net.state_dict()[k] == before[k]).all() for k in before)
    found = net.load_state_dict(state, strict=False)
    assert found == (["conv1.weight"], ["conv1.wieght"])
    assert (net.conv1.bias.data == before["conv1.bias"] + 1).all()


def test_a_wrong_shape_is_told_and_nothing_is_changed():
    net = Net()
    before, state = net.state_dict(), net.state_dict()
    state["conv1.bias"] = state["conv1.bias"] + 1
    state["heads.1.weight"] = np.zeros((4, 3))
    with pytest.raises(ValueError, match=r"heads.1.weight has shape \(4, 3\), expected \(3, 4\)"):
        net.load_state_dict(state, strict=False)
    assert (net.conv1.bias.data == before["conv1.bias"]).all()
    with pytest.raises(TypeError, match="expects a mapping of names to arrays, got list"):
        net.load_state_dict([1])
    state["heads.1.weight"] = np.zeros((3, 4), complex)
    with pytest.raises(TypeError, match=r"heads.1.weight has dtype complex128"):
        net.load_state_dict(state)


def test_buffers_belong_to_the_state_but_are_not_parameters():
    class Centred(nn.Module):
        def __init__(self):
            self.register_buffer("mean", np.zeros(2))

        def forward(self, x):
            return x - self.mean

    layer = Centred()
    assert list(layer.parameters()) == []
    layer.load_state_dict({"mean": [1.0, 2.0]})
    assert [(n, b.tolist()) for n, b in layer.named_buffers()] == [("mean", [1.0, 2.0])]
    assert layer(np.array([1.0, 1.0])).tolist() == [0.0, -1.0]
    with pytest.raises(ValueError, match="already has an attribute 'training'"):
        layer.register_buffer("training", 1)


def test_a_copied_or_pickled_network_is_its_own_and_computes_the_same():
    net = Net()
    out = net(IMAGES).data
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert (other(IMAGES).data == out).all()
        assert isinstance(other.conv1.weight, nn.Parameter)
        other.conv1.weight.data = other.conv1.weight.data * 0
    assert (net(IMAGES).data == out).all()


# --- Sequential


def test_sequential_is_indexed_sliced_and_extended():
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    assert len(net) == 3
    assert net[-1] is list(net)[2]
    front = net[:2]
    assert isinstance(front, nn.Sequential) and len(front) == 2 and front[0] is net[0]
    assert net.append(nn.Sigmoid()) is net
    assert isinstance(net[3], nn.Sigmoid)
    with pytest.raises(IndexError, match="4 modules, no number 9"):
        net[9]


def test_sequential_takes_names():
    net = nn.Sequential(OrderedDict(hidden=nn.Linear(2, 2), act=nn.Tanh()))
    assert [n for n, _ in net.named_parameters()] == ["hidden.weight", "hidden.bias"]
    assert net["act"] is net.act
    assert Tape(net(np.ones((1, 2)))).root.scope.path == "sequential.act"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (F.relu, r"0 must be a Module such as nn.ReLU\(\), got relu"),
        (nn.ReLU, r"got ReLU; make one, ReLU\(\)"),
        (3, "got 3"),
    ],
)
def test_sequential_refuses_what_is_no_module(given, message):
    with pytest.raises(TypeError, match=message):
        nn.Sequential(given)


def test_sequential_refuses_names_that_hide_its_own():
    with pytest.raises(ValueError, match="'forward' can't be the name of a module"):
        nn.Sequential({"forward": nn.ReLU()})


# --- what is printed


def test_repr_is_nested_as_in_torch():
    net = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, bias=False), nn.Sequential(nn.ReLU()))
    assert repr(net) == (
        "Sequential(\n"
        "  (0): Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)\n"
        "  (1): Sequential(\n"
        "    (0): ReLU()\n"
        "  )\n"
        ")"
    )


def test_summary_lists_output_shapes_and_parameter_counts():
    net = Net()
    net.heads[1].bias.requires_grad = False
    summary = net.summary((5, 1, 8, 8))
    assert [tuple(row) for row in summary.rows] == [
        ("net", "Net", (5, 3), 0),
        ("conv1", "Conv2d", (5, 2, 6, 6), 20),
        ("pool", "MaxPool2d", (5, 2, 3, 3), 0),
        ("heads.0", "Linear", (5, 4), 76),
        ("heads.1", "Linear", (5, 3), 15),
    ]
    assert (summary.parameters, summary.trained, summary.nbytes) == (111, 108, 444)
    assert "111 parameters, 108 of them trained, 444 bytes" in str(summary)


def test_summary_changes_nothing_and_shows_what_is_not_called():
    net = Net()
    net.unused = nn.Linear(1, 1)
    net.drop = nn.Dropout()
    net.eval()
    text = str(net.summary(IMAGES))
    assert "not called" in text
    assert not net.training
    assert all(p.grad is None for p in net.parameters())
    with pytest.raises(TypeError, match=r"summary expects the shape of an input, \(1, 1, 28, 28\), or an input"):
        net.summary("28x28")
    with pytest.raises(ValueError, match="lengths of at least 1"):
        net.summary((0, 1, 8, 8))


def test_a_training_step_leaves_nothing_for_the_cycle_collector():
    net = Net()
    optimizer = nn.SGD(net.parameters(), lr=0.1, momentum=0.9)

    def step():
        optimizer.zero_grad()
        F.cross_entropy(net(IMAGES), [0, 2]).backward()
        optimizer.step()

    step()
    gc.collect()
    step()
    assert gc.collect() == 0


# --- errors


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 3, 8, 8), r"net.conv1: conv2d: .*\(2, 3, 8, 8\) has 3 channels, but g⁽¹⁾ of shape \(2, 1, 3, 3\) takes 1"),
        ((2, 1, 9, 12), r"net.heads.0: linear: .* \(2, 30\) has 30 features, but W⁽¹⁾ of shape \(4, 18\) takes 18"),
        ((2, 1, 2, 8), r"net.conv1: conv2d: g⁽¹⁾ of 3×3 is larger than the image of 2×8 \(input shape \(2, 1, 2, 8\)"),
        ((8, 8), r"net.conv1: conv2d: images of shape \(N, C, H, W\) or \(C, H, W\) are needed, got shape \(8, 8\)"),
    ],
)
def test_what_does_not_fit_is_told_with_the_layer_and_both_shapes(shape, message):
    for recording in (True, False):
        with pytest.raises(nn.ShapeMismatch, match=message):
            if recording:
                Net()(np.zeros(shape))
            else:
                with no_grad():
                    Net()(np.zeros(shape))


def test_integer_images_are_refused_with_what_to_write():
    with pytest.raises(TypeError, match=r"net.conv1: .* got dtype uint8 .* images.astype\(np.float32\) / 255"):
        Net()(np.zeros((1, 1, 8, 8), np.uint8))


def test_a_tensor_of_another_dtype_than_the_weight_is_refused():
    message = r"net.conv1: conv2d: the input has dtype float64, but g⁽¹⁾ has dtype float32: give x.astype\(np.float32\)"
    with pytest.raises(nn.DtypeMismatch, match=message):
        Net()(Tensor(np.zeros((1, 1, 8, 8))))
    with pytest.raises(nn.DtypeMismatch, match=r"^linear: the input has dtype float32, but W⁽¹⁾ has dtype float64"):
        nn.Linear(3, 2, dtype=np.float64)(Tensor(np.ones((1, 3), np.float32)))


def test_a_list_is_taken_as_an_array_of_the_networks_dtype():
    layer = nn.Linear(3, 2)
    out = layer([[1.0, 2.0, 3.0]])
    assert out.dtype == np.float32
    assert (out.data == layer(np.array([[1.0, 2.0, 3.0]])).data).all()
    with pytest.raises(nn.DtypeMismatch, match="floating-point input is needed, got dtype int64"):
        layer([[1, 2, 3]])


def test_the_layers_decide_the_dtype_of_the_input_not_a_parameter_beside_them():
    class Scaled(nn.Module):
        def __init__(self):
            self.scale = nn.Parameter(2.0)
            self.layer = nn.Linear(2, 1)

        def forward(self, x):
            assert x.dtype == np.float32
            return self.layer(x) * self.scale

    assert Scaled()(np.ones((1, 2))).shape == (1, 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.Linear(3, 2)(np.ones((1, 4))), r"linear: the input of shape \(1, 4\)"),
        (lambda: nn.Conv2d(1, 2, 3)(np.ones(4)), "conv2d: images of shape"),
        (lambda: nn.MaxPool2d(9)(np.ones((1, 1, 2, 2))), "maxpool2d: the window of 9×9"),
    ],
)
def test_a_layer_called_like_its_function_is_named_once(call, message):
    with pytest.raises(nn.ShapeMismatch, match="^" + message):
        call()


def test_a_state_of_tensors_is_loaded_by_their_numbers():
    one, other = nn.Linear(2, 2), nn.Linear(2, 2)
    other.load_state_dict(dict(one.named_parameters()))
    assert (one.weight.data == other.weight.data).all()


def test_zero_grad_forgets_or_writes_zeros():
    layer = nn.Linear(2, 1)
    for forget in (layer.zero_grad, nn.SGD(layer.parameters()).zero_grad):
        layer(np.ones((1, 2))).sum().backward()
        forget(set_to_none=False)
        assert layer.weight.grad.tolist() == [[0.0, 0.0]]
        forget(set_to_none=True)
        assert layer.weight.grad is None


def test_the_summary_names_modules_in_a_list_with_their_holder():
    class Chain(nn.Module):
        def __init__(self):
            self.ls = [nn.Linear(4, 3), nn.Sequential(nn.ReLU())]

        def forward(self, x):
            for layer in self.ls:
                x = layer(x)
            return x

    lines = str(Chain().summary((1, 4))).splitlines()[2:6]
    assert [line.split("  Linear")[0].split("  Seq")[0].split("  ReLU")[0].rstrip() for line in lines[1:]] == [
        "  ls.0",
        "  ls.1",
        "    0",
    ]


def test_another_package_called_autograd_is_told_of(tmp_path):
    (tmp_path / "autograd").mkdir()
    (tmp_path / "autograd" / "__init__.py").write_text("")
    root = str(pathlib.Path(nn.__file__).parents[1])
    code = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {root!r}]; import nn"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert "ImportError: nn needs tracegrad's own package 'autograd'" in ran.stderr


def test_generators_are_the_shared_one_and_those_of_the_modules_each_once():
    shared, own = nn.manual_seed(0), np.random.default_rng(1)
    net = nn.Sequential(nn.Dropout(rng=own), nn.Dropout(), nn.Sequential(nn.Dropout(rng=own), nn.Dropout(rng=shared)))
    assert [id(g) for g in net.generators()] == [id(shared), id(own)]
