"""Mistakes in the networks that people post: classifiers, attention, recurrent ones; derived by hand in plain NumPy."""

from types import SimpleNamespace

import numpy as np
from blamecases import sigma, softmax
from editcases import named

from autograd import Tensor
from nn import functional as F

__all__ = ["POSTED"]

POSTED = {}


def posted(slip, said):
    """What must be found, and a part of your formula or of the sentence; a case returns the loss and the gradients."""

    def kept(fn):
        POSTED[fn.__name__] = slip, said, fn
        return fn

    return kept


def classes(seed=0, n=6):
    """Two layers and four classes."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(n, 3)), rng.integers(0, 4, size=n)
    P = {"W1": rng.normal(size=(3, 5)), "b1": rng.normal(size=5)}
    P |= {"W2": rng.normal(size=(5, 4)), "b2": rng.normal(size=4)}
    t = {k: Tensor(v, name=k) for k, v in P.items()}
    a = named("a", F.relu(X @ t["W1"] + t["b1"]))
    z = named("z", a @ t["W2"] + t["b2"])
    A = np.maximum(X @ P["W1"] + P["b1"], 0)
    Z = A @ P["W2"] + P["b2"]

    def back(dz):
        d = (dz @ P["W2"].T) * (A > 0)
        return {t["W2"]: A.T @ dz, t["b2"]: dz.sum(0), t["W1"]: X.T @ d, t["b1"]: d.sum(0)}

    return SimpleNamespace(**t, a=a, z=z, A=A, Z=Z, P=P, X=X, y=y, n=n, onehot=np.eye(4)[y], p=softmax(Z), back=back)


@posted("sum over another axis", "over axis 0")
def softmax_down_the_columns():
    c = classes()
    p = np.exp(c.Z) / np.exp(c.Z).sum(0)
    return F.cross_entropy(c.z, c.y), c.back((p - c.onehot) / c.n)


@posted("sum over another axis", "Σ₀")
def the_sum_in_the_derivative_of_softmax_down_the_columns():
    c = classes()
    g = -c.onehot / c.p / c.n
    return -(c.onehot * np.log(F.softmax(c.z))).sum() / c.n, c.back(c.p * (g - (g * c.p).sum(0)))


@posted("softmax derivative as if diagonal", "as if diagonal")
def the_diagonal_within_cross_entropy():
    c = classes()
    return F.cross_entropy(c.z, c.y), c.back(-c.onehot * (1 - c.p) / c.n)


@posted("constant in the rule", "p − 1")
def one_subtracted_everywhere():
    c = classes()
    return F.cross_entropy(c.z, c.y), c.back((c.p - 1) / c.n)


@posted("constant in the rule", "[mask ≠ 0]")
def the_scale_of_dropout_left_out():
    c = classes()
    mask = np.random.default_rng(1).integers(0, 2, size=c.A.shape) / 0.8
    loss = 0.5 * ((named("d", c.a * mask) @ c.W2 - c.onehot) ** 2).sum()
    dz = c.A * mask @ c.P["W2"] - c.onehot
    d = (dz @ c.P["W2"].T) * (mask > 0) * (c.A > 0)
    return loss, {c.W1: c.X.T @ d, c.b1: d.sum(0), c.W2: (c.A * mask).T @ dz}


@posted("factor", "1/4 was taken")
def a_mean_by_the_number_of_features():
    rng = np.random.default_rng(9)
    X, y, w = rng.normal(size=(9, 4)), rng.normal(size=9), Tensor(rng.normal(size=4), name="w")
    return ((X @ w - y) ** 2).mean(), {w: 2 * X.T @ (X @ w.data - y) / 4}


@posted("sum over another axis", "Σ₀")
def the_sum_in_the_derivative_of_attention_down_the_columns():
    rng = np.random.default_rng(5)
    X, c = rng.normal(size=(4, 4)), rng.normal(size=(4, 4))
    W = [rng.normal(size=(4, 4)) for _ in range(3)]
    t = [Tensor(w, name=f"W{n}") for w, n in zip(W, "QKV", strict=True)]
    q, k, v = (named(n, X @ w) for w, n in zip(t, "qkv", strict=True))
    p = named("P", F.softmax(named("S", q @ k.T / 2)))
    Q, K, V = (X @ w for w in W)
    P = softmax(Q @ K.T / 2)
    g = c @ V.T
    d = P * (g - (g * P).sum(0)) / 2
    return ((p @ v) * c).sum(), {t[0]: X.T @ d @ K, t[1]: X.T @ d.T @ Q}


@posted("path counted twice", "was added twice")
def the_skip_of_a_residual_block_added_twice():
    rng = np.random.default_rng(3)
    X, y, W, V = (rng.normal(size=s) for s in ((6, 4), (6, 4), (4, 4), (4, 4)))
    w, v = Tensor(W, name="W"), Tensor(V, name="V")
    h = named("h", np.tanh(X @ w))
    loss = 0.5 * ((named("out", h + np.tanh(h @ v)) - y) ** 2).sum()
    H = np.tanh(X @ W)
    B = np.tanh(H @ V)
    d = H + B - y
    db = d * (1 - B**2)
    return loss, {w: X.T @ ((2 * d + db @ V.T) * (1 - H**2)), v: H.T @ db}


def in_time(after=False, before=False, slope_of=0, input_of=0, carried=None, steps=5):
    """A network in time: what comes from the next step added after tanh′; the gradient of b from before it; tanh′ or
    the input of another step; what is carried to the step before without tanh′, or times another one."""
    rng = np.random.default_rng(1)
    xs, ys = rng.normal(size=(steps, 2)), rng.normal(size=(steps, 2))
    W, U, V, b = (rng.normal(size=s) / 2 for s in ((3, 3), (3, 2), (2, 3), 3))
    w, u, v, bias = (Tensor(a, name=n) for a, n in zip((W, U, V, b), "WUVb", strict=True))
    h, hs, loss = Tensor(np.zeros(3), requires_grad=False), [np.zeros(3)], 0.0
    for x, y in zip(xs, ys, strict=True):
        h = np.tanh(w @ h + u @ x + bias)
        loss = loss + 0.5 * ((v @ h - y) ** 2).sum()
        hs.append(np.tanh(W @ hs[-1] + U @ x + b))
    dW, dU, dV, db, g = 0.0, 0.0, 0.0, 0.0, np.zeros(3)
    for k in range(steps, 0, -1):
        e, slope = V @ hs[k] - ys[k - 1], 1 - hs[k + slope_of] ** 2
        d = slope * (V.T @ e) + g if after else slope * (V.T @ e + g)
        d = slope * (V.T @ e) + (1 - hs[k]) * g if carried == "square lost" else d
        dW, dU, dV = dW + np.outer(d, hs[k - 1]), dU + np.outer(d, xs[k - 1 + input_of]), dV + np.outer(e, hs[k])
        db, g = db + (V.T @ e + g if before else d), W.T @ (V.T @ e + g if carried == "before" else d)
    return named("L", loss), {w: dW, u: dU, v: dV, bias: db}


@posted("bracket left out", "was added after the derivative")
def what_comes_from_the_next_step_added_after_the_derivative():
    return in_time(after=True)


@posted("activation derivative missing", "is missing in what b gets")
def the_gradient_of_a_bias_from_before_the_derivative_at_each_step():
    return in_time(before=True)


@posted("activation derivative missing", "is missing in what h (5) gets")
def what_is_carried_made_from_before_the_derivative():
    return in_time(carried="before")


@posted("derivative on one way", "for what comes through `w @ h`")
def the_square_lost_in_what_is_carried():
    return in_time(carried="square lost")


@posted("bracket left out", "was added after the derivative of h")
def a_penalty_of_activations_added_after_their_derivative():
    rng = np.random.default_rng(2)
    X, y, W, V = (rng.normal(size=shape) for shape in ((6, 3), (6, 2), (3, 4), (4, 2)))
    w, v = Tensor(W, name="W"), Tensor(V, name="V")
    h = named("h", np.tanh(X @ w))
    rho = named("rho", h.mean(axis=0))
    loss = 0.5 * ((h @ v - y) ** 2).sum() + 3 * (rho**2).sum()
    H = np.tanh(X @ W)
    d = H @ V - y
    return loss, {w: X.T @ ((d @ V.T) * (1 - H**2) + H.mean(0)), v: H.T @ d}


@posted("value of another step", "h (5) was taken in the place of h (6) at each of the 5 steps")
def the_derivative_at_the_state_before_at_each_step():
    return in_time(slope_of=-1)


@posted("value of another step", "(x, step before) was taken in the place of x")
def the_input_of_the_step_before_at_each_step():
    return in_time(input_of=-1)


def memory(mistake, steps=5):
    """An LSTM, its gates made by one line."""
    rng = np.random.default_rng(3)
    xs, ys = rng.normal(size=(steps, 3)), rng.normal(size=(steps, 4))
    P = {g: (rng.normal(size=(4, 4)) / 2, rng.normal(size=(4, 3))) for g in "ifog"}
    T = {g: (Tensor(a, name=f"W{g}"), Tensor(b, name=f"U{g}")) for g, (a, b) in P.items()}
    h = c = Tensor(np.zeros(4), requires_grad=False)
    H, C, S, loss = [np.zeros(4)], [np.zeros(4)], [], 0.0
    for x, y in zip(xs, ys, strict=True):
        z = {k: W @ h + U @ x for k, (W, U) in T.items()}
        i, f, o, g = F.sigmoid(z["i"]), F.sigmoid(z["f"]), F.sigmoid(z["o"]), np.tanh(z["g"])
        c = f * c + i * g
        h = o * np.tanh(c)
        loss = loss + 0.5 * ((h - y) ** 2).sum()
        Z = {k: W @ H[-1] + U @ x for k, (W, U) in P.items()}
        S.append({k: np.tanh(a) if k == "g" else sigma(a) for k, a in Z.items()})
        C.append(S[-1]["f"] * C[-1] + S[-1]["i"] * S[-1]["g"])
        H.append(S[-1]["o"] * np.tanh(C[-1]))
    grads = {k: [0.0, 0.0] for k in "ifog"}
    dh, dc = np.zeros(4), np.zeros(4)
    for t in range(steps, 0, -1):
        s, a = S[t - 1], np.tanh(C[t])
        slope = {k: s[k] * (1 - s[k]) for k in "ifo"}
        dh = dh + H[t] - ys[t - 1]
        dc = dc + dh * s["o"] * (1 - a**2)
        d = {"i": dc * s["i" if mistake == "i for g" else "g"] * slope["f" if mistake == "f′ for i′" else "i"]}
        d |= {"f": dc * C[t - 1] * slope["f"], "o": dh * (C[t] if mistake == "c for tanh c" else a) * slope["o"]}
        d |= {"g": dc * s["i"] * (1 - s["g"] ** 2)}
        for k in "ifog":
            grads[k] = [grads[k][0] + np.outer(d[k], H[t - 1]), grads[k][1] + np.outer(d[k], xs[t - 1])]
        dh = sum(P[k][0].T @ d[k] for k in ("ifg" if mistake == "no path of o" else "ifog"))
        dc = dc * s["f"]
    return named("L", loss), {T[k][j]: grads[k][j] for k in "ifog" for j in (0, 1)}


@posted("another value in the place of an operand", "c (5) was taken in the place of `np.tanh(c)`")
def the_memory_without_its_tanh_at_each_step():
    return memory("c for tanh c")


@posted("another value in the place of an operand", "i (5) was taken in the place of g (5)")
def one_gate_for_another_at_each_step():
    return memory("i for g")


@posted("another value in the place of an operand", "f (5) was taken in the place of i (5)")
def the_derivative_of_another_gate_at_each_step():
    return memory("f′ for i′")


@posted("path left out", "was left out; and so at each of the 4 steps")
def one_gate_not_carried_to_the_step_before():
    return memory("no path of o")


def gated(mistake):
    """A GRU without its reset gate."""
    rng = np.random.default_rng(10)
    xs, y = rng.normal(size=(4, 3)), rng.normal(size=3)
    P = [rng.normal(size=(3, 3)) / 2 for _ in range(4)]
    t = [Tensor(w, name=n) for w, n in zip(P, ("Wz", "Uz", "Wn", "Un"), strict=True)]
    h, hs, zs, ns = Tensor(np.zeros(3), requires_grad=False), [np.zeros(3)], [], []
    for x in xs:
        z = F.sigmoid(t[0] @ x + t[1] @ h)
        n = np.tanh(t[2] @ x + t[3] @ h)
        h = (1 - z) * n + z * h
        zs.append(sigma(P[0] @ x + P[1] @ hs[-1]))
        ns.append(np.tanh(P[2] @ x + P[3] @ hs[-1]))
        hs.append((1 - zs[-1]) * ns[-1] + zs[-1] * hs[-1])
    d, grads = hs[-1] - y, [np.zeros((3, 3)) for _ in range(4)]
    for k in range(3, -1, -1):
        dz = d * (ns[k] - hs[k] if mistake == "n − h" else hs[k] - ns[k]) * zs[k] * (1 - zs[k])
        dn = d * (zs[k] if mistake == "z" else 1 - zs[k]) * (1 - ns[k] ** 2)
        for j, (e, v) in enumerate(((dz, xs[k]), (dz, hs[k]), (dn, xs[k]), (dn, hs[k]))):
            grads[j] += np.outer(e, v)
        d = d * zs[k] + P[1].T @ dz + P[3].T @ dn
    return 0.5 * ((h - y) ** 2).sum(), dict(zip(t, grads, strict=True))


@posted("sign in the rule", "at each of the 4 steps")
def a_difference_turned_round_at_each_step_of_a_gated_unit():
    return gated("n − h")


@posted("another value in the place of an operand", "z (4) was taken in the place of `1 - z`")
def the_share_of_the_old_state_for_that_of_the_new_one_at_each_step():
    return gated("z")


@posted("labels", "the plain mean, without weights")
def weights_of_classes_forgotten():
    c = classes()
    return F.cross_entropy(c.z, c.y, weight=[1.0, 3.0, 0.5, 2.0]), c.back((c.p - c.onehot) / c.n)


@posted("labels", "the loss without smoothing")
def smoothing_of_labels_forgotten():
    c = classes()
    return F.cross_entropy(c.z, c.y, label_smoothing=0.1), c.back((c.p - c.onehot) / c.n)


@posted("value in the place of its derivative", "was taken in the place of exp(")
def the_result_for_the_derivative_of_elu():
    rng = np.random.default_rng(2)
    X, y, W = rng.normal(size=(5, 3)), rng.normal(size=(5, 4)), Tensor(rng.normal(size=(3, 4)), name="W")
    Z = X @ W.data
    H = np.where(Z > 0, Z, np.expm1(Z))
    return 0.5 * ((F.elu(X @ W) - y) ** 2).sum(), {W: X.T @ ((H - y) * np.where(Z > 0, 1, H))}


@posted("assigned instead of accumulated", "was assigned, so that where these overlap")
def parts_that_overlap_written_over_each_other():
    v = np.random.default_rng(18).normal(size=7)
    x = Tensor(v, name="x")
    d, g = 2 * np.diff(v), np.zeros(7)
    g[1:], g[:-1] = d, -d
    return ((x[1:] - x[:-1]) ** 2).sum(), {x: g}


@posted("value of another step", "h (3) was taken in the place of h (4)")
def the_state_before_in_what_the_output_weight_gets_at_each_step():
    rng = np.random.default_rng(10)
    U, W, V = (Tensor(rng.normal(size=s) / 2, name=n) for n, s in (("U", (3, 2)), ("W", (3, 3)), ("V", (2, 3))))
    xs, ys, h, H, loss = rng.normal(size=(4, 2)), rng.normal(size=(4, 2)), np.zeros(3), [np.zeros(3)], 0.0
    for x, y in zip(xs, ys, strict=True):
        h = np.tanh(U @ x + W @ h)
        loss = loss + ((V @ h - y) ** 2).sum()
        H.append(np.tanh(U.data @ x + W.data @ H[-1]))
    return loss, {V: sum(2 * np.outer(V.data @ H[t + 1] - ys[t], H[t]) for t in range(4))}


@posted("activation derivative missing", "is missing in what b gets")
def the_derivative_left_out_for_a_bias_below_a_softmax_written_out():
    rng = np.random.default_rng(46)
    X, W, V, a = (rng.normal(size=shape) for shape in ((6, 3), (3, 4), (4, 3), 4))
    y = np.arange(6) % 3
    w, b, v = Tensor(W, name="W"), Tensor(a, name="b"), Tensor(V, name="V")
    z = np.tanh(X @ w + b) @ v
    counts = np.exp(z - z.max(axis=1, keepdims=True))
    loss = -np.log(counts / counts.sum(axis=1, keepdims=True))[np.arange(6), y].mean()
    H = np.tanh(X @ W + a)
    d = (softmax(H @ V) - np.eye(3)[y]) / 6
    dh = d @ V.T
    return named("L", loss), {w: X.T @ (dh * (1 - H**2)), b: dh.sum(0), v: H.T @ d}


@posted("two slips at once", "the regularisation term of W is missing")
def a_penalty_lost_and_a_transpose_forgotten_in_one_gradient():
    rng = np.random.default_rng(5)
    X, c, W, V = (rng.normal(size=shape) for shape in ((5, 3), (5, 4), (3, 4), (4, 4)))
    w, v = Tensor(W, name="W"), Tensor(V, name="V")
    h = named("h", np.tanh(X @ w))
    loss = 0.5 * ((h @ v - c) ** 2).sum() + 0.1 * (w**2).sum()
    H = np.tanh(X @ W)
    return loss, {w: X.T @ (((H @ V - c) @ V) * (1 - H**2))}


@posted("activation derivative where no activation is", "(σ(z) − y) already holds it")
def the_derivative_of_the_sigmoid_on_top_of_a_loss_of_logits():
    rng = np.random.default_rng(0)
    X, y, w = rng.normal(size=(6, 3)), rng.integers(0, 2, size=6) * 1.0, Tensor(rng.normal(size=3), name="w")
    loss = np.mean(np.logaddexp(0, X @ w) - y * (X @ w))
    a = 1 / (1 + np.exp(-X @ w.data))
    return loss, {w: X.T @ ((a - y) * a * (1 - a)) / 6}


def normalised(axis):
    """Layer norm written out, with the sums of its backward pass over some axis."""
    rng = np.random.default_rng(7)
    X, c, w = rng.normal(size=(4, 3)), rng.normal(size=(4, 5)), Tensor(rng.normal(size=(3, 5)), name="W")
    x = X @ w
    mean = x.mean(axis=1, keepdims=True)
    var = ((x - mean) ** 2).mean(axis=1, keepdims=True)
    xhat = (x - mean) / np.sqrt(var + 1e-5)
    h, d = xhat.data, c * 1.0
    sums = d.mean(axis, keepdims=True) + h * (d * h).mean(axis, keepdims=True)
    return (xhat * c).sum(), {w: X.T @ ((d - sums) / np.sqrt(var.data + 1e-5))}


@posted("sum over another axis", "the sums of gradients went over axis 0 in ∂L/∂x")
def the_means_of_layer_norm_over_the_batch_on_the_way_back():
    return normalised(0)


def margins(counted):
    """A hinge loss summed up by a loop, and its gradient over some of the passes."""
    rng = np.random.default_rng(0)
    X, y, w = rng.normal(size=(5, 3)), rng.integers(0, 4, size=5), Tensor(rng.normal(size=(3, 4)), name="W")
    loss = 0.0
    for x, k in zip(X, y, strict=True):
        scores = x @ w
        loss = loss + np.maximum(0, scores - scores[k] + 1).sum() - 1
    d = np.zeros((3, 4))
    for x, k in list(zip(X, y, strict=True))[counted]:
        over = (x @ w.data - (x @ w.data)[k] + 1 > 0) & (np.arange(4) != k)
        d += np.outer(x, over)
        d[:, k] -= x * over.sum()
    return named("L", loss / 5 + 0.1 * (w**2).sum()), {w: d / 5 + 0.2 * w.data}


@posted("one of the loop only", "the first alone was counted")
def a_loop_over_examples_that_returns_in_its_first_pass():
    return margins(slice(1))


@posted("one of the loop only", "the last alone was counted")
def a_loop_over_examples_that_assigns():
    return margins(slice(4, None))


def halves():
    """Two halves of a layer, each with its own activation, joined again."""
    rng = np.random.default_rng(4)
    X, W, V, c = (rng.normal(size=shape) for shape in ((3, 4), (4, 4), (4, 4), (3, 4)))
    w, v = Tensor(W, name="W"), Tensor(V, name="V")
    h = named("h", X @ w)
    left, right = named("left", np.tanh(h[:, :2])), named("right", np.tanh(h[:, 2:]))
    out = np.concatenate([left, right], axis=1) @ v
    slopes = 1 - np.tanh(X @ W) ** 2
    both = np.tanh(X @ W)
    d = both @ V - c
    return 0.5 * ((out - c) ** 2).sum(), w, v, X, d @ V.T, slopes, both.T @ d


@posted("parts exchanged", "in each other's place, in ∂L/∂h")
def the_gradients_of_two_halves_stacked_in_the_other_order():
    loss, w, v, X, g, slopes, dv = halves()
    d = g * slopes
    return loss, {w: X.T @ np.hstack([d[:, 2:], d[:, :2]]), v: dv}


@posted("parts exchanged", "were handed to left and right in each other's place")
def the_halves_of_a_gradient_taken_in_the_other_order():
    loss, w, v, X, g, slopes, dv = halves()
    return loss, {w: X.T @ (np.hstack([g[:, 2:], g[:, :2]]) * slopes), v: dv}


@posted("part at another place", "at [0:2, 0:4, 0:4], in the place of [0:2, 1:5, 1:5]")
def padding_cut_off_at_the_end_alone():
    rng = np.random.default_rng(0)
    x = Tensor(rng.normal(size=(2, 4, 4)), name="x")
    k = rng.normal(size=(2, 6, 6))
    loss = (np.pad(x, ((0, 0), (1, 1), (1, 1))) * k).sum()
    return loss, {x: k[:, :-2, :-2]}


@posted("part at another place", "∂L/∂x was put to [0:3, 0:2] of ∂L/∂E, in the place of [1:4, 0:2]")
def the_gradients_of_a_part_one_row_off():
    rng = np.random.default_rng(0)
    E = Tensor(rng.normal(size=(5, 2)), name="E")
    x = named("x", E[1:4])
    k = rng.normal(size=(3, 2))
    wrong = np.zeros((5, 2))
    wrong[:3] = k
    return (x * k).sum(), {E: wrong}


@posted("axes not put back", "its axes have to be put back in order as well")
def heads_taken_apart_without_their_transpose():
    rng = np.random.default_rng(0)
    t, heads, dk = 5, 2, 3
    X, W, A = rng.normal(size=(t, 4)), rng.normal(size=(4, heads * dk)), rng.normal(size=(heads, t, t))
    V, k = Tensor(W, name="V"), rng.normal(size=(t, heads * dk))
    v = (X @ V).reshape(t, heads, dk).transpose(1, 0, 2)
    out = (A @ v).transpose(1, 0, 2).reshape(t, heads * dk)
    d = np.swapaxes(A, 1, 2) @ k.reshape(heads, t, dk)
    return (out * k).sum(), {V: X.T @ d.transpose(1, 0, 2).reshape(t, heads * dk)}


@posted("another value in the place of an operand", "adv was read with 1.5 added to each of its numbers")
def returns_for_advantages():
    rng = np.random.default_rng(0)
    S, acts, returns = rng.normal(size=(7, 4)), rng.integers(0, 3, 7), rng.normal(size=7)
    theta = Tensor(rng.normal(size=(4, 3)), name="theta")
    adv = returns - 1.5
    loss = -(F.log_softmax(S @ theta, dim=1)[np.arange(7), acts] * adv).mean()
    p = softmax(S @ theta.data)
    return loss, {theta: S.T @ ((p - np.eye(3)[acts]) * returns[:, None]) / 7}


@posted("transpose", "gets through")
def transitions_from_and_to_exchanged():
    rng = np.random.default_rng(0)
    T, k = Tensor(rng.normal(size=(3, 3)), name="T"), rng.normal(size=(4, 3, 3))
    loss = T[0, 1] * 2.0
    for step in k:
        loss = loss + (np.exp(T) * step).sum()
    right = np.zeros((3, 3))
    right[0, 1] = 2.0
    return loss, {T: right + (np.exp(T.data) * k.sum(0)).T}


@posted("path left out", "of the 2 paths to x (3) the one through x (4)")
def skips_of_blocks_forgotten():
    rng = np.random.default_rng(0)
    X, P = rng.normal(size=(5, 4)), rng.normal(size=(3, 4, 4)) / 2
    W = [Tensor(p, name=f"W{k}") for k, p in enumerate(P)]
    x, a, blocks = Tensor(X, requires_grad=False), X, []
    for w, p in zip(W, P, strict=True):
        blocks.append((a, a @ p > 0))
        a = a + np.maximum(a @ p, 0)
        x = x + F.relu(x @ w)
    d, hands = a, {}
    for w, p, (before, on) in zip(W[::-1], P[::-1], blocks[::-1], strict=True):
        hands[w] = before.T @ (d * on)
        d = (d * on) @ p.T
    return 0.5 * (x**2).sum(), hands


@posted("two slips at once", "the derivative ReLU′ is missing")
def no_mask_and_weights_already_updated():
    rng = np.random.default_rng(47)
    X, y = rng.normal(size=(8, 3)), (rng.random((8, 1)) > 0.5) * 1.0
    W, V = rng.normal(size=(3, 5)), rng.normal(size=(5, 1))
    w, v = Tensor(W, name="W1"), Tensor(V, name="W2")
    p = F.sigmoid(F.relu(X @ w) @ v)
    H = np.maximum(X @ W, 0)
    d = (sigma(H @ V) - y) / 8
    dV = H.T @ d
    return -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean(), {w: X.T @ (d @ (V - 0.1 * dV).T), v: dV}


@posted("another value in the place of an operand", "pi was taken in the place of dens")
def weights_of_a_mixture_for_responsibilities():
    rng = np.random.default_rng(44)
    x, pi = rng.normal(size=10), np.array([0.2, 0.5, 0.3])
    mu = Tensor([-1.0, 0.5, 2.0], name="mu")
    dens = pi * np.exp(-0.5 * (x[:, None] - mu) ** 2) / np.sqrt(2 * np.pi)
    return -np.log(dens.sum(axis=1)).sum(), {mu: -(pi * (x[:, None] - mu.data)).sum(0)}


@posted("order of a product", "right: ∂L/∂X = −(np.linalg.inv(X))ᵀ @ ∂L/∂(np.linalg.inv(X)) @ (np.linalg.inv(X))ᵀ")
def the_derivative_of_an_inverse_as_if_of_a_number():
    rng = np.random.default_rng(5)
    Y, X = rng.normal(size=(3, 3)), Tensor(rng.normal(size=(3, 3)) + 3 * np.eye(3), name="X")
    inverse = np.linalg.inv(X.data)
    return np.trace(Y @ np.linalg.inv(X)), {X: -Y @ inverse @ inverse}


@posted("factor taken twice", "the factor γ was multiplied in once too often")
def the_scale_of_an_rms_norm_twice_in_the_second_term():
    rng = np.random.default_rng(33)
    x, g, G = Tensor(rng.normal(size=(3, 4)), name="x"), Tensor(rng.normal(size=4), name="γ"), rng.normal(size=(3, 4))
    r = 1 / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + 1e-6)
    s, R = np.sum(G * x.data * g.data, -1, keepdims=True), r.data
    return np.sum(x * r * g * G), {x: G * g.data * R - g.data * R**3 * x.data * s / 4}


@posted("divided once too often", "it was divided by r once too often")
def the_force_of_a_spring_with_the_displacement_normalised():
    rng = np.random.default_rng(38)
    x, x0 = Tensor(rng.normal(size=3), name="x"), rng.normal(size=3)
    d = named("d", x - x0)
    r = named("r", np.sqrt((d * d).sum()))
    return (d**2).sum() + np.cos(r), {x: (2 - np.sin(r.data)) * d.data / r.data}


@posted("local derivative missing", "∂L/∂out was handed on to h as it is")
def the_error_of_the_output_for_that_of_the_hidden_layer():
    rng = np.random.default_rng(17)
    x, y = rng.normal(size=(6, 3)), rng.normal(size=(6, 1))
    w, v = Tensor(rng.normal(size=(3, 4)), name="w"), Tensor(rng.normal(size=(4, 1)), name="v")
    h = named("h", F.sigmoid(x @ w))
    out = named("out", F.sigmoid(h @ v))
    e = out.data - y
    d = e * out.data * (1 - out.data)
    return 0.5 * ((out - y) ** 2).sum(), {v: h.data.T @ d, w: x.T @ (e * h.data * (1 - h.data))}


@posted("another formula", "yours: ∂L/∂w = xᵀ (1 / (1 − h²))")
def the_derivative_of_tanh_inverted_and_not_multiplied_by():
    rng = np.random.default_rng(41)
    x, w, G = rng.normal(size=(3, 2)), Tensor(rng.normal(size=(2, 4)), name="w"), rng.normal(size=(3, 4))
    z = named("z", x @ w)
    h = named("h", np.tanh(z))
    return np.sum(h * G), {h: G, w: x.T @ (1 / (1 - h.data**2))}


@posted("another formula", "yours: ∂L/∂z = 1 − tanh(∂L/∂h)²")
def the_derivative_of_tanh_at_the_gradient_and_not_multiplied_by_it():
    rng = np.random.default_rng(9)
    x, w, G = rng.normal(size=(3, 2)), Tensor(rng.normal(size=(2, 4)), name="w"), rng.normal(size=(3, 4))
    z = named("z", x @ w)
    h = named("h", np.tanh(z))
    return np.sum(h * G), {h: G, w: x.T @ (1 - np.tanh(G) ** 2)}


@posted("another formula", "yours: ∂L/∂f = p − y ⊙ p²")
def the_logarithm_and_a_sign_forgotten():
    rng = np.random.default_rng(12)
    x, y, w = rng.normal(size=(6, 3)), np.array([0, 1, 1, 0, 1, 0.0]), Tensor(rng.normal(size=3), name="w")
    f = named("f", x @ w)
    p = named("p", F.sigmoid(f))
    P = p.data
    return np.sum(y * np.log(p) + (1 - y) * np.log(1 - p)), {f: y * P * (1 - P) + (1 - y) * P}


@posted("path left out", "was made of ∂L/∂(a[:2] (the 4th time of 4)) alone; and so at each of the 3 steps")
def the_state_from_the_first_gate_alone():
    rng = np.random.default_rng(5)
    xs, w = rng.normal(size=(4, 3)), Tensor(rng.normal(size=(4, 5)), name="W")
    h, S = np.zeros(2), []
    for x in xs:
        u = np.concatenate([h, x])
        a = w @ u
        s, t = F.sigmoid(a[:2]), np.tanh(a[2:])
        S.append([getattr(v, "data", v) for v in (u, s, t)])
        h = s * t
    d, dW = h.data, 0.0
    for u, s, t in S[::-1]:
        s, t, u = np.asarray(s), np.asarray(t), np.asarray(u)
        da = np.concatenate([d * t * s * (1 - s), d * s * (1 - t**2)])
        dW, d = dW + np.outer(da, u), (w.data[:2].T @ da[:2])[:2]
    return 0.5 * (h**2).sum(), {w: dW}


@posted("labels", "the loss with the opposite label: log(1 − n) in the place of log(n)")
def the_negative_samples_with_the_label_of_the_positive_one():
    rng = np.random.default_rng(45)
    v, u, N = Tensor(rng.normal(size=4), name="v"), Tensor(rng.normal(size=4), name="u"), rng.normal(size=(3, 4))
    neg = Tensor(N, name="neg")
    p = named("p", 1 / (1 + np.exp(-np.dot(u, v))))
    n = named("n", 1 / (1 + np.exp(neg @ v)))
    dp, dn = p.data - 1, -n.data
    return -np.log(p) - np.sum(np.log(n)), {u: dp * v.data, neg: np.outer(dn, v.data), v: dp * u.data + dn @ N}


@posted("sum in the place of a product", "yours: ∂L/∂(x @ w) = ∂L/∂a + a ⊙ (1 − a)")
def the_derivative_of_the_sigmoid_added():
    rng = np.random.default_rng(16)
    x, y, w = rng.normal(size=(5, 3)), rng.random((5, 2)), Tensor(rng.normal(size=(3, 2)), name="w")
    a = named("a", 1 / (1 + np.exp(-(x @ w))))
    A = a.data
    return 0.5 * ((a - y) ** 2).sum(), {w: x.T @ ((A - y) + A * (1 - A))}


@posted("local derivative missing", "the derivative of the inner function, `c * (x + 0.04 * x**3)`")
def the_inner_derivative_of_gelu():
    rng = np.random.default_rng(3)
    X, Y, c = rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), np.sqrt(2 / np.pi)
    x = Tensor(X, name="x")
    t = np.tanh(c * (x + 0.04 * x**3))
    out = 0.5 * x * (1 + t)
    T = t.data
    return 0.5 * ((out - Y) ** 2).sum(), {x: (out.data - Y) * (0.5 * (1 + T) + 0.5 * X * (1 - T**2))}


@posted("another value in the place of an operand", "the branch was chosen by y > 0 in the place of x > 0")
def the_branch_of_elu_chosen_by_its_result():
    x = Tensor([-2.0, -1.0, -0.3, 1.0, 2.0], name="x")
    y = named("y", np.where(x > 0, x, -2.0 * (np.exp(x) - 1)))
    return y.sum(), {x: np.where(y.data > 0, 1.0, y.data - 2.0)}


@posted("value in the place of its derivative", "yours: ∂L/∂o = ∂L/∂(t - o) ⊙ o")
def the_output_for_the_inner_derivative_of_a_difference():
    rng = np.random.default_rng(51)
    o, t = Tensor(rng.random(4), name="o"), rng.random(4)
    return ((t - o) ** 2).sum(), {o: 2 * (t - o.data) * o.data}


@posted("another value in the place of an operand", "w1 was taken in the place of 0.4")
def a_weight_for_the_input_of_a_program_of_numbers():
    w1, w2 = Tensor(0.7, name="w1"), Tensor(-0.3, name="w2")
    h = named("h", np.tanh(0.4 * w1))
    y = h * w2
    d = 2 * (y.data - 1)
    return (y - 1) ** 2, {w2: d * h.data, w1: d * -0.3 * (1 - h.data**2) * 0.7}


@posted("value of another step", "(masks[t], first step) was taken in the place of masks[t]")
def the_mask_of_the_first_step_at_all_steps():
    rng = np.random.default_rng(29)
    xs, masks = rng.normal(size=(4, 3)), np.array([[1, 0, 1.0], [0, 1, 1], [1, 1, 0], [1, 0, 0]])
    w, h, kept = Tensor(rng.normal(size=3), name="w"), np.zeros(3), []
    for t in range(4):
        a = np.tanh(xs[t] + w * h)
        kept.append((np.asarray(getattr(h, "data", h)), np.asarray(getattr(a, "data", a))))
        h = (a - h) * masks[t] + h
    dw, dh = np.zeros(3), 2 * h.data
    for before, a in kept[::-1]:
        dz = dh * masks[0] * (1 - a**2)
        dw, dh = dw + before * dz, dh * (1 - masks[0]) + w.data * dz
    return (h**2).sum(), {w: dw}


@posted("regularisation term", "are counted once for each use of a row")
def the_penalty_of_factors_once_for_each_rating():
    rng = np.random.default_rng(31)
    users, items, R = np.array([0, 0, 1, 2, 2, 2, 3]), np.array([0, 1, 1, 0, 1, 2, 2]), rng.normal(size=7)
    p, q = Tensor(rng.normal(size=(4, 2)), name="p"), Tensor(rng.normal(size=(3, 2)), name="q")
    e = R - np.sum(p[users] * q[items], axis=1)
    P, Q, dp, dq = p.data, q.data, np.zeros((4, 2)), np.zeros((3, 2))
    for u, i, one in zip(users, items, e.data, strict=True):
        dp[u] += -2 * one * Q[i] + 0.4 * P[u]
        dq[i] += -2 * one * P[u] + 0.4 * Q[i]
    return np.sum(e**2) + 0.2 * (np.sum(p**2) + np.sum(q**2)), {p: dp, q: dq}


@posted("derivative of another activation", "which is tanh: 1 / (1 + a²)")
def the_derivative_of_arctan_for_that_of_tanh():
    rng = np.random.default_rng(28)
    x, w = rng.normal(size=(5, 3)), Tensor(rng.normal(size=(3, 2)), name="w")
    a = named("a", np.tanh(x @ w))
    return 0.5 * (a**2).sum(), {w: x.T @ (a.data / (1 + a.data**2))}


@posted("shared weight at one position only", "x is used at 4 places, and only the first was counted")
def the_first_window_of_max_pooling_alone():
    rng = np.random.default_rng(12)
    x, g, right = Tensor(rng.normal(size=(4, 4)), name="x"), rng.normal(size=4), np.zeros((4, 4))
    tops = [np.amax(x[i : i + 2, j : j + 2]) for i in (0, 2) for j in (0, 2)]
    right[:2, :2] = (x.data[:2, :2] == tops[0].data) * g[0]
    return np.sum(np.stack(tops) * g), {x: right}


@posted("another formula", "yours: ∂L/∂w = Xᵀ @ (X @ w) − 2 Xᵀ @ y")
def a_sign_and_a_bracket_in_the_formula_of_least_squares():
    rng = np.random.default_rng(6)
    X, y, w = rng.normal(size=(6, 3)), rng.normal(size=6), Tensor(rng.normal(size=3), name="w")
    return (y + X @ w) @ (y + X @ w), {w: -2 * X.T @ y + X.T @ X @ w.data}


@posted("another formula", "= ∂L/∂A₁ (1 − A₁ᵀ A₁)")
def products_of_matrices_where_elements_are_multiplied():
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(3, 4)), rng.normal(size=(1, 4))
    W1, b1, W2 = Tensor(rng.normal(size=(4, 3))), Tensor(rng.normal(size=(4, 1))), Tensor(rng.normal(size=(1, 4)))
    A1 = np.tanh(W1 @ X + b1)
    loss = 0.5 * np.sum((W2 @ A1 - y) ** 2)
    d, a = W2.data @ A1.data - y, A1.data
    dz = (W2.data.T @ d) @ (1 - a.T @ a)
    return loss, {"W2": d @ a.T, "b1": dz.sum(1, keepdims=True), "W1": dz @ X.T}


@posted("another formula", "yours: ∂L/∂W = 2 (Σ ∂L/∂U) × W")
def a_logarithm_of_a_determinant_taken_for_a_number():
    W = Tensor(np.random.default_rng(0).normal(size=(3, 2)), name="W")
    U = named("U", W @ W.T + 0.5 * np.eye(3))
    return np.log(np.linalg.det(U)), {W: 2 * np.linalg.inv(U.data).sum() * W.data}


@posted("another formula", "yours: ∂L/∂θ = (Xᵀ @ cost) / 8")
def the_cost_in_the_place_of_the_error():
    rng = np.random.default_rng(26)
    X, y, theta = rng.normal(size=(8, 2)), (rng.random(8) > 0.5) * 1.0, Tensor(rng.normal(size=2), name="θ")
    h = named("h", 1.0 / (1 + np.exp(-np.dot(X, theta))))
    cost = named("cost", -y * np.log(h) - (1 - y) * np.log(1 - h))
    return np.mean(cost), {theta: X.T @ cost.data / 8}


@posted("another formula", "yours: ∂L/∂θ = (xᵀ (x θ − y)) / 3")
def divided_by_the_number_of_features():
    rng = np.random.default_rng(25)
    x, y, theta = rng.normal(size=(7, 3)), rng.normal(size=7), Tensor(rng.normal(size=3), name="θ")
    loss = np.sum((np.dot(x, theta) - y) ** 2) / (2 * 7)
    return loss, {theta: x.T @ (x @ theta.data - y) / 3}


@posted("another formula", "yours: ∂L/∂A = (A B Aᵀ − C) A B")
def both_uses_of_a_matrix_taken_for_one():
    rng = np.random.default_rng(3)
    A, B, C = Tensor(rng.normal(size=(3, 3)), name="A"), rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    return np.sum((A @ B @ A.T - C) ** 2), {A: (A.data @ B @ A.data.T - C) @ A.data @ B}


@posted("another formula", "yours: ∂L/∂(X @ W) = ∂L/∂h ⊙ σ(h)")
def the_derivative_of_softplus_of_the_result():
    rng = np.random.default_rng(10)
    X, v, W = rng.normal(size=(5, 3)), rng.normal(size=(5, 4)), Tensor(rng.normal(size=(3, 4)), name="W")
    h = named("h", np.log(1 + np.exp(X @ W)))
    return np.sum((h - v) ** 2), {W: X.T @ (2 * (h.data - v) / (1 + np.exp(-h.data)))}


@posted("another formula", "P⁻¹")
def the_covariance_in_the_place_of_its_inverse():
    rng = np.random.default_rng(24)
    P, mu = np.array([[2.13, 0.41], [0.41, 1.27]]), rng.normal(size=2)
    theta = Tensor(rng.normal(size=(5, 2)), name="θ")
    loss = -0.5 * np.sum(((theta - mu) @ P) * (theta - mu))
    return loss, {theta: -(theta.data - mu) @ np.linalg.inv(P)}


@posted("sum over another axis", "Σ (∂L/∂p ⊙ p)")
def the_sum_in_the_derivative_of_softmax_over_all():
    c = classes()
    p, g = named("p", F.softmax(c.z)), -c.onehot / c.p / c.n
    return -(c.onehot * np.log(p)).sum() / c.n, c.back(c.p * (g - (g * c.p).sum()))


@posted("factor taken twice", "⊙ ∂L/∂p\n")
def the_gradient_multiplied_on_to_a_product_that_holds_it():
    c = classes()
    p, g = named("p", F.softmax(c.z)), -c.onehot / c.p / c.n
    dz = c.p * (g - (g * c.p).sum(1, keepdims=True)) * g
    return -(c.onehot * np.log(p)).sum() / c.n, {p: g, c.z: dz}


@posted("constant in the rule", "yours: ∂L/∂z += 0.01 ∂L/∂(alpha * z)")
def the_slope_of_a_leaky_relu_that_is_not_passed_on():
    rng, alpha = np.random.default_rng(22), 0.3
    z, t = Tensor(rng.normal(size=(6, 4)), name="z"), rng.normal(size=(6, 4))
    a = np.maximum(z, alpha * z)
    return 0.5 * np.sum((a - t) ** 2), {z: (a.data - t) * np.where(z.data > 0, 1, 0.01)}


@posted("bracket put in", "gets through y")
def the_gradient_of_a_residual_connection_sent_through_the_layer():
    rng = np.random.default_rng(1)
    x, w, t = Tensor(rng.normal(size=(5, 4)), name="x"), rng.normal(size=4), rng.normal(size=(5, 4))
    f = named("f", np.tanh(x * w))
    y = named("y", x + f)
    dy = y.data - t
    return 0.5 * np.sum((y - t) ** 2), {x: (dy + dy) * (1 - f.data**2) * w}


@posted("transpose", "yours: ∂L/∂x = reshape(W, 3×2) ∂L/∂y")
def the_weights_read_in_another_shape():
    rng = np.random.default_rng(10)
    x, W = Tensor(rng.normal(size=(3, 5)), name="x"), Tensor(rng.normal(size=(2, 3)), name="W")
    y, t = named("y", W @ x), rng.normal(size=(2, 5))
    g = y.data - t
    return 0.5 * np.sum((y - t) ** 2), {y: g, W: g @ x.data.T, x: W.data.reshape(3, 2) @ g}


@posted("value of another step", "was taken at the step of")
def the_derivatives_of_sigmoids_that_are_written_out_at_the_next_layer():
    rng = np.random.default_rng(5)
    W, outs, t = [Tensor(rng.normal(size=(3, 3)), name=f"W{k}") for k in range(3)], [rng.normal(size=(3, 1))], 1.0
    for w in W:
        outs.append(1 / (1 + np.exp(-(w @ outs[-1]))))
    values = [np.array(a.data if isinstance(a, Tensor) else a) for a in outs]
    g = values[3] - t
    grads, delta = {}, g * values[3] * (1 - values[3])
    for k in (2, 1, 0):
        grads[W[k]] = delta @ values[k].T
        a = values[k + 1]
        delta = (W[k].data.T @ delta) * a * (1 - a)
    return 0.5 * np.sum((outs[3] - t) ** 2), grads


@posted("activation derivative missing", "and so at each of the 4 ways")
def the_gates_without_their_derivatives_in_what_the_state_before_gets():
    rng = np.random.default_rng(22)
    h, x, t = Tensor(rng.normal(size=3), name="h"), rng.normal(size=2), rng.normal(size=3)
    W = [Tensor(0.5 * rng.normal(size=(3, 5)), name=f"W{k}") for k in "fico"]
    c = rng.normal(size=3)
    hx = np.concatenate([h, x])
    f, i, g, o = (act(w @ hx) for act, w in zip((F.sigmoid, F.sigmoid, np.tanh, F.sigmoid), W, strict=True))
    s = f * c + i * g
    out = o * np.tanh(s)
    F1, I1, G1, O1, S1 = (v.data for v in (f, i, g, o, s))
    e = out.data - t
    ds = e * O1 * (1 - np.tanh(S1) ** 2)
    before = [ds * c, ds * G1, ds * I1, e * np.tanh(S1)]
    slopes = [F1 * (1 - F1), I1 * (1 - I1), 1 - G1**2, O1 * (1 - O1)]
    grads = {w: np.outer(d * k, hx.data) for w, d, k in zip(W, before, slopes, strict=True)}
    return 0.5 * np.sum((out - t) ** 2), grads | {h: sum(w.data.T @ d for w, d in zip(W, before, strict=True))[:3]}


@posted("another formula", "yours: ∂L/∂S = tr(L × S⁻ᵀ)")
def the_trace_of_the_inverse_for_the_inverse():
    B = np.random.default_rng(23).normal(size=(3, 3))
    S = Tensor(B @ B.T + np.eye(3), name="S")
    L = named("L", np.linalg.det(S))
    return L, {S: np.full((3, 3), L.data * np.trace(np.linalg.inv(S.data)))}


@posted("stale forward values", "with 0 in the first column of θ₁ and θ₂")
def the_biases_set_to_0_for_the_penalty_before_the_forward_pass():
    rng = np.random.default_rng(4)
    X, Y = rng.normal(size=(6, 2)), (rng.random((6, 2)) > 0.5) * 1.0
    one, first, second = np.ones((6, 1)), rng.normal(size=(3, 3)), rng.normal(size=(2, 4))

    def back(first, second):
        a = sigma(np.hstack([one, X]) @ first.T)
        delta = (sigma(np.hstack([one, a]) @ second.T) - Y) / 6
        hidden = delta @ second[:, 1:] * a * (1 - a)
        return hidden.T @ np.hstack([one, X]), delta.T @ np.hstack([one, a])

    t1, t2 = Tensor(first, name="θ₁"), Tensor(second, name="θ₂")
    h = F.sigmoid(np.hstack([one, F.sigmoid(np.hstack([one, X]) @ t1.T)]) @ t2.T)
    wrong = back(*(np.where(np.arange(M.shape[1]) > 0, M, 0) for M in (first, second)))
    return -(Y * np.log(h) + (1 - Y) * np.log(1 - h)).sum() / 6, dict(zip((t1, t2), wrong, strict=True))


@posted("another formula", "yours: ∂L/∂o = Σ₁ (p ⊙ y) − y")
def the_index_of_the_class_within_the_sum():
    rng = np.random.default_rng(14)
    y, o = softmax(rng.normal(size=(5, 4))), Tensor(rng.normal(size=(5, 4)), name="o")
    e = named("e", np.exp(o))
    p = named("p", e / np.sum(e, axis=1, keepdims=True))
    return -np.sum(y * np.log(p)), {o: np.sum(p.data * y, axis=1, keepdims=True) - y}


@posted("given under another name", "are ∂L/∂b, as where the steps between are left out")
def the_slope_of_a_leaky_relu_that_is_taken_for_one():
    rng = np.random.default_rng(20)
    a, t = Tensor(rng.normal(size=(4, 3)), name="a"), rng.normal(size=(4, 3))
    b = named("b", np.maximum(a, 0) - 0.2 * np.minimum(a, 0))
    return 0.5 * np.sum((b - t) ** 2), {b: b.data - t, a: b.data - t}


@posted("path left out", "of the 4 paths to p those through `1 - p`")
def the_weights_of_a_focal_loss_taken_for_constants():
    rng = np.random.default_rng(25)
    x, y = Tensor(rng.normal(size=7), name="x"), (rng.random(7) > 0.5) * 1.0
    p = named("p", F.sigmoid(x))
    loss = -(y * (1 - p) ** 2 * np.log(p) + (1 - y) * p**2 * np.log(1 - p)).sum()
    P = p.data
    return loss, {x: -(y * (1 - P) ** 2 / P - (1 - y) * P**2 / (1 - P)) * P * (1 - P)}


@posted("activation derivative missing", "which gives σ(−u) in the place of σ(u) for u = m")
def the_sign_within_the_sigmoid_of_a_logistic_loss():
    rng = np.random.default_rng(36)
    X, y, w = rng.normal(size=(8, 3)), np.sign(rng.normal(size=8)), Tensor(rng.normal(size=3), name="w")
    m = named("m", -y * (X @ w))
    return np.sum(np.log(1 + np.exp(m))), {w: X.T @ (-y * sigma(-m.data))}
