"""From a picture and a caption to an explanation, by mouse, by file, by finger and by keyboard alone."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import find_barriers
from tests.browser.conftest import OpenPage
from tests.browser.samples import CAPTION, PICTURE
from tests.browser.viewer import patch, readout, tab, words
from tests.browser.views import go
from tests.support.browser import Witness, settle

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_TRANSFER = """
([name, kind, content]) => {
  const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, {type: kind}));
  return transfer;
}
"""


def budget(page: Page, passes: int, seed: int = 0) -> None:
    """Few passes, and a seed of the test's own, lest it be answered from an earlier result."""
    page.get_by_label("budget", exact=False).and_(page.get_by_role("textbox")).first.fill(str(passes))
    page.get_by_text("All parameters").click()
    page.get_by_role("textbox", name="seed", exact=False).fill(str(seed))


def explain(page: Page) -> None:
    page.get_by_role("button", name="Explain", exact=True).click()


def expect_explained(page: Page) -> None:
    expect(page).to_have_url(re.compile("#/explanations/[0-9a-f]{32}"))
    expect(tab(page, "First order")).to_be_visible()


def tab_to(page: Page, name: str, *, most: int = 80) -> None:
    """Press Tab until what has the focus is called so."""
    for _ in range(most):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText ?? ''"
        )
        if re.match(name, focused):
            return
    raise AssertionError(f"the Tab key never came to {name!r}")


def test_an_example_is_explained(page: Page) -> None:
    go(page, "#/")
    page.get_by_role("region", name="Examples").get_by_role("button").first.click()
    expect(page.get_by_role("img", name="What is to be explained")).to_be_visible()
    expect(page.get_by_label("Caption")).not_to_have_value("")
    caption = page.get_by_label("Caption").input_value()
    budget(page, 64, seed=101)
    explain(page)
    expect_explained(page)
    expect(page.get_by_role("heading", level=1)).to_have_text(caption)
    expect(page).to_have_title(re.compile(re.escape(caption)))


def test_a_file_is_dropped_and_another_pasted(page: Page) -> None:
    go(page, "#/")
    for number, (event, field) in enumerate((("drop", "dataTransfer"), ("paste", "clipboardData"))):
        content = base64.b64encode(PICTURE).decode()
        transfer = page.evaluate_handle(_TRANSFER, [f"scene-{number}.png", "image/png", content])
        page.evaluate(
            """([transfer, event, field]) => document.body.dispatchEvent(event === "drop"
              ? new DragEvent(event, {[field]: transfer, bubbles: true, cancelable: true})
              : new ClipboardEvent(event, {[field]: transfer, bubbles: true, cancelable: true}))""",
            [transfer, event, field],
        )
        expect(page.get_by_text(f"scene-{number}.png")).to_be_visible()
    page.get_by_label("Caption").fill(CAPTION)
    budget(page, 64, seed=102)
    explain(page)
    expect_explained(page)


def test_what_is_wrong_is_told_where_it_is(page: Page, witness: Witness, tmp_path: Path) -> None:
    witness.forgive(r"status of 4(13|15|22)")
    go(page, "#/")
    (tmp_path / "notes.png").write_text("no picture at all")
    page.get_by_label("Picture", exact=True).set_input_files(tmp_path / "notes.png")
    expect(page.get_by_role("alert")).to_contain_text(re.compile("image|picture", re.IGNORECASE))
    (tmp_path / "huge.png").write_bytes(PICTURE + bytes(2_000_000))
    page.get_by_label("Picture", exact=True).set_input_files(tmp_path / "huge.png")
    expect(page.get_by_role("alert")).to_contain_text(re.compile("large|bytes", re.IGNORECASE))
    page.get_by_label("Picture", exact=True).set_input_files(
        {"name": "scene.png", "mimeType": "image/png", "buffer": PICTURE}
    )
    expect(page.get_by_role("alert")).to_have_count(0)
    explain(page)
    expect(page.get_by_label("Caption")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Caption")).to_be_focused()
    page.get_by_label("Caption").fill("word " * 60)
    explain(page)
    expect(page.get_by_text(re.compile(r"has \d+ tokens; this model reads at most"))).to_be_visible()
    page.get_by_label("Caption").fill(CAPTION)
    budget(page, 3)
    explain(page)
    expect(page.get_by_role("textbox", name="budget", exact=False)).to_have_attribute("aria-invalid", "true")
    expect(page).to_have_url(re.compile("#/$"))


def test_progress_is_live_and_can_be_stopped(page: Page, screenshots: Path) -> None:
    go(page, "#/")
    page.get_by_role("region", name="Examples").get_by_role("button").first.click()
    budget(page, 8192, seed=103)
    explain(page)
    progress = page.get_by_role("progressbar")
    expect(progress).to_have_attribute("value", re.compile(r"[1-9]\d*"))
    before = float(progress.get_attribute("value") or 0)
    page.wait_for_function("before => document.querySelector('progress').value > before", arg=before)
    expect(page.get_by_text(re.compile(r"[\d,]+ of [\d,]+ passes"))).to_be_visible()
    assert page.evaluate("() => document.getAnimations().length") == 0, "motion is to be reduced"
    page.screenshot(path=screenshots / "running-1280-light.png")
    assert find_barriers(page) == []
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("This explanation was canceled")).to_be_visible()
    page.get_by_role("link", name="Ask again").click()
    expect(page.get_by_label("Caption")).not_to_have_value("")


def test_the_keyboard_alone_is_enough(page: Page) -> None:
    go(page, "#/")
    tab_to(page, "Skip to the content")
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    example = page.get_by_role("region", name="Examples").get_by_role("button").nth(1)
    tab_to(page, re.escape(example.inner_text()))
    page.keyboard.press("Enter")
    expect(page.get_by_role("img", name="What is to be explained")).to_be_visible()
    tab_to(page, "Explain$")
    page.keyboard.press("Enter")
    expect_explained(page)
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    tab_to(page, "First order")
    page.keyboard.press("ArrowRight")
    expect(tab(page, "Conditioned")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Tab")
    expect(patch(page, 0, 0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(readout(page)).to_contain_text("patch row 1, column 1")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("player=9"))
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("player="))
    page.keyboard.press("Tab")
    expect(words(page).first).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(words(page).nth(1)).to_be_focused()
    page.keyboard.press("Space")
    expect(words(page).nth(1)).to_have_attribute("aria-pressed", "true")


def test_a_finger_on_a_phone(open_page: OpenPage) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
    with open_page(**phone) as page:
        go(page, "#/")
        page.get_by_role("region", name="Examples").get_by_role("button").first.tap()
        expect(page.get_by_role("img", name="What is to be explained")).to_be_visible()
        budget(page, 64, seed=104)
        page.get_by_role("button", name="Explain", exact=True).tap()
        expect_explained(page)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
        tab(page, "Conditioned").tap()
        words(page).nth(2).tap()
        expect(words(page).nth(2)).to_have_attribute("aria-pressed", "true")
        expect(readout(page)).to_contain_text("word ")
        patch(page, 4, 4).tap()
        settle(page)
        expect(readout(page)).to_contain_text("patch row 4, column 4")
        box = tab(page, "Conditioned").bounding_box()
        assert box is not None
        assert box["height"] >= 40
