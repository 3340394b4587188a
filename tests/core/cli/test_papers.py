"""`csps-llm papers`."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.cli.papers import papers
from core.errors import ConfigError


@pytest.fixture(autouse=True)
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service before an engine elsewhere, in a French terminal."""
    for name, value in {
        "LLM_URL": "https://engine.example/v1",
        "LLM_MODEL": "large",
        "CSPS_LLM_DATA": str(tmp_path / "var"),
        "LC_ALL": "fr_CA.UTF-8",
    }.items():
        monkeypatch.setenv(name, value)


def test_papers_are_written_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each file is printed, and what remains to be done, in the terminal's language."""
    papers(tmp_path / "out")
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 9
    assert all(Path(line).is_file() for line in printed[:-1])
    assert "Relisez les documents" in printed[-1]
    assert "engine.example" in (tmp_path / "out" / "fr" / "privacy.md").read_text(encoding="utf-8")
    assert not (tmp_path / "var").exists()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """The cause follows the name."""
    (tmp_path / "out").write_text("in the way", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"out.*: une partie du chemin est un fichier"):
        papers(tmp_path / "out")
