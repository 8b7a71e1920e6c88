from __future__ import annotations

from typing import Any

import pytest

from fixlip_core.audit.canonical import canonical_bytes, parse_json
from fixlip_core.errors import FormatError

# RFC 8785, sections 3.2.2 and 3.2.3.
RFC_INPUT = rb"""{
  "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
  "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
  "literals": [null, true, false]
}"""
RFC_OUTPUT = (
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
    '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
)
RFC_ORDER = ["\r", "1", "\u0080", "ö", "€", "😀", "\ufb33"]  # by UTF-16


def test_the_canonical_form_is_that_of_the_rfc() -> None:
    assert canonical_bytes(parse_json(RFC_INPUT)) == RFC_OUTPUT.encode()


def test_members_are_sorted_as_the_rfc_sorts_them() -> None:
    form = canonical_bytes(dict.fromkeys(reversed(RFC_ORDER), 0))
    assert list(parse_json(form)) == RFC_ORDER


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, {1: 2}, b"bytes", "\ud800"])
def test_what_json_has_not_has_no_canonical_form(value: Any) -> None:
    with pytest.raises(FormatError, match="no canonical form"):
        canonical_bytes({"value": value})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "'c' is there twice"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": -Infinity}', "-Infinity is no number"),
        (b'{"a": 1', "no JSON"),
        (b"\xff", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[1]", "no JSON object but list"),
    ],
)
def test_what_two_readers_may_read_differently_is_refused(text: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        parse_json(text)
