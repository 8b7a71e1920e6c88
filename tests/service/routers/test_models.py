from __future__ import annotations

from dataclasses import replace

from fastapi.testclient import TestClient

from fixlip_core.encoders.card import ModelCard
from service.backend import Backend


def test_models_are_listed_with_their_limits(client: TestClient) -> None:
    response = client.get("/v1/models")

    assert response.status_code == 200
    assert response.json() == {
        "items": [
            {
                "id": "demo",
                "revision": "sha256:0123456789abcdef",
                "family": "clip",
                "grid": [8, 8],
                "image_size_px": [128, 128],
                "max_tokens": 38,
                "embed_dim": 128,
                "attention": True,
                "methods": ["fixlip", "exclip", "m2ib", "nib", "grad_eclip", "game", "legrad"],
                "precision": "fp32",
                "device": "cpu",
                "live": True,
                "workers": 1,
            }
        ]
    }


def test_a_model_whose_workers_left_is_listed_as_not_live(
    client: TestClient, backend: Backend, card: ModelCard
) -> None:
    backend.catalogue.announce(replace(card, id="ViT-B-32/openai").to_dict(), "w2", ttl_s=600)
    backend.catalogue.withdraw("w1")

    models = {model["id"]: model for model in client.get("/v1/models").json()["items"]}

    assert list(models) == ["ViT-B-32/openai", "demo"]
    assert (models["demo"]["live"], models["demo"]["workers"]) == (False, 0)
    assert models["ViT-B-32/openai"]["live"] is True


def test_a_model_that_is_no_transformer_runs_the_methods_that_look_at_its_embeddings(
    client: TestClient, backend: Backend, card: ModelCard
) -> None:
    backend.catalogue.announce(replace(card, id="RN50/openai", attention=False).to_dict(), "w1", ttl_s=600)

    models = {model["id"]: model for model in client.get("/v1/models").json()["items"]}

    assert (models["RN50/openai"]["attention"], models["RN50/openai"]["methods"]) == (False, ["fixlip"])
