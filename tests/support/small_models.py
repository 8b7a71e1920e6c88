"""Small models of every family, of open_clip's own classes and from configs like its own; the weights are random.

Each builder gives the model in evaluation mode, open_clip's evaluation transform and the model's config, as
``open_clip_config.json`` has it under ``model_cfg``. Equal arguments give equal weights.
"""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import save_file

from fixlip_core.encoders._open_clip import open_clip

__all__ = [
    "FAMILIES",
    "SmallModel",
    "build",
    "small_clip",
    "small_coca",
    "small_convnext",
    "small_mobileclip",
    "small_resnet",
    "small_siglip",
    "small_siglip2",
    "write_model",
]

CLIP_VOCABULARY = 49_408
SIGLIP_VOCABULARY = 600

_TEXT = {"context_length": 24, "vocab_size": CLIP_VOCABULARY, "width": 32, "heads": 2, "layers": 2}
_SIGLIP_TEXT = {
    "context_length": 24,
    "vocab_size": SIGLIP_VOCABULARY,
    "hf_tokenizer_name": "small/siglip",
    "tokenizer_kwargs": {"clean": "canonicalize"},
    "width": 48,
    "heads": 3,
    "layers": 3,
    "no_causal_mask": True,
    "proj_bias": True,
    "pool_type": "last",
    "norm_kwargs": {"eps": 1e-6},
}


class SmallModel(NamedTuple):
    """An open_clip model, its evaluation transform and its ``model_cfg``."""

    model: Any
    preprocess: Any
    config: dict[str, Any]


def small_clip(*, vision: Any = None, text: Any = None, seed: int = 0, **top: Any) -> SmallModel:
    """open_clip's own ViT and causal text transformer, like ViT-B-32: a grid of 4 x 4.

    Args:
        vision: overrides within ``vision_cfg``.
        text: overrides within ``text_cfg``.
        seed: of the weights.
        top: overrides at the top of the config (``quick_gelu``, ``custom_text``, ``init_logit_bias`` ...).
    """
    config = {
        "embed_dim": 32,
        "vision_cfg": {"image_size": 32, "patch_size": 8, "width": 48, "head_width": 16, "layers": 3, **(vision or {})},
        "text_cfg": {**_TEXT, **(text or {})},
        **top,
    }
    return build(config, seed=seed)


def small_siglip(*, vision: Any = None, text: Any = None, seed: int = 0, **top: Any) -> SmallModel:
    """timm's ViT pooled by attention with a bidirectional text tower pooled at the last position, like SigLIP."""
    _register_small_trunks()
    config = {
        "embed_dim": 48,
        "init_logit_bias": -10,
        "custom_text": True,
        "vision_cfg": {
            "image_size": 32,
            "timm_model_name": "fixlip_small_siglip",
            "timm_model_pretrained": False,
            "timm_pool": "map",
            "timm_proj": "none",
            **(vision or {}),
        },
        "text_cfg": {**_SIGLIP_TEXT, **(text or {})},
        **top,
    }
    return build(config, seed=seed, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), resize_mode="squash")


def small_siglip2(*, vision: Any = None, text: Any = None, seed: int = 0, **top: Any) -> SmallModel:
    """As :func:`small_siglip` with SigLIP-2's tanh GELU in the text tower."""
    return small_siglip(vision=vision, text={"act_kwargs": {"approximate": "tanh"}, **(text or {})}, seed=seed, **top)


def small_resnet(*, seed: int = 0) -> SmallModel:
    """CLIP's modified ResNet, like RN50; it needs no more than one block a stage."""
    vision = {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "head_width": 64, "patch_size": None}
    return build({"embed_dim": 32, "vision_cfg": vision, "text_cfg": dict(_TEXT)}, seed=seed)


def small_convnext(*, seed: int = 0) -> SmallModel:
    """timm's ConvNeXt, like convnext_base_w."""
    _register_small_trunks()
    vision = {
        "image_size": 64,
        "timm_model_name": "fixlip_small_convnext",
        "timm_model_pretrained": False,
        "timm_pool": "",
        "timm_proj": "linear",
    }
    return build({"embed_dim": 32, "vision_cfg": vision, "text_cfg": dict(_TEXT)}, seed=seed)


def small_coca(*, seed: int = 0) -> SmallModel:
    """CoCa: attentional pooling of the picture, a class token at the end of the text, a decoder that is not used."""
    tower = {"context_length": 24, "vocab_size": CLIP_VOCABULARY, "width": 32, "heads": 2, "layers": 2}
    config = {
        "embed_dim": 32,
        "vision_cfg": {
            "image_size": 32,
            "patch_size": 8,
            "width": 48,
            "head_width": 16,
            "layers": 2,
            "attentional_pool": True,
            "attn_pooler_heads": 2,
            "output_tokens": True,
        },
        "text_cfg": {**tower, "embed_cls": True, "output_tokens": True},
        "multimodal_cfg": {**tower, "attn_pooler_heads": 2},
        "custom_text": True,
    }
    return build(config, seed=seed)


def small_mobileclip(*, seed: int = 0) -> SmallModel:
    """timm's FastViT of the MobileCLIP kind with a bidirectional text tower pooled at EOS, like MobileCLIP-S1."""
    _register_small_trunks()
    config = {
        "embed_dim": 32,
        "vision_cfg": {
            "image_size": 64,
            "timm_model_name": "fixlip_small_fastvit",
            "timm_model_pretrained": False,
            "timm_pool": "avg",
            "timm_proj": None,
        },
        "text_cfg": {**_TEXT, "no_causal_mask": True},
        "custom_text": True,
    }
    return build(config, seed=seed, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


FAMILIES = {
    "clip": small_clip,
    "siglip": small_siglip,
    "siglip2": small_siglip2,
    "resnet": small_resnet,
    "convnext": small_convnext,
    "coca": small_coca,
    "mobileclip": small_mobileclip,
}


def build(config: dict[str, Any], *, seed: int = 0, **preprocess: Any) -> SmallModel:
    """The model of ``config`` with random weights.

    Noise is added to every parameter: the zero biases and small weights of an untrained model tell too little right
    from wrong.

    Args:
        config: a ``model_cfg``.
        seed: of the weights.
        preprocess: fields of open_clip's ``PreprocessCfg``, apart from the size.
    """
    library = open_clip()
    arguments = deepcopy(config)
    kind = library.CustomTextCLIP if arguments.pop("custom_text", False) else library.CLIP
    if "multimodal_cfg" in arguments:
        kind = library.CoCa
    generator = torch.Generator().manual_seed(seed + 1)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        model = kind(**arguments).eval()
        for parameter in model.parameters():
            if parameter.ndim:  # the logit's scale and bias are as an untrained model has them
                scale = (parameter.numel() / len(parameter)) ** -0.5 if parameter.ndim > 1 else 0.1
                parameter += scale * torch.randn(parameter.shape, generator=generator)
    size = model.visual.image_size
    cfg = library.transform.PreprocessCfg(size=size, **preprocess)
    library.model.set_model_preprocess_cfg(model, library.transform.asdict(cfg))
    return SmallModel(model, library.transform.image_transform_v2(cfg, is_train=False), config)


def write_model(folder: Path, small: SmallModel) -> Path:
    """Write open_clip's local directory: config and weights; a tokenizer, where one is needed, is not written."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.clone() for name, tensor in small.model.state_dict().items()}
    save_file(weights, str(folder / "open_clip_model.safetensors"))
    config = {"model_cfg": small.config, "preprocess_cfg": dict(small.model.visual.preprocess_cfg)}
    (folder / "open_clip_config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def _register_small_trunks() -> None:
    """Tell timm of small trunks, made by the functions that make its own."""
    open_clip()  # before timm, which imports torchvision too
    from timm.models import convnext, fastvit, is_model, register_model, vision_transformer

    if is_model("fixlip_small_siglip"):
        return

    def fixlip_small_siglip(pretrained: bool = False, **kwargs: Any) -> Any:
        shape = {"img_size": 32, "patch_size": 8, "embed_dim": 48, "depth": 3, "num_heads": 3, "class_token": False}
        arguments = {**shape, "global_pool": "map", **kwargs}
        return vision_transformer._create_vision_transformer("vit_base_patch16_siglip_224", pretrained, **arguments)

    def fixlip_small_convnext(pretrained: bool = False, **kwargs: Any) -> Any:
        shape = {"depths": (1, 1, 1, 1), "dims": (8, 16, 24, 32)}
        create: Any = convnext._create_convnext
        return create("convnext_base", pretrained, **{**shape, **kwargs})

    def fixlip_small_fastvit(pretrained: bool = False, **kwargs: Any) -> Any:
        shape = {"layers": (1, 1, 1, 1), "embed_dims": (16, 16, 32, 64), "mlp_ratios": (2, 2, 2, 2)}
        kinds = {"token_mixers": ("repmixer", "repmixer", "repmixer", "attention"), "se_downsamples": (False,) * 4}
        position = {"pos_embs": (None, None, None, fastvit.RepConditionalPosEnc)}
        arguments = {**shape, **kinds, **position, "lkc_use_act": True, **kwargs}
        create: Any = fastvit._create_fastvit
        return create("fastvit_mci1", pretrained, **arguments)

    for entrypoint in (fixlip_small_siglip, fixlip_small_convnext, fixlip_small_fastvit):
        register_model(entrypoint)
