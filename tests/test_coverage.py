"""What each function of NumPy is on Tensors: a rule, the numbers alone, or a refusal; and the page that says it."""

import re
import subprocess
import sys

import numpy as np
import pytest

from autograd import NoRuleError, Tensor
from autograd.coverage import functions, status, table, where_it_is
from autograd.registry import COMPOSITES, NUMBERS_ONLY, REFUSED, RULES


def test_every_function_of_numpy_has_a_status():
    assert [where_it_is(fn) for fn in functions() if not status(fn)] == []


def test_no_function_has_two():
    tables = [set(COMPOSITES), set(NUMBERS_ONLY), set(REFUSED), set(RULES)]
    assert [where_it_is(fn) for fn in functions() if sum(fn in known for known in tables) > 1] == []


def test_the_page_says_what_the_tables_say(request):
    """To the letter with the NumPy that it was printed with; the functions of each version are not quite the same."""
    page = (request.config.rootpath / "docs" / "numpy.md").read_text()
    same = f"NumPy {np.__version__.rpartition('.')[0]} hands" in page
    uncounted = (
        (lambda text: text) if same else (lambda text: re.sub(r"\d+|,? ?`(np.in1d|ufunc imag|ufunc real)`", "", text))
    )
    assert uncounted(page) == uncounted(table())


def test_the_table_is_printed_by_the_module():
    done = subprocess.run([sys.executable, "-m", "autograd"], capture_output=True, text=True, check=True)
    assert done.stdout == table()


def test_an_array_like_a_tensor_is_one_of_numbers():
    t = Tensor([1.0, 2.0])
    for out in (np.zeros(2, like=t), np.eye(2, like=t), np.arange(3, like=t)):
        assert type(out) is np.ndarray


def test_what_numpy_hands_over_under_another_name_is_refused_by_its_own():
    with pytest.raises(NoRuleError, match=r"^np\.require has no derivative rule: "):
        np.require([1.0], like=Tensor(1.0))


ODD = [
    np.array(0.7), np.zeros(0), np.zeros((0, 3)), np.zeros((2, 0)), np.array([0.3]), np.zeros((0, 3, 3)),
    np.array([1.0, 0.5, np.nan]), np.array([np.inf, -np.inf, 0.0]), np.array([1, 2, 3]), np.array([[0.1, 3], [1, 4.5]]),
]  # fmt: skip
OTHERWISE = {"np.linalg.multi_dot", "np.linalg.tensorinv", "np.poly", "np.polyint", "np.unique_values"}


def numbers(out):
    return tuple(map(numbers, out)) if isinstance(out, tuple | list) else getattr(out, "data", out)


def agree(mine, theirs):
    if isinstance(theirs, tuple):
        return isinstance(mine, tuple) and len(mine) == len(theirs) and all(map(agree, mine, theirs))
    same = np.shape(mine) == np.shape(theirs) and np.asarray(mine).dtype == np.asarray(theirs).dtype
    return same and np.allclose(mine, theirs, equal_nan=True)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("x", ODD, ids=lambda x: f"{x.dtype}{x.shape}")
def test_of_one_array_every_function_gives_what_numpy_gives(x):
    """Also of a single number, of nothing, of NaN and infinities: or both raise."""
    wrong = []
    for fn in functions():
        if status(fn) == "rule" and where_it_is(fn) not in OTHERWISE:
            try:
                expected = numbers(fn(x.copy()))
            except (ValueError, TypeError, IndexError, KeyError, AttributeError, ZeroDivisionError):
                continue
            if not agree(numbers(fn(Tensor(x))), expected):
                wrong.append(where_it_is(fn))
    assert wrong == []
