"""Layers in the forms that courses use: no right one is accused, no wrong one acquitted, and each mistake is found in
the gradients that it spoils and in no others."""

import pytest
from courseclasses import COURSES

import viz  # noqa: F401  (explains what is wrong)
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


SLIPS = {
    ("affine", "mean for sum"): "a mean was taken instead of the sum of broadcasting",
    ("affine", "dout forgotten"): "was not multiplied in, as if it were 1 everywhere",
    ("affine and relu", "relu left out"): "the derivative ReLU′ is missing at",
    ("batch normalisation", "the mean taken for constant"): "the one through mean",
    ("dropout", "no mask"): "was handed on to x as it is",
    ("rnn step", "without tanh′"): "the derivative tanh′ is missing at",
    ("rnn", "not through time"): "was left out; and so at each of the 2 steps",
    ("rnn cell with a dict of gradients", "without tanh′"): "the derivative tanh′ is missing at",
    ("word embedding", "a word twice counted once"): "comes more than once",
    ("attention", "softmax as if diagonal"): "the softmax's derivative was taken as if diagonal at p",
    ("leaky relu", "as relu"): "the one through `slope * x`",
    ("class SoftmaxWithLoss", "not divided by N"): "the factor 1/5 is missing",
    ("class Network of layers", "tanh′ left out"): "the derivative tanh′ is missing at",
}


@pytest.mark.parametrize(("name", "said"), MISTAKES)
def test_the_report_says_why_wherever_the_forward_pass_was_traced(name, said):
    report = check_layer(*COURSES[name].mistakes[said][0])
    text = str(report)
    assert ("why: " in text) is (report.engine == "engine")
    assert SLIPS.get((name, said), "") in text, text


def test_there_are_layers_of_all_forms():
    assert len(COURSES) >= 24 and len(MISTAKES) >= len(COURSES)
