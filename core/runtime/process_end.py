"""The reasons why a child process ended, or must be killed. Knows nothing of the process's purpose."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Mapping

from core.contract import Language
from core.texts import text


class ProcessEndReason(str):
    """The reason why a process ended, in English, as logs have it. `in_language` gives it in a person's language."""

    def __new__(cls, code: str, /, **values: object) -> ProcessEndReason:
        reason = super().__new__(cls, text(f"cli-ended-{code}", "en", **values))
        reason.code, reason.values = code, values
        return reason

    code: str
    values: Mapping[str, object]

    def in_language(self, language: Language) -> str:
        return text(f"cli-ended-{self.code}", language, **self.values)


# Watches the process with the given id. Calls the second argument whenever that process is ready for work, and returns
# the reason when it must be killed.
Guard = Callable[[int, Callable[[], None]], Awaitable[str]]


def explain_exit(code: int) -> ProcessEndReason:
    """ "exit code 1", or "SIGKILL" for the -9 of a process that a signal ended."""
    if code >= 0:
        return ProcessEndReason("exit", code=str(code))
    try:
        return ProcessEndReason("signal", signal=signal.Signals(-code).name)
    except ValueError:
        return ProcessEndReason("signal", signal=f"signal {-code}")
