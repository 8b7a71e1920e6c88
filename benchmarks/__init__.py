"""Benchmarks: seeded, printed as tables, ratios within one run."""
