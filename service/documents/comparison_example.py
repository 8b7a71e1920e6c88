"""A comparison as an example."""

from __future__ import annotations

from typing import Any

import numpy as np

from fixlip_core.comparison import Agreement, Comparison
from fixlip_core.frames import Frame
from fixlip_core.players import Players
from service.comparison_views import ExplanationComparisonView
from service.jobs.records import Job

__all__ = ["comparison_example"]


def comparison_example(job: Job) -> dict[str, Any]:
    """``job``, which has succeeded with two patches and two tokens, beside the same pair explained by Grad-ECLIP."""
    output = job.output.model_copy(update={"index": "Grad-ECLIP", "order": 1}) if job.output else None
    other = job.model_copy(
        update={"id": "5c1d9a40b7e84f2f8d3b6a7c9e0f1a2b", "method": "grad_eclip", "params": {}, "output": output}
    )
    comparison = Comparison(
        players=Players((1, 2), ("red", "circle")),
        frame=Frame(0.0, 0.0, 640.0, 480.0),
        image=np.array([[0.5, 4.0], [0.25, 0.5]]),
        text=np.array([[3.0, 6.5], [0.5, 0.75]]),
        pairs=(np.array([[0.25, 0.5], [1.75, 4.25]]), None),
        common=(((0,), (1,), (2,), (3,)),) * 2,
        agreements=(
            Agreement(
                explanations=(0, 1), part="image", n=2, spearman=1.0, kendall=1.0, cosine=0.94, top_k=1, top_overlap=1.0
            ),
            Agreement(
                explanations=(0, 1), part="text", n=2, spearman=1.0, kendall=1.0, cosine=0.99, top_k=1, top_overlap=1.0
            ),
            Agreement(explanations=(0, 1), part="pairs", n=0, note="an explanation has no values of pairs"),
        ),
        notes=("the values have different units (Grad-ECLIP, logit): compare ranks and scaled values",),
    )
    view = ExplanationComparisonView.of(comparison, [job, other], with_pairs=True, base="/v1/comparisons")
    return view.model_dump(mode="json")
