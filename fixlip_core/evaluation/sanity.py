"""The sanity check of saliency methods (Adebayo et al., arXiv 1810.03292): random weights, another explanation.

A method that ranks the players of a model without knowledge as it ranks those of the trained one does not explain what
the model has learnt. The model's weights are drawn anew, the same pair is explained by the same method with the same
parameters, and the ranks of the values' sizes are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np

from fixlip_core.batching.face import SharedEncoder
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.evaluation.agreement import spearman
from fixlip_core.evaluation.explained import explained_parameters
from fixlip_core.explanation import Explanation
from fixlip_core.methods import Progress, get_method
from fixlip_core.types import FloatArray, ImageInput

__all__ = ["SanityCheck", "randomised_rank_correlation", "with_random_weights"]

# Mixed into the caller's seed: weights are not to depend on what drew the coalitions.
_STREAM: Final = 0x73616E65
_LEAST_VALUES: Final = 3


@dataclass(frozen=True, slots=True)
class SanityCheck:
    """The outcome.

    Attributes:
        rank_correlation: Spearman's, of the sizes of the values under the trained and under the random weights; nan
            with less than three values, or where all of one explanation are equal.
        image_passes: forward passes of the random model's image tower.
        text_passes: forward passes of its text tower.
    """

    rank_correlation: float
    image_passes: int
    text_passes: int


def randomised_rank_correlation(
    encoder: DualEncoder,
    image: ImageInput,
    caption: str,
    explanation: Explanation,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> SanityCheck:
    """Explain the pair once more under random weights, and compare.

    What is compared are the cross-modal pairs of an explanation of order 2, else the values of the image players.

    Args:
        encoder: the model that was explained, or a batcher's face to it. It stays as it is; a copy with other weights
            takes as much memory again, until this returns.
        image: the image that was explained.
        caption: the caption that was explained.
        explanation: what to judge.
        seed: draws the weights.
        progress: called between batches with (completed, total) passes; what it raises stops the work.

    Raises:
        UnsupportedModelError: the model's weights cannot be drawn anew.
        InvalidParameterError: the explanation's parameters are not known.
    """
    parameters = explained_parameters(explanation)
    spec = get_method(explanation.method)
    # The parameters have the regions of the view, whatever it was cut out of.
    view = encoder.view(image)
    with with_random_weights(encoder, seed=seed, alone=spec.needs_attention) as (other, pass_on):

        def report(completed: int, total: int) -> None:
            if progress is not None:
                progress(completed, total)
            pass_on()

        found = spec.run(other, view, caption, parameters, report)
    return SanityCheck(
        rank_correlation=_rank_correlation(_compared(explanation), _compared(found)),
        image_passes=found.image_passes,
        text_passes=found.text_passes,
    )


@contextmanager
def with_random_weights(
    encoder: DualEncoder, *, seed: int = 0, alone: bool = False
) -> Iterator[tuple[DualEncoder, Callable[[], None]]]:
    """A model of the same architecture whose weights are random, for as long as the block lasts.

    A batcher's face gives another face, whose rows share the device with those of other jobs as the face's own do.

    Args:
        encoder: the model, or a batcher's face to it.
        seed: draws the weights, from a stream of its own.
        alone: the block runs towers itself, and needs the device that it may share.

    Yields:
        the encoder, and what lets others use the device for a while, to be called now and then.

    Raises:
        UnsupportedModelError: the weights cannot be drawn anew.
    """
    # It imports torch, which whoever asks for the metrics' names does without.
    from fixlip_core.encoders.randomised import randomised

    drawn = int(np.random.default_rng([_STREAM, seed]).integers(2**63))
    if not isinstance(encoder, SharedEncoder):
        yield randomised(encoder, seed=drawn), lambda: None
        return
    with encoder.turn():
        other = randomised(encoder.shared, seed=drawn)
    with ExitStack() as held:
        face = held.enter_context(encoder.beside(other))
        yield face, held.enter_context(encoder.turn()).pass_on if alone else lambda: None


def _compared(explanation: Explanation) -> FloatArray:
    values = explanation.cross.ravel() if explanation.order == 2 else explanation.first[: explanation.n_image]
    return np.abs(values)


def _rank_correlation(a: FloatArray, b: FloatArray) -> float:
    if len(a) < _LEAST_VALUES or not (np.isfinite(a) & np.isfinite(b)).all():
        return float("nan")
    return float(spearman(np.ones((1, len(a))), a, b)[0])
