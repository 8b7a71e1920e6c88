"""Methods compared on a data set: what each says of every sample, and the field's tables and charts of it."""

from __future__ import annotations

from fixlip_core.benchmarking.forecast import image_passes_per_sample
from fixlip_core.benchmarking.outcomes import Figure, Outcome, OutcomeLog, read_outcomes
from fixlip_core.benchmarking.reports import write_report
from fixlip_core.benchmarking.running import run_benchmark
from fixlip_core.benchmarking.separation import separation
from fixlip_core.benchmarking.setup import Setup
from fixlip_core.benchmarking.tables import ResultTable, build_tables
from fixlip_core.benchmarking.variants import DEFAULT_VARIANTS, Variant, parse_variants

__all__ = [
    "DEFAULT_VARIANTS",
    "Figure",
    "Outcome",
    "OutcomeLog",
    "ResultTable",
    "Setup",
    "Variant",
    "build_tables",
    "image_passes_per_sample",
    "parse_variants",
    "read_outcomes",
    "run_benchmark",
    "separation",
    "write_report",
]
