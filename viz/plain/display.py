"""What notebooks are handed: a picture as HTML that fits its cell, and which kinds of content were asked for."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Iterable
from urllib.parse import quote

_SCRIPT = """\
for (const host of document.querySelectorAll('[data-tracegrad-picture="%s"]')) {
  if (host.shadowRoot) continue;
  const text = decodeURIComponent(host.querySelector('img').src.split(',').slice(1).join(','));
  const svg = new DOMParser().parseFromString(text, 'image/svg+xml').documentElement;
  const style = document.createElement('style');
  style.textContent = `:host { display: block; position: relative; overflow: auto }
    svg { display: block; max-width: 100%%; height: auto }
    .full svg { max-width: none }
    .dark svg, .dark image { filter: invert(1) hue-rotate(180deg) }
    div { color: CanvasText }
    button { position: absolute; top: 2px; right: 2px; opacity: 0.8; font: 12px system-ui, sans-serif }
    @media print { button { display: none } }`;
  const place = document.createElement('div');
  const button = document.createElement('button');
  const width = svg.width.baseVal.value;
  const label = () => {
    button.textContent = place.classList.contains('full') ? 'fit' : 'full size';
    button.hidden = !place.classList.contains('full') && host.clientWidth >= width;
  };
  button.type = 'button';
  button.onclick = () => { place.classList.toggle('full'); label(); };
  const system = matchMedia('(prefers-color-scheme: dark)');
  const follow = () => {
    const { jpThemeLight: light, vscodeThemeKind: kind } = document.body.dataset;
    const told = light ? light === 'false' : kind ? kind.includes('dark') : null;
    place.classList.toggle('dark', told ?? /\\(2/.test(getComputedStyle(place).color));
  };
  const seen = { attributes: true, attributeFilter: ['data-jp-theme-light', 'data-vscode-theme-kind'] };
  new MutationObserver(follow).observe(document.body, seen);
  system.addEventListener('change', follow);
  new ResizeObserver(label).observe(host);
  svg.removeAttribute('style');
  place.append(svg);
  host.attachShadow({ mode: 'open' }).append(style, place, button);
  follow();
  label();
}"""


def asked_for(kinds: Iterable[str], include: Iterable[str] | None, exclude: Iterable[str] | None) -> set[str]:
    """Those of the MIME types `kinds` that a call of ``_repr_mimebundle_(include, exclude)`` wants."""
    wanted = set(kinds) if include is None else set(kinds) & set(include)
    return wanted - set(exclude or ())


def image(svg: str) -> str:
    """An SVG as the address of an image, for an attribute in double quotes."""
    return "data:image/svg+xml," + html.escape(quote(svg, safe=" !$&'()*+,-./:;=?@[]^_`{|}~"), quote=False)


def still(svg: str, name: str) -> str:
    """An SVG as HTML without a script, no wider than its cell: what an untrusted notebook shows."""
    return f'<img src="{image(svg)}" alt="{html.escape(name)}" style="max-width: 100%; height: auto">\n'


def picture(svg: str, name: str) -> str:
    """An SVG as HTML for the output of a notebook cell.

    It is as wide as the cell at most, with a button for its full size, and dark where the notebook is. Where scripts
    don't run, as in a notebook that is not trusted, it is an image.

    Parameters
    ----------
    svg, name : str
        The picture, and what it shows, for those who can't see it.
    """
    token = hashlib.sha256(svg.encode()).hexdigest()[:12]
    return f'<div data-tracegrad-picture="{token}">{still(svg, name)}</div>\n<script>\n{_SCRIPT % token}\n</script>\n'
