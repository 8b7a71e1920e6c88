"""The OpenAPI document, where it is more than what the routes' types say."""

from __future__ import annotations

from service.documents.building import openapi_builder
from service.documents.codes import PROBLEM_CODES, codes_of
from service.documents.request_body import IMAGE_ENCODING

__all__ = ["IMAGE_ENCODING", "PROBLEM_CODES", "codes_of", "openapi_builder"]
