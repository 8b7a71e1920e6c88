"""axe: the checks of accessibility that a program can make."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page

from tests.support.node import install_packages

__all__ = ["find_barriers"]

_PROJECT: Final = Path(__file__).parents[2] / "web"
_RUN: Final = """
async () => {
  const found = await axe.run(document, {resultTypes: ["violations"]});
  return found.violations
    .filter((violation) => ["serious", "critical"].includes(violation.impact))
    .flatMap(({id, nodes}) => nodes.map((node) => `${id}: ${node.target.join(" ")}: ${node.failureSummary}`));
}
"""


def find_barriers(page: Page) -> list[str]:
    """What is serious or critical to people who cannot see, point or tell colours apart; empty where all is well."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_axe())
    barriers: list[Any] = page.evaluate(_RUN)
    return [str(barrier) for barrier in barriers]


@cache
def _axe() -> str:
    return (install_packages(_PROJECT) / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
