"""The scripts that step views and pictures carry, made of the files in static/, and how HTML starts them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from functools import cache
from importlib import resources
from typing import NamedTuple

_LENSES = ("sums", "kernel", "route", "bars", "terms", "paths", "quiz")
_DRAWING = ("kit.js", "links.js", "handout.js", "onestop.js", "view.js", "layout.js", "units.js")
_MEMORY = range(3, 10)
_LARGE = 1_000_000
"""From so many bytes on, trying every size of blocks costs more than it saves."""
_LOADER = """\
(async () => {
  const [name, version, code, data, where] = %s;
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
  if (!window[name] || window[name].version !== version) {
    const script = document.createElement('script');
    script.textContent = await inflate(code).text();
    document.head.append(script);
    script.remove();
  }
  const bytes = new Uint8Array(await inflate(data).arrayBuffer());
  for (const host of document.querySelectorAll(where)) window[name].open(host, bytes);
})().catch((error) => console.warn('%s could not start; what stands in its place stays.', error));
"""


class Script(NamedTuple):
    """A script with its styles within. `name` is where it is on a page, in ``window``; `build` the file of its minified
    build; `what` it shows."""

    name: str
    build: str
    what: str
    scripts: tuple[str, ...]
    styles: tuple[str, ...]

    def text(self) -> str:
        """The build if it was made from the sources as they are; else the sources are taken."""
        made_from, _, build = _static(self.build).partition("\n")
        return build if made_from == f"// {self.version()}" else self.source()

    def source(self) -> str:
        """The script as its build is made from it."""
        parts = "".join(_lean(_static(name)) for name in self.scripts)
        style = json.dumps("".join(_lean_style(_static(name)) for name in self.styles), ensure_ascii=False)
        return f"(() => {{\n'use strict';\nconst VERSION = '{self.version()}';\nconst STYLE = {style};\n{parts}}})();\n"

    def version(self) -> str:
        """What tells this script from those of other releases on the same page."""
        return hashlib.sha256("".join(map(_static, (*self.scripts, *self.styles))).encode()).hexdigest()[:12]

    def starting(self, payload: bytes, where: str) -> str:
        """The HTML that loads the script, unless it is there, and opens `payload` in what a CSS selector finds."""
        loaded = json.dumps([self.name, self.version(), _packed_text(self), packed(payload), where])
        loader = _LOADER % (loaded.replace("<!--", r"<\u0021--"), self.what)
        return f"<script>\n{loader}</script>\n"


STEPS = Script(
    "tracegradStep", "page.min.js", "The step view",
    (*_DRAWING, "arrays.js", "heat.js", "chain.js", "figure.js", "panel.js", "strip.js",
     *(f"lenses-{name}.js" for name in _LENSES), "lenses.js", "ledger.js", "address.js", "legend.js", "controls.js",
     "mount.js"),
    ("base.css", "graph.css", "stepper.css", "lenses.css"),
)  # fmt: skip
PICTURES = Script(
    "tracegradPicture", "picture.min.js", "The picture", (*_DRAWING, "picture.js"),
    ("base.css", "graph.css", "picture.css"),
)  # fmt: skip


def packed(data: bytes) -> str:
    """Compressed, as text: base 85 takes a quarter more room than the bytes, base 64 a third."""
    levels = _MEMORY if len(data) < _LARGE else _MEMORY[-1:]
    return base64.b85encode(min((_deflated(data, level) for level in levels), key=len)).decode()


@cache
def _packed_text(script: Script) -> str:
    return packed(script.text().encode())


@cache
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


def _deflated(data: bytes, memory: int) -> bytes:
    """Little memory makes short blocks, each with a code of its own: good where one sort of bytes follows another."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, memory)
    return squeeze.compress(data) + squeeze.flush()
