"""Prompt templates, and the task that a row becomes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract import Sampling
from core.errors import BadRequest, ParameterRefused
from core.toil.batch.job import ColumnUnknown, Job, parse_template, row_id
from core.toil.batch.rows import Row

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="{}\n"), min_size=1).filter(
    lambda name: name == name.strip()
)


@given(st.text(), st.text(), NAMES, st.text())
def test_fill_changes_only_the_placeholder(before: str, after: str, name: str, value: str) -> None:
    """Text around a placeholder stays; braces inside a value have no meaning."""
    doubled = [text.replace("{", "{{").replace("}", "}}") for text in (before, after)]

    template = parse_template(f"{doubled[0]}{{{name}}}{doubled[1]}")

    assert f"{before}{value}{after}" == template.fill({name: value, "other": 1})


def test_values_other_than_strings_are_filled_as_json() -> None:
    """null becomes ""."""
    template = parse_template("{a}|{b}|{c}|{a}")

    assert '{"x": ["é"]}||2.5|{"x": ["é"]}' == template.fill({"a": {"x": ["é"]}, "b": None, "c": 2.5})


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("no gap", "names no column"),
        ("{{a}}", "names no column"),
        ("{a}\n{", "line 2"),
        ("{a} }", "`}`"),
        ("{ }", "`{ }`"),
    ],
)
def test_malformed_templates_are_refused(text: str, fragment: str) -> None:
    """The error names the line."""
    with pytest.raises(BadRequest) as caught:
        parse_template(text)

    assert fragment in caught.value.message


def test_unknown_column_error_lists_existing_columns() -> None:
    """The error also suggests the closest column."""
    with pytest.raises(ColumnUnknown) as caught:
        parse_template("{Titel} {text}").fill({"Title": "a", "text": "b", "n": 1})

    assert all(part in caught.value.message for part in ("`Titel`", "`Title`, `text`, `n`", "did you mean `Title`"))


def test_template_row_takes_the_options_of_the_batch() -> None:
    """The task has the batch's schema and sampling; the row's `id` is only returned."""
    job = Job("whisper", {"type": "object"}, parse_template("Say {id}"), Sampling(seed=7))
    row = Row(3, {"id": "x-1", "seed": 9})
    task = job.build_task(row)

    assert ("Say x-1", {"type": "object"}, 7) == (task.prompt, task.schema, task.sampling.seed)
    assert "x-1" == row_id(row)


def test_row_options_override_the_options_of_the_batch() -> None:
    """Without a template, a row takes the fields of /toil; missing ones come from the batch."""
    job = Job("whisper", {"type": "object"}, None, Sampling(seed=7, temperature=0))
    task = job.build_task(Row(1, {"prompt": "Hi", "schema": False, "seed": 9}))

    assert ("Hi", False, 9, 0) == (task.prompt, task.schema, task.sampling.seed, task.sampling.temperature)
    assert {"type": "object"} == job.build_task(Row(1, {"prompt": "Hi", "id": 4})).schema


@pytest.mark.parametrize(
    ("fields", "fragment"),
    [
        ({}, "`prompt`"),
        ({"prompt": 1}, "`prompt`"),
        ({"prompt": "a", "nonsense": 1}, "`nonsense`"),
        ({"prompt": "a", "schema": "x"}, "`schema"),
        ({"prompt": "a", "temperature": 9}, "`temperature`"),
    ],
)
def test_invalid_rows_are_refused(fields: dict[str, Any], fragment: str) -> None:
    """The error names the key."""
    with pytest.raises(ParameterRefused) as caught:
        Job("whisper").build_task(Row(1, fields))

    assert fragment in caught.value.message


@pytest.mark.parametrize(
    ("name", "expected"), [("a", "a"), (7, 7), (True, None), (None, None), ([1], None), ("x" * 999, "x" * 512)]
)
def test_row_id_is_a_short_string_or_an_integer(name: Any, expected: Any) -> None:
    """Any other id is not returned."""
    assert expected == row_id(Row(1, {"id": name}))


def test_many_or_long_names_get_no_suggestion() -> None:
    """The error is short and still names the missing column."""
    long = "x" * 100_000
    template = parse_template(
        "".join(f"{{{name}}}" for name in (long, "Titel", *(f"{number}" * 9 for number in range(20_000))))
    )
    fields = {long + "y": 1, **{f"{number}{'z' * 30}": 1 for number in range(20_000)}, "Title": 1}
    with pytest.raises(ColumnUnknown) as caught:
        template.fill(fields)

    assert "did you mean" not in caught.value.message
    assert "`Titel`" in caught.value.message
    assert len(caught.value.message) < 4000
