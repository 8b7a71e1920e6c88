"""M2IB: its information is exact, its fit is that of the published algorithm with hooks on open_clip's own model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from fixlip_core.errors import InvalidParameterError
from fixlip_core.methods.m2ib import information
from tests.fixlip_core.methods.pairs import CAPTION, Subject, explain, noise_image


def test_information_of_nothing_at_the_start() -> None:
    kl = information(torch.zeros(3, 4), torch.full((3, 4), 5.0))
    np.testing.assert_allclose(kl, 4.506738, atol=1e-5)


def test_information_grows_with_half_the_square_of_what_passes() -> None:
    h, alpha = torch.tensor([0.5, -2.0, 3.0]), torch.tensor([5.0, 0.0, -1.0])
    more = information(h, alpha) - information(torch.zeros(3), alpha)
    np.testing.assert_allclose(more, (torch.sigmoid(alpha) * h).square() / 2, rtol=1e-4)


def test_nothing_is_lost_where_the_gate_is_wide_open() -> None:
    assert torch.isfinite(information(torch.ones(1), torch.tensor([80.0]))).all()


def test_equals_the_published_algorithm(clip: Subject) -> None:
    steps, copies, beta, seed = 4, 3, 0.3, 7
    model, image, text = clip.model, *clip.embeddings(noise_image(), CAPTION)
    pixels, ids = clip.pixels(noise_image()), clip.ids(CAPTION)
    end = int(ids.argmax())
    generator = torch.Generator().manual_seed(seed)
    expected = [
        _fitted(model.encode_image, model.visual.transformer.resblocks[1], pixels, text, 17, generator)[1:],
        _fitted(model.encode_text, model.transformer.resblocks[0], ids, image, end + 1, generator)[1:end],
    ]
    e = explain(clip.encoder, "m2ib", steps=steps, copies=copies, beta=beta, seed=seed, block=-2)
    np.testing.assert_allclose(e.first, torch.cat(expected), rtol=2e-3)
    assert (e.index, e.order, e.score) == ("M2IB", 1, "cosine")
    assert e.provenance["seed"] == seed


def _fitted(encode: Any, block: Any, x: Tensor, target: Tensor, length: int, generator: torch.Generator) -> Tensor:
    """(length,) information of each position: 4 steps of Adam with rate 1, 3 copies, beta 0.3."""
    alpha: Tensor | None = None
    h = torch.zeros(0)

    def bottleneck(_module: Any, _inputs: Any, output: Tensor) -> Tensor:
        nonlocal alpha, h
        h = output[:1, :length].detach()
        if alpha is None:
            alpha = torch.full_like(h, 5.0).requires_grad_()
        gate = torch.sigmoid(alpha)
        noise = torch.randn(h.expand(3, -1, -1).shape, generator=generator)
        return torch.cat([gate * h + (1 - gate) * noise, output[:, length:].expand(3, -1, -1)], dim=1)

    handle = block.register_forward_hook(bottleneck)
    optimiser: torch.optim.Optimizer | None = None
    for _ in range(4):
        embedding = encode(x)
        assert alpha is not None
        optimiser = optimiser or torch.optim.Adam([alpha], lr=1.0)
        optimiser.zero_grad()
        loss = 0.3 * _kl(h, alpha).mean() - F.cosine_similarity(embedding, target).mean()
        (alpha.grad,) = torch.autograd.grad(loss, alpha)
        optimiser.step()
    handle.remove()
    assert alpha is not None
    return _kl(h, alpha).sum(dim=-1)[0].detach()


def _kl(h: Tensor, alpha: Tensor) -> Tensor:
    gate = torch.sigmoid(alpha)
    variance = (1 - gate).square()
    return -0.5 * (1 + variance.log() - (gate * h).square() - variance)


def test_same_seed_same_bits_other_seed_other_values(subject: Subject) -> None:
    one, two, three = (explain(subject.encoder, "m2ib", steps=3, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.first, two.first)
    assert not np.array_equal(one.first, three.first)
    assert (one.first > 0).all()


def test_the_callers_random_numbers_are_left_alone(clip: Subject) -> None:
    torch.manual_seed(3)
    state = torch.random.get_rng_state()
    explain(clip.encoder, "m2ib", steps=2)
    assert torch.equal(state, torch.random.get_rng_state())


def test_dearer_information_is_kept_less(clip: Subject) -> None:
    cheap, dear = (explain(clip.encoder, "m2ib", beta=beta) for beta in (0.0, 10.0))
    assert dear.first.mean() < 0.8 * cheap.first.mean()


def test_layer_is_counted_from_the_end(clip: Subject) -> None:
    default, same, lower = (explain(clip.encoder, "m2ib", steps=2, block=block) for block in (None, -3, -2))
    np.testing.assert_array_equal(default.first, same.first)
    assert not np.array_equal(default.first, lower.first)


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"block": -1}, "block"),
        ({"copies": 0}, "copies"),
        ({"beta": -1}, "beta"),
        ({"learning_rate": 0}, "learning_rate"),
    ],
)
def test_parameters_out_of_range_are_named(clip: Subject, parameters: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        explain(clip.encoder, "m2ib", **parameters)
    assert caught.value.field == field
