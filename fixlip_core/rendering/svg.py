"""SVG files of drawn maps: what matplotlib draws on a sheet, in the few elements that every reader of SVG knows.

matplotlib's own SVG files have names drawn by lot, settings that all threads share, and each picture at the size of
the sheet; these are smaller and drawn sooner, and the same drawing gives the same bytes. Text stays text: it can be
searched, read aloud and edited, and ``textLength`` keeps it within its box where another font takes the place of ours.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from typing import Any, Final, TypeAlias
from xml.sax.saxutils import escape

import numpy as np
from matplotlib.backend_bases import GraphicsContextBase, RendererBase
from matplotlib.colors import to_hex
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.transforms import Affine2D, Transform

from fixlip_core.rendering import style
from fixlip_core.rendering.png import png_bytes
from fixlip_core.rendering.text import extent_px
from fixlip_core.types import FloatArray

__all__ = ["SvgRenderer"]

Attributes: TypeAlias = dict[str, str]

_COMMANDS: Final = {Path.MOVETO: "M", Path.LINETO: "L", Path.CURVE3: "Q", Path.CURVE4: "C"}
_NOT_IN_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class SvgRenderer(RendererBase):
    """What matplotlib draws with to make an SVG file; lengths are pixels of the sheet.

    Args:
        width_px: width of the sheet.
        height_px: height of the sheet.
    """

    def __init__(self, width_px: int, height_px: int) -> None:
        super().__init__()
        self._width_px = width_px
        self._height_px = height_px
        self._elements: list[str] = []
        self._strokes: tuple[Attributes, list[str]] = ({}, [])
        self._pictures: dict[tuple[bytes, float, float], tuple[int, float, float]] = {}

    def document(self, title: str) -> bytes:
        """The file of all that was drawn; ``title``, which may have any characters, is for people."""
        self._flush()
        inches = {"width": f"{self._width_px / style.DPI:g}in", "height": f"{self._height_px / style.DPI:g}in"}
        head = {
            "xmlns": "http://www.w3.org/2000/svg",
            # Readers other than browsers want a picture's address under its old name.
            "xmlns:xlink": "http://www.w3.org/1999/xlink",
            **inches,
            "viewBox": f"0 0 {self._width_px} {self._height_px}",
            "role": "img",
            "font-family": style.FONTS,
        }
        lines = [_open("svg", head), f"<title>{_safe(title)}</title>", *self._elements, "</svg>", ""]
        return "\n".join(lines).encode()

    def flipy(self) -> bool:
        """Whether y grows downwards."""
        return True

    def option_image_nocomposite(self) -> bool:
        """Whether neighbouring pictures stay pictures of their own."""
        return True

    def get_canvas_width_height(self) -> tuple[float, float]:
        """Size of the sheet."""
        return self._width_px, self._height_px

    def points_to_pixels(self, points: Any) -> Any:
        """Points in pixels of the sheet."""
        return points * style.DPI / 72

    def get_text_width_height_descent(self, s: str, prop: FontProperties, ismath: Any) -> tuple[float, float, float]:
        """Extent of a line of text, of which the maps of one explanation have many, but few different ones."""
        return extent_px(s, prop.get_size_in_points())

    def draw_path(self, gc: GraphicsContextBase, path: Path, transform: Transform, rgbFace: Any = None, /) -> None:
        """Draw lines and areas. Strokes of one look, which follow each other, become one element."""
        look = self._look(gc, rgbFace)
        if look["fill"] != "none" or "stroke-opacity" in look:
            self._flush()
        if self._strokes[0] != look:
            self._flush()
            self._strokes = (look, [])
        self._strokes[1].append(_data(path, transform + self._upside_down()))

    def draw_image(self, gc: GraphicsContextBase, x: float, y: float, im: Any, transform: Any = None, /) -> None:
        """Draw a picture, one to one: (h, w, 4), the lowest line first, its lower left corner at (x, y) from below."""
        height, width = im.shape[:2]
        self.embed(png_bytes(im[::-1, :, :3]), x, self._height_px - y - height, width, height)

    def draw_text(
        self,
        gc: GraphicsContextBase,
        x: float,
        y: float,
        s: str,
        prop: FontProperties,
        angle: float,
        ismath: Any = False,
        mtext: Text | None = None,
    ) -> None:
        """Write a line of text that begins at (x, y)."""
        width, _, _ = self.get_text_width_height_descent(s, prop, False)
        position = {"x": _number(x), "y": _number(y)}
        if angle:
            position["transform"] = f"rotate({_number(-angle)} {position['x']} {position['y']})"
        elif mtext is not None and mtext.get_horizontalalignment() == "center":
            position |= {"x": _number(x + width / 2), "text-anchor": "middle"}
        size = {"font-size": _number(self.points_to_pixels(prop.get_size_in_points()))}
        attributes = position | size | {"textLength": _number(width), "fill": to_hex(gc.get_rgb())}
        written = str(mtext.get_label()) if mtext is not None else ""
        if written not in ("", s):
            # Letters of another font: pulled apart, those of some scripts would no longer be joined.
            attributes["lengthAdjust"] = "spacingAndGlyphs"
        self._add(f"{_open('text', attributes)}{_safe(written or s)}</text>")

    def tiles(self, colours: FloatArray, left: float, top: float, patch_px: tuple[int, int]) -> None:
        """Draw (rows, columns, 3) ``colours`` in [0, 1], each on a patch of (height, width) pixels."""
        tall, wide = patch_px
        for row, line in enumerate(colours):
            for column, colour in enumerate(line):
                box = _box(left + column * wide, top + row * tall, wide, tall)
                # Neighbours that share an edge must not show what lies beneath it.
                self._add(_open("rect", box | {"fill": to_hex(colour), "shape-rendering": "crispEdges"}, closed=True))

    def embed(self, png: bytes, left: float, top: float, width: float, height: float) -> None:
        """Draw a PNG file in a box; one that is drawn again in such a box is in the document once."""
        self._flush()
        if (png, width, height) in self._pictures:
            self._draw_again(*self._pictures[png, width, height], left, top)
            return
        self._pictures[png, width, height] = (len(self._elements), left, top)
        data = f"data:image/png;base64,{b64encode(png).decode()}"
        look = {"preserveAspectRatio": "none", "xlink:href": data}
        self._add(_open("image", _box(left, top, width, height) | look, closed=True))

    def _draw_again(self, place: int, first_left: float, first_top: float, left: float, top: float) -> None:
        name = f"picture-{place}"
        self._elements[place] = self._elements[place].replace("<image x", f'<image id="{name}" x', 1)
        moved = {"x": _number(left - first_left), "y": _number(top - first_top), "xlink:href": f"#{name}"}
        self._add(_open("use", moved, closed=True))

    def lines(self, ends: FloatArray, *, width_px: float, rgb: tuple[int, int, int]) -> None:
        """Draw straight lines between their (m, 2, 2) ends (x, y)."""
        data = "".join(f"M{_list(start)}L{_list(end)}" for start, end in ends.tolist())
        look = {"fill": "none", "stroke": "#{:02x}{:02x}{:02x}".format(*rgb), "stroke-width": _number(width_px)}
        self._add(_open("path", {"d": data, **look}, closed=True))

    def _look(self, gc: GraphicsContextBase, face: Any) -> Attributes:
        forced = gc.get_alpha() if gc.get_forced_alpha() else None
        width, ink = self.points_to_pixels(gc.get_linewidth()), gc.get_rgb()
        look = {"fill": "none"} if face is None else _paint("fill", face, forced)
        if width > 0:
            look |= {**_paint("stroke", ink, forced), "stroke-width": _number(width)}
            look |= {"stroke-linecap": gc.get_capstyle(), "stroke-linejoin": gc.get_joinstyle()}
            _, dashes = gc.get_dashes()
            if dashes is not None:
                look["stroke-dasharray"] = _list(self.points_to_pixels(np.asarray(dashes)).tolist())
        return {name: value for name, value in look.items() if (name, value) not in _DEFAULTS}

    def _upside_down(self) -> Affine2D:
        return Affine2D().scale(1, -1).translate(0, self._height_px)

    def _add(self, element: str) -> None:
        self._flush()
        self._elements.append(element)

    def _flush(self) -> None:
        look, strokes = self._strokes
        if strokes:
            self._elements.append(_open("path", {"d": "".join(strokes), **look}, closed=True))
        self._strokes = ({}, [])


_DEFAULTS: Final = {("stroke-linecap", "butt"), ("stroke-linejoin", "miter")}


def _open(name: str, attributes: Attributes, *, closed: bool = False) -> str:
    """The tag; no attribute has a value that comes from outside."""
    text = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f"<{name}{text}{'/' if closed else ''}>"


def _safe(text: str) -> str:
    """``text`` as XML: markup is written as it is, and what XML cannot hold becomes a replacement character."""
    return escape(_NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text))


def _paint(name: str, colour: Any, forced: float | None) -> Attributes:
    opacity = forced if forced is not None else (colour[3] if len(colour) > 3 else 1.0)
    paint = {name: to_hex(colour[:3])}
    return paint if opacity == 1 else paint | {f"{name}-opacity": _number(opacity)}


def _box(left: float, top: float, width: float, height: float) -> Attributes:
    sides = {"x": left, "y": top, "width": width, "height": height}
    return {name: _number(length) for name, length in sides.items()}


def _data(path: Path, transform: Transform) -> str:
    parts = []
    for points, code in path.iter_segments(transform, simplify=False):
        if code == Path.CLOSEPOLY:
            parts.append("Z")
        else:
            parts.append(_COMMANDS[code] + _list(points.tolist()))
    return "".join(parts)


def _list(numbers: Sequence[float]) -> str:
    return " ".join(map(_number, numbers))


def _number(value: float) -> str:
    """To a hundredth of a pixel, in no more characters than that takes."""
    return f"{round(float(value), 2) + 0.0:.2f}".rstrip("0").rstrip(".")
