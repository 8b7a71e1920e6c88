"""What an answer depends on: two requests with the same question may have the same results."""

from __future__ import annotations

import hashlib
from functools import cache, lru_cache
from importlib import metadata
from typing import Final

from pydantic_core import to_json

from fixlip_core.encoders.card import ModelCard
from service.access.principal import Principal
from service.jobs.records import Job
from service.pictures import Picture

__all__ = ["RESULTS_VERSION", "question_of"]

RESULTS_VERSION: Final = 1
"""To be raised by whoever changes what the same inputs give, or which files: earlier results then answer no more."""


def question_of(who: Principal, job: Job, card: ModelCard, picture: Picture) -> str:
    """Digest of all that the results of ``job`` depend on, or tell of.

    The file that was sent is among it besides the picture in it, for the results name its digest. The device is not:
    its results may differ in the last digits, but any of a model's workers might have computed them.
    """
    question = {
        "tenant": who.tenant,
        "picture": hashlib.sha256(picture.plain).hexdigest(),
        "input": job.input,
        "model": _model_of(card),
        "method": job.method,
        "params": dict(sorted(job.params.items())),
        "versions": [RESULTS_VERSION, _package_version()],
    }
    return hashlib.sha256(to_json(question)).hexdigest()


@lru_cache(maxsize=256)
def _model_of(card: ModelCard) -> str:
    return to_json({name: value for name, value in card.to_dict().items() if name != "device"}).decode()


@cache
def _package_version() -> str | None:
    try:
        return metadata.version("fixlip")
    except metadata.PackageNotFoundError:
        return None
