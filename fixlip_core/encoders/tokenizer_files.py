"""Hugging Face tokenizers from the files that ``save_pretrained`` writes, by the ``tokenizers`` package alone.

``tokenizer.json`` has the vocabulary and the marks around a text; ``tokenizer_config.json`` and
``special_tokens_map.json`` beside it, where they are, name the padding and how a line is filled.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from fixlip_core.errors import TokenizerNotFoundError, UnsupportedModelError

__all__ = ["COMPANION_FILES", "TOKENIZER_FILE", "TokenizerFile", "read_tokenizer_file"]

TOKENIZER_FILE = "tokenizer.json"
COMPANION_FILES = ("tokenizer_config.json", "special_tokens_map.json")
_CLASSES_WITH_FLAGS = ("Gemma", "Llama")
_FLAGS = ("add_bos_token", "add_eos_token")
_CLASSES_PADDED_LEFT = ("Gemma",)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizerFile:
    """A ``tokenizer.json`` with what its companions say: see :class:`~fixlip_core.encoders.tokenizer.CaptionTokenizer`.

    ``separator_id`` is the id of the mark between sentences, None where there is none.
    """

    backend: Tokenizer
    before: tuple[int, ...]
    after: tuple[int, ...]
    pad_id: int
    pads_left: bool
    separator_id: int | None


def read_tokenizer_file(path: Path) -> TokenizerFile:
    """Read a tokenizer and the marks that it puts around a text.

    Raises:
        TokenizerNotFoundError: the file is not there, or it or one beside it cannot be read.
        UnsupportedModelError: it has no padding.
    """
    backend, settings = _read(path)
    padding: dict[str, Any] = backend.padding or {}
    backend.no_padding()
    backend.no_truncation()
    before, after = _marks(backend, settings)
    pad_id = _id_of(backend, settings.get("pad_token"))
    pad_id = padding.get("pad_id") if pad_id is None else pad_id
    if pad_id is None:
        raise UnsupportedModelError(f"the tokenizer {path} names no padding, which text towers are fed with")
    # From here on: the marks have been read, and a mark that a caption spells out must stay text.
    backend.encode_special_tokens = True
    side = settings.get("padding_side", "left" if _is_one_of(settings, _CLASSES_PADDED_LEFT) else "right")
    return TokenizerFile(
        backend=backend,
        before=before,
        after=after,
        pad_id=pad_id,
        pads_left=side == "left",
        separator_id=_id_of(backend, settings.get("sep_token")),
    )


def _read(path: Path) -> tuple[Tokenizer, dict[str, Any]]:
    """The tokenizer, and its companions' settings."""
    if not path.is_file():
        raise TokenizerNotFoundError(f"the tokenizer {path} is not there")
    try:
        settings: dict[str, Any] = {}
        for companion in map(path.with_name, COMPANION_FILES):
            if companion.is_file():
                settings = json.loads(companion.read_text(encoding="utf-8")) | settings
        return Tokenizer.from_file(str(path)), settings
    except Exception as error:  # the tokenizers package raises bare exceptions
        raise TokenizerNotFoundError(f"the tokenizer {path} cannot be read: {error}") from error


def _marks(backend: Tokenizer, settings: dict[str, Any]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The ids before and after any text.

    A few classes of ``transformers`` put their own marks in the place of the file's when they load it.
    """
    if _is_one_of(settings, _CLASSES_WITH_FLAGS) and not settings.keys().isdisjoint(_FLAGS):
        begin = _id_of(backend, settings.get("bos_token")) if settings.get("add_bos_token", True) else None
        end = _id_of(backend, settings.get("eos_token")) if settings.get("add_eos_token", False) else None
        return _present(begin), _present(end)
    encoding = backend.encode("a")
    marked = list(zip(encoding.ids, encoding.special_tokens_mask, strict=True))
    return _leading(marked), _leading(reversed(marked))[::-1]


def _leading(marked: Iterable[tuple[int, int]]) -> tuple[int, ...]:
    return tuple(token for token, _ in takewhile(lambda pair: pair[1], marked))


def _present(token: int | None) -> tuple[int, ...]:
    return () if token is None else (token,)


def _id_of(backend: Tokenizer, token: Any) -> int | None:
    """Id of a token that the settings give as its text or as an object with its ``content``."""
    content = token.get("content") if isinstance(token, dict) else token
    return None if content is None else backend.token_to_id(content)


def _is_one_of(settings: dict[str, Any], classes: tuple[str, ...]) -> bool:
    return str(settings.get("tokenizer_class", "")).startswith(classes)
