"""Writes the OpenAPI document: ``python -m service.openapi [PATH]``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from service.app import create_app
from service.settings import ServiceSettings

__all__ = ["DEFAULT_PATH", "main", "render"]

DEFAULT_PATH: Final = Path("openapi/openapi.json")


def render() -> str:
    """The document as JSON text; the same for every environment."""
    return json.dumps(create_app(ServiceSettings.model_construct()).openapi(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> None:
    """Write the document to the path given, or to :data:`DEFAULT_PATH`."""
    path = Path(arguments[0]) if arguments else DEFAULT_PATH
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
