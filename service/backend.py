"""What the API stands on: Redis and the store, behind the job domain's own words."""

from __future__ import annotations

from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Annotated, Final

from anyio import CapacityLimiter
from fastapi import Depends, Request
from redis import Redis

from service.access._memory import Memory
from service.access.allowances import Allowance, AllowanceBook
from service.access.gate import Gate
from service.access.keys import KeyStore
from service.access.quotas import Quotas
from service.comparing import Comparer
from service.jobs.answers import AnswerBook
from service.jobs.batches.repository import BatchRepository
from service.jobs.batches.standings import BatchStanding, BatchStandings
from service.jobs.catalogue import Catalogue
from service.jobs.connection import connect
from service.jobs.estimates import Estimator
from service.jobs.listing import JobListing
from service.jobs.queue import JobQueue
from service.jobs.repository import JobRepository
from service.jobs.reservations import Reservations
from service.jobs.standings import Standing, Standings
from service.jobs.storage.bundles import BundleStore
from service.jobs.uploads import UploadRepository
from service.jobs.webhook_secrets import WebhookSecrets
from service.observability.request_metrics import RequestMetrics
from service.observability.tracing import Tracing, start_tracing
from service.outbound.caller import Caller
from service.outbound.images import ImageFetcher
from service.outbound.trust import HostList
from service.reading import JobReader
from service.settings import ServiceSettings
from service.watching import Watcher

__all__ = ["Backend", "BackendDep"]

# Each of them takes a body apart and decodes pictures one after the other.
_BATCHES_AT_ONCE: Final = 2
_SUMMARIES_AT_ONCE: Final = 1
_REPORTS_AT_ONCE: Final = 2
# More threads would spend their time on waiting for each other: with forty, a submission takes twice the CPU.
_SUBMISSIONS_AT_ONCE: Final = 4

_STORE_LOOKED_AT_EVERY_S: Final = 1.0
"""Whoever asks whether the service is ready may do so often; the store is written to each time it is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """The parts that requests use; all of them may be used from several threads."""

    settings: ServiceSettings
    redis: Redis
    repository: JobRepository
    batches: BatchRepository
    reader: JobReader
    queue: JobQueue
    catalogue: Catalogue
    listing: JobListing
    gate: Gate
    quotas: Quotas
    answers: AnswerBook
    estimator: Estimator
    reservations: Reservations
    uploads: UploadRepository
    bundles: BundleStore
    comparer: Comparer
    image_fetcher: ImageFetcher
    webhook_secrets: WebhookSecrets
    readiness: Memory[str]
    submission_slots: CapacityLimiter
    batch_slots: CapacityLimiter
    summary_slots: CapacityLimiter
    report_slots: CapacityLimiter
    decode_slots: BoundedSemaphore
    watcher: Watcher[Standing]
    batch_watcher: Watcher[BatchStanding]
    stream_slots: BoundedSemaphore
    metrics: RequestMetrics
    tracing: Tracing

    @classmethod
    def open(cls, settings: ServiceSettings) -> Backend:
        """The parts as ``settings`` say; nothing is connected or written yet."""
        redis = connect(settings.redis_url, timeout_s=settings.redis_timeout_s)
        bundles = BundleStore.open(settings, redis)
        repository, listing = JobRepository.of(settings, redis), JobListing(redis, settings.key_prefix)
        estimator, batches = Estimator(redis, settings.key_prefix), BatchRepository(redis, settings, bundles)
        return cls(
            settings=settings,
            redis=redis,
            repository=repository,
            batches=batches,
            reader=JobReader(repository, estimator),
            queue=JobQueue(redis, settings),
            catalogue=Catalogue(redis, settings.key_prefix),
            listing=listing,
            gate=Gate(settings.auth, KeyStore(redis, settings.key_prefix)),
            quotas=_quotas(redis, settings, repository, listing),
            answers=AnswerBook(redis, settings.key_prefix, bundles),
            estimator=estimator,
            reservations=Reservations(redis, settings.key_prefix),
            uploads=UploadRepository(redis, settings.key_prefix, retention_s=settings.upload_retention_s),
            bundles=bundles,
            comparer=Comparer(bundles),
            image_fetcher=_image_fetcher(settings),
            webhook_secrets=WebhookSecrets(redis, settings.key_prefix),
            readiness=Memory(lasts_s=_STORE_LOOKED_AT_EVERY_S),
            submission_slots=CapacityLimiter(_SUBMISSIONS_AT_ONCE),
            batch_slots=CapacityLimiter(_BATCHES_AT_ONCE),
            summary_slots=CapacityLimiter(_SUMMARIES_AT_ONCE),
            report_slots=CapacityLimiter(_REPORTS_AT_ONCE),
            decode_slots=BoundedSemaphore(settings.max_decodes),
            watcher=Watcher(Standings(redis, settings.key_prefix)),
            batch_watcher=Watcher(BatchStandings(batches)),
            stream_slots=BoundedSemaphore(settings.max_streams),
            metrics=RequestMetrics(),
            tracing=start_tracing("fixlip-api"),
        )

    def close(self) -> None:
        """Break off what is being compared, send the last spans and close the connections."""
        self.comparer.close()
        self.tracing.close()
        self.redis.close()


def _image_fetcher(settings: ServiceSettings) -> ImageFetcher:
    return ImageFetcher(
        Caller(settings.trust),
        HostList.of(settings.image_hosts),
        within_s=settings.image_url_timeout_s,
        max_bytes=settings.max_image_bytes,
    )


def _quotas(redis: Redis, settings: ServiceSettings, repository: JobRepository, listing: JobListing) -> Quotas:
    defaults = Allowance(
        requests_per_min=settings.quota_requests_per_min,
        queued_jobs=settings.quota_queued_jobs,
        passes_per_day=settings.quota_passes_per_day,
        stored_bytes=settings.quota_stored_bytes,
    )
    return Quotas(
        redis,
        settings.key_prefix,
        allowances=AllowanceBook(redis, settings.key_prefix, defaults=defaults),
        queued_jobs=listing.queued_jobs,
        stored_bytes=repository.stored_bytes,
    )


async def _backend_of(request: Request) -> Backend:  # async: FastAPI would run it in a thread else
    backend: Backend = request.app.state.backend
    return backend


BackendDep = Annotated[Backend, Depends(_backend_of)]
"""The backend of the application that handles the request."""
