"""`csps-llm facts`: its commands and their output."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from core import PROJECT_ROOT
from core.cli.commands.facts import group as app
from core.cli.facts import status_cells
from core.errors import NotFound, ParameterRefused
from core.rag.facts.schedule import COMMAND
from core.rag.facts.status import CollectionStatus

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


# ---------------------------------------------------------------- collections of config/facts.toml

FACTS = """
[hr]
title = { en = "Staff", fr = "Personnel" }
[hr.origins]
handbook = { place = "documents" }
"""


@pytest.fixture
def configured(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file facts.toml of the operator, with one collection from `folder`."""
    monkeypatch.setenv("CSPS_LLM_CONFIG", str(folder.parent))
    (folder.parent / "facts.toml").write_text(FACTS, encoding="utf-8")
    return folder.parent / "facts.toml"


def test_configured_collections_are_synchronised_and_listed(folder: Path, configured: Path) -> None:
    """Paths start at the file. What is not due yet waits, unless somebody asks for it."""
    assert "hr/handbook: 2 added" in facts("sync").stderr
    (folder / "parking.md").unlink()
    assert "" == facts("sync", "--due").stderr
    assert "1 unchanged, 1 removed" in facts("sync", "hr").stderr

    listed = json.loads(facts("list", "--json").stdout)[0]
    assert ("hr", 1, "daily", None) == tuple(listed[key] for key in ("name", "documents", "refresh", "problem"))
    assert 86_400 == listed["next_at"] - listed["succeeded_at"]
    assert "daily" in facts("list").stdout


def test_an_origin_that_fails_has_its_own_status(folder: Path, configured: Path) -> None:
    """Its reason is printed, and is in the list afterwards."""
    configured.write_text(FACTS.replace("documents", "nowhere"), encoding="utf-8")

    failed = facts("sync")

    assert 3 == failed.exit_code
    assert "hr/handbook failed: " in failed.stderr
    listed = json.loads(facts("list", "--json").stdout)[0]
    assert (1, True) == (listed["failures"], "there is no such file" in listed["problem"])


def test_only_configured_collections_can_be_synchronised(folder: Path, configured: Path) -> None:
    """The error names them; a mistake in the file has its line."""
    assert "There are: hr" in str(facts("sync", "he").exception)
    configured.write_text("[hr]\n", encoding="utf-8")
    assert "facts.toml:1: `hr.title` is missing" in str(facts("sync").exception)
    configured.unlink()
    assert "names no collections" in facts("sync").stderr


def test_the_child_of_the_service_synchronises_what_is_due(folder: Path, configured: Path) -> None:
    """It has the lowest priority, and ends by itself."""
    code = "import os, core.cli.facts_refresh as child; print(child.main(), os.nice(0))"
    command = [*COMMAND[:4], "-c", code, str(os.getpid())]

    child = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT_ROOT)

    assert "0 19\n" == child.stdout
    assert "collection_refreshed" in child.stderr
    assert 2 == json.loads(facts("list", "--json").stdout)[0]["documents"]


def test_each_origin_has_a_line_of_the_table() -> None:
    """Control characters of a folder's name do not reach the terminal."""
    status = CollectionStatus("leave", 1, 1, ("/docs", "/a\x1b[2J"), problem="bad\nline")

    cells = status_cells(status, "en")

    assert ["/docs", "/a\\x1b[2J"] == cells[3].splitlines()
    assert "\n" not in cells[-1]
