"""An operator's expressions: bounded ones are accepted, all others are refused with a remedy."""

from __future__ import annotations

import pytest

from core.privacy.detection import Detector
from core.privacy.own_patterns import OwnPattern, PatternRefused, compile_pattern


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(a+)+", "upper bound"),
        ("a*b", "upper bound"),
        ("(a{1,12}){1,12}", "more than 100 ways"),
        ("a{0,50}a{0,50}b", "more than 100 ways"),
        (r"(\d)\1", "refer back"),
        ("a?", "empty text"),
        ("a{300}", "at most 200 characters"),
        ("(a", "not a regular expression"),
    ],
)
def test_an_expression_that_could_take_long_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(PatternRefused, match=reason):
        compile_pattern(pattern)


def test_an_own_pattern_matches_whole_words() -> None:
    pattern = OwnPattern("pri", compile_pattern(r"PRI[ :]{0,2}\d{8}"), {"en": "PRI", "fr": "CIDP"})
    detector = Detector(own_patterns=(pattern,))

    assert ["pri"] == [each.kind for each in detector.find("My PRI: 12345678.")]
    assert [] == detector.find("XPRI12345678, PRI 123456789")
