"""Every code that a problem can have, what it means, and which operation answers with it: the one list of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

__all__ = ["FIELD_CODES", "PROBLEM_CODES", "codes_of"]

Codes: TypeAlias = Mapping[int, tuple[str, ...]]

PROBLEM_CODES: Final[Mapping[str, str]] = {
    "archive_too_large": "The zip has more members than are read.",
    "artifact_not_found": "The job has no such file; `output.maps` has the names of its maps.",
    "bad_request": "The request is not HTTP as it should be.",
    "batch_final": "The batch has ended already.",
    "batch_not_found": "No batch of yours has this id.",
    "batch_open": "The batch has not ended; cancel it, or wait for its end.",
    "body_too_large": "The body, or all of it but the image, has too many bytes.",
    "budget_too_large": "More forward passes than this service accepts; ask for a smaller `budget`.",
    "caption_control_character": "The caption has a control character; send plain text.",
    "caption_empty": "The caption is empty.",
    "caption_has_marks": "The caption has a mark that the tokenizer keeps for itself.",
    "caption_too_long": "The caption does not fit the model's context.",
    "caption_without_words": "The caption has nothing that could be a player.",
    "comparison_timeout": "The comparison took too long; try again, or with fewer explanations.",
    "comparisons_busy": "Too many comparisons are being made; try again in a moment.",
    "extra_forbidden": "There is no such field; `errors` names it.",
    "idempotency_in_flight": "A request with this `Idempotency-Key` is being dealt with; repeat it in a moment.",
    "idempotency_job_removed": "The job of this `Idempotency-Key` was removed; a new one needs a new key.",
    "idempotency_mismatch": "This `Idempotency-Key` was used with another request.",
    "image_empty": "The image has no bytes, or no pixels.",
    "image_fetches_busy": "Too many images are being fetched; try again.",
    "image_host_not_allowed": "The operator's list has no such host for `image_url`.",
    "image_mode_unsupported": "The picture's pixels are of a kind that is not accepted; send RGB.",
    "image_source": "There is no image, or there are several: one of `image`, `image_id`, `image_url`.",
    "image_too_large": "The image file has too many bytes.",
    "image_too_many_pixels": "The picture has too many pixels.",
    "image_truncated": "The image file is damaged, or not whole.",
    "image_undecodable": "This is no image of an accepted format.",
    "image_url_invalid": "`image_url` is not an address that is fetched.",
    "image_url_unreachable": "The image cannot be fetched from `image_url`.",
    "internal_error": "An unexpected error; the logs have it under the request's id.",
    "invalid_batch": "The body has not the form of a batch.",
    "invalid_caption": "The caption cannot be accepted.",
    "invalid_idempotency_key": "`Idempotency-Key` must have 1 to 255 visible ASCII characters.",
    "invalid_image": "The image cannot be accepted.",
    "invalid_page_token": "`page_token` is not one of this list, or of other filters.",
    "invalid_parameter": "A parameter of the method is not accepted; `errors` names it.",
    "invalid_request": "A field is not valid; `errors` names it and says what is accepted.",
    "job_final": "The job has ended already; `job_status` says how.",
    "job_not_found": "No job of yours has this id.",
    "job_open": "The job is queued or runs; cancel it first. `job_status` says which.",
    "keys_required": "The service has no keys yet, and answers its own machine alone.",
    "malformed_archive": "`images` is no zip that can be read.",
    "malformed_base64": "`image` is not base64 (RFC 4648, padded, without line breaks).",
    "malformed_csv": "The manifest is no CSV that can be read.",
    "malformed_json": "The body, or a field of the form, is not JSON.",
    "malformed_multipart": "The form cannot be read.",
    "manifest_format": "The manifest is neither JSON, nor JSON lines, nor CSV by its name.",
    "method_not_allowed": "The path has no such method; `Allow` has those it has.",
    "method_unsupported": "The model cannot run this method.",
    "missing": "A field that is needed is not there; `errors` names it.",
    "missing_scope": "The key has no scope for this.",
    "no_models": "No worker has announced a model yet.",
    "no_result": "The job ended without a result; `job_status` and its `error` say how.",
    "not_evaluated": "The job was submitted without `evaluate`: there is nothing to read.",
    "not_comparable": "The explanations are not of the same image and caption.",
    "not_found": "There is no such path.",
    "not_ready": "The service cannot take or run jobs; `errors` names what does not answer.",
    "nothing_to_retry": "Every item of the batch has its result.",
    "queue_full": "The queue is full; try again after `Retry-After` seconds.",
    "quota_exceeded": "A quota is used up; `errors` names it.",
    "range_not_satisfiable": "The file has none of the bytes that `Range` asks for.",
    "redis_unavailable": "Redis does not answer; try again.",
    "rendering_lost": "The process that compares was lost; try again.",
    "repeated_field": "A field of the form is given more than once.",
    "result_not_ready": "The job has not ended yet; `job_status` says where it stands.",
    "storage_unavailable": "The store does not answer; try again.",
    "too_many_items": "The batch asks for more explanations than a batch may.",
    "too_many_fields": "The body has more fields than a request can have.",
    "too_many_streams": "Too many streams of events are open; poll the job.",
    "too_many_webhook_secrets": "There are as many secrets as there may be; delete one first.",
    "unauthenticated": "There is no API key, or one that is not good.",
    "unknown_method": "There is no such method; `GET /v1/methods` has them.",
    "unknown_metric": "There is no such metric; `GET /v1/metrics` has them.",
    "unknown_model": "No worker serves this model; `GET /v1/models` has those that are served.",
    "unsupported_content_type": "The body is of a content type that is not read here; `Accept-Post` has the others.",
    "upload_not_found": "No uploaded image of yours has this id, or it has expired.",
    "webhook_secret_missing": "A webhook needs a secret; make one with `POST /v1/webhook-secrets`.",
    "webhook_secret_not_found": "No webhook secret of yours has this id.",
    "webhook_url_invalid": "`webhook.url` is not an address that is told of jobs.",
    "wrong_part": "A file was sent where a text belongs, or the other way round.",
}
"""Codes of problems, and what they mean."""

FIELD_CODES: Final = frozenset(
    {
        "archive_member_unreadable",
        "custom_id_repeated",
        "image_not_in_archive",
        "too_many_urls",
        "too_short",
        "unavailable",
    }
)
"""Codes of single fields in ``errors`` that are no problem's; besides these, Pydantic's kinds of errors."""

_V1: Final[Codes] = {
    401: ("unauthenticated",),
    403: ("missing_scope", "keys_required"),
    429: ("quota_exceeded",),
    503: ("redis_unavailable",),
}
_IMAGE: Final[Codes] = {
    400: ("malformed_multipart",),
    413: ("body_too_large", "image_too_large"),
    415: ("unsupported_content_type", "image_undecodable"),
    422: (
        "image_empty",
        "image_mode_unsupported",
        "image_too_many_pixels",
        "image_truncated",
        "invalid_image",
        "repeated_field",
        "wrong_part",
    ),
    503: ("storage_unavailable",),
}
_SUBMISSION: Final[Codes] = {
    400: ("malformed_json", "invalid_idempotency_key"),
    409: ("idempotency_in_flight",),
    410: ("idempotency_job_removed",),
    422: (
        "invalid_request",
        "invalid_parameter",
        "budget_too_large",
        "caption_control_character",
        "caption_empty",
        "caption_has_marks",
        "caption_too_long",
        "caption_without_words",
        "idempotency_mismatch",
        "image_host_not_allowed",
        "image_source",
        "image_url_invalid",
        "image_url_unreachable",
        "invalid_caption",
        "malformed_base64",
        "method_unsupported",
        "too_many_fields",
        "unknown_method",
        "unknown_metric",
        "unknown_model",
        "upload_not_found",
        "webhook_secret_missing",
        "webhook_url_invalid",
    ),
    503: ("image_fetches_busy", "no_models", "queue_full"),
}
_JOB: Final[Codes] = {404: ("job_not_found",)}
_FILE: Final[Codes] = {
    404: ("job_not_found", "artifact_not_found"),
    409: ("result_not_ready", "no_result"),
    416: ("range_not_satisfiable",),
    503: ("storage_unavailable",),
}
_REPORT: Final[Codes] = {status: codes for status, codes in _FILE.items() if status != 416}
_COMPARISON: Final[Codes] = {
    404: ("job_not_found", "artifact_not_found"),
    409: ("result_not_ready", "no_result"),
    422: ("invalid_request", "invalid_parameter", "not_comparable"),
    503: ("storage_unavailable", "comparison_timeout", "comparisons_busy", "rendering_lost"),
}
_BATCH_SUBMISSION: Final[Codes] = {
    400: ("malformed_archive", "malformed_csv", "malformed_json", "malformed_multipart", "invalid_idempotency_key"),
    409: ("idempotency_in_flight",),
    410: ("idempotency_job_removed",),
    413: ("archive_too_large", "body_too_large"),
    415: ("unsupported_content_type",),
    422: (
        "extra_forbidden",
        "idempotency_mismatch",
        "invalid_batch",
        "invalid_request",
        "malformed_csv",
        "manifest_format",
        "missing",
        "repeated_field",
        "too_many_items",
        "webhook_secret_missing",
        "webhook_url_invalid",
        "wrong_part",
    ),
    503: ("image_fetches_busy", "no_models", "storage_unavailable"),
}
_BATCH: Final[Codes] = {404: ("batch_not_found",)}
_BATCH_FILE: Final[Codes] = {404: ("batch_not_found", "artifact_not_found"), 503: ("storage_unavailable",)}
_BY_OPERATION: Final[Mapping[str, tuple[Codes, ...]]] = {
    "createExplanation": (_V1, _IMAGE, _SUBMISSION),
    "listExplanations": (_V1, {422: ("invalid_request", "invalid_page_token")}),
    "getExplanation": (_V1, _JOB),
    "deleteExplanation": (_V1, _JOB, {409: ("job_open",)}),
    "cancelExplanation": (_V1, _JOB, {409: ("job_final",)}),
    "streamExplanationEvents": (_V1, _JOB, {503: ("too_many_streams",)}),
    "getExplanationResult": (_V1, _FILE),
    "getAuditRecord": (_V1, _FILE),
    "getEvaluation": (_V1, _FILE, {404: ("not_evaluated",)}),
    "getInteractionsNpz": (_V1, _FILE),
    "getInteractionsJson": (_V1, _FILE),
    "getReport": (_V1, _REPORT, {422: ("invalid_request",)}),
    "getReportHtml": (_V1, _REPORT),
    "getViewPng": (_V1, _FILE),
    "getMapPng": (_V1, _FILE),
    "getMapSvg": (_V1, _FILE),
    "getComparison": (_V1, _COMPARISON),
    "getComparisonPng": (_V1, _COMPARISON),
    "getComparisonSvg": (_V1, _COMPARISON),
    "createBatch": (_V1, _BATCH_SUBMISSION),
    "listBatches": (_V1, {422: ("invalid_request", "invalid_page_token")}),
    "getBatch": (_V1, _BATCH),
    "cancelBatch": (_V1, _BATCH, {409: ("batch_final",)}),
    "retryBatch": (_V1, _BATCH, {409: ("batch_open", "nothing_to_retry")}),
    "deleteBatch": (_V1, _BATCH, {409: ("batch_open",)}),
    "streamBatchEvents": (_V1, _BATCH, {503: ("too_many_streams",)}),
    "getBatchResults": (_V1, _BATCH_FILE, {422: ("invalid_request",)}),
    "getBatchTableCsv": (_V1, _BATCH_FILE),
    "getBatchTableParquet": (_V1, _BATCH_FILE),
    "getBatchSummary": (_V1, _BATCH_FILE),
    "createImage": (_V1, _IMAGE, {422: ("invalid_request", "missing", "extra_forbidden")}),
    "getImage": (_V1, {404: ("upload_not_found",)}),
    "deleteImage": (_V1, {404: ("upload_not_found",)}),
    "listModels": (_V1,),
    "listMethods": (_V1,),
    "getMethod": (_V1, {404: ("unknown_method",)}),
    "listMetrics": (_V1,),
    "listQuotas": (_V1,),
    "createWebhookSecret": (_V1, {409: ("too_many_webhook_secrets",)}),
    "listWebhookSecrets": (_V1,),
    "deleteWebhookSecret": (_V1, {404: ("webhook_secret_not_found",)}),
    "getLiveness": (),
    "getReadiness": ({503: ("not_ready",)},),
    "getMetrics": (),
}


def codes_of(operation_id: str) -> dict[int, list[str]]:
    """The codes that an operation's problems can have, by status; 500 is any operation's.

    Raises:
        KeyError: there is no such operation.
    """
    found: dict[int, list[str]] = {500: ["internal_error"]}
    for codes in _BY_OPERATION[operation_id]:
        for status, names in codes.items():
            found.setdefault(status, []).extend(name for name in names if name not in found.get(status, []))
    return found
