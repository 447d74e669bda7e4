"""Models in files: the same numbers come back, and a file that is cut off or holds objects is refused."""

import numpy as np
import pytest

import nn
from autograd import Tensor

SUFFIXES = [".npz", ".safetensors"]


def model(seed: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 2, 3, rng=seed), nn.Flatten(), nn.Linear(8, 3, rng=seed, dtype=np.float64))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_saved_comes_back_bit_for_bit(suffix, tmp_path):
    saved, other = model(0), model(1)
    assert nn.save(saved, tmp_path / f"net{suffix}") == tmp_path / f"net{suffix}"
    other.load_state_dict(nn.load(tmp_path / f"net{suffix}"))
    for name, array in saved.state_dict().items():
        np.testing.assert_array_equal(other.state_dict()[name], array)
        assert other.state_dict()[name].dtype == array.dtype
    assert [path.name for path in tmp_path.iterdir()] == [f"net{suffix}"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_any_name_and_any_shape_can_be_saved(suffix, tmp_path):
    state = {"file": np.arange(3), "a.b": Tensor(2.5), "none": np.zeros((0, 2), np.float32), "on": np.array([True])}
    found = nn.load(nn.save(state, tmp_path / f"state{suffix}"))
    assert {name: array.shape for name, array in found.items()} == {"file": (3,), "a.b": (), "none": (0, 2), "on": (1,)}
    assert found["a.b"] == 2.5 and found["on"].dtype == bool and found["file"].tolist() == [0, 1, 2]


def test_parameters_are_saved_and_nothing_that_is_computed_from_them(tmp_path):
    net = model(0)
    net[0](np.ones((1, 1, 4, 4), np.float32))
    assert set(nn.load(nn.save(net, tmp_path / "net.npz"))) == {"0.weight", "0.bias", "2.weight", "2.bias"}


def test_what_torch_saves_is_read_and_the_other_way_round(tmp_path):
    torch = pytest.importorskip("torch")
    files = pytest.importorskip("safetensors.torch")
    theirs, ours = torch.nn.Linear(3, 2), nn.Linear(3, 2)
    files.save_file(theirs.state_dict(), tmp_path / "theirs.safetensors")
    ours.load_state_dict(nn.load(tmp_path / "theirs.safetensors"))
    np.testing.assert_array_equal(ours.weight.data, theirs.weight.detach().numpy())
    again = torch.nn.Linear(3, 2)
    again.load_state_dict(files.load_file(nn.save(ours, tmp_path / "ours.safetensors")))
    assert torch.equal(again.bias, theirs.bias)


def test_a_file_that_is_cut_off_or_holds_objects_is_refused(tmp_path):
    whole = nn.save(model(0), tmp_path / "net.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    np.savez(tmp_path / "objects.npz", weight=np.array([{}], dtype=object))
    np.save(tmp_path / "one.npy", np.ones(2))
    (tmp_path / "one.npy").rename(tmp_path / "one.npz")
    (tmp_path / "no.safetensors").write_bytes(b"no numbers")
    for name in ("cut.npz", "objects.npz", "one.npz", "no.safetensors"):
        with pytest.raises(ValueError, match=rf"load: '.*{name}' is no \.\w+ file of numbers"):
            nn.load(tmp_path / name)


def test_what_can_not_be_saved_leaves_the_old_file(tmp_path):
    before = nn.save(model(0), tmp_path / "net.npz").read_bytes()
    for state, error, said in (
        ({"w": np.array(["a"])}, TypeError, "save: w must be an array of numbers, got ndarray of dtype <U1"),
        ([1.0], TypeError, r"save: a Module or its state_dict\(\) is needed, got list"),
    ):
        with pytest.raises(error, match=said):
            nn.save(state, tmp_path / "net.npz")
    assert (tmp_path / "net.npz").read_bytes() == before
    with pytest.raises(ValueError, match=r"save: 'net.pt' ends in .pt; known are .npz .safetensors"):
        nn.save(model(0), tmp_path / "net.pt")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        nn.save(model(0), tmp_path / "no" / "net.npz")
    with pytest.raises(ValueError, match="load: 'net' ends in no suffix"):
        nn.load(tmp_path / "net")
