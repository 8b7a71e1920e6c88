"""Explanations of one pair of image and caption, by several models or methods, side by side.

    comparison = compare([fx.explain(encoder, image, caption, method=name) for name in ("fixlip", "exclip")])
    print(comparison.agreements)

Importing this package imports neither torch nor a plotting library.
"""

from __future__ import annotations

from fixlip_core.comparison.comparing import Comparison, compare
from fixlip_core.comparison.measures import Agreement, Part
from fixlip_core.comparison.subject import Subject

__all__ = ["Agreement", "Comparison", "Part", "Subject", "compare"]
