"""A pair as the attribution methods see it: each tower with its input fixed.

The methods give the towers an attention that records or can be differentiated; they hang nothing on the model, ask for
gradients of their own tensors alone, and so leave it as it was, whatever happens and whoever else is using it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from fixlip_core.encoders.blocks import Block
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.encoders.towers import ImageTower, TextTower
from fixlip_core.errors import UnsupportedModelError
from fixlip_core.game import SimilarityGame
from fixlip_core.methods.costs import AttributionCost, Cost, Depths
from fixlip_core.methods.meter import Meter
from fixlip_core.methods.parameters import MethodParameters
from fixlip_core.types import ImageArray, ImageInput

__all__ = ["Pair", "Side", "differentiable", "open_pair"]


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One tower with its input fixed.

    Attributes:
        blocks: the tower's blocks.
        merge_pool: the attention pool's output projection; None where the tower does not pool by attention.
        readout: position that is pooled; None where all are.
        units: positions of the patches or content tokens, in the order of the players.
        state: (1, L, W) input of the first block.
        reference: (1, L, W) input of the first block with nothing to see or read: zero image, padding for content.
        run: the tower's, from states to states.
        finish: the tower's, from states to embeddings.
    """

    blocks: tuple[Block, ...]
    merge_pool: Callable[[Tensor], Tensor] | None
    readout: int | None
    units: tuple[int, ...]
    state: Tensor
    reference: Tensor
    run: Callable[..., Tensor]
    finish: Callable[..., Tensor]

    @classmethod
    def of_image(cls, tower: ImageTower, view: ImageArray, n_patches: int) -> Side:
        """The image tower with a view."""
        return cls(
            blocks=tower.blocks,
            merge_pool=tower.merge_pool,
            readout=tower.readout,
            units=tuple(range(tower.first_patch, tower.first_patch + n_patches)),
            state=tower.state(view),
            reference=tower.zero_state(view),
            run=tower.run,
            finish=tower.finish,
        )

    @classmethod
    def of_text(cls, tower: TextTower, caption: str) -> Side:
        """The text tower with a caption. The reference's marks stay where the caption's are."""
        line = tower.line(caption)
        return cls(
            blocks=tower.blocks,
            merge_pool=None,
            readout=line.readout,
            units=line.content,
            state=tower.state(line),
            reference=tower.replaced_state(line),
            run=partial(tower.run, line=line),
            finish=partial(tower.finish, line=line),
        )

    @property
    def depth(self) -> int:
        """Number of blocks."""
        return len(self.blocks)

    @torch.no_grad()
    def below(self, start: int) -> Tensor:
        """(1, L, W) the input's state where block ``start`` begins; no gradient goes further down."""
        return self.run(self.state, stop=start).detach()

    @torch.no_grad()
    def embedding(self) -> Tensor:
        """(1, D) float32 unit embedding of the input; fixed, without graph."""
        return F.normalize(self.finish(self.state).float(), dim=-1)


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """An image and a caption in their towers, and how they are to be explained.

    Attributes:
        method: name of the method.
        parameters: its parameters.
        score: what v measures, ``logit`` or ``cosine``.
        game: the game of the pair, for its scale and its players.
        image: the image tower with the view.
        text: the text tower with the caption.
        empty_value: v(empty).
        full_value: v(full).
        cost: passes of the explanation.
        meter: to be told of passes as they are made.
    """

    method: str
    parameters: MethodParameters
    score: str
    game: SimilarityGame
    image: Side
    text: Side
    empty_value: float
    full_value: float
    cost: AttributionCost
    meter: Meter

    def facing(self) -> tuple[tuple[Side, Tensor], tuple[Side, Tensor]]:
        """Each side, the image's first, with the (1, D) unit embedding of the other; a pass of each tower."""
        image, text = self.image.embedding(), self.text.embedding()
        self.meter.advance(2)
        return (self.image, text), (self.text, image)


@contextmanager
def differentiable() -> Iterator[None]:
    """Gradients are recorded within, whatever the caller's mode; the mode is this thread's own."""
    with torch.inference_mode(False), torch.enable_grad():
        yield


@torch.no_grad()
def open_pair(
    method: str,
    encoder: DualEncoder,
    image: ImageInput,
    caption: str,
    parameters: MethodParameters,
    progress: Callable[[int, int], None] | None,
    *,
    cost: Cost[AttributionCost],
    score: str,
) -> Pair:
    """Fix a pair in an encoder's towers, and evaluate the empty and the full coalition.

    Raises:
        UnsupportedModelError: the encoder has no towers to look into.
        InvalidImageError: ``image`` is no picture.
        InvalidCaptionError: the caption cannot be used with this model.
    """
    image_tower, text_tower = getattr(encoder, "image_tower", None), getattr(encoder, "text_tower", None)
    if image_tower is None or text_tower is None:
        raise UnsupportedModelError(
            f"method {method!r} looks into transformers, and model {encoder.card.id!r} is not made of two of them"
        )
    meter = Meter(progress)
    game = SimilarityGame.of(encoder, image, caption, score=score, on_passes=meter.advance)
    sides = Side.of_image(image_tower, game.view, game.players.n_patches), Side.of_text(text_tower, caption)
    spent = cost(parameters, game.players.n_image, game.players.n_text, Depths(*(side.depth for side in sides)))
    meter.total = spent.image_passes + spent.text_passes
    empty, full = game.empty_and_full()
    return Pair(method, parameters, score, game, *sides, empty, full, spent, meter)
