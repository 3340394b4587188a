"""The virtual environment, and the record in it of what is done. Knows nothing of what is installed there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from core.install import progress
from core.runtime.atomic_files import write_atomically

OLDEST = (3, 11)


class Venv:
    """`folder` with its Python, and which steps were finished in it, each with the digest of what it was made from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.python = self.bin / "python"
        self.log = folder / "install.log"
        self._record = folder / "installed.json"
        self._done = self._read()

    def done(self, step: str) -> str | None:
        return self._done.get(step)

    def record(self, step: str, made_from: str) -> None:
        """Only called after the step: what failed half-way is done again."""
        self._done = {**self._done, "at": str(self.folder), step: made_from}
        write_atomically(self._record, json.dumps(self._done, indent=1).encode(), mode=0o666)

    def moved(self) -> bool:
        """The checkout was somewhere else when it was made: its scripts hold absolute paths."""
        return self.done("at") not in (None, str(self.folder))

    def usable(self) -> bool:
        """Its Python starts, is new enough, knows that it lives here, and has pip."""
        probe = "import sys, pip; print(*sys.version_info[:2], sys.prefix)"
        try:
            answer = subprocess.run([self.python, "-c", probe], capture_output=True, text=True, timeout=60, check=True)
        except (OSError, subprocess.SubprocessError):
            return False
        major, minor, prefix = answer.stdout.strip().split(" ", 2)
        return (int(major), int(minor)) >= OLDEST and Path(prefix).resolve() == self.folder.resolve()

    def make(self, screen: progress.Screen) -> None:
        """Make it anew, whatever is there."""
        self._done = {}
        self.folder.mkdir(exist_ok=True)
        log = self.folder.with_name(".venv.log")
        command = [sys.executable, "-m", "venv", "--clear", str(self.folder)]
        progress.run(screen, "Making the virtual environment", command, log)
        log.replace(self.log)

    def _read(self) -> dict[str, str]:
        try:
            done = json.loads(self._record.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}  # nothing was finished here, or the record was cut off: the steps are done again
        return done if isinstance(done, dict) else {}


def python_problem(version: tuple[int, int], executable: str) -> str | None:
    """What is wrong with the Python that runs the installer, or None."""
    if version >= OLDEST:
        return None
    found = ".".join(map(str, version))
    return (
        f"csps-llm needs Python 3.11 or newer; {executable} is {found}. "
        "Install one (Debian: apt install python3 python3-venv), or name it: make install PYTHON=/path/to/python3"
    )
