"""The limit that estimators are measured against: least squares with 40,000 image passes.

A reference costs about a minute of passes, so it is kept on disk under a key of all that it depends on.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fixlip_core.coalitions import CoalitionSample, enumerate_product, sample_product
from fixlip_core.demo.scenes import Scene, draw_scene
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.estimators import Additive, TowerSample, fit_least_squares, to_additive
from fixlip_core.game import SimilarityGame
from fixlip_core.types import Coalitions, FloatArray

__all__ = ["Reference", "predict", "reference", "scenes"]

IMAGE_PASSES = 40_000
FRESH_COALITIONS = 2_000
# Up to here the caption is enumerated, beyond it is sampled.
MAX_ENUMERATED_TOKENS = 14
SAMPLED_TEXT_PASSES = 16_384
# Streams of random numbers that no explanation's seed reaches.
_FIT_STREAM, _FRESH_STREAM = 0x6C696D6974, 0x6672657368
CACHE = Path(__file__).parent / ".cache"


@dataclass(frozen=True, slots=True)
class Reference:
    """The best that is known of one scene at one p.

    Attributes:
        first: (n,) values e_i of the 40,000-pass fit.
        second: (n, n) values e_ij of the 40,000-pass fit.
        limit_r2: its R^2 on the fresh coalitions.
        coalitions: (2000, n) fresh joint coalitions.
        values: (2000,) the game's values there.
    """

    first: FloatArray
    second: FloatArray
    limit_r2: float
    coalitions: Coalitions
    values: FloatArray

    def r2(self, predicted: FloatArray) -> float:
        """R^2 of (2000,) predictions on the fresh coalitions."""
        spread = self.values - self.values.mean()
        return 1 - float(np.sum((self.values - predicted) ** 2) / np.sum(spread**2))

    def correlations(self, second: FloatArray, n_image: int) -> tuple[float, float]:
        """Pearson correlations of (n, n) pair values with the reference's: image-image pairs, cross-modal pairs.

        nan where all values are equal.
        """
        above = np.triu_indices(n_image, 1)
        halves = [(m[:n_image, :n_image][above], m[:n_image, n_image:].ravel()) for m in (second, self.second)]
        within, cross = (_correlation(found, known) for found, known in zip(*halves, strict=True))
        return within, cross


def predict(values: Additive, coalitions: Coalitions) -> FloatArray:
    """(m,) values of the additive form at (m, n) coalitions."""
    x = coalitions.astype(np.float64)
    return np.asarray(values.baseline + x @ values.first + 0.5 * np.einsum("mi,mi->m", x @ values.second, x))


def _correlation(one: FloatArray, two: FloatArray) -> float:
    if np.ptp(one) == 0 or np.ptp(two) == 0:
        return float("nan")
    return float(np.corrcoef(one, two)[0, 1])


def scenes(count: int = 10) -> list[Scene]:
    """The benchmark's scenes: three objects each."""
    return [draw_scene(seed, n_objects=3) for seed in range(count)]


def reference(encoder: DualEncoder, scene: Scene, p: float, *, image_passes: int = IMAGE_PASSES) -> Reference:
    """The reference of ``scene`` at ``p``, from the cache or computed."""
    key = f"{encoder.card.revision} {encoder.card.precision} {scene.seed} {scene.caption} {p} {image_passes}"
    path = CACHE / f"reference-{hashlib.sha256(key.encode()).hexdigest()[:20]}.npz"
    if path.is_file():
        with np.load(path) as stored:
            return Reference(
                stored["first"], stored["second"], float(stored["limit_r2"]), stored["coalitions"], stored["values"]
            )
    found = _compute(encoder, scene, p, image_passes)
    CACHE.mkdir(exist_ok=True)
    draft = path.with_suffix(".draft.npz")
    np.savez_compressed(
        draft,
        first=found.first,
        second=found.second,
        limit_r2=found.limit_r2,
        coalitions=found.coalitions,
        values=found.values,
    )
    draft.replace(path)
    return found


def _compute(encoder: DualEncoder, scene: Scene, p: float, image_passes: int) -> Reference:
    game = SimilarityGame.of(encoder, scene.image, scene.caption)
    players = game.players
    rng = np.random.default_rng([_FIT_STREAM, scene.seed])
    image_sample = sample_product(players.n_image, image_passes, p, rng)
    if players.n_text <= MAX_ENUMERATED_TOKENS:
        text_sample = enumerate_product(players.n_text, p)
    else:
        text_sample = sample_product(players.n_text, SAMPLED_TEXT_PASSES, p, rng)
    image = _tower(image_sample, game.image_embeddings(image_sample.coalitions))
    text = _tower(text_sample, game.text_embeddings(text_sample.coalitions))
    values = to_additive(fit_least_squares(image, text, scale=game.scale, bias=game.bias).coefficients, p)
    fresh = sample_product(
        len(players), FRESH_COALITIONS, p, np.random.default_rng([_FRESH_STREAM, scene.seed]), complementary=False
    ).coalitions
    unlimited = Reference(values.first, values.second, 0.0, fresh, game.value(fresh))
    return replace(unlimited, limit_r2=unlimited.r2(predict(values, fresh)))


def _tower(sample: CoalitionSample, embeddings: FloatArray) -> TowerSample:
    return TowerSample(sample, embeddings.astype(np.float64), np.zeros((sample.coalitions.shape[1], 1)))
