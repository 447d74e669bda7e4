"""What pytest leaves out where an optional package is not installed, and the time that a mistake is looked for."""

from importlib.util import find_spec

import pytest

from viz import explain_mismatch

_NEEDED = {
    "scipy": ["autograd/scipy/*"],
    "onnx": ["autograd/interop/onnx_files.py", "autograd/interop/onnx_models.py"],
    "torch": ["autograd/interop/torch_*", "autograd/interop/functions.py", "tests/interopcases.py"],
}
collect_ignore_glob = [path for package, paths in _NEEDED.items() if not find_spec(package) for path in paths]


@pytest.fixture(autouse=True)
def _patience(monkeypatch):
    """What is found may not depend on how fast the machine is."""
    monkeypatch.setitem(explain_mismatch.__kwdefaults__, "timeout", 30.0)
