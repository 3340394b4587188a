"""`python -m core.install [--dev]`: what is missing in .venv is installed, what is there is left alone.

Every step records what it was made from, so the second run does nothing, and one after a failure goes on from there.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from core import PROJECT_ROOT
from core.install import backend, engine, lock, progress
from core.install.backend import Backend, Places
from core.install.venv import Venv, python_problem


class Installation:
    """The steps, in order. Each returns at once if nothing changed since it was last done."""

    def __init__(
        self, root: Path, environ: Mapping[str, str], screen: progress.Screen, places: Places | None = None
    ) -> None:
        self.root = root
        self.places = places or Places()
        self.environ = environ
        self.screen = screen
        self.venv = Venv(root / ".venv")
        self.pins = (root / "requirements.lock").read_text(encoding="utf-8")
        self.engine_pins = lock.only(self.pins, engine.DISTRIBUTION)
        self.machine = engine.this_machine()

    def environment(self) -> None:
        """A .venv that works: half-made, moved and outdated ones are made anew."""
        named = self.environ.get("PYTHON")
        other = named is not None and named != self.venv.done("python")
        if other or self.venv.moved() or not self.venv.usable():
            self.venv.make(self.screen)
        if self.venv.done("python") is None:
            self.venv.record("python", named or sys.executable)

    def packages(self, step: str, lock_name: str) -> None:
        file = self.root / lock_name
        if self.venv.done(step) == lock.digest(file):
            return
        pins = lock.without(file.read_text(encoding="utf-8"), engine.DISTRIBUTION)
        with tempfile.TemporaryDirectory() as made:
            pinned = Path(made) / lock_name
            pinned.write_text(pins, encoding="utf-8")
            title = "Installing packages" if step == "packages" else "Installing what tests need"
            self.pip(title, "--require-hashes", "-r", str(pinned), total=len(lock.blocks(pins)))
        self.venv.record(step, lock.digest(file))

    def engine(self) -> None:
        """The engine, as the operator's CMAKE_ARGS say, or else for the GPU that is there.

        CMAKE_ARGS of an earlier run hold until others are given, so `make run` undoes nothing.
        """
        asked = self.environ.get("CMAKE_ARGS", self.venv.done("operator_args"))
        if asked is not None:
            self.engine_for(Backend("CMAKE_ARGS", asked))
            self.venv.record("operator_args", asked)
            return
        found = backend.detected(self.environ, self.machine.system, self.places)
        if self.venv.done("gave_up") == self.key_of(found):
            found = backend.CPU
        try:
            self.engine_for(found)
        except progress.StepError:
            if not found.args:
                raise
            self.screen.say(f"  {found.name} could not be compiled in; building for the CPU. Why: {self.venv.log}")
            self.venv.record("gave_up", self.key_of(found))
            self.engine_for(backend.CPU)

    def engine_for(self, chosen: Backend) -> None:
        """Installed for this back-end; from the cache if it was compiled before. Raises StepError."""
        key = self.key_of(chosen)
        if self.venv.done("engine") == key:
            return
        if chosen.said:
            self.screen.say(f"  {chosen.said}")
        folder = engine.cache_folder(self.environ) / key
        wheel = engine.cached(folder) or engine.build(
            self.screen, self.venv.python, self.engine_pins, chosen.args, folder, self.venv.log, self.environ
        )
        self.pip("Installing the engine", "--force-reinstall", str(wheel), total=1)
        self.venv.record("engine", key)

    def key_of(self, chosen: Backend) -> str:
        return engine.key(self.engine_pins, chosen.args, self.machine, self.environ, chosen.made_from)

    def checkout(self) -> None:
        file = self.root / "pyproject.toml"
        if self.venv.done("checkout") == lock.digest(file):
            return
        self.pip("Installing csps-llm", "--no-build-isolation", "-e", str(self.root), total=1)
        self.venv.record("checkout", lock.digest(file))

    def starter(self) -> None:
        """The starter model, in the form that is fast here; made again with another engine or other weights."""
        made_from = f"{self.venv.done('engine')} {self.venv.done('packages')} {self.environ.get('CSPS_LLM_DATA', '')}"
        if self.venv.done("starter") == made_from:
            return
        command = [str(self.venv.python), "-m", "core.model.prepare"]
        progress.run(self.screen, "Preparing the starter model", command, self.venv.log)
        self.venv.record("starter", made_from)

    def pip(self, title: str, *arguments: str, total: int) -> None:
        command = [str(self.venv.python), "-m", "pip", "install", "--no-deps", "--progress-bar", "off", *arguments]
        env = {**self.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        progress.run(self.screen, title, command, self.venv.log, progress.PackagesProgress(total), env)


def main(arguments: list[str]) -> int:
    if problem := python_problem(sys.version_info[:2], sys.executable):
        print(problem, file=sys.stderr)
        return 1
    installation = Installation(PROJECT_ROOT, os.environ, progress.Screen())
    try:
        installation.environment()
        installation.packages("packages", "requirements.lock")
        installation.engine()
        installation.checkout()
        installation.starter()
        if "--dev" in arguments:
            installation.packages("dev", "requirements-dev.lock")
    except progress.StepError as failed:
        print(f"\n{failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; the next `make install` goes on from here.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
