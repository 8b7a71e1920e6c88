"""Batches as the API shows them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from service.jobs.batches.records import Batch

__all__ = ["BATCHES", "BatchList", "BatchUrls", "BatchView"]

BATCHES = "/v1/batches"
"""Path of the collection."""


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class BatchUrls(_View):
    """Where the batch and its results are; while it runs, these have what has ended."""

    self: str
    cancel: str
    retry: str
    events: str
    results: str
    table_csv: str
    table_parquet: str
    summary: str


class BatchView(Batch):
    """A batch: where it stands, and where its results are."""

    urls: BatchUrls

    @classmethod
    def of(cls, batch: Batch, *, base: str) -> BatchView:
        """``batch`` with links, ``base`` being the path of the collection."""
        url = f"{base}/{batch.id}"
        urls = BatchUrls(
            self=url,
            cancel=f"{url}/cancel",
            retry=f"{url}/retry",
            events=f"{url}/events",
            results=f"{url}/results.jsonl",
            table_csv=f"{url}/table.csv",
            table_parquet=f"{url}/table.parquet",
            summary=f"{url}/summary",
        )
        return cls(**dict(batch), urls=urls)


class BatchList(_View):
    """A page of a tenant's batches, newest first."""

    items: list[BatchView]
    next_page_token: str | None = Field(description="For `page_token` of the next request; null on the last page.")
