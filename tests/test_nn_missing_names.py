"""Names of parts that collide, and names that nn does not have."""

import numpy as np
import pytest

import nn


def weight(number=1.0):
    return nn.Parameter([number])


def held(**attributes):
    """A Module with attributes; ``__`` stands for a dot in the name of one."""
    net = nn.Module()
    for name, value in attributes.items():
        setattr(net, name.replace("__", "."), value)
    return net


COLLISIONS = {
    "the keys 1 and '1'": (lambda: held(layers={1: weight(), "1": weight()}), "layers.1"),
    "a dot in a key": (lambda: held(layers={"a.b": weight(), "a": {"b": weight()}}), "layers.a.b"),
    "a dot in an attribute": (lambda: held(a__weight=weight(), a=nn.Linear(1, 1)), "a.weight"),
    "a list beside an attribute": (lambda: held(a=[weight()], a__0=weight()), "a.0"),
    "two layers": (lambda: held(layers={1: nn.Linear(2, 2), "1": nn.Linear(2, 2)}), "layers.1.weight"),
}


@pytest.mark.parametrize(("make", "path"), COLLISIONS.values(), ids=COLLISIONS)
def test_two_parameters_of_one_name_are_refused_instead_of_losing_one(make, path):
    net = make()
    said = f"Module: two different Parameters are both called '{path}'.*rename one of them"
    for use in (net.state_dict, lambda: net.load_state_dict({}), lambda: list(net.parameters())):
        with pytest.raises(ValueError, match=said):
            use()


def test_two_modules_of_one_name_are_refused_where_names_are_asked_for():
    net = held(layers={1: nn.ReLU(), "1": nn.ReLU()})
    with pytest.raises(ValueError, match=r"two different ReLUs are both called 'layers\.1'"):
        dict(net.named_modules())


def test_a_buffer_and_a_parameter_of_one_name_are_refused():
    net = held(stats=nn.Module(), stats__mean=weight())
    net.stats.register_buffer("mean", np.zeros(1))
    with pytest.raises(ValueError, match=r"both called 'stats\.mean'"):
        net.state_dict()


def test_one_part_under_one_name_twice_or_under_two_names_is_no_collision():
    w = weight()
    net = held(layers={1: w, "1": w}, again=w)
    assert list(net.state_dict()) == ["layers.1", "again"]
    assert list(net.parameters()) == [w]


# --- names that nn does not have --------------------------------------------------------------------------------------

MODULES = [nn, nn.functional, nn.init, nn.optim, nn.optim.lr_scheduler, nn.utils, nn.data, nn.datasets, nn.loader]
MODULES += [nn.transforms]


@pytest.mark.parametrize(
    ("module", "name", "near"),
    [
        (nn, "relu", "nn.ReLU, nn.functional.relu"),
        (nn, "log_softmax", "nn.LogSoftmax, nn.functional.log_softmax"),
        (nn, "linear", "nn.Linear"),
        (nn.functional, "CrossEntropyLoss", "nn.CrossEntropyLoss"),
        (nn.init, "xavier_uniform", "nn.init.xavier_uniform_"),
        (nn.optim, "AdaGrad", "nn.optim.Adagrad"),
        (nn.optim, "StepLr", "nn.optim.lr_scheduler.StepLR"),
        (nn.utils, "clip_grad_norm", "nn.utils.clip_grad_norm_"),
    ],
)
def test_a_name_that_is_missing_is_an_error_that_names_the_nearest(module, name, near):
    with pytest.raises(AttributeError, match=f"^{module.__name__} has no '{name}'; nearest: {near}") as error:
        getattr(module, name)
    assert (error.value.name, error.value.obj) == (name, module)


@pytest.mark.parametrize(("module", "name"), [(nn, "Quaternion"), (nn.functional, "wavelet"), (nn.optim, "LBFGS")])
def test_a_name_without_a_near_one_is_told_where_the_list_is(module, name):
    with pytest.raises(AttributeError) as error:
        getattr(module, name)
    said, path = str(error.value), module.__name__
    assert said.startswith(f"{path} has no '{name}'. dir({path}) lists the {len(dir(module))} names that it has")
    assert ("with NumPy's functions" in said) == (module is not nn.optim)
    assert len(said) < 250


@pytest.mark.parametrize(("name", "said"), [("SyncBatchNorm", "nn.BatchNorm1d"), ("DataParallel", "the module itself")])
def test_what_needs_several_devices_is_told_what_to_take(name, said):
    with pytest.raises(AttributeError, match=f"^nn has no '{name}': there is one .*{said}"):
        getattr(nn, name)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_dir_shows_what_is_meant_for_people(module):
    assert dir(module) == sorted(module.__all__)
    for name in dir(module):
        assert getattr(module, name) is not None
    assert not hasattr(module, "Quaternion")
