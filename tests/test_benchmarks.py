"""The benchmarks compute what they say, at sizes that take no time; nothing is timed here."""

import gc
import json
import subprocess
import sys
import tracemalloc
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from benchmarks import (
    blocks,
    chain,
    conv,
    deep,
    derivatives,
    garbage,
    growth,
    hips,
    lenet,
    memory,
    mlp,
    moons,
    networks,
    report,
    timing,
)
from benchmarks.timing import Candidate, Row


@pytest.mark.parametrize("shape", [(), (4,), (64, 64)])
def test_the_chain_has_the_same_gradients_in_every_library(shape):
    candidates = chain.candidates(shape, length=5)
    assert {"tracegrad", "numpy"} <= candidates.keys()
    timing.check(candidates, rtol=1e-12)


def test_the_chain_has_the_gradients_of_its_closed_form():
    value, *gradients = chain.candidates((), length=3)["tracegrad"].numbers()
    x, a, b = chain.leaves_of(())
    expected = [a**3, 3 * a**2 * x + b * (1 + 2 * a), 1 + a + a**2]
    np.testing.assert_allclose(value, a**3 * x + b * (1 + a + a**2), rtol=1e-12)
    np.testing.assert_allclose(gradients, expected, rtol=1e-12)


@pytest.mark.parametrize("network", [mlp, lenet], ids=["mlp", "lenet"])
def test_a_network_has_the_same_losses_and_gradients_in_every_library(network):
    timing.check(networks.candidates(network, batch=3), rtol=1e-3, atol=1e-6)


def test_a_convolution_has_the_same_value_and_gradients_in_every_library():
    timing.check(conv.candidates((2, 3, 5, 4), (4, 3, 3, 3)), rtol=1e-5, atol=1e-5)


def test_a_step_on_two_moons_descends_and_is_micrograds():
    candidates = moons.candidates(points=6)
    timing.check(candidates, rtol=1e-9)
    (first, second), gradients = candidates["tracegrad"].numbers()
    assert second < first and len(gradients) == 2 * 16 + 16 + 16 * 16 + 16 + 16 + 1


@pytest.mark.filterwarnings("ignore:`torch.jit.script`:DeprecationWarning")
@pytest.mark.parametrize("case", derivatives.cases(None))
def test_the_derivatives_are_torchs(case):
    torch = timing.torch_or_none()
    _, *functions, args = derivatives.cases(torch)[case]
    timing.check(derivatives.candidates(*functions, args, torch), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", blocks.BLOCKS)
def test_a_block_has_the_same_value_and_gradients_in_every_library(name):
    _, block, arrays = blocks.BLOCKS[name]
    timing.check(blocks.candidates(block, arrays), rtol=1e-8, atol=1e-10)


def test_a_deep_chain_in_a_process_of_its_own_has_the_gradients_of_its_closed_form():
    found = deep.measure("tracegrad", 2000)
    np.testing.assert_allclose(found["numbers"], deep.exact(2000), rtol=1e-9)
    assert found["seconds"] > 0


def test_growth_is_measured_for_each_length_and_drawn(monkeypatch, tmp_path):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(growth, "torch_or_none", lambda: None)
    found, tools = growth.draw(tmp_path / "growth.svg", 1, (100, 1000), (20, 40))
    points = found["tracegrad"]
    assert set(tools) == set(growth.TOOLS) and all([n for n, _ in of_one] == [20, 40] for of_one in tools.values())
    assert [operations for operations, _, _ in points] == [200, 2000] and all(ns > 0 for _, ns, _ in points)
    assert "</svg>" in (tmp_path / "growth.svg").read_text()


def test_a_picture_without_matplotlib_is_an_error_before_anything_is_measured(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.delattr(growth, "measured")
    with pytest.raises(ImportError, match=r"pip install 'tracegrad\[plots\]'"):
        growth.draw("growth.svg")


def test_a_picture_of_a_workload_is_an_error():
    done = subprocess.run([sys.executable, "-m", "benchmarks", "mlp", "--plot"], capture_output=True, text=True)
    assert done.returncode == 2 and "give no workload beside it, got 'mlp'" in done.stderr


@pytest.mark.skipif(memory.resident() is None, reason="this system does not say what a process holds")
def test_the_peak_of_a_training_is_measured_in_a_process_of_its_own():
    assert 2**20 < memory.in_a_process("-m", "benchmarks.memory", "tracegrad") < 2**28
    grown, slower = memory.flatness(steps=20, part=5)
    assert abs(grown) < 2**24 and slower > 0


def test_an_example_is_played_in_two_processes_that_must_agree(tmp_path):
    example = tmp_path / "slope.py"
    example.write_text(
        "import matplotlib.pyplot as plt\nimport autograd.numpy as np\nfrom autograd import grad\n"
        "for k in range(10):\n    plt.plot(grad(lambda x: np.sum(x**2))(np.random.RandomState().randn(3)))\n"
    )
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={hips.ROOT} exec {sys.executable} "$@"\n')
    python.chmod(0o700)
    with hips.players(str(python), example, tmp_path) as both:
        found = hips.measured(both, 2, seconds=0.0)
        assert [one["calls"] for one in found["tracegrad"]] == [3, 3] and found["HIPS"][0]["first"] > 0
        assert both["tracegrad"].run()["calls"] == 10
    example.write_text("import nowhere")
    with (
        hips.players(str(python), example, tmp_path) as both,
        pytest.raises(RuntimeError, match=r"slope failed:[\s\S]*No module named 'nowhere'"),
    ):
        both["tracegrad"].run()


def test_without_hips_autograd_its_examples_are_left_out_with_a_sentence(capsys):
    assert hips.run(1) == [] and "--hips PYTHON EXAMPLES" in capsys.readouterr().err


@pytest.mark.parametrize("network", [mlp, lenet], ids=["mlp", "lenet"])
def test_a_training_holds_no_more_after_many_steps(network):
    step = networks.candidates(network, batch=2, only="tracegrad")["tracegrad"].run
    held = []
    tracemalloc.start()
    try:
        for _ in range(9):
            for _ in range(100):
                step()
            gc.collect()  # what Python and NumPy keep for reuse goes
            held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert min(b - a for a, b in pairwise(held)) < 100 * 16, "a step keeps something: a number in a list takes 32 bytes"


@pytest.mark.parametrize("network", [mlp, lenet], ids=["mlp", "lenet"])
def test_a_training_step_leaves_nothing_for_the_cycle_collector(network):
    assert garbage.left_behind(network, batch=2) == 0


def test_candidates_that_differ_are_refused_before_timing():
    right, wrong = (Candidate(lambda: None, lambda v=v: [1.0, v]) for v in (2.0, 2.1))
    with pytest.raises(AssertionError, match="number 1 of tracegrad against numpy"):
        timing.check({"numpy": right, "tracegrad": wrong}, rtol=1e-3)


def test_the_ratio_is_the_median_of_ratios_within_a_round():
    samples = {"tracegrad": [1.0, 10.0, 3.0], "torch": [2.0, 20.0, 1.0]}
    assert timing.ratios(samples) == {"torch": 0.5}


def test_each_round_gives_every_candidate_one_untimed_call_and_its_block():
    calls = []
    runs = {"tracegrad": lambda: calls.append("t"), "numpy": lambda: calls.append("n")}
    seconds = timing.take_turns(runs, rounds=2, calls=2)
    assert "".join(calls) == "tttnnn" + "nnnttt"
    assert {name: len(s) for name, s in seconds.items()} == {"tracegrad": 2, "numpy": 2}


def test_the_table_gives_ratios_goal_and_verdict():
    rows = [
        Row("chain", "()", "ns", {"tracegrad": 300.0, "torch": 1000.0}, {"torch": 0.3}, 0.45),
        Row("startup", "import", "ms", {"tracegrad": 90.0, "numpy": 60.0}, {"numpy": 1.5}, 1.25, "numpy"),
        Row("garbage", "step", "objects", {"tracegrad": 0}, {}, 0, ""),
        Row("deep", "peak", "B/op", {"tracegrad": 250.0, "torch": 1000.0}, {"torch": 0.25}, 400, ""),
    ]
    text = report.table(rows).splitlines()
    assert text[2].split()[3:] == ["300", "torch", "1000", "0.30", "<=", "0.45", "met"]
    assert text[3].split()[3:] == ["90", "numpy", "60", "1.50", "<=", "1.25", "MISSED"]
    assert text[4].split()[3:] == ["0", "<=", "0", "met"]
    assert text[5].split()[3:] == ["250", "torch", "1000", "0.25", "<=", "400", "met"]


def test_without_torch_a_goal_against_it_has_no_verdict():
    row = Row("chain", "()", "ns", {"tracegrad": 300.0, "numpy": 100.0}, {"numpy": 3.0}, 0.45)
    assert row.met is None


def _command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=Path(__file__).resolve().parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_prints_a_table_and_writes_json_without_paths_of_the_machine(tmp_path):
    done = _command("startup", "--rounds", "1", "--json", str(tmp_path / "out.json"))
    assert done.returncode == 0, done.stderr
    assert "startup" in done.stdout
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["threads"] == 1
    assert [row["workload"] for row in found["results"]] == ["startup"]
    assert str(Path.home()) not in json.dumps(found)


def test_the_command_names_the_workloads_where_it_knows_none_of_that_name():
    done = _command("chians")
    assert done.returncode == 2
    assert "no workload is named 'chians'; there are chain, mlp" in done.stderr
