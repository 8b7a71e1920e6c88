"""What a drawn map is; apart from the drawing, so that knowing one costs no drawing library."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RenderedMap"]


@dataclass(frozen=True, slots=True)
class RenderedMap:
    """A drawn map: ``name`` is fit for a file, ``title`` is for people (with a token as it is: escape it in markup).

    ``png`` is a PNG file of column width at 300 dots per inch; ``svg`` is the same drawing as an SVG file, complete in
    itself and without scripts.
    """

    name: str
    title: str
    png: bytes
    svg: bytes
