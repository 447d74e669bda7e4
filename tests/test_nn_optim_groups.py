"""Groups of parameters with options of their own, states of PyTorch's layout, and PyTorch's steps."""

import copy
import importlib.util
import json
import pickle

import numpy as np
import pytest
from optimcases import OPTIMISERS

import nn

RANDOM = np.random.default_rng(0)
SHAPES = [(2, 3), (3,), (), (1,)]
STARTS = [RANDOM.standard_normal(shape) for shape in SHAPES]
TARGETS = [RANDOM.standard_normal(shape) for shape in SHAPES]


def slope(i, w, step):
    """A gradient that changes its sign on the way, and is missing now and then."""
    if (step + i) % 5 == 4:
        return None
    return (2 * (w - TARGETS[i]) + 0.3 * np.sin(5 * w) + np.cos(step + i)).astype(w.dtype)


def groups_of(ws):
    return [{"params": ws[:2]}, {"params": ws[2], "lr": 0.03, "weight_decay": 0.1}, {"params": [ws[3]], "lr": 0.2}]


def parameters(dtype=np.float64):
    return [nn.Parameter(start, dtype=dtype) for start in STARTS]


def run(optimizer, ws, steps):
    for step in steps:
        for i, w in enumerate(ws):
            w.grad = slope(i, w.data, step)
        optimizer.step()


def test_each_group_has_its_options():
    ws = parameters()
    optimizer = nn.SGD(groups_of(ws), lr=0.1)
    run(optimizer, ws, [0])
    for i, (lr, decay) in enumerate([(0.1, 0), (0.1, 0), (0.03, 0.1), (0.2, 0)]):
        np.testing.assert_allclose(ws[i].data, STARTS[i] - lr * (slope(i, STARTS[i], 0) + decay * STARTS[i]))
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.03, 0.2]
    assert optimizer.params == ws


def test_an_option_is_set_for_all_groups_and_read_where_they_agree():
    optimizer = nn.SGD(groups_of(parameters()), lr=0.1, momentum=0.5)
    assert optimizer.momentum == 0.5
    with pytest.raises(AttributeError, match=r"lr differs between the groups \(0.1, 0.03, 0.2\)"):
        _ = optimizer.lr
    optimizer.lr = 0.4
    assert optimizer.lr == 0.4
    assert [group["lr"] for group in optimizer.param_groups] == [0.4] * 3
    optimizer.param_groups[0]["lr"] = 0.5
    assert getattr(optimizer, "lr", None) is None
    with pytest.raises(AttributeError, match="SGD has no 'learning_rate'"):
        _ = optimizer.learning_rate
    with pytest.raises(ValueError, match="lr must be a number of at least 0, got -1"):
        optimizer.lr = -1


def test_a_group_can_be_added_later():
    ws = parameters()
    optimizer = nn.Adam(ws[:1], lr=0.1)
    run(optimizer, ws[:1], range(2))
    optimizer.add_param_group({"params": ws[1:], "lr": 0.01})
    run(optimizer, ws, [5])
    assert [state["step"] for state in optimizer.state] == [3, 1, 1, 1]
    assert optimizer.params == ws


def test_named_parameters_leave_their_names_in_the_groups():
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    optimizer = nn.SGD(net.named_parameters(), lr=0.1)
    assert optimizer.param_groups[0]["param_names"] == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert optimizer.params == list(net.parameters())
    optimizer.load_state_dict(nn.SGD(net.parameters(), lr=0.5).state_dict())
    assert optimizer.param_groups[0]["param_names"][0] == "0.weight"
    assert optimizer.lr == 0.5
    assert optimizer.state_dict()["param_groups"][0]["params"] == [0, 1, 2, 3]


def test_repr_tells_the_groups():
    w, v = nn.Parameter([1.0]), nn.Parameter([1.0])
    optimizer = nn.optim.Adadelta([{"params": [w], "lr": 0.5}, {"params": [v], "maximize": True}])
    assert repr(optimizer) == (
        "Adadelta(2 parameters in 2 groups\n"
        "  1: lr=0.5, rho=0.9, eps=1e-06, weight_decay=0.0\n"
        "  1: lr=1.0, rho=0.9, eps=1e-06, weight_decay=0.0, maximize=True\n)"
    )


@pytest.mark.parametrize("case", OPTIMISERS)
def test_groups_go_on_where_their_state_was_taken(case):
    ws = parameters(np.float32)
    optimizer = OPTIMISERS[case](nn.optim, groups_of(ws))
    run(optimizer, ws, range(7))
    state, again = pickle.loads(pickle.dumps(optimizer.state_dict())), [nn.Parameter(w.data) for w in ws]
    assert all(np.shape(v) in (w.shape, ()) for i, w in enumerate(ws) for v in state["state"].get(i, {}).values())
    before = copy.deepcopy(state)
    other = OPTIMISERS[case](nn.optim, groups_of(again))
    other.lr = 9.0
    other.load_state_dict(state)
    run(optimizer, ws, range(7, 14))
    run(other, again, range(7, 14))
    for w, v in zip(ws, again, strict=True):
        np.testing.assert_array_equal(w.data, v.data)
    assert repr(state) == repr(before)


def test_an_optimiser_can_be_copied_and_pickled_with_its_parameters():
    ws = parameters()
    optimizer = nn.Adam(groups_of(ws), lr=0.1)
    run(optimizer, ws, range(3))
    for other in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        assert repr(other) == repr(optimizer)
        assert all(p is not w for p, w in zip(other.params, ws, strict=True))
        assert [id(p) for group in other.param_groups for p in group["params"]] == [id(p) for p in other.params]


def test_a_state_may_have_gone_through_json():
    ws = parameters()
    optimizer = nn.Adam(ws, lr=0.1, betas=(0.5, 0.6))
    run(optimizer, ws, range(2))
    state = json.loads(json.dumps(optimizer.state_dict(), default=np.ndarray.tolist))
    for numbers in state["state"].values():
        numbers.update({name: np.array(value) for name, value in numbers.items()})
    other = nn.Adam(parameters())
    other.load_state_dict(state)
    assert (other.lr, other.betas) == (0.1, (0.5, 0.6))
    for mine, theirs in zip(optimizer.state, other.state, strict=True):
        np.testing.assert_equal(theirs, mine)


def test_options_beside_the_state_are_those_of_one_group():
    w = nn.Parameter([1.0])
    optimizer = nn.SGD([w])
    options = {"lr": 0.1, "momentum": 0.5, "dampening": 0.0, "weight_decay": 0.0, "nesterov": False}
    optimizer.load_state_dict(options | {"momentum_form": "average", "state": [{"v": np.array([2.0])}]})
    assert (optimizer.momentum_form, optimizer.state) == ("average", [{"v": np.array([2.0])}])


def test_only_the_numbers_of_a_float16_are_kept_in_float32():
    w = nn.Parameter(np.array([1.0], np.float16))
    for make in OPTIMISERS.values():
        optimizer = make(nn.optim, [w])
        w.grad = np.array([1e-4], np.float16)
        optimizer.step()
        arrays = [v for v in optimizer.state[0].values() if isinstance(v, np.ndarray)]
        assert w.dtype == np.float16 and all(array.dtype == np.float32 for array in arrays)


def group(**options):
    return {"params": [nn.Parameter([1.0])], **options}


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.SGD([group(), {"lr": 1}]), TypeError, "params of group 1: a dict with 'params' is needed"),
        (lambda: nn.SGD([group(), nn.Parameter(1.0)]), TypeError, "params of group 1: a dict with 'params' is needed"),
        (lambda: nn.SGD([nn.Parameter(1.0), group()]), TypeError, "params: number 1 is dict, expected a Tensor"),
        (lambda: nn.SGD([group(), group(weigth_decay=1)]), ValueError, "no option 'weigth_decay'; did you mean 'weigh"),
        (lambda: nn.SGD([group(lr=-1)]), ValueError, "lr must be a number of at least 0, got -1"),
        (lambda: nn.SGD([group(nesterov=True)]), ValueError, "nesterov needs a momentum above 0"),
        (lambda: nn.SGD([("w", nn.Parameter(1.0)), nn.Parameter(2.0)]), ValueError, "params: all need a name, or none"),
        (lambda: nn.SGD({nn.Parameter(1.0)}), TypeError, "a set has no order; give a list"),
        (
            lambda: nn.SGD([group(), {"params": nn.ReLU()}]),
            TypeError,
            r"of group 1: give model.parameters\(\), not the ReLU",
        ),
        (lambda: nn.SGD(nn.ReLU().parameters), TypeError, "params: Tensors are needed, such as .* got method"),
        (lambda: nn.SGD([g := group(), g]), ValueError, "params of group 1: one of them is given twice"),
        (lambda: nn.SGD([group()], momentum="0.9"), ValueError, "momentum must be a number of at least 0, got '0.9'"),
        (lambda: nn.SGD([group()], maximize="no"), ValueError, "maximize must be True or False, got 'no'"),
        (lambda: nn.SGD([group()], dampening=float("nan")), ValueError, "dampening must be a finite number, got nan"),
        (lambda: nn.Adam([group()], betas=0.9), ValueError, "betas must be two numbers of at least 0 .* got 0.9"),
        (lambda: nn.optim.Adadelta([group()], rho=1.5), ValueError, "rho must be from 0 to 1, got 1.5"),
        (lambda: nn.optim.Rprop([group()], etas=(0.5, 0.9)), ValueError, "etas must be two numbers below and above 1"),
        (lambda: nn.optim.Rprop([group()], step_sizes=(1, 0)), ValueError, "step_sizes must be .* smaller one first"),
        (lambda: nn.optim.Adam([group()], foreach=True), TypeError, "unexpected keyword argument 'foreach'"),
        (
            lambda: nn.SGD([group()]).load_state_dict(nn.SGD([group(), group()]).state_dict()),
            ValueError,
            "the state has 2 groups, but this optimiser has 1",
        ),
        (
            lambda: nn.SGD([group(), group()]).load_state_dict(
                nn.SGD([{"params": [nn.Parameter(1.0), nn.Parameter(2.0)]}, group()]).state_dict()
            ),
            ValueError,
            "the state is of 2 parameters, but this group has 1",
        ),
    ],
)
def test_bad_groups_are_answered_with_a_sentence(make, error, message):
    with pytest.raises(error, match=message):
        make()


if importlib.util.find_spec("torch"):
    import torch

    @pytest.fixture(autouse=True)
    def numbers_of_torch():
        """NAdam keeps a product in torch's default dtype."""
        torch.set_default_dtype(torch.float64)
        yield
        torch.set_default_dtype(torch.float32)

    def torch_parameters(dtype=np.float64):
        return [torch.tensor(start.astype(dtype), requires_grad=True) for start in STARTS]

    def run_torch(optimizer, ws, steps):
        for step in steps:
            for i, w in enumerate(ws):
                g = slope(i, w.detach().numpy(), step)
                w.grad = None if g is None else torch.tensor(g)
            optimizer.step()

    def assert_near(ws, theirs, dtype):
        tolerance = 2e-5 if dtype == np.float32 else 1e-11
        for w, t in zip(ws, theirs, strict=True):
            assert w.dtype == dtype
            np.testing.assert_allclose(w.data, t.detach().numpy(), rtol=tolerance, atol=tolerance)

    def for_torch(state):
        """A state with tensors for its arrays and numbers."""
        inside = {i: {k: torch.tensor(v) for k, v in s.items()} for i, s in state["state"].items()}
        return {"state": inside, "param_groups": state["param_groups"]}

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("case", OPTIMISERS)
    def test_steps_are_those_of_torch(case, dtype):
        ws, theirs = parameters(dtype), torch_parameters(dtype)
        run(OPTIMISERS[case](nn.optim, ws), ws, range(12))
        run_torch(OPTIMISERS[case](torch.optim, theirs), theirs, range(12))
        assert_near(ws, theirs, dtype)

    @pytest.mark.parametrize("case", OPTIMISERS)
    def test_steps_of_groups_and_states_in_both_directions_are_those_of_torch(case):
        make, dtype = OPTIMISERS[case], np.float64
        ws, theirs = parameters(), torch_parameters()
        ours, torchs = make(nn.optim, groups_of(ws)), make(torch.optim, groups_of(theirs))
        run(ours, ws, range(8))
        run_torch(torchs, theirs, range(8))
        assert_near(ws, theirs, dtype)
        saved, torch_saved = ours.state_dict(), copy.deepcopy(torchs.state_dict())
        for i, state in torch_saved["state"].items():
            assert {k for k, v in state.items() if v is not None} == saved["state"].get(i, {}).keys()
        ours, torchs = make(nn.optim, groups_of(ws)), make(torch.optim, groups_of(theirs))
        ours.load_state_dict(torch_saved)
        torchs.load_state_dict(for_torch(saved))
        run(ours, ws, range(8, 16))
        run_torch(torchs, theirs, range(8, 16))
        assert_near(ws, theirs, dtype)

    @pytest.mark.parametrize("name", [name for name in nn.optim.__all__ if name not in ("Optimizer", "lr_scheduler")])
    def test_defaults_are_those_of_torch(name):
        w = nn.Parameter([1.0])
        ours = getattr(nn.optim, name)([w]).defaults
        theirs = getattr(torch.optim, name)([torch.tensor([1.0], requires_grad=True)]).defaults
        switches = {"foreach", "capturable", "differentiable", "fused"}
        assert {k: v for k, v in ours.items() if k != "momentum_form"} == {
            k: v for k, v in theirs.items() if k not in switches
        }
