"""What each function of NumPy is on Tensors: a rule, the numbers alone, or a refusal; and the page that says it."""

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
    assert (request.config.rootpath / "docs" / "numpy.md").read_text() == table()


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
