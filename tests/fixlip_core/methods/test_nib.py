"""NIB: equal to the published loop with hooks on open_clip's own model, and near to complete with many steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from fixlip_core.errors import InvalidParameterError
from fixlip_core.methods import nib
from tests.fixlip_core.methods.pairs import CAPTION, Subject, explain, noise_image


def test_equals_the_published_loop(clip: Subject) -> None:
    model, image, text = clip.model, *clip.embeddings(noise_image(), CAPTION)
    ids = clip.ids(CAPTION)
    end = int(ids.argmax())
    # The second of three blocks, and the first of two: the last two are left above.
    blocks = model.visual.transformer.resblocks[1], model.transformer.resblocks[0]
    expected = [
        _integrated(model.encode_image, blocks[0], clip.pixels(noise_image()), text, 5)[1:],
        _integrated(model.encode_text, blocks[1], ids, image, 5)[1:end],
    ]
    e = explain(clip.encoder, "nib", steps=5)
    np.testing.assert_allclose(e.first, torch.cat(expected), rtol=1e-3, atol=1e-7)
    assert (e.index, e.order) == ("NIB", 1)


def _integrated(encode: Any, block: Any, x: Tensor, target: Tensor, steps: int) -> Tensor:
    """(L,) values of every position."""
    leaf, h = torch.zeros(0), torch.zeros(0)
    total: Tensor | float = 0.0
    for step in range(1, steps + 1):

        def narrow(_module: Any, inputs: tuple[Tensor, ...], width: float = step / steps) -> tuple[Tensor, ...]:
            nonlocal leaf, h
            h = inputs[0].detach()
            leaf = (h * width).requires_grad_()
            return (leaf,)

        handle = block.register_forward_pre_hook(narrow)
        cosine = F.cosine_similarity(encode(x), target).mean()
        handle.remove()
        total = total + h * torch.autograd.grad(cosine, leaf)[0] / steps
    assert isinstance(total, Tensor)
    return total.sum(dim=-1)[0]


def test_batches_do_not_change_the_values(subject: Subject, monkeypatch: Any) -> None:
    whole = explain(subject.encoder, "nib", steps=7)
    monkeypatch.setattr(nib, "_WIDTHS_PER_BATCH", 2)
    np.testing.assert_allclose(explain(subject.encoder, "nib", steps=7).first, whole.first, rtol=1e-3, atol=1e-7)


def test_logit_is_scale_times_cosine(subject: Subject) -> None:
    cosine, logit = (explain(subject.encoder, "nib", score=score) for score in ("cosine", "logit"))
    np.testing.assert_allclose(logit.first, subject.encoder.card.logit_scale * cosine.first, rtol=1e-6)


def test_block_is_counted_from_the_end(clip: Subject) -> None:
    default, same, lower = (explain(clip.encoder, "nib", block=block) for block in (None, -2, -3))
    np.testing.assert_array_equal(default.first, same.first)
    assert not np.array_equal(default.first, lower.first)


def test_last_block_is_refused(clip: Subject) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        explain(clip.encoder, "nib", block=-1)
    assert caught.value.field == "block"
