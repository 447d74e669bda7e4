"""Examples of a few numbers: the circuits that courses draw, where every gate has a value and a gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor, grad, vjp
from nn import functional as F

from . import example, gradients


@example("cs231n-mul-gate")
def mul_gate(given: Any) -> dict[str, Any]:
    x, y = Tensor(float(given.x)), Tensor(float(given.y))
    f = x * y
    dx, dy = gradients(f, x, y)
    return {"f": f, "dx": dx, "dy": dy}


@example("cs231n-circuit-xyz")
def add_and_multiply(given: Any) -> dict[str, Any]:
    x, y, z = Tensor(float(given.x)), Tensor(float(given.y)), Tensor(float(given.z))
    q = x + y
    f = q * z
    dx, dy, dz, dq, df = gradients(f, x, y, z, q, f)
    return {"q": q, "f": f, "dx": dx, "dy": dy, "dz": dz, "dq": dq, "df": df}


@example("cs231n-sigmoid-circuit")
def sigmoid_gates(given: Any) -> dict[str, Any]:
    gates: dict[str, Any] = {f"w{i}": Tensor(w) for i, w in enumerate(given.w)} | {
        f"x{i}": Tensor(x) for i, x in enumerate(given.x)
    }
    gates["w0x0"] = gates["w0"] * gates["x0"]
    gates["w1x1"] = gates["w1"] * gates["x1"]
    gates["s1"] = gates["w0x0"] + gates["w1x1"]
    gates["s2"] = gates["s1"] + gates["w2"]
    gates["neg"] = gates["s2"] * -1
    gates["e"] = np.exp(gates["neg"])
    gates["den"] = gates["e"] + 1
    gates["f"] = 1 / gates["den"]
    found = gradients(gates["f"], *gates.values())
    return gates | {f"d{name}": g for name, g in zip(gates, found, strict=True)}


@example("cs231n-staged")
def staged(given: Any) -> dict[str, Any]:
    x, y = Tensor(float(given.x)), Tensor(float(given.y))
    sigy = F.sigmoid(y)
    num = x + sigy
    sigx = F.sigmoid(x)
    xpy = x + y
    xpysqr = xpy**2
    den = sigx + xpysqr
    invden = 1.0 / den
    f = num * invden
    names = ["dx", "dy", "dnum", "dinvden", "dden", "dsigx", "dxpysqr", "dxpy", "dsigy"]
    found = gradients(f, x, y, num, invden, den, sigx, xpysqr, xpy, sigy)
    return {"f": f} | dict(zip(names, found, strict=True))


@example("colah-2015")
def colah(given: Any) -> dict[str, Any]:
    a, b = Tensor(float(given.a)), Tensor(float(given.b))
    c, d = a + b, b + 1
    e = c * d
    de_da, de_db, de_dc, de_dd = gradients(e, a, b, c, d)
    return {"c": c, "d": d, "e": e, "de_da": de_da, "de_db": de_db, "de_dc": de_dc, "de_dd": de_dd}


@example("micrograd-readme")
def micrograd_readme(given: Any) -> dict[str, Any]:
    a, b = Tensor(given.a), Tensor(given.b)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + F.relu(b + a)
    d += 3 * d + F.relu(b - a)
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    da, db = gradients(g, a, b)
    return {"g": g, "da": da, "db": db, "g_full": g, "da_full": da, "db_full": db}


@example("micrograd-sanity")
def micrograd_sanity(given: Any) -> dict[str, Any]:
    x = Tensor(given.x)
    z = 2 * x + 2 + x
    q = F.relu(z) + z * x
    h = F.relu(z * z)
    y = h + q + q * x
    return {"y": y, "dx": gradients(y, x)[0]}


@example("micrograd-lecture-L")
def micrograd_lecture(given: Any) -> dict[str, Any]:
    a, b, c, f = (Tensor(float(value)) for value in (given.a, given.b, given.c, given.f))
    e = a * b
    d = e + c
    L = d * f
    values = {"a": a, "b": b, "c": c, "f": f, "e": e, "d": d, "L": L}
    found = gradients(L, *values.values())
    return values | {f"d{name}": g for name, g in zip(values, found, strict=True)}


@example("micrograd-lecture-fanout")
def micrograd_fan_out(given: Any) -> dict[str, Any]:
    a1 = Tensor(given.a1)
    b1 = a1 + a1
    a, b = Tensor(given.a), Tensor(given.b)
    d, e = a * b, a + b
    f = d * e
    da, db, dd, de = gradients(f, a, b, d, e)
    return {"b1": b1, "da1": gradients(b1, a1)[0], "d": d, "e": e, "f": f, "da": da, "db": db, "dd": dd, "de": de}


def square_exp_square(x: Any) -> Any:
    return np.square(np.exp(np.square(x)))


def sphere(p: Any) -> Any:
    return p[0] ** 2 + p[1] ** 2


def matyas(p: Any) -> Any:
    x, y = p
    return 0.26 * (x**2 + y**2) - 0.48 * x * y


def goldstein_price(p: Any) -> Any:
    x, y = p
    first = 1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2)
    second = 30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2)
    return first * second


def rosenbrock(p: Any) -> Any:
    return 100 * (p[1] - p[0] ** 2) ** 2 + (p[0] - 1) ** 2


def quartic(x: Any) -> Any:
    return x**4 - 2 * x**2


def squares_added(x: Any) -> Any:
    a = x**2
    return a**2 + a**2


def newton(x: float, iterations: int) -> float:
    """Newton's method for a minimum of x⁴ − 2x², which takes the gradient of the gradient."""
    for _ in range(iterations):
        x = x - grad(quartic)(x) / grad(grad(quartic))(x)
    return x


@example("dezero-steps")
def dezero(given: Any) -> dict[str, Any]:
    ones = given.step_24_xy
    x = Tensor(given.step_9_x)
    y = square_exp_square(x)
    s16 = Tensor(given.step_16_x)
    s16_y = squares_added(s16)
    return {
        "sq_exp_sq": gradients(y, x)[0],
        "y065": y,
        "add_xx": grad(lambda x: x + x)(given.step_14_x),
        "add_xxx": grad(lambda x: x + x + x)(given.step_14_x),
        "s16_y": s16_y,
        "s16_dx": gradients(s16_y, s16)[0],
        "s18": grad(lambda x: x[0] + (x[0] + x[1]))(given.step_18_x),
        "sphere": grad(sphere)(ones),
        "matyas": grad(matyas)(ones),
        "goldstein_y": goldstein_price(ones),
        "goldstein": grad(goldstein_price)(ones),
        "rosenbrock": grad(rosenbrock)(given.step_28_x),
        "newton_x10": newton(given.step_33_x, given.step_33_iterations),
    }


@example("dlfs-buy-apple")
def buy_apples_and_oranges(given: Any) -> dict[str, Any]:
    def price(apple: Any, n: Any, tax: Any, orange: Any = 0.0, m: Any = 0.0) -> Any:
        return (apple * n + orange * m) * tax

    apples = float(given.apple), float(given.n), given.tax
    price1, pull1 = vjp(price, *apples)
    both, pull = vjp(price, *apples, float(given.orange), float(given.m))
    first = dict(zip(["d1_apple", "d1_num", "d1_tax"], pull1(1.0), strict=True))
    names = ["dapple", "dapple_num", "dtax", "dorange", "dorange_num"]
    return {"price1": price1, "price": both} | first | dict(zip(names, pull(1.0), strict=True))


@example("autograd-readme-tanh")
def tanh_by_hand(given: Any) -> dict[str, Any]:
    def tanh(x: Any) -> Any:
        y = np.exp(-2.0 * x)
        return (1.0 - y) / (1.0 + y)

    return {"g": grad(tanh)(given.x), "fd": (tanh(Tensor(1.0001)) - tanh(Tensor(0.9999))) / 0.0002}


@example("pytorch-blitz")
def pytorch_blitz(given: Any) -> dict[str, Any]:
    x = Tensor(given.x)
    y = x + 2
    out = (y * y * 3).mean()
    a, b = Tensor(given.a), Tensor(given.b)
    da, db = gradients(3 * a**3 - b**2, a, b, seed=np.ones(2))
    return {"out": out, "dx": gradients(out, x)[0], "da": da, "db": db}
