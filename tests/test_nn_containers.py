"""Lists and dicts of modules and parameters: they do what Python's do, and their paths are those of torch."""

import copy
import importlib.util

import numpy as np
import pytest

import nn

MADE = [nn.Linear(1, 1, rng=i) for i in range(6)]
PARAMETERS = [nn.Parameter(float(i)) for i in range(6)]
LISTS = {
    "Sequential": (lambda values: nn.Sequential(*values), MADE),
    "ModuleList": (nn.ModuleList, MADE),
    "ParameterList": (nn.ParameterList, PARAMETERS),
}


def delete(held, index):
    del held[index]


def put(held, index, value):
    held[index] = value


def added(held, values):
    held += values


# Each does to a list of the first four what it does to a Python list; `v` are values to put in.
OPERATIONS = {
    "append": lambda held, v: held.append(v[4]),
    "extend": lambda held, v: held.extend(v[4:]),
    "insert": lambda held, v: held.insert(1, v[4]),
    "insert at the end": lambda held, v: held.insert(9, v[4]),
    "insert before the last": lambda held, v: held.insert(-1, v[4]),
    "pop": lambda held, v: held.pop(),
    "pop the first": lambda held, v: held.pop(0),
    "set": lambda held, v: put(held, 1, v[4]),
    "set from the end": lambda held, v: put(held, -1, v[4]),
    "set a slice": lambda held, v: put(held, slice(1, 3), v[4:]),
    "delete": lambda held, v: delete(held, 1),
    "delete from the end": lambda held, v: delete(held, -2),
    "delete a slice": lambda held, v: delete(held, slice(0, 4, 2)),
    "add in place": lambda held, v: added(held, v[4:]),
    "reverse": lambda held, v: held.reverse(),
    "remove": lambda held, v: held.remove(v[2]),
    "clear": lambda held, v: held.clear(),
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("kind", LISTS)
def test_a_list_does_what_a_list_does(kind, operation):
    make, values = LISTS[kind]
    held, plain = make(values[:4]), values[:4]
    for each in (held, plain):
        OPERATIONS[operation](each, values)
    assert len(held) == len(plain)
    assert all(a is b for a, b in zip(held, plain, strict=True))
    names = list(held.named_parameters() if kind == "ParameterList" else held.named_children())
    assert [name for name, _ in names] == [str(i) for i in range(len(plain))]


@pytest.mark.parametrize("kind", LISTS)
def test_lists_are_indexed_sliced_and_joined(kind):
    make, values = LISTS[kind]
    held = make(values[:4])
    assert held[2] is held[-2] is values[2]
    part, both = held[1:3], held + values[4:]
    assert type(part) is type(both) is type(held)
    assert list(part) == values[1:3] and list(both) == values and len(held) == 4
    assert values[1] in held and values[5] not in held and held.index(values[3]) == 3
    assert held == held and held != make(values[:4]) and len({held, make(values)}) == 2
    with pytest.raises(IndexError, match=f"{kind} has 4 (modules|parameters), no number 4"):
        held[4]


@pytest.mark.parametrize("kind", LISTS)
def test_a_list_that_refuses_a_value_is_as_it_was(kind):
    make, values = LISTS[kind]
    held = make(values[:4])
    for change in (
        lambda: put(held, slice(0, 2), ["a", "b"]),
        lambda: held.insert(0, "a"),
        lambda: held.append("a"),
        lambda: put(held, 0, "a"),
    ):
        with pytest.raises(TypeError):
            change()
        assert list(held) == values[:4]


@pytest.mark.parametrize(("kind", "values"), [(nn.ModuleDict, MADE), (nn.ParameterDict, PARAMETERS)])
def test_a_dict_does_what_a_dict_does(kind, values):
    held = kind({"a": values[0], "b": values[1]})
    assert (len(held), list(held), list(held.values())) == (2, ["a", "b"], values[:2])
    held["c"] = values[2]
    held.update([("a", values[3])])
    assert list(held.items()) == [("a", values[3]), ("b", values[1]), ("c", values[2])]
    assert held.a is values[3] and "b" in held and held.get("z") is None
    assert held.pop("b") is values[1] and list(held) == ["a", "c"]
    del held["c"]
    with pytest.raises(KeyError):
        del held["c"]
    with pytest.raises(KeyError):
        held["training"]
    assert list(copy.deepcopy(held)) == list(kind(held)) == ["a"]
    held.clear()
    assert not held and not list(held.parameters())


def test_arrays_become_parameters():
    assert isinstance(nn.ParameterList([np.ones(2)])[0], nn.Parameter)
    weights = nn.ParameterDict({"w": np.ones(2, np.float32)})
    assert weights["w"].dtype == np.float32
    assert repr(weights) == "ParameterDict(\n  (w): Parameter of shape (2,), float32\n)"
    assert repr(nn.ParameterList()) == "ParameterList()"


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.ModuleList([nn.ReLU]), TypeError, r"must be a Module .* got ReLU; make one, ReLU\(\)"),
        (lambda: nn.ModuleDict({"a": 1}), TypeError, "ModuleDict: a must be a Module such as"),
        (lambda: nn.ModuleDict({"pop": nn.ReLU()}), ValueError, "ModuleDict: 'pop' can't be the name of a module"),
        (lambda: nn.ModuleDict({"a.b": nn.ReLU()}), ValueError, r"'a\.b' can't be the name of a module"),
        (lambda: nn.ModuleDict({1: nn.ReLU()}), ValueError, "ModuleDict: 1 can't be the name of a module"),
        (lambda: nn.ParameterDict({"": 1.0}), ValueError, "ParameterDict: '' can't be the name of a parameter"),
        (lambda: nn.ParameterList([[1, 2]]), TypeError, "can't require a gradient"),
        (lambda: nn.ModuleList()(1.0), NotImplementedError, "ModuleList has no forward method"),
    ],
)
def test_what_can_not_be_held_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


class Net(nn.Module):
    def __init__(self):
        self.layers = nn.ModuleList([nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2)])
        self.heads = nn.ModuleDict({"mean": nn.Linear(2, 1), "spread": nn.Linear(2, 1)})
        self.scales = nn.ParameterList([nn.Parameter(1.0), nn.Parameter(2.0)])
        self.shifts = nn.ParameterDict({"a": nn.Parameter([1.0])})

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.heads["mean"](x) * self.scales[1] + self.shifts["a"]


def test_what_containers_hold_is_named_trained_and_called():
    net = Net()
    out = net(np.ones((3, 2)))
    assert (out.shape, net.layers[2].weight.name, net.scales[1].name) == ((3, 1), "W⁽²⁾", "scales.1")
    out.sum().backward()
    assert net.scales[1].grad is not None and net.scales[0].grad is None
    net.layers.insert(0, nn.Linear(2, 2))
    net(np.ones((3, 2)))
    assert net.layers[3].weight.name == "W⁽³⁾"


if importlib.util.find_spec("torch"):
    import torch

    def test_paths_are_those_of_torch():
        class Torch(torch.nn.Module):
            def __init__(self):
                super().__init__()
                m = torch.nn
                self.layers = m.ModuleList([m.Linear(2, 2), m.ReLU(), m.Linear(2, 2)])
                self.heads = m.ModuleDict({"mean": m.Linear(2, 1), "spread": m.Linear(2, 1)})
                self.scales = m.ParameterList([m.Parameter(torch.tensor(1.0)), m.Parameter(torch.tensor(2.0))])
                self.shifts = m.ParameterDict({"a": m.Parameter(torch.tensor([1.0]))})

        ours, theirs = Net(), Torch()
        assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
        assert [n for n, _ in ours.named_modules()][:5] == [n for n, _ in theirs.named_modules()][:5]
        ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
        theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
