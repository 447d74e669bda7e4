"""What an optimiser says of its next step is what the step then does, and saying it changes nothing."""

import numpy as np
import pytest
from optimcases import OPTIMISERS

import nn


def parameters(dtype):
    w = nn.Parameter(np.random.default_rng(0).normal(size=(3, 2)).astype(dtype))
    return w, nn.Parameter(np.asarray(0.5, dtype))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("name", OPTIMISERS)
def test_the_new_value_is_that_of_the_step_to_the_bit(name, dtype):
    params = parameters(dtype)
    optimizer = OPTIMISERS[name](nn.optim, list(params))
    for _ in range(7):
        optimizer.zero_grad()
        (params[0] * params[0] * params[1]).sum().backward()
        before, olds, grads = str(optimizer.state_dict()), [p.data for p in params], [p.grad for p in params]
        told = optimizer.explain()
        assert str(optimizer.state_dict()) == before
        assert all(np.array_equal(p.data, old) for p, old in zip(params, olds, strict=True))
        assert all(np.array_equal(p.grad, g) for p, g in zip(params, grads, strict=True))
        optimizer.step()
        for change, p in zip(told.changes, params, strict=True):
            assert change.new.dtype == p.dtype and np.array_equal(change.new, p.data)
        assert "W ←" in str(told)


def equations(make, steps=2):
    w = nn.Parameter([1.0, -2.0])
    optimizer = make([w])
    for _ in range(steps):
        w.grad = np.array([0.5, 2.0])
        told = optimizer.explain().changes[0]
        optimizer.step()
    return told.equations


RULES = {
    "sgd": (lambda p: nn.SGD(p, lr=0.1), ["W ← W − η · ∂J/∂W"]),
    "accumulate": (lambda p: nn.SGD(p, 0.1, 0.9), ["vₜ = μ · vₜ₋₁ + ∂J/∂W", "W ← W − η · vₜ"]),
    "average": (
        lambda p: nn.SGD(p, 0.1, 0.9, momentum_form="average"),
        ["vₜ = β · vₜ₋₁ + (1 − β) · ∂J/∂W", "W ← W − η · vₜ"],
    ),
    "weight decay": (lambda p: nn.SGD(p, 0.1, weight_decay=0.2), ["W ← W − η · (λ · W + ∂J/∂W)"]),
    "AdamW": (
        lambda p: nn.optim.AdamW(p),
        [
            "mₜ = β₁ · mₜ₋₁ + (1 − β₁) · ∂J/∂W",
            "vₜ = β₂ · vₜ₋₁ + (1 − β₂) · (∂J/∂W)²",
            "W ← (1 − η · λ) · W − (η / (1 − β₁^t)) · (mₜ / ((1 / √(1 − β₂^t)) · √vₜ + ε))",
        ],
    ),
    "RMSprop": (
        lambda p: nn.optim.RMSprop(p),
        ["vₜ = α · vₜ₋₁ + (1 − α) · (∂J/∂W)²", "W ← W − η · (∂J/∂W / (√vₜ + ε))"],
    ),
    "Adamax": (
        lambda p: nn.optim.Adamax(p),
        [
            "mₜ = β₁ · mₜ₋₁ + (1 − β₁) · ∂J/∂W",
            "uₜ = max(β₂ · uₜ₋₁, |∂J/∂W| + ε)",
            "W ← W − (η / (1 − β₁^t)) · mₜ / uₜ",
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RULES)
def test_the_rule_reads_as_in_a_textbook(name):
    make, lines = RULES[name]
    assert equations(make) == tuple(lines)


def test_numbers_are_those_of_the_largest_gradient_or_of_the_entry_that_is_asked_for():
    w = nn.Parameter([1.0, -2.0])
    w.grad = np.array([0.5, 2.0])
    optimizer = nn.SGD([("w", w)], lr=0.1)
    assert optimizer.explain().changes[0].numbers == ("W ← −2 − 0.1 × 2 = −2.2",)
    assert optimizer.explain(index={"w": 0}).changes[0].numbers == ("W ← 1 − 0.1 × 0.5 = 0.95",)
    with pytest.raises(IndexError, match=r"w of shape \(2,\) has no entry 5"):
        optimizer.explain(index={"w": 5})
    with pytest.raises(KeyError, match="no parameter"):
        optimizer.explain(index={"b": 0})


def test_the_real_decrease_nears_the_predicted_one_and_all_is_put_back():
    w = nn.Parameter([1.0, -2.0])
    (w * w).sum().backward()
    old, grad, ratios = w.data, w.grad, []
    for lr in (0.1, 0.01, 0.001):
        told = nn.SGD([w], lr=lr).explain(lambda: (w * w).sum())
        assert told.predicted == pytest.approx(lr * 20)
        assert np.array_equal(w.data, old) and np.array_equal(w.grad, grad)
        ratios.append(told.real / told.predicted)
    assert ratios == pytest.approx([0.9, 0.99, 0.999])


def test_a_closure_may_make_the_gradients_which_are_then_gone_again():
    w = nn.Parameter([1.0, -2.0])
    optimizer = nn.SGD([w], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    assert optimizer.explain(closure).real == pytest.approx(1.8) and w.grad is None


def test_what_can_not_be_explained_is_said():
    w = nn.Parameter([1.0, -2.0])
    optimizer = nn.SGD([w], lr=0.1)
    with pytest.raises(ValueError, match=r"no parameter has a gradient yet; call loss\.backward\(\) first"):
        optimizer.explain()
    with pytest.raises(TypeError, match="closure must be a function that returns the loss, got 3"):
        optimizer.explain(3)
    w.grad = np.ones(2)
    old = w.data
    with pytest.raises(TypeError, match="closure must return the loss, got NoneType"):
        optimizer.explain(lambda: None)
    assert np.array_equal(w.data, old)
