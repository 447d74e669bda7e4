"""Well-known formulas and how they are to be written, for `test_viz_formula`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from autograd import Tensor
from autograd.rules.elementwise import relu, sigmoid
from autograd.rules.reductions import log_softmax, softmax
from autograd.rules.windows import window_product, windows


def _t(name: str, *shape: int) -> Tensor:
    """Uneven positive numbers, different for every name."""
    rng = np.random.default_rng(sum(name.encode()))
    return Tensor(rng.uniform(0.5, 1.5, shape), name=name)


class Case(NamedTuple):
    """A call, which operand's gradient is meant (None: the forward formula), and the right-hand side.

    MathML stands here without rows and symbol numbers: ``frac(∂L, ∂x)`` for ``<mfrac>…</mfrac>``.
    """

    name: str
    make: Callable[[], Any]
    operand: int | None
    plain: str
    latex: str
    mathml: str


y = np.array([2, 0])

CASES = [
    Case(
        "sigmoid forward",
        lambda: sigmoid(_t("z⁽¹⁾", 3)),
        None,
        "σ(z⁽¹⁾)",
        r"\sigma\left( z^{(1)} \right)",
        "σ(sup(z, (1)))",
    ),
    Case(
        "sigmoid",
        lambda: sigmoid(_t("z⁽¹⁾", 3)),
        0,
        "∂L/∂s ⊙ s ⊙ (1 − s)",
        r"\frac{\partial L}{\partial s}\odot s\odot \left( 1-s \right)",
        "frac(∂L, ∂s)⊙s⊙(1−s)",
    ),
    Case(
        "tanh",
        lambda: np.tanh(_t("x", 3)),
        0,
        "∂L/∂s ⊙ (1 − s²)",
        r"\frac{\partial L}{\partial s}\odot \left( 1-s^{2} \right)",
        "frac(∂L, ∂s)⊙(1−sup(s, 2))",
    ),
    Case(
        "relu",
        lambda: relu(_t("x", 3)),
        0,
        "∂L/∂s ⊙ [s > 0]",
        r"\frac{\partial L}{\partial s}\odot \left[ s\gt 0 \right]",
        "frac(∂L, ∂s)⊙[s>0]",
    ),
    Case(
        "exp",
        lambda: np.exp(_t("x", 3)),
        0,
        "∂L/∂s ⊙ s",
        r"\frac{\partial L}{\partial s}\odot s",
        "frac(∂L, ∂s)⊙s",
    ),
    Case(
        "log",
        lambda: np.log(_t("x", 3)),
        0,
        "∂L/∂s / x",
        r"\frac{\partial L/\partial s}{x}",
        "frac(∂L/∂s, x)",
    ),
    Case(
        "softmax",
        lambda: softmax(_t("x", 2, 3)),
        0,
        "s ⊙ (∂L/∂s − Σ₁ (∂L/∂s ⊙ s))",
        r"s\odot \left( \frac{\partial L}{\partial s}-\sum_{1}\, "
        r"\left( \frac{\partial L}{\partial s}\odot s \right) \right)",
        "s⊙(frac(∂L, ∂s)−sub(∑, 1)(frac(∂L, ∂s)⊙s))",
    ),
    Case(
        "log softmax",
        lambda: log_softmax(_t("x", 2, 3)),
        0,
        "∂L/∂s − exp(s) ⊙ Σ₁ ∂L/∂s",
        r"\frac{\partial L}{\partial s}-\exp\left( s \right)\odot \sum_{1}\, \frac{\partial L}{\partial s}",
        "frac(∂L, ∂s)−exp(s)⊙sub(∑, 1)frac(∂L, ∂s)",
    ),
    Case(
        "matmul forward",
        lambda: _t("W⁽¹⁾", 2, 3) @ _t("x", 3),
        None,
        "W⁽¹⁾ x",
        r"W^{(1)}\, x",
        "sup(W, (1)) x",
    ),
    Case(
        "matmul by the matrix",
        lambda: _t("W⁽¹⁾", 2, 3) @ _t("x", 3),
        0,
        "∂L/∂s xᵀ",
        r"\frac{\partial L}{\partial s}\, x^{\top}",
        "frac(∂L, ∂s) sup(x, ⊤)",
    ),
    Case(
        "matmul by the vector",
        lambda: _t("W⁽¹⁾", 2, 3) @ _t("x", 3),
        1,
        "W⁽¹⁾ᵀ ∂L/∂s",
        r"W^{(1)\top}\, \frac{\partial L}{\partial s}",
        "sup(sup(W, (1)), ⊤) frac(∂L, ∂s)",
    ),
    Case(
        "linear layer forward",
        lambda: np.inner(_t("x", 4, 3), _t("W⁽²⁾", 2, 3)),
        None,
        "x W⁽²⁾ᵀ",
        r"x\, W^{(2)\top}",
        "x sup(sup(W, (2)), ⊤)",
    ),
    Case(
        "linear layer by x",
        lambda: np.inner(_t("x", 4, 3), _t("W⁽²⁾", 2, 3)),
        0,
        "∂L/∂s W⁽²⁾",
        r"\frac{\partial L}{\partial s}\, W^{(2)}",
        "frac(∂L, ∂s) sup(W, (2))",
    ),
    Case(
        "linear layer by W",
        lambda: np.inner(_t("x", 4, 3), _t("W⁽²⁾", 2, 3)),
        1,
        "(∂L/∂s)ᵀ x",
        r"\left( \frac{\partial L}{\partial s} \right)^{\top}\, x",
        "sup((frac(∂L, ∂s)), ⊤) x",
    ),
    Case(
        "bias",
        lambda: _t("x", 4, 3) + _t("b", 3),
        1,
        "Σ₀ ∂L/∂s",
        r"\sum_{0}\, \frac{\partial L}{\partial s}",
        "sub(∑, 0)frac(∂L, ∂s)",
    ),
    Case(
        "bias of channels",
        lambda: _t("x", 2, 3, 2, 2) + _t("b", 1, 3, 1, 1),
        1,
        "Σ₀,₂,₃ ∂L/∂s",
        r"\sum_{0,2,3}\, \frac{\partial L}{\partial s}",
        "sub(∑, 0,2,3)frac(∂L, ∂s)",
    ),
    Case(
        "convolution forward",
        lambda: window_product(windows(_t("x", 1, 1, 3, 3), (2, 2)), _t("g⁽¹⁾", 1, 1, 2, 2)),
        None,
        "%1 ⋆ g⁽¹⁾",
        r"\mathrm{\%1}\star g^{(1)}",
        "%1⋆sup(g, (1))",
    ),
    Case(
        "convolution by the kernel",
        lambda: window_product(windows(_t("x", 1, 1, 3, 3), (2, 2)), _t("g⁽¹⁾", 1, 1, 2, 2)),
        1,
        "%1ᵀ ⋆ ∂L/∂s",
        r"\mathrm{\%1}^{\top}\star \frac{\partial L}{\partial s}",
        "sup(%1, ⊤)⋆frac(∂L, ∂s)",
    ),
    Case(
        "convolution by the windows",
        lambda: window_product(windows(_t("x", 1, 1, 3, 3), (2, 2)), _t("g⁽¹⁾", 1, 1, 2, 2)),
        0,
        "∂L/∂s ⋆ g⁽¹⁾ᵀ",
        r"\frac{\partial L}{\partial s}\star g^{(1)\top}",
        "frac(∂L, ∂s)⋆sup(sup(g, (1)), ⊤)",
    ),
    Case(
        "mean",
        lambda: _t("x", 3).mean(),
        0,
        "broadcast(∂L/∂s / 3, 3)",
        r"\operatorname{broadcast}\left( \frac{\partial L/\partial s}{3},\ 3 \right)",
        "broadcast(frac(∂L/∂s, 3),3)",
    ),
    Case(
        "sum over an axis",
        lambda: _t("x", 2, 3).sum(axis=1),
        0,
        "broadcast((∂L/∂s)[:, new], 2×3)",
        r"\operatorname{broadcast}\left( \left( \frac{\partial L}{\partial s} \right)"
        r"\left[ {:},\ \operatorname{new} \right],\ 2\times 3 \right)",
        "broadcast((frac(∂L, ∂s))[:,new],2×3)",
    ),
    Case(
        "max",
        lambda: np.max(_t("x", 2, 3), axis=1),
        0,
        "(∂L/∂s)[:, new] ⊙ [x = s[:, new]]",
        r"\left( \frac{\partial L}{\partial s} \right)\left[ {:},\ \operatorname{new} \right]\odot "
        r"\left[ x=s\left[ {:},\ \operatorname{new} \right] \right]",
        "(frac(∂L, ∂s))[:,new]⊙[x=s[:,new]]",
    ),
    Case(
        "maximum of two",
        lambda: np.maximum(_t("x", 3), _t("y", 3)),
        0,
        "∂L/∂s ⊙ [x = s]",
        r"\frac{\partial L}{\partial s}\odot \left[ x=s \right]",
        "frac(∂L, ∂s)⊙[x=s]",
    ),
    Case(
        "maximum with a tie",
        lambda: np.maximum(Tensor([1.0, 2.0], name="x"), Tensor([1.0, 3.0], name="y")),
        0,
        "∂L/∂s ⊙ ([x > y] + 0.5 [x = y])",
        r"\frac{\partial L}{\partial s}\odot \left( \left[ x\gt y \right]+0.5\, \left[ x=y \right] \right)",
        "frac(∂L, ∂s)⊙([x>y]+0.5 [x=y])",
    ),
    Case(
        "max with a tie",
        lambda: np.max(Tensor([2.0, 2.0, 1.0], name="x")),
        0,
        "∂L/∂s × [x = s] / (Σ [x = s])",
        r"\frac{\partial L/\partial s\cdot \left[ x=s \right]}{\sum \, \left[ x=s \right]}",
        "frac(∂L/∂s·[x=s], ∑[x=s])",
    ),
    Case(
        "sqrt",
        lambda: np.sqrt(_t("x", 3)),
        0,
        "∂L/∂s / (2 s)",
        r"\frac{\partial L/\partial s}{2\, s}",
        "frac(∂L/∂s, 2 s)",
    ),
    Case(
        "division by the divisor",
        lambda: _t("x", 3) / _t("y", 3),
        1,
        "−∂L/∂s ⊙ s / y",
        r"-\frac{\partial L/\partial s\odot s}{y}",
        "−frac(∂L/∂s⊙s, y)",
    ),
    Case(
        "power of a number",
        lambda: _t("x", 3) ** 3,
        0,
        "3 ∂L/∂s ⊙ x²",
        r"3\, \frac{\partial L}{\partial s}\odot x^{2}",
        "3 frac(∂L, ∂s)⊙sup(x, 2)",
    ),
    Case(
        "power by the exponent",
        lambda: _t("x", 3) ** _t("y", 3),
        1,
        "∂L/∂s ⊙ s ⊙ log(x)",
        r"\frac{\partial L}{\partial s}\odot s\odot \log\left( x \right)",
        "frac(∂L, ∂s)⊙s⊙log(x)",
    ),
    Case(
        "reciprocal",
        lambda: np.reciprocal(_t("x", 3)),
        0,
        "−∂L/∂s ⊙ s²",
        r"-\frac{\partial L}{\partial s}\odot s^{2}",
        "−frac(∂L, ∂s)⊙sup(s, 2)",
    ),
    Case(
        "product with a number",
        lambda: _t("x") * 0.5,
        0,
        "0.5 ∂L/∂s",
        r"0.5\, \frac{\partial L}{\partial s}",
        "0.5 frac(∂L, ∂s)",
    ),
    Case(
        "arctan",
        lambda: np.arctan(_t("x", 3)),
        0,
        "∂L/∂s / (1 + x²)",
        r"\frac{\partial L/\partial s}{1+x^{2}}",
        "frac(∂L/∂s, 1+sup(x, 2))",
    ),
    Case(
        "clip",
        lambda: np.clip(_t("x", 3), -1, 1),
        0,
        "∂L/∂s ⊙ [−1 ≤ x ≤ 1]",
        r"\frac{\partial L}{\partial s}\odot \left[ -1\leq x\leq 1 \right]",
        "frac(∂L, ∂s)⊙[−1≤x≤1]",
    ),
    Case(
        "where",
        lambda: np.where(np.array([True, False]), _t("x", 2), _t("y", 2)),
        1,
        "∂L/∂s if c else 0",
        r"\begin{cases} \partial L/\partial s & c \\ 0 & \text{otherwise} \end{cases}",
        "{table(tr(td(∂L/∂s), td(c)), tr(td(0), td(otherwise)))",
    ),
    Case(
        "norm",
        lambda: np.linalg.norm(_t("x", 3)),
        0,
        "∂L/∂s × x / s",
        r"\frac{\partial L/\partial s\cdot x}{s}",
        "frac(∂L/∂s·x, s)",
    ),
    Case(
        "variance",
        lambda: np.var(_t("x", 3)),
        0,
        "2 ∂L/∂s ⊙ (x − mean(x)) / 3",
        r"\frac{2\, \partial L/\partial s\odot \left( x-\operatorname{mean}\left( x \right) \right)}{3}",
        "frac(2 ∂L/∂s⊙(x−mean(x)), 3)",
    ),
    Case(
        "standard deviation",
        lambda: np.std(_t("x", 3)),
        0,
        "∂L/∂s × (x − mean(x)) / (3 s)",
        r"\frac{\partial L/\partial s\cdot \left( x-\operatorname{mean}\left( x \right) \right)}{3\, s}",
        "frac(∂L/∂s·(x−mean(x)), 3 s)",
    ),
    Case(
        "labels forward",
        lambda: _t("ŷ", 2, 3)[np.arange(2), y],
        None,
        "ŷ[i, y]",
        r"\hat{y}\left[ i,\ y \right]",
        "over(y, ^)[i,y]",
    ),
    Case(
        "labels",
        lambda: _t("ŷ", 2, 3)[np.arange(2), y],
        0,
        "scatter(∂L/∂s at [i, y])",
        r"\operatorname{scatter}\left( \frac{\partial L}{\partial s}\ \text{at}\ \left[ i,\ y \right] \right)",
        "scatter(frac(∂L, ∂s) at [i,y])",
    ),
    Case(
        "subtraction of a row",
        lambda: _t("x", 2, 3) - _t("m", 2, 1),
        1,
        "−Σ₁ ∂L/∂s",
        r"-\sum_{1}\, \frac{\partial L}{\partial s}",
        "−sub(∑, 1)frac(∂L, ∂s)",
    ),
    Case(
        "hostile name",
        lambda: np.exp(_t("a_b\\{<%#$&", 2)),
        None,
        r"exp(‘a_b\{<%#$&’)",
        r"\exp\left( \text{‘}\mathrm{a\_b\backslash \{\lt \%\#\$\&}\text{’} \right)",
        r"exp(‘a_b\{<%#$&’)",
    ),
]
