"""The worker process: get to know the models, say so, and work until asked to stop."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Final

from fixlip_core.audit.signing import Signer
from fixlip_core.batching import Batcher, memory_bytes
from fixlip_core.rendering.pool import RenderPool
from service.jobs.batches.feeding import Feeder
from service.jobs.connection import connect
from service.jobs.storage.bundles import BundleStore
from service.jobs.upkeep import Upkeep
from service.observability.tracing import start_tracing
from worker.auditing import Auditor
from worker.loading import model_loads
from worker.metrics import Sources
from worker.models import Load, ModelPool
from worker.observing import Observer
from worker.periodic import Periodic
from worker.runtime import Runtime, install_runtime
from worker.settings import WorkerSettings
from worker.slots import Slots
from worker.stopping import Stop
from worker.watch import Watch

__all__ = ["run"]

REDIS_TIMEOUT_S: Final = 2.0  # with a renewal each second, one stalled answer must cost no lease
WATCH_EVERY_S: Final = 1.0
LEAVE_WITHIN_S: Final = 5.0
WAITING: Final = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "10000"}
"""How OpenMP's threads wait: asleep, but for the tens of microseconds between two steps of a pass."""

_log = logging.getLogger(__name__)


def run(settings: WorkerSettings, *, loads: Callable[[WorkerSettings], Mapping[str, Load]] = model_loads) -> None:
    """Work in this process, main thread, until SIGTERM or SIGINT.

    The signal lets the jobs at hand finish within ``settings.grace_s``; after that, or at a second signal, they go back
    to the queue. Redis may come and go: the models stay loaded.

    Args:
        settings: what to serve, and where the jobs are.
        loads: gives what loads each model.

    Raises:
        FixlipError: a model could not be loaded, the key that signs cannot be used, or the metrics' port is taken.
        SystemExit: the process can no longer work, and its supervisor should start it anew; its jobs went back to the
            queue.
    """
    auditor = Auditor(Signer.read(settings.signing_key_file) if settings.signing_key_file else None)
    stop = Stop(settings.grace_s)
    stop.listen()
    _limit_threads(settings)
    observer = Observer(tracing=start_tracing("fixlip-worker"))
    if settings.metrics_port is not None:
        observer.metrics.serve(settings.metrics_host, settings.metrics_port)
    with Batcher(on_batch=observer.on_batch) as batcher, RenderPool(settings.renderers) as renderer:
        models = ModelPool(loads(settings), budget_bytes=settings.memory_bytes, on_unload=batcher.forget)
        models.load_all()
        redis = connect(settings.redis_url, timeout_s=REDIS_TIMEOUT_S)
        bundles = BundleStore.open(settings, redis)
        runtime = Runtime(
            settings=settings,
            redis=redis,
            bundles=bundles,
            feeder=Feeder(redis, settings, bundles),
            models=models,
            batcher=batcher,
            renderer=renderer,
            stop=stop,
            auditor=auditor,
            observer=observer,
        )
        observer.metrics.ask(_sources(runtime))
        install_runtime(runtime)
        _work(runtime)
    observer.tracing.close()
    _log.info("stopped")
    if stop.exit_status:
        sys.exit(stop.exit_status)


def _sources(runtime: Runtime) -> Sources:
    """What the metrics ask at each scrape."""
    return Sources(
        statistics=lambda: runtime.batcher.statistics,
        running=lambda: len(runtime.executions.all()),
        models_bytes=lambda: runtime.models.loaded_bytes,
        device_bytes=lambda: memory_bytes(runtime.settings.device),
    )


def _work(runtime: Runtime) -> None:
    """Run jobs until the process is asked to stop."""
    settings = runtime.settings
    ttl_s = settings.liveness_ttl_s
    watch = Watch(runtime.executions, runtime.repository, runtime.queue, runtime.stop, ttl_s=ttl_s)
    upkeep = Upkeep(runtime.redis, settings, runtime.bundles)
    slots = Slots(runtime)
    with (
        Periodic("watch", watch.look, period_s=min(WATCH_EVERY_S, settings.heartbeat_s)),
        Periodic("heartbeat", runtime.announce, slots.beat, period_s=settings.heartbeat_s),
        Periodic("upkeep", upkeep.sweep, period_s=settings.heartbeat_s),
    ):
        slots.start()
        while not slots.join():
            if runtime.stop.overdue_for_s > LEAVE_WITHIN_S:
                _leave(runtime)
        # Nor may any other thread keep the process from its end: that of the device, or one that waits for Redis.
        overtime = threading.Timer(LEAVE_WITHIN_S, _leave, [runtime])
        overtime.daemon = True
        overtime.start()
    runtime.withdraw()


def _leave(runtime: Runtime) -> None:
    """End the process under threads that do not end by themselves: native code cannot be interrupted."""
    left = ", ".join(run.job.id for run in runtime.executions.all() if not run.is_settled) or "none"
    _log.error("some threads do not end, so the process does without; jobs that could not be handed back: %s", left)
    runtime.withdraw()
    logging.shutdown()
    os._exit(runtime.stop.exit_status)


def _limit_threads(settings: WorkerSettings) -> None:
    """Settle, for the whole process and its life, how many threads a product of matrices takes."""
    # Torch's threads spin while they wait for each other. On a core that something else needs too, the spinning takes
    # most of the time: half as many passes per second, or fewer. It is read when torch is first imported.
    for variable, value in WAITING.items():
        os.environ.setdefault(variable, value)
    import scipy.linalg  # noqa: F401  # it brings a BLAS of its own, which must be there to be limited
    from threadpoolctl import threadpool_limits

    # Jobs solve side by side. Were each to take all cores, they would wait for each other's threads.
    threadpool_limits(1, user_api="blas")
    if settings.threads is not None:
        import torch

        torch.set_num_threads(settings.threads)
