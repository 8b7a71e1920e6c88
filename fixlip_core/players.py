"""The players of the game: image patches, row-major, then the caption's content tokens."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Players"]


@dataclass(frozen=True, slots=True)
class Players:
    """Who plays: the patches of a ``grid`` of (rows, columns), then ``tokens`` as readable text.

    CLS, BOS and EOS are always present and are no players.
    """

    grid: tuple[int, int]
    tokens: tuple[str, ...]

    @property
    def n_patches(self) -> int:
        """Number of image players."""
        return self.grid[0] * self.grid[1]

    @property
    def n_tokens(self) -> int:
        """Number of text players."""
        return len(self.tokens)

    def __len__(self) -> int:
        return self.n_patches + self.n_tokens

    def is_patch(self, player: int) -> bool:
        """Whether ``player`` is a patch rather than a token."""
        return player < self.n_patches

    def position(self, player: int) -> tuple[int, int]:
        """(row, column) of a patch."""
        return divmod(player, self.grid[1])

    def label(self, player: int) -> str:
        """A token's text, or ``r3c5`` for the patch in row 3 and column 5, both from 0."""
        if not self.is_patch(player):
            return self.tokens[player - self.n_patches]
        row, column = self.position(player)
        return f"r{row}c{column}"
