from __future__ import annotations

import numpy as np
import pytest

from fixlip_core.benchmarking import Outcome, ResultTable, build_tables, parse_variants, separation
from fixlip_core.benchmarking.tables import summary_of, values_of
from tests.fixlip_core.benchmarking.conftest import MakeOutcome

THREE = parse_variants(["fixlip", "exclip", "game"])


def cell(table: ResultTable, row: str, column: str) -> str:
    (cells,) = (cells for cells in table.rows if cells[0] == row)
    return cells[table.columns.index(column)]


def test_means_and_standard_errors(make_outcome: MakeOutcome) -> None:
    found = [make_outcome("game", k, faithfulness_pearson=value) for k, value in enumerate((0.2, 0.4, None))]
    table = build_tables(found, parse_variants(["game"]))[2]
    assert cell(table, "game", "Pearson") == "0.300 \N{PLUS-MINUS SIGN} 0.100"
    assert cell(table, "game", "Spearman") == "\N{EN DASH}"
    assert cell(table, "game", "n") == "2"
    assert cell(table, "game", "seconds") == "0.250"
    assert cell(table, "game", "passes") == "100 + 1,000"


def test_the_pointing_game_by_number_of_objects(make_outcome: MakeOutcome) -> None:
    found = [make_outcome("game", k, pointing_recognition=0.1 * k, pointing_uniform=0.25) for k in range(6)]
    table = build_tables(found, parse_variants(["game"]))[0]
    assert table.columns[1:6] == ("1 object", "2 objects", "3 objects", "4 objects", "all")
    assert cell(table, "game", "1 object") == "0.200 \N{PLUS-MINUS SIGN} 0.200"
    assert cell(table, "game", "4 objects") == "0.300"
    assert cell(table, "(a map of equal values)", "all") == "0.250 \N{PLUS-MINUS SIGN} 0.000"


def test_flipped_pairs_are_left_out_of_areas_alone(make_outcome: MakeOutcome) -> None:
    found = [make_outcome("game", k, flipped=k == 1, aid_first_order=0.5 + k, confidence_image_drop=k) for k in (0, 1)]
    areas = values_of(found, "game", "aid", "first_order")
    assert areas[0] == 0.5
    assert np.isnan(areas[1])
    assert summary_of(found, "game", "aid", "first_order").n_missing == 1
    table = build_tables(found, parse_variants(["game"]))[1]
    dash = "\N{EN DASH}"
    assert table.rows == (("game", "0.500", "0.500", dash, dash, "1", "0.250", "100 + 1,000"),)
    assert summary_of(found, "game", "confidence", "image_drop").mean == 0.5


def test_what_failed_counts_nowhere(make_outcome: MakeOutcome) -> None:
    found = [make_outcome("game", 0, faithfulness_pearson=0.5), make_outcome("game", 1, error="no picture")]
    table = build_tables(found, parse_variants(["game"]))[2]
    assert cell(table, "game", "n") == "1"
    dash = "\N{EN DASH}"
    assert build_tables([], parse_variants(["game"]))[2].rows == (("game", dash, dash, dash, "0", dash, dash),)


def test_fixlip_against_the_others(separated: list[Outcome]) -> None:
    table = build_tables(separated, THREE)[4]
    assert [row[0] for row in table.rows] == ["exclip", "game"]
    assert table.rows[1][1:4] == ("40", "0", "0")
    assert table.rows[0][1:] == ("0", "0", "0", *["\N{EN DASH}"] * 3, "0")
    assert len(build_tables(separated, parse_variants(["game"]))) == 4


class TestSeparation:
    def test_says_whether_intervals_overlap(self, separated: list[Outcome]) -> None:
        (line,) = separation(separated, THREE)
        assert line.startswith("Faithfulness, Spearman: fixlip 0.9")
        assert " lies above every first-order method's interval; highest of these is game 0." in line

    def test_says_so_where_they_do(self, make_outcome: MakeOutcome) -> None:
        found = [make_outcome(variant, k, faithfulness_r2=0.1 * k) for k in range(6) for variant in ("fixlip", "game")]
        (line,) = separation(found, THREE)
        assert "does not lie above" in line

    @pytest.mark.parametrize("methods", [["game"], ["fixlip"], ["fixlip", "exclip"]])
    def test_needs_both_sides(self, separated: list[Outcome], methods: list[str]) -> None:
        assert separation(separated, parse_variants(methods)) == ()
