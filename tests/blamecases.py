"""Networks whose gradients are derived by hand, in plain NumPy; and what blame must say of a wrong one."""

from types import SimpleNamespace

import numpy as np

from autograd import Tensor
from nn import functional as F


def sigma(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def blamed(report, slip, place=None):
    """The slip is the first finding, or among those that are said to give the same numbers; at that place."""
    found = [finding for finding in report if finding.slip == slip]
    assert found, f"{slip!r} is not among the findings:\n{report}"
    assert report.first.slip == slip or "can't be told apart" in str(report), str(report)
    if place is not None:
        assert place.node in found[0].places, str(report)
    assert str(found[0].source) in str(report) or found[0].node.is_leaf
    return found[0]


def mlp(activation="sigmoid", n=5, sizes=(3, 4, 2), seed=0, loss="half"):
    """Two layers with a batch; its numbers as plain arrays, and the records of the values in between."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, sizes[0]))
    y = rng.normal(size=(n, sizes[2]))
    W1, b1 = rng.normal(size=(sizes[0], sizes[1])), rng.normal(size=sizes[1])
    W2, b2 = rng.normal(size=(sizes[1], sizes[2])), rng.normal(size=sizes[2])
    t = SimpleNamespace(
        W1=Tensor(W1, name="W⁽¹⁾"), b1=Tensor(b1, name="b⁽¹⁾"), W2=Tensor(W2, name="W⁽²⁾"), b2=Tensor(b2, name="b⁽²⁾")
    )
    act = {"sigmoid": F.sigmoid, "tanh": np.tanh, "relu": F.relu}[activation]
    t.z1 = x @ t.W1 + t.b1
    t.a1 = act(t.z1)
    t.z2_product = t.a1 @ t.W2
    t.z2 = t.z2_product + t.b2
    t.a2 = act(t.z2)
    for name in ("z1", "a1", "z2", "a2"):
        getattr(t, name).name = f"{name[0]}⁽{'¹²'[int(name[1]) - 1]}⁾"
    t.e = t.a2 - y
    t.loss = {"half": lambda: 0.5 * np.sum(t.e**2) / n, "mean": lambda: np.mean(t.e**2)}[loss]()
    z1 = x @ W1 + b1
    f = {"sigmoid": sigma, "tanh": np.tanh, "relu": lambda z: np.maximum(z, 0)}[activation]
    df = {
        "sigmoid": lambda z: sigma(z) * (1 - sigma(z)),
        "tanh": lambda z: 1 - np.tanh(z) ** 2,
        "relu": lambda z: (z > 0) * 1.0,
    }[activation]
    a1 = f(z1)
    z2 = a1 @ W2 + b2
    a2 = f(z2)
    scale = 1 / n if loss == "half" else 2 / a2.size
    d2 = scale * (a2 - y) * df(z2)
    d1 = (d2 @ W2.T) * df(z1)
    v = SimpleNamespace(x=x, y=y, W1=W1, b1=b1, W2=W2, b2=b2, z1=z1, a1=a1, z2=z2, a2=a2, d1=d1, d2=d2, n=n, df=df)
    return t, v


def classifier(n=4, classes=3, seed=1):
    rng = np.random.default_rng(seed)
    x, W, b = rng.normal(size=(n, 5)), rng.normal(size=(5, classes)), rng.normal(size=classes)
    labels = np.array([0, 2, 1, 2])[:n]
    t = SimpleNamespace(W=Tensor(W, name="W"), b=Tensor(b, name="b"))
    t.z = x @ t.W + t.b
    t.z.name = "z"
    p = softmax(x @ W + b)
    return t, SimpleNamespace(x=x, labels=labels, p=p, onehot=np.eye(classes)[labels], n=n, z=x @ W + b)


def recurrent(steps=4, seed=5):
    rng = np.random.default_rng(seed)
    xs, W, U = rng.normal(size=(steps, 2)), rng.normal(size=(3, 3)), rng.normal(size=(3, 2))
    t = SimpleNamespace(W=Tensor(W, name="W"), U=Tensor(U, name="U"))
    h, t.h = Tensor(np.zeros(3), requires_grad=False), []
    for x in xs:
        h = np.tanh(t.W @ h + t.U @ x)
        t.h.append(h)
    t.loss = 0.5 * (h**2).sum()
    hs = [np.zeros(3)]
    for x in xs:
        hs.append(np.tanh(W @ hs[-1] + U @ x))
    parts, g = [], hs[-1]
    for k in range(steps, 0, -1):
        d = g * (1 - hs[k] ** 2)
        parts.append((np.outer(d, hs[k - 1]), np.outer(d, xs[k - 1])))
        g = W.T @ d
    return t, parts


def conv_net(seed=2):
    """conv → ReLU → max-pool → dense → squared error, with loops in the hand-written version."""
    rng = np.random.default_rng(seed)
    x, K, b = rng.normal(size=(2, 1, 5, 5)), rng.normal(size=(2, 1, 2, 2)), rng.normal(size=2)
    V, y = rng.normal(size=(8, 3)), rng.normal(size=(2, 3))
    t = SimpleNamespace(x=Tensor(x, name="x"), K=Tensor(K, name="K"), b=Tensor(b, name="b"), V=Tensor(V, name="V"))
    t.z = F.conv2d(t.x, t.K, t.b)
    t.a = F.relu(t.z)
    t.p = F.max_pool2d(t.a, 2)
    t.loss = 0.5 * ((t.p.reshape(2, 8) @ t.V - y) ** 2).sum()
    z = np.zeros((2, 2, 4, 4))
    for i in range(4):
        for j in range(4):
            z[:, :, i, j] = np.einsum("nchw,fchw->nf", x[:, :, i : i + 2, j : j + 2], K) + b
    a = np.maximum(z, 0)
    blocks = a.reshape(2, 2, 2, 2, 2, 2)
    p = blocks.max(axis=(3, 5))
    dp = ((p.reshape(2, 8) @ V - y) @ V.T).reshape(p.shape)
    big = dp[:, :, :, None, :, None]
    first = np.zeros(blocks.shape)
    for n, f, i, j in np.ndindex(p.shape):
        k = int(blocks[n, f, i, :, j, :].argmax())
        first[n, f, i, k // 2, j, k % 2] = 1
    ties = blocks == p[:, :, :, None, :, None]
    routes = {"first": first * big, "ties": ties * big, "even": np.ones(blocks.shape) * big / 4,
              "all": np.ones(blocks.shape) * big}  # fmt: skip
    v = SimpleNamespace(x=x, K=K, z=z, a=a, p=p, dz={k: r.reshape(a.shape) * (z > 0) for k, r in routes.items()})
    v.da = {k: r.reshape(a.shape) for k, r in routes.items()}
    return t, v


def kernel_gradient(x, dz, positions=None):
    out = np.zeros((dz.shape[1], x.shape[1], 2, 2))
    for i, j in positions or np.ndindex(dz.shape[2:]):
        out += np.einsum("nf,nchw->fchw", dz[:, :, i, j], x[:, :, i : i + 2, j : j + 2])
    return out


def three_layers(seed=9):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
    Ws = [rng.normal(size=s) for s in ((3, 4), (4, 3), (3, 2))]
    ts = [Tensor(W, name=f"W{k + 1}") for k, W in enumerate(Ws)]
    loss = 0.5 * ((np.tanh(np.tanh(x @ ts[0]) @ ts[1]) @ ts[2] - y) ** 2).sum()
    a1 = np.tanh(x @ Ws[0])
    a2 = np.tanh(a1 @ Ws[1])
    d3 = a2 @ Ws[2] - y

    def back(W2, W3):
        d2 = (d3 @ W3.T) * (1 - a2**2)
        return a1.T @ d2, x.T @ ((d2 @ W2.T) * (1 - a1**2))

    return loss, ts, Ws, a2.T @ d3, back


def named(name, value):
    value.name = name
    return value


def chain(f, df, *, derivatives=(1, 1, 1), transposed=True, sign=1):
    """Three layers of three under the mean squared error; gradients by hand, with derivatives of layers left out."""
    rng = np.random.default_rng(0)
    A, B, C, x, y = (rng.normal(size=(3, 3)) for _ in range(5))
    t = {f"W{k}": Tensor(M, name=f"W{k}") for k, M in ((1, A), (2, B), (3, C))}
    t |= {f"b{k}": Tensor(np.full(3, 0.1), name=f"b{k}") for k in (1, 2, 3)}
    a = x
    for k in (1, 2, 3):
        t[f"z{k}"] = named(f"z{k}", a @ t[f"W{k}"] + t[f"b{k}"])
        a = t[f"a{k}"] = named(f"a{k}", F.sigmoid(t[f"z{k}"]))
    loss = named("L", ((a - y) ** 2).mean())
    a1 = f(x @ A + 0.1)
    a2 = f(a1 @ B + 0.1)
    a3 = f(a2 @ C + 0.1)
    d3 = sign * 2 * (a3 - y) / 9 * (df(a3) if derivatives[2] else 1)
    d2 = (d3 @ (C.T if transposed else C)) * (df(a2) if derivatives[1] else 1)
    d1 = (d2 @ (B.T if transposed else B)) * (df(a1) if derivatives[0] else 1)
    grads = {"W1": x.T @ d1, "W2": a1.T @ d2, "W3": a2.T @ d3, "b1": d1.sum(0), "b2": d2.sum(0), "b3": d3.sum(0)}
    return loss, t, grads
