"""GAME: known on a tower that only attends, and equal to the full roll-out on open_clip's own modules."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.autograd import grad

from tests.fixlip_core.methods import raw
from tests.fixlip_core.methods.pairs import Subject, attention_only, explain, make, noise_image


def test_one_head_that_only_attends(clip: Subject) -> None:
    encoder, direction = attention_only(clip.encoder)
    x = encoder.image_tower.state(encoder.view(noise_image()))
    q, k, v = (part[0, 0] for part in encoder.image_tower.blocks[0].qkv(x))
    attention = (q[:1] @ k.T * q.shape[-1] ** -0.5).softmax(dim=-1)[0]
    expected = F.relu(attention[1:] * (v[1:] @ direction))
    e = explain(encoder, "game", score="cosine")
    np.testing.assert_allclose(e.first[: e.n_image], expected.detach(), atol=1e-8)
    assert e.first[: e.n_image].any()


@pytest.mark.parametrize("block", [-1, -2, -9])
@pytest.mark.parametrize("score", ["logit", "cosine"])
def test_equals_the_rollout_of_whole_matrices(clip: Subject, block: int, score: str) -> None:
    scale = clip.encoder.card.logit_scale if score == "logit" else 1.0
    expected = []
    for side in raw.sides(clip, noise_image()):
        start, layers = max(len(side.blocks) + block, 0), side.layers()
        cosine = side.cosine(layers[-1].output[side.readout])
        rollout = torch.eye(len(side.x))
        weights = [layer.weights for layer in layers[start:]]
        for one, gradient in zip(weights, grad(scale * cosine, weights), strict=True):
            rollout = rollout + F.relu(gradient * one).mean(dim=0) @ rollout
        expected.append(rollout[side.readout, side.units])
    e = explain(clip.encoder, "game", block=block, score=score)
    np.testing.assert_allclose(e.first, torch.cat(expected).detach(), rtol=2e-3, atol=1e-8)
    assert (e.index, e.order) == ("GAME", 1)


def test_attention_pools_row_goes_through_the_rollout(tmp_path_factory: pytest.TempPathFactory) -> None:
    siglip = make("siglip", tmp_path_factory.mktemp("pool"))
    trunk, pool = siglip.model.visual.trunk, siglip.model.visual.trunk.attn_pool
    target = siglip.embeddings(noise_image(), "a red circle and a blue square")[1][0]
    x = trunk._pos_embed(trunk.patch_embed(siglip.pixels(noise_image())))
    for block in trunk.blocks[:-1]:
        x = block(x)
    x, last = x.detach().requires_grad_(), trunk.blocks[-1]
    attention = last.attn
    split = attention.qkv(last.norm1(x))[0].unflatten(-1, (3, attention.num_heads, -1))
    q, k, v = split.permute(1, 2, 0, 3)
    weights = (q @ k.transpose(1, 2) * attention.head_dim**-0.5).softmax(dim=-1)
    x = x[0] + attention.proj((weights @ v).transpose(0, 1).flatten(1))
    x = trunk.norm(x + last.mlp(last.norm2(x)))
    query = pool.q(pool.latent)[0].unflatten(-1, (pool.num_heads, -1)).transpose(0, 1)
    keys, values = pool.kv(x).unflatten(-1, (2, pool.num_heads, -1)).permute(1, 2, 0, 3)
    row = (query @ keys.transpose(1, 2) * pool.head_dim**-0.5).softmax(dim=-1)
    pooled = pool.proj((row @ values).transpose(0, 1).flatten(1))
    pooled = pooled + pool.mlp(pool.norm(pooled))
    cosine = F.normalize(siglip.model.visual.head(trunk.fc_norm(pooled))[0], dim=-1) @ target
    block_gradient, pool_gradient = grad(cosine, [weights, row])
    rollout = torch.eye(len(x)) + F.relu(block_gradient * weights).mean(dim=0)
    expected = (F.relu(pool_gradient * row).mean(dim=0) @ rollout)[0]
    e = explain(siglip.encoder, "game", score="cosine")
    np.testing.assert_allclose(e.first[: e.n_image], expected.detach(), rtol=1e-3, atol=1e-8)


def test_average_pooling_averages_the_rows(tmp_path_factory: pytest.TempPathFactory) -> None:
    averaged = make("clip-average-pool", tmp_path_factory.mktemp("average"))
    e = explain(averaged.encoder, "game")
    # Every row starts as a row of the identity, so that no patch has less than its part of the mean.
    assert (e.first[: e.n_image] >= 1 / (e.n_image + 1)).all()
    assert e.first[: e.n_image].std() > 0
