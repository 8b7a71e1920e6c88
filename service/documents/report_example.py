"""A report as an example."""

from __future__ import annotations

from typing import Any

import numpy as np

from fixlip_core.explanation import Explanation
from fixlip_core.report import ReportedExplanation, ReportedImage
from service.jobs.records import Job
from service.reports import ExplanationReport, ReportedJob

__all__ = ["report_example"]


def report_example(job: Job) -> dict[str, Any]:
    """The report of ``job``, which has succeeded with two patches and two tokens."""
    second = np.zeros((4, 4))
    second[1, 3] = second[3, 1] = 4.25
    explanation = Explanation(
        tokens=("red", "circle"),
        grid=(1, 2),
        baseline=3.75,
        first=np.array([0.5, 1.875, 3.0, 4.375]),
        second=second,
        first_std_error=np.full(4, 0.125),
        second_std_error=np.full((4, 4), 0.125),
        empty_value=3.5,
        full_value=21.25,
        estimated_r2=0.97,
        method=job.method,
        index="WFBII",
        order=2,
        p=0.5,
        score="logit",
        image_passes=512,
        text_passes=4,
        provenance={"seed": 0, "device": "cpu", "dtype": "float32"},
    )
    report = ExplanationReport(
        format=1,
        explanation=ReportedExplanation.of(explanation),
        image=ReportedImage(width=128, height=128, data_url=None),
        job=ReportedJob.of(job),
        evaluation=None,
        audit=None,
    )
    return report.model_dump(mode="json")
