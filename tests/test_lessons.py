"""Every lesson runs, and what it teaches is so; with fewer digits and steps where that is enough to see it."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parent.parent / "lessons"
LESSONS = sorted(path.stem for path in FOLDER.glob("*.py"))


def run(name, **options):
    spec = importlib.util.spec_from_file_location(f"lesson_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main(**options)


def test_every_lesson_is_short_listed_and_tested():
    listed = (FOLDER / "README.md").read_text()
    tested = Path(__file__).read_text()
    for name in LESSONS:
        assert len((FOLDER / f"{name}.py").read_text().splitlines()) < 80, name
        assert f"]({name}.py)" in listed, name
        assert f'run("{name}"' in tested, name


def test_parameters_are_learned_and_values_are_computed(capsys):
    found = run("what_is_learned")
    assert {name: learned for name, (learned, *_) in found["moved"].items()} == {
        **dict.fromkeys(["g⁽¹⁾", "b⁽¹⁾", "W⁽¹⁾", "b⁽²⁾", "W⁽²⁾", "b⁽³⁾"], True),
        **dict.fromkeys(["z⁽¹⁾", "a⁽¹⁾", "z⁽²⁾", "a⁽²⁾", "z⁽³⁾"], False),
    }
    for learned, by_image, by_backward, by_step in found["moved"].values():
        assert by_image is not learned and not by_backward and by_step
    assert found["saved"] == ["0.weight", "0.bias", "4.weight", "4.bias", "6.weight", "6.bias"]
    assert "2,594 parameters" in capsys.readouterr().out


def test_kernels_become_smooth_detectors(tmp_path):
    found = run("feature_detectors", pictures=tmp_path, examples=1000, epochs=3)
    assert abs(found["before"]) < 0.15 and found["after"] > 0.35 and found["accuracy"] > 0.8
    assert {path.name for path in tmp_path.iterdir()} == {"kernels.svg", "activations.svg", "excited.svg"}


def test_a_step_is_what_its_rule_says_and_small_ones_lower_the_loss_as_predicted():
    found = run("update_rule", examples=200)
    assert max(found["difference"].values()) < 1e-12 and found["explained"]
    errors = [abs(found["ratio"][lr] - 1) for lr in (0.1, 0.01, 0.001)]
    assert errors[0] > errors[1] > errors[2] and errors[2] < 1e-2
    assert found["ratio"][10.0] < 0  # a step too large raises the loss


def test_noise_falls_with_the_root_of_the_batch_and_small_batches_take_more_steps(tmp_path):
    found = run("gradient_noise", pictures=tmp_path, examples=1000, draws=20)
    noise, loss = found["noise"], found["loss"]
    assert noise[1] / noise[8] == pytest.approx(8**0.5, rel=0.3) and noise[1000] < 1e-5
    assert loss[1] < loss[8] < loss[64] < loss[1000] and (tmp_path / "gradient_noise.svg").exists()


def test_the_gradient_of_a_kernel_is_the_sum_over_positions():
    found = run("weight_sharing")
    assert found["difference"] < 1e-12 and found["by_hand"] == pytest.approx(found["gradient"], abs=1e-12)
    assert "576 contributions" in str(found["terms"])


def test_rates_too_small_right_and_too_large(tmp_path):
    found = run("descent", pictures=tmp_path, examples=100, points=7)
    (start, slow, _), (_, right, _), (_, large, rises) = (found[what] for what in ("too small", "right", "too large"))
    assert right < slow < start < large and rises > 20
    (left, deep), (beside, shallow) = found["minima"]
    assert left < 0 < beside and deep < shallow
    for w in (left, beside):
        assert 4 * w**3 - 4 * w + 0.5 == pytest.approx(0, abs=1e-3)
    assert {path.name for path in tmp_path.iterdir()} == {"descent.svg", "descent.html"}


def test_a_linear_classifier_reads_most_digits():
    found = run("softmax_regression", examples=2000, epochs=4)
    assert min(found.values()) > 0.8


def test_three_layers_have_3n_plus_14_parameters():
    assert all(count == 3 * n + 14 for n, count in run("counting_parameters").items())


def test_loops_and_matrices_give_the_same_numbers():
    found = run("vectorisation", examples=5)
    assert found["difference"] < 1e-12 and found["ratio"] > 10


def test_linear_layers_collapse_and_a_relu_prevents_it():
    found = run("linear_collapse")
    assert found["difference"] < 1e-12 and max(found["linear"]) < 1e-12 and min(found["with ReLU"]) > 1e-2


def test_initialisation_breaks_the_symmetry_and_keeps_the_variance():
    found = run("initialisation", examples=300, width=100, depth=5, epochs=3)
    assert {way: row["different"] for way, row in found.items()} == {
        "zeros": 1, "constant 0.5": 1, "N(0, 0.01²)": 20, "N(0, 0.1²)": 20, "Xavier": 20,
    }  # fmt: skip
    first, last, late, early = found["Xavier"]["variances"]
    assert 0.3 < last / first < 3 and 0.3 < early / late < 3
    first, last, late, early = found["N(0, 0.01²)"]["variances"]
    assert last / first < 1e-6 and early / late < 1e-6
    assert found["Xavier"]["accuracy"] > found["zeros"]["accuracy"] + 0.2


def test_the_gradient_of_the_log_loss(capsys):
    found = run("log_loss", examples=300, steps=30)
    assert found["difference"] < 1e-12 and found["accuracy"] > 0.95
    assert found["costs"][0] == pytest.approx(np.log(2), rel=1e-6) and found["costs"][-1] < 0.2
    assert "(σ(z) − 1) × x" in capsys.readouterr().out


def test_both_forms_of_momentum_and_weight_decay():
    found = run("momentum_and_decay")
    assert found["forms apart"] < 1e-12 and found["decay apart"] < 1e-12
    assert found["accumulate"] < found["plain"] / 100
    assert found["shrunk"] == pytest.approx(0.95**10) and found["decoupled apart"] < 1e-12
    coupled, decoupled = found["Adam"], found["AdamW"]
    assert decoupled[0] == pytest.approx(decoupled[1], rel=1e-4) and decoupled[0] < 0.7
    assert coupled[1] - coupled[0] > 0.3  # the larger gradient keeps its weight from decaying


def test_what_closes_the_gap():
    found = run("overfitting", many=1000, steps=200)
    train, other = found["as it is"]
    assert train.accuracy > 0.99 and other.accuracy < 0.85
    for way in ("shifted", "rotated", "both", "more data"):
        assert found[way][1].accuracy > other.accuracy, way
    assert found["more data"][1].accuracy > other.accuracy + 0.05
    train, other = found["60 digits"]
    assert train.accuracy > 0.9 and train.accuracy - other.accuracy > 0.25
    assert found["60, both"][1].accuracy > other.accuracy + 0.05
    for way in ("weight decay", "decoupled", "shallower", "rotated", "both", "more data"):
        assert found[way][1].loss < other.loss, way


def test_a_shared_filter_finds_the_digit_wherever_it_is():
    found = run("translated_digits", examples=300, epochs=4)
    conv, dense = (np.array(list(found[name].values())) for name in ("convolution", "dense"))
    assert np.ptp(conv) == pytest.approx(0, abs=0.005) and conv[0] > 0.4
    assert dense[0] > 0.6 and dense[1:].max() < 0.3
