"""A pipe by which a process tells its supervisor that it serves (s6's readiness notification, by another variable).

A health check once a second would miss that a process served which is killed soon after its start.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress

VARIABLE = "CSPS_LLM_READY_FD"


class ReadySignal:
    """The supervisor's end. `fd` goes to the process, with `environ`; `close` after its end."""

    def __init__(self) -> None:
        self._source, self.fd = os.pipe()
        os.set_blocking(self._source, False)
        self.environ = {VARIABLE: str(self.fd)}

    def was_sent(self) -> bool:
        """Tells whether the process has announced that it serves. Once: the next call is about what came later."""
        with suppress(BlockingIOError):
            return bool(os.read(self._source, 1))
        return False

    def close(self) -> None:
        os.close(self._source)
        os.close(self.fd)


def announce_ready() -> None:
    """Tells the supervisor, if there is one, that this process serves."""
    descriptor = os.environ.pop(VARIABLE, "")
    if not descriptor:
        return
    with suppress(OSError, ValueError):  # a variable that was passed on without its pipe
        if stat.S_ISFIFO(os.fstat(int(descriptor)).st_mode):
            os.write(int(descriptor), b"\n")
            os.close(int(descriptor))
