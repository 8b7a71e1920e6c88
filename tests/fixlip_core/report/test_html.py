from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from fixlip_core.explanation import Explanation
from fixlip_core.report import render_report, report_document, report_policy
from tests.support.explanations import attribution, example, with_regions

MINUS = "\u2212"
VIEW = np.zeros((8, 8, 3), dtype=np.uint8)
HOSTILE = (
    "</script><script>alert(1)</script>",
    "<!-- <script>",
    "]]> <![CDATA[",
    "\" onload='alert(1)' &amp; &lt;b&gt;",
    "</noscript></title></style><img src=x onerror=alert(1)>",
    "\u202eright to left\u202c \u2028 \u2029",
    "{policy} {} %s \\u003c \\",
    "\ud800 alone",
)


class Parsed(HTMLParser):
    """What a browser without scripts makes of a page: its elements, and the text of each kind."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "link", "img", "input"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self._open[-1] if self._open else "", []).append(data)


def page_of(document: dict[str, Any]) -> str:
    return render_report(document).decode()


def report(explanation: Explanation, caption: str | None = None, **extra: Any) -> dict[str, Any]:
    job = {"id": "0" * 32, "model": {"id": "demo"}, "input": {"caption": caption}, **extra} if caption else None
    return report_document(explanation, VIEW, job=job)


def large() -> Explanation:
    """14 x 14 patches and 20 tokens, with all that such an explanation can have, none of which packs well."""
    rng = np.random.default_rng(0)
    pairs, errors = (np.triu(rng.normal(size=(216, 216)), 1) for _ in range(2))
    return dataclasses.replace(
        example(),
        grid=(14, 14),
        tokens=tuple(f"token{k}" for k in range(20)),
        first=rng.normal(size=216),
        first_std_error=rng.random(216),
        second=pairs + pairs.T,
        second_std_error=abs(errors + errors.T),
    )


def test_it_holds_its_document() -> None:
    document = report(example(), "a red circle")
    found = re.search(r'<script type="application/json" id="document">(.*?)</script>', page_of(document))
    assert found is not None
    assert json.loads(found[1]) == document


@pytest.mark.parametrize("text", HOSTILE)
def test_text_is_never_markup(text: str) -> None:
    plain = Parsed(page_of(report(example(), "a red circle", metadata={"file": "a"}, custom_id="b")))
    explanation = dataclasses.replace(example(), tokens=("a", text, "b"), provenance={"model": text})
    page = page_of(report(explanation, text, metadata={text: text}, custom_id=text))
    parsed = Parsed(page)
    assert parsed.tags == plain.tags
    assert [name for name, _ in parsed.attributes] == [name for name, _ in plain.attributes]
    texts = ["".join(parsed.texts[kind]) for kind in ("title", "bdi")]
    shown = text.encode("ascii", "replace").decode() if text.startswith("\ud800") else text
    assert all(shown in found for found in texts)
    (document,) = (text for text in parsed.texts["script"] if text.startswith("{"))
    assert json.loads(document)["job"]["metadata"] == {text: text}


def test_regions_names_are_text_too() -> None:
    named = dataclasses.replace(with_regions(), region_labels=("<b>", "&amp;", "<script>"))
    parsed = Parsed(page_of(report(named)))
    assert "b" not in parsed.tags
    assert {"<b>", "&amp;", "<script>"} <= set(parsed.texts["bdi"])


def test_its_policy_lets_in_its_own_script_and_style_alone() -> None:
    page = page_of(report(example()))
    policy = dict(part.split(" ", 1) for part in report_policy().split("; "))
    for tag in ("script", "style"):
        (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, flags=re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert policy.pop(f"{tag}-src") == f"'sha256-{digest}'"
    assert policy == {"default-src": "'none'", "img-src": "data:", "base-uri": "'none'", "form-action": "'none'"}
    (content,) = (value for name, value in Parsed(page).attributes if name == "content" and "default" in str(value))
    assert content == report_policy()
    assert page.index("Content-Security-Policy") < page.index("<style") < page.index("<script")


def test_it_asks_nobody_for_anything() -> None:
    parsed = Parsed(page_of(report(example())))
    assert not {"link", "iframe", "img", "base", "object"} & set(parsed.tags)
    assert not {"src", "href", "style"} & {name for name, _ in parsed.attributes}
    assert not [name for name, _ in parsed.attributes if name.startswith("on")]


def test_a_large_one_has_less_than_two_megabytes() -> None:
    rng = np.random.default_rng(0)
    view = rng.integers(0, 256, (224, 224, 3), dtype=np.uint8)  # nothing packs worse
    subsets = [sorted(rng.choice(216, size, replace=False).tolist()) for size in range(217)]
    evaluation = {"insertion_deletion": {"subsets": {"greatest": subsets, "least": subsets}}}
    assert len(render_report(report_document(large(), view, evaluation=evaluation))) < 2_000_000


def test_without_scripts_the_strongest_pairs_are_a_table() -> None:
    explanation = example()
    parsed = Parsed(page_of(report(explanation, "a red circle")))
    cells = parsed.texts["td"]
    top = explanation.top_interactions(20)
    values = [cell for cell in cells if cell[:1] in ("+", MINUS)]
    assert values == [f"{pair.value:+.3f}".replace("-", MINUS) for pair in top]
    assert "0.250" in cells
    assert "unknown" in cells
    assert parsed.texts["bdi"][0] == "a red circle"
    assert "Strongest pairs" in "".join(parsed.texts["caption"])


def test_without_pairs_the_strongest_players_are() -> None:
    explanation = attribution()
    parsed = Parsed(page_of(report(explanation)))
    strongest = np.argsort(-np.abs(explanation.main_effects()))[0]
    assert explanation.players.label(int(strongest)) == parsed.texts["bdi"][1]
    assert "Strongest players" in "".join(parsed.texts["caption"])
    assert parsed.texts["bdi"][0] == "a “red” 🎉"  # there is no caption: its words


def test_the_same_explanation_gives_the_same_bytes() -> None:
    assert render_report(report(example(), "a")) == render_report(report(example(), "a"))
