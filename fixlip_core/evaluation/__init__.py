"""Metrics that judge explanations."""

from __future__ import annotations

from fixlip_core.evaluation.faithfulness import Faithfulness, compare_predictions, p_faithfulness

__all__ = ["Faithfulness", "compare_predictions", "p_faithfulness"]
