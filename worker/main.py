"""The worker process: load the models, say so, and work until asked to stop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from redis import RedisError

import fixlip_core
from fixlip_core.encoders.protocol import DualEncoder
from service.jobs.connection import connect
from worker.heartbeat import Heartbeat
from worker.models_file import ModelsFileError, load_model, read_models_file
from worker.recovery import Recovery
from worker.rq_worker import FixlipWorker
from worker.runtime import Runtime, install_runtime
from worker.settings import WorkerSettings
from worker.stopping import Stop

__all__ = ["Loader", "load_encoders", "run"]

REDIS_TIMEOUT_S: Final = 5.0
RETRY_S: Final = 1.0

Loader = Callable[[WorkerSettings], Sequence[DualEncoder]]

_log = logging.getLogger(__name__)


def load_encoders(settings: WorkerSettings) -> Sequence[DualEncoder]:
    """The models of ``settings``, loaded.

    Raises:
        FixlipError: one of them is unknown, or its weights are not there; of a models file, which and why.
    """
    import torch

    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    device, precision = settings.device, settings.precision
    if settings.models_file is None:
        return [fixlip_core.load_encoder(name, device=device, precision=precision) for name in settings.models]
    file = settings.models_file
    entries = read_models_file(file)
    wanted = settings.named_models or tuple(entries)
    if unknown := [name for name in wanted if name not in entries]:
        raise ModelsFileError(f"{file}: it has no model {unknown[0]!r}, which FIXLIP_MODELS names")
    return [load_model(entries[name], file=file, device=device, precision=precision) for name in wanted]


def run(settings: WorkerSettings, *, load: Loader = load_encoders) -> None:
    """Work in this process, main thread, until SIGTERM or SIGINT.

    The signal lets the job at hand finish within ``settings.grace_s``; after that, or at a second signal, the job goes
    back to the queue. Redis may come and go: the models stay loaded.

    Args:
        settings: what to serve, and where the jobs are.
        load: gives the encoders; called once, before the first job.

    Raises:
        FixlipError: a model could not be loaded.
    """
    stop = Stop(settings.grace_s)
    stop.listen()
    started = time.monotonic()
    encoders = {encoder.card.id: encoder for encoder in load(settings)}
    _log.info("loaded %s in %.1f s", ", ".join(encoders), time.monotonic() - started)
    redis = connect(settings.redis_url, timeout_s=REDIS_TIMEOUT_S)
    runtime = Runtime(settings=settings, redis=redis, encoders=encoders, stop=stop)
    install_runtime(runtime)
    recovery = Recovery(runtime)
    incarnation = 0
    while not stop.requested:
        incarnation += 1
        try:
            _work(runtime, recovery, name=f"{runtime.worker_id}-{incarnation}")
        except RedisError as error:
            _log.warning("Redis is away, trying again in %.0f s: %s", RETRY_S, error)
        if not stop.requested:
            time.sleep(RETRY_S)
    _log.info("stopped")


def _work(runtime: Runtime, recovery: Recovery, *, name: str) -> None:
    """One worker in RQ's books, from birth to death; it ends early when Redis fails at the wrong moment."""
    runtime.announce()
    with connect(runtime.settings.redis_url, timeout_s=REDIS_TIMEOUT_S) as connection:
        worker = FixlipWorker(connection, runtime, name=name)
        beats = (runtime.announce, worker.beat, recovery.sweep)
        with Heartbeat(beats, period_s=runtime.settings.heartbeat_s):
            worker.work(logging_level=None)
    runtime.catalogue.withdraw(runtime.worker_id)
