"""Names on the step view's page lead to steps: gradients, values, factors of the chain, heirs of NaN; and copies."""

from __future__ import annotations

import json

import numpy as np
import pytest
from browser import Open
from test_step_page import box_of, neuron, opened

import nn
import viz
from autograd import Tensor
from nn import functional as F
from viz.page import chains

COPIED = "navigator.clipboard.readText()"
LIT = "(all) => all.map((e) => e.querySelector('math').textContent)"


def recurrent(steps=3):
    """h = tanh(x Wx + h Wh), several times."""
    r = np.random.default_rng(0)
    wx, wh = Tensor(r.normal(size=(4, 5)), name="Wx"), Tensor(r.normal(size=(5, 5)) / 3, name="Wh")
    h = np.zeros((2, 5))
    for k in range(steps):
        h = np.tanh(r.normal(size=(2, 4)) @ wx + h @ wh)
        h.name = f"h{k + 1}"
    return (h**2).mean()


def layers():
    model = nn.Sequential(nn.Linear(4, 5, rng=0), nn.Tanh(), nn.Linear(5, 3, rng=1))
    x = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    return F.cross_entropy(model(Tensor(x, name="x", requires_grad=False)), [0, 1, 2, 0, 1, 2])


def complete(stepper, name):
    """The step at which a gradient is complete."""
    return next(s.number for s in stepper.walk if s.is_complete and stepper.walk.names.of(s.target) == name)


# --- where a gradient comes from


def test_a_gradient_in_a_formula_leads_to_where_it_is_complete_and_says_what_it_is_the_sum_of(show: Open) -> None:
    shown = opened(show, neuron())  # L = %4 · a, where %4 = a·b + c: a gets two contributions
    shown.page.evaluate("document.querySelector('[data-tracegrad]').tracegrad.goto(6)")
    left = shown.step_view().locator(".formula.symbols math .link").first
    assert left.get_attribute("aria-label") == "∂L/∂a, complete at step 9"
    left.click()
    assert shown.text(".count") == "9 / 10"
    said = shown.step_view().locator("p.links", has_text="is the sum of")
    assert "∂L/∂a is the sum of 6 from L 4 9 from %3 −6" in " ".join(said.inner_text().split())
    said.get_by_role("button", name="6 from L").click()
    assert shown.text(".count") == "6 / 10"


def test_a_value_in_a_formula_leads_to_where_it_is_made(show: Open) -> None:
    shown = opened(show, neuron())
    shown.page.evaluate("document.querySelector('[data-tracegrad]').tracegrad.goto(6)")
    shown.step_view().locator("math [aria-label='%4, made at step 2']").click()
    assert shown.text(".count") == "2 / 10"


@pytest.mark.parametrize(("slot", "step"), [("gradient", 5), ("value", 2)])
def test_a_click_on_a_slot_of_a_box_leads_to_its_step(show: Open, slot: str, step: int) -> None:
    shown = opened(show, neuron())
    shown.press("End")
    shown.step_view().locator(f".node[data-box='{box_of(shown, '%4 = %3 + c')}'] .fill.{slot} text").last.click()
    assert shown.text(".count") == f"{step} / 10"


def test_a_gradient_in_the_table_leads_to_where_it_is_complete(show: Open) -> None:
    shown = opened(show, neuron())
    shown.step_view().locator(".ledger summary").click()
    shown.step_view().locator(".ledger tr", has_text="a ← L").locator("button.link").click()
    assert shown.text(".count") == "9 / 10"


def test_links_of_a_formula_are_one_tab_stop_and_the_arrows_go_between_them(show: Open) -> None:
    shown = opened(show, neuron())
    shown.press("End")
    line = shown.step_view().locator(".ruled")
    assert line.locator("[tabindex='0']").count() == 1
    line.locator("[tabindex='0']").focus()
    shown.press("ArrowRight")
    assert shown.text(".count") == "10 / 10"  # arrows choose, they do not step
    assert line.locator("[tabindex='0']").get_attribute("aria-label") == "∂L/∂%3, complete at step 7"
    shown.press("Enter")
    assert shown.text(".count") == "7 / 10"


# --- the chain


def test_the_chain_of_each_parameter_stands_on_the_page_and_its_factors_are_lit_in_turn(show: Open) -> None:
    stepper = viz.step(layers())
    shown = opened(show, stepper)
    chain = shown.step_view().locator(".chain")
    assert chain.locator("option").all_text_contents() == [f"∂L/∂{n}" for n in ("W⁽¹⁾", "b⁽¹⁾", "W⁽²⁾", "b⁽²⁾")]
    factors = chain.locator(".factor")
    assert factors.evaluate_all(LIT) == ["∂L∂z(2)", "∂z(2)∂a(1)", "∂a(1)∂z(1)", "∂z(1)∂W(1)"]
    assert chain.locator(".lit").count() == 0
    assert chain.locator("select").evaluate("(list) => list.selectedOptions[0].text") == "∂L/∂W⁽¹⁾"
    shown.page.evaluate(f"document.querySelector('[data-tracegrad]').tracegrad.goto({complete(stepper, 'W⁽²⁾')})")
    assert chain.locator(".lit").evaluate_all(LIT) == ["∂z(2)∂W(2)"]
    chain.locator("select").select_option(label="∂L/∂W⁽¹⁾")
    lit = []
    for k in range(stepper.walk.first_backward + 1, len(stepper)):
        shown.page.evaluate(f"document.querySelector('[data-tracegrad]').tracegrad.goto({k})")
        lit += [one for one in chain.locator(".lit").evaluate_all(LIT) if one not in lit]
    assert lit == ["∂L∂z(2)", "∂z(2)∂a(1)", "∂a(1)∂z(1)", "∂z(1)∂W(1)"]
    factors.nth(2).click()
    assert f"{complete(stepper, 'z⁽¹⁾')} /" in shown.text(".count")
    assert chain.locator(".lit").evaluate_all(LIT) == ["∂a(1)∂z(1)"]


def payload_chains(stepper):
    data = stepper._payload()
    return json.loads(data[4 : 4 + int.from_bytes(data[:4], "little")])["chains"]


def plain(told, one):
    """A chain's right-hand side as text."""
    return " + ".join(" · ".join(told["factors"][i]["plain"] for i in term) for term in one["terms"])


def test_the_chain_is_that_of_derive():
    loss = layers()
    told = payload_chains(viz.step(loss))
    for one, name in zip(told["of"], ("W⁽¹⁾", "b⁽¹⁾", "W⁽²⁾", "b⁽²⁾"), strict=True):
        assert f"∂L/∂{name} = {plain(told, one)}" == viz.derive(loss, name).lines[0].plain()


def test_of_very_many_ways_the_chain_is_the_sum_over_the_uses():
    stepper = viz.step(recurrent(9))
    told = payload_chains(stepper)
    one = told["of"][0]
    assert plain(told, one).startswith("∂L/∂h9 · ∂h9/∂Wx + ∂L/∂h8 · ∂h8/∂Wx + ") and one["more"] == 3
    whole = told["factors"][one["terms"][1][0]]
    assert whole["plain"] == "∂L/∂h8" and whole["steps"] == [complete(stepper, "h8")]


def test_chains_that_would_take_too_long_are_left_out_and_counted(monkeypatch):
    monkeypatch.setattr(chains, "_MOST_WORK", 22)
    told = payload_chains(viz.step(layers()))
    assert [plain(told, one).rpartition("∂")[2] for one in told["of"]] == ["W⁽¹⁾", "b⁽¹⁾"]
    assert told["left"].startswith("2 more chains would take too long")


def test_each_step_between_two_stations_belongs_to_the_factor():
    stepper = viz.step(recurrent(2))
    told = payload_chains(stepper)
    factor = next(f for f in told["factors"] if f["plain"] == "∂h2/∂h1")
    walk, names = stepper.walk, stepper.walk.names
    ways = [(names.of(walk[k].node), names.of(walk[k].target)) for k in factor["steps"]]
    assert ways[0][0] == "h2" and ways[-1][1] == "h1" and "Wh" not in {target for _, target in ways}


# --- NaN


def test_a_birth_names_its_cause_and_links_each_heir_and_an_heir_its_origin(show: Open) -> None:
    with np.errstate(all="ignore"):
        y = np.sqrt(Tensor([4.0, -1.0], name="x"))
        shown = opened(show, viz.step((y * 2.0 + 1.0).sum(), granularity="op"))
    assert shown.text(".count").startswith("1 /")
    birth = shown.step_view().locator(".alarm")
    assert "first at [1]: √(−1), the root of a negative number." in birth.inner_text()
    assert [b.inner_text() for b in birth.locator("button").all()] == ["2 %2", "3 %3", "4 L", "9 ∂L/∂x"]
    birth.locator("button").nth(1).click()
    assert shown.text(".count").startswith("3 /")
    heir = shown.step_view().locator(".alarm")
    assert " ".join(heir.inner_text().split()) == "✕ NaN came in from %2"
    heir.locator("button").click()
    assert shown.text(".count").startswith("2 /")
    shown.step_view().locator(".words button.link", has_text="at step 1").click()
    assert shown.text(".count").startswith("1 /")


# --- copies


def test_formulas_and_the_chain_are_copied_as_latex_and_as_text(show: Open) -> None:
    shown = opened(show, viz.step(layers()))
    shown.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    shown.press("End")
    for place, k, kind, text in (
        (".ruled .copy", 0, "LaTeX", r"\frac{\partial L}{\partial W^{(1)}} = "),
        (".ruled .copy", 0, "text", "∂L/∂W⁽¹⁾ = "),
        (
            ".chain .copy",
            0,
            "LaTeX",
            r"\frac{\partial L}{\partial W^{(1)}} = \frac{\partial L}{\partial z^{(2)}} \cdot ",
        ),
        (".chain .copy", 0, "text", "∂L/∂W⁽¹⁾ = ∂L/∂z⁽²⁾ · ∂z⁽²⁾/∂a⁽¹⁾ · "),
    ):
        button = shown.step_view().locator(place).nth(k).get_by_role("button", name=f"copy as {kind}")
        button.click()
        shown.page.wait_for_function("(button) => button.textContent === 'copied'", arg=button.element_handle())
        assert shown.page.evaluate(COPIED).startswith(text)


def test_where_the_clipboard_is_not_to_be_had_a_selected_text_is_copied(show: Open) -> None:
    shown = opened(show, neuron())
    shown.press("End")
    shown.page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    button = shown.step_view().get_by_role("button", name="copy as text").first
    button.click()
    shown.page.wait_for_function("(button) => button.textContent === 'copied'", arg=button.element_handle())
    assert shown.messages == []


def test_a_link_to_one_of_several_contributions_brings_it_into_sight(show: Open) -> None:
    stepper = viz.step(layers())
    shown = opened(show, stepper, viewport={"width": 940, "height": 800})
    k = complete(stepper, "W⁽²⁾")
    shown.step_view().locator(".chain select").select_option(label="∂L/∂W⁽²⁾")
    shown.step_view().locator(".chain .factor").last.click()
    part = shown.step_view().locator(f".operation[data-step='{k}']")
    part.wait_for()
    inside, panel = part.bounding_box(), shown.step_view().locator(".panel").bounding_box()
    assert panel["y"] <= inside["y"] and inside["y"] + min(inside["height"], 40) <= panel["y"] + panel["height"]
