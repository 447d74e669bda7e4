"""Which file imports which: never in a circle, and in `viz` only what is below it in docs/architecture.md."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOORS = "autograd.interop"
"""The room with the doors to other libraries: it uses `nn`, and nothing uses it."""

ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PACKAGES = {"autograd": set(), "nn": {"autograd"}, "viz": {"autograd"}, "tracegrad": {"autograd", "nn", "viz"}}
"""The packages, and which others each may import."""

HIPS = {"builtins", "core", "differential_operators", "extend", "misc", "numpy", "scipy", "test_util", "tracer", "util",
        "vspaces", "wrap_util"}  # fmt: skip
"""The rooms of `autograd` that code written for HIPS autograd finds, and nothing else."""


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


FILES = {module_of(path): path for package in PACKAGES for path in (ROOT / package).rglob("*.py")}


def imported(module: str) -> Iterator[str]:
    """The modules that a file imports: at its top, inside functions, and for types alone."""
    package = module if FILES[module].name == "__init__.py" else module.rpartition(".")[0]
    for statement in ast.walk(ast.parse(FILES[module].read_text())):
        names = [alias.name for alias in getattr(statement, "names", ()) if isinstance(alias, ast.alias)]
        if isinstance(statement, ast.Import):
            yield from (name for name in names if name in FILES)
        elif isinstance(statement, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - statement.level] if statement.level else []
            origin = ".".join([*above, *filter(None, [statement.module])])
            for name in names:
                found = next((one for one in (f"{origin}.{name}", origin) if one in FILES), None)
                if found is not None:
                    yield found


IMPORTS = {module: set(imported(module)) - {module} for module in FILES}


def floors() -> dict[str, int]:
    """The rooms of `viz` as they are drawn: 0 is the lowest floor."""
    drawn = re.search(r"```text\n(.*?)```", ARCHITECTURE, re.DOTALL)
    rows = re.findall(r"^│ (\S.*?) {2,}", drawn[1], re.MULTILINE)
    return {room: height for height, row in enumerate(reversed(rows)) for room in row.split(" · ")}


def room_of(module: str) -> str:
    return (module.split(".") + ["viz"])[1] if module != "viz" else "viz"


def test_no_file_imports_one_that_leads_back_to_it():
    visited: set[str] = set()

    def visit(module: str, above: tuple[str, ...]) -> None:
        assert module not in above, " → ".join([*above[above.index(module) :], module])
        if module not in visited:
            for one in IMPORTS[module]:
                visit(one, (*above, module))
            visited.add(module)

    for module in FILES:
        visit(module, ())


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_those_below_it(package):
    files = [module for module in FILES if module.split(".")[0] == package]
    others = {
        (m, to) for m in files for to in IMPORTS[m]
        if to.split(".")[0] not in {package, *PACKAGES[package], *(["nn"] if m.startswith(DOORS) else [])}
    }  # fmt: skip
    assert len(files) > 5 and others == set()


def test_the_core_reads_in_one_sitting():
    named = re.findall(r"^\| `(\w+\.py)` \|", ARCHITECTURE, re.MULTILINE)
    assert sum(len((ROOT / "autograd" / name).read_text().splitlines()) for name in named) < 350 and len(named) == 3


def test_the_engine_does_not_know_how_it_is_tested():
    assert [m for m in FILES if not m.startswith(("autograd.testing", DOORS)) and m.startswith("autograd")
            if any(to.startswith("autograd.testing") for to in IMPORTS[m])] == []  # fmt: skip


def test_nothing_else_imports_what_code_for_hips_autograd_finds():
    at_home = {m for m in FILES if m.startswith("autograd.") and m.split(".")[1] in HIPS}
    assert len(at_home) > 25 and [m for m in FILES if m not in at_home and IMPORTS[m] & at_home] == []


def test_nothing_else_imports_the_doors_to_other_libraries():
    inside = {m for m in FILES if m.startswith(DOORS)}
    assert len(inside) > 5 and [m for m in FILES if m not in inside and IMPORTS[m] & inside] == []


def test_the_rooms_of_viz_are_those_that_are_drawn():
    assert {room_of(module) for module in FILES if module.split(".")[0] == "viz"} == set(floors())


def test_rooms_of_viz_import_only_what_is_below_them():
    height = floors()
    arrows = [(m, to) for m in FILES for to in IMPORTS[m] if m.split(".")[0] == to.split(".")[0] == "viz"]
    wrong = [
        f"{m} → {to}" for m, to in arrows if room_of(m) != room_of(to) and height[room_of(to)] >= height[room_of(m)]
    ]
    assert len(arrows) > 300 and wrong == []
