"""The virtual environment, the record of its finished steps, and pip's lock files. Knows nothing of the steps."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

from core.install import progress
from core.install.progress import localized
from core.runtime.atomic_files import write_atomically

OLDEST = (3, 11)


class Venv:
    """The environment in `folder`. Its record has the digest of the inputs of each finished step."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.python = self.bin / "python"
        self.log = folder / "install.log"
        self._record = folder / "installed.json"
        self._recorded = self._read()

    def recorded(self, step: str) -> str | None:
        return self._recorded.get(step)

    def record(self, step: str, digest: str) -> None:
        """Calls it after the step, so that a step that failed runs again."""
        self._recorded = {**self._recorded, "at": str(self.folder), step: digest}
        self._write()

    def keep(self, name: str, value: str | None) -> None:
        """Records a value, or forgets it."""
        if value is not None:
            self.record(name, value)
        elif self._recorded.pop(name, None) is not None:
            self._write()

    def was_moved(self) -> bool:
        """Tells whether the checkout was elsewhere at the creation: its scripts hold absolute paths."""
        return self.recorded("at") not in (None, str(self.folder))

    def is_usable(self) -> bool:
        """Tells whether its Python starts, is new enough, belongs to this folder and has pip."""
        probe = "import sys, pip; print(*sys.version_info[:2], sys.prefix)"
        try:
            answer = subprocess.run([self.python, "-c", probe], capture_output=True, text=True, timeout=60, check=True)
        except (OSError, subprocess.SubprocessError):
            return False
        major, minor, prefix = answer.stdout.strip().split(" ", 2)
        return (int(major), int(minor)) >= OLDEST and Path(prefix).resolve() == self.folder.resolve()

    def create(self, screen: progress.Screen) -> None:
        """Replaces any existing environment."""
        self._recorded = {}
        self.folder.mkdir(exist_ok=True)
        log = self.folder.with_name(".venv.log")
        command = [sys.executable, "-m", "venv", "--clear", str(self.folder)]
        progress.run(
            screen, localized("Creating the virtual environment", "Création de l’environnement virtuel"), command, log
        )
        log.replace(self.log)

    def _write(self) -> None:
        write_atomically(self._record, json.dumps(self._recorded, indent=1).encode(), mode=0o666)

    def _read(self) -> dict[str, str]:
        try:
            recorded = json.loads(self._record.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}  # no step was finished, or the record is cut off: all steps run again
        return recorded if isinstance(recorded, dict) else {}


def python_problem(version: tuple[int, int], executable: str) -> str | None:
    """A message if the Python that runs the installer is too old."""
    if version >= OLDEST:
        return None
    found = ".".join(map(str, version))
    return localized(
        f"csps-llm needs Python 3.11 or newer; {executable} is {found}. "
        "Install one (Debian: apt install python3 python3-venv), or name it: make install PYTHON=/path/to/python3",
        f"csps-llm nécessite Python 3.11 ou une version plus récente; {executable} est la version {found}. "
        "Installez-en une (Debian\u00a0: apt install python3 python3-venv), "
        "ou nommez-la\u00a0: make install PYTHON=/chemin/vers/python3",
    )


# ---------------------------------------------------------------- lock files


def split_pins(lock: str) -> list[tuple[str, str]]:
    """Splits a lock file into (distribution, lines) pairs. A pin that differs by Python version appears twice."""
    pins = re.split(r"\n(?=[A-Za-z0-9])", lock.strip())
    return [(re.split(r"[=\s;]", pin, maxsplit=1)[0], pin + "\n") for pin in pins if pin]


def without_distribution(lock: str, distribution: str) -> str:
    return "".join(pin for name, pin in split_pins(lock) if name != distribution)


def only_distribution(lock: str, distribution: str) -> str:
    return "".join(pin for name, pin in split_pins(lock) if name == distribution)


def allowed_hashes(pins: str) -> list[str]:
    """The sha256 sums that pins allow, sorted."""
    return sorted(re.findall(r"--hash=sha256:([0-9a-f]{64})", pins))


def digest_file(file: Path) -> str:
    return hashlib.sha256(hashlib.sha256(file.read_bytes()).hexdigest().encode()).hexdigest()
