"""docs/report.md says what is true."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fixlip_core.report import report_document
from tests.support.explanations import example

GUIDE = (Path(__file__).parents[3] / "docs" / "report.md").read_text(encoding="utf-8")


def test_its_program_finds_the_strongest_pair(capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = re.findall(r"^```python\n(.*?)^```$", GUIDE, flags=re.MULTILINE | re.DOTALL)
    explanation = example()
    document = report_document(explanation, np.zeros((4, 6, 3), dtype=np.uint8))
    exec(program, {"document": document})
    (strongest,) = explanation.top_interactions(1)
    assert capsys.readouterr().out.startswith(" ".join(strongest.labels))


def test_its_members_are_there() -> None:
    document: dict[str, Any] = report_document(example(), np.zeros((4, 6, 3), dtype=np.uint8))
    names = re.findall(r"`([a-z_.]+)`", "".join(line.split("|")[1] for line in GUIDE.splitlines() if line[:3] == "| `"))
    assert {name.split(".")[0] for name in names} == document.keys()
    assert {name.split(".")[1] for name in names if "." in name} <= document["explanation"].keys()
