"""Does the same computation give the same values? Runs the model."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from fixlip_core.audit.checks import Check, Verdict, Verification
from fixlip_core.audit.comparing import (
    DRAW_ON_DEVICE,
    SCORE_TOLERANCE,
    TOLERANCE,
    differences_between,
    differing_member,
    distance,
    has_steady_bits,
    is_near,
)
from fixlip_core.audit.digests import values_sha256
from fixlip_core.audit.environment import environment_of
from fixlip_core.audit.record import AuditRecord, AuditValues
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.evaluation import evaluate
from fixlip_core.explanation import Explanation
from fixlip_core.methods import Progress, get_method, parse_parameters

__all__ = ["recompute"]


def recompute(
    record: AuditRecord,
    encoder: DualEncoder,
    image: Image.Image,
    *,
    recorded: Explanation | None = None,
    packages: Sequence[str] = ("fixlip_core",),
    progress: Progress | None = None,
) -> Verification:
    """Compute an explanation and its scores again, and compare.

    On the same device with the same code, libraries, precision and threads, up to two threads of a CPU in fp32, values
    and scores must be the same to the last bit. Elsewhere they must be within
    :data:`~fixlip_core.audit.comparing.TOLERANCE` and :data:`~fixlip_core.audit.comparing.SCORE_TOLERANCE`.

    Args:
        record: the record.
        encoder: its model.
        image: its picture.
        recorded: its values, which are needed where the new ones are not the same to the last bit.
        packages: those of this project's packages whose sources count.
        progress: called between batches with (completed, total) forward passes; what it raises stops the work.

    Raises:
        InputError: the model or the method cannot explain this pair in the recorded way.
        UnsupportedModelError: the method reads attention, which this model does not show.
    """
    card = encoder.card
    if card.weights_sha256 != record.model.weights_sha256:
        detail = f"the weights here have the digest {card.weights_sha256}, not {record.model.weights_sha256}"
        return Verification([Check("model", Verdict.DISAGREES, detail)])
    model = Check("model", Verdict.AGREES, f"its weights have the digest {card.weights_sha256}")
    here = environment_of(card, packages=packages)
    differences = differences_between(record.environment, here)
    spec = get_method(record.method.name)
    parameters = parse_parameters(spec.parameters, record.method.params)
    again = spec.run(encoder, image, record.input.caption, parameters, progress)
    is_exact = not differences and has_steady_bits(record.environment)
    checks = [model]
    if not is_exact and spec.name in DRAW_ON_DEVICE and _kind(here.device) != _kind(record.environment.device):
        detail = f"{spec.name} draws its noise on the device, and another kind of device draws other noise"
        return Verification([*checks, Check("values", Verdict.UNKNOWN, detail)], differences)
    checks.append(_compare_values(record, again, recorded, is_exact=is_exact))
    if record.method.evaluate:
        checks.append(_compare_scores(record, encoder, image, again, progress, is_exact=is_exact))
    return Verification(checks, differences)


def _kind(device: str) -> str:
    """``cpu`` or ``cuda``."""
    return device.partition(":")[0]


def _compare_values(record: AuditRecord, again: Explanation, recorded: Explanation | None, *, is_exact: bool) -> Check:
    found = AuditValues.of(again, sha256=values_sha256(again))
    has_same_bits = found.sha256 == record.values.sha256
    precision = record.environment.precision
    tolerance = 0.0 if has_same_bits or is_exact else TOLERANCE[precision]
    if other := differing_member(record.values, found, tolerance):
        return Check("values", Verdict.DISAGREES, other)
    if has_same_bits:
        return Check("values", Verdict.AGREES, "they are the same to the last bit")
    if recorded is None:
        verdict = Verdict.DISAGREES if is_exact else Verdict.UNKNOWN
        return Check("values", verdict, "they are not the same to the last bit; give the result to see how near")
    apart = distance(recorded, again)
    measured = f"they differ by up to {apart:.1e} of the largest value"
    if is_exact:
        return Check("values", Verdict.DISAGREES, f"{measured}; all else is as it was, and the bits should be too")
    verdict = Verdict.AGREES if apart <= tolerance else Verdict.DISAGREES
    return Check("values", verdict, f"{measured}; {precision} allows {tolerance:g}")


def _compare_scores(
    record: AuditRecord,
    encoder: DualEncoder,
    image: Image.Image,
    again: Explanation,
    progress: Progress | None,
    *,
    is_exact: bool,
) -> Check:
    caption, seed = record.input.caption, record.method.seed or 0
    metrics = record.method.evaluate
    evaluation = evaluate(encoder, image, caption, again, metrics, seed=seed, progress=progress)
    scores = {(score.metric, score.name): score for score in evaluation.scores}
    tolerance = 0.0 if is_exact else SCORE_TOLERANCE[record.environment.precision]
    for recorded in record.scores:
        score = scores.pop((recorded.metric, recorded.name), None)
        if score is None or not is_near(recorded.value, score.value, tolerance):
            here = "not there" if score is None else f"{score.value:.6g}"
            detail = f"{recorded.metric}.{recorded.name} was {recorded.value}, and is {here}; {tolerance:g} is allowed"
            return Check("scores", Verdict.DISAGREES, detail)
    if scores:
        metric, name = next(iter(scores))
        return Check("scores", Verdict.DISAGREES, f"{metric}.{name} is not in the record")
    how = f"within {tolerance:g}" if tolerance else "to the last bit"
    return Check("scores", Verdict.AGREES, f"all {len(record.scores)} are the same {how}")
