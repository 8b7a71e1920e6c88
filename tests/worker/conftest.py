"""A worker's runtime on the session's Redis, with the fake encoder."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from redis import Redis

from fixlip_core.batching import Batcher
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.rendering.pool import RenderPool
from service.jobs.batches.feeding import Feeder
from service.jobs.connection import connect
from service.jobs.storage.bundles import BundleStore
from tests.support.fake_encoder import FakeEncoder
from tests.support.running import Serve
from worker.models import ModelPool
from worker.observing import Observer
from worker.runtime import Runtime, install_runtime
from worker.settings import WorkerSettings
from worker.stopping import Stop


def _same(encoder: DualEncoder) -> DualEncoder:
    return encoder


@pytest.fixture
def settings(redis_url: str, tmp_path: Path) -> WorkerSettings:
    """Settings of a worker on the session's Redis."""
    return WorkerSettings(
        redis_url=redis_url, data_dir=tmp_path, models=("fake",), heartbeat_s=0.2, grace_s=0.3, concurrency=2
    )


@pytest.fixture
def connection(redis_url: str) -> Iterator[Redis]:
    """A connection as the worker makes it."""
    with connect(redis_url, timeout_s=5) as client:
        yield client


@pytest.fixture(scope="session")
def renderer() -> Iterator[RenderPool]:
    """One process that draws maps."""
    with RenderPool(1) as pool:
        yield pool


@pytest.fixture
def serve(settings: WorkerSettings, connection: Redis, renderer: RenderPool) -> Iterator[Serve]:
    """Makes a runtime."""
    observer = Observer()
    with Batcher(on_batch=observer.on_batch) as batcher:

        def make(*encoders: DualEncoder, **changes: object) -> Runtime:
            models = ModelPool({encoder.card.id: partial(_same, encoder) for encoder in encoders or (FakeEncoder(),)})
            models.load_all()
            bundles, changed = BundleStore.open(settings, connection), settings.model_copy(update=changes)
            runtime = Runtime(
                settings=changed,
                redis=connection,
                bundles=bundles,
                feeder=Feeder(connection, changed, bundles),
                models=models,
                batcher=batcher,
                renderer=renderer,
                stop=Stop(settings.grace_s),
                observer=observer,
            )
            install_runtime(runtime)
            return runtime

        yield make


@pytest.fixture
def runtime(serve: Serve) -> Runtime:
    """The runtime that tasks of this process find."""
    return serve()
