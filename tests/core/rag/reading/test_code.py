"""Code, configuration and plain text keep the lines and blanks that mean something."""

from __future__ import annotations

import pytest

from benchmarks.corpus.code import PYTHON, YAML
from core.rag.documents import PASSAGE_LIMIT_CHARS, Document
from core.rag.reading.formats import read_document


def read(text: str, name: str, media_type: str = "") -> Document:
    return read_document(text.encode(), media_type, name=name)


def text_of(text: str, name: str = "notes.txt") -> str:
    (passage,) = read(text, name).passages
    return passage.text


@pytest.mark.parametrize(
    ("name", "code"), [("area.py", PYTHON), ("deploy.yaml", YAML), ("Makefile", "all:\n\tmake x\n")]
)
def test_code_is_kept_as_it_is(name: str, code: str) -> None:
    """Its title is the file's whole name."""
    document = read(code, name)

    assert document.title == name
    assert document.passages[0].text == f"```\n{code.rstrip(chr(10))}\n```"


def test_a_fence_in_code_does_not_end_it() -> None:
    """The fence around it is longer than those within."""
    text = text_of('"""\n```sh\nrun\n```\n````\n"""\n', "docs.py")

    assert text.startswith("`````\n")
    assert text.endswith("\n`````")
    assert text.count("`````") == 2


def test_ornaments_of_backticks_are_shortened() -> None:
    """No fence grows with the file."""
    assert text_of("`" * 500 + "\nx", "a.sh") == "````````\n```````\nx\n````````"


def test_long_code_is_cut_at_empty_lines() -> None:
    """Each part has its own fence, and lines keep their indentation."""
    functions = [f"def f{number}():\n    a = {number}\n    return a  # {'x' * 200}\n" for number in range(12)]
    document = read("\n".join(functions), "many.py")

    assert len(document.passages) > 2
    assert all(len(passage.text) <= PASSAGE_LIMIT_CHARS for passage in document.passages)
    assert all(passage.text.startswith("```\ndef f") for passage in document.passages)
    assert all("\n    return a" in passage.text for passage in document.passages)


@pytest.mark.parametrize(
    "text",
    [
        "Name      Extension\nAnne      4100\nLuc       4101",
        "Rate\tDays\n1\t2\n3\t4",
        "The sea\n    and the shore,\n        the sea.",
        "2026-05-02 08:00:01  INFO   started\n2026-05-02 08:00:04  WARN   slow",
        "if it rains:\n    stay inside",
    ],
)
def test_text_that_is_laid_out_by_blanks_keeps_them(text: str) -> None:
    """Tables, poems, logs and indented lines in plain text."""
    assert text_of(text) == f"```\n{text}\n```"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One.  Two.\nThree  words.", "One. Two.\nThree words."),
        ("    First line indented\nthe rest is not\nat all.", "First line indented\nthe rest is not\nat all."),
        ("- one\n  goes on\n- two", "- one\ngoes on\n- two"),
        ("Name:    Anne", "Name: Anne"),
        ("a\n\n\n\nb", "a\n\nb"),
    ],
)
def test_prose_is_no_layout(text: str, expected: str) -> None:
    """Two blanks after a sentence, and the indentation of a paragraph's first line or of an item."""
    assert text_of(text) == expected
