"""The task behind every job: claim it, explain it, store the answer, and only then say that it is done."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Final

from PIL import Image
from pydantic import JsonValue
from redis import RedisError
from rq import get_current_job

from fixlip_core.batching import Modality
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.rendering import RenderedMap
from service.jobs.errors import ArtifactNotFoundError, JobNotFoundError
from service.jobs.inputs import IMAGE, params_of
from service.jobs.storage.bundle import Bundle
from service.observability.logs import log_context
from worker.auditing import Evidence
from worker.execution import Execution, StoppedError, Verdict
from worker.explaining import Findings, Outcome, explain_pair, outcome_of, stored_picture
from worker.faults import judge, pause_before_retry_s
from worker.judging import judge_pair, planned_passes
from worker.runtime import Runtime, current_runtime
from worker.settling import settle

__all__ = ["run_explanation", "run_job"]

FOR_OTHERS_S: Final = 5.0
"""How long a job whose model this worker has not stays away from the queue, where it would meet this worker again."""

_log = logging.getLogger(__name__)


def run_explanation(job_id: str) -> None:
    """Run one job; RQ calls this by its name, in the thread of one of its workers.

    Raises:
        RuntimeError: it was not RQ that called, or the process is no worker of ours.
    """
    running = get_current_job()
    if running is None or running.worker_name is None:
        raise RuntimeError("only a worker runs explanations: start one with `fixlip worker`")
    run_job(current_runtime(), job_id, worker_id=running.worker_name)


def run_job(runtime: Runtime, job_id: str, *, worker_id: str) -> None:
    """Run one job to where it is final, waits for its next try, or is another's.

    Every fault of the job ends in its ``error``. Redis trouble is waited out for as long as this worker may wait; when
    it has to leave first, the job is taken back from it once its lease lapses.
    """
    with log_context(job_id=job_id):
        try:
            _claim_and_run(runtime, job_id, worker_id)
        except RedisError as error:
            _log.warning("job %s is left behind, for Redis is away: %s", job_id, error)


def _claim_and_run(runtime: Runtime, job_id: str, worker_id: str) -> None:
    if runtime.persistently(lambda: _is_for_others(runtime, job_id)):
        runtime.persistently(lambda: runtime.repository.put_off(job_id, delay_s=FOR_OTHERS_S))
        return
    claim = runtime.persistently(
        lambda: runtime.repository.claim(job_id, worker_id, ttl_s=runtime.settings.liveness_ttl_s)
    )
    if claim is None:
        _log.info("job %s needs no run", job_id)
        return
    execution = Execution(claim, time_limit_s=runtime.settings.job_timeout_s, meter=runtime.meter)
    if runtime.stop.overdue:
        execution.decide(Verdict.HANDED_BACK)
    runtime.executions.add(execution)
    if execution.job.batch_id is not None:
        runtime.feed()
    try:
        with runtime.observer.watch(execution):
            _run(runtime, execution)
    finally:
        execution.finish()
        runtime.executions.discard(execution)


def _is_for_others(runtime: Runtime, job_id: str) -> bool:
    """Whether the job is of a model that other workers serve, or did lately and may again, and this one does not."""
    try:
        model_id = runtime.repository.get(job_id).model.id
    except JobNotFoundError:
        return False
    served = {card.id for card in runtime.models.cards}
    return model_id not in served and model_id in runtime.catalogue.cards()


def _run(runtime: Runtime, execution: Execution) -> None:
    try:
        execution.check()
        with _beside_others(runtime, execution):
            _explain(runtime, execution)
    except StoppedError as stopped:
        execution.finish()
        _log.info("%s", stopped)
    except RedisError:
        raise
    except Exception as error:
        execution.finish()
        # What a run that is to end stumbles over on its way out is of no interest.
        if execution.verdict is None:
            _treat(runtime, execution, error)
    if not execution.is_settled:
        runtime.persistently(lambda: settle(execution, runtime.repository, runtime.queue))


@contextmanager
def _beside_others(runtime: Runtime, execution: Execution) -> Iterator[None]:
    """The right to run beside the other jobs of this process; of a suspect, without them."""
    if not execution.is_suspect:
        with runtime.gate.together(execution.check):
            yield
        return
    with runtime.gate.alone(execution.check):
        _log.info("job %s lost a worker and is run alone", execution.job.id)
        execution.is_alone = True
        if not runtime.persistently(lambda: runtime.repository.mark_alone(execution.lease)):
            execution.decide(Verdict.LOST)
            execution.check()
        yield


def _explain(runtime: Runtime, execution: Execution) -> None:
    job, lease = execution.job, execution.lease
    findings, evidence = _use_model(runtime, execution)
    with execution.trail.phase("render"):
        maps = _drawn(runtime, execution, findings)
    with execution.trail.phase("store"):
        found = outcome_of(job, findings, maps)
        outcome = runtime.auditor.attest(execution, evidence, findings.explanation, found)
        stored = _stored_unless_redis_is_away(runtime, outcome)
    execution.check()
    execution.finish()
    metrics = execution.metrics(outcome.forward_passes, outcome.evaluation_passes)

    def commit() -> bool:
        # Redis may have been away for longer than a bundle is kept that nobody holds.
        results = stored if stored and runtime.bundles.keep(stored) else runtime.bundles.add(outcome.files)
        return runtime.repository.succeed(lease, outcome.output, metrics, results=results)

    if runtime.persistently(commit):
        execution.end_as("succeeded")
        _log.info("job %s succeeded in %.2f s", job.id, metrics.run_s)
    else:
        execution.end_as("lost")
        _log.warning("job %s was taken from this worker, whose answer counts no more", job.id)


def _drawn(runtime: Runtime, execution: Execution, findings: Findings) -> Mapping[str, RenderedMap]:
    """The maps by name; drawing takes longer than a small explanation, and of a batch nobody may look at them."""
    if not execution.job.maps:
        return {}
    return runtime.renderer.render(findings.explanation, findings.view, curves=findings.curves, check=execution.check)


def _stored_unless_redis_is_away(runtime: Runtime, outcome: Outcome) -> Bundle | None:
    """The stored results. A wait for Redis is no part of the work, whose time is limited; a wait for the store is."""
    try:
        return runtime.bundles.add(outcome.files)
    except RedisError as error:
        _log.warning("the results are stored once Redis is back: %s", error)
        return None


def _use_model(runtime: Runtime, execution: Execution) -> tuple[Findings, Evidence]:
    """What needs the model; apart from the rest, which would keep it in memory when it has to leave."""
    job = execution.job
    if execution.inputs is None:
        raise ArtifactNotFoundError("inputs")
    trail = execution.trail
    with trail.phase("inputs"):
        inputs = runtime.bundles.read(execution.inputs)
        picture, params = stored_picture(inputs[IMAGE]), params_of(inputs, recorded=job.params)
    with ExitStack() as held:
        with trail.phase("model"):
            encoder = held.enter_context(runtime.models.use(job.model, execution.check))
        execution.begin()
        findings = _find(runtime, execution, encoder, picture, params)
        evidence = Evidence.of(encoder.card, params, picture)
    passes: dict[Modality, int] = {"image": findings.image_passes, "text": findings.text_passes}
    runtime.observer.count_passes(execution, passes)
    return findings, evidence


def _find(
    runtime: Runtime, execution: Execution, encoder: DualEncoder, picture: Image.Image, params: Mapping[str, JsonValue]
) -> Findings:
    """Explain the job's pair and judge the explanation, with one progress over both."""
    job, batcher, check = execution.job, runtime.batcher, execution.check
    to_come = planned_passes(encoder, job, params)

    def report(completed: int, total: int) -> None:
        execution.report(completed, total + to_come)

    with execution.trail.passes():
        explanation, view = explain_pair(encoder, batcher, job, picture, params, check=check, report=report)
    if not job.evaluate:
        return Findings(explanation, view)
    made = explanation.image_passes + explanation.text_passes

    def report_more(completed: int, total: int) -> None:
        execution.report(made + completed, made + total)

    with execution.trail.phase("evaluate"):
        evaluation = judge_pair(encoder, batcher, job, view, explanation, check=check, report=report_more)
    return Findings(explanation, view, evaluation)


def _treat(runtime: Runtime, execution: Execution, error: Exception) -> None:
    """Do what is to be done about an error: fail the job, put it off, or end this process."""
    fault = judge(error, max_retries=runtime.settings.max_retries)
    job_id, lease, failure = execution.job.id, execution.lease, fault.failure
    if fault.breaks_device:
        _log.critical("job %s met the loss of the device; this process ends", job_id, exc_info=error)
        for run in runtime.executions.all():
            if run is execution or not run.is_over:
                run.decide(Verdict.GIVEN_UP)
        runtime.stop.give_up()
    elif execution.retries < fault.retries:
        pause_s = pause_before_retry_s(execution.retries)
        _log.warning("job %s is tried again in %.0f s: %s: %s", job_id, pause_s, failure.code, failure.detail)
        runtime.persistently(lambda: runtime.repository.retry_later(lease, delay_s=pause_s))
        execution.end_as("retried", failure.code)
    else:
        level = logging.ERROR if fault.is_unforeseen else logging.INFO
        _log.log(level, "job %s failed: %s: %s", job_id, failure.code, failure.detail, exc_info=error)
        metrics = execution.metrics()
        runtime.persistently(lambda: runtime.repository.fail(lease, failure, metrics))
        execution.end_as("failed", failure.code)
