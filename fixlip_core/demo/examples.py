"""Writes the example pairs that the page offers: ``python -m fixlip_core.demo.examples [FOLDER]``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from PIL import Image

from fixlip_core.demo.scenes import draw_scene

__all__ = ["DEFAULT_FOLDER", "EXAMPLES", "main", "write"]

DEFAULT_FOLDER: Final = Path("web/src/page/public/examples")

EXAMPLES: Final[tuple[tuple[int, str | None], ...]] = (
    (54, None),
    (54, "a red circle and an orange square"),  # the colours are where they are not: does the model see it?
    (0, None),
    (58, None),
    (13, None),
    (22, None),
)
"""Seeds of scenes, and the caption; None: the scene's own."""


def write(folder: Path) -> None:
    """Write each scene as a PNG, and ``examples.json`` with the pairs."""
    folder.mkdir(parents=True, exist_ok=True)
    pairs = []
    for seed, caption in EXAMPLES:
        scene = draw_scene(seed)
        name = f"scene-{seed}.png"
        Image.fromarray(scene.image).save(folder / name, optimize=True)
        pairs.append({"image": name, "caption": caption or scene.caption, "fits": caption is None})
    (folder / "examples.json").write_text(json.dumps(pairs, indent=2) + "\n", encoding="utf-8")


def main(arguments: list[str]) -> None:
    """Write them into the folder given, or into :data:`DEFAULT_FOLDER`."""
    write(Path(arguments[0]) if arguments else DEFAULT_FOLDER)


if __name__ == "__main__":
    main(sys.argv[1:])
