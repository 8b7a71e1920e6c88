"""Estimators: from masked passes of the two towers to interactions."""

from __future__ import annotations

from fixlip_core.estimators.basis import Additive, Coefficients, to_additive
from fixlip_core.estimators.exact import exact_additive, exact_coefficients, exact_shapley
from fixlip_core.estimators.factored import FactoredFit, fit_towers
from fixlip_core.estimators.joint import fit_joint, fit_joint_shapley
from fixlip_core.estimators.least_squares import fit_least_squares
from fixlip_core.estimators.shapley import fit_shapley
from fixlip_core.estimators.tower import GameFit, TowerSample

__all__ = [
    "Additive",
    "Coefficients",
    "FactoredFit",
    "GameFit",
    "TowerSample",
    "exact_additive",
    "exact_coefficients",
    "exact_shapley",
    "fit_joint",
    "fit_joint_shapley",
    "fit_least_squares",
    "fit_shapley",
    "fit_towers",
    "to_additive",
]
