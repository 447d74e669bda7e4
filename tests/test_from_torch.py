"""Methods that PyTorch's users type, and micrograd's names: the values and gradients are PyTorch's."""

import numpy as np
import pytest

from autograd import Tensor, enable_grad, no_grad
from autograd.micrograd import Value

A = np.array([[0.5, -1.0, 2.0, 0.3], [1.5, 0.7, -0.2, 0.9], [-0.6, 1.1, 0.4, -2.0]])
B = np.array([[1.2, 0.4, -0.7, 2.0], [0.3, -1.5, 0.8, 0.1], [0.9, 0.2, 1.7, -0.5]])
INDEX = np.array([[0, 2, 1, 1], [2, 2, 0, 1]])

METHODS = {
    "relu": lambda a, b: a.relu(),
    "sigmoid": lambda a, b: a.sigmoid(),
    "softmax": lambda a, b: a.softmax(1) + a.softmax(dim=0),
    "log_softmax": lambda a, b: a.log_softmax(dim=-1),
    "logsumexp": lambda a, b: a.logsumexp(0, keepdim=True),
    "products": lambda a, b: a.matmul(b.t()) + a.mm(b.t()) + a.unsqueeze(0).bmm(b.t().unsqueeze(0)),
    "mv": lambda a, b: a.mv(b[0]),
    "arithmetic": lambda a, b: a.add(b, alpha=2).sub(b, alpha=0.5).mul(a).div(b).pow(2).neg(),
    "add": lambda a, b: a.add(b).multiply(3).subtract(b).divide(a.pow(2) + 1),
    "extremes": lambda a, b: a.maximum(b) * a.minimum(b),
    "rsqrt": lambda a, b: a.square().rsqrt(),
    "norm": lambda a, b: a.norm() + a.norm(p=1) + a.norm(dim=1, keepdim=True) + a.norm(3, 0),
    "masked_fill": lambda a, b: a.masked_fill(a > 0, 2.0) * b,
    "permute": lambda a, b: a.unsqueeze(-1).permute(2, 0, 1) * a.reshape(1, 3, 4).permute((0, 1, 2)),
    "expand": lambda a, b: a.unsqueeze(1).expand(-1, 2, -1) * a[0].expand_as(b).unsqueeze(1).expand(3, 2, 4),
    "view": lambda a, b: a.view(2, 6).view_as(b) * b.contiguous().flatten().reshape_as(a),
    "flatten": lambda a, b: a.view(3, 2, 2).flatten(1) * b + a.view(3, 2, 2).flatten(start_dim=1, end_dim=2),
    "flip": lambda a, b: a.flip(0) * a.flip(0, 1) * a.flip([1]),
    "split": lambda a, b: a.split(3, dim=1)[0] * b.split([1, 3], 1)[1],
    "chunk": lambda a, b: a.chunk(2, 1)[1] * b.chunk(3, dim=1)[0] + a.chunk(2)[1].sum(),
    "unbind": lambda a, b: a.unbind(1)[2] * b.unbind()[0].sum(),
    "gather": lambda a, b: a.gather(0, INDEX if isinstance(a, Tensor) else b.new_tensor(INDEX).long()),
    "triangles": lambda a, b: a.tril() * b + a.triu(1) * b.tril(diagonal=1),
    "dim=": lambda a, b: a.sum(dim=1) * b.mean(dim=1) + a.prod(dim=1) * b.sum(dim=(0, 1)) + a.cumsum(dim=0)[0, 0],
    "keepdim=": lambda a, b: a.sum(dim=0, keepdim=True) * b.mean(dim=1, keepdim=True) * b.prod(dim=0, keepdim=True),
    "argmax": lambda a, b: a * (b.argmax(dim=1, keepdim=True) + 1),
    "sizes": lambda a, b: a * (a.size(1) + a.numel() + a.dim() + len(a.size()) + b.nelement() + a.size(-1)),
    "casts": lambda a, b: a.float().double() * b.half().type_as(a) * (b > 0),
}


@pytest.mark.parametrize("name", METHODS)
def test_a_method_of_pytorch_gives_what_it_gives_there(name):
    torch = pytest.importorskip("torch")
    theirs = [torch.tensor(x, requires_grad=True) for x in (A, B)]
    expected = METHODS[name](*theirs)
    expected.sin().sum().backward()
    ours = [Tensor(A), Tensor(B)]
    found = METHODS[name](*ours)
    np.sin(found).sum().backward()
    np.testing.assert_allclose(found.data, expected.detach().numpy(), rtol=1e-6)
    assert found.shape == tuple(expected.shape)
    for x, y in zip(ours, theirs, strict=True):
        if y.grad is not None:
            np.testing.assert_allclose(x.grad, y.grad.numpy(), rtol=1e-6, atol=1e-12)


def test_a_leaf_is_updated_in_place_where_nothing_is_recorded():
    p = Tensor([1.0, 2.0], name="p")
    loss = (p * p).sum()
    loss.backward()
    with no_grad():
        assert p.sub_(0.1 * p.grad) is p and p.requires_grad and p.is_leaf
        p -= 0.1 * p.grad
    np.testing.assert_allclose(p.data, [0.6, 1.2])
    assert loss.node.parents[0].parents[0].value.tolist() == [1, 2]
    with no_grad():
        p.add_(Tensor([1.0, 1.0]), alpha=2).mul_(2).div_(4.0).clamp_(max=1.5)
        np.testing.assert_allclose(p.data, [1.3, 1.5])
        assert p.zero_().data.tolist() == [0, 0] and p.fill_(3).copy_([4.0, 5.0]).data.tolist() == [4, 5]
    with enable_grad(), pytest.raises(RuntimeError, match=r"with no_grad\(\): p -= lr \* p.grad"):
        p.mul_(2)
    with no_grad(), pytest.raises(ValueError, match=r"p of shape \(2,\) can't hold an array of shape \(2, 2\)"):
        p.add_([[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises(RuntimeError, match=r"result of multiply.*add_ can't change it.*t = t.add\(…\)"):
        (p * 2).add_(1)
    constant = Tensor([1.0], requires_grad=False)
    assert constant.add_(1).data.tolist() == [2] and not constant.requires_grad


def test_the_size_is_a_number_and_can_be_called():
    t = Tensor(A)
    assert (
        t.size == 12 and isinstance(t.size, int) and t.size() == (3, 4) and t.size(0) == 3 and Tensor(2.0).size() == ()
    )


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda t: t.max(dim=1), TypeError, r"values and their places.*t.max\(axis=…\)"),
        (lambda t: t.std(dim=1), TypeError, r"N − 1 in PyTorch.*ddof=1"),
        (lambda t: t.sum(axis=1, dim=1), TypeError, "dim is axis"),
        (lambda t: t.prod(axis=1, dim=1), TypeError, "dim is axis"),
        (lambda t: t.softmax(), TypeError, "give the axis to go along"),
        (lambda t: t.masked_fill(np.ones((3, 4)), 0.0), TypeError, "of booleans, got dtype float64"),
        (lambda t: t.unsqueeze(0).t(), ValueError, "for matrices"),
        (lambda t: t.split([1, 1]), ValueError, "length 3"),
    ],
)
def test_what_means_something_else_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(Tensor(A))


def test_the_gradient_of_an_integer_leaf_is_asked_for_with_a_warning():
    n = Tensor(3, name="n")
    with pytest.warns(UserWarning, match=r"n of shape \(\) has dtype int64, which takes no gradient: write 3.0 for 3"):
        assert n.grad is None


def test_micrograds_numbers_run():
    a, b = Value(-4), Value(2.0, label="b")
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    assert round(float(g.data), 4) == 24.7041 and round(float(a.grad), 4) == 138.8338 and b.grad.round(4) == 645.5773
    assert f"{g.data:.2f}" == "24.70" and b.label == "b" and g.requires_grad


def test_micrograds_drawing_finds_operands_numbers_and_gradients():
    a, b = Value(2.0, label="a"), Value(-3)
    loss = (a * b + a).tanh()
    loss.retain_grad()
    loss.backward()
    nodes, edges = set(), set()

    def build(v):
        if v not in nodes:
            nodes.add(v)
            for child in v._prev:
                edges.add((child, v))
                build(child)

    build(loss)
    assert sorted(v._op for v in nodes) == ["", "", "add", "multiply", "tanh"] and len(edges) == 5
    assert len({id(v) for v in nodes} | {id(v) for pair in edges for v in pair}) == 5
    assert {v.label: float(v.grad) for v in nodes if v._op == "" and v.label}["a"] == float(a.grad)
    assert all(f"{v.data:.4f} {v.grad:.4f}" for v in nodes)
