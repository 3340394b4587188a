"""`csps-llm facts`: its commands and their output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from core.cli.commands import facts_app as app
from core.errors import NotFound, ParameterRefused

WEATHER = "# Snow days\n\nWhen the building is closed because of a storm, work from home.\n"
PARKING = "# Parking\n\nPermits for the garage are given by lot in October.\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of documents to add, with a data folder for this test."""
    monkeypatch.setenv("CSPS_LLM_DATA", str(tmp_path / "var"))
    monkeypatch.setenv("LC_ALL", "en_CA.UTF-8")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "snow.md").write_text(WEATHER)
    (documents / "parking.md").write_text(PARKING)
    return documents


def facts(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_from_a_folder_to_an_answer(folder: Path) -> None:
    """Documents are added, added again, searched in the other language, listed, exported and removed."""
    added = facts("add", "hr", folder)
    assert (0, True) == (added.exit_code, "2 added, 0 changed, 0 unchanged, 0 removed; 2 passages" in added.stderr)
    (folder / "parking.md").unlink()
    assert "0 added, 0 changed, 1 unchanged, 1 removed" in facts("add", "hr", folder).stderr

    answer = facts("search", "hr", "Que faire quand il y a une tempête de neige?").stdout
    assert answer.startswith("1. Snow days\n")
    assert f"{folder / 'snow.md'} (en, " in answer
    assert "2." not in answer

    listed = facts("list").stdout
    assert "hr" in listed
    exported = [json.loads(line) for line in facts("export", "hr").stdout.splitlines()]
    assert [("Snow days", str(folder / "snow.md"))] == [(each["title"], each["key"]) for each in exported]
    assert "storm" in exported[0]["passages"][0]["text"]

    assert "1 document removed from hr" in facts("remove", "hr", folder / "snow.md").stderr
    assert "Collection hr and its" in facts("remove", "hr").stderr
    assert "no collections yet" in facts("list").stderr


def test_a_document_that_cannot_be_read_is_named(folder: Path) -> None:
    """Its reason is printed, the others are added, and the exit status is 3."""
    (folder / "old.pdf").write_bytes(b"%PDF-1.4 broken")

    added = facts("add", "hr", folder)

    assert 3 == added.exit_code
    assert "2 added" in added.stderr
    assert f"{folder / 'old.pdf'}: " in added.stderr


def test_each_row_of_a_csv_file_is_a_fact(folder: Path) -> None:
    """The output is in French if the locale is."""
    (folder / "faq.csv").write_text("question,réponse\nOù est la cantine?,Au deuxième étage.\n", encoding="utf-8")

    result = CliRunner().invoke(app, ["add", "faq", str(folder / "faq.csv")], env={"LC_ALL": "fr_CA.UTF-8"})

    assert "1 ajouté, 0 modifié" in result.stderr
    assert "Au deuxième étage." in facts("search", "faq", "Where can I eat lunch?").stdout


def test_a_missing_collection_or_document_is_an_error(folder: Path) -> None:
    """The error is NotFound, which every command prints in the same way."""
    assert isinstance(facts("search", "none", "anything").exception, NotFound)
    assert isinstance(facts("add", "hr", folder / "nowhere").exception, NotFound)
    assert isinstance(facts("remove", "none").exception, NotFound)


def test_a_deleted_file_is_still_stored(folder: Path) -> None:
    """The error names the command that removes it from the collection."""
    facts("add", "hr", folder / "snow.md")
    (folder / "snow.md").unlink()

    refused = facts("add", "hr", folder / "snow.md").exception

    assert isinstance(refused, ParameterRefused)
    assert f"csps-llm facts remove hr {folder / 'snow.md'}" in refused.message
    assert "1 document removed from hr" in facts("remove", "hr", folder / "snow.md").stderr
