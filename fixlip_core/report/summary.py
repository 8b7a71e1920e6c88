"""A report in brief, for readers without scripts: what is explained, and the strongest values as a table."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from html import escape
from typing import Any, Final

import numpy as np

from fixlip_core.types import FloatArray

__all__ = ["summary_html", "title_of"]

_ROWS: Final = 20
_MINUS: Final = "\u2212"
_NO_JOB: Final[Mapping[str, Any]] = {}


def title_of(document: Mapping[str, Any]) -> str:
    """What the report is of, in one line: the caption and the method."""
    return f"{_caption(document)} · {document['explanation']['method']}"


def summary_html(document: Mapping[str, Any]) -> str:
    """The caption, how it was explained, and the strongest pairs, or players, with their values."""
    explanation = document["explanation"]
    rows = "\n".join(
        f'<tr><td>{names}</td><td class="number">{_signed(value)}</td><td class="number">{error}</td></tr>'
        for names, value, error in _rows(document)
    )
    what = "pairs" if explanation["pairs"] is not None else "players"
    model = (document["job"] or _NO_JOB).get("model", _NO_JOB).get("id")
    made = " by ".join(filter(None, [explanation["index"], explanation["method"]]))
    return f"""\
<main>
<h1>{_isolated(_caption(document))}</h1>
<p>{escape(made)}{f", model {_isolated(model)}" if model else ""}. The {escape(explanation["score"])} is \
{_number(explanation["full_value"])} with every player present and {_number(explanation["empty_value"])} with none.</p>
<table>
<caption>Strongest {what}. Maps and all other values need JavaScript.</caption>
<thead><tr><th>{what.capitalize()}</th><th class="number">Value</th><th class="number">Standard error</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
</main>"""


def _rows(document: Mapping[str, Any]) -> list[tuple[str, float, str]]:
    """(names as HTML, value, standard error as HTML) of the strongest pairs, or of the strongest players."""
    explanation = document["explanation"]
    labels, pairs = [_isolated(label) for label in explanation["labels"]], explanation["pairs"]
    if pairs is not None:
        values, errors = _decoded(pairs["values"]), pairs["std_errors"]
        players = np.stack(np.triu_indices(len(labels), 1), axis=1)
    else:
        values = _decoded(explanation["main_effects"])
        errors = explanation["first_std_error"] if explanation["order"] == 1 else None
        players = np.arange(len(labels))[:, None]
    strongest = np.argsort(-np.abs(values), kind="stable")[:_ROWS].tolist()
    std_errors = np.full_like(values, np.nan) if errors is None else _decoded(errors)
    return [
        (" \u00d7 ".join(labels[player] for player in players[k]), float(values[k]), _number(float(std_errors[k])))
        for k in strongest
    ]


def _caption(document: Mapping[str, Any]) -> str:
    """The caption; of an explanation without a job, its words."""
    caption = (document["job"] or _NO_JOB).get("input", _NO_JOB).get("caption")
    return str(caption) if caption else " ".join(document["explanation"]["tokens"])


def _isolated(text: str) -> str:
    """``text`` as HTML that keeps its direction to itself."""
    return f"<bdi>{escape(text)}</bdi>"


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", _MINUS)


def _number(value: float | None) -> str:
    return "unknown" if value is None or np.isnan(value) else f"{value:.3f}".replace("-", _MINUS)


def _decoded(text: str) -> FloatArray:
    return np.frombuffer(base64.b64decode(text), dtype="<f4").astype(np.float64)
