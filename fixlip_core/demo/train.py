"""Train the demo encoder: ``python -m fixlip_core.demo.train OUT_DIR``.

A small open_clip CLIP learns the synthetic scenes of :mod:`fixlip_core.demo.scenes` with the contrastive loss of
Radford et al. (2021, arXiv 2103.00020). Seeded from end to end; the training scenes' seeds lie far above those that
demos, tests and benchmarks draw. The result is a directory in open_clip's ``local-dir:`` form.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch.nn.attention import SDPBackend, sdpa_kernel
from tqdm import tqdm

from fixlip_core.demo.retrieval import top1_among
from fixlip_core.demo.scenes import Scene, describe, draw_scene
from fixlip_core.encoders._open_clip import open_clip

__all__ = ["main"]

MODEL_CONFIG: dict[str, Any] = {
    "embed_dim": 128,
    "vision_cfg": {"image_size": 128, "patch_size": 16, "width": 160, "head_width": 32, "layers": 4},
    "text_cfg": {"context_length": 40, "vocab_size": 49408, "width": 128, "heads": 4, "layers": 3},
}
PREPROCESS_CONFIG: dict[str, Any] = {
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}
TRAINING_SEEDS_FROM = 1_000_000
HELD_OUT_SEEDS_FROM = 500_000


@dataclass(frozen=True, slots=True)
class _Recipe:
    """What the run depends on."""

    seed: int = 0
    scenes: int = 80_000
    steps: int = 1_500
    batch: int = 256
    learning_rate: float = 1.5e-3
    weight_decay: float = 0.05
    warmup_steps: int = 100


def main() -> None:
    """Command line: draw the scenes, train, measure the retrieval and write the directory."""
    parser = argparse.ArgumentParser(description="Train the demo encoder on synthetic scenes.")
    parser.add_argument("out", type=Path, help="directory to write (open_clip's local-dir form)")
    defaults = _Recipe()
    for name in ("steps", "scenes", "seed"):
        parser.add_argument(f"--{name}", type=int, default=getattr(defaults, name))
    options = parser.parse_args()
    recipe = _Recipe(seed=options.seed, scenes=options.scenes, steps=options.steps)
    started = time.monotonic()
    model, loss = _train(recipe)
    minutes = (time.monotonic() - started) / 60
    options.out.mkdir(parents=True, exist_ok=True)
    _save(model, options.out)
    scenes = _draw_all(range(HELD_OUT_SEEDS_FROM, HELD_OUT_SEEDS_FROM + 1000))
    accuracy = top1_among(*_embed(model, scenes), [scene.content for scene in scenes], n_captions=50, seed=recipe.seed)
    print(f"{minutes:.1f} minutes, last loss {loss:.3f}, top-1 among 50 captions: {accuracy}")


def _train(recipe: _Recipe) -> tuple[Any, float]:
    """Train a fresh model by ``recipe``; gives the model and the mean loss of the last 50 steps."""
    torch.manual_seed(recipe.seed)
    clip = open_clip()
    model = clip.CLIP(**MODEL_CONFIG)
    tokenizer = clip.SimpleTokenizer(context_length=MODEL_CONFIG["text_cfg"]["context_length"])
    scenes = _draw_all(range(TRAINING_SEEDS_FROM, TRAINING_SEEDS_FROM + recipe.scenes))
    rng = np.random.default_rng(recipe.seed)
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=recipe.weight_decay, fused=True
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _learning_rate(step, recipe))
    losses: list[float] = []
    order = np.concatenate(
        [rng.permutation(len(scenes)) for _ in range(recipe.steps * recipe.batch // len(scenes) + 1)]
    )
    model.train()
    bar = tqdm(range(recipe.steps), desc="train", unit="step", mininterval=5)
    for step in bar:
        batch = [scenes[i] for i in order[step * recipe.batch : (step + 1) * recipe.batch]]
        images = _pixels_of(batch)
        captions = [describe(scene.objects, rng) for scene in batch]
        tokens = tokenizer(captions)
        # The unfused attention: on CPUs the backward pass of the fused kernel takes twice its time.
        with torch.autocast("cpu", dtype=torch.bfloat16), sdpa_kernel(SDPBackend.MATH):
            image_features, text_features = model.encode_image(images), _encode_to_eos(model, tokens)
        contents = [scene.content for scene in batch]
        loss = _contrastive_loss(image_features.float(), text_features.float(), model.logit_scale.exp(), contents)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(100))
        losses.append(loss.item())
        bar.set_postfix(loss=f"{np.mean(losses[-20:]):.3f}")
    return model.eval(), float(np.mean(losses[-50:]))


def _learning_rate(step: int, recipe: _Recipe) -> float:
    """Linear warm-up, then a half cosine to zero; relative to the peak."""
    if step < recipe.warmup_steps:
        return (step + 1) / recipe.warmup_steps
    progress = (step - recipe.warmup_steps) / max(recipe.steps - recipe.warmup_steps, 1)
    return 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))


def _encode_to_eos(model: Any, tokens: torch.Tensor) -> torch.Tensor:
    """``model.encode_text`` without the padding: a causal tower's EOS sees nothing behind it."""
    ends = tokens.argmax(dim=1)
    length = int(ends.max()) + 1
    x = model.token_embedding(tokens[:, :length]) + model.positional_embedding[:length]
    x = model.ln_final(model.transformer(x, attn_mask=model.attn_mask[:length, :length]))
    pooled: torch.Tensor = x[torch.arange(len(x)), ends] @ model.text_projection
    return pooled


def _contrastive_loss(
    images: torch.Tensor, texts: torch.Tensor, scale: torch.Tensor, contents: list[tuple[tuple[str, str], ...]]
) -> torch.Tensor:
    """Symmetric cross-entropy; a caption of the same content is neither a positive nor a negative."""
    logits = scale * F.normalize(images, dim=1) @ F.normalize(texts, dim=1).T
    index = {content: k for k, content in enumerate(dict.fromkeys(contents))}
    kinds = torch.tensor([index[content] for content in contents])
    same = (kinds[:, None] == kinds[None, :]) & ~torch.eye(len(kinds), dtype=torch.bool)
    logits = logits.masked_fill(same, float("-inf"))
    target = torch.arange(len(kinds))
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def _pixels_of(scenes: list[Scene]) -> torch.Tensor:
    """(b, 3, H, W) float32 pixels as the model takes them."""
    mean, std = (torch.tensor(PREPROCESS_CONFIG[key]).view(3, 1, 1) for key in ("mean", "std"))
    pixels = torch.from_numpy(np.stack([scene.image for scene in scenes])).permute(0, 3, 1, 2)
    return (pixels.float() / 255 - mean) / std


@torch.inference_mode()
def _embed(model: Any, scenes: list[Scene]) -> tuple[np.ndarray, np.ndarray]:
    """Unit image and caption embeddings of ``scenes``, (m, D) float32 each, by open_clip's own encoders."""
    tokenizer = open_clip().SimpleTokenizer(context_length=MODEL_CONFIG["text_cfg"]["context_length"])
    images, texts = [], []
    for start in range(0, len(scenes), 250):
        batch = scenes[start : start + 250]
        images.append(model.encode_image(_pixels_of(batch), normalize=True))
        texts.append(model.encode_text(tokenizer([s.caption for s in batch]), normalize=True))
    return torch.cat(images).numpy(), torch.cat(texts).numpy()


def _save(model: Any, out: Path) -> None:
    """Write the weights (float16) and the config; open_clip loads the directory as ``local-dir:OUT``."""
    weights = {name: tensor.half().contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, str(out / "open_clip_model.safetensors"))
    config = {"model_cfg": MODEL_CONFIG, "preprocess_cfg": PREPROCESS_CONFIG}
    (out / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n")


def _draw_all(seeds: range) -> list[Scene]:
    with ProcessPoolExecutor() as pool:
        return list(tqdm(pool.map(draw_scene, seeds, chunksize=256), total=len(seeds), desc="draw", mininterval=5))


if __name__ == "__main__":
    main()
