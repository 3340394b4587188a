"""What a process says when it cannot listen."""

from __future__ import annotations

import socket

import pytest

from core.listening import cannot_listen


@pytest.mark.parametrize(
    ("exc", "said"),
    [
        (OSError(98, "Address already in use"), "set SLACK_PORT"),
        (PermissionError(13, "Permission denied"), "above 1023"),
        (OSError(99, "Cannot assign requested address"), "check SLACK_HOST"),
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known; check SLACK_HOST"),
    ],
)
def test_why_an_address_cannot_be_listened_on(exc: OSError, said: str) -> None:
    """Each reason says what to do."""
    assert said in cannot_listen(exc, "127.0.0.1", 80, "SLACK_HOST", "SLACK_PORT").message
