"""The register: every method documented, imported when first run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fixlip_core.methods import METHODS, MethodParameters, parse_parameters
from fixlip_core.methods.spec import MethodSpec

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("spec", METHODS.values(), ids=METHODS)
def test_every_parameter_is_documented_and_has_a_default(spec: MethodSpec) -> None:
    schema = spec.parameters.model_json_schema()
    for name, parameter in schema["properties"].items():
        assert parameter["description"], name
        assert "default" in parameter, name
    assert schema["additionalProperties"] is False
    assert spec.parameters.__doc__ != MethodParameters.__doc__


@pytest.mark.parametrize("spec", METHODS.values(), ids=METHODS)
def test_methods_are_named_and_found(spec: MethodSpec) -> None:
    assert METHODS[spec.name] is spec
    assert spec.order in (1, 2)
    assert len(spec.paper) == len("2508.05430")
    assert spec.paper in str(spec.parameters.__doc__)
    assert callable(spec.run)


def test_papers_order_is_that_of_the_register() -> None:
    assert list(METHODS) == ["fixlip", "exclip", "m2ib", "nib", "grad_eclip", "game", "legrad"]
    assert [name for name, spec in METHODS.items() if not spec.needs_attention] == ["fixlip"]


@pytest.mark.parametrize("spec", METHODS.values(), ids=METHODS)
def test_defaults_are_valid(spec: MethodSpec) -> None:
    assert parse_parameters(spec.parameters, {}) == spec.parameters()


def test_costs_and_schemas_need_no_torch(tmp_path: Path) -> None:
    program = """
import sys
from fixlip_core.methods import METHODS
for spec in METHODS.values():
    spec.parameters.model_json_schema(), spec.cost(spec.parameters(), 49, 18)
print("torch" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"
