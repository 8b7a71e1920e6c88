"""Models that the towers' interface cannot show are refused by what distinguishes them."""

from __future__ import annotations

from typing import Any

import pytest

from fixlip_core.encoders.dismantle import dismantle
from fixlip_core.errors import UnsupportedModelError
from tests.support.fake_encoder import CARD
from tests.support.small_models import small_clip, small_coca, small_convnext, small_mobileclip, small_resnet


@pytest.mark.parametrize(
    ("small", "reason"),
    [
        (lambda: small_clip(vision={"attentional_pool": True, "attn_pooler_heads": 4}), "cross-attention"),
        (lambda: small_clip(custom_text=True, text={"embed_cls": True}), "class token"),
        (lambda: small_clip(custom_text=True, text={"scaled_cosine_attn": True}), "blocks"),
        (small_resnet, "no plain vision transformer: ModifiedResNet"),
        (small_convnext, "no plain vision transformer: ConvNeXt"),
        (small_mobileclip, "no plain vision transformer"),
        (small_coca, "cross-attention"),
    ],
)
def test_other_towers_are_refused(small: Any, reason: str) -> None:
    model, preprocess, _ = small()
    with pytest.raises(UnsupportedModelError, match=reason):
        dismantle(model, preprocess, CARD)


def test_the_model_stays_as_it_is() -> None:
    model, preprocess, _ = small_clip()
    before = {name: (id(parameter), parameter.requires_grad) for name, parameter in model.named_parameters()}
    hooks = [len(module._forward_hooks) for module in model.modules()]
    dismantle(model, preprocess, CARD)
    assert {name: (id(p), p.requires_grad) for name, p in model.named_parameters()} == before
    assert [len(module._forward_hooks) for module in model.modules()] == hooks
