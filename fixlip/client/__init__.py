"""A client of the HTTP API, for programs and for the command line.

:class:`Client` and :class:`AsyncClient` speak HTTP and nothing else: what computes, queues or serves is not imported.

    with Client(api_key="fxl_...") as client:
        explained = client.explain(image=Path("photo.jpg"), caption="a dog on a red sofa")
        print(explained.result.top_interactions)
"""

from __future__ import annotations

from fixlip.client._async import AsyncClient
from fixlip.client._connection import DEFAULT_URL
from fixlip.client._submissions import Submission
from fixlip.client._sync import Client
from fixlip.client.errors import (
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    JobNotSucceededError,
    NotFoundError,
    QuotaError,
    ServiceError,
    UnauthenticatedError,
    UnavailableError,
    UnexpectedAnswerError,
    UnreachableError,
    WaitTimeoutError,
)
from fixlip.client.models import Explained, FieldError, Interactions, Job, Method, Model, Quota, Result, Upload

__all__ = [
    "DEFAULT_URL",
    "AsyncClient",
    "Client",
    "ConflictError",
    "Explained",
    "FieldError",
    "ForbiddenError",
    "Interactions",
    "InvalidRequestError",
    "Job",
    "JobNotSucceededError",
    "Method",
    "Model",
    "NotFoundError",
    "Quota",
    "QuotaError",
    "Result",
    "ServiceError",
    "Submission",
    "UnauthenticatedError",
    "UnavailableError",
    "UnexpectedAnswerError",
    "UnreachableError",
    "Upload",
    "WaitTimeoutError",
]
