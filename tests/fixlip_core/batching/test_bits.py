"""A job's answer does not depend on what it was batched with: to the last bit, on a CPU with one or two threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch

import fixlip_core as fx
from fixlip_core.batching import Batcher
from fixlip_core.coalitions import enumerate_product
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.formats import to_npz_bytes
from fixlip_core.types import BoolArray, Embeddings
from tests.fixlip_core.batching.waiting import face_of, until
from tests.support import small_models
from tests.support.small_tokenizers import write_siglip_tokenizer

FAMILIES: dict[str, Callable[[], small_models.SmallModel]] = {
    "clip": small_models.small_clip,
    "average": lambda: small_models.small_clip(vision={"pool_type": "avg"}),
    "first": lambda: small_models.small_clip(custom_text=True, text={"pool_type": "first", "no_causal_mask": True}),
    "siglip": small_models.small_siglip,
    "resnet": small_models.small_resnet,
    "mobileclip": small_models.small_mobileclip,
}
CAPTIONS = ("a red circle", "one small dog", "two big cats and a house", "a blue square, three green birds")


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=["demo", *FAMILIES])
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    if request.param == "demo":
        return fx.load_encoder("demo")
    path = small_models.write_model(tmp_path_factory.mktemp("model"), FAMILIES[request.param]())
    if request.param == "siglip":
        write_siglip_tokenizer(path)
    return fx.load_encoder(str(path))


def questions(encoder: Any) -> Iterator[tuple[str, Any, BoolArray, str]]:
    """(call, image or caption, coalitions, removal), of all sizes: a few rows are where bits would differ."""
    rng = np.random.default_rng(0)
    patches = encoder.card.grid[0] * encoder.card.grid[1]
    for seed, rows in enumerate((1, 2, 3, 5, 17, 26)):
        yield "encode_images", draw_scene(seed).image, rng.random((rows, patches)) < 0.5, ("zero", "blur")[seed % 2]
    for removal in encoder.text_removals:
        for caption in CAPTIONS:
            n = encoder.players(caption).n_text
            every = enumerate_product(n, 0.5).coalitions if n <= 7 else rng.random((64, n)) < 0.5
            for some in (every[-1:], every[:2], every, rng.random((30, n)) < 0.5):
                yield "encode_texts", caption, some, removal


def test_rows_have_their_bits_in_any_batch(encoder: Any, threads: int) -> None:
    asked = list(questions(encoder))

    def ask(face: Any, question: Any) -> Embeddings:
        call, subject, rows, removal = question
        embeddings: Embeddings = getattr(face, call)(subject, rows, removal=removal)
        return embeddings

    alone = [ask(encoder, question) for question in asked]
    with Batcher() as batcher, ThreadPoolExecutor(len(asked)) as pool:
        with batcher.turn():  # so that all of them are in line before the first batch
            jobs = [pool.submit(ask, face_of(batcher, encoder, client=k), question) for k, question in enumerate(asked)]
            until(lambda: len(batcher._line) == len(asked))
        together = [job.result(60) for job in jobs]
        assert batcher.statistics.batches < len(asked)
    for question, own, shared in zip(asked, alone, together, strict=True):
        np.testing.assert_array_equal(shared, own, err_msg=str((question[0], len(question[2]), question[3])))


def test_explanations_are_the_same_bytes(demo: Any, threads: int) -> None:
    scenes = [draw_scene(seed, n_objects=2) for seed in range(3)]
    options: dict[str, Any] = {"budget": 24, "seed": 7}
    alone = [fx.explain(demo, scene.image, scene.caption, **options) for scene in scenes]
    with Batcher() as batcher, ThreadPoolExecutor(len(scenes)) as pool:
        faces = [face_of(batcher, demo, client=k) for k in range(len(scenes))]
        jobs = [
            pool.submit(fx.explain, face, scene.image, scene.caption, **options)
            for face, scene in zip(faces, scenes, strict=True)
        ]
        together = [job.result(120) for job in jobs]
    for own, shared in zip(alone, together, strict=True):
        assert to_npz_bytes(own) == to_npz_bytes(shared)
