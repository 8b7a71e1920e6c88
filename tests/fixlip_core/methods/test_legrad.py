"""LeGrad: equal to the formula on open_clip's own modules, layer by layer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.autograd import grad

from tests.fixlip_core.methods import raw
from tests.fixlip_core.methods.pairs import Subject, explain, make, noise_image


@pytest.mark.parametrize("block", [-1, -2, -9])
def test_equals_the_formula_on_the_modules(clip: Subject, block: int) -> None:
    expected = []
    for side, averages in zip(raw.sides(clip, noise_image()), (True, False), strict=True):
        start, layers = max(len(side.blocks) + block, 0), side.layers()
        maps = []
        for layer in layers[start:]:
            pooled = layer.output.mean(dim=0) if averages else layer.output[side.readout]
            (gradient,) = grad(side.cosine(pooled), layer.weights, retain_graph=True)
            # Positions behind the pooled one are not run: they are no queries to average over.
            seen = gradient if averages else gradient[:, : side.readout + 1]
            maps.append(F.relu(seen).mean(dim=(0, 1))[side.units])
        expected.append(torch.stack(maps).mean(dim=0))
    e = explain(clip.encoder, "legrad", block=block)
    np.testing.assert_allclose(e.first, torch.cat(expected).detach(), rtol=1e-3, atol=1e-9)
    assert (e.index, e.order) == ("LeGrad", 1)
    assert e.first.any()


def test_attention_pool_looks_at_every_layer(tmp_path_factory: pytest.TempPathFactory) -> None:
    siglip = make("siglip", tmp_path_factory.mktemp("pool"))
    trunk, pool = siglip.model.visual.trunk, siglip.model.visual.trunk.attn_pool
    target = siglip.embeddings(noise_image(), "a red circle and a blue square")[1][0]
    x = trunk._pos_embed(trunk.patch_embed(siglip.pixels(noise_image())))
    maps = []
    for block in trunk.blocks:
        x = block(x)
        query = pool.q(pool.latent)[0].unflatten(-1, (pool.num_heads, -1)).transpose(0, 1)
        keys, values = pool.kv(trunk.norm(x))[0].unflatten(-1, (2, pool.num_heads, -1)).permute(1, 2, 0, 3)
        row = (query @ keys.transpose(1, 2) * pool.head_dim**-0.5).softmax(dim=-1)
        pooled = pool.proj((row @ values).transpose(0, 1).flatten(1))
        pooled = pooled + pool.mlp(pool.norm(pooled))
        cosine = F.normalize(siglip.model.visual.head(trunk.fc_norm(pooled))[0], dim=-1) @ target
        maps.append(F.relu(grad(cosine, row, retain_graph=True)[0]).mean(dim=(0, 1)))
    e = explain(siglip.encoder, "legrad", block=-2)
    np.testing.assert_allclose(e.first[: e.n_image], torch.stack(maps[-2:]).mean(dim=0).detach(), rtol=1e-3, atol=1e-9)
