"""`csps-llm selftest`: plays a recorded conversation on a stand-in for a platform. `bindings.selftest` is its program.

A process of its own, as the bots are: `core` imports no adapter.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from core import PROJECT_ROOT
from core.cli.localization import locale_language


class StagePlatform(StrEnum):
    """The platforms with a stand-in."""

    SLACK = "slack"
    DISCORD = "discord"
    TEAMS = "teams"


def selftest(environ: Mapping[str, str], platform: StagePlatform, out: Path | None, *, echo: bool) -> int:
    """Returns the exit status. `out` is relative to the working directory."""
    page = (out or Path(f"selftest-{platform.value}.html")).expanduser().absolute()
    command = [sys.executable, "-m", "bindings.selftest", platform.value, "--out", str(page)]
    command += ["--language", locale_language(environ), *(["--echo"] if echo else [])]
    guarded = [sys.executable, "-m", "core.runtime.die_with_parent", str(os.getpid()), *command]
    with subprocess.Popen(guarded, cwd=PROJECT_ROOT, env=dict(environ)) as child:
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:  # the program received it too: it ends the bot, and says so
                continue
