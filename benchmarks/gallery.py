"""The figures of ``docs/gallery.md``, all from the demo encoder: ``python -m benchmarks.gallery``.

It writes ``gallery.md`` and ``gallery/*.svg``; on one machine, the same bytes every time.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from textwrap import fill
from typing import Any, Final

from rich.console import Console

import fixlip_core as fx
from fixlip_core.benchmarking import parse_variants, run_benchmark
from fixlip_core.benchmarking.charts import render_charts
from fixlip_core.datasets import open_dataset
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.evaluation import Evaluation, evaluate
from fixlip_core.explanation import Explanation
from fixlip_core.rendering import draw_figure, render_comparison
from fixlip_core.types import ImageArray

__all__ = ["ENTRIES", "Entry", "Material", "document"]

COLUMNS: Final = 119
SCENE: Final = 12
BUDGET: Final = 512
METRICS: Final = ("faithfulness", "aid", "confidence", "sanity")
METHODS: Final = ("fixlip", "exclip", "grad_eclip")
PROBABILITIES: Final = (0.3, 0.5, 0.7)
SAMPLES: Final = 6
SAMPLES_BUDGET: Final = 128
VARIANTS: Final = ("fixlip", "fixlip:order=1", "grad_eclip", "legrad", "game")


class Material:
    """What the figures show, computed when it is asked for.

    Args:
        budget: image passes of every explanation.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self.budget = budget
        self.encoder = fx.load_encoder("demo")
        self.scene = draw_scene(SCENE, n_objects=2)
        self.view: ImageArray = self.encoder.view(self.scene.image)

    def explain(self, **parameters: Any) -> Explanation:
        """An explanation of the scene."""
        given = {"budget": self.budget, **parameters} if parameters.get("method", "fixlip") == "fixlip" else parameters
        return fx.explain(self.encoder, self.scene.image, self.scene.caption, **given)

    @cached_property
    def explanation(self) -> Explanation:
        """By FIxLIP at p = 0.5."""
        return self.explain(p=0.5)

    def figure(self, kind: str, **options: Any) -> bytes:
        """One of the figures of that explanation."""
        return draw_figure(kind, self.explanation, self.view, **options).encoded("svg")

    @cached_property
    def evaluation(self) -> Evaluation:
        """What the metrics say of it."""
        return evaluate(self.encoder, self.scene.image, self.scene.caption, self.explanation, METRICS)

    def compared(self, explanations: Sequence[Explanation]) -> bytes:
        """Explanations side by side."""
        return render_comparison(explanations, [self.view] * len(explanations), width="page").svg

    def regions(self) -> bytes:
        """Regions and words in place of patches and tokens."""
        boxes = [thing.box for thing in self.scene.objects]
        players = self.explain(boxes=boxes, text_players="word")
        return draw_figure("graph", players, self.view, width=60).encoded("svg")

    @cached_property
    def charts(self) -> dict[str, bytes]:
        """Those of a small benchmark."""
        variants = parse_variants(VARIANTS)
        data = open_dataset("demo", seed=0)
        outcomes = list(run_benchmark(self.encoder, data, variants, scenes=SAMPLES, budget=SAMPLES_BUDGET))
        return {chart.name: chart.svg for chart in render_charts(outcomes, variants)}


@dataclass(frozen=True, slots=True)
class Entry:
    """A figure of the gallery: its file's name, its heading, what it shows, how it is made, and the drawing of it."""

    name: str
    heading: str
    text: str
    code: str
    draw: Callable[[Material], bytes]


ENTRIES: Final = (
    Entry(
        "first-order",
        "Heat map",
        "Main effects of patches and words on one scale: orange speaks for the match, blue against it. The picture "
        "lies in grey beneath the colours, and in its own beside them.",
        'draw_figure("first-order", e, view)',
        lambda m: m.figure("first-order"),
    ),
    Entry(
        "conditioned",
        "One word's map",
        "Which patches one word interacts with; without a `token`, the one that shares most with the image.",
        'draw_figure("conditioned", e, view)',
        lambda m: m.figure("conditioned"),
    ),
    Entry(
        "words",
        "Every word's map",
        "Small multiples on one scale, here at the width of a page.",
        'draw_figure("words", e, view, width="page")',
        lambda m: m.figure("words", width="page"),
    ),
    Entry(
        "graph",
        "Interaction graph",
        "The strongest pairs: width is magnitude, colour is sign, the stroke tells where the two ends are.",
        'draw_figure("graph", e, view)',
        lambda m: m.figure("graph"),
    ),
    Entry(
        "regions",
        "Regions and words as players",
        "Two boxes and the background, whole words, and a figure of 60 mm: type keeps its size.",
        'draw_figure("graph", fx.explain(..., boxes=boxes, text_players="word"), view, width=60)',
        Material.regions,
    ),
    Entry(
        "methods",
        "Methods side by side",
        "The same pair explained by FIxLIP, exCLIP and Grad-ECLIP, what sets each apart from the first, and how far "
        "they agree.",
        'render_comparison([fixlip, exclip, grad_eclip], [view, view, view], width="page")',
        lambda m: m.compared([m.explanation, *(m.explain(method=method) for method in METHODS[1:])]),
    ),
    Entry(
        "probabilities",
        "p = 0.3, 0.5 and 0.7",
        "Small p asks what players do on their own, large p what the almost complete input would lose.",
        'render_comparison([fx.explain(..., p=p) for p in (0.3, 0.5, 0.7)], [view, view, view], width="page")',
        lambda m: m.compared([m.explain(p=p) for p in PROBABILITIES]),
    ),
    Entry(
        "insertion-deletion",
        "Insertion and deletion curves",
        "How the score falls as players are taken away: the wider the curves lie apart, the more the explanation says.",
        'draw_figure("insertion-deletion", e, evaluation=evaluation)',
        lambda m: m.figure("insertion-deletion", evaluation=m.evaluation),
    ),
    Entry(
        "scores",
        "Scores of one explanation",
        "Every metric with its 95 % interval where it has one; arrows say which way is better, hollow dots lie beyond "
        "the scale.",
        'draw_figure("scores", e, evaluation=evaluation)',
        lambda m: m.figure("scores", evaluation=m.evaluation),
    ),
    Entry(
        "faithfulness",
        "Metrics of many pairs",
        f"`fixlip benchmark` draws its tables as bars with intervals; here of {SAMPLES} scenes, which is few.",
        f"fixlip benchmark --scenes {SAMPLES} --budget {SAMPLES_BUDGET} --methods {','.join(VARIANTS)}",
        lambda m: m.charts["faithfulness"],
    ),
    Entry(
        "curves-first-order",
        "Curves of many pairs",
        "Medians over the same scenes, on one scale.",
        f"fixlip benchmark --scenes {SAMPLES} --budget {SAMPLES_BUDGET} --methods {','.join(VARIANTS)}",
        lambda m: m.charts["curves-first-order"],
    ),
)

_HEAD: Final = """\
# Gallery

Figures as papers can have them, all from the demo encoder, drawn by `make gallery`. They are as wide as a column
(3.4 inches), a page (7 inches) or any number of millimetres from 60 to 250, and their type is as large in all of
them: 5.5 to 7 points. Blue is negative and orange positive, on a symmetric scale: equal magnitudes look equally strong,
a grey print keeps them, and colour-blind readers tell the signs apart. PNG files have 300 dots per inch; SVG and PDF
files have vectors, text that stays text, and the picture embedded.

```console
$ fixlip figure out/interactions.npz --image view.png --kind words,graph --width page --format svg,pdf --out figures
```

or in Python, where `view` is what the model saw (`encoder.view(image)`, or a job's `view.png`):

```python
import fixlip_core as fx
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.rendering import draw_figure

encoder, scene = fx.load_encoder("demo"), draw_scene(12, n_objects=2)
e, view = fx.explain(encoder, scene.image, scene.caption, budget=64), encoder.view(scene.image)
draw_figure("graph", e, view, width=85).save("graph.svg")  # 85 mm; .png and .pdf likewise
```

`draw_figure(...).sheet.figure` is matplotlib's figure, for whoever wants to add to it. Colours, type and lines are set
in one place, `fixlip_core/rendering/style.py`. Characters that DejaVu Sans lacks, such as Chinese ones, are squares in
PNG and PDF files; in SVG files they are written out, for the reader's own fonts.
"""


def document() -> str:
    """The text of ``gallery.md``."""
    return "\n".join([_HEAD, *map(_section, ENTRIES)])


def _section(entry: Entry) -> str:
    language = "console" if entry.code.startswith("fixlip ") else "py"
    code = f"$ {entry.code}" if language == "console" else entry.code
    picture = f"![{entry.heading}](gallery/{entry.name}.svg)"
    return f"## {entry.heading}\n\n{fill(entry.text, COLUMNS)}\n\n{picture}\n\n```{language}\n{code}\n```\n"


def _write(out: Path, material: Material, entries: Sequence[Entry]) -> Iterator[Path]:
    folder = out / "gallery"
    folder.mkdir(parents=True, exist_ok=True)
    for entry in entries:
        path = folder / f"{entry.name}.svg"
        path.write_bytes(entry.draw(material))
        yield path


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs"))
    parser.add_argument("--only", nargs="+", choices=[entry.name for entry in ENTRIES])
    options = parser.parse_args()
    chosen = [entry for entry in ENTRIES if options.only is None or entry.name in options.only]
    console = Console()
    for path in _write(options.out, Material(), chosen):
        console.print(f"{path}: {path.stat().st_size / 1024:.0f} KB")
    (options.out / "gallery.md").write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
