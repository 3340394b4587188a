"""Strict parsing of JSON."""

from __future__ import annotations

import json
import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import strict_json
from core.contract import Json
from core.errors import BadRequest

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.slow  # tries many cases
@given(VALUES)
def test_dumped_json_parses_to_itself(value: Json) -> None:
    """Ordinary JSON passes unchanged in both directions."""
    assert value == strict_json.parse(strict_json.dump(value))


@given(st.binary())
def test_bytes_are_understood_or_refused(raw: bytes) -> None:
    """No input raises anything but BadRequest."""
    with suppress(BadRequest):
        strict_json.parse(raw)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not valid JSON"),
        (b"\xef\xbb\xbf{}", "not valid JSON"),
        (b"\xff", "UTF-8"),
        (b"NaN", "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b"1e999", "range"),
        (b"-1e999", "range"),
        (b"1" * 400, "range"),
        (b"1" * 5000, "range"),
        (b'{"a": 1, "a": 1}', "twice"),
        (b'{"b": {"a": 1, "a": 2}}', "twice"),
        (b'["\\ud800"]', "surrogate"),
        (b'{"\\udfff": 1}', "surrogate"),
        (b"[" * 65 + b"]" * 65, "nested"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "nested"),
        (b"[" + b"1," * 60_000 + b"1]", "50,000 values"),
        (b"[" + b'"",' * 300_000 + b'""]', "50,000 values"),
        (b"{" + b",".join(b'"k%d":1' % n for n in range(60_000)) + b"}", "50,000 values"),
        (b"[" + b"{}," * 60_000 + b"{}]", "50,000 values"),
        (b'""' * 500_000, "not valid JSON"),
        (b'["' + b'","' * 300_000 + b'"]', "50,000 values"),
        (b'["' + rb"\"" * 100_000 + b'",' + b"1," * 60_000 + b"1]", "50,000 values"),
        (b"[" * 1_000_000, "nested"),
        (b"[" * 500_000 + b"]" * 500_000, "nested"),
    ],
)
def test_refusals(raw: bytes, reason: str) -> None:
    """Each error names the reason."""
    with pytest.raises(BadRequest, match=reason):
        strict_json.parse(raw)


def test_the_deepest_allowed_nesting() -> None:
    """64 levels are allowed."""
    deep: Json = json.loads("[" * 64 + "]" * 64)

    assert deep == strict_json.parse("[" * 64 + "]" * 64)


def test_half_a_surrogate_pair_is_escaped() -> None:
    """The output is valid JSON, although UTF-8 cannot encode the character."""
    assert strict_json.dump("\ud800") == b'"\\ud800"'
    assert '"é"'.encode() == strict_json.dump("é")
    with pytest.raises(ValueError, match="JSON compliant"):
        strict_json.dump(math.nan)


@pytest.mark.parametrize(
    "value",
    [
        ["," * 200_000],
        ['"' * 200_000, "[{" * 100_000],
        ["\\" * 100_000, '\\",' * 50_000],
        [1] * 40_000,
        {f"p{n}": {"type": "string"} for n in range(10_000)},
    ],
)
@pytest.mark.parametrize("as_text", [True, False])
def test_commas_of_texts_are_no_values(value: Json, as_text: bool) -> None:
    """A long text passes whatever it holds, and so does a schema of 10,000 properties."""
    raw = json.dumps(value)
    assert value == strict_json.parse(raw if as_text else raw.encode())


def test_data_that_the_operator_chose_have_no_limit() -> None:
    """A source may have more values than a request."""
    assert strict_json.parse(json.dumps([1] * 100_000), values_limit=None) == [1] * 100_000
