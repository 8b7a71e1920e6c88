"""The cooperative game of FIxLIP: its players are patches and tokens, its value the similarity of the masked pair."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from fixlip_core.captions import clean_caption, tokenize_caption
from fixlip_core.encoders.protocol import DualEncoder, ImageRemoval, TextRemoval
from fixlip_core.errors import InvalidParameterError
from fixlip_core.frames import Frame, frame_of_view
from fixlip_core.grouping import expand, regions_from_boxes, regions_from_labels, words_of
from fixlip_core.images import upright_size
from fixlip_core.players import Players
from fixlip_core.types import Coalitions, Embeddings, FloatArray, ImageArray, ImageInput

__all__ = ["SimilarityGame"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarityGame:
    """v(x) = scale * <a(x_I), b(x_T)> + bias, with a and b the towers' unit embeddings of what is present.

    Build it with :meth:`of`.

    Attributes:
        encoder: the two towers.
        view: (H, W, 3) uint8, what the model sees of the image.
        image_size: (width, height) of the image.
        frame: the part of the image that the view shows.
        caption: the caption.
        players: patches or regions, then tokens or words.
        token_owners: the text player, from 0, that plays each token.
        scale: t: the model's logit scale, or 1 for the cosine.
        bias: the model's logit bias, or 0 for the cosine.
        image_removal: what stands in for a removed patch.
        text_removal: what removes a token.
        on_passes: called with the number of passes after each batch; what it raises stops the evaluation.
    """

    encoder: DualEncoder
    view: ImageArray
    image_size: tuple[int, int]
    frame: Frame
    caption: str
    players: Players
    token_owners: tuple[int, ...]
    scale: float
    bias: float
    image_removal: ImageRemoval = "zero"
    text_removal: TextRemoval = "mask"
    on_passes: Callable[[int], None] = field(default=lambda _: None)

    @classmethod
    def of(
        cls,
        encoder: DualEncoder,
        image: ImageInput,
        caption: str,
        *,
        score: str = "logit",
        image_removal: ImageRemoval = "zero",
        text_removal: TextRemoval | None = None,
        regions: Sequence[Sequence[int]] | None = None,
        boxes: Sequence[Sequence[float]] | None = None,
        text_players: str = "token",
        on_passes: Callable[[int], None] = lambda _: None,
    ) -> SimilarityGame:
        """The game of a pair.

        Args:
            encoder: the two towers.
            image: the image.
            caption: the caption.
            score: ``logit`` or ``cosine``: what v measures.
            image_removal: what stands in for a removed patch.
            text_removal: what removes a token; by default the encoder's own first way.
            regions: (h, w) label map over ``image``: its labels are the image players.
            boxes: (left, top, right, bottom) in pixels of ``image``: these, and the rest, are the image players.
            text_players: ``token`` or ``word``.
            on_passes: called with the number of passes after each batch; what it raises stops the evaluation.

        Raises:
            InvalidImageError: ``image`` is no picture.
            InvalidCaptionError: the caption cannot be used with this model.
            InvalidParameterError: another argument is not one of those above, or the encoder cannot do it.
        """
        if score not in ("logit", "cosine"):
            raise InvalidParameterError(f"score must be logit or cosine, not {score!r}", field="score")
        card = encoder.card
        scale, bias = (card.logit_scale, card.logit_bias) if score == "logit" else (1.0, 0.0)
        size = upright_size(image)
        players, owners = _players(encoder, size, caption, regions, boxes, text_players)
        return cls(
            encoder=encoder,
            view=encoder.view(image),
            image_size=size,
            frame=frame_of_view(encoder, size),
            caption=caption,
            players=players,
            token_owners=owners,
            scale=scale,
            bias=bias,
            image_removal=image_removal,
            text_removal=_text_removal(encoder, text_removal),
            on_passes=on_passes,
        )

    def image_embeddings(self, coalitions: Coalitions) -> Embeddings:
        """(m, D) float32: the image under (m, image players) coalitions."""
        units = expand(coalitions, self.players.owners.tolist())
        return self._in_batches(
            lambda rows: self.encoder.encode_images(self.view, rows, removal=self.image_removal),
            units,
            self.encoder.rows_per_call[0],
        )

    def text_embeddings(self, coalitions: Coalitions) -> Embeddings:
        """(m, D) float32: the caption under (m, text players) coalitions."""
        units = expand(coalitions, self.token_owners)
        return self._in_batches(
            lambda rows: self.encoder.encode_texts(self.caption, rows, removal=self.text_removal),
            units,
            self.encoder.rows_per_call[1],
        )

    def value(self, coalitions: Coalitions) -> FloatArray:
        """(m,) float64: v of (m, n) joint coalitions. Equal halves are passed through their tower once."""
        n = self.players.n_image
        images, image_row = np.unique(coalitions[:, :n], axis=0, return_inverse=True)
        texts, text_row = np.unique(coalitions[:, n:], axis=0, return_inverse=True)
        a = self.image_embeddings(images).astype(np.float64)[image_row]
        b = self.text_embeddings(texts).astype(np.float64)[text_row]
        return self.similarity(a, b)

    def similarity(self, a: FloatArray, b: FloatArray) -> FloatArray:
        """(m,) float64: the score of (m, D) image embeddings and (m, D) text embeddings, row by row."""
        return np.asarray(self.scale * np.einsum("md,md->m", a, b) + self.bias, dtype=np.float64)

    def empty_and_full(self) -> tuple[float, float]:
        """v(empty) and v(full): two passes of each tower."""
        n = len(self.players)
        values = self.value(np.stack([np.zeros(n, bool), np.ones(n, bool)]))
        return float(values[0]), float(values[1])

    def _in_batches(self, encode: Callable[[Coalitions], Embeddings], coalitions: Coalitions, rows: int) -> Embeddings:
        parts = []
        for start in range(0, len(coalitions), rows):
            batch = coalitions[start : start + rows]
            parts.append(encode(batch))
            self.on_passes(len(batch))
        return np.concatenate(parts) if parts else np.empty((0, self.encoder.card.embed_dim), np.float32)


def _players(
    encoder: DualEncoder,
    size: tuple[int, int],
    caption: str,
    regions: Sequence[Sequence[int]] | None,
    boxes: Sequence[Sequence[float]] | None,
    text_players: str,
) -> tuple[Players, tuple[int, ...]]:
    """The players, and the text player of every token."""
    units = encoder.players(caption)
    tokens, owners = units.tokens, tuple(range(units.n_text))
    if text_players == "word":
        card = encoder.card
        text = clean_caption(caption, tokenizer=card.tokenizer)
        spans = tokenize_caption(caption, tokenizer=card.tokenizer, max_tokens=card.max_tokens).spans
        owners, tokens = words_of(text, spans)
    elif text_players != "token":
        raise InvalidParameterError(f"text_players must be token or word, not {text_players!r}", field="text_players")
    if regions is None and boxes is None:
        return Players(units.grid, tokens), owners
    if regions is not None and boxes is not None:
        raise InvalidParameterError("give regions or boxes, not both", field="boxes")
    source = encoder.source_of_view(size)
    if regions is not None:
        grouped = regions_from_labels(regions, source, units.grid, image_size=size)
    else:
        grouped = regions_from_boxes(boxes or (), source, units.grid)
    return Players(units.grid, tokens, *grouped), owners


def _text_removal(encoder: DualEncoder, asked: TextRemoval | None) -> TextRemoval:
    known = encoder.text_removals
    if asked is not None and asked not in known:
        raise InvalidParameterError(
            f"model {encoder.card.id!r} removes tokens by {' or '.join(known)}, not by {asked!r}", field="text_removal"
        )
    return known[0] if asked is None else asked
