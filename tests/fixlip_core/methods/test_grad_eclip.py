"""Grad-ECLIP: known on a tower that only attends, and equal to the formula on open_clip's own modules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import grad

from tests.fixlip_core.methods import raw
from tests.fixlip_core.methods.pairs import Subject, attention_only, explain, make, noise_image


def test_one_head_that_only_attends(clip: Subject) -> None:
    encoder, direction = attention_only(clip.encoder)
    x = encoder.image_tower.state(encoder.view(noise_image()))
    q, k, v = (part[0, 0] for part in encoder.image_tower.blocks[0].qkv(x))
    closeness = F.cosine_similarity(q[:1], k[1:], dim=-1)
    loosened = (closeness - closeness.min()) / (closeness.max() - closeness.min())
    expected = F.relu(loosened * (v[1:] @ direction))
    e = explain(encoder, "grad_eclip")
    np.testing.assert_allclose(e.first[: e.n_image], expected.detach(), atol=1e-7)
    assert e.first[: e.n_image].any()


@pytest.mark.parametrize("variant", ["multi_head", "published"])
@pytest.mark.parametrize("text_blocks", [1, 8])
def test_equals_the_formula_on_the_modules(clip: Subject, variant: str, text_blocks: int) -> None:
    expected = []
    for side, blocks in zip(raw.sides(clip, noise_image()), (1, text_blocks), strict=True):
        start = max(len(side.blocks) - blocks, 0)
        layers = side.layers(single_head_from=start if variant == "published" else None)
        cosine = side.cosine(layers[-1].output[side.readout])
        maps = [
            _map(side, layer, gradient, block)
            for layer, gradient, block in zip(
                layers[start:], grad(cosine, [layer.o for layer in layers[start:]]), side.blocks[start:], strict=True
            )
        ]
        expected.append(F.relu(torch.stack(maps).sum(dim=0)))
    e = explain(clip.encoder, "grad_eclip", variant=variant, text_blocks=text_blocks)
    np.testing.assert_allclose(e.first, torch.cat(expected).detach(), rtol=1e-3, atol=1e-7)
    assert e.first.any()


def _map(side: raw.Side, layer: raw.Layer, gradient: Tensor, block: Any) -> Tensor:
    g = gradient[side.readout].flatten()
    query = block.attn.out_proj(layer.q[side.readout].flatten())
    keys = block.attn.out_proj(layer.k[side.units].flatten(1))
    closeness = F.cosine_similarity(query[None], keys, dim=-1)
    loosened = (closeness - closeness.min()) / (closeness.max() - closeness.min())
    return (layer.v[side.units].flatten(1) @ g) * loosened


def test_values_are_no_less_than_zero_and_some_are_more(subject: Subject) -> None:
    e = explain(subject.encoder, "grad_eclip")
    assert (e.index, e.order) == ("Grad-ECLIP", 1)
    assert (e.first >= 0).all()
    assert e.first[: e.n_image].any()
    assert not e.second.any()


def test_attention_pool_explains_itself(tmp_path_factory: pytest.TempPathFactory) -> None:
    siglip = make("siglip", tmp_path_factory.mktemp("pool"))
    trunk, pool = siglip.model.visual.trunk, siglip.model.visual.trunk.attn_pool
    x = trunk.forward_features(siglip.pixels(noise_image())).detach()
    queries = pool.q(pool.latent)[0].unflatten(-1, (pool.num_heads, -1)).transpose(0, 1)
    keys, values = (part.unflatten(-1, (pool.num_heads, -1)) for part in pool.kv(x)[0].chunk(2, dim=-1))
    weights = (torch.einsum("hrd,khd->hrk", queries, keys) * pool.head_dim**-0.5).softmax(dim=-1)
    o = torch.einsum("hrk,khd->rhd", weights, values).flatten(1)
    pooled = pool.proj(o)
    embedding = (pooled + pool.mlp(pool.norm(pooled)))[0]
    target = siglip.embeddings(noise_image(), "a red circle and a blue square")[1][0]
    (gradient,) = grad(F.normalize(siglip.model.visual.head(trunk.fc_norm(embedding)), dim=-1) @ target, o)
    closeness = F.cosine_similarity(pool.proj(queries.transpose(0, 1).flatten(1)), pool.proj(keys.flatten(1)), dim=-1)
    loosened = (closeness - closeness.min()) / (closeness.max() - closeness.min())
    expected = F.relu((values.flatten(1) @ gradient[0]) * loosened)
    e = explain(siglip.encoder, "grad_eclip")
    np.testing.assert_allclose(e.first[: e.n_image], expected.detach(), rtol=1e-3, atol=1e-7)
