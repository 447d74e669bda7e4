"""PNG and PDF from our own SVG, by Typst, whose package holds the typeface too: they look like the SVG anywhere."""

from __future__ import annotations

from typing import Any

__all__ = ["MissingError", "as_file"]

_PAGE = b'#set page(width: auto, height: auto, margin: 0pt, fill: white)\n#image("picture.svg")'
_DOTS = 144
"""Per inch, of a PNG."""


class MissingError(RuntimeError, ImportError):
    """The package that writes PNG and PDF is not installed; the message says how to install it."""


def as_file(svg: str, fmt: str) -> bytes:
    """The content of a file of an SVG.

    Parameters
    ----------
    svg : str
    fmt : {"svg", "png", "pdf"}
        PNG, of 144 dots per inch, and PDF are on white.

    Raises
    ------
    MissingError
        If the extra ``export`` is not installed.
    """
    if fmt == "svg":
        return svg.encode()
    compiler: Any = _typst().Compiler(ignore_system_fonts=True)
    return bytes(compiler.compile({"main.typ": _PAGE, "picture.svg": svg.encode()}, format=fmt, ppi=float(_DOTS)))


def _typst() -> Any:
    try:
        import typst
    except ImportError as error:
        raise MissingError(
            "writing .png and .pdf needs the package typst: pip install 'tracegrad[export]'; .svg needs nothing more"
        ) from error
    return typst
