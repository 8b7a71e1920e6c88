"""What an answer depends on: two requests with the same question may have the same results."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import metadata
from typing import Final, Protocol

from pydantic import JsonValue
from pydantic_core import to_json

from fixlip_core.encoders.card import ModelCard
from service.access.principal import Principal
from service.jobs.records import JobInput

__all__ = ["RESULTS_VERSION", "Asking", "question_of"]

RESULTS_VERSION: Final = 2
"""To be raised by whoever changes what the same inputs give, or which files: earlier results then answer no more."""


class Asking(Protocol):
    """A job, or an item of a batch that will be one."""

    @property
    def input(self) -> JobInput:
        """The pair."""

    @property
    def method(self) -> str:
        """The method."""

    @property
    def params(self) -> Mapping[str, JsonValue]:
        """Its parameters as a record has them."""

    @property
    def evaluate(self) -> tuple[str, ...]:
        """Metrics that judge the explanation."""

    @property
    def maps(self) -> bool:
        """Whether maps are drawn."""


def question_of(who: Principal, job: Asking, card: ModelCard, plain_sha256: str) -> str:
    """Digest of all that the results of ``job`` depend on, or tell of; ``plain_sha256`` is its stored picture's.

    The file that was sent is among it besides the picture in it, for the results name its digest. The device is not:
    its results may differ in the last digits, but any of a model's workers might have computed them.
    """
    question = {
        "tenant": who.tenant,
        "picture": plain_sha256,
        "input": job.input,
        "model": _model_of(card),
        "method": job.method,
        "params": dict(sorted(job.params.items())),
        "evaluate": job.evaluate,
        "maps": job.maps,
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
