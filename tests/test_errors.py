"""What an error says: NumPy's own type and words, the operands and their shapes, the user's line, what to write."""

import inspect
import runpy
import subprocess
import sys

import numpy as np
import pytest

import nn
from autograd import NoRuleError, Tensor, grad, primitive
from tracegrad.cli import main

S = Tensor(np.zeros((2, 2)), name="S")
A, B = Tensor(np.ones((2, 3)), name="A"), Tensor(np.ones((2, 4)), name="B")
K = Tensor(2, name="k")


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: K**-1, ValueError, r"^power: Integers to negative integer powers are not allowed.*k of shape \(\)"),
        (lambda: np.linalg.solve(S, np.ones(2)), np.linalg.LinAlgError, r"^solve: Singular matrix \(S of shape"),
        (lambda: np.linalg.inv(S), np.linalg.LinAlgError, r"^inv: Singular matrix \(S of shape \(2, 2\)\)"),
        (lambda: np.linalg.det(A), np.linalg.LinAlgError, r"^det: Last 2 dimensions.*square \(A of shape \(2, 3\)\)"),
        (lambda: np.sum(A, axis=5), np.exceptions.AxisError, r"axis 5 is out of bounds.*in sum of A of shape \(2, 3\)"),
        (lambda: np.reshape(A, (4, 2)), ValueError, r"^reshape: cannot reshape array of size 6.*A of shape \(2, 3\)"),
        (lambda: A[5], IndexError, r"index 5 is out of bounds.*in getitem of A of shape \(2, 3\)"),
        (lambda: np.concatenate([A, B]), ValueError, r"^concatenate: .*A of shape \(2, 3\), B of shape \(2, 4\)"),
        (lambda: A @ 3.0, ValueError, r"^matmul: the shapes do not fit together: A of shape \(2, 3\), an operand of"),
        (lambda: A + B, ValueError, r"^add: the shapes do not fit together: A of shape \(2, 3\), B of shape \(2, 4\)"),
    ],
)  # fmt: skip
def test_an_error_of_numpy_keeps_its_type_and_words_and_names_the_operands(call, kind, words):
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    caught.match(words.replace(".*in", "(?s:.*)in"))


def test_a_singular_matrix_is_caught_as_from_numpy_also_inside_a_transform():
    def solved(a):
        try:
            return np.linalg.solve(a, np.ones(2)).sum()
        except np.linalg.LinAlgError:
            return a.sum()

    np.testing.assert_array_equal(grad(solved)(np.zeros((2, 2))), np.ones((2, 2)))


def test_a_division_that_numpy_is_told_to_refuse_names_its_operands():
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError) as caught:
        Tensor(1.0, name="x") / Tensor(0.0, name="y")
    assert caught.value.__notes__[0] == "in divide of x of shape (), y of shape ()"


def test_an_error_names_the_users_line_whatever_stands_between():
    @primitive
    def halved(x):
        raise KeyError("inside")

    for call in (
        lambda: A @ B,
        lambda: np.linalg.eig(A),
        lambda: np.linalg.solve(S, np.ones(2)),
        lambda: np.exp(A, out=np.zeros((2, 3))),
        lambda: np.pad(A, 1, mode="mean"),
        lambda: np.average(A, axis=7),
        lambda: halved(A),
    ):
        with pytest.raises(Exception) as caught:
            call()
        notes = [note for note in caught.value.__notes__ if note.startswith("at ")]
        assert len(notes) == 1
        place = f"at test_errors.py:{call.__code__.co_firstlineno}: "
        assert notes[0].startswith(place)
        assert f"lambda: {notes[0].removeprefix(place)}" in inspect.getsource(call)


def test_a_traceback_ends_with_the_users_line(tmp_path, capsys):
    script = tmp_path / "mine.py"
    script.write_text(
        "import numpy as np\nfrom autograd import Tensor\nW = Tensor(np.ones((2, 3)), name='W')\n"
        "def layer(x):\n    return np.tanh(\n        W @ x)\n\nlayer(np.ones(4))\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == "at mine.py:6: W @ x"
    with pytest.raises(ValueError, match="W of shape") as caught:
        runpy.run_path(str(script))
    assert caught.value.__notes__ == ["at mine.py:6: W @ x"]
    assert main(["draw", f"{script}:W"]) == 2
    assert f"({script}:6)" in capsys.readouterr().err


def test_a_mismatch_inside_a_layer_points_at_its_call():
    net = nn.Sequential(nn.Flatten(), nn.Sigmoid())
    with pytest.raises(ValueError, match=r"sequential\.0: flatten") as caught:
        net(Tensor(1.0))
    assert caught.value.__notes__[0].endswith(": net(Tensor(1.0))")


# --- hints ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "why", "write"),
    [
        (lambda x: np.put(x, [0], 1), "it writes into an array", "autograd.set_at"),
        (lambda x: np.copyto(x, 1), "it writes into an array", "a changed copy"),
        (lambda x: np.nextafter(x, x), "from one floating-point number to the next", "added as a constant"),
        (lambda x: np.array([x, x], like=x), "a Tensor is one already", "np.stack"),
    ],
)  # fmt: skip
def test_a_refused_function_says_why_and_what_to_write_instead(call, why, write):
    with pytest.raises(NoRuleError, match=rf"has no derivative rule: .*{why}.*\. Write .*{write}.*\. Take the numbers"):
        call(Tensor(np.eye(3)))


def test_where_nothing_does_the_like_no_hint_is_given():
    with pytest.raises(NoRuleError, match=r"np\.strings\.isalpha has no derivative rule: it is of strings"):
        np.strings.isalpha(Tensor([1.0]))


@pytest.mark.parametrize(
    ("name", "hint"), [("sort", r": write np\.sort\(t\)"), ("put", ": write autograd.set_at.*"), ("tobytes", "")]
)
def test_a_method_of_an_array_names_the_function_that_does_the_like(name, hint):
    said = rf"ndarray\.{name} has no derivative rule on a Tensor{hint}\. For the numbers alone use t\.data\.{name}"
    with pytest.raises(AttributeError, match=said):
        getattr(Tensor([1.0]), name)
