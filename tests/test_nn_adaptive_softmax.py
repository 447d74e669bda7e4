"""The adaptive softmax: its probabilities, its loss, and torch's."""

import importlib.util

import numpy as np
import pytest

import nn
from autograd import Tensor

X = np.random.default_rng(4).standard_normal((7, 8))
LABELS = np.array([19, 0, 5, 9, 3, 4, 11])


def layer(**options):
    return nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 10], 2.0, dtype=np.float64, rng=0, **options)


def test_probabilities_sum_to_1_and_the_loss_is_minus_their_mean_logarithm():
    net = layer(head_bias=True)
    log_p = net.log_prob(Tensor(X)).data
    assert np.allclose(np.exp(log_p).sum(axis=1), 1)
    output, loss = net(X, LABELS)
    assert np.allclose(output.data, log_p[np.arange(7), LABELS])
    assert loss.item() == pytest.approx(-output.data.mean())
    assert net.predict(X).tolist() == log_p.argmax(axis=1).tolist()
    one = net(X[0], LABELS[0])
    assert one.output.shape == () and one.output.item() == pytest.approx(output.data[0])
    assert np.allclose(net.log_prob(X[0]).data, log_p[0])


def test_it_shows_its_sizes_and_draws_its_parameters_again():
    net = layer()
    assert repr(net).startswith(
        "AdaptiveLogSoftmaxWithLoss(in_features=8, n_classes=20, cutoffs=[4, 10]\n  (head): Linear"
    )
    before = net.state_dict()
    net.reset_parameters(0)
    assert all(np.array_equal(value, before[name]) for name, value in net.state_dict().items())


@pytest.mark.parametrize(
    ("computed", "message"),
    [
        (lambda: nn.AdaptiveLogSoftmaxWithLoss(8, 20, [10, 4]), r"from 1 to n_classes − 1 = 19, got \[10, 4\]"),
        (lambda: nn.AdaptiveLogSoftmaxWithLoss(8, 20, []), r"cutoffs must be rising integers .* got \[\]"),
        (
            lambda: nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 10]),
            "the features of cluster 1 must be an integer",
        ),
        (lambda: nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 10], 9.0), "the features of cluster 0 must be an integer"),
        (lambda: layer()(X[:, :3], LABELS), r"input of shape \(N, 8\) or \(8,\) is needed, got shape \(7, 3\)"),
        (lambda: layer()(X, LABELS + 1), "label 20 at position 0 is out of range: there are 20 classes"),
    ],
)
def test_what_does_not_fit_is_answered_with_a_sentence(computed, message):
    with pytest.raises(ValueError, match=message):
        computed()


if importlib.util.find_spec("torch"):
    import torch

    @pytest.mark.parametrize("head_bias", [True, False])
    def test_it_is_that_of_torch_with_all_gradients(head_bias):
        ours = layer(head_bias=head_bias)
        theirs = torch.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 10], 2.0, head_bias, dtype=torch.float64)
        ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
        theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
        x, y = Tensor(X), torch.tensor(X, requires_grad=True)
        output, loss = ours(x, LABELS)
        expected = theirs(y, torch.tensor(LABELS))
        assert np.allclose(output.data, expected.output.detach().numpy())
        assert np.allclose(ours.log_prob(x).data, theirs.log_prob(y).detach().numpy())
        (loss + output[0]).backward()
        (expected.loss + expected.output[0]).backward()
        assert np.allclose(x.grad, y.grad.numpy())
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert np.allclose(p.grad, q.grad.numpy())
