"""The players of the game: parts of the image, then parts of the caption."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fixlip_core.errors import InvalidParameterError
from fixlip_core.types import FloatArray, IntArray

__all__ = ["Players"]


@dataclass(frozen=True, slots=True)
class Players:
    """Who plays: the patches of a ``grid``, or regions made of them, then ``tokens`` as readable text.

    CLS, BOS and EOS are always present and are no players.

    Attributes:
        grid: (rows, columns) of patches.
        tokens: texts of the caption's players: tokens, or words.
        regions: empty where every patch is a player; else the image player of every patch, row-major, from 0.
        region_labels: what the regions are called; by default ``region 0``, ``region 1`` and so on.

    Raises:
        InvalidParameterError: ``regions`` does not give every patch of the grid a player, or leaves a number out, or
            there is not one of ``region_labels`` for each.
    """

    grid: tuple[int, int]
    tokens: tuple[str, ...]
    regions: tuple[int, ...] = ()
    region_labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.region_labels and len(self.region_labels) != len(set(self.regions)):
            raise InvalidParameterError(
                f"region_labels must be one for each of the {len(set(self.regions))} regions, "
                f"not {len(self.region_labels)}",
                field="region_labels",
            )
        if not self.regions:
            return
        if len(self.regions) != self.n_patches:
            raise InvalidParameterError(
                f"regions must have one number for each of the {self.n_patches} patches, not {len(self.regions)}",
                field="regions",
            )
        # Not up to their maximum, which may be anything.
        if (numbers := set(self.regions)) != set(range(len(numbers))):
            raise InvalidParameterError("regions must be numbered from 0 without gaps", field="regions")

    @property
    def n_patches(self) -> int:
        """Number of patches, whoever plays them."""
        return self.grid[0] * self.grid[1]

    @property
    def n_image(self) -> int:
        """Number of image players: patches or regions."""
        return max(self.regions) + 1 if self.regions else self.n_patches

    @property
    def n_text(self) -> int:
        """Number of text players: tokens or words."""
        return len(self.tokens)

    def __len__(self) -> int:
        return self.n_image + self.n_text

    @property
    def owners(self) -> IntArray:
        """(patches,) the image player of every patch, row-major."""
        return np.array(self.regions) if self.regions else np.arange(self.n_patches)

    def is_image(self, player: int) -> bool:
        """Whether ``player`` is a part of the image rather than of the caption."""
        return player < self.n_image

    def position(self, player: int) -> tuple[int, int]:
        """(row, column) of a patch; of a region, the patch of its own that is nearest to its middle."""
        if not self.regions:
            return divmod(player, self.grid[1])
        places = np.argwhere(self.owners.reshape(self.grid) == player)
        row, column = places[np.square(places - places.mean(axis=0)).sum(axis=1).argmin()].tolist()
        return row, column

    def label(self, player: int) -> str:
        """A text player's text; ``r3c5`` for the patch in row 3 and column 5, from 0; or the region's label."""
        if not self.is_image(player):
            return self.tokens[player - self.n_image]
        if self.regions:
            return self.region_labels[player] if self.region_labels else f"region {player}"
        row, column = self.position(player)
        return f"r{row}c{column}"

    def spread(self, values: FloatArray) -> FloatArray:
        """(rows, columns) the value of every patch's player, from the (n_image,) values of the players."""
        return np.asarray(np.asarray(values)[self.owners].reshape(self.grid))
