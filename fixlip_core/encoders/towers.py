"""The two towers of an encoder, taken apart: what enters the blocks, the blocks, and what is made of their output.

States are (m, L, W): m inputs, L positions, width W. A tower that pools one position (CLS, EOS) asks the last block for
that position alone, which changes no value and saves most of the block.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from fixlip_core.encoders.blocks import Attend, Block, fused
from fixlip_core.encoders.pictures import Pictures
from fixlip_core.encoders.tokenizer import TokenLine
from fixlip_core.types import ImageArray

__all__ = ["ImageTower", "TextLine", "TextTower", "unit"]


@dataclass(frozen=True, eq=False)
class ImageTower:
    """A vision transformer over the patches of a view.

    Attributes:
        pictures: the model's image transform.
        blocks: its blocks.
        readout: position that is pooled, or None where the output is pooled from all positions.
        first_patch: position of the first patch; those before it are class and register tokens.
        embed: (m, 3, H, W) pixels to (m, patches, W); every patch by itself.
        enter: embedded patches to the state (m, L, W) that enters the first block.
        head: (m, L or 1, W) output of the last block to (m, D) embeddings, not normalised; it calls the attention
            once more, with one query, where it pools by attention.
        device: where the weights are.
        dtype: of the pixels that ``embed`` takes.
        merge_pool: (m, heads, 1, d) attended values of the attention pool to (m, 1, W), its output projection; None
            where there is no such pool.
    """

    pictures: Pictures
    blocks: tuple[Block, ...]
    readout: int | None
    first_patch: int
    embed: Callable[[Tensor], Tensor]
    enter: Callable[[Tensor], Tensor]
    head: Callable[[Tensor, Attend], Tensor]
    device: torch.device
    dtype: torch.dtype
    merge_pool: Callable[[Tensor], Tensor] | None = None

    def patches(self, pixels: Tensor) -> Tensor:
        """(m, patches, W) embedded patches of (m, 3, H, W) normalised pixels."""
        return self.embed(pixels.to(self.device, self.dtype))

    def state(self, view: ImageArray) -> Tensor:
        """(1, L, W) input of the first block, all patches present."""
        return self.enter(self.patches(self.pictures.pixels(view)))

    def zero_state(self, view: ImageArray) -> Tensor:
        """(1, L, W) the same of the zero image: zero after normalisation, of the size of ``view``."""
        return self.enter(self.patches(self.pictures.baseline(view, "zero")))

    def run(self, x: Tensor, *, start: int = 0, stop: int, attend: Attend = fused) -> Tensor:
        """(m, L, W) input of block ``stop`` from that of block ``start``."""
        return _run(self.blocks[start:stop], x, None, attend)

    def finish(self, x: Tensor, *, start: int = 0, attend: Attend = fused) -> Tensor:
        """(m, D) embeddings, not normalised, from the input of block ``start``."""
        return self.head(_finish(self.blocks[start:], x, None, attend, self.readout), attend)


@dataclass(frozen=True, slots=True)
class TextLine:
    """A caption as the text tower reads it.

    Attributes:
        ids: (L,) vocabulary ids, marks and padding among them.
        content: positions of the content tokens, which are the units that can be removed.
        readout: position that is pooled.
    """

    ids: tuple[int, ...]
    content: tuple[int, ...]
    readout: int


@dataclass(frozen=True, eq=False)
class TextTower:
    """A transformer over the tokens of a caption.

    Attributes:
        frame: a caption to its line over the whole context.
        blocks: its blocks.
        causal: whether a position sees only those before it.
        pad_id: id of the padding token, which also stands in for replaced tokens.
        masks_padding: whether padding is seen by nobody.
        pools: ids (L,) to the position that is pooled.
        embedding: ids to (..., W) vectors.
        positions: (context, W) position embeddings.
        head: (m, 1, W) output of the last block at the pooled position to (m, D) embeddings, not normalised.
        device: where the weights are.
        dtype: of the states.
    """

    frame: Callable[[str], TokenLine]
    blocks: tuple[Block, ...]
    causal: bool
    pad_id: int
    masks_padding: bool
    pools: Callable[[Sequence[int]], int]
    embedding: Callable[[Tensor], Tensor]
    positions: Tensor
    head: Callable[[Tensor], Tensor]
    device: torch.device
    dtype: torch.dtype

    def line(self, caption: str) -> TextLine:
        """The caption's line. A causal tower is run to the pooled position only: what follows cannot matter.

        Raises:
            InvalidCaptionError: the caption is empty, without words or too long.
        """
        whole = self.frame(caption)
        readout = self.pools(whole.ids)
        end = max(readout, *whole.content) + 1 if self.causal else len(whole.ids)
        return TextLine(whole.ids[:end], whole.content, readout)

    def state(self, line: TextLine) -> Tensor:
        """(1, L, W) input of the first block, all tokens present."""
        return self._enter(line.ids)

    def replaced_state(self, line: TextLine) -> Tensor:
        """(1, L, W) the same with every content token replaced by padding; marks stay where they are."""
        content = set(line.content)
        return self._enter([self.pad_id if at in content else token for at, token in enumerate(line.ids)])

    def run(
        self,
        x: Tensor,
        *,
        line: TextLine,
        start: int = 0,
        stop: int,
        mask: Tensor | None = None,
        attend: Attend = fused,
    ) -> Tensor:
        """(m, L, W) input of block ``stop`` from that of block ``start``; the rest as for :meth:`finish`."""
        return _run(self.blocks[start:stop], x, self.mask(line) if mask is None else mask, attend)

    def finish(
        self, x: Tensor, *, line: TextLine, start: int = 0, mask: Tensor | None = None, attend: Attend = fused
    ) -> Tensor:
        """(m, D) embeddings, not normalised, from the input of block ``start``.

        Args:
            x: (m, L, W) states.
            line: the caption.
            start: index of the first block to run.
            mask: (m, 1, L, L) what of :meth:`mask` with coalitions gave; by default every token is present.
            attend: the attention.
        """
        mask = self.mask(line) if mask is None else mask
        return self.head(_finish(self.blocks[start:], x, mask, attend, line.readout))

    def mask(self, line: TextLine, present: Tensor | None = None, *, replaced: bool = False) -> Tensor | None:
        """(1 or m, 1, L, L) bool: which keys each query may see; None: all, whatever is present.

        Args:
            line: the caption.
            present: (m, n) bool, the tokens present in each coalition; None: all are.
            replaced: absent tokens are replaced by padding, rather than masked.
        """
        if not self.masks(line, replaced=replaced or present is None):
            return None
        length = len(line.ids)
        keys = torch.ones(1, length, dtype=torch.bool, device=self.device)
        if self.masks_padding:
            keys = (torch.tensor(line.ids, device=self.device) != self.pad_id)[None]
        if present is not None and self._hides_absent(replaced=replaced):
            keys = keys.repeat(len(present), 1)
            keys[:, list(line.content)] &= present
        mask = keys[:, None, None, :].expand(-1, 1, length, -1)
        return mask & torch.ones(length, length, dtype=torch.bool, device=self.device).tril() if self.causal else mask

    def masks(self, line: TextLine, *, replaced: bool) -> bool:
        """Whether there are keys that some query may not see, in some coalition of tokens masked or replaced."""
        hides_padding = self.masks_padding and self.pad_id in line.ids
        return self.causal or hides_padding or self._hides_absent(replaced=replaced)

    def _hides_absent(self, *, replaced: bool) -> bool:
        return not replaced or self.masks_padding

    def _enter(self, ids: Sequence[int]) -> Tensor:
        embedded = self.embedding(torch.tensor(list(ids), device=self.device)).to(self.dtype)
        return (embedded + self.positions[: len(ids)].to(self.dtype))[None]


def _run(blocks: Sequence[Block], x: Tensor, mask: Tensor | None, attend: Attend) -> Tensor:
    for block in blocks:
        x = block(x, mask=mask, attend=attend)
    return x


def _finish(blocks: Sequence[Block], x: Tensor, mask: Tensor | None, attend: Attend, readout: int | None) -> Tensor:
    """(m, L, W) output of the last block; of the pooled position alone, (m, 1, W), where there is one."""
    if readout is None:
        return _run(blocks, x, mask, attend)
    if not blocks:
        return x[..., readout, :].unsqueeze(-2)
    x = _run(blocks[:-1], x, mask, attend)
    row = None if mask is None else mask[..., readout, :].unsqueeze(-2)
    return blocks[-1](x, mask=row, attend=attend, row=readout)


def unit(embeddings: Tensor) -> Tensor:
    """(m, D) float32: rows of unit length."""
    return F.normalize(embeddings.float(), dim=-1)
