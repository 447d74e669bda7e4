"""Hooks, and what else a Module does with its parts: finding them by path, registering, freezing, casting them."""

import copy
import importlib.util

import numpy as np
import pytest

import nn
import viz
from autograd import Tape, Tensor, grad, no_grad

RNG = np.random.default_rng(0)


def numbers(*shape):
    return RNG.standard_normal(shape)


def small():
    return nn.Sequential(nn.Linear(3, 4, rng=0), nn.ReLU(), nn.Linear(4, 2, rng=1)).to(np.float64)


# --- forward hooks


def test_forward_hooks_see_and_may_replace_what_goes_in_and_comes_out():
    net, x = small(), numbers(5, 3)
    seen = []
    handles = [
        net[1].register_forward_pre_hook(lambda module, args: seen.append(("before", args[0].name))),
        net[1].register_forward_hook(lambda module, args, out: seen.append(("after", len(args), out.name))),
    ]
    plain = net(x).data
    assert seen == [("before", "z⁽¹⁾"), ("after", 1, "a⁽¹⁾")]
    handles += [
        net[0].register_forward_pre_hook(lambda module, args: 2 * args[0]),
        net[2].register_forward_hook(lambda module, args, out: out + 1),
    ]
    w, b = net[0].weight.data, net[0].bias.data
    expected = np.maximum(2 * x @ w.T + b, 0) @ net[2].weight.data.T + net[2].bias.data + 1
    assert np.allclose(net(x).data, expected)
    for handle in handles:
        handle.remove()
        handle.remove()
    assert (net(x).data == plain).all()
    assert len(seen) == 4


def test_hooks_are_called_in_order_and_may_be_put_first():
    layer, seen = nn.ReLU(), []
    for name, prepend in (("a", False), ("b", False), ("c", True)):
        layer.register_forward_hook(lambda m, args, out, name=name: seen.append(name), prepend=prepend)
    layer(numbers(2))
    assert seen == ["c", "a", "b"]


def test_hooks_are_given_keywords_where_they_ask_for_them():
    class Scale(nn.Module):
        def forward(self, x, by=1.0):
            return x * by

    layer, seen = Scale(), []
    layer.register_forward_pre_hook(lambda m, args, kwargs: (args, {"by": kwargs["by"] + 1}), with_kwargs=True)
    layer.register_forward_hook(lambda m, args, kwargs, out: seen.append(kwargs["by"]), with_kwargs=True)
    assert layer(np.array([2.0]), by=2.0).tolist() == [6.0]
    assert seen == [3.0]
    layer.register_forward_pre_hook(lambda m, args, kwargs: args, with_kwargs=True)
    with pytest.raises(TypeError, match=r"must return \(args, kwargs\) or None"):
        layer(np.array([2.0]), by=2.0)
    with pytest.raises(TypeError, match="a hook must be callable, got int"):
        layer.register_forward_hook(3)


def test_a_hook_may_be_held_by_a_with_block_and_is_copied_with_the_module():
    layer, seen = nn.ReLU(), []
    with layer.register_forward_hook(lambda m, args, out: seen.append(m)):
        other = copy.deepcopy(layer)
        layer(numbers(2))
    layer(numbers(2))
    other(numbers(2))
    assert seen == [layer, other]


# --- backward hooks


class Pair(nn.Module):
    """Two inputs, two outputs."""

    def forward(self, x, y):
        return x * y, x.sum() + y


def test_a_backward_hook_gets_both_gradients_and_changes_no_number():
    net, x, seen = small(), Tensor(numbers(5, 3)), []
    net(x).sum().backward()
    expected = x.grad
    x.zero_grad()
    net[1].register_full_backward_hook(lambda module, grad_in, grad_out: seen.append((module, *grad_in, *grad_out)))
    out = net(x)
    out.sum().backward()
    assert np.allclose(x.grad, expected)
    ((module, grad_in, grad_out),) = seen
    assert module is net[1]
    assert np.allclose(grad_out, np.broadcast_to(net[2].weight.data.sum(axis=0), (5, 4)))
    assert np.allclose(grad_in, grad_out * (net[0](x).data > 0))
    assert [n.op for n in Tape(out) if not n.is_leaf] == ["inner", "add", "gate", "relu", "gate", "inner", "add"]


def test_names_pass_the_gates_of_a_backward_hook():
    net = small()
    plain = net(numbers(1, 3))
    for layer in net:
        layer.register_full_backward_hook(lambda *_: None)
    hooked = net(numbers(1, 3))
    names = [{node.name for node in Tape(out) if node.name} for out in (plain, hooked)]
    assert names[0] == names[1] == {"x", "W⁽¹⁾", "b⁽¹⁾", "W⁽²⁾", "b⁽²⁾", "z⁽¹⁾", "a⁽¹⁾", "z⁽²⁾"}


def test_a_backward_hook_may_send_another_gradient_on():
    layer, x = nn.ReLU(), Tensor([-1.0, 1.0, 2.0])
    layer.register_full_backward_hook(lambda module, grad_in, grad_out: (np.maximum(grad_in[0], 0),))
    (layer(x) * np.array([1.0, -1.0, 1.0])).sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 1.0]
    layer.register_full_backward_hook(lambda module, grad_in, grad_out: (1.0,))
    with pytest.raises(ValueError, match=r"hook of ReLU must return None, or .* of shapes \[\(3,\)\], got \[\(\)\]"):
        layer(x).sum().backward()


def test_backward_hooks_are_called_wherever_gradients_are_recorded_and_never_without():
    layer, seen = nn.Tanh(), []
    layer.register_full_backward_hook(lambda module, grad_in, grad_out: seen.append(type(grad_in[0])))
    assert np.isclose(grad(grad(lambda x: layer(x)))(0.5), -2 * np.tanh(0.5) / np.cosh(0.5) ** 2)
    assert set(seen) <= {Tensor, np.ndarray} and Tensor in seen
    seen.clear()
    with no_grad():
        layer(Tensor(1.0))
    layer(np.ones(2))
    assert not seen


def test_a_hook_of_a_module_whose_input_has_no_gradient_is_called_with_None():
    net, seen = small(), []
    net[0].register_full_backward_hook(lambda module, grad_in, grad_out: seen.append((grad_in, grad_out[0].shape)))
    net(numbers(5, 3)).sum().backward()
    assert seen == [((None,), (5, 4))]


def test_a_formula_calls_the_hook_by_its_name_and_gives_it_numbers_alone():
    net, seen = small(), []
    net[1].register_full_backward_hook(lambda module, grad_in, grad_out: seen.append(type(grad_in[0])))
    loss = net(numbers(2, 3)).sum()
    assert "hooked(∂L/∂z⁽¹⁾ (2), listen=hooks)" in str(viz.derive(loss, "W⁽¹⁾"))
    assert all(step.equation for step in viz.step(loss) if "←" in step.title)
    assert "gate" in viz.draw(loss).svg()
    assert set(seen) == {np.ndarray}


# --- parts by path


def test_parts_are_found_by_their_paths():
    net = nn.Sequential(nn.Sequential(nn.Linear(2, 2)), nn.ReLU())
    net[1].register_buffer("seen", np.zeros(2))
    assert net.get_submodule("0.0") is net[0][0] and net.get_submodule("") is net
    assert net.get_parameter("0.0.bias") is net[0][0].bias
    assert net.get_buffer("1.seen") is net[1].seen
    assert [n for n, _ in net.named_buffers(prefix="net")] == ["net.1.seen"]
    assert list(net.named_buffers(recurse=False)) == [] and [b.shape for b in net.buffers()] == [(2,)]
    for get, what in ((net.get_submodule, "module"), (net.get_parameter, "parameter"), (net.get_buffer, "buffer")):
        with pytest.raises(AttributeError, match=f"Sequential has no {what} 'nowhere'"):
            get("nowhere")
    with pytest.raises(AttributeError, match=r"no parameter '0\.0\.wieght'; nearest: 0\.0\.weight"):
        net.get_parameter("0.0.wieght")


def test_parts_are_registered_by_name():
    net = nn.Module()
    net.register_parameter("scale", nn.Parameter(2.0))
    net.register_parameter("none", None)
    net.add_module("layer", nn.Linear(1, 1))
    net.register_module("0", nn.ReLU())
    assert [n for n, _ in net.named_parameters()] == ["scale", "layer.weight", "layer.bias"]
    assert [n for n, _ in net.named_children()] == ["layer", "0"]
    assert net.none is None
    net.register_parameter("scale", nn.Parameter(3.0))
    assert net.scale.item() == 3.0


def test_a_buffer_need_not_be_saved():
    net = nn.Module()
    net.register_buffer("kept", np.ones(1))
    net.register_buffer("passing", np.ones(1), persistent=False)
    assert list(net.state_dict()) == ["kept"] and [n for n, _ in net.named_buffers()] == ["kept", "passing"]
    assert net.half().passing.dtype == np.float16
    net.load_state_dict({"kept": [2.0]})
    net.register_buffer("passing", np.zeros(1))
    assert list(net.state_dict()) == ["kept", "passing"]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m: m.register_parameter("w", np.ones(1)), TypeError, "w must be an nn.Parameter or None, got ndarray"),
        (lambda m: m.add_module("w", np.ones(1)), TypeError, "w must be an nn.Module or None, got ndarray"),
        (lambda m: m.add_module("forward", nn.ReLU()), ValueError, "Linear already has an attribute 'forward'"),
        (lambda m: m.register_parameter("a.b", None), ValueError, "the name of an attribute is needed, got 'a.b'"),
        (lambda m: m.register_buffer("weight", 1), ValueError, "Linear already has an attribute 'weight'"),
        (lambda m: m.to("cuda"), TypeError, "a floating dtype such as np.float64 is needed, got 'cuda'"),
        (lambda m: m.to(int), TypeError, "a floating dtype such as np.float64 is needed, got int64"),
    ],
)
def test_what_can_not_be_registered_or_cast_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(nn.Linear(1, 1))


def test_requires_grad_freezes_and_frees():
    net = small()
    assert net.requires_grad_(False) is net
    assert not net(numbers(1, 3)).requires_grad
    net[2].requires_grad_()
    net(numbers(1, 3)).sum().backward()
    assert net[0].weight.grad is None and net[2].weight.grad is not None


@pytest.mark.parametrize(("cast", "dtype"), [("half", "float16"), ("float", "float32"), ("double", "float64")])
def test_casting_keeps_the_parameters_and_their_names(cast, dtype):
    net = nn.Sequential(nn.Linear(2, 1), nn.ReLU())
    net[1].register_buffer("mean", np.ones(2))
    net[1].register_buffer("count", np.array(3))
    optimizer = nn.SGD(net.parameters(), lr=0.1)
    net(np.ones((1, 2))).sum().backward()
    weight, kept = net[0].weight, net[0].weight.data
    assert getattr(net, cast)() is net
    assert net[0].weight is weight and weight.name == "W⁽¹⁾" and weight.node.op == "parameter"
    assert weight.data.dtype == weight.grad.dtype == dtype
    assert (weight.data == kept.astype(dtype)).all()
    assert (net[1].mean.dtype, net[1].count.dtype) == (dtype, np.dtype(int))
    assert net(np.ones((1, 2))).dtype == dtype
    optimizer.step()
    assert weight.dtype == dtype


# --- torch

if importlib.util.find_spec("torch"):
    import torch

    HOOKED = {
        "one layer": (lambda m: m.Linear(3, 2), (lambda y: y), [(4, 3)], (True,)),
        "a network": (lambda m: m.Sequential(m.Linear(3, 2), m.Tanh()), (lambda y: y * y), [(4, 3)], (True,)),
        "two inputs, two outputs": (
            lambda m: type("Pair", (m.Module,), {"forward": Pair.forward})(),
            (lambda y: y[0].sum() + (y[1] ** 2).sum()),
            [(4, 3), (3,)],
            (True, True),
        ),
        "one of two inputs": (
            lambda m: type("Pair", (m.Module,), {"forward": Pair.forward})(),
            (lambda y: y[0].sum() + (y[1] ** 2).sum()),
            [(4, 3), (3,)],
            (False, True),
        ),
    }

    @pytest.mark.parametrize("change", [None, lambda g: None if g is None else 2 * g], ids=["watched", "changed"])
    @pytest.mark.parametrize("case", HOOKED)
    def test_backward_hooks_get_and_send_what_those_of_torch_do(case, change):
        make, after, shapes, wanted = HOOKED[case]
        ours, theirs = make(nn).to(np.float64), make(torch.nn).double()
        ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
        arrays = [numbers(*shape) for shape in shapes]
        xs = [Tensor(a, requires_grad=w) for a, w in zip(arrays, wanted, strict=True)]
        ts = [torch.tensor(a, requires_grad=w) for a, w in zip(arrays, wanted, strict=True)]
        seen = []

        def hook(module, grad_in, grad_out):
            seen.append([None if g is None else g if module is ours else g.numpy() for g in (*grad_in, *grad_out)])
            return None if change is None else tuple(map(change, grad_in))

        for module, inputs in ((ours, xs), (theirs, ts)):
            module.register_full_backward_hook(hook)
            after(module(*inputs)).sum().backward()
        for mine, other in zip(*seen, strict=True):
            if mine is None:  # torch has zeros where another input has a gradient
                assert other is None or not other.any()
            else:
                assert np.allclose(mine, other)
        for x, t in zip(xs, ts, strict=True):
            assert (x.grad is None) == (t.grad is None)
            assert x.grad is None or np.allclose(x.grad, t.grad.numpy())
