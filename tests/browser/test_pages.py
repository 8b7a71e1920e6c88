"""What the browser is told before it runs anything."""

from __future__ import annotations

import httpx
import pytest

from tests.browser.samples import Samples
from tests.browser.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_no_page_may_run_what_it_does_not_bring(stack: Stack, samples: Samples) -> None:
    for path in ("/", "/page/page.js", "/page/page.css", f"/v1/explanations/{samples.fixlip.id}/report.html"):
        answer = httpx.get(f"{stack.url}{path}", trust_env=False).raise_for_status()
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert not any(word in policy for word in ("http:", "https:", "*"))
        assert answer.headers["x-content-type-options"] == "nosniff"
