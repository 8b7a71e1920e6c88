"""Estimators: from masked passes of the two towers to interactions."""

from __future__ import annotations

from fixlip_core.estimators.basis import Additive, Coefficients, to_additive
from fixlip_core.estimators.exact import exact_additive, exact_coefficients
from fixlip_core.estimators.factored import fit_gaussian_processes
from fixlip_core.estimators.least_squares import fit_least_squares
from fixlip_core.estimators.tower import GameFit, TowerSample

__all__ = [
    "Additive",
    "Coefficients",
    "GameFit",
    "TowerSample",
    "exact_additive",
    "exact_coefficients",
    "fit_gaussian_processes",
    "fit_least_squares",
    "to_additive",
]
