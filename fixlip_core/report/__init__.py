"""An explanation to be looked at: a document with all that a page draws, and a file that shows it without a service.

    document = report_document(explanation, encoder.view(image))
    Path("report.html").write_bytes(render_report(document))

The page is written in ``web/``; ``static/`` has what was built of it.
"""

from __future__ import annotations

from fixlip_core.report.document import ReportedExplanation, ReportedImage, ReportedPairs, report_document
from fixlip_core.report.html import render_report, report_policy

__all__ = [
    "ReportedExplanation",
    "ReportedImage",
    "ReportedPairs",
    "render_report",
    "report_document",
    "report_policy",
]
