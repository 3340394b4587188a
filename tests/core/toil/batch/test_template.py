"""Prompt templates and what becomes of a row."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract import Sampling
from core.errors import BadRequest, ParameterRefused
from core.toil.batch.job import Job, id_of
from core.toil.batch.rows import Row
from core.toil.batch.template import ColumnUnknown, parse

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="{}\n"), min_size=1).filter(
    lambda name: name == name.strip()
)


@given(st.text(), st.text(), NAMES, st.text())
def test_only_the_gap_changes(before: str, after: str, name: str, value: str) -> None:
    """Text round a gap stays as it is, braces doubled; a value's own braces mean nothing."""
    doubled = [text.replace("{", "{{").replace("}", "}}") for text in (before, after)]

    template = parse(f"{doubled[0]}{{{name}}}{doubled[1]}")

    assert f"{before}{value}{after}" == template.fill({name: value, "other": 1})


def test_values_that_are_no_text() -> None:
    """As JSON, and nothing for null."""
    template = parse("{a}|{b}|{c}|{a}")

    assert '{"x": ["é"]}||2.5|{"x": ["é"]}' == template.fill({"a": {"x": ["é"]}, "b": None, "c": 2.5})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no gap", "names no column"),
        ("{{a}}", "names no column"),
        ("{a}\n{", "line 2"),
        ("{a} }", "`}`"),
        ("{ }", "`{ }`"),
    ],
)
def test_templates_that_are_none(text: str, said: str) -> None:
    """Refused with the line."""
    with pytest.raises(BadRequest) as caught:
        parse(text)

    assert said in caught.value.message


def test_an_unknown_column_is_named_with_the_known() -> None:
    """And with the one that was probably meant."""
    with pytest.raises(ColumnUnknown) as caught:
        parse("{Titel} {text}").fill({"Title": "a", "text": "b", "n": 1})

    assert all(part in caught.value.message for part in ("`Titel`", "`Title`, `text`, `n`", "did you mean `Title`"))


def test_a_row_in_a_template() -> None:
    """The batch's schema and sampling; `id` is only handed back."""
    job = Job("whisper", {"type": "object"}, parse("Say {id}"), Sampling(seed=7))
    row = Row(3, {"id": "x-1", "seed": 9})
    task = job.task(row)

    assert ("Say x-1", {"type": "object"}, 7) == (task.prompt, task.schema, task.sampling.seed)
    assert "x-1" == id_of(row)


def test_a_row_of_its_own() -> None:
    """Without a template a row brings what /toil takes; what it does not bring is the batch's."""
    job = Job("whisper", {"type": "object"}, None, Sampling(seed=7, temperature=0))
    task = job.task(Row(1, {"prompt": "Hi", "schema": False, "seed": 9}))

    assert ("Hi", False, 9, 0) == (task.prompt, task.schema, task.sampling.seed, task.sampling.temperature)
    assert {"type": "object"} == job.task(Row(1, {"prompt": "Hi", "id": 4})).schema


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "`prompt`"),
        ({"prompt": 1}, "`prompt`"),
        ({"prompt": "a", "nonsense": 1}, "`nonsense`"),
        ({"prompt": "a", "schema": "x"}, "`schema"),
        ({"prompt": "a", "temperature": 9}, "`temperature`"),
    ],
)
def test_rows_that_are_not_understood(fields: dict[str, Any], said: str) -> None:
    """Refused by the key's name."""
    with pytest.raises(ParameterRefused) as caught:
        Job("whisper").task(Row(1, fields))

    assert said in caught.value.message


@pytest.mark.parametrize(
    ("name", "kept"), [("a", "a"), (7, 7), (True, None), (None, None), ([1], None), ("x" * 999, "x" * 512)]
)
def test_what_a_row_may_be_called(name: Any, kept: Any) -> None:
    """A short text or a whole number; anything else is not handed back."""
    assert kept == id_of(Row(1, {"id": name}))


def test_names_too_many_or_too_long_to_compare_are_not_hinted_at() -> None:
    """The answer comes, and names what is missing."""
    long = "x" * 100_000
    template = parse("".join(f"{{{name}}}" for name in (long, "Titel", *(f"{number}" * 9 for number in range(20_000)))))
    fields = {long + "y": 1, **{f"{number}{'z' * 30}": 1 for number in range(20_000)}, "Title": 1}
    with pytest.raises(ColumnUnknown) as caught:
        template.fill(fields)

    assert "did you mean" not in caught.value.message
    assert "`Titel`" in caught.value.message
    assert len(caught.value.message) < 4000
