"""What an explanation's values depend on: enough to compute them again."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import metadata

from fixlip_core.game import SimilarityGame

__all__ = ["Provenance", "provenance"]

Provenance = dict[str, str | int | float | None]
"""JSON scalars by name."""

_PACKAGES = ("fixlip", "numpy", "scipy", "torch", "open_clip_torch")


def provenance(
    game: SimilarityGame,
    *,
    seed: int | None = None,
    budget: int | str | None = None,
    estimator: str | None = None,
    **more: str | int | float | None,
) -> Provenance:
    """The provenance of an explanation of ``game``; every method's has these keys.

    Args:
        game: the pair and its encoder.
        seed: of the method's random numbers; None where it draws none.
        budget: what the caller asked for; None where the method has no budget.
        estimator: the solver; None where the method has none.
        more: what this method alone has to say.
    """
    card = game.encoder.card
    return {
        "model": card.id,
        "model_revision": card.revision,
        "precision": card.precision,
        "device": card.device,
        "caption": game.caption,
        "image_width": game.image_size[0],
        "image_height": game.image_size[1],
        "view_sha256": hashlib.sha256(game.view.tobytes()).hexdigest(),
        **game.frame.to_provenance(),
        "seed": seed,
        "budget": budget,
        "estimator": estimator,
        **more,
        **{f"version_{name}": _version(name) for name in _PACKAGES},
    }


@cache  # a parser of e-mail reads it from a file, for tens of milliseconds with Python's lock held
def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
