"""Every code block of the README and of docs/ runs, every link leads somewhere, every notebook runs to its end."""

import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = [
    ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "lessons" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))
]  # fmt: skip
EXECUTE = """
import sys
from pathlib import Path
import nbformat
from nbclient import NotebookClient
path, executed = map(Path, sys.argv[1:])
notebook = nbformat.read(path, as_version=4)
folder = {"metadata": {"path": str(path.parent)}}
NotebookClient(notebook, timeout=300, kernel_name="python3", resources=folder).execute()
nbformat.write(notebook, executed)
"""
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_the_code_in_a_document_does_what_it_says(path):
    if path.name == "interop.md":
        pytest.importorskip("torch"), pytest.importorskip("onnx")
    if path.name == "scale.md":
        pytest.importorskip("distributed")
    text = path.read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert all(block.lstrip().startswith(">>>") for block in blocks)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    failed, tried = doctest.testfile(str(path), module_relative=False, optionflags=flags)
    assert failed == 0
    assert tried >= len(blocks)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_the_links_of_a_document_lead_to_files(path):
    for target in re.findall(r"""(?:\]\(|src=")([^)#"]+)""", path.read_text()):
        if not target.startswith("http"):
            assert (path.parent / target).exists(), target


def test_the_two_commands_of_the_readme_name_what_exists():
    text = (ROOT / "README.md").read_text()
    commands = re.findall(r"```sh\n(.*?)\n```", text, re.DOTALL)
    assert commands == [
        "pip install . && tracegrad demo",
        "pip install '.[test]' && python tests/browser.py && python -m pytest",
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_runs_from_top_to_bottom(path, tmp_path):
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    assert all(cell.get("execution_count") for cell in notebook.cells if cell.cell_type == "code"), "not executed"
    # in a process of its own: the client leaves threads and sockets behind, which would fail some later test
    executed = tmp_path / path.name
    told = subprocess.run(
        [sys.executable, "-c", EXECUTE, str(path), str(executed)], capture_output=True, text=True, timeout=400
    )
    assert told.returncode == 0, told.stderr
    for cell in nbformat.read(executed, as_version=4).cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output.text
