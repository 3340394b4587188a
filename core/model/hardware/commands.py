"""Runs another program's command with a deadline, for facts that only its output tells."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping

COMMAND_DEADLINE_S = 10.0  # a hanging driver must not hang the caller


def run_command(
    name: str, *arguments: str, environ: Mapping[str, str] | None = None, deadline_s: float = COMMAND_DEADLINE_S
) -> str | None:
    """Returns the standard output of a program on PATH; None if it is missing, fails or exceeds its deadline."""
    variables = os.environ if environ is None else environ
    program = shutil.which(name, path=variables.get("PATH", ""))
    if program is None:
        return None
    try:
        finished = subprocess.run(
            [program, *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=deadline_s,
            check=True,
            env=dict(variables),
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return finished.stdout
