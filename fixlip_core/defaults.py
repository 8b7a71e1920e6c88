"""Default parameters and limits; units are in the names."""

from __future__ import annotations

from typing import Final

__all__ = [
    "AUTO_FIRST_PASSES",
    "AUTO_LEAST_GAIN",
    "BLUR_SHARE",
    "BUDGET_PASSES",
    "DEFAULT_MODEL",
    "DEFAULT_P",
    "GRADIENT_BYTES",
    "IMAGE_ROWS_PER_CALL",
    "MAX_AUTO_PASSES",
    "MAX_BOXES",
    "MAX_BUDGET_PASSES",
    "MAX_CAPTION_CHARACTERS",
    "MAX_ENUMERATED_PLAYERS",
    "MAX_IMAGE_BYTES",
    "MAX_IMAGE_PIXELS",
    "MAX_REGION_MAP_SIDE",
    "MAX_SAMPLED_TEXT_PASSES",
    "MIN_BUDGET_PASSES",
    "MIN_TEXT_PASSES",
    "POSITIONS_PER_BATCH",
    "PREFIX_OVERHEAD",
    "TARGET_R2",
    "TEXT_ROWS_PER_CALL",
    "TEXT_SHARE",
]

DEFAULT_MODEL: Final = "demo"
DEFAULT_P: Final = 0.5
BUDGET_PASSES: Final = 512
BLUR_SHARE: Final = 0.1
MIN_BUDGET_PASSES: Final = 8
MAX_BUDGET_PASSES: Final = 65_536
AUTO_FIRST_PASSES: Final = 128
AUTO_LEAST_GAIN: Final = 0.002
MAX_AUTO_PASSES: Final = 4_096
TARGET_R2: Final = 0.95
MAX_REGION_MAP_SIDE: Final = 256
MAX_BOXES: Final = 64
TEXT_SHARE: Final = 0.2
MAX_ENUMERATED_PLAYERS: Final = 20
POSITIONS_PER_BATCH: Final = 8_192
# A position of shared beginnings takes longer than its operations say: 1.6 times on ViT-B/32 (`python -m
# benchmarks.passes --only texts`), more on towers as small as the demo encoder's. One number for all keeps plans equal.
PREFIX_OVERHEAD: Final = 2.5
MAX_IMAGE_BYTES: Final = 20_000_000
MAX_IMAGE_PIXELS: Final = 64_000_000
MAX_CAPTION_CHARACTERS: Final = 2_000
GRADIENT_BYTES: Final = 64_000_000
IMAGE_ROWS_PER_CALL: Final = 64
TEXT_ROWS_PER_CALL: Final = 2_048
MIN_TEXT_PASSES: Final = 1_024
MAX_SAMPLED_TEXT_PASSES: Final = 2_048
