"""How much is tried: ``FIXLIP_FUZZ=full`` (``make fuzz``) tries as much as is promised."""

from __future__ import annotations

import os
from typing import Final

__all__ = ["IS_FULL"]

IS_FULL: Final = os.environ.get("FIXLIP_FUZZ") == "full"
