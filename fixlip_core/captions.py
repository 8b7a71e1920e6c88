"""Captions checked and split into content tokens, without loading a model."""

from __future__ import annotations

import html

import ftfy

from fixlip_core.defaults import MAX_CAPTION_CHARACTERS
from fixlip_core.encoders.tokenizer import CaptionTokens, load_tokenizer
from fixlip_core.errors import InvalidCaptionError

__all__ = ["clean_caption", "content_tokens", "tokenize_caption"]


def clean_caption(caption: str) -> str:
    """The caption as CLIP-like models read it: text repaired, entities decoded, white space folded, lower case.

    This is open_clip's own cleaning, so that the tokens are the model's.
    """
    repaired = html.unescape(html.unescape(ftfy.fix_text(caption)))
    return " ".join(repaired.split()).lower()


def tokenize_caption(caption: str, *, tokenizer: str, max_tokens: int) -> CaptionTokens:
    """The caption's content tokens, ids and readable text, for a model with this tokenizer.

    Args:
        caption: any text with at least one letter or digit.
        tokenizer: a tokenizer's name, from the model's card.
        max_tokens: longest caption in content tokens, from the model's card.

    Raises:
        InvalidCaptionError: the caption is empty, has no letter or digit, or is too long.
    """
    if len(caption) > MAX_CAPTION_CHARACTERS:
        raise InvalidCaptionError(
            f"the caption has {len(caption)} characters; at most {MAX_CAPTION_CHARACTERS} are accepted",
            code="caption_too_long",
        )
    text = clean_caption(caption)
    if not text:
        raise InvalidCaptionError("the caption is empty; it needs at least one word", code="caption_empty")
    if not any(character.isalnum() for character in text):
        raise InvalidCaptionError(
            "the caption has no words; it needs at least one letter or digit", code="caption_without_words"
        )
    tokens = load_tokenizer(tokenizer).encode(text)
    if len(tokens.ids) > max_tokens:
        raise InvalidCaptionError(
            f"the caption has {len(tokens.ids)} tokens; this model reads at most {max_tokens}",
            code="caption_too_long",
        )
    return tokens


def content_tokens(caption: str, *, tokenizer: str, max_tokens: int) -> tuple[str, ...]:
    """The caption's text players, readable; see :func:`tokenize_caption`.

    Raises:
        InvalidCaptionError: as :func:`tokenize_caption`.
    """
    return tokenize_caption(caption, tokenizer=tokenizer, max_tokens=max_tokens).texts
