"""The table of formats, and what derives from it."""

from __future__ import annotations

import re
from importlib import import_module
from typing import get_args

import pytest

from core import PROJECT_ROOT
from core.runtime.format_table import (
    READABLE,
    ROWS,
    DocumentFormat,
    ReadableFormat,
    chooser_types,
    format_of_media_type,
    format_of_name,
    guess_media_type,
)
from core.runtime.refused_formats import REFUSED, RefusedFormat


@pytest.mark.parametrize("row", READABLE, ids=lambda row: row.name)
def test_every_row_names_a_parser(row: ReadableFormat) -> None:
    """A function of a module in core/rag/reading/."""
    module, function = row.parser.split(":")

    assert callable(getattr(import_module(f"core.rag.reading.{module}"), function))


def test_every_format_has_one_row() -> None:
    assert sorted(get_args(DocumentFormat)) == sorted(row.name for row in READABLE)


def test_suffixes_and_types_are_in_lower_case() -> None:
    """Lookups compare in lower case."""
    names = [name for row in ROWS for name in (*row.suffixes, *row.media_types)]

    assert names == [name.lower() for name in names]
    assert all(suffix.startswith(".") for row in ROWS for suffix in row.suffixes)


@pytest.mark.parametrize(
    ("name", "format_name"),
    [
        ("Rapport.CSV", "csv"),
        ("/a/b.tar/notes.md", "markdown"),
        ("C:\\src\\Main.TS", "code"),
        ("Dockerfile", "code"),
        ("src/Makefile", "code"),
        (".env", "code"),
        ("deploy.env", "code"),
        ("README", "text"),
        ("server.log", "text"),
        ("logo.svg", "xml"),
        ("https://example.ca/data/table.csv?version=2.5", "csv"),
        ("https://example.rs", None),
        ("https://[broken/table.csv", None),
        ("unknown.qqq", None),
        ("", None),
    ],
)
def test_a_name_says_the_format(name: str, format_name: str | None) -> None:
    """By the whole name, else by the suffix; of a URL, by its path."""
    row = format_of_name(name)

    assert format_name == (row.name if isinstance(row, ReadableFormat) else row)


@pytest.mark.parametrize(
    ("media_type", "format_name"),
    [
        ("Text/HTML; charset=utf-8", "page"),
        ("application/vnd.geo+json", "json"),
        ("application/atom+xml", "feed"),
        ("application/mathml+xml", "xml"),
        ("text/x-python", "code"),
        ("text/unheard-of", "text"),
        ("application/x-yaml", "code"),
        ("application/octet-stream", None),
        ("", None),
    ],
)
def test_a_media_type_says_the_format(media_type: str, format_name: str | None) -> None:
    row = format_of_media_type(media_type)

    assert format_name == (row.name if isinstance(row, ReadableFormat) else row)


@pytest.mark.parametrize(
    ("media_type", "reason"),
    [("image/webp", "picture"), ("audio/ogg", "recording"), ("video/mp4", "recording"), ("application/zip", "archive")],
)
def test_a_media_type_says_why_a_file_is_refused(media_type: str, reason: str) -> None:
    row = format_of_media_type(media_type)

    assert isinstance(row, RefusedFormat)
    assert row.reason == reason


def test_the_usual_media_type_of_a_name() -> None:
    """A refused or unknown format has none."""
    assert guess_media_type("table.tsv") == "text/csv"
    assert guess_media_type("program.exe") == guess_media_type("unknown.qqq") == ""


def test_the_file_chooser_of_the_page_shows_readable_files() -> None:
    """The attribute `accept` has all suffixes of the table, and all media types of text."""
    page = (PROJECT_ROOT / "web" / "pages" / "index.html").read_text("utf-8")
    accepted = re.search(r'accept="([^"]*)"', page)

    assert accepted, "index.html has no file chooser"
    assert accepted[1] == chooser_types(), f'write this into index.html: accept="{chooser_types()}"'


def test_every_advice_ends_a_sentence() -> None:
    """The sentence begins "this is"."""
    assert all(row.advice.startswith(("a ", "an ")) and not row.advice.endswith(".") for row in REFUSED.values())
