"""Figures for papers: any of them at any printed width, as PNG, SVG or PDF."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from fixlip_core.errors import InvalidParameterError
from fixlip_core.evaluation.evaluating import Evaluation
from fixlip_core.explanation import Explanation
from fixlip_core.rendering import style, titles
from fixlip_core.rendering.backdrop import make_backdrop
from fixlip_core.rendering.deletion import deletion_sheet
from fixlip_core.rendering.graph import interaction_graph_sheet
from fixlip_core.rendering.heatmaps import conditional_sheet, first_order_sheet
from fixlip_core.rendering.png import png_bytes
from fixlip_core.rendering.scores import scores_sheet
from fixlip_core.rendering.sheet import Sheet
from fixlip_core.rendering.size import FigureSize, Width
from fixlip_core.rendering.small_multiples import words_sheet
from fixlip_core.types import ImageArray

__all__ = ["FIGURE_FORMATS", "FIGURE_KINDS", "PaperFigure", "draw_figure"]


@dataclass(frozen=True, slots=True)
class PaperFigure:
    """A drawn figure; files are made of it when they are asked for. The same figure gives the same bytes.

    Attributes:
        name: fit for a file.
        title: for people, with a token as it is: escape it in markup.
        sheet: what is drawn; ``sheet.figure`` is matplotlib's.
    """

    name: str
    title: str
    sheet: Sheet

    def encoded(self, file_format: str) -> bytes:
        """The figure as a file: ``png`` at 300 dots per inch; ``svg`` and ``pdf`` with vectors and text.

        Raises:
            InvalidParameterError: there is no such format.
        """
        if file_format not in FIGURE_FORMATS:
            known = ", ".join(FIGURE_FORMATS)
            raise InvalidParameterError(f"format must be one of {known}, not {file_format!r}", field="format")
        return FIGURE_FORMATS[file_format](self)

    def save(self, path: Path | str) -> Path:
        """Write it in the format of the name's ending; gives the path.

        Raises:
            InvalidParameterError: the ending is that of no format.
            OSError: it cannot be written.
        """
        target = Path(path)
        target.write_bytes(self.encoded(target.suffix.removeprefix(".").lower()))
        return target


FIGURE_FORMATS: Final[Mapping[str, Callable[[PaperFigure], bytes]]] = MappingProxyType(
    {
        "png": lambda figure: png_bytes(figure.sheet.pixels()),
        "svg": lambda figure: figure.sheet.svg(figure.title),
        "pdf": lambda figure: figure.sheet.pdf(figure.title),
    }
)
"""Of files, by their names' endings."""


def draw_figure(
    kind: str,
    explanation: Explanation,
    image: ImageArray | None = None,
    *,
    width: Width = "column",
    token: int | None = None,
    n_pairs: int = style.PAIRS,
    evaluation: Evaluation | None = None,
) -> PaperFigure:
    """Draw a figure for a paper. Type, lines and colours are those of every other figure, whatever the width.

    Args:
        kind: ``first-order``; ``conditioned``, the map of one token; ``words``, the maps of all; ``graph``;
            ``insertion-deletion``, the curves, and ``scores``, the metrics, of an evaluation.
        explanation: what to draw; values in units of its score.
        image: (H, W, 3) uint8, the view that the model saw: all but the last two need it.
        width: in print: ``column`` (3.4 inches), ``page`` (7 inches), or 60 to 250 millimetres.
        token: of ``conditioned``, from 0; by default the one that shares most with the image.
        n_pairs: of ``graph``: how many pairs at most.
        evaluation: what the last two need, the curves with the metric ``aid``.

    Raises:
        InvalidImageError: ``image`` is of another shape or dtype.
        InvalidParameterError: there is no such kind, width or token, what the kind needs is not there, or a value is
            not finite.
    """
    if kind not in FIGURE_KINDS:
        known = ", ".join(FIGURE_KINDS)
        raise InvalidParameterError(f"kind must be one of {known}, not {kind!r}", field="kind")
    request = _Request(explanation, image, FigureSize.of(width), token, n_pairs, evaluation)
    return FIGURE_KINDS[kind](request)


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    """What :func:`draw_figure` was asked for."""

    explanation: Explanation
    image: ImageArray | None
    size: FigureSize
    token: int | None
    n_pairs: int
    evaluation: Evaluation | None

    def view(self) -> ImageArray:
        if self.image is None:
            raise InvalidParameterError("this figure needs the image that the model saw", field="image")
        return self.image

    def pairs(self) -> Explanation:
        """The explanation, which has values of pairs."""
        if self.explanation.order < 2:
            raise InvalidParameterError(
                f"{self.explanation.method} explained players alone: without pairs there is first-order", field="kind"
            )
        return self.explanation

    def judged(self) -> Evaluation:
        if self.evaluation is None:
            raise InvalidParameterError("this figure needs an evaluation of the explanation", field="evaluation")
        return self.evaluation


def _first_order(request: _Request) -> PaperFigure:
    e = request.explanation
    backdrop = make_backdrop(request.view(), e.grid, width_px=request.size.image_px)
    sheet = first_order_sheet(e, backdrop, size=request.size)
    return PaperFigure("first-order", titles.first_order_title(e), sheet)


def _conditioned(request: _Request) -> PaperFigure:
    e = request.pairs()
    token = _strongest_token(e) if request.token is None else request.token
    backdrop = make_backdrop(request.view(), e.grid, width_px=request.size.image_px)
    sheet = conditional_sheet(e, backdrop, token, size=request.size)
    return PaperFigure(f"token-{token}", titles.conditioned_title(e, token), sheet)


def _words(request: _Request) -> PaperFigure:
    e = request.pairs()
    return PaperFigure("words", titles.words_title(e), words_sheet(e, request.view(), size=request.size))


def _graph(request: _Request) -> PaperFigure:
    e = request.pairs()
    backdrop = make_backdrop(request.view(), e.grid, width_px=request.size.image_px)
    sheet = interaction_graph_sheet(e, backdrop, n_pairs=request.n_pairs, size=request.size)
    return PaperFigure("graph", titles.graph_title(e), sheet)


def _insertion_deletion(request: _Request) -> PaperFigure:
    curves = request.judged().curves
    if curves is None or curves.full_value == curves.empty_value:
        why = "has no curves" if curves is None else "has no curves, for v(full) is v(empty)"
        raise InvalidParameterError(f"the evaluation {why}: `aid` gives them", field="evaluation")
    return PaperFigure("insertion-deletion", titles.CURVES, deletion_sheet(curves, size=request.size))


def _scores(request: _Request) -> PaperFigure:
    sheet = scores_sheet(request.judged().scores, order=request.explanation.order, size=request.size)
    return PaperFigure("scores", f"Scores of {request.explanation.method}", sheet)


def _strongest_token(explanation: Explanation) -> int:
    """The one whose pairs with the image have the greatest sum of absolute values."""
    if not explanation.tokens:
        raise InvalidParameterError("the caption has no tokens", field="token")
    return int(np.abs(explanation.cross).sum(axis=0).argmax())


FIGURE_KINDS: Final[Mapping[str, Callable[[_Request], PaperFigure]]] = MappingProxyType(
    {
        "first-order": _first_order,
        "conditioned": _conditioned,
        "words": _words,
        "graph": _graph,
        "insertion-deletion": _insertion_deletion,
        "scores": _scores,
    }
)
"""Of figures, by the names that :func:`draw_figure` knows."""
