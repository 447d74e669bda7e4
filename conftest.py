"""What pytest leaves out where an optional package is not installed."""

from importlib.util import find_spec

_NEEDED = {
    "scipy": ["autograd/scipy/*"],
    "onnx": ["autograd/interop/onnx_files.py", "autograd/interop/onnx_models.py"],
    "torch": ["autograd/interop/torch_*", "autograd/interop/functions.py", "tests/interopcases.py"],
}
collect_ignore_glob = [path for package, paths in _NEEDED.items() if not find_spec(package) for path in paths]
