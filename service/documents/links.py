"""What a caller may do next with what an operation answered."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["LINKS"]

_JOB_ID: Final = "$response.body#/id"
_OF_A_JOB: Final = {
    "getExplanation": "How it stands.",
    "cancelExplanation": "Cancel it.",
    "deleteExplanation": "Delete it with all its files, once it has ended.",
    "streamExplanationEvents": "Follow it.",
    "getExplanationResult": "Its result, once it has succeeded.",
    "getAuditRecord": "What it was computed from, and with.",
    "getEvaluation": "What the metrics found, if it was evaluated.",
    "getReport": "All that is drawn of it.",
    "getReportHtml": "The same as a page in one file.",
    "getViewPng": "What the model saw.",
    "getInteractionsNpz": "The interaction tensor.",
    "getInteractionsJson": "The same as JSON.",
}

_OF_A_MAP: Final = {"getMapPng": "The map that every explanation has.", "getMapSvg": "The same as SVG."}


def _link(operation: str, parameter: str, expression: str, description: str) -> dict[str, Any]:
    return {"operationId": operation, "parameters": {parameter: expression}, "description": description}


def _to(operations: dict[str, str], parameter: str, expression: str) -> dict[str, dict[str, Any]]:
    return {name: _link(name, parameter, expression, text) for name, text in operations.items()}


_JOB: Final = _to(_OF_A_JOB, "explanation_id", _JOB_ID)
for _name, _text in _OF_A_MAP.items():
    _JOB[_name] = _link(_name, "explanation_id", _JOB_ID, _text)
    _JOB[_name]["parameters"]["name"] = "first-order"
_LATER: Final = {name: link for name, link in _JOB.items() if name != "getExplanation"}

_BATCH: Final = _to(
    {
        "getBatch": "How it stands.",
        "cancelBatch": "Cancel it.",
        "deleteBatch": "Delete it with all its jobs, once it has ended.",
        "retryBatch": "Ask again for what has no result, once it has ended.",
        "streamBatchEvents": "Follow it.",
        "getBatchResults": "Its results, item by item.",
        "getBatchTableCsv": "The table of its scores.",
        "getBatchTableParquet": "The same with types.",
        "getBatchSummary": "Its scores in brief.",
    },
    "batch_id",
    _JOB_ID,
)

LINKS: Final[dict[tuple[str, str], dict[str, dict[str, Any]]]] = {
    ("createExplanation", "202"): _JOB,
    ("createExplanation", "200"): _JOB,
    ("getExplanation", "200"): _LATER,
    ("cancelExplanation", "202"): {name: _JOB[name] for name in ("getExplanation", "deleteExplanation")},
    ("createImage", "201"): _to(
        {"getImage": "What is known of it.", "deleteImage": "Delete it."}, "image_id", "$response.body#/id"
    ),
    ("createBatch", "202"): _BATCH,
    ("cancelBatch", "202"): {name: _BATCH[name] for name in ("getBatch", "deleteBatch")},
    ("createWebhookSecret", "201"): _to({"deleteWebhookSecret": "Delete it."}, "secret_id", "$response.body#/id"),
    ("listMethods", "200"): _to({"getMethod": "The default method."}, "name", "$response.body#/items/0/name"),
}
"""Links by operation and status."""
