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

from ..numbers import clean

_LENSES = ("sums", "kernel", "route", "bars", "terms", "paths", "quiz")
_SCRIPTS = (
    *("kit.js", "figure.js", "panel.js", "strip.js"),
    *(f"lenses-{name}.js" for name in _LENSES),
    *("lenses.js", "mount.js"),
)
_STYLES = ("stepper.css", "lenses.css")
_TITLE = 200
_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
_LOADER = """\
(async () => {
  const [version, token, code, data] = %s;
  const inflate = async (text) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'))).text();
  };
  if (!window.tracegradStep || window.tracegradStep.version !== version) {
    const script = document.createElement('script');
    script.textContent = await inflate(code);
    document.head.append(script);
    script.remove();
  }
  const hosts = document.querySelectorAll(`[data-tracegrad="${token}"]`);
  for (const host of hosts) await window.tracegradStep.open(host, data);
})().catch((error) => console.warn('The step view could not start; its picture and table stay.', error));
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
<style>body { margin: 12px auto; padding: 0 12px; max-width: 1240px; font-family: system-ui, sans-serif }</style>
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
    >>> "<td>a &lt; b</td>" in page
    True
    """
    if not (token.isascii() and token.isalnum()):
        raise ValueError(f"fragment: token must be made of letters and digits, got {token!r}")
    picture = base64.b64encode(fallback_svg.encode()).decode()
    name = html.escape(clean(title, _TITLE))
    loaded = json.dumps([version(), token, _packed(script().encode()), _packed(payload_bytes)])
    return (
        f'<div data-tracegrad="{token}" data-lm-suppress-shortcuts="true">\n'
        f'<img src="data:image/svg+xml;base64,{picture}" alt="Computation graph of {name}" style="max-width:100%">\n'
        f"{_table(ledger_rows)}</div>\n"
        f"<script>\n{_LOADER % loaded}</script>\n"
    )


def document(
    payload_bytes: bytes, fallback_svg: str, title: str, ledger_rows: Sequence[Sequence[str]], token: str
) -> str:
    """The step view as a whole page that asks nothing of the network; parameters as for `fragment`."""
    return _PAGE % {
        "policy": _POLICY,
        "title": html.escape(clean(title, _TITLE)),
        "fragment": fragment(payload_bytes, fallback_svg, title, ledger_rows, token),
    }


@cache
def script() -> str:
    """The page's one script, its styles within; its way in is ``window.tracegradStep``."""
    parts = "".join(_lean(_static(name)) for name in _SCRIPTS)
    style = "".join(_static(name) for name in _STYLES)
    constants = f"const VERSION = '{version()}';\nconst STYLE = {json.dumps(style)};\n"
    return f"(() => {{\n'use strict';\n{constants}{parts}}})();\n"


@cache
def version() -> str:
    """What tells this script from those of other releases on the same page."""
    return hashlib.sha256("".join(map(_static, (*_SCRIPTS, *_STYLES))).encode()).hexdigest()[:12]


def _static(name: str) -> str:
    return (resources.files("viz") / "stepper" / "static" / name).read_text(encoding="utf-8")


def _lean(source: str) -> str:
    """A script without the comments that stand on lines of their own, and without indentation."""
    return re.sub(r"^\s*(/\*\*.*?\*/|//[^\n]*)?\s*", "", source, flags=re.MULTILINE | re.DOTALL)


def _packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 9)).decode()


def _table(rows: Sequence[Sequence[str]]) -> str:
    def row(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in cells) + "</tr>\n"

    if not rows:
        return ""
    body = "".join(row(cells, "td") for cells in rows[1:])
    return (
        f"<details><summary>All {len(rows) - 1} steps as a table</summary>\n"
        f"<table>\n<thead>\n{row(rows[0], 'th')}</thead>\n<tbody>\n{body}</tbody>\n</table>\n</details>\n"
    )
