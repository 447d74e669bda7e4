"""The textbook names that layers leave on the tape."""

import numpy as np
import pytest

import nn
from autograd import Tape, Tensor
from nn import functional as F
from nn.naming import superscript


def diagram():
    return nn.Sequential(
        nn.Conv2d(1, 2, 3),
        nn.Sigmoid(),
        nn.MaxPool2d(2),
        nn.Conv2d(2, 2, 2),
        nn.Sigmoid(),
        nn.Flatten(),
        nn.Linear(8, 4),
        nn.Sigmoid(),
        nn.Linear(4, 3),
        nn.Softmax(),
    )


X = np.random.default_rng(0).random((2, 1, 8, 8), np.float32)


def names(tensor):
    return [node.name for node in Tape(tensor) if node.name]


def test_the_network_of_the_diagram_carries_its_textbook_names():
    loss = F.log_loss(diagram()(X), [0, 2])
    tape = Tape(loss)
    assert names(loss) == [
        *("g⁽¹⁾", "b⁽¹⁾", "g⁽²⁾", "b⁽²⁾", "W⁽¹⁾", "b⁽³⁾", "W⁽²⁾", "b⁽⁴⁾", "x"),
        *("z⁽¹⁾", "a⁽¹⁾", "z⁽²⁾", "a⁽²⁾", "z⁽³⁾", "a⁽³⁾", "z⁽⁴⁾", "ŷ", "L"),
    ]
    assert [tape[n].op for n in ("z⁽¹⁾", "a⁽¹⁾", "ŷ")] == ["add", "sigmoid", "softmax"]


def test_the_graph_of_a_convolution_shows_pad_windows_product_bias():
    out = nn.Conv2d(1, 2, 3, padding=1)(X)
    assert [n.op for n in Tape(out) if not n.is_leaf] == ["pad", "windows", "window_product", "reshape", "add"]


def test_a_users_own_names_stay():
    layer = nn.Linear(2, 2)
    layer.weight.name = "mine"
    out = layer(Tensor(np.ones((1, 2), np.float32), name="data"))
    assert set(names(out)) == {"mine", "b⁽¹⁾", "data", "z⁽¹⁾"}
    out.name = "scores"
    assert out.name == "scores"


def test_names_follow_when_the_network_changes():
    net = nn.Sequential(nn.Linear(2, 2))
    net(np.ones((1, 2)))
    wider = nn.Sequential(nn.Linear(2, 2), net[0])
    assert names(wider(np.ones((1, 2))))[-1] == "z⁽²⁾"
    assert net[0].weight.name == "W⁽²⁾"
    net.append(nn.Linear(2, 1))
    net(np.ones((1, 2)))
    assert [p.name for p in net.parameters()] == ["W⁽¹⁾", "b⁽¹⁾", "W⁽²⁾", "b⁽²⁾"]


def test_names_survive_a_step_of_the_optimiser():
    net = nn.Sequential(nn.Linear(2, 1))
    optimizer = nn.SGD(net.parameters(), lr=0.1)
    net(np.ones((1, 2))).sum().backward()
    optimizer.step()
    assert [p.name for p in net.parameters()] == ["W⁽¹⁾", "b⁽¹⁾"]


def test_functions_name_activations_in_a_users_own_forward():
    class Net(nn.Module):
        def __init__(self):
            self.first, self.second = nn.Linear(2, 3), nn.Linear(3, 2)
            self.scale = nn.Parameter(1.0)

        def forward(self, x):
            return F.softmax(self.second(F.relu(self.first(x))) * self.scale)

    out = Net()(np.ones((1, 2)))
    assert names(out) == ["W⁽¹⁾", "b⁽¹⁾", "W⁽²⁾", "b⁽²⁾", "scale", "x", "z⁽¹⁾", "a⁽¹⁾", "z⁽²⁾"]
    assert F.softmax(nn.Linear(2, 2)(np.ones((1, 2)))).name == "ŷ"
    assert F.log_softmax(nn.Linear(2, 2)(np.ones((1, 2)))).name == "log ŷ"


def test_functions_of_unnamed_tensors_leave_no_name():
    assert F.sigmoid(Tensor([1.0])).name is None
    assert F.softmax(Tensor([1.0])).name is None


@pytest.mark.parametrize(
    "loss",
    [
        lambda z: F.mse_loss(z, z.data),
        lambda z: F.cross_entropy(z, [0, 1]),
        lambda z: F.cross_entropy(z, z.data, reduction="sum"),
        lambda z: F.nll_loss(z, [0, 1], reduction="sum"),
        lambda z: F.log_loss(F.softmax(z), [0, 1]),
        lambda z: F.binary_cross_entropy(F.sigmoid(z), z.data > 0),
        lambda z: F.binary_cross_entropy_with_logits(z, z.data > 0),
        lambda z: nn.MSELoss()(z, z.data),
    ],
)
def test_every_scalar_loss_is_named_L(loss):
    assert loss(Tensor(np.ones((2, 3)))).name == "L"


def test_a_loss_of_each_example_has_no_name():
    assert F.cross_entropy(Tensor(np.ones((2, 3))), [0, 1], reduction="none").name is None


def test_several_inputs_are_numbered():
    class Add(nn.Module):
        def forward(self, a, b):
            return a + b

    assert names(Add()(np.ones(2), np.ones(2))) == ["x₁", "x₂"]


def test_inputs_given_by_keyword_are_named_by_it():
    class Add(nn.Module):
        def forward(self, a, b):
            return a + b

    assert names(Add()(np.ones(2), b=np.ones(2))) == ["b", "x"]


def test_predictions_given_to_a_loss_module_are_not_called_x():
    z = Tensor(np.ones((2, 3)))
    assert names(nn.CrossEntropyLoss()(z, [0, 1])) == ["L"]
    assert z.name is None


def test_an_activation_made_on_the_way_leaves_the_names_as_they_are():
    class Net(nn.Module):
        def __init__(self):
            self.first, self.second = nn.Linear(2, 3), nn.Linear(3, 2)

        def forward(self, x):
            return self.second(nn.Sigmoid()(self.first(x)))

    out = Net()(np.ones((1, 2)))
    assert names(out)[-4:] == ["x", "z⁽¹⁾", "a⁽¹⁾", "z⁽²⁾"]
    assert Tape(out)["a⁽¹⁾"].scope.path == "net.sigmoid"


def test_a_layer_appended_to_a_list_after_the_first_call_is_numbered_too():
    class Stack(nn.Module):
        def __init__(self):
            self.layers = [nn.Linear(2, 2)]

        def forward(self, x):
            for layer in self.layers:
                x = layer(x)
            return x

    stack = Stack()
    stack(np.ones((1, 2)))
    stack.layers.append(nn.Linear(2, 2))
    out = stack(np.ones((1, 2)))
    assert out.name == "z⁽²⁾"
    assert out.node.scope.path == "stack.layers.1"


def test_numbers_above_nine_are_raised_too():
    assert superscript("z", 10) == "z⁽¹⁰⁾"
