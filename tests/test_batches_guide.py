"""The guide to batches against the code: its commands, settings, columns and numbers are real."""

from __future__ import annotations

import re
import shlex

import pytest

from service.batches.checking import MAX_ERRORS
from service.batches.pictures import MAX_FETCHED
from service.settings import ServiceSettings
from service.tables.columns import COLUMNS
from service.tables.summary import MAX_COMPARED
from tests.support.recipes import ROOT, check_command
from tests.support.settings import variables

GUIDE = (ROOT / "docs" / "batches.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "command", sorted(set(re.findall(r"(?:`|^\$ )(fixlip [a-z][^`\n]*)", GUIDE, flags=re.MULTILINE)))
)
def test_a_command_is_real(command: str) -> None:
    check_command(shlex.split(command.replace("pairs.csv", "README.md")))  # a file that is there


def test_the_settings_are_real() -> None:
    assert set(re.findall(r"FIXLIP_[A-Z_]+", GUIDE)) <= variables().keys()


def test_the_columns_are_those_of_the_tables() -> None:
    rows = GUIDE.partition("| Column | |")[2].partition("\n\n")[0]
    cells = [line.split("|")[1] for line in rows.splitlines() if line.startswith("| `")]
    assert [name for cell in cells for name in re.findall(r"`(\w+)`", cell)] == [column.name for column in COLUMNS]


def test_the_numbers_are_the_codes() -> None:
    defaults = ServiceSettings.model_fields
    assert f"up to {defaults['max_batch_items'].default:,} (" in GUIDE
    assert f"may have {defaults['max_batch_bytes'].default // 1_000_000} MB" in GUIDE
    assert f"at most {defaults['batch_window'].default} jobs" in GUIDE
    assert f"the first {MAX_ERRORS}" in GUIDE
    assert f"a batch may have {MAX_FETCHED}" in GUIDE
    assert f"Of more than {MAX_COMPARED} ways" in GUIDE
