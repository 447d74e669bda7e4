"""The command line: the demo on the real digits, drawing somebody's script, and what bad arguments are told."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import nn
from autograd import Tape
from nn.functional import log_loss
from tracegrad import demo
from tracegrad.cli import main

SCRIPT = """
from autograd import Tensor
a, b = Tensor(2.0, name="a"), Tensor(-3.0, name="b")
loss = (a * b).exp()
number = 5
def build():
    return a * b
def failing():
    raise ZeroDivisionError("by hand")
"""


@pytest.fixture
def script(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(SCRIPT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def demo_run(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo") / "new" / "folder"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tracegrad", "demo", "--quiet", "--out", str(out)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return out, done.stdout


def test_the_demo_reaches_95_percent_on_digits_it_has_not_seen(demo_run):
    _, printed = demo_run
    line = next(line for line in printed.splitlines() if line.startswith("accuracy on 1000 digits"))
    assert float(line.split()[-1].rstrip("%")) >= 95


def test_the_demo_prints_every_z_a_and_gradient(demo_run):
    _, printed = demo_run
    for name in ("z⁽¹⁾", "a⁽¹⁾", "z⁽²⁾", "a⁽²⁾", "z⁽³⁾", "a⁽³⁾", "z⁽⁴⁾", "ŷ", "L"):
        assert any(line.startswith(f"{name} ") for line in printed.splitlines())
    for name in ("g⁽¹⁾", "b⁽¹⁾", "g⁽²⁾", "b⁽²⁾", "W⁽¹⁾", "b⁽³⁾", "W⁽²⁾", "b⁽⁴⁾"):
        assert any(line.startswith(f"{name} ") and "directions" in line for line in printed.splitlines())
        assert any(line.startswith(f"{name} ") and "learned" in line for line in printed.splitlines())


def test_the_demo_writes_pictures_steps_and_parameters_and_nothing_else_and_says_what_to_open(demo_run):
    out, printed = demo_run
    assert sorted(os.listdir(out)) == ["graph.svg", "layers.svg", "parameters.npz", "steps.html"]
    assert "data-tracegrad" in (out / "steps.html").read_text()
    end = printed[printed.index("wrote, to be opened") :]
    assert all(str(out / name) in end for name in os.listdir(out))
    assert "tracegrad step SCRIPT.py:loss" in end
    for name in ("graph.svg", "layers.svg"):
        text = "".join(ET.fromstring((out / name).read_bytes()).itertext())
        for part in ("g⁽¹⁾", "z⁽⁴⁾", "ŷ", "each weight used ×576", "learned"):
            assert part in text
    model = demo.DigitNet()
    with np.load(out / "parameters.npz") as arrays:
        model.load_state_dict(dict(arrays))
    assert nn.evaluate(model, nn.datasets.mnist("test"), loss=log_loss).accuracy >= 0.95


def test_the_demo_finds_a_wrong_rule(monkeypatch):
    from autograd.rules.elementwise import sigmoid

    monkeypatch.setattr(sigmoid.rule, "vjps", [lambda g, out, x: g * out * (1.001 - out)])
    nn.manual_seed(0)
    images, labels = nn.datasets.mnist("test")
    with pytest.raises(AssertionError, match=r"gradient of conv1\.weight differs"):
        demo.check_gradients(demo.DigitNet(), images[:1], labels[:1], entries=3)


def test_the_network_has_the_layers_of_the_diagram():
    nn.manual_seed(0)
    images, labels = nn.datasets.mnist("test")
    tape = Tape(log_loss(demo.DigitNet()(images[:1]), labels[:1]))
    kinds = []
    for node in tape:
        for scope in node.scope.chain()[1:]:
            if not kinds or kinds[-1] != (scope.name, scope.kind):
                kinds.append((scope.name, scope.kind))
    assert list(dict.fromkeys(kind for _, kind in dict.fromkeys(kinds))) == [
        "Conv2d", "Sigmoid", "MaxPool2d", "Flatten", "Linear", "Softmax",
    ]  # fmt: skip
    assert [n.name for n in tape if n.op == "parameter"].count("g⁽¹⁾") == 1


def test_the_same_seed_gives_the_same_numbers(tmp_path, capsys):
    printed = []
    for name in ("a", "b"):
        assert main(["demo", "--quiet", "--epochs", "1", "--seed", "3", "--out", str(tmp_path / name)]) == 0
        printed.append(capsys.readouterr().out.split("wrote")[0])
    assert printed[0] == printed[1]
    assert (tmp_path / "a" / "layers.svg").read_bytes() == (tmp_path / "b" / "layers.svg").read_bytes()


def test_a_folder_that_cannot_be_written_to_is_told_before_the_work_starts(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["demo", "--out", str(tmp_path / "file" / "x")]) == 2
    said = capsys.readouterr()
    assert "can't write to the folder" in said.err
    assert not said.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["demo", "--epochs", "0"], "at least 1, got 0"),
        (["demo", "--epochs", "many"], "whole number, got 'many'"),
        (["demo", "--seed", "-1"], "from 0 to 4294967295"),
        (["demo", "--quite"], "unrecognized arguments: --quite"),
        (["draw"], "FILE.py:NAME"),
        (["paint"], "invalid choice"),
        ([], "COMMAND"),
        (["draw", "a.py:b", "--level", "deep"], "invalid choice: 'deep'"),
    ],
)
def test_bad_arguments_get_a_sentence(arguments, says, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert says in capsys.readouterr().err


def test_help_names_the_commands(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    printed = capsys.readouterr().out
    assert "demo" in printed
    assert "draw" in printed
    assert "step" in printed


@pytest.mark.parametrize("target", ["mine.py:loss", "mine.py:build", "mine:loss"])
def test_draw_renders_the_loss_of_a_script(script, target, capsys):
    sys.modules.pop("mine", None)
    assert main(["draw", target, "--out", "picture.svg"]) == 0
    text = "".join(ET.fromstring((script / "picture.svg").read_bytes()).itertext())
    assert "a" in text
    assert "-6" in text
    assert "wrote picture.svg" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["mine.py"], "expected FILE.py:NAME"),
        (["gone.py:loss"], "there is no file gone.py"),
        (["gone:loss"], "there is no module gone"),
        (["mine.py:los"], "has no 'los'; nearest: loss"),
        (["mine.py:number"], "is of type int; expected a Tensor"),
        (["mine.py:failing"], "failed with ZeroDivisionError: by hand"),
        (["mine.py:loss", "--out", "picture.gif"], ".gif"),
        (["mine.py:loss", "--out", "nowhere/picture.svg"], "nowhere"),
    ],
)
def test_what_cannot_be_drawn_gets_a_sentence(script, arguments, says, capsys):
    assert main(["draw", *arguments]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert "Traceback" not in said
    assert sorted(os.listdir(script)) == ["mine.py"]


def test_a_script_with_a_syntax_error_is_named(script, capsys):
    (script / "broken.py").write_text("def f(:\n")
    assert main(["draw", "broken.py:loss"]) == 2
    assert "SyntaxError" in capsys.readouterr().err


def test_another_package_called_autograd_in_its_place_is_named(tmp_path):
    (tmp_path / "autograd").mkdir()
    (tmp_path / "autograd" / "__init__.py").write_text("")
    done = subprocess.run(
        [sys.executable, "-m", "tracegrad", "demo", "--out", "out"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), os.path.dirname(os.path.dirname(__file__))])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "pip uninstall -y autograd tracegrad" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_kink_beside_the_numbers_is_left_out_and_counted(monkeypatch):
    nn.manual_seed(0)
    images, labels = nn.datasets.mnist("test")
    bends = iter([(0.0, 1.0), (0.0, 0.9)])
    real = demo._difference
    monkeypatch.setattr(demo, "_difference", lambda *arguments: next(bends, None) or real(*arguments))
    table = demo.check_gradients(demo.DigitNet(), images[:1], labels[:1], entries=1)
    assert table.count("1 at a kink") == 1


# --- step -------------------------------------------------------------------------------------------------------------


def test_step_prints_every_step_of_the_loss_of_a_script(script, capsys):
    assert main(["step", "mine.py:loss"]) == 0
    printed = capsys.readouterr().out
    assert "· START" in printed and "· FORWARD" in printed and "· BACKWARD" in printed


def test_step_writes_a_page_that_opens_where_it_was_told(script, capsys):
    assert main(["step", "mine.py:loss", "--out", "steps.html", "--break-at", "backward"]) == 0
    assert capsys.readouterr().out == "wrote steps.html\n"
    assert "<!doctype html>" in (script / "steps.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["mine.py:loss", "--out", "steps.svg"], "steps.svg' ends in .svg"),
        (["mine.py:loss", "--out", "nowhere/steps.html"], "there is no folder"),
        (["mine.py:loss", "--break-at", "conv9", "--out", "steps.html"], "no layer or value is named 'conv9'"),
        (["nothing.py:loss"], "there is no file nothing.py"),
    ],
)
def test_what_cannot_be_stepped_through_gets_a_sentence(script, arguments, says, capsys):
    assert main(["step", *arguments]) == 2
    error = capsys.readouterr().err
    assert says in error and "Traceback" not in error


ARGUMENTS = """
import argparse
from autograd import Tensor
parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float, default=1.0)
rate = parser.parse_args().rate
loss = Tensor(2.0, name="a") * rate
def build():
    import sys
    return Tensor(float(len(sys.argv)), name="count") * 2.0
"""


def test_a_script_with_arguments_of_its_own_gets_those_after_two_dashes_and_none_of_ours(tmp_path, capsys):
    script = tmp_path / "mine.py"
    script.write_text(ARGUMENTS)
    before = list(sys.argv)
    for given, value in (([], "L     2\n"), (["--", "--rate", "3"], "L     6\n")):
        assert main(["draw", f"{script}:loss", "--out", str(tmp_path / "g.txt"), *given]) == 0
        assert value in (tmp_path / "g.txt").read_text()
    assert main(["draw", f"{script}:build", "--out", str(tmp_path / "g.txt"), "--", "--rate", "3"]) == 0
    assert "count     3" in (tmp_path / "g.txt").read_text()
    assert main(["step", f"{script}:loss", "--", "--speed", "3"]) == 2
    assert sys.argv == before


def test_a_place_to_open_needs_a_page(script, capsys):
    for more in ([], ["--out", "steps.txt"]):
        assert main(["step", "mine.py:loss", "--break-at", "a", *more]) == 2
        assert "--break-at says where a page opens" in capsys.readouterr().err
    assert not (script / "steps.txt").exists()


def test_where_no_nan_is_born_the_page_says_that_it_opens_at_the_start(script, capsys):
    assert main(["step", "mine.py:loss", "--break-at", "nan", "--out", "steps.html"]) == 0
    assert "no NaN or Inf is born in mine.py:loss" in capsys.readouterr().out
    born = "import autograd, numpy as np\nwith np.errstate(all='ignore'): loss = np.log(autograd.Tensor(-1.0))"
    (script / "nan.py").write_text(born)
    assert main(["step", "nan.py:loss", "--break-at", "nan", "--out", "steps.html"]) == 0
    assert "no NaN" not in capsys.readouterr().out


def test_draw_takes_the_scalar_level_and_a_legend(script, capsys):
    assert main(["draw", "mine.py:loss", "--level", "scalar", "--legend", "--out", "graph.svg"]) == 0
    drawn = "".join(ET.fromstring((script / "graph.svg").read_bytes()).itertext())
    assert "number on an arrow: the local derivative" in drawn


def test_gradients_from_a_file_are_compared_in_the_steps(script, capsys):
    np.savez(script / "right.npz", a=-3 * np.exp(-6.0), b=2 * np.exp(-6.0))
    np.savez(script / "wrong.npz", a=3 * np.exp(-6.0))
    assert main(["step", "mine.py:build", "--against", "right.npz"]) == 0
    assert "✕" in capsys.readouterr().out
    assert main(["step", "mine.py:loss", "--against", "right.npz"]) == 0
    assert capsys.readouterr().out.count("✔") >= 2
    assert main(["step", "mine.py:loss", "--against", "wrong.npz"]) == 0
    assert "✕" in capsys.readouterr().out


def test_a_file_of_gradients_that_cannot_be_read_is_named(script, capsys):
    np.save(script / "one.npy", np.ones(2))
    np.savez(script / "other.npz", q=1.0)
    (script / "text.npz").write_text("a = 1")
    for name, said in (
        ("none.npz", "there is no file none.npz"), ("one.npy", "holds one array"), ("text.npz", "is no .npz file"),
        ("other.npz", "'q'"),
    ):  # fmt: skip
        assert main(["step", "mine.py:loss", "--against", name]) == 2
        assert said in capsys.readouterr().err


def test_gradients_from_a_file_are_checked_and_the_wrong_step_is_named(script, capsys):
    np.savez(script / "right.npz", a=-3 * np.exp(-6.0), b=2 * np.exp(-6.0))
    np.savez(script / "wrong.npz", a=3 * np.exp(-6.0), b=2 * np.exp(-6.0))
    assert main(["check", "mine.py:loss", "--against", "right.npz"]) == 0
    assert "match the engine's" in capsys.readouterr().out
    assert main(["check", "mine.py:loss", "--against", "wrong.npz", "--timeout", "5"]) == 1
    assert "it is −1 times the right one: a sign" in capsys.readouterr().out
    assert main(["check", "mine.py:nothing", "--against", "wrong.npz"]) == 2
    with pytest.raises(SystemExit):
        main(["check", "mine.py:loss", "--against", "wrong.npz", "--timeout", "0"])
    assert "expected a number above 0" in capsys.readouterr().err
