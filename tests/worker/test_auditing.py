from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from fixlip_core.audit.canonical import canonical_bytes, parse_json
from fixlip_core.audit.checks import Verdict
from fixlip_core.audit.digests import pixels_sha256, values_sha256
from fixlip_core.audit.record import NOT_REPRODUCIBLE, AuditRecord
from fixlip_core.audit.signing import Signer
from fixlip_core.audit.verifying import verify_image, verify_record, verify_result
from fixlip_core.errors import KeyFileError
from fixlip_core.formats import from_npz_bytes
from service.jobs.inputs import input_files
from service.jobs.records import Job, JobInput
from tests.support.fake_encoder import CARD, FakeEncoder
from tests.support.jobs import PARAMS, png, submit
from tests.support.running import SLOT, files_of, run
from worker.auditing import AUDIT, Auditor
from worker.main import run as run_worker
from worker.runtime import Runtime
from worker.settings import WorkerSettings
from worker.tasks import run_job

LABELS: list[list[int]] = [[0, 0, 1, 1]] * 3 + [[2, 2, 2, 2]]


def record_in(files: dict[str, bytes]) -> AuditRecord:
    """The record among a job's files."""
    record, checks = verify_record(files[AUDIT])
    assert record is not None
    assert checks[0].verdict is Verdict.AGREES
    return record


def audited(runtime: Runtime, job: Job) -> AuditRecord:
    return record_in(files_of(runtime, job))


def test_it_has_the_digest_of_every_other_file(runtime: Runtime) -> None:
    files = files_of(runtime, run(runtime))
    record = record_in(files)
    assert record.files == {
        name: hashlib.sha256(data).hexdigest() for name, data in files.items() if name != "audit.json"
    }
    assert {"interactions.npz", "result.json", "view.png", "maps/first-order.png"} <= record.files.keys()
    assert canonical_bytes(parse_json(files[AUDIT])) == files[AUDIT]


def test_it_says_what_was_explained_with_what_and_what_came_out(runtime: Runtime) -> None:
    sent = JobInput(image_sha256="a" * 64, caption="a red circle")
    job = run(runtime, input=sent)
    files = files_of(runtime, job)
    record, explanation = record_in(files), from_npz_bytes(files["interactions.npz"])
    assert record.input.image_sha256 == sent.image_sha256
    assert record.input.pixels_sha256 == pixels_sha256(Image.open(io.BytesIO(png())))
    assert record.input.image_size_px == (64, 64)
    assert record.input.caption == sent.caption
    assert (record.model.id, record.model.weights_sha256) == (CARD.id, CARD.weights_sha256)
    assert (record.method.name, record.method.params, record.method.seed) == ("fixlip", PARAMS, 0)
    assert record.values.sha256 == values_sha256(explanation)
    assert (record.passes.image, record.passes.text) == (explanation.image_passes, explanation.text_passes)
    assert record.environment.sources.keys() == {"fixlip_core", "worker"}


def test_it_says_when(runtime: Runtime) -> None:
    before = datetime.now(UTC)
    job = run(runtime)
    record = audited(runtime, job)
    assert (record.job.id, record.job.attempt) == (job.id, 1)
    assert record.job.created_at == job.created_at
    assert record.job.started_at == job.started_at
    assert job.completed_at is not None
    assert before < record.job.completed_at <= job.completed_at
    assert record.timings.queue_s == job.metrics.queue_s
    assert record.timings.run_s is not None
    assert job.metrics.run_s is not None
    assert 0 < record.timings.run_s <= job.metrics.run_s
    assert {"inputs", "model", "passes", "render"} <= record.timings.phases.keys()
    assert sum(record.timings.phases.values()) <= record.timings.run_s


def test_it_is_the_same_again_but_for_ids_instants_and_timings(runtime: Runtime) -> None:
    first, second = (parse_json(files_of(runtime, run(runtime))[AUDIT]) for _ in range(2))
    assert {name for name in first if first[name] != second[name]} == NOT_REPRODUCIBLE - {"signature"}


def test_every_parameter_is_there_in_full(runtime: Runtime) -> None:
    params = {**PARAMS, "estimator": "gp", "budget": 16, "regions": LABELS}
    recorded = {**params, "regions": "sha256:..."}
    job = submit(
        runtime.repository, runtime.bundles, files=input_files(png(), params, recorded=recorded), params=recorded
    )
    run_job(runtime, job.id, worker_id=SLOT)
    assert audited(runtime, job).method.params == params


def test_the_image_and_the_result_are_those_of_the_record(runtime: Runtime) -> None:
    image = png()
    sent = JobInput(image_sha256=hashlib.sha256(image).hexdigest(), caption="a red circle")
    files = files_of(runtime, run(runtime, input=sent))
    record = record_in(files)
    check, _ = verify_image(record, image)
    assert (check.verdict, check.detail) == (Verdict.AGREES, "it is the file that was sent")
    for name in ("interactions.npz", "interactions.json"):
        check, _ = verify_result(record, files[name])
        assert (check.verdict, check.detail) == (Verdict.AGREES, f"it is the file {name} of the record")


def test_it_has_the_scores_that_were_asked_for(runtime: Runtime) -> None:
    job = run(runtime, evaluate=("confidence",), params={**PARAMS, "estimator": "gp", "budget": 16})
    record = audited(runtime, job)
    assert job.output is not None
    assert [score.model_dump() for score in record.scores] == [score.model_dump() for score in job.output.evaluation]
    assert len(record.scores) == 4
    assert record.method.evaluate == ("confidence",)
    assert record.passes.evaluation == job.metrics.evaluation_passes
    assert "evaluate" in record.timings.phases


def test_without_metrics_it_has_no_scores(runtime: Runtime) -> None:
    record = audited(runtime, run(runtime))
    assert (record.scores, record.method.evaluate, record.passes.evaluation) == ((), (), None)


def test_an_operators_key_signs_it(runtime: Runtime) -> None:
    signer = Signer.generate()
    runtime = replace(runtime, auditor=Auditor(signer))
    files = files_of(runtime, run(runtime))
    _, checks = verify_record(files[AUDIT], public_key=signer.public_key)
    assert [check.verdict for check in checks] == [Verdict.AGREES] * 2


def test_without_a_key_it_is_not_signed(runtime: Runtime) -> None:
    assert audited(runtime, run(runtime)).signature is None


class TestStart:
    @staticmethod
    def fail(_: WorkerSettings) -> dict[str, Callable[[], FakeEncoder]]:
        pytest.fail("models are loaded although the key is none")

    def test_a_key_that_is_none_keeps_the_worker_from_starting(self, settings: WorkerSettings, tmp_path: Path) -> None:
        path = tmp_path / "key.pem"
        path.write_text("no key")
        path.chmod(0o600)
        with pytest.raises(KeyFileError, match=r"key\.pem has no private key in PEM form \(`fixlip audit keygen`"):
            run_worker(settings.model_copy(update={"signing_key_file": path}), loads=self.fail)

    def test_the_setting_is_a_path(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FIXLIP_SIGNING_KEY_FILE", "/run/secrets/fixlip.pem")
        assert WorkerSettings().signing_key_file == Path("/run/secrets/fixlip.pem")
