"""Data sets, samplers, and the loader of both."""

import importlib.util
import re
from collections import namedtuple

import numpy as np
import pytest

import nn
from autograd import Tensor
from nn import data

X, Y = np.arange(12.0).reshape(6, 2), np.array([0, 1, 0, 1, 0, 1])


class Squares:
    """A data set that inherits from nothing."""

    def __len__(self):
        return 5

    def __getitem__(self, i):
        if not 0 <= i < 5:
            raise IndexError(i)
        return np.full(2, float(i)), i * i


def numbers(loader):
    return [labels.tolist() for _, labels in loader]


# --- data sets


def test_a_tensor_dataset_is_loaded_as_the_arrays_that_it_holds():
    whole = data.TensorDataset(X, Tensor(Y))
    assert len(whole) == 6 and whole[1][0].tolist() == [2.0, 3.0] and whole[1][1] == 1
    for options in ({}, {"shuffle": True, "seed": 3}, {"drop_last": True}):
        ours, theirs = (nn.DataLoader(d, batch_size=4, **options) for d in (whole, (X, Y)))
        for (a, b), (c, d) in zip(ours, theirs, strict=True):
            assert (a == c).all() and (b == d).all()


def test_whatever_has_a_length_and_numbers_is_a_dataset():
    loader = nn.DataLoader(Squares(), batch_size=2)
    assert len(loader) == 3 and loader.size == 5
    assert numbers(loader) == [[0, 1], [4, 9], [16]]
    images, labels = next(iter(loader))
    assert images.shape == (2, 2) and images.dtype == np.float64 and labels.dtype == np.int64


def test_a_subset_has_its_examples_in_its_order():
    part = data.Subset(Squares(), [4, 0, -1])
    assert [label for _, label in part] == [16, 0, 16]
    assert numbers(nn.DataLoader(data.Subset(part, np.array([2, 1])), batch_size=2)) == [[16, 0]]
    fast = data.Subset(data.Subset((X, Y), [5, 4, 3]), [2, 0])
    assert [a.tolist() for a in next(iter(nn.DataLoader(fast, batch_size=2)))] == [[[6, 7], [10, 11]], [1, 1]]
    assert len(data.Subset((X, Y), [])) == 0


def test_a_subclass_decides_what_its_examples_are():
    class Doubled(data.Subset):
        def __getitem__(self, i):
            x, y = super().__getitem__(i)
            return 2 * x, y

    assert next(iter(nn.DataLoader(Doubled((X, Y), [1]))))[0].tolist() == [[4.0, 6.0]]


def test_data_sets_one_after_the_other():
    both = data.TensorDataset(X[:2], Y[:2]) + data.TensorDataset(X[2:], Y[2:])
    assert isinstance(both, data.ConcatDataset) and both.cumulative_sizes == [2, 6]
    images, labels = next(iter(nn.DataLoader(both, batch_size=6)))
    assert (images == X).all() and (labels == Y).all()
    assert (both[-1][0] == X[-1]).all()
    with pytest.raises(IndexError, match="index 6 is out of range of 6 examples"):
        both[6]


def test_a_random_split_divides_all_examples():
    parts = data.random_split(range(10), [5, 3, 2], generator=0)
    assert [len(part) for part in parts] == [5, 3, 2]
    assert sorted(i for part in parts for i in part) == list(range(10))
    again = data.random_split(range(10), [5, 3, 2], generator=0)
    assert [list(part) for part in parts] == [list(part) for part in again]
    assert [len(part) for part in data.random_split(range(11), [0.5, 0.25, 0.25])] == [6, 3, 2]
    train, _ = data.random_split((X, Y), [4, 2])
    assert len(train) == 4 and len(train[0]) == 2


# --- samplers


def test_samplers_give_what_they_say():
    assert list(data.SequentialSampler("abc")) == [0, 1, 2]
    once = data.RandomSampler(range(50), generator=1)
    first, second = list(once), list(once)
    assert sorted(first) == sorted(second) == list(range(50)) and first != second
    assert first == np.random.default_rng(1).permutation(50).tolist()
    longer = list(data.RandomSampler(range(4), num_samples=10, generator=0))
    assert len(longer) == 10 and sorted(longer[:4]) == sorted(longer[4:8]) == [0, 1, 2, 3]
    again = list(data.RandomSampler(range(4), replacement=True, num_samples=1000, generator=0))
    assert (np.abs(np.bincount(again) - 250) < 60).all()
    assert sorted(data.SubsetRandomSampler([7, 5, 3], generator=0)) == [3, 5, 7]


def test_weighted_samples_come_in_the_ratio_of_their_weights():
    drawn = np.bincount(list(data.WeightedRandomSampler([1.0, 0.0, 3.0], 4000, generator=0)))
    assert drawn[1] == 0 and abs(drawn[2] / drawn[0] - 3) < 0.3
    alone = data.WeightedRandomSampler([1.0, 0.0, 3.0], 2, replacement=False, generator=0)
    assert sorted(alone) == [0, 2] and len(alone) == 2


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("n", [0, 1, 4, 5, 6])
def test_batches_of_a_sampler(n, drop_last):
    sampler = data.BatchSampler(range(n), 2, drop_last)
    batches = list(sampler)
    assert len(batches) == len(sampler) == (n // 2 if drop_last else -(-n // 2))
    assert [i for batch in batches for i in batch] == list(range(n - n % 2 if drop_last else n))


def test_a_loader_takes_the_order_of_a_sampler_and_the_batches_of_another():
    assert numbers(nn.DataLoader(Squares(), 2, sampler=[4, 4, 1])) == [[16, 16], [1]]
    assert numbers(nn.DataLoader((X, Y), 2, sampler=range(3), drop_last=True)) == [[0, 1]]
    batches = nn.DataLoader((X, np.arange(6)), batch_sampler=[[5], [0, 1, 2]])
    assert numbers(batches) == [[5], [0, 1, 2]] and len(batches) == 2
    assert repr(batches) == "DataLoader(6 examples in 2 batches, batch_sampler=list)"


def test_a_generator_is_the_seed_under_the_name_of_pytorch():
    a, b = (nn.DataLoader((X, np.arange(6)), 6, shuffle=True, **{name: 5}) for name in ("seed", "generator"))
    assert numbers(a) == numbers(b)


def test_the_generators_of_a_loader_are_found_wherever_they_are():
    class Noisy(Squares):
        rng = None

        def __init__(self):
            self.rng = np.random.default_rng(0)

    noisy, drawn = Noisy(), data.RandomSampler(range(5), generator=2)
    both = data.ConcatDataset([data.Subset(noisy, [0, 1]), noisy])
    loader = nn.DataLoader(both, batch_sampler=data.BatchSampler(drawn, 2))
    assert {id(g) for g in loader.generators()} == {id(noisy.rng), id(drawn.generator)}
    assert len(list(loader.generators())) == 2
    assert list(nn.DataLoader(X).generators()) == []


# --- batches


def test_examples_are_put_together_by_their_kind():
    Pair = namedtuple("Pair", "image label")
    batch = data.default_collate([{"a": Pair(np.ones(2), 1), "b": "x"}, {"a": Pair(Tensor([2.0, 2.0]), 0), "b": "y"}])
    assert isinstance(batch["a"], Pair) and batch["b"] == ["x", "y"]
    assert batch["a"].image.tolist() == [[1, 1], [2, 2]] and batch["a"].label.tolist() == [1, 0]


def test_a_function_of_ones_own_makes_the_batches():
    loader = nn.DataLoader((X, Y), 2, collate_fn=lambda examples: [int(x.sum()) for x, _ in examples])
    assert list(loader) == [[1, 5], [9, 13], [17, 21]]
    assert list(nn.DataLoader(X, 3, collate_fn=len)) == [3, 3]


def test_a_network_is_trained_on_a_dataset_with_weighted_samples():
    rng = np.random.default_rng(0)
    labels = (np.arange(60) % 6 == 0).astype(int)
    images = rng.normal(size=(60, 2)) + 2 * labels[:, None]
    sampler = data.WeightedRandomSampler(1 / np.bincount(labels)[labels], 60, generator=0)
    train, held_out = data.random_split((images, labels), [40, 20], generator=0)
    net = nn.Linear(2, 2, rng=0)
    loader = nn.DataLoader(data.TensorDataset(images, labels), 10, sampler=sampler)
    history = nn.fit(net, loader, epochs=5, lr=0.2, validation=held_out, progress=False)
    assert history.accuracy[-1] > 0.8 and len(history.val_accuracy) == 5
    nn.fit(net, train, epochs=1, lr=0.1, seed=0, progress=False)


# --- what is refused

RAGGED = [(np.zeros(2), 0), (np.zeros(3), 0)]

REFUSED = {
    "no array": (lambda: data.TensorDataset(), ValueError, "at least one array is needed"),
    "lengths": (lambda: data.TensorDataset(X, Y[:3]), ValueError, "of one length, got shapes (6, 2), (3,)"),
    "index": (lambda: data.Subset(Squares(), [0, 5]), IndexError, "index 5 at position 1 is out of range of 5"),
    "mask": (lambda: data.Subset(Squares(), [True, False]), TypeError, "a mask: np.flatnonzero(mask)"),
    "no dataset": (lambda: data.Subset(3, [0]), TypeError, "Subset: a data set has len(data) and data[i]"),
    "nothing": (lambda: data.ConcatDataset([]), ValueError, "there are no data sets"),
    "a generator": (lambda: data.ConcatDataset([iter("a")]), TypeError, "number 0: a data set has"),
    "split": (lambda: data.random_split(range(9), [5, 5]), ValueError, "add up to the 9 examples"),
    "shares": (lambda: data.random_split(range(9), [0.5, 0.4]), ValueError, "or shares to 1, got [0.5, 0.4]"),
    "negative": (lambda: data.random_split(range(9), [-1, 10]), ValueError, "numbers of at least 0"),
    "weights": (lambda: data.WeightedRandomSampler([1, -1], 3), ValueError, "one finite number of at least 0"),
    "zero weights": (lambda: data.WeightedRandomSampler([0, 0], 3), ValueError, "must not all be 0"),
    "too few": (lambda: data.WeightedRandomSampler([1, 0], 2, False), ValueError, "1 weights are above 0"),
    "num_samples": (lambda: data.WeightedRandomSampler([1], 0), ValueError, "num_samples must be an integer of at"),
    "empty": (lambda: data.RandomSampler([]), ValueError, "has no examples"),
    "batches of 0": (lambda: data.BatchSampler(range(3), 0), ValueError, "batch_size must be an integer of at least 1"),
    "both orders": (lambda: nn.DataLoader(X, shuffle=True, sampler=[0]), ValueError, "either shuffle or sampler"),
    "both sizes": (lambda: nn.DataLoader(X, 2, batch_sampler=[[0]]), ValueError, "batch_sampler excludes batch_size"),
    "both seeds": (lambda: nn.DataLoader(X, seed=0, generator=0), ValueError, "either seed or generator"),
    "a class": (lambda: nn.DataLoader(X, sampler=data.RandomSampler), TypeError, "sampler is the class RandomSampler"),
    "no sampler": (lambda: nn.DataLoader(X, sampler=3), TypeError, "sampler must give numbers of examples"),
    "no function": (lambda: nn.DataLoader(X, collate_fn=3), TypeError, "collate_fn must be a function"),
    "no length": (lambda: data.Dataset()[0], NotImplementedError, "Dataset has no __getitem__"),
    "shapes": (lambda: data.default_collate(RAGGED), ValueError, "same shape, got (2,) (number 0), (3,) (number 1)"),
    "objects": (lambda: data.default_collate([None]), TypeError, "numbers are needed, got NoneType"),
    "empty data set": (lambda: nn.DataLoader(data.Subset(X, [])), ValueError, "no examples in this Subset"),
    "NaN": (lambda: nn.DataLoader(data.TensorDataset(X * np.nan)), ValueError, "12 of 12 numbers are NaN"),
}


@pytest.mark.parametrize(("make", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_what_can_not_be_loaded_is_told(make, error, message):
    with pytest.raises(error, match=re.escape(message)):
        make()


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs PyTorch")
def test_the_names_and_parameters_are_those_of_pytorch():
    import inspect

    from torch.utils import data as theirs

    for name in data.__all__:
        ours, reference = (list(inspect.signature(getattr(m, name)).parameters) for m in (data, theirs))
        if name != "DataLoader":
            ours = [parameter for parameter in ours if parameter != "transform"]  # torchvision's habit
            assert ours == reference[: len(ours)], name
        else:
            assert set(ours) - {"seed"} <= set(reference) and ours[:5] == reference[:5]
