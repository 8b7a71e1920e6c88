"""What ``fixlip show`` shows: where the explanation comes from, whom of its players it is about, and its JSON."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console

from fixlip.client import Client, JobNotSucceededError, NotFoundError
from fixlip.errors import CommandError
from fixlip.reporting import goes_on, show_progress
from fixlip.terminal.portrait import Portrait, entries_of
from fixlip_core.explanation import Explanation
from fixlip_core.formats import from_npz_bytes
from fixlip_core.images import decode_image, to_rgb
from fixlip_core.types import ImageArray

__all__ = ["Shown", "decoded", "document_of", "player_of", "read_explanation"]

_FILES: Final = (".npz", ".json")


@dataclass(frozen=True, slots=True)
class Shown:
    """An explanation, and the view that the model saw where that is known."""

    explanation: Explanation
    image: ImageArray | None = None


def read_explanation(
    what: str, service: Callable[[], AbstractContextManager[Client]], *, picture: bool = True
) -> Shown:
    """The explanation in a file, or of a job, which is waited for with a bar.

    Args:
        what: a path or a job's id.
        service: where jobs are.
        picture: whether a job's picture is wanted too.

    Raises:
        CommandError: there is no such file, the service has no such job, or it did not succeed.
        FormatError: the file is something else.
    """
    path = Path(what)
    if os.path.isfile(path):  # noqa: PTH113  Path.is_file fails where a name is too long for one
        return Shown(Explanation.load(path))
    if path.suffix in _FILES or len(path.parts) > 1:
        raise CommandError(f"there is no file {what}")
    console = Console(stderr=True)
    with service() as client:
        try:
            job = client.get(what)
        except NotFoundError as error:
            raise CommandError(f"{what} is neither a file nor a job: {error}") from error
        if not job.is_final:
            with goes_on(console, job, url=client.url):
                job = show_progress(console, job, client.follow(job))
        elif not job.has_succeeded:
            raise JobNotSucceededError(job)
        explanation = from_npz_bytes(client.interactions_npz(job))
        return Shown(explanation, decoded(client.view(job)) if picture else None)


def decoded(data: bytes) -> ImageArray:
    """(h, w, 3) the pixels of an image file.

    Raises:
        InvalidImageError: it is none, or too large.
    """
    return np.asarray(to_rgb(decode_image(data)))


def player_of(explanation: Explanation, *, word: str | None, patch: str | None) -> int | None:
    """The player that is meant by a word (its text or its number) or a patch (``ROW,COLUMN``); None if none is.

    Raises:
        CommandError: there is no such player, or the explanation has no pairs.
    """
    if word is None and patch is None:
        return None
    if explanation.order == 1:
        raise CommandError("this explanation is of order 1: it has no pairs")
    return _word(explanation, word) if word is not None else _patch(explanation, patch or "")


def document_of(portrait: Portrait) -> str:
    """The explanation's main facts and the rows of the table as JSON; nan is null."""
    explanation = portrait.explanation
    players = explanation.players
    facts = ("method", "index", "order", "p", "score", "baseline", "empty_value", "full_value", "estimated_r2")
    main = explanation.main_effects().tolist()
    document = {
        **{name: getattr(explanation, name) for name in facts},
        "tokens": explanation.tokens,
        "grid": explanation.grid,
        "image_passes": explanation.image_passes,
        "text_passes": explanation.text_passes,
        "words": [
            {"player": i, "text": players.label(i), "main_effect": main[i]}
            for i in range(explanation.n_image, explanation.n_players)
        ],
        "patches": players.spread(np.array(main[: explanation.n_image])).tolist(),
        "top": [{**asdict(entry), "labels": [*map(players.label, entry.players)]} for entry in entries_of(portrait)],
    }
    return json.dumps(_without_nan(document), indent=2, allow_nan=False)


def _word(explanation: Explanation, word: str) -> int:
    tokens = [token.strip().casefold() for token in explanation.tokens]
    found = [index for index, token in enumerate(tokens) if token == word.strip().casefold()]
    if not found and word.isdecimal() and int(word) < len(tokens):
        found = [int(word)]
    if len(found) != 1:
        numbered = ", ".join(f"{index} {token!r}" for index, token in enumerate(explanation.tokens))
        trouble = "there is no word" if not found else "there is more than one"
        raise CommandError(f"{trouble} {word!r}; give the number of one of these tokens: {numbered}")
    return explanation.n_image + found[0]


def _patch(explanation: Explanation, patch: str) -> int:
    rows, columns = explanation.grid
    row, _, column = patch.partition(",")
    if not (row.strip().isdecimal() and column.strip().isdecimal() and int(row) < rows and int(column) < columns):
        raise CommandError(f"--patch is ROW,COLUMN up to {rows - 1},{columns - 1}, counted from 0, not {patch!r}")
    return int(explanation.players.owners[int(row) * columns + int(column)])


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nan(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
