"""A client of the HTTP API, for programs and for the command line.

:class:`Client` and :class:`AsyncClient` speak HTTP and nothing else: what computes, queues or serves is not imported.

    with Client(api_key="fxl_...") as client:
        explained = client.explain(image=Path("photo.jpg"), caption="a dog on a red sofa")
        print(explained.result.top_interactions)
"""

from __future__ import annotations

from fixlip.client._async import AsyncClient
from fixlip.client._async_batches import AsyncBatches
from fixlip.client._batch_models import Batch, BatchCounts, BatchSummary, ScoreSummary, Way, WayComparison
from fixlip.client._batch_submissions import BatchSubmission
from fixlip.client._batches import Batches
from fixlip.client._comparisons import Agreement, ComparedExplanation, Comparison
from fixlip.client._connection import DEFAULT_URL
from fixlip.client._submissions import Submission
from fixlip.client._sync import Client
from fixlip.client.errors import (
    BatchTimeoutError,
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
from fixlip.client.models import (
    Explained,
    FieldError,
    Interactions,
    Job,
    Method,
    Metric,
    Model,
    Quota,
    Result,
    Score,
    Upload,
)

__all__ = [
    "DEFAULT_URL",
    "Agreement",
    "AsyncBatches",
    "AsyncClient",
    "Batch",
    "BatchCounts",
    "BatchSubmission",
    "BatchSummary",
    "BatchTimeoutError",
    "Batches",
    "Client",
    "ComparedExplanation",
    "Comparison",
    "ConflictError",
    "Explained",
    "FieldError",
    "ForbiddenError",
    "Interactions",
    "InvalidRequestError",
    "Job",
    "JobNotSucceededError",
    "Method",
    "Metric",
    "Model",
    "NotFoundError",
    "Quota",
    "QuotaError",
    "Result",
    "Score",
    "ScoreSummary",
    "ServiceError",
    "Submission",
    "UnauthenticatedError",
    "UnavailableError",
    "UnexpectedAnswerError",
    "UnreachableError",
    "Upload",
    "WaitTimeoutError",
    "Way",
    "WayComparison",
]
