"""All items of a batch, checked as single submissions are; of a batch with a fault, nothing is queued."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final

from pydantic import ValidationError

from fixlip_core.errors import InputError
from service.access.principal import Principal
from service.backend import Backend
from service.batches.bodies import BatchBody
from service.batches.pictures import BatchPictures, StoredPicture
from service.batches.requests import Asked
from service.jobs.batches.records import BatchItem
from service.jobs.inputs import input_files
from service.jobs.records import JobInput, JobModel
from service.jobs.storage.bundle import Bundle
from service.problems import FieldError, ProblemError, field_errors
from service.questions import question_of
from service.variants import Variant, Variants

__all__ = ["MAX_ERRORS", "check_batch"]

MAX_ERRORS: Final = 32
"""Faults of a batch that are told: it may have thousands."""

_UNPROCESSABLE: Final = 422


def check_batch(backend: Backend, who: Principal, body: BatchBody) -> list[BatchItem]:
    """The items that a body asks for, with their pictures in the store.

    Raises:
        ProblemError: something is wrong with items; ``errors`` names which, and what, of the first faults.
        redis.RedisError: Redis did not answer.
        StorageUnavailableError: a picture cannot be stored.
    """
    check = _Check(backend, who, body)
    items = list(check.items(body))
    if not check.errors and not items:
        check.errors.append(FieldError(field=body.kind, code="too_short", message="a batch needs at least one item"))
    if check.errors:
        told = check.errors[:MAX_ERRORS]
        more = "; and perhaps more" if len(check.errors) > MAX_ERRORS else ""
        detail = "; ".join(f"{entry.field}: {entry.message}" for entry in told) + more
        raise ProblemError(_UNPROCESSABLE, "invalid_request", detail, errors=told)
    return items


class _Check:
    def __init__(self, backend: Backend, who: Principal, body: BatchBody) -> None:
        self.errors: list[FieldError] = []
        self._backend = backend
        self._who = who
        self._variants = Variants(backend.catalogue.cards(), max_budget=backend.settings.max_budget)
        self._maps = body.options.maps
        self._pictures = BatchPictures(backend, who, body.archive)
        self._inputs: dict[tuple[str, bytes], Bundle] = {}
        self._custom_ids: set[str] = set()
        self._bad_ways: set[tuple[str, str | None]] = set()
        self._bad_place = ""

    def items(self, body: BatchBody) -> Iterator[BatchItem]:
        """The items that are right; what is wrong with the others is among the errors."""
        most = self._backend.settings.max_batch_items
        for count, asked in enumerate(self._asked(body), 1):
            if count > most:
                message = f"a batch may have at most {most:,} items"
                self.errors.append(FieldError(field=body.kind, code="too_many_items", message=message))
                return
            item = self._item(asked)
            if item is not None:
                yield item
            if len(self.errors) > MAX_ERRORS:
                return

    def _asked(self, body: BatchBody) -> Iterable[Asked]:
        """What is asked for, line by line; where a line is wrong, its faults are noted, and the next is read."""
        for number, value in enumerate(body.lines):
            place = f"{body.kind}[{number}]"
            try:
                yield from body.asked_by(place, number, value)
            except ValidationError as error:
                self.errors += field_errors(error.errors(include_url=False, include_input=False), within=place)
                if len(self.errors) > MAX_ERRORS:
                    return

    def _item(self, asked: Asked) -> BatchItem | None:
        if asked.place == self._bad_place or (asked.way, asked.model) in self._bad_ways:
            return None
        try:
            if asked.custom_id in self._custom_ids:
                message = f"{asked.custom_id!r} is the name of another item"
                raise InputError(message, field="custom_id", code="custom_id_repeated")
            self._custom_ids.add(asked.custom_id)
            variant = self._variant(asked)
            if variant is None:
                return None
            cost_passes = self._variants.cost_passes(variant, asked.pair.caption, asked.evaluate)
            picture = self._pictures.find(asked.pair)
            self._variants.check_size(variant, picture.size)
        except InputError as error:
            self._bad_place = asked.place  # a pair has the fault in every way that it is to be explained
            self._note(asked.place, error)
            return None
        return self._made(asked, variant, picture, cost_passes)

    def _variant(self, asked: Asked) -> Variant | None:
        """The way that is asked for; None where it is none, which is noted once for all pairs."""
        try:
            return self._variants.find(asked.model, asked.method, asked.params)
        except (InputError, ProblemError) as error:
            if isinstance(error, ProblemError) and error.status != _UNPROCESSABLE:
                raise
            if asked.way:
                self._bad_ways.add((asked.way, asked.model))
            self._note(asked.way or asked.place, error)
            return None

    def _note(self, place: str, error: InputError | ProblemError) -> None:
        if isinstance(error, ProblemError):
            found = error.errors
        else:
            found = [FieldError(field=error.field, code=error.code, message=str(error))]
        for entry in found:
            is_of_all = entry.field == "model" and place.startswith("methods")
            field = "models" if is_of_all else f"{place}.{entry.field}"
            self.errors.append(entry.model_copy(update={"field": field}))

    def _made(self, asked: Asked, variant: Variant, picture: StoredPicture, cost_passes: int) -> BatchItem:
        item = BatchItem(
            custom_id=asked.custom_id,
            pair_id=asked.pair_id or _pair_of(picture, asked.pair.caption),
            model=JobModel(id=variant.card.id, revision=variant.card.revision),
            method=variant.spec.name,
            params=dict(variant.recorded),
            input=JobInput(image_sha256=picture.sha256, caption=asked.pair.caption),
            inputs=self._inputs_of(variant, picture),
            evaluate=asked.evaluate,
            maps=self._maps,
            cost_passes=cost_passes,
            metadata=asked.pair.metadata,
        )
        return item.model_copy(update={"question": question_of(self._who, item, variant.card, picture.plain_sha256)})

    def _inputs_of(self, variant: Variant, picture: StoredPicture) -> Bundle:
        """The stored picture, and with it the parameters where a record has not all of them."""
        if variant.params == variant.recorded:
            return picture.bundle
        key = (picture.plain_sha256, variant.digest)
        if key not in self._inputs:
            files = input_files(self._pictures.read(picture), variant.params, recorded=variant.recorded)
            self._inputs[key] = self._backend.bundles.add(files)
        return self._inputs[key]


def _pair_of(picture: StoredPicture, caption: str) -> str:
    """A name for the pair: the same for the same image and caption."""
    return hashlib.sha256(f"{picture.sha256} {caption}".encode()).hexdigest()[:16]
