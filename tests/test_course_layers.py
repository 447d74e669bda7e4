"""Layers in the forms that courses use: no right one is accused, no wrong one acquitted, and each mistake is found in
the gradients that it spoils and in no others."""

import pytest
from courselayers import COURSES

from autograd.testing import check_layer

MISTAKES = [(name, said) for name, course in COURSES.items() for said in course.mistakes]


@pytest.mark.parametrize("name", COURSES)
def test_a_right_layer_passes_and_all_its_gradients_are_compared(name):
    course = COURSES[name]
    report = check_layer(*course.call)
    assert report.ok, str(report)
    assert {row.verdict for row in report.rows} <= {"exact", "close"}
    assert [row.name for row in report.rows] == course.names


@pytest.mark.parametrize(("name", "said"), MISTAKES)
def test_a_mistake_is_found_in_the_gradients_that_it_spoils_alone(name, said):
    call, expected = COURSES[name].mistakes[said]
    report = check_layer(*call)
    assert {row.name for row in report.wrong} == expected, str(report)


def test_there_are_layers_of_all_forms():
    assert len(COURSES) >= 24 and len(MISTAKES) >= len(COURSES)
