"""The viewer shows what the tensor says: every number is held against the values that the library reads."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from fixlip_core.evaluation.subsets import extreme_subsets
from fixlip_core.types import FloatArray
from tests.browser.samples import Samples
from tests.browser.stack import Stack
from tests.browser.viewer import assert_number, assert_shows, number, patch, readout, tab, warmth, words
from tests.browser.views import go
from tests.support.browser import open_context, settle

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SHOWN = 6e-3
"""Numbers are shown with three digits."""


def view(page: Page, samples: Samples, query: str = "") -> None:
    go(page, f"#/explanations/{samples.fixlip.id}{query and '?' + query}")


def assert_coloured(page: Page, values: FloatArray) -> None:
    """The strongest patches are orange where their value is positive, and blue where it is negative."""
    shown = warmth(page, values.shape).ravel()
    strongest = np.argsort(-np.abs(values), axis=None)[:12]
    assert (np.sign(shown[strongest]) == np.sign(values.ravel()[strongest])).all()


def test_the_first_view_shows_main_effects(page: Page, samples: Samples) -> None:
    truth = samples.truth
    view(page, samples)
    expect(words(page)).to_have_text(list(truth.tokens))
    assert_coloured(page, truth.players.spread(truth.main_effects()))
    patch(page, 3, 5).hover()
    row_by_row = 3 * truth.grid[1] + 5
    expect(readout(page)).to_contain_text("patch row 3, column 5")
    assert_shows(readout(page).inner_text(), [truth.main_effects()[row_by_row]])
    words(page).nth(1).hover()
    expect(readout(page)).to_contain_text(f"word \u201c{truth.tokens[1]}\u201d")
    assert_shows(readout(page).inner_text(), [truth.main_effects()[truth.n_image + 1]])


def test_a_word_shows_its_patches(page: Page, samples: Samples) -> None:
    truth = samples.truth
    view(page, samples, "view=conditioned")
    for index in (0, truth.n_text - 1):
        words(page).nth(index).hover()
        settle(page)
        assert_coloured(page, truth.conditional(index))
        player = truth.n_image + index
        values = truth.second[player]
        expect(readout(page)).to_contain_text(f"word \u201c{truth.tokens[index]}\u201d")
        strongest = int(np.abs(values).argmax())
        _, _, partner = readout(page).inner_text().partition("strongest partner")
        assert_shows(partner, [values[strongest], truth.second_std_error[player, strongest]])
        partners = page.get_by_role("list", name="Strongest partners").get_by_role("listitem")
        for text, other in zip(partners.all_inner_texts(), np.argsort(-np.abs(values), kind="stable"), strict=False):
            assert_shows(text, [values[other], truth.second_std_error[player, other]])


def test_a_patch_shows_its_words_and_partners(page: Page, samples: Samples) -> None:
    truth = samples.truth
    word = truth.n_image
    view(page, samples, "view=conditioned")
    strongest = int(np.abs(truth.second[: truth.n_image, word]).argmax())
    place = divmod(strongest, truth.grid[1])
    words(page).first.click()
    expect(words(page).first).to_have_attribute("aria-pressed", "true")
    patch(page, *place).hover()
    expect(readout(page)).to_contain_text(f"patch row {place[0]}, column {place[1]}")
    assert_shows(readout(page).inner_text(), [truth.second[strongest, word], truth.second_std_error[strongest, word]])
    patch(page, *place).click()
    page.mouse.move(0, 0)
    settle(page)
    assert f"player={strongest}" in page.url
    assert_coloured(page, truth.players.spread(truth.second[strongest, : truth.n_image]))
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("player="))


def test_a_slider_says_how_many_pairs_the_graph_shows(page: Page, samples: Samples) -> None:
    truth = samples.truth
    view(page, samples, "view=graph")
    pairs = page.get_by_role("list", name="Pairs, strongest first").get_by_role("listitem")
    for count in (5, 40):
        page.get_by_role("slider", name="How many").fill(str(count))
        expect(pairs).to_have_count(count)
        top = truth.top_interactions(count, cross_modal=True)
        for text, pair in zip(pairs.all_inner_texts(), top, strict=True):
            assert_shows(text, [pair.value, pair.std_error])
    assert "pairs=40" in page.url
    page.get_by_role("radio", name="All", exact=True).check()
    for text, pair in zip(pairs.all_inner_texts(), truth.top_interactions(40), strict=True):
        assert_shows(text, [pair.value, pair.std_error])


def test_every_value_has_its_standard_error(page: Page, samples: Samples) -> None:
    truth = samples.truth
    view(page, samples, "view=values")
    rows = page.get_by_role("table").locator("tbody tr")
    expect(rows).to_have_count(truth.n_players)
    effects = truth.main_effects()
    order = np.argsort(-np.abs(effects), kind="stable")
    cells = [[cell.strip() for cell in text.split("\t") if cell.strip()] for text in rows.all_inner_texts()]
    assert [cell[0] for cell in cells] == [truth.players.label(player) for player in order.tolist()]
    for cell, player in zip(cells, order.tolist(), strict=True):
        for text, value in zip(
            cell[-3:], (effects[player], truth.first[player], truth.first_std_error[player]), strict=True
        ):
            assert_number(text, value)
    page.get_by_role("radio", name="Pairs").check()
    top = truth.top_interactions(100)
    expect(rows).to_have_count(len(top))
    cells = [[cell.strip() for cell in text.split("\t") if cell.strip()] for text in rows.all_inner_texts()]
    for cell, pair in zip(cells, top, strict=True):
        assert_number(cell[-2], pair.value)
        assert_number(cell[-1], pair.std_error)
    page.get_by_label("Filter").fill(truth.tokens[0])
    page.get_by_role("button", name="Value").click()
    expect(page.get_by_role("columnheader", name="Value")).to_have_attribute("aria-sort", "descending")


def test_a_slider_shows_the_best_and_the_worst_subset_of_each_size(page: Page, samples: Samples) -> None:
    truth = samples.truth
    extremes = extreme_subsets(truth.first, truth.second)
    view(page, samples, "view=subsets")
    for label, subsets in (("Keeps the match best", extremes.greatest), ("Breaks it most", extremes.least)):
        page.get_by_role("radio", name=label).check()
        for size in (4, truth.n_players - 9):
            page.get_by_role("slider", name="Players present").fill(str(size))
            expect(page.get_by_text("predicted logit")).to_be_visible()
            predicted = page.get_by_text("predicted logit").inner_text()
            assert_shows(predicted, [float(truth.predict(subsets[[size]])[0])])
            out = [
                token for token, inside in zip(truth.tokens, subsets[size, truth.n_image :], strict=True) if not inside
            ]
            expect(words(page).locator("s")).to_have_text(out)
            for player in (0, 27, 36, 63):
                patch(page, *divmod(player, truth.grid[1])).hover()
                expect(readout(page)).to_contain_text("present" if subsets[size, player] else "removed")
            expect(readout(page)).to_be_visible()
    assert f"size={truth.n_players - 9}" in page.url


def test_a_link_reproduces_the_view(page: Page, browser: Browser, stack: Stack, samples: Samples) -> None:
    view(page, samples)
    tab(page, "Graph").click()
    page.get_by_role("slider", name="How many").fill("17")
    page.get_by_role("radio", name="Image", exact=True).check()
    words(page).nth(1).click()
    page.mouse.move(0, 0)
    settle(page)
    with open_context(browser, stack.url) as (context, _):
        other = context.new_page()
        other.goto(page.url)
        expect(tab(other, "Graph")).to_have_attribute("aria-selected", "true")
        expect(other.get_by_role("slider", name="How many")).to_have_value("17")
        expect(other.get_by_role("radio", name="Image", exact=True)).to_be_checked()
        expect(words(other).nth(1)).to_have_attribute("aria-pressed", "true")
        settle(other)
        expect(readout(other)).to_have_text(readout(page).inner_text())
        pictures = [each.locator(".stage, figure").first.screenshot() for each in (page, other)]
    assert pictures[0] == pictures[1]


def test_an_attribution_says_what_it_does_not_have(page: Page, samples: Samples) -> None:
    go(page, f"#/explanations/{samples.attribution.id}?view=conditioned")
    expect(page.get_by_text("grad_eclip").first).to_be_visible()
    expect(page.get_by_role("list", name="Strongest partners")).to_have_count(0)
    tab(page, "Subsets").click()
    expect(page.get_by_text("predicts no values")).to_be_visible()


def test_metrics_and_record_are_those_of_the_job(page: Page, samples: Samples) -> None:
    view(page, samples, "view=metrics")
    assert samples.fixlip.output is not None
    scores = [score.value for score in samples.fixlip.output.evaluation if score.value is not None]
    rows = page.get_by_role("table").first.locator("tbody tr")
    expect(rows).to_have_count(len(scores))
    shown = [number(row.get_by_role("cell").nth(1).inner_text()) for row in rows.all()]
    assert shown == pytest.approx(scores, rel=SHOWN, abs=1e-3)
    tab(page, "Record").click()
    expect(page.get_by_text(samples.fixlip.id).first).to_be_visible()
