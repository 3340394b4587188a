"""The position from which the next process resumes the gateway session."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bindings.discord.resume_position import SAVE_INTERVAL_S, GatewayPosition, ResumePosition

LATEST = GatewayPosition("1:2", "s-1", 10, "wss://gateway.example/")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "not-there-yet" / "session.json"


def test_unfinished_events_come_again(path: Path) -> None:
    """The file has the position before the oldest unfinished event."""
    position = ResumePosition(path)
    position.save(LATEST, now=True)
    assert ResumePosition(path).load("1:2") == LATEST
    position.start_event(replace(LATEST, sequence=11))
    position.start_event(replace(LATEST, sequence=13))
    for finished_events, sequence in ((0, 10), (1, 12), (1, 14)):
        for _ in range(finished_events):
            position.finish_event()
        position.save(replace(LATEST, sequence=14), now=True)
        assert ResumePosition(path).load("1:2") == replace(LATEST, sequence=sequence)


def test_a_new_session_is_saved_once_events_of_the_old_one_are_finished(path: Path) -> None:
    """Its sequence numbers begin again."""
    position = ResumePosition(path)
    position.save(LATEST, now=True)
    position.start_event(replace(LATEST, sequence=11))
    new = replace(LATEST, session="s-2", sequence=1)
    position.save(new, now=True)
    assert ResumePosition(path).load("1:2") == LATEST
    position.finish_event()
    position.save(new, now=True)
    assert ResumePosition(path).load("1:2") == new


def test_the_file_is_not_written_for_every_event(path: Path) -> None:
    """Busy guilds send many."""
    now = 100.0
    position = ResumePosition(path, lambda: now)
    position.save(LATEST)
    position.save(replace(LATEST, sequence=11))
    assert ResumePosition(path).load("1:2") == LATEST
    now += SAVE_INTERVAL_S
    position.save(replace(LATEST, sequence=12))
    assert ResumePosition(path).load("1:2") == replace(LATEST, sequence=12)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"scope": "1:2"}', "null"])
def test_an_unusable_file_begins_a_new_session(path: Path, content: str) -> None:
    """So does a missing file, and one of another bot or of other intents."""
    assert ResumePosition(path).load("1:2") is None
    ResumePosition(path).save(LATEST, now=True)
    assert ResumePosition(path).load("1:3") is None
    path.write_text(content)
    assert ResumePosition(path).load("1:2") is None


def test_a_failed_save_is_no_error(tmp_path: Path) -> None:
    """The next process then gets more events again."""
    (tmp_path / "file").write_text("")
    ResumePosition(tmp_path / "file" / "session.json").save(LATEST, now=True)
