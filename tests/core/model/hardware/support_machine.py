"""Stand-ins for a machine: files of the kernel in a folder, and tools on a PATH of their own."""

from __future__ import annotations

from pathlib import Path


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


class FakeTools:
    """Programs that print a fixed text. `environ` has no other PATH than theirs and the shell's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {"PATH": f"{folder}:/usr/bin:/bin"}

    def add(self, name: str, prints: str = "", status: int = 0) -> Path:
        write(self.folder / f"{name}.txt", prints)
        tool = write(self.folder / name, f"#!/bin/sh\ncat '{self.folder / name}.txt'\nexit {status}\n")
        tool.chmod(0o755)
        return tool
