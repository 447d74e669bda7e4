"""The step view as HTML: a fragment for a notebook's output, a whole page for a file.

What a reader without the script sees (an untrusted notebook, a page printed by another program) is a picture and a
table in plain HTML. The script reads the payload, hides those two and builds the step view in a shadow root.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

from ..plain.display import still
from ..plain.numbers import clean
from .scripts import STEPS

_TITLE = 200
_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
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
    alone = " data-whole-page" * whole
    return (
        f'<div data-tracegrad="{token}" data-lm-suppress-shortcuts="true"{alone}>\n{instead}{_table(rows)}</div>\n'
        + STEPS.starting(payload, f'[data-tracegrad="{token}"]')
    )


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
