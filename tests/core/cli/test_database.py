"""`csps-llm db`: its texts in each language; only an upgrade changes the database."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.cli import database
from core.contract import LANGUAGES
from core.errors import ConfigError
from core.storage import migration
from core.texts import text
from tests.support.databases import dump_tables, execute


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of the database of a data folder that does not exist yet."""
    monkeypatch.setenv("CSPS_LLM_DATA", str(tmp_path / "var"))
    monkeypatch.setenv("LC_ALL", "en_CA.UTF-8")
    return f"sqlite:///{tmp_path / 'var' / 'csps-llm.db'}"


@pytest.mark.usefixtures("url")
def test_a_rehearsal_prints_the_revisions_that_an_upgrade_would_apply(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The output is in the terminal's language. No database is created."""
    database.upgrade(dry_run=True)

    shown = capsys.readouterr().out
    for part in ("no revision yet", "  0001  the tables of version 0.1.0", "The database was not changed."):
        assert part in shown
    assert not (tmp_path / "var" / "csps-llm.db").exists()


def test_an_upgrade_prints_the_new_revision(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second upgrade prints that none is needed."""
    monkeypatch.setenv("LC_ALL", "fr_CA.UTF-8")
    newest = migration.scripts().get_current_head()
    database.upgrade(dry_run=False)
    assert f"La base de données est maintenant à la révision {newest}." in capsys.readouterr().out
    assert [{"version_num": newest}] == dump_tables(url)["alembic_version"]

    database.upgrade(dry_run=False)
    assert "Aucune mise à niveau n’est nécessaire." in capsys.readouterr().out


def test_status_refuses_a_newer_database(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Status prints the revision. For a revision that it does not know, the error says what to do."""
    database.upgrade(dry_run=False)
    database.status()
    assert "The database is at revision" in capsys.readouterr().out

    execute(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigError, match="revision 9999"):
        database.status()


def test_each_revision_has_a_text() -> None:
    """A new revision needs a line in both languages that says what it changes."""
    for script in migration.following(None):
        for language in LANGUAGES:
            assert text(f"cli-db-change-{script.revision}", language)
