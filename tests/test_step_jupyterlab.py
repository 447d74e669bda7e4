"""The step view and pictures in JupyterLab itself: cells run, keys pressed, notebooks saved and opened again."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from browser import chromium

ROOT = Path(__file__).parents[1]
MAKE = """\
import viz
from autograd import Tensor
a, b, c = Tensor(2.0, name="a"), Tensor(-3.0, name="b"), Tensor(10.0, name="c")
s = viz.step((a * b + c) * a)
s"""
SECONDS = 60_000


def notebook(*sources: str) -> str:
    cells = [nbformat.v4.new_code_cell(source, id=f"cell{k}") for k, source in enumerate(sources)]
    return str(nbformat.writes(nbformat.v4.new_notebook(cells=cells, metadata={
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
    })))  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture(scope="module")
def lab(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running JupyterLab."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tmp_path_factory.mktemp("home")
    env = {
        **os.environ, "HOME": str(home), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1",
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"), "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"), "IPYTHONDIR": str(home / "ipython"),
    }  # fmt: skip
    log = home / "lab.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            [
                sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
                "--ServerApp.port_retries=0", "--ServerApp.disable_check_xsrf=True", "--IdentityProvider.token=",
                f"--ServerApp.root_dir={folder}",
                "--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            ],
            env=env, stdout=out, stderr=out, cwd=folder,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            assert server.poll() is None, log.read_text()
            try:
                urllib.request.urlopen(f"{address}/api", timeout=1).close()
                break
            except OSError:
                time.sleep(0.25)
        yield address
        end_kernels(address)
    finally:
        server.terminate()
        try:
            server.wait(timeout=30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def end_kernels(address: str) -> None:
    for session in json.load(urllib.request.urlopen(f"{address}/api/sessions")):
        request = urllib.request.Request(f"{address}/api/sessions/{session['id']}", method="DELETE")
        urllib.request.urlopen(request).close()


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser, lab: str) -> Iterator[object]:
    context = browser.new_context(viewport={"width": 1300, "height": 1000})
    context.set_default_timeout(SECONDS)
    page = context.new_page()
    dialog = page.locator(".jp-Dialog")  # a kernel that is not there yet is asked for
    page.add_locator_handler(dialog, lambda: dialog.locator(".jp-mod-accept").click())
    yield page
    context.close()


def opened(page, lab: str, name: str) -> None:
    page.goto(f"{lab}/lab/tree/{name}?reset")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")


def run_cell(page, k: int) -> None:
    """Run a cell; until the kernel is there, the keys are lost and pressed again."""
    cell = page.locator(".jp-Notebook .jp-CodeCell").nth(k)
    for _ in range(SECONDS // 1000):
        cell.locator(".cm-content").click()
        page.keyboard.press("Shift+Enter")
        page.wait_for_timeout(1000)
        if cell.locator(".jp-InputPrompt").inner_text().strip() != "[ ]:":
            return
    raise AssertionError(f"cell {k} did not run: {cell.inner_text()}")


def printed(page, k: int) -> str:
    output = page.locator(".jp-Notebook .jp-CodeCell").nth(k).locator(".jp-OutputArea-output").last
    output.wait_for()
    return str(output.inner_text()).strip()


def position(page) -> int:
    return int(page.evaluate("document.querySelector('[data-tracegrad]').tracegrad.step"))


def test_keys_step_and_leave_the_notebook_alone(page, lab: str, folder: Path):
    (folder / "keys.ipynb").write_text(notebook(MAKE, "s.position", "s.goto(3).title", "1 + 1"))
    opened(page, lab, "keys.ipynb")
    run_cell(page, 0)
    page.wait_for_selector("[data-tracegrad] .app")
    cells = page.locator(".jp-Notebook .jp-Cell").count()

    page.locator("[data-tracegrad] button").first.focus()
    for key in ("ArrowRight", "ArrowRight", "j", "k", "b", "a", "m", "y", "d", "d", "x", "z", "Shift+m", "0", "0"):
        page.keyboard.press(key)
    assert position(page) == 2
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells == 4

    run_cell(page, 1)
    assert printed(page, 1) == "2"
    run_cell(page, 2)
    assert "FORWARD" in printed(page, 2)
    page.wait_for_function("document.querySelector('[data-tracegrad]').tracegrad.step === 3")


def test_a_saved_notebook_steps_without_a_kernel_and_untrusted_it_is_a_picture_and_a_table(page, lab, folder: Path):
    (folder / "saved.ipynb").write_text(notebook(MAKE))
    opened(page, lab, "saved.ipynb")
    run_cell(page, 0)
    page.wait_for_selector("[data-tracegrad] .app")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+s")
    saved = folder / "saved.ipynb"
    for _ in range(200):
        if "data-tracegrad" in saved.read_text():
            break
        page.wait_for_timeout(50)
    content = json.loads(saved.read_text())
    (bundle,) = [output["data"] for output in content["cells"][0]["outputs"]]
    assert set(bundle) == {"text/plain", "text/html"}
    end_kernels(lab)

    opened(page, lab, "saved.ipynb")
    page.wait_for_selector("[data-tracegrad] .app")
    page.locator("[data-tracegrad] button").first.focus()
    page.keyboard.press("End")
    assert position(page) == 10

    content["cells"][0]["source"] = "# someone else's\n" + MAKE
    (folder / "untrusted.ipynb").write_text(json.dumps(content))
    opened(page, lab, "untrusted.ipynb")
    output = page.locator(".jp-OutputArea-output [data-tracegrad], .jp-OutputArea-output").first
    output.locator("img").wait_for()
    assert page.locator("[data-tracegrad] .app").count() == 0
    assert output.locator("img").evaluate("(image) => image.naturalWidth") > 100
    output.locator("summary").click()
    assert "∂L/∂b" in output.locator("table").inner_text()
    shutil.rmtree(folder / ".ipynb_checkpoints", ignore_errors=True)


DRAW = """\
import numpy as np, viz
from autograd import Tensor
x, w = Tensor(np.ones((3, 8)), name="x"), [Tensor(np.ones((8, 8)), name=f"W{k}") for k in range(6)]
z = x @ w[0] + 1.0
viz.draw(sum((z @ one).sum() for one in w), level="line")"""


def test_a_drawing_zooms_and_opens_in_its_cell_and_untrusted_it_is_an_image(page, lab: str, folder: Path):
    (folder / "drawn.ipynb").write_text(notebook(DRAW))
    opened(page, lab, "drawn.ipynb")
    run_cell(page, 0)
    host = page.locator("[data-tracegrad-picture]")
    host.locator(".app").wait_for()
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    assert host.evaluate("(host) => host.scrollWidth <= host.clientWidth && host.clientWidth > 500")
    box = host.locator(".node", has_text="z = x W")
    box.focus()
    before = box.bounding_box()["width"]
    for key in ("+", "o", "c", "a", "b", "d", "d", "0", "-", "x"):
        page.keyboard.press(key)
    assert host.locator(".unit").count() == 0 and box.bounding_box()["width"] != before
    page.keyboard.press("o")
    assert host.locator(".unit .node", has_text="matmul").count() == 1
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells
    page.locator(".jp-Notebook .jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+s")
    for _ in range(200):
        if "data-tracegrad-picture" in (folder / "drawn.ipynb").read_text():
            break
        page.wait_for_timeout(50)
    content = json.loads((folder / "drawn.ipynb").read_text())
    content["cells"][0]["source"] = "# someone else's\n" + DRAW
    (folder / "untrusted_drawing.ipynb").write_text(json.dumps(content))
    opened(page, lab, "untrusted_drawing.ipynb")
    image = page.locator(".jp-OutputArea-output img").first
    image.wait_for()
    assert image.evaluate("(image) => image.naturalWidth") > 1000
    assert 500 < image.bounding_box()["width"] < 1300
    shutil.rmtree(folder / ".ipynb_checkpoints", ignore_errors=True)


LIVE = """\
import numpy as np, viz
x, y = np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0])
live = viz.live(lambda w, b: np.mean((w * x + b - y) ** 2), w=0.5, b=0.0)
live"""


def test_a_slider_that_is_dragged_moves_loss_values_gradients_and_the_tangent(page, lab: str, folder: Path):
    (folder / "live.ipynb").write_text(notebook(LIVE, "live.inputs['w'].item(), live.step", "live.set(w=1.0, b=1.0)"))
    opened(page, lab, "live.ipynb")
    run_cell(page, 0)
    page.wait_for_selector("[data-tracegrad] .app")
    page.evaluate("document.querySelector('[data-tracegrad]').tracegrad.goto(1)")
    formula = page.locator("[data-tracegrad] .panel .formula.numbers")
    box = page.locator(".live-inputs input[type=range]").first.bounding_box()
    across = [box["x"] + box["width"] * share for share in (0.58, 0.7, 0.75, 0.8)]
    before = formula.inner_text()
    page.mouse.move(across[0], box["y"] + box["height"] / 2)
    page.mouse.down()
    for at in across[1:]:
        page.mouse.move(at, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    page.locator(".live-inputs[data-rest=true]").wait_for()

    run_cell(page, 1)
    w, step = eval(printed(page, 1))
    assert 1.5 < w < 2.0 and step == 1 == position(page)
    off = [w * x - y for x, y in ((0, 1), (1, 3), (2, 5))]
    course = page.locator(".live-inputs .course").evaluate("(course) => ({...course.dataset})")
    assert float(course["loss"]) == pytest.approx(sum(d * d for d in off) / 3)
    assert float(course["slope"]) == pytest.approx(2 * (off[1] + 2 * off[2]) / 3)
    assert page.locator(".live-inputs .tangent").count() == 1
    assert f"L = {sum(d * d for d in off) / 3:.4g}" in page.locator(".live-inputs .loss").inner_text()
    assert formula.inner_text() != before and f"{w:.4g}" in formula.inner_text()

    # numbers that are moved faster than they are answered all arrive
    page.locator(".live-inputs").evaluate("""(app) => {
      const [w, b] = app.querySelectorAll('input[type=range]');
      for (const x of [0.5, 1, -1]) for (const slider of [b, w]) {
        slider.value = x;
        slider.dispatchEvent(new Event('input'));
      }
    }""")
    page.locator(".live-inputs .loss", has_text="L = 31").wait_for()

    run_cell(page, 2)
    page.locator(".live-inputs .loss", has_text="L = 1.667").wait_for()
    assert page.locator(".live-inputs input[type=number]").first.input_value() == "1"
    assert position(page) == 1
