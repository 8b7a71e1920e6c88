from __future__ import annotations

import numpy as np

import fixlip_core as fx
from fixlip_core.benchmarking.remembering import remembering
from fixlip_core.datasets import SceneDataset
from fixlip_core.types import Coalitions, Embeddings, ImageInput


class Counting:
    """Rows that reach the model."""

    def __init__(self, encoder: fx.DualEncoder) -> None:
        self.encoder = encoder
        self.rows: list[int] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self.encoder, name)

    def encode_images(self, image: ImageInput, coalitions: Coalitions, **options: object) -> Embeddings:
        self.rows.append(len(coalitions))
        return self.encoder.encode_images(image, coalitions)

    def encode_texts(self, caption: str, coalitions: Coalitions, **options: object) -> Embeddings:
        self.rows.append(len(coalitions))
        return self.encoder.encode_texts(caption, coalitions)


def test_known_rows_are_not_passed_again(demo: fx.DualEncoder) -> None:
    sample, rng = SceneDataset().sample(1), np.random.default_rng(0)
    counting = Counting(demo)
    memory = remembering(counting)  # type: ignore[arg-type]
    images, n_text = rng.random((60, 64)) < 0.5, len(demo.players(sample.caption).tokens)
    expected = demo.encode_images(sample.image, images)
    np.testing.assert_array_equal(memory.encode_images(sample.image, images[:30]), expected[:30])
    order = [*range(20, 60), 25, 59]
    np.testing.assert_array_equal(memory.encode_images(sample.image, images[order]), expected[order])
    assert counting.rows == [30, 30]
    texts = rng.random((20, n_text)) < 0.5
    for _ in range(2):
        np.testing.assert_array_equal(
            memory.encode_texts(sample.caption, texts), demo.encode_texts(sample.caption, texts)
        )
    assert counting.rows[2:] == [len(np.unique(texts, axis=0))]
    # Another picture is another matter.
    memory.encode_images(255 - sample.image, images[:16])
    assert counting.rows[3:] == [16]
    assert memory.card == demo.card


def test_what_is_remembered_has_the_bits_of_what_is_not(demo: fx.DualEncoder) -> None:
    sample = SceneDataset().sample(1)
    images = np.random.default_rng(0).random((40, 64)) < 0.5
    memory = remembering(demo)
    memory.encode_images(sample.image, images[:38])
    for rows in (slice(20, 40), slice(0, 1), slice(39, 40), slice(0, 0)):
        np.testing.assert_array_equal(
            memory.encode_images(sample.image, images[rows]), demo.encode_images(sample.image, images[rows])
        )
