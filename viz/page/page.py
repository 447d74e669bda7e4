"""The step view as HTML: a fragment for a notebook's output, a whole page for a file.

What a reader without the script sees (an untrusted notebook, a page printed by another program) is a picture and a
table in plain HTML. The script reads the payload, hides those two and builds the step view in a shadow root.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import zlib
from collections.abc import Sequence
from functools import cache
from importlib import resources

from ..plain.display import still
from ..plain.numbers import clean

_LENSES = ("sums", "kernel", "route", "bars", "terms", "paths", "quiz")
_SCRIPTS = (
    *("kit.js", "arrays.js", "heat.js", "links.js", "chain.js", "handout.js", "onestop.js", "view.js", "units.js"),
    *("figure.js", "panel.js", "strip.js"),
    *(f"lenses-{name}.js" for name in _LENSES),
    *("lenses.js", "ledger.js", "address.js", "legend.js", "controls.js", "mount.js"),
)
_STYLES = ("stepper.css", "lenses.css")
_TITLE = 200
_MEMORY = range(3, 10)
_LARGE = 1_000_000
"""From so many bytes on, trying every size of blocks costs more than it saves."""
_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
_BUILD = "page.min.js"
_LOADER = """\
(async () => {
  const [version, token, code, data] = %s;
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%%&()*+-;<=>?@^_`{|}~';
  const values = Object.fromEntries([...digits].map((digit, value) => [digit, value]));
  const inflate = (text) => {
    const bytes = new Uint8Array(text.length * 0.8);
    for (let i = 0; i < text.length; i += 5) {
      let word = 0;
      for (let k = i; k < i + 5; k++) word = word * 85 + (values[text[k]] ?? 84);
      for (let k = 0; k < 4; k++) bytes[i * 0.8 + k] = word >>> 24 - 8 * k;
    }
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate')));
  };
  if (!window.tracegradStep || window.tracegradStep.version !== version) {
    const script = document.createElement('script');
    script.textContent = await inflate(code).text();
    document.head.append(script);
    script.remove();
  }
  const bytes = new Uint8Array(await inflate(data).arrayBuffer());
  const hosts = document.querySelectorAll(`[data-tracegrad="${token}"]`);
  for (const host of hosts) window.tracegradStep.open(host, bytes);
})().catch((error) => console.warn('The step view could not start; what stands in its place stays.', error));
"""
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="%(policy)s">
<title>%(title)s</title>
<style>body { margin: 0; font-family: system-ui, sans-serif } [data-tracegrad] > * { margin: 12px }</style>
</head>
<body>
%(fragment)s</body>
</html>
"""


def fragment(
    payload_bytes: bytes, fallback_svg: str, title: str, ledger_rows: Sequence[Sequence[str]], token: str
) -> str:
    """The step view as HTML for the output of a notebook cell.

    Parameters
    ----------
    payload_bytes : bytes
        Length of the JSON, the JSON, the arrays' bytes: as the page reads it, before compression.
    fallback_svg : str
        The picture shown where scripts don't run.
    title : str
        What the step view is of.
    ledger_rows : sequence of sequences of str
        The steps as a table, the first row being the header.
    token : str
        Tells this step view from others on the page; letters and digits.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If `token` is not made of letters and digits.

    Examples
    --------
    >>> page = fragment(b"\\x02\\0\\0\\0{}", "<svg/>", "L", [("step", "what"), ("0", "a < b")], "t1")
    >>> "<td>0<td>a &lt; b" in page
    True
    """
    return _host(payload_bytes, still(fallback_svg, f"Computation graph of {clean(title, _TITLE)}"), ledger_rows, token)


def document(payload_bytes: bytes, title: str, ledger_rows: Sequence[Sequence[str]], token: str) -> str:
    """The step view as a whole page that asks nothing of the network; parameters as for `fragment`."""
    name = html.escape(clean(title, _TITLE))
    words = f"<p>Backpropagation of {name}, step by step. To step through it, let this page run its script.</p>\n"
    inside = _host(payload_bytes, words, ledger_rows, token, whole=True)
    return _PAGE % {"policy": _POLICY, "title": name, "fragment": inside}


def _host(payload: bytes, instead: str, rows: Sequence[Sequence[str]], token: str, *, whole: bool = False) -> str:
    """The element that the step view lives in, with what is shown until then, and the script that builds it."""
    if not (token.isascii() and token.isalnum()):
        raise ValueError(f"fragment: token must be made of letters and digits, got {token!r}")
    loaded = json.dumps([version(), token, _packed_script(), _packed(payload)])
    loaded = loaded.replace("<!--", r"<\u0021--")
    alone = " data-whole-page" * whole
    return (
        f'<div data-tracegrad="{token}" data-lm-suppress-shortcuts="true"{alone}>\n{instead}{_table(rows)}</div>\n'
        f"<script>\n{_LOADER % loaded}</script>\n"
    )


@cache
def script() -> str:
    """The page's one script, its styles within; its way in is ``window.tracegradStep``.

    The minified build in the repository is taken if it was made from the sources as they are; else the sources are.
    """
    made_from, _, build = _static(_BUILD).partition("\n")
    return build if made_from == f"// {version()}" else source()


def source() -> str:
    """The script as its build is made from it."""
    parts = "".join(_lean(_static(name)) for name in _SCRIPTS)
    style = "".join(_lean_style(_static(name)) for name in _STYLES)
    constants = f"const VERSION = '{version()}';\nconst STYLE = {json.dumps(style, ensure_ascii=False)};\n"
    return f"(() => {{\n'use strict';\n{constants}{parts}}})();\n"


@cache
def version() -> str:
    """What tells this script from those of other releases on the same page."""
    return hashlib.sha256("".join(map(_static, (*_SCRIPTS, *_STYLES))).encode()).hexdigest()[:12]


def _static(name: str) -> str:
    return (resources.files("viz") / "page" / "static" / name).read_text(encoding="utf-8")


def _lean(source: str) -> str:
    """A script without the comments that stand on lines of their own, and without indentation."""
    return re.sub(r"^\s*(/\*\*.*?\*/|//[^\n]*)?\s*", "", source, flags=re.MULTILINE | re.DOTALL)


def _lean_style(source: str) -> str:
    """A style sheet without comments, and with no spaces but those that part words."""
    source = re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL))
    source = re.sub(r" ?([{};,>]) ?", r"\1", source)
    return re.sub(r"(?<=[-\w]): (?=[^{}]*\})", ":", source).replace(";}", "}").strip()


@cache
def _packed_script() -> str:
    return _packed(script().encode())


def _packed(data: bytes) -> str:
    """Compressed, as text: base 85 takes a quarter more room than the bytes, base 64 a third."""
    levels = _MEMORY if len(data) < _LARGE else _MEMORY[-1:]
    return base64.b85encode(min((_deflated(data, level) for level in levels), key=len)).decode()


def _deflated(data: bytes, memory: int) -> bytes:
    """Little memory makes short blocks, each with a code of its own: good where one sort of bytes follows another."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, memory)
    return squeeze.compress(data) + squeeze.flush()


def _table(rows: Sequence[Sequence[str]]) -> str:
    """The rows folded away; cells and rows need no closing tags."""

    def row(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(str(cell), quote=False)}" for cell in cells) + "\n"

    if not rows:
        return ""
    body = "".join(row(cells, "td") for cells in rows[1:])
    return (
        f"<details><summary>All {len(rows) - 1} steps as a table</summary>\n"
        f"<table>\n<thead>{row(rows[0], 'th')}<tbody>\n{body}</table>\n</details>\n"
    )
