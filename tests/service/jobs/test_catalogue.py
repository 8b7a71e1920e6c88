from __future__ import annotations

import time
from dataclasses import replace

import pytest
from redis import Redis

from fixlip_core.encoders.card import ModelCard
from service.jobs.catalogue import Catalogue


@pytest.fixture
def card() -> ModelCard:
    return ModelCard(
        id="demo",
        weights_sha256="0123456789abcdef" * 4,
        family="clip",
        embed_dim=128,
        grid=(8, 8),
        image_size_px=(128, 128),
        context_length=40,
        n_marks=2,
        tokenizer="clip-bpe",
        attention=True,
        logit_scale=100.0,
        logit_bias=0.0,
        precision="fp32",
        device="cpu",
    )


def test_cards_are_kept_by_id_in_order(catalogue: Catalogue, card: ModelCard) -> None:
    other = replace(card, id="ViT-B-32/openai", grid=(7, 7))
    catalogue.announce(card.to_dict(), "w1", ttl_s=60)
    catalogue.announce(other.to_dict(), "w2", ttl_s=60)

    assert list(catalogue.cards().items()) == [("ViT-B-32/openai", other), ("demo", card)]
    assert (catalogue.live_workers(), catalogue.live_workers("demo"), catalogue.live_workers("x")) == (2, 1, 0)


def test_a_renewed_announcement_counts_once(catalogue: Catalogue, card: ModelCard) -> None:
    for _ in range(3):
        catalogue.announce(card.to_dict(), "w1", ttl_s=60)

    assert catalogue.live_workers("demo") == 1


def test_a_lapsed_worker_is_gone_and_its_card_stays(catalogue: Catalogue, redis: Redis, card: ModelCard) -> None:
    catalogue.announce(card.to_dict(), "w1", ttl_s=0.05)
    time.sleep(0.1)

    assert catalogue.live_workers() == catalogue.live_workers("demo") == 0
    assert catalogue.cards() == {"demo": card}

    catalogue.announce(card.to_dict(), "w2", ttl_s=60)
    assert redis.zrange("fixlip:workers", 0, -1) == [b"w2"]


def test_a_worker_that_withdraws_is_gone_at_once(catalogue: Catalogue, card: ModelCard) -> None:
    catalogue.announce(card.to_dict(), "w1", ttl_s=60)
    catalogue.withdraw("w1")

    assert catalogue.live_workers() == catalogue.live_workers("demo") == 0


def test_a_card_that_cannot_be_read_is_left_out_and_told_once(
    catalogue: Catalogue, redis: Redis, card: ModelCard, caplog: pytest.LogCaptureFixture
) -> None:
    catalogue.announce(card.to_dict(), "w1", ttl_s=60)
    catalogue.announce({"id": "old", "colour": "blue"}, "w2", ttl_s=60)
    redis.hset("fixlip:models", "broken", b"{")

    for _ in range(2):
        assert catalogue.cards() == {"demo": card}
    assert [record.getMessage().partition(" cannot")[0] for record in caplog.records] == [
        "the card of model 'broken'",
        "the card of model 'old'",
    ]


def test_live_workers_are_counted_model_by_model(catalogue: Catalogue, card: ModelCard) -> None:
    catalogue.announce(card.to_dict(), "w1", ttl_s=60)
    catalogue.announce(card.to_dict(), "w2", ttl_s=60)

    assert list(catalogue.live_workers_of(["none", "demo"]).items()) == [("none", 0), ("demo", 2)]
    assert catalogue.live_workers_of([]) == {}


def test_a_model_that_nobody_announces_is_forgotten(catalogue: Catalogue, redis: Redis, card: ModelCard) -> None:
    for model_id in ("gone", "never dated", "demo"):
        catalogue.announce(replace(card, id=model_id).to_dict(), "w1", ttl_s=60)
    redis.zadd("fixlip:models:announced", {"gone": time.time() - 61})
    redis.zrem("fixlip:models:announced", "never dated")

    catalogue.forget(silent_for_s=60)

    assert list(catalogue.cards()) == ["demo"]
    assert (catalogue.live_workers("gone"), catalogue.live_workers("demo")) == (0, 1)
    catalogue.announce(replace(card, id="gone").to_dict(), "w1", ttl_s=60)
    assert list(catalogue.cards()) == ["demo", "gone"]
