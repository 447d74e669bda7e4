"""Augmentation: where each pixel comes from, which numbers are drawn, and how training sees it."""

import re

import numpy as np
import pytest

import nn
from autograd import Tensor
from nn import transforms

IMAGES = np.random.default_rng(0).random((6, 2, 7, 7))
KINDS = [
    transforms.RandomAffine(30, (0.2, 0.1), (0.8, 1.2), 10),
    transforms.RandomRotation(30),
    transforms.RandomCrop(5, padding=1),
    transforms.RandomHorizontalFlip(),
    transforms.RandomVerticalFlip(),
]


def again(kind, seed):
    """The transform with a generator of its own."""
    kind.generator = np.random.default_rng(seed)
    return kind


@pytest.mark.parametrize("turns", range(-3, 4))
@pytest.mark.parametrize("side", [7, 8])
def test_a_turn_by_right_angles_is_that_of_numpy(turns, side):
    images = np.random.default_rng(1).random((3, 2, side, side)).astype(np.float32)
    expected = np.rot90(images, turns, (2, 3))
    counter_clockwise = transforms.RandomRotation((90 * turns, 90 * turns))(images)
    clockwise = transforms.RandomAffine((-90 * turns, -90 * turns))(images)
    assert counter_clockwise.dtype == np.float32
    assert (counter_clockwise == expected).all() and (clockwise == expected).all()


@pytest.mark.parametrize("shape", [(7, 7), (2, 5, 8), (3, 1, 4, 9)])
def test_nothing_is_moved_by_nothing(shape):
    images = np.random.default_rng(0).random(shape)
    sure = [
        transforms.RandomAffine(0), transforms.RandomRotation(0), transforms.RandomCrop(shape[-2:]),
        transforms.RandomHorizontalFlip(0), transforms.RandomAffine(0, (0, 0), (1, 1), 0), transforms.Compose([]),
    ]  # fmt: skip
    for one in sure:
        np.testing.assert_array_equal(one(images), images)


def test_a_small_turn_is_bilinear():
    image = np.zeros((5, 5))
    image[2, 3] = 1.0
    turned = transforms.RandomRotation((30, 30))(image)
    # by hand: the pixel above right of the centre, (1, -1), comes from (cos + sin, sin - cos)(30°)
    c, s = np.cos(np.pi / 6), 0.5
    x, y = c + s, s - c
    assert turned[1, 3] == pytest.approx((1 - abs(x - 1)) * (1 - abs(y)))
    # and the one right of the centre, (1, 0), from (cos 30°, sin 30°)
    assert turned[2, 3] == pytest.approx(c * (1 - s))


def test_a_linear_image_stays_linear_inside():
    y, x = np.mgrid[-10:11, -10:11].astype(float)
    affine = transforms.RandomAffine((20, 20), scale=(1.5, 1.5), shear=(10, 10))
    t, k = np.deg2rad(20), np.tan(np.deg2rad(10))
    matrix = 1.5 * np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]]) @ [[1, k], [0, 1]]
    a, b = np.array([2.0, 3.0]) @ np.linalg.inv(matrix)
    np.testing.assert_allclose(affine(2 * x + 3 * y), a * x + b * y, atol=1e-8)


def test_shifts_are_whole_pixels_and_the_ground_is_filled():
    image = np.arange(1.0, 101.0).reshape(10, 10)
    shift = transforms.RandomAffine(0, translate=(0.3, 0.2), fill=-1, generator=0)
    seen = set()
    for _ in range(200):
        moved = shift(image)
        row, column = np.argwhere(moved == 55)[0] - (5, 4)
        seen.add((int(row), int(column)))
        expected = np.full((30, 30), -1.0)
        expected[10 + row : 20 + row, 10 + column : 20 + column] = image
        assert (moved == expected[10:20, 10:20]).all()
    assert {r for r, _ in seen} == set(range(-2, 3)) and {c for _, c in seen} == set(range(-3, 4))


def test_a_crop_is_a_window_of_the_padded_image():
    image = np.arange(1.0, 21.0).reshape(1, 4, 5)
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1)), constant_values=9)
    windows = np.lib.stride_tricks.sliding_window_view(padded[0], (3, 4)).reshape(-1, 3, 4)
    crop = transforms.RandomCrop((3, 4), padding=1, fill=9, generator=0)
    found = set()
    for _ in range(300):
        cropped = crop(image)[0]
        found.add(next(i for i, w in enumerate(windows) if (w == cropped).all()))
    assert found == set(range(len(windows)))


def test_flips_mirror_about_as_many_as_p_says():
    images = np.random.default_rng(0).random((1000, 1, 2, 3))
    for kind, axis in ((transforms.RandomHorizontalFlip, 3), (transforms.RandomVerticalFlip, 2)):
        changed = kind(0.3, generator=0)(images)
        mirrored = (changed == np.flip(images, axis)).all(axis=(1, 2, 3))
        assert (mirrored | (changed == images).all(axis=(1, 2, 3))).all() and abs(mirrored.mean() - 0.3) < 0.05


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: type(kind).__name__)
def test_the_same_seed_gives_the_same_images_at_once_and_one_by_one(kind):
    before = IMAGES.copy()
    at_once = again(kind, 3)(IMAGES)
    np.testing.assert_array_equal(again(kind, 3)(Tensor(IMAGES)), at_once)
    np.testing.assert_array_equal(np.stack([kind(image) for image in IMAGES] if again(kind, 3) else []), at_once)
    again(kind, 4)
    assert (kind(IMAGES) != at_once).any() and (before == IMAGES).all()
    kind.generator = None
    nn.manual_seed(5)
    shared = kind(IMAGES)
    nn.manual_seed(5)
    np.testing.assert_array_equal(kind(IMAGES), shared)
    assert repr(kind).startswith(type(kind).__name__ + "(")


def test_compose_takes_ours_and_functions_of_one_image():
    both = transforms.Compose([transforms.RandomRotation((90, 90)), lambda image: image * len(image.shape)])
    np.testing.assert_array_equal(both(IMAGES), 3 * np.rot90(IMAGES, 1, (2, 3)))
    np.testing.assert_array_equal(both(IMAGES[0]), both(IMAGES)[0])


def test_each_epoch_sees_other_copies_of_the_images_and_the_same_labels():
    flat = IMAGES[:, 0]
    for images in (IMAGES, flat):
        whole = nn.data.TensorDataset(images, np.arange(6), transform=transforms.RandomRotation(40, generator=0))
        loader = nn.DataLoader(whole, batch_size=4)
        first, second = list(loader), list(loader)
        assert [y.tolist() for _, y in first] == [[0, 1, 2, 3], [4, 5]]
        assert all(x.shape[1:] == images.shape[1:] for x, _ in first)
        assert (first[0][0] != second[0][0]).any()
        # one is turned otherwise than another
        same = nn.data.TensorDataset(np.stack([images[0]] * 2), transform=transforms.RandomRotation(40))
        (x,) = next(iter(nn.DataLoader(same, batch_size=2)))
        assert (x[0] != x[1]).any()


def test_a_part_and_a_collate_fn_see_transformed_images():
    whole = nn.data.TensorDataset(IMAGES, np.arange(6), transform=lambda image: image[:1] + 1)
    for data, options in ((whole, {"collate_fn": nn.data.default_collate}), (nn.data.Subset(whole, [0, 1]), {})):
        x, _ = next(iter(nn.DataLoader(data, batch_size=2, **options)))
        np.testing.assert_array_equal(x, IMAGES[:2, :1] + 1)


def test_a_transform_can_not_write_into_the_data():
    def write(image):
        image += 1
        return image

    with pytest.raises(ValueError, match="read-only"):
        nn.data.TensorDataset(IMAGES, transform=write)[0]


@pytest.mark.parametrize("source", [None, 7])
def test_a_run_that_is_resumed_sees_the_images_of_one_that_was_not(tmp_path, source):
    images, labels = (a[:40] for a in nn.datasets.mnist())

    def run(epochs, **options):
        nn.manual_seed(0)
        turn = transforms.Compose([transforms.RandomAffine(15, (0.1, 0.1), generator=source)])
        data = nn.data.TensorDataset(images, labels, transform=turn)
        net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10, rng=0))
        history = nn.fit(net, data, epochs=epochs, batch_size=10, progress=False, **options)
        return net[1].weight.data, history.loss

    weight, losses = run(4)
    run(2, checkpoint=tmp_path / "run.npz")
    resumed, told = run(4, checkpoint=tmp_path / "run.npz", resume=True)
    np.testing.assert_array_equal(resumed, weight)
    assert told == losses


def test_trying_out_an_example_draws_nothing():
    turn = transforms.RandomRotation(40, generator=0)
    loader = nn.DataLoader(nn.data.TensorDataset(IMAGES, transform=turn), batch_size=2)
    before = turn.generator.bit_generator.state
    loader.first()
    assert turn.generator.bit_generator.state == before


REFUSED = {
    "integers": (lambda: transforms.RandomRotation(5)(np.zeros((1, 8, 8), np.uint8)), TypeError, "/ 255"),
    "one axis": (lambda: transforms.RandomRotation(5)(np.zeros(8)), ValueError, "two axes of pixels, (…, H, W), got"),
    "five axes": (lambda: transforms.RandomRotation(5)(np.zeros((1,) * 5)), ValueError, "(N, C, H, W), got (1, 1"),
    "degrees": (lambda: transforms.RandomRotation(-5), ValueError, "degrees must be at least 0, or a pair (low, high)"),
    "order": (lambda: transforms.RandomRotation((5, -5)), ValueError, "degrees must be a number or a pair (low, high)"),
    "word": (lambda: transforms.RandomRotation("90"), ValueError, "degrees must be a pair of numbers, got '90'"),
    "pixels": (lambda: transforms.RandomAffine(0, (2, 2)), ValueError, "translate must be from 0 to 1, got 2.0"),
    "no pair": (lambda: transforms.RandomAffine(0, 0.1), ValueError, "translate must be a pair of numbers, got 0.1"),
    "scale": (lambda: transforms.RandomAffine(0, scale=(0, 1)), ValueError, "scale must be two numbers above 0"),
    "window": (lambda: transforms.RandomCrop(9)(IMAGES), ValueError, "images of 7 × 7, padding included, are smaller"),
    "size": (lambda: transforms.RandomCrop(0), ValueError, "size must be an integer of at least 1, got 0"),
    "padding": (lambda: transforms.RandomCrop(5, -1), ValueError, "padding must be an integer of at least 0, got -1"),
    "p": (lambda: transforms.RandomHorizontalFlip(2), ValueError, "p must be from 0 to 1, got 2"),
    "class": (
        lambda: nn.data.TensorDataset(IMAGES, transform=transforms.RandomCrop), TypeError,
        "transform is the class RandomCrop: make one, RandomCrop(…)",
    ),
    "number": (lambda: transforms.Compose([3]), TypeError, "a transform must be a function of an image, got int"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_what_can_not_be_transformed_is_told(make, error, message):
    with pytest.raises(error, match=re.escape(message)):
        make()
