"""What was explained, from the explanation: its game, and the parameters that it was made with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from fixlip_core.defaults import MIN_BUDGET_PASSES
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.errors import InvalidParameterError
from fixlip_core.explanation import Explanation
from fixlip_core.game import SimilarityGame
from fixlip_core.methods import MethodParameters, get_method, parse_parameters
from fixlip_core.types import ImageInput

if TYPE_CHECKING:
    from fixlip_core.encoders.protocol import ImageRemoval, TextRemoval

__all__ = ["explained_game", "explained_parameters"]

_SHAPLEY = frozenset({"FSII", "SV"})


def explained_game(
    encoder: DualEncoder,
    image: ImageInput,
    caption: str,
    explanation: Explanation,
    *,
    on_passes: Callable[[int], None] = lambda _: None,
) -> SimilarityGame:
    """The game that was explained: its score, players and removals are those of ``explanation``.

    Args:
        encoder: the model that was explained.
        image: the image that was explained.
        caption: the caption that was explained.
        explanation: of which game.
        on_passes: see :meth:`fixlip_core.game.SimilarityGame.of`.

    Raises:
        InvalidImageError: ``image`` is no picture.
        InvalidCaptionError: the caption cannot be used with this model.
        InvalidParameterError: the explanation belongs to other players than this pair has.
    """
    made = explanation.provenance
    game = SimilarityGame.of(
        encoder,
        image,
        caption,
        score=explanation.score,
        image_removal=cast("ImageRemoval", made.get("image_removal") or "zero"),
        text_removal=cast("TextRemoval | None", made.get("text_removal")),
        text_players=str(made.get("text_players") or "token"),
        on_passes=on_passes,
    )
    if (game.players.grid, game.players.tokens) != (explanation.grid, explanation.tokens):
        raise InvalidParameterError("the explanation belongs to other players than this pair has", field="explanation")
    return replace(game, players=explanation.players)


def explained_parameters(explanation: Explanation) -> MethodParameters:
    """Parameters by which the view of the same pair is explained by the same method, with as many passes.

    Regions and boxes become the regions of the view's patches; a budget that was settled on the way is what it was
    settled at.

    Raises:
        UnknownMethodError: the method is not known here.
        InvalidParameterError: the provenance has values that the method does not take.
    """
    model = get_method(explanation.method).parameters
    made = explanation.provenance
    values: dict[str, Any] = {name: made[name] for name in model.model_fields if made.get(name) is not None}
    if "score" in model.model_fields:
        values["score"] = explanation.score
    if explanation.additive:
        values |= _of_game(explanation)
    return parse_parameters(model, values)


def _of_game(explanation: Explanation) -> dict[str, Any]:
    """Parameters of FIxLIP that its provenance has in other words."""
    made = explanation.provenance
    values: dict[str, Any] = {"order": explanation.order, "index": "shapley"}
    if explanation.index not in _SHAPLEY:
        values |= {"index": "banzhaf", "p": explanation.p}
    if made.get("budget") == "auto":
        values["budget"] = max(int(made["image_coalitions"] or 0), MIN_BUDGET_PASSES)
    if "text_coalitions" in made:
        values["text_passes"] = max(int(made["text_coalitions"] or 0), MIN_BUDGET_PASSES)
    if explanation.regions:
        values["regions"] = explanation.players.owners.reshape(explanation.grid).tolist()
    return values
