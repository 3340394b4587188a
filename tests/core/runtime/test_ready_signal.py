"""A process tells its supervisor that it serves."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import closing

import pytest

from core import PROJECT_ROOT
from core.runtime.ready_signal import VARIABLE, ReadySignal, announce_ready

ANNOUNCE = (sys.executable, "-c", "from core.runtime.ready_signal import announce_ready; announce_ready()")


def run(signal: ReadySignal, *command: str) -> None:
    subprocess.run(command, env={**os.environ, **signal.environ}, pass_fds=(signal.fd,), cwd=PROJECT_ROOT, check=True)


def test_an_announcement_arrives_once() -> None:
    """A process that ends without one did not serve."""
    with closing(ReadySignal()) as signal:
        run(signal, sys.executable, "-c", "pass")
        assert not signal.was_sent()
        run(signal, *ANNOUNCE)
        assert signal.was_sent()
        assert not signal.was_sent()


def test_nobody_listens_outside_of_a_supervisor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variable nothing is written, nor into a file that has the number by chance."""
    monkeypatch.delenv(VARIABLE, raising=False)
    announce_ready()
    with tempfile.TemporaryFile() as file:
        for value in (str(file.fileno()), "999999", "x", ""):
            monkeypatch.setenv(VARIABLE, value)
            announce_ready()
        assert file.seek(0, os.SEEK_END) == 0
