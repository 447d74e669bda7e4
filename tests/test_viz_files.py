"""Rendering and saving: programs, formats, time limits, and what happens without any of them."""

import os
import re
import stat
import struct
import sys
from urllib.parse import quote
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import viz
from autograd import Tensor
from viz.drawing import render
from viz.drawing.picture import Picture
from viz.plain.thumbnails import PALETTE, thumbnail, write_png

SVG = "{http://www.w3.org/2000/svg}"
PURE = [p for p in render.programs() if "pure" in os.path.basename(p)]


def loss():
    image = Tensor(np.random.default_rng(0).normal(size=(1, 1, 6, 6)), name="x")
    return (image * Tensor(2.0, name="w")).sum()


@pytest.fixture
def picture():
    return viz.draw(loss())


def use(monkeypatch, *programs):
    monkeypatch.setattr(render, "programs", lambda: list(programs))


def script(path, body):
    """A program of our own that stands in for dot."""
    path.write_text(f"#!{sys.executable}\nimport os, subprocess, sys, time\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def counts(svg):
    classes = [g.get("class") for g in ET.fromstring(svg).iter(f"{SVG}g")]
    return {kind: classes.count(kind) for kind in ("node", "edge", "cluster")}


def test_graphviz_pure_is_found_beside_python():
    assert PURE and os.access(PURE[0], os.X_OK)


def test_every_program_draws_the_same_nodes_edges_and_texts(monkeypatch):
    drawn = []
    for program in render.programs():
        use(monkeypatch, program)
        svg = viz.draw(loss()).svg()
        drawn.append((counts(svg), sorted(t.text for t in ET.fromstring(svg).iter(f"{SVG}text"))))
    assert all(one == drawn[0] for one in drawn)
    assert drawn[0][0] == {"node": 4, "edge": 3, "cluster": 0}


def test_without_a_program_there_is_the_text_and_a_hint(monkeypatch, picture, tmp_path):
    use(monkeypatch)
    shown = [t.text for t in ET.fromstring(picture.svg()).iter(f"{SVG}text")]
    assert shown[0] == render.HINT
    assert any("∂L/∂x" in (line or "") for line in shown)
    assert quote(render.HINT, safe=" `,()/:") in picture._repr_mimebundle_()["text/html"]


def test_a_slow_layout_is_tried_again_with_less_effort(monkeypatch, picture, tmp_path):
    body = f"""
if any(a.startswith("-Gnslimit") for a in sys.argv):
    sys.exit(subprocess.call([{PURE[0]!r}, *sys.argv[1:]]))
time.sleep(60)"""
    use(monkeypatch, script(tmp_path / "dot", body))
    picture = viz.draw(loss(), time_limit=4.0)
    assert counts(picture.svg())["node"] == 4


def test_a_layout_that_never_ends_gives_the_text_and_says_why(monkeypatch, tmp_path):
    use(monkeypatch, script(tmp_path / "dot", "time.sleep(60)"))
    svg = viz.draw(loss(), time_limit=0.6).svg()
    assert "took longer than 0.6 s" in svg
    assert "∂L/∂x" in svg


def test_a_broken_program_is_passed_over_for_the_next(monkeypatch, tmp_path):
    broken = script(tmp_path / "dot", 'sys.stderr.write("no layout plugin\\n"); sys.exit(1)')
    use(monkeypatch, broken, *PURE[:1])
    assert counts(viz.draw(loss()).svg())["node"] == 4
    use(monkeypatch, broken)
    assert "no layout plugin" in viz.draw(loss()).svg()


@pytest.mark.parametrize(
    ("suffix", "start"),
    [(".svg", b"<svg"), (".png", b"\x89PNG"), (".pdf", b"%PDF"), (".dot", b"digraph"), (".txt", b"Computation")],
)
def test_save_writes_the_format_of_the_suffix(picture, tmp_path, suffix, start):
    path = picture.save(tmp_path / f"graph{suffix}")
    assert path.read_bytes().startswith(start)
    assert [p.name for p in tmp_path.iterdir()] == [f"graph{suffix}"]


def test_every_program_reads_the_dot_text(picture):
    for program in render.programs():
        assert counts(render.run_dot(program, picture.dot()).decode())["node"] == 4


def test_save_takes_strings_and_capital_suffixes(picture, tmp_path):
    assert picture.save(str(tmp_path / "GRAPH.SVG")).read_text().startswith("<svg")


def test_a_pdf_has_letters_in_our_own_typeface():
    pdf = viz.draw(loss()).pdf()
    assert re.search(rb"/FontName ?/[A-Z]{6}\+DejaVuSansMono", pdf)


def test_without_the_extra_png_and_pdf_say_what_to_install(monkeypatch, picture, tmp_path):
    monkeypatch.setitem(sys.modules, "typst", None)
    for name in ("graph.png", "graph.pdf"):
        with pytest.raises(ImportError, match=r"pip install 'tracegrad\[export\]'"):
            picture.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["graph.gif", "graph", ".svg"])
def test_an_unknown_suffix_is_refused(picture, tmp_path, name):
    with pytest.raises(ValueError, match=r"known are \.svg \.png \.pdf \.dot \.txt"):
        picture.save(tmp_path / name)


def test_a_missing_folder_is_named(picture, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere"):
        picture.save(tmp_path / "nowhere" / "graph.svg")


def test_a_folder_in_the_way_is_refused(picture, tmp_path):
    (tmp_path / "graph.svg").mkdir()
    with pytest.raises(IsADirectoryError, match=r"graph\.svg"):
        picture.save(tmp_path / "graph.svg")


def test_a_folder_that_cannot_be_written_into_is_said_with_the_file(monkeypatch, picture, tmp_path):
    def refuse(**_):
        raise PermissionError(13, "Permission denied", str(tmp_path / ".tracegrad-x.svg"))

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(PermissionError, match=r"can't write into this folder \(Permission denied\).*a\.svg") as caught:
        picture.save(tmp_path / "a.svg")
    assert "tracegrad-x" not in str(caught.value)


def test_a_failed_save_leaves_the_old_file_and_nothing_else(monkeypatch, picture, tmp_path):
    path = tmp_path / "graph.svg"
    path.write_text("old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        picture.save(path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["graph.svg"]


def test_notebooks_get_the_picture_as_html_and_text(picture):
    bundle = picture._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert set(picture._repr_mimebundle_(include={"text/plain"})) == {"text/plain"}
    assert "text/html" not in picture._repr_mimebundle_(exclude=["text/html"])


def test_the_svg_is_self_contained_and_the_same_every_time(picture):
    svg = picture.svg()
    links = [value for e in ET.fromstring(svg).iter() for key, value in e.attrib.items() if key.endswith("href")]
    assert links and all(link.startswith("data:image/png;base64,") for link in links)
    assert Picture(picture.graph).svg() == svg


def test_ids_of_two_pictures_do_not_meet():
    ids = [
        {e.get("id") for e in ET.fromstring(viz.draw(x).svg()).iter() if e.get("id")}
        for x in (loss(), Tensor(2.0) * 3.0)
    ]
    assert ids[0] and not ids[0] & ids[1]


# --- heat maps --------------------------------------------------------------------------------------------------------


def cells(array):
    """The colour at the centre of each cell of a square image."""
    pixels = thumbnail(array).pixels
    step = pixels.shape[0] // array.shape[0]
    return PALETTE[pixels[step // 2 :: step, step // 2 :: step]].astype(int)


def test_a_heat_map_is_centred_on_zero():
    colours = cells(np.array([[-2.0, 0.0], [1.0, 2.0]]).repeat(2, 0).repeat(2, 1))[::2, ::2]
    negative, zero, half, positive = colours.reshape(4, 3)
    assert (zero > 240).all()
    assert negative[2] > negative[0] and positive[0] > positive[2]
    assert negative.sum() < positive.sum() < half.sum() < zero.sum()


def test_the_ends_of_the_colours_differ_in_grey():
    grey = PALETTE[[0, 50, 100]] @ np.array([0.299, 0.587, 0.114])
    assert grey[1] - grey[2] > 60 and grey[2] - grey[0] > 60


def test_nan_and_infinities_have_glyphs_of_their_own():
    image = np.zeros((4, 4))
    image[0, :3] = np.nan, np.inf, -np.inf
    pixels = thumbnail(image).pixels
    step = pixels.shape[0] // 4
    glyphs = [pixels[:step, i * step : (i + 1) * step].tobytes() for i in range(4)]
    assert len(set(glyphs)) == 4


@pytest.mark.parametrize(
    "shape", [(13,), (1000,), (100_000,), (20, 1), (1, 784), (784, 1), (300, 700), (64, 6, 24, 24), (1, 6, 24, 24),
              (8, 3, 5, 5), (1, 1, 24, 24, 5, 5), (2, 3, 4, 5, 6)]
)  # fmt: skip
def test_every_shape_gives_a_small_picture(shape):
    thumb = thumbnail(np.random.default_rng(0).normal(size=shape))
    assert 8 <= thumb.width <= 260 and 1 <= thumb.height <= 130


def test_reduced_pictures_keep_the_extremes_and_nan():
    image = np.zeros((300, 300))
    image[150, 150] = -5.0
    image[10, 10] = np.nan
    thumb = thumbnail(image)
    assert "largest of 3×3" in thumb.note
    assert (thumb.pixels == 0).any() and (thumb.pixels == 101).any()


def test_png_files_are_well_formed():
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    data = write_png(pixels)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == (4, 3)
    assert data.endswith(b"IEND\xaeB`\x82")
