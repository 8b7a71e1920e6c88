"""What ``fixlip verify`` does: reads the files that it was given, and computes again what it can."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from fixlip.errors import CommandError
from fixlip_core.audit.checks import Check, Verdict, Verification
from fixlip_core.audit.recomputing import recompute
from fixlip_core.audit.record import AuditRecord
from fixlip_core.audit.signing import PublicKey
from fixlip_core.audit.verifying import verify_image, verify_record, verify_result
from fixlip_core.defaults import DEFAULT_MODEL
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.explanation import Explanation
from fixlip_core.threads import ONE_BLAS_THREAD

__all__ = ["Place", "verification"]

_NPZ: Final = "interactions.npz"
_FEW_THREADS: Final = 2


@dataclass(frozen=True, slots=True)
class Place:
    """Where a model comes from that computes again, and where it runs.

    Attributes:
        model: what is to be loaded, see :func:`fixlip_core.load_encoder`; None: what the record names, if anybody may.
        models_file: the operator's models, where the recorded one is among them.
        device: ``cpu``, ``cuda`` or ``cuda:1``; None: the recorded one, or the CPU where there is none.
    """

    model: str | None = None
    models_file: Path | None = None
    device: str | None = None


def verification(
    path: Path, *, image: Path | None, result: Path | None, public_key: Path | None, place: Place | None
) -> Verification:
    """What is to be said of a record.

    Args:
        path: the record.
        image: the image, where there is one.
        result: the tensor; None: the one beside the record, if there is one.
        public_key: the key that must have signed it; None: none need have.
        place: how to compute again; None: not at all.

    Raises:
        CommandError: a file cannot be read, or there is no model to compute again with.
        FixlipError: the record or the key is none, or the model cannot be loaded.
    """
    record, found = verify_record(_read(path), public_key=PublicKey.read(public_key) if public_key else None)
    checks = list(found)
    if record is None:
        return Verification(checks)
    result = result or _if_there(path.parent / _NPZ)
    explanation = picture = None
    if result is not None:
        check, explanation = verify_result(record, _read(result))
        checks.append(check)
    if image is not None:
        check, picture = verify_image(record, _read(image))
        checks.append(check)
    if place is None:
        return _without_values(checks, Verdict.SKIPPED, "were not computed again, as --no-recompute asks")
    if Verdict.DISAGREES in {check.verdict for check in checks}:
        return _without_values(checks, Verdict.SKIPPED, "were not computed again, for the inputs are not certain")
    if picture is None:
        return _without_values(checks, Verdict.UNKNOWN, "cannot be computed again without the image: give --image")
    again = _computed_again(record, picture, explanation, place)
    return Verification([*checks, *again.checks], again.differences)


def _without_values(checks: list[Check], verdict: Verdict, reason: str) -> Verification:
    return Verification([*checks, Check("values", verdict, f"they {reason}")])


def _computed_again(
    record: AuditRecord, picture: Image.Image, explanation: Explanation | None, place: Place
) -> Verification:
    try:
        from worker.auditing import AUDITED_PACKAGES

        encoder = _recorded_encoder(record, place)
    except ModuleNotFoundError as error:
        raise CommandError(
            f"to compute again needs more packages ({error.name}): pip install 'fixlip[worker]', or --no-recompute"
        ) from error
    # As in a worker: sums of another number of threads may have other last bits.
    with ONE_BLAS_THREAD, _progress() as progress:
        return recompute(record, encoder, picture, recorded=explanation, packages=AUDITED_PACKAGES, progress=progress)


def _recorded_encoder(record: AuditRecord, place: Place) -> DualEncoder:
    """The model of the record, in its precision, with as many threads."""
    import torch

    import fixlip_core
    from worker.models_file import load_model, read_models_file

    environment, name = record.environment, record.model.id
    is_on_gpu = environment.device.startswith("cuda") and torch.cuda.is_available()
    device = place.device or ("cuda" if is_on_gpu else "cpu")
    torch.set_num_threads(min(environment.threads, max(_FEW_THREADS, os.cpu_count() or 1)))
    if place.model is None and place.models_file is not None:
        entry = read_models_file(place.models_file).get(name)
        if entry is None:
            raise CommandError(f"{place.models_file} has no model {name!r}, which the record names")
        return load_model(entry, file=place.models_file, device=device, precision=environment.precision)
    return fixlip_core.load_encoder(
        place.model or _known(name), device=device, precision=environment.precision, grid=record.model.grid
    )


def _known(name: str) -> str:
    """The name of a model, if a record may name it.

    A record is somebody else's file: it must not have this machine fetch, or unpack, weights of its choice.
    """
    from fixlip_core.encoders.sources import is_published

    if name == DEFAULT_MODEL or is_published(name):
        return name
    raise CommandError(
        f"the record's model is {name!r}, which may be anything: say what to load with --model or --models-file"
    )


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar of forward passes on standard error."""
    columns = (TextColumn("computing"), BarColumn(), MofNCompleteColumn(), TextColumn("forward passes"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda completed, total: bar.update(task, completed=completed, total=total)


def _if_there(path: Path) -> Path | None:
    return path if path.is_file() else None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from error
