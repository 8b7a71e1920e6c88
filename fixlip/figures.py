"""``fixlip figure``: figures for papers, from the files of a result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console

from fixlip.errors import CommandError

if TYPE_CHECKING:
    from fixlip_core.evaluation import Evaluation
    from fixlip_core.explanation import Explanation
    from fixlip_core.rendering.size import Width
    from fixlip_core.types import ImageArray

__all__ = ["figures"]

figures: Final = typer.Typer()

_MAPS: Final = ("first-order", "conditioned", "words", "graph")
_JUDGED: Final = ("insertion-deletion", "scores")


@figures.command()
def figure(
    result: Annotated[
        Path, typer.Argument(help="An interactions.npz or .json.", exists=True, dir_okay=False, readable=True)
    ],
    image: Annotated[
        Path | None,
        typer.Option(
            help="What the model saw; by default the view.png beside the result.", exists=True, dir_okay=False
        ),
    ] = None,
    evaluation: Annotated[
        Path | None,
        typer.Option(
            help="For curves and scores; by default the evaluation.json beside the result.", exists=True, dir_okay=False
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            help=f"What to draw, separated by commas: {', '.join((*_MAPS, *_JUDGED))}. By default, all that there is."
        ),
    ] = None,
    width: Annotated[
        str, typer.Option(help="In print: 'column' (3.4 inches), 'page' (7 inches), or millimetres as in '85mm'.")
    ] = "column",
    format: Annotated[str, typer.Option(help="Of the files, separated by commas: png, svg, pdf.")] = "png,svg",
    token: Annotated[
        int | None, typer.Option(help="Of 'conditioned', from 0; by default the one that shares most.", min=0)
    ] = None,
    pairs: Annotated[int, typer.Option(help="Of 'graph': how many at most.", min=1)] = 24,
    out: Annotated[Path, typer.Option(help="Directory for the figures.")] = Path("out/figures"),
) -> None:
    """Draw figures for a paper from a result, at the width of a column or a page, in type of one size."""
    from fixlip.evaluations import read_evaluation
    from fixlip_core.explanation import Explanation
    from fixlip_core.rendering import draw_figure

    explanation = Explanation.load(result)
    view = _image(image or _beside(result, "view.png"))
    scores = evaluation or _beside(result, "evaluation.json")
    judged = None if scores is None else read_evaluation(scores)
    kinds = _listed(kind) if kind else _possible(explanation, view, judged)
    printed = _width(width)
    out.mkdir(parents=True, exist_ok=True)
    console = Console()
    for name in kinds:
        drawn = draw_figure(name, explanation, view, width=printed, token=token, n_pairs=pairs, evaluation=judged)
        for ending in _listed(format):
            console.print(str(drawn.save(out / f"{drawn.name}.{ending}")), markup=False, soft_wrap=True)


def _listed(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]


def _beside(result: Path, name: str) -> Path | None:
    path = result.with_name(name)
    return path if path.is_file() else None


def _possible(explanation: Explanation, view: ImageArray | None, judged: Evaluation | None) -> list[str]:
    """The kinds for which everything is there.

    Raises:
        CommandError: there is none.
    """
    maps = _MAPS if explanation.order > 1 and explanation.tokens else _MAPS[:1]
    kinds = [*maps] if view is not None else []
    if judged is not None:
        has_curves = judged.curves is not None and judged.curves.full_value != judged.curves.empty_value
        kinds += [*_JUDGED] if has_curves else ["scores"]
    if not kinds:
        raise CommandError("figures need --image, or --evaluation for curves and scores: neither is beside the result")
    return kinds


def _width(text: str) -> Width:
    """A width as it is typed.

    Raises:
        CommandError: it is none.
    """
    named: dict[str, Width] = {"column": "column", "page": "page"}
    if text in named:
        return named[text]
    try:
        return float(text.removesuffix("mm"))
    except ValueError as error:
        raise CommandError(f"--width must be column, page, or millimetres as in 85mm, not {text!r}") from error


def _image(path: Path | None) -> ImageArray | None:
    import numpy as np

    from fixlip_core.images import decode_image, to_rgb

    return None if path is None else np.asarray(to_rgb(decode_image(path.read_bytes())))
