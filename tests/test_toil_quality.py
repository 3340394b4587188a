"""The tasks of benchmarks.toil_quality and their scores: a wrong right value would measure nothing."""

from __future__ import annotations

import json
from argparse import Namespace
from collections import Counter
from typing import Any

import jsonschema_rs
import pytest

from benchmarks.toil_likelihood import Unscored, right_value, write_parts
from benchmarks.toil_quality import LANGUAGES, Comparison, build_drawings, interval, measure, read_cases
from benchmarks.toil_quality_drawings import DRAWINGS, ToilCase, extract_json
from benchmarks.toil_quality_engines import open_engines
from benchmarks.toil_quality_scoring import MISSING, score_value
from tests.support.vllm_stand_in import VllmStandIn

CASES = list(read_cases(LANGUAGES))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_right_value_conforms_and_scores_in_full(case: ToilCase) -> None:
    """Null stands for an absent value where the schema wants one. No answer at all gets a point for absence alone."""
    value = json.loads("".join(text for text, _counts in write_parts(right_value(case.right, case.schema, case))))
    nothing = score_value(case.right, MISSING, case.schema)

    assert jsonschema_rs.validator_for(case.schema).is_valid(value), value
    assert set(score_value(case.right, value, case.schema).values()) == {1.0}
    assert all(score == 0 or "absent" in str(case.right) for score in nothing.values())


def test_value_is_written_in_parts() -> None:
    """The values that count are parts of their own; the text of a reason does not count."""
    parts = list(write_parts({"a": [{"n": 1.5}, {}], "b": None, "reason": Unscored("é"), "c": []}))

    assert "".join(text for text, _counts in parts) == '{"a": [{"n": 1.5}, {}], "b": null, "reason": "é", "c": []}'
    assert [text for text, counts in parts if counts] == ["1.5", "null"]


def test_tasks_are_many_and_of_both_languages() -> None:
    """Each kind has at least eight tasks in each language."""
    counts = Counter((case.language, case.kind) for case in CASES)

    assert len(CASES) >= 200
    assert len({kind for _, kind in counts}) == 12
    assert len(counts) == 24
    assert min(counts.values()) >= 8


@pytest.mark.parametrize(
    ("right", "value", "score"),
    [
        ("E3A 1L8", "e3a  1l8.", 1),
        ("l’Église", "l'Église", 1),
        ("Anne Roy", "Mme Anne Roy", 1),
        ("Anne Roy", "Anne Ray", 0),
        (1234.5, "1234.50", 1),
        (1234.5, "1 234,50 $", 0),
        (1, True, 0),
        (True, 1, 0),
        ({"digits": "6135550142"}, "(613) 555-0142", 1),
        ({"digits": "6135550142"}, "613-555-0124", 0),
        ({"absent": True}, None, 1),
        ({"absent": True}, "", 0),
        ({"topics": [["snow"], ["road", "street"]]}, "The snow closes the street.", 1),
        ({"topics": [["snow"], ["road", "street"]]}, "The snow closes the street and", pytest.approx(2 / 3)),
        ({"topics": [["snow"]]}, "Tea.", 0),
        ({"distinct": ["tax", "form", "date"]}, ["Tax", "tax", "form"], pytest.approx(2 / 3)),
        ({"distinct": ["tax", "form", "date"]}, ["tax", "form", "date", "city"], 0.75),
        ([{"n": "cups", "q": 2}, {"n": "jugs", "q": 1}], [{"n": "cup", "q": 2}, {"n": "jugs", "q": 3}], 0.5),
        ([{"n": "cups", "q": 2}], "cups", 0),
    ],
)
def test_scores(right: Any, value: Any, score: float) -> None:
    """Spelling that means the same is right; a wrong digit, another type and a broken sentence are not."""
    assert score_value({"a": right}, {"a": value}, {})["/a"] == score


def test_text_above_its_limit_is_wrong() -> None:
    """A free answer may be longer than the schema allows."""
    schema = {"properties": {"a": {"type": "string", "maxLength": 9}}}

    assert score_value({"a": {"topics": [["snow"]]}}, {"a": "Snow falls."}, schema) == {"/a": 0.0}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', '{"a": 1}'),
        ('Here it is:\n```json\n{"a": 1}\n```\nAnything else?', '{"a": 1}\n'),
        ('Sure! {"a": {"b": [1]}} Bye.', '{"a": {"b": [1]}}'),
        ("[1, 2]", "[1, 2]"),
        ("I cannot.", ""),
    ],
)
def test_json_is_found_in_free_text(text: str, found: str) -> None:
    """In a code block, or between the first and the last bracket."""
    assert extract_json(text).strip() == found.strip()


@pytest.mark.parametrize(
    ("comparison", "verdict"),
    [
        (Comparison(0.0, -0.1, 0.1), "as good"),
        (Comparison(-0.1, -0.2, 0.1), "open"),
        (Comparison(-0.1, -0.2, -0.1), "worse"),
    ],
)
def test_verdict_is_worse_only_beyond_doubt(comparison: Comparison, verdict: str) -> None:
    """A difference whose interval holds zero stays open."""
    assert comparison.verdict == verdict


def test_interval_holds_the_mean() -> None:
    """Equal differences leave no doubt; mixed ones do."""
    assert interval([0.5] * 8) == (0.5, 0.5)
    low, high = interval([0.0, 1.0] * 10)
    assert 0 < low < 0.5 < high < 1


@pytest.mark.parametrize("suffix", ["/v1", "/v1/", ""])
async def test_engine_at_a_url_draws(suffix: str) -> None:
    """The URL may lack /v1, and no model has to be named: the engine's first one is, as vLLM refuses an empty name."""
    async with VllmStandIn(window=4096).serving() as stand_in:
        options = Namespace(
            url=stand_in.url.removesuffix("/v1") + suffix,
            model="",
            drawings=",".join(DRAWINGS),
            forms="now",
            temperatures="0",
            seed=1,
        )
        async with open_engines(None, options) as engines:
            results = await measure(build_drawings(engines, options), CASES[:1], 1)

    assert [result.drawn.valid for result in results["ours"] + results["llama-server"]] == [True, True]
