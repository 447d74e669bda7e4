"""Losses of numbers, distributions, margins and sequences: known numbers, derivatives, edges, and torch's."""

import importlib.util
import inspect
import itertools
import math

import numpy as np
import pytest

import nn
from autograd import Tensor
from autograd.testing import gradcheck
from nn import functional as F

RNG = np.random.default_rng(2)
X, X2, X3 = (RNG.standard_normal((6, 4)) for _ in range(3))
LOGP = np.log(RNG.dirichlet(np.ones(4), 6))
Q = RNG.dirichlet(np.ones(4), 6)
SIGNS = RNG.choice([-1.0, 1.0], (6, 4))
ROWS = RNG.choice([-1.0, 1.0], 6)
BITS = RNG.integers(0, 2, (6, 4)).astype(float)
LABELS = np.array([0, 3, 1, 1, 2, 0])
LISTS = np.array([[3, 0, -1, 1], [-1, 0, 0, 0], [0, 1, 2, 3], [2, 2, -1, -1], [1, -1, 3, 3], [0, -1, -1, -1]])
WEIGHT = np.array([0.5, 1.0, 2.0, 3.0])
COUNTS = RNG.poisson(2.0, (6, 4)).astype(float)
VAR = RNG.uniform(0.2, 2.0, (6, 4))
city = lambda a, b: abs(a - b).sum(-1)

# name: the function, the options, the operands that have gradients, the others, the module (all but the reduction)
LOSSES = {
    "mse": ("mse_loss", {}, [X, X2], [], "MSELoss"),
    "l1": ("l1_loss", {}, [X, X2], [], "L1Loss"),
    "smooth l1": ("smooth_l1_loss", {}, [X, X2], [], "SmoothL1Loss"),
    "smooth l1, beta": ("smooth_l1_loss", {"beta": 0.3}, [X, X2], [], "SmoothL1Loss"),
    "smooth l1, beta 0": ("smooth_l1_loss", {"beta": 0.0}, [X, X2], [], "SmoothL1Loss"),
    "huber": ("huber_loss", {}, [X, X2], [], "HuberLoss"),
    "huber, delta": ("huber_loss", {"delta": 0.3}, [X, X2], [], "HuberLoss"),
    "kl": ("kl_div", {}, [LOGP, Q], [], "KLDivLoss"),
    "kl, log": ("kl_div", {"log_target": True}, [LOGP, np.log(Q)], [], "KLDivLoss"),
    "poisson": ("poisson_nll_loss", {}, [X], [COUNTS], "PoissonNLLLoss"),
    "poisson, full": ("poisson_nll_loss", {"full": True}, [X], [COUNTS], "PoissonNLLLoss"),
    "poisson, rates": ("poisson_nll_loss", {"log_input": False, "eps": 1e-3}, [VAR], [COUNTS], "PoissonNLLLoss"),
    "gaussian": ("gaussian_nll_loss", {}, [X, X2, VAR], [], "GaussianNLLLoss"),
    "gaussian, full": ("gaussian_nll_loss", {"full": True}, [X, X2, VAR], [], "GaussianNLLLoss"),
    "gaussian, variance of a row": ("gaussian_nll_loss", {}, [X, X2, VAR[:, 0]], [], "GaussianNLLLoss"),
    "gaussian, variance of a column": ("gaussian_nll_loss", {}, [X, X2, VAR[:1]], [], "GaussianNLLLoss"),
    "gaussian, target of a row": ("gaussian_nll_loss", {}, [X, X2[:, :1], VAR], [], "GaussianNLLLoss"),
    "soft margin": ("soft_margin_loss", {}, [X], [SIGNS], "SoftMarginLoss"),
    "hinge": ("hinge_embedding_loss", {}, [X], [SIGNS], "HingeEmbeddingLoss"),
    "hinge, margin": ("hinge_embedding_loss", {"margin": 0.4}, [X], [SIGNS], "HingeEmbeddingLoss"),
    "multi margin": ("multi_margin_loss", {}, [X], [LABELS], "MultiMarginLoss"),
    "multi margin, squares": ("multi_margin_loss", {"p": 2, "margin": 0.7}, [X], [LABELS], "MultiMarginLoss"),
    "multi margin, weight": ("multi_margin_loss", {"weight": WEIGHT}, [X], [LABELS], "MultiMarginLoss"),
    "multi margin, one": ("multi_margin_loss", {}, [X[0]], [np.array(2)], "MultiMarginLoss"),
    "multilabel margin": ("multilabel_margin_loss", {}, [X], [LISTS], "MultiLabelMarginLoss"),
    "multilabel margin, one": ("multilabel_margin_loss", {}, [X[0]], [LISTS[0]], "MultiLabelMarginLoss"),
    "multilabel": ("multilabel_soft_margin_loss", {}, [X], [BITS], "MultiLabelSoftMarginLoss"),
    "multilabel, weight": (
        "multilabel_soft_margin_loss",
        {"weight": WEIGHT},
        [X],
        [BITS],
        "MultiLabelSoftMarginLoss",
    ),
    "ranking": ("margin_ranking_loss", {}, [X, X2], [SIGNS], "MarginRankingLoss"),
    "ranking, margin": ("margin_ranking_loss", {"margin": 0.5}, [X, X2], [SIGNS], "MarginRankingLoss"),
    "cosine": ("cosine_embedding_loss", {}, [X, X2], [ROWS], "CosineEmbeddingLoss"),
    "cosine, margin": ("cosine_embedding_loss", {"margin": -0.3}, [X, X2], [ROWS], "CosineEmbeddingLoss"),
    "cosine, one": ("cosine_embedding_loss", {}, [X[0], X2[0]], [np.array(1.0)], "CosineEmbeddingLoss"),
    "triplet": ("triplet_margin_loss", {}, [X, X2, X3], [], "TripletMarginLoss"),
    "triplet, options": (
        "triplet_margin_loss",
        {"margin": 2.0, "p": 3.0, "eps": 1e-3, "swap": True},
        [X, X2, X3],
        [],
        "TripletMarginLoss",
    ),
    "triplet, one": ("triplet_margin_loss", {"p": 1.0}, [X[0], X2[0], X3[0]], [], "TripletMarginLoss"),
    "triplet, distance": (
        "triplet_margin_with_distance_loss",
        {"distance_function": city, "margin": 1.5, "swap": True},
        [X, X2, X3],
        [],
        "TripletMarginWithDistanceLoss",
    ),
    "triplet, any distance": (
        "triplet_margin_with_distance_loss",
        {},
        [X, X2, X3],
        [],
        "TripletMarginWithDistanceLoss",
    ),
}
REDUCTIONS = ["mean", "sum", "none"]
# The loss of a function on given numbers, from its formula.
KNOWN = {
    "l1": (lambda: F.l1_loss([1.0, 5.0], [2.0, 3.0]), 1.5),
    "l1, weight": (lambda: F.l1_loss([1.0, 5.0], [2.0, 3.0], weight=[3.0, 1.0]), 5 / 4),
    "mse, weight": (lambda: F.mse_loss([1.0, 5.0], [2.0, 3.0], weight=[3.0, 1.0]), 7 / 4),
    "huber, weight": (lambda: F.huber_loss([1.0, 5.0], [2.0, 3.0], weight=[3.0, 1.0]), 3 / 2),
    "smooth l1": (lambda: F.smooth_l1_loss([1.0, 5.0], [2.0, 3.0], beta=2.0), (1 / 4 + 1) / 2),
    "huber": (lambda: F.huber_loss([1.0, 5.0], [2.0, 3.0], delta=1.0), (1 / 2 + 3 / 2) / 2),
    "kl": (lambda: F.kl_div(np.log([[0.25, 0.75]]), [[0.5, 0.5]], reduction="sum"), 0.5 * math.log(4 / 3)),
    "kl, nothing where q = 0": (lambda: F.kl_div([-np.inf, 0.0], [0.0, 1.0], reduction="sum"), 0),
    "kl of a batch": (lambda: F.kl_div(np.zeros((2, 3)), np.ones((2, 3)) * math.e, reduction="batchmean"), 3 * math.e),
    "poisson": (lambda: F.poisson_nll_loss([1.0], [3.0]), math.e - 3),
    "poisson, full": (
        lambda: F.poisson_nll_loss([0.0], [3.0], full=True),
        1 + 3 * math.log(3) - 3 + 0.5 * math.log(6 * math.pi),
    ),
    "gaussian": (lambda: F.gaussian_nll_loss([1.0, 1.0], [3.0, 1.0], 4.0), (2 * math.log(4) + 1) / 4),
    "gaussian, least variance": (lambda: F.gaussian_nll_loss([1.0], [1.0], [0.0], eps=1.0), 0),
    "hinge": (lambda: F.hinge_embedding_loss([0.25, 3.0], [-1.0, -1.0]), 0.375),
    "soft margin": (lambda: F.soft_margin_loss([-1e4], [1.0]), 1e4),
    "multi margin": (lambda: F.multi_margin_loss([[0.0, 1.0, -2.0]], [0], p=2), 4 / 3),
    "multilabel margin": (lambda: F.multilabel_margin_loss([0.1, 0.2, 0.4, 0.8], [3, 0, -1, 1]), 0.85),
    "multilabel": (lambda: F.multilabel_soft_margin_loss([[-1e4, 0.0]], [[1.0, 0.0]]), (1e4 + math.log(2)) / 2),
    "ranking": (lambda: F.margin_ranking_loss([1.0, 2.0], [0.0, 0.0], [-1.0, 1.0], margin=0.5), 0.75),
    "cosine": (lambda: F.cosine_embedding_loss([3.0, 4.0], [1.0, 0.0], -1, margin=0.1), 0.5),
    "triplet": (lambda: F.triplet_margin_loss([0.0, 0.0], [3.0, 4.0], [6.0, 8.0], margin=7.0, eps=0.0), 2),
}


def call(name, operands, reduction, f=F, convert=lambda x: x):
    function, options, _, others, _ = LOSSES[name]
    options = {k: convert(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    return getattr(f, function)(*operands, *map(convert, others), reduction=reduction, **options)


@pytest.mark.parametrize("name", KNOWN)
def test_a_loss_is_its_formula(name):
    computed, expected = KNOWN[name]
    assert computed() == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_differentiable_twice_in_all_that_it_compares(name):
    assert gradcheck(lambda *xs: call(name, xs, "mean"), *LOSSES[name][2])


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_named_and_keeps_float32(name):
    operands = [Tensor(x.astype(np.float32)) for x in LOSSES[name][2]]
    loss = call(name, operands, "mean")
    loss.backward()
    assert loss.name == "L"
    assert {loss.dtype, *(x.grad.dtype for x in operands)} == {np.dtype(np.float32)}
    each = call(name, operands, "none")
    assert loss.item() == pytest.approx(each.data.mean(), rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_takes_lists(name):
    operands = LOSSES[name][2]
    function, options, _, others, _ = LOSSES[name]
    lists = [x.tolist() for x in [*operands, *others]]
    assert getattr(F, function)(*lists, **options) == call(name, operands, "mean")


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_a_module_with_its_options(name):
    _, options, operands, others, module = LOSSES[name]
    for reduction in REDUCTIONS:
        layer = getattr(nn, module)(**options, reduction=reduction)
        assert np.array_equal(layer(*operands, *others), call(name, operands, reduction))
    assert repr(layer) == f"{module}(reduction='none')"


def test_the_batch_mean_divides_by_the_examples():
    total = call("kl", [LOGP, Q], "sum")
    assert F.kl_div(LOGP, Q, reduction="batchmean") == nn.KLDivLoss(reduction="batchmean")(LOGP, Q) == total / 6


# --- CTC


def paths(times, classes, labels, blank):
    """All paths that read as the labels."""
    for path in itertools.product(range(classes), repeat=times):
        if [c for c, _ in itertools.groupby(path) if c != blank] == list(labels):
            yield path


@pytest.mark.parametrize(
    ("times", "labels", "blank"),
    [(3, [1], 0), (4, [1, 2], 0), (4, [1, 1], 0), (4, [0, 1, 0], 2), (3, [], 0), (2, [1, 1], 0), (3, [1, 2, 1], 0)],
)
def test_ctc_sums_over_all_paths(times, labels, blank):
    y = RNG.dirichlet(np.ones(3), times)
    expected = sum(math.prod(y[t, c] for t, c in enumerate(path)) for path in paths(times, 3, labels, blank))
    loss = F.ctc_loss(np.log(y)[:, None], [labels], [times], [len(labels)], blank, reduction="sum")
    assert np.exp(-loss) == pytest.approx(expected, rel=1e-12)


SPOKEN = np.log(RNG.dirichlet(np.ones(5), (7, 3)))
TEXTS, LENGTHS, TEXT_LENGTHS = np.array([[1, 2, 2], [3, 3, 1], [4, 1, 1]]), np.array([7, 5, 4]), np.array([3, 2, 0])


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_ctc_is_differentiable_twice(reduction):
    x = RNG.standard_normal((5, 2, 3))
    loss = lambda x: F.ctc_loss(x, [[1, 2], [2, 2]], [5, 4], [2, 1], reduction=reduction)
    assert gradcheck(loss, x)


def test_ctc_takes_labels_as_rows_or_one_after_the_other_and_one_example():
    joined = np.concatenate([row[:n] for row, n in zip(TEXTS, TEXT_LENGTHS, strict=True)])
    one = F.ctc_loss(SPOKEN, TEXTS, LENGTHS, TEXT_LENGTHS, reduction="none")
    assert np.array_equal(one, F.ctc_loss(SPOKEN, joined, LENGTHS, TEXT_LENGTHS, reduction="none"))
    assert np.array_equal(one[1], F.ctc_loss(SPOKEN[:, 1], TEXTS[1], 5, 2, reduction="none"))
    assert nn.CTCLoss(reduction="sum")(SPOKEN, TEXTS, LENGTHS, TEXT_LENGTHS) == pytest.approx(one.sum())
    assert F.ctc_loss(SPOKEN, TEXTS, LENGTHS, TEXT_LENGTHS) == pytest.approx((one / [3, 2, 1]).mean())


def test_more_labels_than_times_have_no_path():
    x = Tensor(SPOKEN[:2])
    assert F.ctc_loss(x, TEXTS, [2, 2, 2], TEXT_LENGTHS, reduction="none").data[0] == np.inf
    loss = nn.CTCLoss(zero_infinity=True, reduction="none")(x, TEXTS, [2, 2, 0], TEXT_LENGTHS)
    loss.sum().backward()
    assert loss.data[0] == loss.data[2] == 0
    assert (x.grad[:, 0] == 0).all() and np.isfinite(x.grad).all()


@pytest.mark.parametrize(
    ("computed", "error", "message"),
    [
        (lambda: F.l1_loss(X, X[:3]), ValueError, r"l1_loss: the input has shape \(6, 4\), but the target .* \(3, 4\)"),
        (lambda: F.l1_loss([1], [2]), TypeError, "l1_loss: floating-point input is needed, got dtype int64"),
        (lambda: F.smooth_l1_loss(X, X, beta=-1), ValueError, "beta must be at least 0, got -1"),
        (lambda: F.huber_loss(X, X, delta=0), ValueError, "delta must be above 0, got 0"),
        (lambda: F.kl_div(X, X, reduction="avg"), ValueError, "one of 'mean', 'sum', 'none', 'batchmean', got 'avg'"),
        (lambda: nn.L1Loss(reduction="batchmean"), ValueError, "one of 'mean', 'sum', 'none', got 'batchmean'"),
        (lambda: F.kl_div(X, -Q), ValueError, "kl_div takes probabilities as target"),
        (
            lambda: F.l1_loss(X, X, weight=VAR[:2]),
            ValueError,
            r"weight has shape \(2, 4\), which does not broadcast to",
        ),
        (lambda: F.gaussian_nll_loss(X, X[:, :2], VAR), ValueError, r"but the target has shape \(6, 2\)"),
        (lambda: F.gaussian_nll_loss(X, X, -VAR), ValueError, "var must be at least 0"),
        (lambda: F.gaussian_nll_loss(X, X, VAR[:2]), ValueError, r"var of shape \(2, 4\) does not fit .* \(6, 4\)"),
        (lambda: F.gaussian_nll_loss(X, X, VAR, eps=0), ValueError, "eps must be above 0, got 0"),
        (lambda: F.multi_margin_loss(X, LABELS, 3), ValueError, "p must be 1 or 2, got 3"),
        (lambda: F.multi_margin_loss(X, LABELS + 1), ValueError, "label 4 at position 1 is out of range"),
        (lambda: F.multi_margin_loss(X[None], LABELS), ValueError, r"of shape \(N, C\) or \(C,\) are needed"),
        (lambda: F.multilabel_margin_loss(X, LISTS + 1), ValueError, "label 4 at position 0, 0 is out of range"),
        (lambda: F.multilabel_margin_loss(X, LABELS), ValueError, r"got \(6, 4\) and \(6,\)"),
        (lambda: F.multilabel_margin_loss(X, X), TypeError, "class labels must be integers, got dtype float64"),
        (lambda: F.margin_ranking_loss(X, X[:1], SIGNS), ValueError, "margin_ranking_loss: .* the input2 has shape"),
        (lambda: F.cosine_embedding_loss(X, X, SIGNS), ValueError, r"are needed, got \(6, 4\) and \(6, 4\)"),
        (lambda: F.triplet_margin_loss(X, X, X, margin=0), ValueError, "margin must be above 0, got 0"),
        (lambda: F.triplet_margin_loss(X, X, X[0]), ValueError, "as many axes are needed in each input"),
        (lambda: F.ctc_loss(X[0], [1], [1], [1]), ValueError, r"log_probs of shape \(T, N, C\) or \(T, C\) are needed"),
        (lambda: F.ctc_loss(SPOKEN, TEXTS, [8, 5, 4], TEXT_LENGTHS), ValueError, r"must be from 0 to 7, got \[8, 5"),
        (lambda: F.ctc_loss(SPOKEN, TEXTS, LENGTHS, [3, 2]), ValueError, r"target_lengths of shape \(3,\) are needed"),
        (lambda: F.ctc_loss(SPOKEN, TEXTS, LENGTHS, [3.0, 2, 0]), TypeError, "target_lengths must be integers"),
        (lambda: F.ctc_loss(SPOKEN, TEXTS - 1, LENGTHS, TEXT_LENGTHS), ValueError, "label 0 is not one of the 5 class"),
        (lambda: F.ctc_loss(SPOKEN, [1, 2], LENGTHS, TEXT_LENGTHS), ValueError, r"of shape \(3, 3 or more\), or \(5,"),
        (lambda: F.ctc_loss(SPOKEN, TEXTS, LENGTHS, TEXT_LENGTHS, 5), ValueError, "blank must be one of the 5 classes"),
    ],
)
def test_a_bad_option_or_input_is_answered_with_a_sentence(computed, error, message):
    with pytest.raises(error, match=message):
        computed()


if importlib.util.find_spec("torch"):
    import torch
    import torch.nn.functional as TF

    @pytest.mark.parametrize("reduction", REDUCTIONS)
    @pytest.mark.parametrize("name", LOSSES)
    @pytest.mark.filterwarnings("ignore:reduction. 'mean' divides the total loss by both")
    def test_value_and_gradients_are_those_of_torch(name, reduction):
        operands = LOSSES[name][2]
        ours, theirs = [Tensor(x) for x in operands], [torch.tensor(x, requires_grad=True) for x in operands]
        value, expected = call(name, ours, reduction), call(name, theirs, reduction, TF, torch.tensor)
        assert value.shape == tuple(expected.shape)
        assert np.allclose(value.data, expected.detach().numpy(), rtol=1e-12, atol=1e-12)
        g = np.random.default_rng(0).normal(size=value.shape)
        value.backward(g)
        expected.backward(torch.tensor(g))
        for mine, other in zip(ours, theirs, strict=True):
            assert np.allclose(mine.grad, other.grad.numpy(), rtol=1e-11, atol=1e-11)

    @pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
    @pytest.mark.parametrize("reduction", REDUCTIONS)
    def test_weights_of_elements_are_those_of_torch(name, reduction):
        ours = getattr(F, name)(X, X2, reduction=reduction, weight=VAR)
        theirs = getattr(TF, name)(*map(torch.tensor, (X, X2)), reduction=reduction, weight=torch.tensor(VAR))
        assert np.allclose(ours, theirs.numpy(), rtol=1e-12)

    @pytest.mark.parametrize("zero_infinity", [False, True])
    @pytest.mark.parametrize("reduction", REDUCTIONS)
    @pytest.mark.parametrize("lengths", [LENGTHS, np.array([3, 3, 0])])
    def test_ctc_is_that_of_torch(lengths, reduction, zero_infinity):
        mine, other = Tensor(SPOKEN), torch.tensor(SPOKEN, requires_grad=True)
        options = {"reduction": reduction, "zero_infinity": zero_infinity}
        ours = F.ctc_loss(mine, TEXTS, lengths, TEXT_LENGTHS, **options)
        theirs = TF.ctc_loss(other, *map(torch.tensor, (TEXTS, lengths, TEXT_LENGTHS)), **options)
        assert np.allclose(ours.data, theirs.detach().numpy(), rtol=1e-12)
        if np.isfinite(ours.data).all():
            ours.sum().backward()
            theirs.sum().backward()
            assert np.allclose(mine.grad, other.grad.numpy(), rtol=1e-11, atol=1e-12)

    @pytest.mark.parametrize("module", sorted({row[4] for row in LOSSES.values()} | {"CTCLoss", "CrossEntropyLoss"}))
    def test_loss_modules_have_the_options_of_torchs_with_their_defaults(module):
        ours, theirs = getattr(nn, module)(), getattr(torch.nn, module)()
        names = set(inspect.signature(type(ours).__init__).parameters) - {"self", "distance_function"}
        assert [getattr(ours, name) for name in names] == [getattr(theirs, name) for name in names]

    @pytest.mark.parametrize(
        ("module", "options"),
        [
            ("CrossEntropyLoss", {"weight": WEIGHT}),
            ("NLLLoss", {}),
            ("MultiMarginLoss", {"weight": WEIGHT}),
            ("BCEWithLogitsLoss", {"weight": WEIGHT, "pos_weight": WEIGHT + 1}),
        ],
    )
    def test_weights_are_in_the_state_as_in_torchs(module, options):
        ours = getattr(nn, module)(**options)
        theirs = getattr(torch.nn, module)(**{k: torch.tensor(v) for k, v in options.items()})
        assert list(ours.state_dict()) == list(theirs.state_dict()) == list(options)
        ours.load_state_dict({k: 2 * v.numpy() for k, v in theirs.state_dict().items()})
        assert all(np.array_equal(getattr(ours, k), 2 * v) for k, v in options.items())


@pytest.mark.parametrize(
    ("inputs", "weights", "labels"),
    [((4, 3), (5, 3), [0, 4, 2, 1]), ((3,), (5, 3), 2), ((2, 3), (4, 2, 3), [[0, 3], [1, 1]])],
)
def test_linear_cross_entropy_is_the_cross_entropy_of_the_logits(inputs, weights, labels):
    x, w = Tensor(RNG.standard_normal(inputs)), Tensor(RNG.standard_normal(weights))
    b = Tensor(RNG.standard_normal(weights[:-1]))
    loss = F.linear_cross_entropy(x, w, labels, linear_bias=b)
    expected = F.cross_entropy(np.tensordot(x, w, axes=([-1], [-1])) + b, labels)
    assert np.allclose(loss.data, expected.data)
    loss.backward()
    found = [t.grad for t in (x, w, b)]
    for t in (x, w, b):
        t.zero_grad()
    expected.backward()
    assert all(np.allclose(a, t.grad) for a, t in zip(found, (x, w, b), strict=True))
