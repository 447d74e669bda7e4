"""Records, the backward sweep, the tape as a sequence, scopes, source lines, memory."""

import gc
import operator
import subprocess
import sys
import threading

import numpy as np
import pytest

from autograd import Node, Tape, Tensor, defvjp, enable_grad, no_grad, primitive, scope
from autograd.forward import record
from autograd.node import NO_OPTIONS
from autograd.registry import RULES


def test_an_operand_used_twice_has_two_edges():
    x = Tensor(3.0)
    y = x * x
    assert y.node.args == (x.node, x.node)
    y.backward()
    assert x.grad == 6


def test_diamonds_and_differences_add_up():
    x = Tensor(3.0)
    ((x * 2) * (x + 1) - x).backward()
    assert x.grad == 2 * (3 + 1) + 6 - 1
    x.grad = None
    (x - x).backward()
    assert x.grad == 0


def test_doubling_forty_times_takes_no_path_explosion():
    x = Tensor(1.0)
    y = x
    for _ in range(40):
        y = y + y
    y.backward()
    assert x.grad == 2**40


def test_a_chain_of_100000_operations_runs_both_ways_and_is_freed():
    x = Tensor(1.0)
    y = x
    for _ in range(100_000):
        y = y + 1.0
    y.backward()
    assert x.grad == 1
    assert len(Tape(y)) == 100_001
    del y


def test_a_graph_leaves_no_cycles_behind():
    x = Tensor(np.ones((4, 4)))
    gc.collect()
    loss = (np.tanh(x @ x) * x).sum()
    loss.backward()
    tape = Tape(loss)
    tape.gradients()
    str(tape)
    del loss, tape
    assert gc.collect() == 0


def test_a_second_backward_adds_into_the_leaves():
    x = Tensor(3.0)
    y = x * x
    y.backward()
    y.backward()
    assert x.grad == 12


@pytest.mark.parametrize("shape", [(), (3,)])
def test_threads_that_share_a_leaf_lose_none_of_its_gradients(shape):
    w = Tensor(np.ones(shape))
    often = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=lambda: [(w * 1.0).sum().backward() for _ in range(200)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(often)
    np.testing.assert_array_equal(w.grad, np.full(shape, 1600))


def test_a_leaf_gets_a_gradient_that_is_its_own():
    x, y = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    (x + y).sum().backward()
    x.grad *= 10
    np.testing.assert_array_equal(y.grad, [1, 1])
    np.testing.assert_array_equal(x.grad, [10, 10])


def test_the_starting_gradient_is_not_changed_nor_handed_on():
    x, seed = Tensor([1.0, 2.0]), np.ones(2)
    (x + 0.0).backward(seed)
    x.grad[:] = 5
    np.testing.assert_array_equal(seed, [1, 1])


def test_an_unused_leaf_has_no_gradient_which_is_not_zero():
    x, unused = Tensor(1.0), Tensor(2.0)
    (x * 2).backward()
    assert unused.grad is None


def test_only_leaves_and_retained_intermediates_get_a_gradient():
    x = Tensor([1.0, 2.0])
    y = x * 2
    z = y * y
    y.retain_grad()
    z.sum().backward()
    np.testing.assert_array_equal(y.grad, [4, 8])
    assert z.grad is None
    with pytest.raises(RuntimeError, match="no gradient to retain"):
        x.detach().retain_grad()


def test_backward_from_a_non_scalar_needs_a_gradient_and_says_how():
    x = Tensor([1.0, 2.0], name="x")
    with pytest.raises(ValueError, match=r"backward\(np\.ones\(\(2,\)\)\)"):
        (x * 2).backward()
    with pytest.raises(ValueError, match=r"shape \(3,\).*shape \(2,\)"):
        (x * 2).backward(np.ones(3))
    with pytest.raises(TypeError, match="dtype complex128"):
        (x * 2).backward(np.ones(2) * 1j)
    (x * 2).backward(np.array([1, 10]))
    np.testing.assert_array_equal(x.grad, [2, 20])


def test_backward_where_no_gradient_flows_says_why():
    with pytest.raises(ValueError, match="told not to require"):
        Tensor(1.0, requires_grad=False, name="c").backward()
    with pytest.raises(ValueError, match="int64"):
        (Tensor(3) * 2).backward()
    with pytest.raises(ValueError, match="without a derivative"):
        np.sign(Tensor(3.0)).backward()


def test_summing_picked_elements_touches_each_once():
    n = 3000
    x = Tensor(np.arange(float(n)))
    total = sum(x[i] * float(i) for i in range(n))
    allocated = []
    dense = type(next(c for s in Tape(x[0]).steps() for c in s.contributions).sent).dense
    import autograd.rules.indexing as indexing

    def counted(self):
        allocated.append(self.shape)
        return dense(self)

    indexing.Scattered.dense = counted
    try:
        total.backward()
    finally:
        indexing.Scattered.dense = dense
    np.testing.assert_array_equal(x.grad, np.arange(float(n)))
    assert len(allocated) == 1


def test_gradients_of_picked_elements_join_those_that_come_whole():
    x = Tensor([1.0, 2.0, 3.0])
    (x[0] * 5 + (x * x).sum() + x[0] + x[[1, 1]].sum()).backward()
    np.testing.assert_array_equal(x.grad, [2 + 6, 4 + 2, 6])


def test_create_graph_gives_gradients_that_can_be_differentiated():
    x = Tensor(2.0)
    (x**3).backward(create_graph=True)
    first = x.grad
    assert isinstance(first, Tensor)
    x.grad = None
    first.backward()
    assert x.grad == 12


def test_nothing_is_recorded_under_no_grad():
    x = Tensor(2.0)

    @no_grad()
    def double(t):
        """Twice."""
        return t * 2

    y = double(x)
    assert double.__doc__ == "Twice."
    assert not y.requires_grad
    assert y.is_leaf
    with no_grad():
        with enable_grad():
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad


def test_no_grad_in_one_thread_leaves_the_others_alone():
    x, seen, inside, done = Tensor(2.0), [], threading.Event(), threading.Event()

    def other():
        with no_grad():
            inside.set()
            done.wait(10)
            seen.append((x * 2).requires_grad)

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait(10)
    seen.append((x * 2).requires_grad)
    done.set()
    thread.join()
    assert seen == [True, False]


def test_the_tape_is_an_ordered_printable_sequence():
    x, w = Tensor([1.0, 2.0], name="x"), Tensor(3.0, name="w")
    with scope("layer", "Scale"):
        y = x * w
    loss = np.sum(y, axis=0)
    loss.name = "L"
    tape = Tape(loss)
    assert [n.op for n in tape] == ["leaf", "leaf", "multiply", "sum"]
    assert [n.op for n in tape[2:]] == ["multiply", "sum"]
    assert tape[-1] is loss.node
    assert tape["w"] is w.node
    assert tape.index(y) == 2
    assert y in tape
    assert Tensor(1.0) not in tape
    text = str(tape)
    for part in ("%2", "multiply", "x, w", "(2,)", "[3., 6.]", "layer", "test_tape.py:", "axis=0", "L"):
        assert part in text
    with pytest.raises(KeyError, match="nearest: w"):
        tape["W"]
    with pytest.raises(ValueError, match="not on this tape"):
        tape.index(Tensor(1.0))


def test_a_tape_of_something_unrecorded_is_a_clear_error():
    with pytest.raises(TypeError, match="got ndarray"):
        Tape(np.zeros(2))


def test_steps_show_every_contribution_and_the_sums_agree_with_backward():
    x = Tensor(np.array([1.0, 2.0, 3.0]))
    loss = (np.exp(x) * x + x[1:].sum()).sum()
    tape = Tape(loss)
    partial = {}
    for step in tape.steps():
        if step.node in partial:
            np.testing.assert_allclose(partial[step.node], step.grad)
        for c in step.contributions:
            assert step.node.args[c.position] is c.node
            partial[c.node] = partial.get(c.node, 0) + c.grad
    loss.backward()
    np.testing.assert_allclose(partial[x.node], x.grad)
    np.testing.assert_allclose(tape.gradients()[x.node], x.grad)


def test_gradients_on_a_tape_are_missing_where_none_flow():
    x, c = Tensor(2.0), Tensor(5.0, requires_grad=False)
    loss = x * c
    gradients = Tape(loss).gradients()
    assert c.node not in gradients
    assert gradients[x.node] == 5


def test_dropped_values_are_computed_again_from_the_numbers_that_were_used():
    x = Tensor([1.0, 2.0])
    y = x + 1.0
    node = y.node
    loss = (y * 2.0).sum()
    x.data = [100.0, 200.0]
    del y
    assert node.kept is None
    np.testing.assert_array_equal(node.value, [2, 3])
    np.testing.assert_array_equal(Tape(loss).value(node), [2, 3])


def test_a_value_that_no_rule_reads_is_not_kept():
    x = Tensor(np.ones(3))
    y = x + 1.0
    z = y * x
    total = z.sum()
    assert z.node.kept is None
    assert y.node.kept is not None
    assert total.node.kept is None


def test_source_lines_point_at_the_expression_in_the_users_program():
    x = Tensor(1.0)
    y = np.exp(x * 2.0) + 1.0
    exp = y.node.parents[0]
    assert exp.source.file == __file__
    assert exp.source.expression == "np.exp(x * 2.0)"
    assert exp.parents[0].source.expression == "x * 2.0"
    assert exp.source.function == "test_source_lines_point_at_the_expression_in_the_users_program"
    assert Tensor(1.0).node.source is None


def test_an_error_in_a_rule_names_the_line_of_the_forward_operation():
    @primitive
    def broken(x):
        return x * 1.0

    defvjp(broken, lambda g, out, x: g.no_such_thing)
    y = broken(Tensor(1.0))
    with pytest.raises(AttributeError) as caught:
        y.backward()
    notes = "\n".join(caught.value.__notes__)
    assert "in the derivative rule of broken for operand 0" in notes
    assert "y = broken(Tensor(1.0))" in notes


def test_a_rule_whose_gradient_has_the_wrong_shape_is_reported():
    @primitive
    def off(x):
        return x * 1.0

    defvjp(off, lambda g, out, x: np.ones(5))
    with pytest.raises(ValueError, match=r"shape \(5,\) does not fit an operand of shape \(2,\)"):
        off(Tensor([1.0, 2.0])).sum().backward()


def test_scopes_nest_and_each_use_is_its_own():
    x = Tensor(1.0)
    uses = []
    for _ in range(2):
        with scope("net"), scope("layer", "Linear"):
            uses.append((x * 2.0).node.scope)
    assert [u.path for u in uses] == ["net.layer", "net.layer"]
    assert uses[0] is not uses[1]
    assert [s.name for s in uses[0].chain()] == ["net", "layer"]
    assert uses[0].kind == "Linear"
    assert (x * 2.0).node.scope.path == ""
    with pytest.raises(TypeError, match="name must be a string"):
        scope(3)


def test_every_operation_is_recorded_also_where_no_gradient_is_needed():
    image = Tensor(np.ones(3), requires_grad=False, name="x")
    w = Tensor(2.0)
    loss = ((image * 2.0) * w).sum()
    assert [n.op for n in Tape(loss)] == ["leaf", "leaf", "multiply", "multiply", "sum"]


def test_a_user_adds_an_operation_in_three_lines():
    @primitive
    def cube(x):
        return x**3

    defvjp(cube, lambda g, out, x: g * 3 * x**2)
    x = Tensor(2.0)
    y = cube(x)
    assert y.node.op == "cube"
    y.backward(create_graph=True)
    assert x.grad.item() == 12
    second, x.grad = x.grad, None
    second.backward()
    assert x.grad == 12
    assert cube(2.0) == 8
    assert cube(x=Tensor(2.0)).item() == 8


def test_the_other_package_called_autograd_in_the_same_folder_is_detected(tmp_path):
    import shutil
    from pathlib import Path

    import autograd

    shutil.copytree(Path(autograd.__file__).parent, tmp_path / "autograd")
    (tmp_path / "autograd" / "numpy" / "numpy_wrapper.py").write_text("")
    done = subprocess.run(
        [sys.executable, "-c", "import autograd"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "pip uninstall -y autograd tracegrad" in done.stderr


def test_an_operand_without_a_rule_is_refused_and_named():
    @primitive
    def scale(x, s):
        return x * s

    defvjp(scale, lambda g, out, x, s: g * s)
    with pytest.raises(TypeError, match="no derivative rule for its operand s"):
        scale(Tensor(2.0), Tensor(3.0))
    with pytest.raises(TypeError, match="no derivative rule"):
        primitive(lambda q: q * 2)(Tensor(2.0))


def test_an_option_array_changed_after_use_does_not_change_the_gradient():
    @primitive
    def pick(x, index):
        return x[index]

    def put_back(g, out, x, index):
        back = np.zeros(x.shape)
        back[index] = g
        return back

    defvjp(pick, put_back)
    x, index = Tensor(np.zeros(4)), np.array([0, 1])
    y = pick(x, index).sum()
    index[:] = [2, 3]
    y.backward()
    np.testing.assert_array_equal(x.grad, [1, 1, 0, 0])


def test_a_primitive_may_return_a_python_number_and_nothing_stranger():
    import math

    sine = primitive(lambda x: math.sin(x))
    defvjp(sine, lambda g, out, x: g * np.cos(x))
    x = Tensor(0.0)
    sine(x).backward()
    assert x.grad == 1
    pair = primitive(lambda x: (x, x))
    defvjp(pair, lambda g, out, x: g)
    with pytest.raises(TypeError, match="must return an array, got tuple"):
        pair(Tensor(1.0))


@pytest.mark.parametrize(("wrong", "message"), [(0.0, "must return an array, got float"), (np.ones(7), "more axes")])
def test_a_rule_that_gives_no_fitting_array_is_told_so(wrong, message):
    off = primitive(lambda x: x * 1.0)
    defvjp(off, lambda g, out, x: wrong)
    with pytest.raises((TypeError, ValueError), match=message):
        off(Tensor(2.0)).backward()


def test_rules_are_only_for_functions_whose_calls_are_recorded():
    def plain(x):
        return x * x

    with pytest.raises(TypeError, match="decorate it with @primitive"):
        defvjp(plain, lambda g, out, x: g)
    with pytest.raises(ValueError, match="can't be replaced"):
        defvjp(np.add, lambda g, out, x, y: g, lambda g, out, x, y: g)


def test_what_a_rule_reads_is_found_through_decorators_and_methods():
    from functools import wraps

    def logged(rule):
        @wraps(rule)
        def inner(*args):
            return rule(*args)

        return inner

    class Rules:
        def of_square(self, g, out, x):
            return 2 * g * x

    for vjp in (logged(lambda g, out, x: g * out * 2 / x), Rules().of_square):
        square = primitive(lambda x: x * x)
        square.rule.keeps_output = False
        defvjp(square, vjp)
        x = Tensor(3.0)
        square(x * 1.0).backward()
        assert x.grad == 6


def test_no_grad_decorates_without_parentheses_and_generators_too():
    x = Tensor(2.0)

    @no_grad
    def double(t):
        return t * 2

    @no_grad()
    def doubles(t):
        received = yield t * 2
        yield t * received
        return "done"

    assert not double(x).requires_grad
    running = doubles(x)
    assert not next(running).requires_grad
    assert (x * 2).requires_grad
    assert running.send(3.0).item() == 6
    with pytest.raises(StopIteration, match="done"):
        next(running)


def test_a_scope_can_be_entered_again_inside_itself():
    x, block = Tensor(1.0), scope("a")
    with block:
        with block:
            assert (x * 2).node.scope.path == "a.a"
        assert (x * 2).node.scope.path == "a"
    assert (x * 2).node.scope.path == ""


def test_a_tensor_made_while_recording_was_off_has_no_tape():
    with no_grad():
        y = Tensor(1.0) * 2
    with pytest.raises(TypeError, match="recording was off"):
        Tape(y)
    with pytest.raises(ValueError, match="recording was off"):
        y.backward()


def test_backward_from_integers_names_them():
    with pytest.raises(ValueError, match=r"n of shape \(2,\) and dtype int64.*write 2\.0 for 2"):
        (Tensor([1, 2], name="n") / 2).sum().backward()


@pytest.mark.filterwarnings("ignore:invalid value")
def test_the_table_says_where_a_nan_was_born():
    x = Tensor([1.0, -1.0])
    loss = (np.log(x) * x).sum()
    lines = [line for line in str(Tape(loss)).splitlines() if "NaN born here" in line]
    assert len(lines) == 1
    assert " log " in lines[0]


def test_a_notebook_shows_a_tape_as_a_table_with_names_escaped_and_columns_that_say_something():
    x = Tensor([1.0, 2.0], name="<b>x</b>")
    tape = Tape(np.sum(x * x))
    html = tape._repr_html_()
    assert html.count("<tr>") == 1 + len(tape)
    assert "&lt;b&gt;x&lt;/b&gt;" in html and "<b>" not in html
    assert "scope" not in html and "scope" not in str(tape)


OPERATORS = {
    np.add: operator.add, np.subtract: operator.sub, np.multiply: operator.mul, np.divide: operator.truediv,
    np.power: operator.pow, np.matmul: operator.matmul, np.remainder: operator.mod,
}  # fmt: skip


def other_operands(shape):
    """What may stand beside a Tensor: intermediates, leaves with and without a gradient, numbers and arrays."""
    square = Tensor(np.full(shape, 2.0), name="other")
    yield "an intermediate", lambda: square * 1.5
    yield "a leaf", lambda: square
    yield "a leaf without a gradient", lambda: Tensor(np.full(shape, 2.0), requires_grad=False)
    yield "integers", lambda: Tensor(np.full(shape, 2))
    yield "single precision", lambda: Tensor(np.full(shape, 2.0), dtype=np.float32)
    yield "a float", lambda: 2.5
    yield "an int", lambda: 2
    yield "a constant array", lambda: np.full(shape, 2.0)
    yield "itself", None


@pytest.mark.parametrize("fn", OPERATORS, ids=lambda fn: fn.__name__)
@pytest.mark.parametrize("shape", [(), (2, 2)], ids=str)
@pytest.mark.parametrize("needs_grad", [True, False])
def test_an_operator_makes_the_record_that_any_function_makes(fn, shape, needs_grad):
    compared = 0
    for what, other in other_operands(shape):
        nodes = []
        for hot in (True, False):
            with scope("layer") as layer:
                x = Tensor(np.full(shape, 3.0), requires_grad=needs_grad) * 1.0
                y = x if other is None else other()
                if fn is np.matmul and not (shape and np.shape(y)):
                    continue
                call, args = (OPERATORS[fn], (x, y)) if hot else (record, (RULES[fn], (x, y), NO_OPTIONS))
                out = call(*args)
            assert out.node.scope is layer
            nodes.append(out.node)
        if not nodes:
            continue
        hot, any_function = ({slot: getattr(node, slot) for slot in Node.__slots__} for node in nodes)
        assert hot.pop("seq") < any_function.pop("seq")
        for made in (hot, any_function):
            made.pop("scope")
            made["operands"] = [
                (a.op, a.shape, a.dtype, a.needs_grad, a.name, a.kept is None) if isinstance(a, Node) else (type(a), a)
                for a in made.pop("args")
            ]
        np.testing.assert_equal(hot, any_function, err_msg=f"{fn.__name__} with {what}")
        compared += 1
    assert compared == 9 or fn is np.matmul
