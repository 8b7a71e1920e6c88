"""A report as one HTML file, which asks nobody for anything: the document, the page's program and its style."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, Final

from fixlip_core.report.summary import summary_html, title_of

__all__ = ["render_report", "report_policy"]

_STATIC: Final = Path(__file__).parent / "static"
# In HTML a script ends at the first "</script", whatever it is in the script; and "<!--" changes what ends it.
_ESCAPES: Final = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})

_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<noscript>
{summary}
</noscript>
<div id="report"></div>
<script type="application/json" id="document">{document}</script>
<script>{script}</script>
</body>
</html>
"""


def render_report(document: Mapping[str, Any]) -> bytes:
    """The report as an HTML file.

    It may be opened from the disk: nothing in it comes from elsewhere, and its policy forbids that anything does.
    Without scripts it shows the strongest values as a table.

    Args:
        document: what :func:`~fixlip_core.report.report_document` gives, the image embedded.

    Raises:
        ValueError: a number in it is not finite.
    """
    page = _PAGE.format(
        policy=escape(report_policy()),
        title=escape(title_of(document)),
        style=_static("report.css"),
        summary=summary_html(document),
        # Every other character as \\u....: the file's bytes mean the same in any encoding.
        document=json.dumps(document, separators=(",", ":"), allow_nan=False).translate(_ESCAPES),
        script=_static("report.js"),
    )
    return page.encode(errors="replace")  # a library's caption may have half a character


@cache
def report_policy() -> str:
    """The Content-Security-Policy of a report: its own script and style by their digests, pictures in it, and no more.

    What it allows is in the file itself. Whoever serves reports sends it as a header too.
    """
    script, style = (_digest(_static(name)) for name in ("report.js", "report.css"))
    return (
        f"default-src 'none'; script-src '{script}'; style-src '{style}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _static(name: str) -> str:
    return (_STATIC / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
