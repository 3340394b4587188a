"""The lines by which a worker tells its host how its start ended."""

from __future__ import annotations

import pytest

from core.model.worker.announcements import (
    Announcement,
    WorkerFailed,
    WorkerReady,
    encode_announcement,
    parse_announcement,
)


@pytest.mark.parametrize("sent", [WorkerReady(512, 1024, False, 1.5), WorkerFailed("a.gguf is cut\nhere é", True)])
def test_an_announcement_is_one_line(sent: Announcement) -> None:
    """It arrives as it was sent."""
    line = encode_announcement(sent)

    assert "\n" not in line
    assert sent == parse_announcement(line.encode())


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"loading\n",
        b"[]\n",
        b"{}\n",
        b'{"ready": 1}\n',
        b'{"ready": {"window": 1}}\n',
        b'{"other": {}}',
        b"\xff\n",
    ],
)
def test_what_a_library_prints_is_no_announcement(line: bytes) -> None:
    """It is passed over."""
    assert parse_announcement(line) is None
