"""Mistakes that people make in derivations, each with its wrong gradient derived by hand in plain NumPy."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
from blamecases import sigma, softmax

from autograd import Tensor
from nn import functional as F

__all__ = ["CASES", "lstm", "potential"]

CASES: dict[str, tuple[list[str], Callable]] = {}


def case(slips):
    """What must be found, of each wrong gradient; a case returns the loss, the gradients, the place where that can be
    told, and a part of your formula or of the sentence."""

    def kept(fn):
        CASES[fn.__name__] = slips.split(", "), fn
        return fn

    return kept


def named(name, value):
    value.name = name
    return value


def three(seed=0, act="sigmoid", n=6):
    """Three layers of four under half a squared error."""
    rng = np.random.default_rng(seed)
    f, df = {
        "sigmoid": (sigma, lambda z: sigma(z) * (1 - sigma(z))),
        "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
        "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    }[act]
    fn = {"sigmoid": F.sigmoid, "tanh": np.tanh, "relu": F.relu}[act]
    X, Y = rng.normal(size=(n, 3)), rng.normal(size=(n, 2))
    W = [rng.normal(size=s) for s in ((3, 4), (4, 4), (4, 2))]
    b = [rng.normal(size=k) for k in (4, 4, 2)]
    t = {f"W{k + 1}": Tensor(M, name=f"W{k + 1}") for k, M in enumerate(W)}
    t |= {f"b{k + 1}": Tensor(M, name=f"b{k + 1}") for k, M in enumerate(b)}
    a, z, v = X, [], [X]
    h = X
    for k in (1, 2):
        t[f"z{k}"] = named(f"z{k}", h @ t[f"W{k}"] + t[f"b{k}"])
        h = t[f"a{k}"] = named(f"a{k}", fn(t[f"z{k}"]))
        z.append(a @ W[k - 1] + b[k - 1])
        a = f(z[-1])
        v.append(a)
    out = h @ t["W3"] + t["b3"]
    t["L"] = named("L", 0.5 * ((out - Y) ** 2).sum() / n)
    d = (a @ W[2] + b[2] - Y) / n
    return SimpleNamespace(**t, X=X, W=W, z=z, v=v, d=d, f=f, df=df)


@case("value in the place of its derivative")
def the_mask_taken_from_the_gradient():
    n = three(act="relu")
    dh = n.d @ n.W[2].T
    d2 = np.where(dh <= 0, 0, dh)
    return n.L, {n.W2: n.v[1].T @ d2, n.b2: d2.sum(0)}, n.a2, "∂L/∂a2 > 0"


@case("factor of the rule left out")
def the_value_for_the_derivative():
    n = three()
    return n.L, {n.W2: n.v[1].T @ ((n.d @ n.W[2].T) * n.f(n.z[1]))}, n.a2, "∂L/∂a2 ⊙ a2"


@case("value in the place of its derivative")
def the_value_of_relu_for_its_derivative():
    n = three(act="relu")
    return n.L, {n.W2: n.v[1].T @ ((n.d @ n.W[2].T) * n.f(n.z[1]))}, n.a2, "∂L/∂a2 ⊙ a2"


@case("value in the place of its derivative")
def the_value_of_tanh_for_its_derivative():
    n = three(act="tanh")
    return n.L, {n.W2: n.v[1].T @ ((n.d @ n.W[2].T) * n.f(n.z[1]))}, n.a2, "∂L/∂a2 ⊙ a2"


@case("factor of the rule left out")
def the_flag_for_the_derivative_forgotten_at_every_layer():
    n = three()
    d2 = (n.d @ n.W[2].T) * n.f(n.z[1])
    d1 = (d2 @ n.W[1].T) * n.f(n.z[0])
    return n.L, {n.W2: n.v[1].T @ d2, n.W1: n.X.T @ d1}, n.a2, "∂L/∂a2 ⊙ a2"


@case("another value in the place of an operand")
def the_derivative_at_the_value_of_another_layer():
    n = three()
    d2 = (n.d @ n.W[2].T) * n.df(n.z[1])
    d1 = (d2 @ n.W[1].T) * n.df(n.z[1])
    return n.L, {n.W2: n.v[1].T @ d2, n.W1: n.X.T @ d1}, n.a1, "a2"


@case("derivative at another value")
def the_derivative_at_a_gradient():
    n = three()
    dh = n.d @ n.W[2].T
    return n.L, {n.W2: n.v[1].T @ (dh * n.df(dh))}, n.a2, "∂L/∂a2"


@case("assigned instead of accumulated")
def assigned_where_windows_overlap():
    rng = np.random.default_rng(0)
    X, c = np.arange(49.0).reshape(1, 1, 7, 7) % 11 + rng.normal(size=(1, 1, 7, 7)), rng.normal(size=(1, 1, 3, 3))
    x = Tensor(X, name="x")
    p = named("p", F.max_pool2d(x, 3, stride=2))
    wrong = np.zeros_like(X)
    for i in range(3):
        for j in range(3):
            window = X[0, 0, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3]
            k, m = np.unravel_index(window.argmax(), (3, 3))
            wrong[0, 0, 2 * i + k, 2 * j + m] = c[0, 0, i, j]
    return named("L", (p * c).sum()), {x: wrong}, None, "last"


@case("assigned instead of accumulated")
def assigned_where_windows_of_a_convolution_overlap():
    rng = np.random.default_rng(0)
    X, K, c = rng.normal(size=(1, 1, 4, 4)), rng.normal(size=(1, 1, 3, 3)), rng.normal(size=(1, 1, 2, 2))
    x = Tensor(X, name="x")
    z = named("z", F.conv2d(x, Tensor(K, name="K")))
    wrong = np.zeros_like(X)
    for i in range(2):
        for j in range(2):
            wrong[0, 0, i : i + 3, j : j + 3] = c[0, 0, i, j] * K[0, 0]
    return named("L", (z * c).sum()), {x: wrong}, None, "last"


@case("index that repeats")
def assigned_where_rows_of_an_embedding_repeat():
    rng = np.random.default_rng(0)
    e, ix, c = Tensor(rng.normal(size=(4, 2)), name="E"), np.array([0, 1, 1, 3, 1]), rng.normal(size=(5, 2))
    rows = named("rows", F.embedding(ix, e))
    wrong = np.zeros((4, 2))
    for k, i in enumerate(ix):
        wrong[i] = c[k] * 2 * e.data[i]
    return named("L", (rows**2 * c).sum()), {e: wrong}, rows, "only the last was kept"


def network_in_time(steps=5, seed=5):
    rng = np.random.default_rng(seed)
    xs, ys = rng.normal(size=(steps, 2)), rng.normal(size=(steps, 3))
    W, U = rng.normal(size=(3, 3)) / 2, rng.normal(size=(3, 2))
    w, u = Tensor(W, name="W"), Tensor(U, name="U")
    h = Tensor(np.zeros(3), requires_grad=False)
    hs, loss = [np.zeros(3)], 0.0
    for x, y in zip(xs, ys, strict=True):
        h = np.tanh(w @ h + u @ x)
        hs.append(np.tanh(W @ hs[-1] + U @ x))
        loss = loss + 0.5 * ((h - y) ** 2).sum()
    loss.name = "L"

    def back(prev=1, carried=True, factor=lambda k, g: 1 - hs[k] ** 2):
        dW, dU, g = np.zeros((3, 3)), np.zeros((3, 2)), np.zeros(3)
        for k in range(steps, 0, -1):
            d = (hs[k] - ys[k - 1] + (g if carried else 0)) * factor(k, g)
            dW += np.outer(d, hs[k - prev])
            dU += np.outer(d, xs[k - 1])
            g = W.T @ d
        return dW, dU

    return loss, w, u, back


@case("value of another step")
def the_state_of_the_step_itself_for_the_one_before():
    loss, w, u, back = network_in_time()
    dW, dU = back(prev=0)
    return loss, {w: dW, u: dU}, None, "h (6)ᵀ"


@case("path left out")
def the_gradient_not_carried_from_step_to_step():
    loss, w, u, back = network_in_time()
    dW, dU = back(carried=False)
    return loss, {w: dW, u: dU}, None, "carried from step to step"


@case("activation derivative missing")
def the_derivative_of_tanh_left_out_at_every_step():
    loss, w, u, back = network_in_time()
    dW, dU = back(factor=lambda k, g: 1.0)
    return loss, {w: dW, u: dU}, None, "each of the 5"


@case("another gradient in the place of the upstream one")
def the_gradient_of_a_bias_from_that_of_its_weight():
    n = three()
    d2 = (n.d @ n.W[2].T) * n.df(n.z[1])
    return n.L, {n.W2: n.v[1].T @ d2, n.b2: (n.v[1].T @ d2).sum(0)}, None, "∂L/∂W2"


@case("labels")
def the_mask_of_known_entries_forgotten():
    rng = np.random.default_rng(1)
    R, M = rng.normal(size=(4, 5)), rng.integers(0, 2, size=(4, 5)) * 1.0
    P, Q = rng.normal(size=(4, 2)), rng.normal(size=(5, 2))
    p, q = Tensor(P, name="P"), Tensor(Q, name="Q")
    e = named("e", R - p @ q.T)
    loss = named("L", (M * e**2).sum())
    E = R - P @ Q.T
    return loss, {p: -2 * E @ Q, q: -2 * E.T @ P}, None, "1 everywhere in the place of M"


@case("labels")
def the_mask_of_known_entries_forgotten_where_the_error_is_masked():
    rng = np.random.default_rng(1)
    R, M = rng.normal(size=(4, 5)), rng.integers(0, 2, size=(4, 5)) * 1.0
    P, Q = rng.normal(size=(4, 2)), rng.normal(size=(5, 2))
    p, q = Tensor(P, name="P"), Tensor(Q, name="Q")
    e = named("e", M * (R - p @ q.T))
    E = R - P @ Q.T
    return named("L", (e**2).sum()), {p: -2 * E @ Q, q: -2 * E.T @ P}, e, "1 everywhere in the place of M"


@case("sign")
def one_sign_of_q_log_q():
    Q, logp = np.array([0.2, 0.5, 0.3]), np.log([0.3, 0.3, 0.4])
    q = Tensor(Q, name="q")
    loss = named("L", (q * np.log(q) - q * logp).sum())
    return loss, {q: np.log(Q) - 1 - logp}, None, "wrong sign"


@case("transpose")
def the_transposes_of_an_inverse_left_out():
    rng = np.random.default_rng(0)
    A, a, b = rng.normal(size=(3, 3)) + 3 * np.eye(3), rng.normal(size=3), rng.normal(size=3)
    t = Tensor(A, name="A")
    loss = named("L", a @ np.linalg.inv(t) @ b)
    inverse = np.linalg.inv(A)
    return loss, {t: -inverse @ np.outer(a, b) @ inverse}, None, "−(np.linalg.inv(t)) @"


@case("transpose")
def a_matrix_taken_as_symmetric():
    rng = np.random.default_rng(0)
    A, b, X = rng.normal(size=(4, 4)), rng.normal(size=4), rng.normal(size=4)
    x = Tensor(X, name="x")
    loss = named("L", 0.5 * x @ (A @ x) - b @ x)
    return loss, {x: A @ X - b}, None, "A was taken in the place of its transpose Aᵀ in ∂L/∂x"


@case("softmax derivative as if diagonal")
def the_diagonal_of_softmax():
    rng = np.random.default_rng(0)
    Z, c = rng.normal(size=4), rng.normal(size=4)
    z = Tensor(Z, name="z")
    p = named("p", F.softmax(z))
    P = softmax(Z)
    return named("L", (p * c).sum()), {z: c * P * (1 - P)}, p, ""


@case("softmax derivative as if diagonal")
def the_diagonal_of_log_softmax():
    rng = np.random.default_rng(0)
    Z, c = rng.normal(size=4), rng.normal(size=4)
    z = Tensor(Z, name="z")
    p = named("p", F.log_softmax(z))
    return named("L", (p * c).sum()), {z: c * (1 - softmax(Z))}, p, ""


@case("only the diagonal of the Jacobian")
def the_diagonal_of_a_normalised_vector():
    rng = np.random.default_rng(0)
    V, c = rng.normal(size=4), rng.normal(size=4)
    x = Tensor(V, name="v")
    n = named("n", np.sqrt((x**2).sum()))
    u = named("u", x / n)
    N = np.sqrt((V**2).sum())
    return named("L", (u * c).sum()), {x: c * (1 / N - V**2 / N**3)}, None, ""


@case("only the diagonal of the Jacobian")
def the_diagonal_of_layer_norm():
    rng = np.random.default_rng(0)
    V, c = rng.normal(size=(3, 5)), rng.normal(size=(3, 5))
    x = Tensor(V, name="x")
    y = named("y", F.layer_norm(x, (5,), eps=0.0))
    s = V.std(1, keepdims=True)
    h = (V - V.mean(1, keepdims=True)) / s
    return named("L", (y * c).sum()), {x: c * (1 - 1 / 5 - h * h / 5) / s}, None, ""


@case("activation derivative where no activation is")
def the_derivative_of_a_linear_output():
    n = three()
    out = n.v[2] @ n.W[2] + n.b3.data
    return n.L, {n.W3: n.v[2].T @ (n.d * out * (1 - out))}, None, "out ⊙ (1 − out)"


@case("activation derivative where no activation is")
def the_relu_of_the_hidden_layers_at_a_linear_output():
    n = three(act="relu")
    d = n.d * (n.v[2] @ n.W[2] + n.b3.data > 0)
    return n.L, {n.b3: d.sum(0), n.W3: n.v[2].T @ d}, None, "where no ReLU is"


@case("upstream gradient not multiplied in")
def the_incoming_gradient_ignored():
    n = three()
    return n.L, {n.W2: n.v[1].T @ n.df(n.z[1])}, n.a2, ""


@case("factor taken twice")
def the_incoming_gradient_multiplied_in_twice():
    n = three()
    g = n.d @ n.W[2].T
    return n.L, {n.W2: n.v[1].T @ (g * g * n.df(n.z[1]))}, None, ""


def batch_norm():
    rng = np.random.default_rng(0)
    X, G, B, c = rng.normal(size=(6, 3)), rng.normal(size=3), rng.normal(size=3), rng.normal(size=(6, 3))
    x, g, b = Tensor(X, name="x"), Tensor(G, name="γ"), Tensor(B, name="β")
    mu = named("μ", x.mean(axis=0))
    var = named("σ²", ((x - mu) ** 2).mean(axis=0))
    h = named("x̂", (x - mu) / np.sqrt(var + 1e-5))
    y = named("y", g * h + b)
    s = np.sqrt(X.var(0) + 1e-5)
    H = (X - X.mean(0)) / s
    return named("L", (y**2 * c).sum()), x, G, H, s, 2 * (G * H + B) * c


@case("local derivative missing")
def gamma_lost_in_batch_norm():
    loss, x, _, H, s, dy = batch_norm()
    return loss, {x: (6 * dy - dy.sum(0) - H * (dy * H).sum(0)) / (6 * s)}, None, "local derivative is missing at"


@case("local derivative missing")
def gamma_lost_in_batch_norm_as_a_layer():
    rng = np.random.default_rng(0)
    X, G, B, c = rng.normal(size=(6, 3)), rng.normal(size=3), rng.normal(size=3), rng.normal(size=(6, 3))
    x, g, b = Tensor(X, name="x"), Tensor(G, name="γ"), Tensor(B, name="β")
    y = named("y", F.batch_norm(x, None, None, g, b, training=True))
    s = np.sqrt(X.var(0) + 1e-5)
    H = (X - X.mean(0)) / s
    dy = c
    return (
        named("L", (y * c).sum()),
        {x: (6 * dy - dy.sum(0) - H * (dy * H).sum(0)) / (6 * s)},
        None,
        "local derivative is missing at",
    )


@case("path left out")
def the_mean_forgotten_in_the_variance_of_batch_norm():
    loss, x, G, _, s, dy = batch_norm()
    dh = dy * G
    return loss, {x: dh / s - dh.sum(0) / (6 * s)}, None, ""


def squares(n, kind):
    rng = np.random.default_rng(n)
    X, Y, V = rng.normal(size=(n, 3)), rng.normal(size=n), rng.normal(size=3)
    w = Tensor(V, name="w")
    e = named("e", X @ w - Y)
    return named("L", (e**2).mean()), w, X.T @ (X @ V - Y)


@case("factor")
def two_nths_of_a_mean_lost():
    loss, w, right = squares(17, "mean")
    return loss, {w: right}, None, "2/17"


@case("factor")
def one_nth_of_a_mean_lost():
    loss, w, right = squares(17, "mean")
    return loss, {w: 2 * right}, None, "1/17"


@case("factor")
def two_nths_of_a_mean_doubled():
    loss, w, right = squares(23, "mean")
    return loss, {w: right * (2 / 23) ** 2}, None, "2/23"


@case("factor")
def one_nth_of_a_mean_doubled():
    loss, w, right = squares(23, "mean")
    return loss, {w: 2 * right / 23**2}, None, "1/23"


@case("factor")
def a_wrong_constant_in_a_sum():
    V = np.array([0.3, -1.2, 0.7, 2.0])
    x = Tensor(V, name="x")
    y = named("y", 0.25 * x**2 + 0.5 * np.sin(x))
    wrong = 2 * (0.25 * V**2 + 0.5 * np.sin(V)) * (0.5 * V + 0.25 * np.cos(V))
    return named("L", (y**2).sum()), {x: wrong}, None, "0.5 was taken twice"


@case("weights already updated, activation derivative missing")
def a_derivative_missing_and_the_weights_already_updated():
    n = three()
    dW3 = n.v[2].T @ n.d
    new = n.W[2] - 0.5 * dW3
    d2 = (n.d @ new.T) * n.df(n.z[1])
    dW2 = n.v[1].T @ d2
    d1 = d2 @ (n.W[1] - 0.5 * dW2).T
    return n.L, {n.W3: dW3, n.W2: dW2, n.W1: n.X.T @ d1}, None, "updated"


@case("weights already updated")
def a_row_already_updated():
    rng = np.random.default_rng(1)
    P, Q = rng.normal(size=(4, 3)), rng.normal(size=(5, 3))
    p, q = Tensor(P, name="P"), Tensor(Q, name="Q")
    pu, qi = named("pᵤ", p[2]), named("qᵢ", q[3])
    loss = named("L", (1.7 - pu @ qi) ** 2)
    e = 1.7 - P[2] @ Q[3]
    dp, dq = np.zeros_like(P), np.zeros_like(Q)
    dp[2] = -2 * e * Q[3]
    dq[3] = -2 * e * (P[2] - 0.1 * dp[2])
    return loss, {p: dp, q: dq}, None, "updated"


def penalised(term):
    rng = np.random.default_rng(2)
    X, Y, V = rng.normal(size=(6, 3)), rng.normal(size=6), rng.normal(size=3)
    w = Tensor(V, name="w")
    loss = named("L", ((X @ w - Y) ** 2).sum() / 6 + term(w))
    return loss, w, 2 * X.T @ (X @ V - Y) / 6, V


@case("regularisation term")
def the_penalty_with_its_2_lost():
    loss, w, data, V = penalised(lambda w: 0.1 * (w**2).sum())
    return loss, {w: data + 0.1 * V}, None, ""


@case("regularisation term")
def the_penalty_as_a_product_missing():
    loss, w, data, _ = penalised(lambda w: 0.05 * (w @ w))
    return loss, {w: data}, None, ""


@case("path left out")
def the_penalty_of_absolute_values_missing():
    loss, w, data, _ = penalised(lambda w: 0.1 * np.abs(w).sum())
    return loss, {w: data}, None, ""


@case("value in the place of its derivative")
def the_penalty_of_absolute_values_without_sign():
    loss, w, data, V = penalised(lambda w: 0.1 * np.abs(w).sum())
    return loss, {w: data + 0.1 * V}, None, ""


@case("regularisation term")
def the_penalty_by_a_norm_squared_with_its_2_lost():
    loss, w, data, V = penalised(lambda w: 0.1 * np.linalg.norm(w) ** 2)
    return loss, {w: data + 0.1 * V}, None, ""


@case("regularisation term")
def the_penalty_not_divided_by_the_examples():
    loss, w, data, V = penalised(lambda w: 0.3 / (2 * 6) * (w**2).sum())
    return loss, {w: data + 0.3 * V}, None, ""


@case("sign")
def a_difference_with_operands_exchanged():
    rng = np.random.default_rng(0)
    A, B = rng.normal(size=4), rng.normal(size=4)
    a, b = Tensor(A, name="a"), Tensor(B, name="b")
    loss = named("L", np.exp(np.tanh(a) - np.sin(b)).sum())
    e = np.exp(np.tanh(A) - np.sin(B))
    return loss, {a: -e * (1 - np.tanh(A) ** 2)}, None, ""


@case("order of a product")
def a_product_with_operands_exchanged():
    rng = np.random.default_rng(0)
    A, B, c = (rng.normal(size=(3, 3)) for _ in range(3))
    a, b = Tensor(A, name="A"), Tensor(B, name="B")
    loss = named("L", (np.tanh(a @ b) * c).sum())
    g = c * (1 - np.tanh(A @ B) ** 2)
    return loss, {a: B.T @ g}, None, ""


@case("operands exchanged")
def a_quotient_with_operands_exchanged():
    rng = np.random.default_rng(0)
    A, B, c = (rng.normal(size=3) + 3 for _ in range(3))
    a, b = Tensor(A, name="a"), Tensor(B, name="b")
    loss = named("L", (c * (a / b)).sum())
    return loss, {b: -c * B / A**2}, None, ""


@case("outside of the loop")
def a_multiplication_outside_of_the_loop():
    n = three()
    d2 = (n.d @ n.W[2].T) * n.df(n.z[1])
    return n.L, {n.W2: np.outer(n.v[1][-1], d2.sum(0))}, None, ""


@case("one example of the batch only")
def the_first_example_alone():
    n = three()
    d2 = (n.d @ n.W[2].T) * n.df(n.z[1])
    return n.L, {n.W2: np.outer(n.v[1][0], d2[0])}, None, "first"


@case("one example of the batch only")
def the_last_example_alone():
    n = three()
    d2 = (n.d @ n.W[2].T) * n.df(n.z[1])
    return n.L, {n.W2: np.outer(n.v[1][-1], d2[-1]), n.b2: d2[-1]}, None, "last"


@case("factor taken twice")
def the_rate_of_an_exponential_as_a_factor_of_its_derivative():
    rng = np.random.default_rng(6)
    D, c = rng.uniform(size=(3, 4)), rng.normal(size=(3, 4))
    g = Tensor(0.7, name="γ")
    return named("L", (c * np.exp(-g * D)).sum()), {g: -0.7 * (c * D * np.exp(-0.7 * D)).sum()}, None, "γ was"


def once_for_each(also_where_there_is_none):
    """The margins of the other classes, counted once for the right one; also where none is broken."""
    rng = np.random.default_rng(4)
    X, V, y = rng.normal(size=(6, 3)), rng.normal(size=(3, 5)), np.array([0, 3, 1, 4, 2, 2])
    w = Tensor(V, name="W")
    s = named("s", X @ w)
    right = s[np.arange(6), y].reshape(6, 1)
    other = np.ones((6, 5))
    other[np.arange(6), y] = 0
    m = named("m", np.maximum(0, s - right + 1) * other)
    loss = named("L", m.sum() / 6)
    S = X @ V
    mask = ((S - S[np.arange(6), y][:, None] + 1) * other > 0) * 1.0
    mask[np.arange(6), y] = -1.0 * ((mask.sum(1) > 0) | also_where_there_is_none)
    return loss, {w: X.T @ mask / 6}, None, "once"


@case("counted once")
def a_margin_counted_once_for_each_example():
    return once_for_each(False)


@case("counted once")
def a_margin_counted_once_also_where_there_is_none():
    return once_for_each(True)


def potential():
    rng = np.random.default_rng(0)
    A = rng.normal(size=3)
    x = Tensor(A, name="x")
    r = named("r", np.sqrt((x**2).sum()))
    return named("U", -2.0 / r), x, A, np.sqrt((A**2).sum())


@case("power in the rule")
def one_over_r_for_its_square():
    loss, x, A, r = potential()
    return loss, {x: 2.0 / r * A / r}, None, ""


@case("sign")
def the_force_for_the_gradient():
    loss, x, A, r = potential()
    return loss, {x: -2.0 * A / r**3}, None, ""


@case("constant in the rule")
def a_constant_in_the_derivative_of_tanh():
    rng = np.random.default_rng(0)
    V, c = rng.normal(size=5), rng.normal(size=5)
    x = Tensor(V, name="x")
    a = named("a", np.tanh(x))
    return named("L", (a * c).sum()), {x: c * (2 - np.tanh(V) ** 2)}, a, "2 − a²"


@case("bracket left out")
def a_bracket_left_out():
    n = three()
    d2 = (n.d @ n.W[2].T) * n.v[2] * 1 - n.v[2]
    return n.L, {n.W2: n.v[1].T @ d2}, n.a2, "− a2"


@case("function in the place of another")
def sine_in_the_place_of_cosine():
    rng = np.random.default_rng(0)
    V, c = rng.normal(size=5), rng.normal(size=5)
    x = Tensor(V, name="x")
    a = named("a", np.sin(x))
    return named("L", (a * c).sum()), {x: c * np.sin(V)}, a, "sin(x)"


@case("one of the loop only")
def the_last_class_alone_in_a_softmax():
    rng = np.random.default_rng(0)
    Z, c = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    z = Tensor(Z, name="z")
    p = named("p", F.softmax(z))
    P = softmax(Z)
    return named("L", (p * c).sum()), {z: P * (c - (P * c)[:, -1:])}, p, "[:, −1:]"


@case("product element by element")
def a_product_element_by_element():
    rng = np.random.default_rng(0)
    A, B, c = (rng.normal(size=(3, 3)) for _ in range(3))
    a, b = Tensor(A, name="A"), Tensor(B, name="B")
    y = named("Y", a @ b)
    return named("L", (np.tanh(y) * c).sum()), {a: c * (1 - np.tanh(A @ B) ** 2) * B.T}, y, "⊙ Bᵀ"


@case("two slips at once")
def two_slips_in_one_gradient():
    n = three()
    d2 = (n.d @ n.W[2].T) * n.v[2]
    d1 = (d2 @ n.W[1].T) * (1 - n.v[1])
    return n.L, {n.W1: n.X.T @ d1}, None, ""


@case("another formula")
def two_slips_in_different_terms():
    rng = np.random.default_rng(0)
    A = rng.normal(size=5)
    x = Tensor(A, name="x")
    loss = named("L", (np.sin(x) ** 2).sum() + (np.exp(x) * x).sum())
    yours = "yours: ∂L/∂x = (np.sin(x)) ⊙ cos(x) + (np.exp(x)) − (np.exp(x) * x)"
    return loss, {x: np.sin(A) * np.cos(A) + np.exp(A) - np.exp(A) * A}, None, yours


@case("factor, factor of the rule left out")
def two_slips_in_two_gradients():
    n = three()
    d2 = (n.d @ n.W[2].T) * n.df(n.z[1])
    return n.L, {n.W3: 2 * n.v[2].T @ n.d, n.W2: n.v[1].T @ ((n.d @ n.W[2].T) * n.v[2]), n.b2: d2.sum(0)}, None, ""


@case("another formula, sign")
def quantiles_exchanged():
    """The gradient of the other quantile; that of b, one number, is a multiple of 1/40 for other reasons, too."""
    rng = np.random.default_rng(0)
    X, y, q = rng.normal(size=(8, 3)), rng.normal(size=8), 0.8
    w, b = Tensor(rng.normal(size=3), name="w"), Tensor(0.3, name="b")
    e = y - (X @ w + b)
    loss = np.maximum(q * e, (q - 1) * e).mean()
    g = np.where(e.data > 0, q - 1, q) / 8
    return loss, {w: X.T @ g, b: g.sum()}, None, "yours: ∂L/∂w = (Σ₀ (0.8 X)) / 8 − (Xᵀ [e > 0]) / 8"


def lstm(steps=6, width=5, batch=4):
    """An LSTM with a squared error at each step, and its gradients by hand, with one mistake at each step."""
    rng = np.random.default_rng(2)
    P = {g: (rng.normal(size=(width, width)) / 2, rng.normal(size=(3, width)), rng.normal(size=width)) for g in "ifog"}
    T = {g: tuple(Tensor(a, name=n + g) for a, n in zip(v, "WUb", strict=True)) for g, v in P.items()}
    xs, ys = rng.normal(size=(steps, batch, 3)), rng.normal(size=(steps, batch, width))
    h = c = Tensor(np.zeros((batch, width)), requires_grad=False)
    loss = 0.0
    H, C, S = [np.zeros((batch, width))], [np.zeros((batch, width))], []
    for x, y in zip(xs, ys, strict=True):
        z = {g: h @ W + x @ U + b for g, (W, U, b) in T.items()}
        i, f, o = (F.sigmoid(z[g]) for g in "ifo")
        c = f * c + i * np.tanh(z["g"])
        h = o * np.tanh(c)
        loss = loss + ((h - y) ** 2).mean()
        Z = {g: H[-1] @ W + x @ U + b for g, (W, U, b) in P.items()}
        S.append((sigma(Z["i"]), sigma(Z["f"]), sigma(Z["o"]), np.tanh(Z["g"]), Z["g"]))
        C.append(S[-1][1] * C[-1] + S[-1][0] * S[-1][3])
        H.append(S[-1][2] * np.tanh(C[-1]))

    def back(mistake):
        dW, dh, dc = dict.fromkeys("ifog", 0.0), 0.0, 0.0
        for t in range(steps, 0, -1):
            i, f, o, g, z = S[t - 1]
            d = dh + 2 * (H[t] - ys[t - 1]) / (batch * width)
            dc = d * o * (1 if mistake == "tanh′ of c missing" else 1 - np.tanh(C[t]) ** 2) + dc
            before = C[t] if mistake == "c for c before" else C[t - 1]
            dz = {"i": dc * g * i * (1 - i), "f": dc * before * f, "o": d * np.tanh(C[t]) * o * (1 - o)}
            dz |= {
                "f": dc * before * sigma(f) if mistake == "σ(f)" else dz["f"] * (mistake == "1 − f left out" or 1 - f),
                "g": dc * i * (1 - (z if mistake == "z for g" else g) ** 2),
            }
            for q in "ifog":
                dW[q] = dW[q] + (H[t] if mistake == "h for h before" else H[t - 1]).T @ dz[q]
            dh = sum(dz[q] @ (P[q][0] if mistake == "W for Wᵀ" else P[q][0].T) for q in "ifog")
            dh = 0.0 if mistake in ("h not carried", "nothing carried") else dh
            dc = 0.0 if mistake in ("c not carried", "nothing carried") else dc * f
        return {T[q][0]: dW[q] for q in "ifog"}

    return loss, back
