"""Captions checked and split into content tokens, without loading a model."""

from __future__ import annotations

from fixlip_core.defaults import MAX_CAPTION_CHARACTERS
from fixlip_core.encoders.cleaning import clean
from fixlip_core.encoders.tokenizer import CLIP_BPE, CaptionTokens, TokenizerName, load_tokenizer
from fixlip_core.errors import InvalidCaptionError

__all__ = ["clean_caption", "content_tokens", "tokenize_caption"]


def clean_caption(caption: str, *, tokenizer: str = CLIP_BPE) -> str:
    """The caption as a model with this tokenizer reads it.

    This is open_clip's own cleaning, so that the tokens are the model's: text repaired, entities decoded, white space
    folded; for CLIP also lower case, for SigLIP lower case and no punctuation.

    Args:
        caption: any text with at least one letter or digit.
        tokenizer: a tokenizer's name, from the model's card; its file need not be on this machine.

    Raises:
        InvalidCaptionError: the caption is empty, has no letter or digit, or too many characters.
    """
    if len(caption) > MAX_CAPTION_CHARACTERS:
        raise InvalidCaptionError(
            f"the caption has {len(caption)} characters; at most {MAX_CAPTION_CHARACTERS} are accepted",
            code="caption_too_long",
        )
    if not caption.strip():
        raise InvalidCaptionError("the caption is empty; it needs at least one word", code="caption_empty")
    text = clean(caption, TokenizerName.parse(tokenizer).cleaning)
    if not any(character.isalnum() for character in text):
        raise _without_words()
    return text


def tokenize_caption(caption: str, *, tokenizer: str, max_tokens: int) -> CaptionTokens:
    """The caption's content tokens, ids and readable text, for a model with this tokenizer.

    Args:
        caption: any text with at least one letter or digit.
        tokenizer: a tokenizer's name, from the model's card.
        max_tokens: longest caption in content tokens, from the model's card.

    Raises:
        InvalidCaptionError: the caption is empty, has no letter or digit, is too long, or has in it what the tokenizer
            reads as the end of a caption.
        TokenizerNotFoundError: the tokenizer is a file that is not on this machine. All checks but that of the number
            of tokens have then been made.
        UnsupportedModelError: there is no such tokenizer.
    """
    text = clean_caption(caption, tokenizer=tokenizer)
    loaded = load_tokenizer(tokenizer)
    tokens = loaded.encode(text)
    if not tokens.ids:
        raise _without_words()
    if not set(tokens.ids).isdisjoint({*loaded.before, *loaded.after}):
        # Unigram vocabularies have the marks among their pieces.
        raise InvalidCaptionError("the caption spells out a mark of the model's tokenizer", code="caption_has_marks")
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
        TokenizerNotFoundError: as :func:`tokenize_caption`.
        UnsupportedModelError: as :func:`tokenize_caption`.
    """
    return tokenize_caption(caption, tokenizer=tokenizer, max_tokens=max_tokens).texts


def _without_words() -> InvalidCaptionError:
    return InvalidCaptionError(
        "the caption has no words; it needs at least one letter or digit", code="caption_without_words"
    )
