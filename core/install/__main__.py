"""`python -m core.install [--dev]`: installs the missing parts of .venv.

Each step records the digest of its inputs. So a second run does nothing, and a run after a failure continues there.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from core import PROJECT_ROOT
from core.install import backend, engine, progress
from core.install.backend import Backend, SearchPaths
from core.install.progress import localized
from core.install.venv import (
    Venv,
    digest_file,
    only_distribution,
    python_problem,
    split_pins,
    without_distribution,
)


class Installation:
    """The steps, in order. A step returns at once if its inputs did not change since it was recorded."""

    def __init__(
        self, root: Path, environ: Mapping[str, str], screen: progress.Screen, paths: SearchPaths | None = None
    ) -> None:
        self.root = root
        self.paths = paths or SearchPaths()
        self.environ = environ
        self.screen = screen
        self.venv = Venv(root / ".venv")
        self.pins = (root / "requirements.lock").read_text(encoding="utf-8")
        self.engine_pins = only_distribution(self.pins, engine.DISTRIBUTION)
        self.machine = engine.this_target()

    def environment(self) -> None:
        """Creates .venv, also in place of an incomplete, moved or outdated one."""
        named = self.environ.get("PYTHON")
        other = named is not None and named != self.venv.recorded("python")
        if other or self.venv.was_moved() or not self.venv.is_usable():
            self.venv.create(self.screen)
        if self.venv.recorded("python") is None:
            self.venv.record("python", named or sys.executable)

    def packages(self, step: str, lock_name: str) -> None:
        file = self.root / lock_name
        if self.venv.recorded(step) == digest_file(file):
            return
        pins = without_distribution(file.read_text(encoding="utf-8"), engine.DISTRIBUTION)
        with tempfile.TemporaryDirectory() as temporary:
            pinned = Path(temporary) / lock_name
            pinned.write_text(pins, encoding="utf-8")
            title = localized("Installing packages", "Installation des paquets")
            if step == "dev":
                title = localized("Installing packages for tests", "Installation des paquets pour les tests")
            self.pip(title, "--require-hashes", "-r", str(pinned), total=len(split_pins(pins)))
        self.venv.record(step, digest_file(file))

    def engine(self) -> None:
        """Installs the engine by the operator's CMAKE_ARGS or BACKEND or, without them, for the GPU of this machine.

        Those of an earlier run hold until others are given, so that `make run` does not undo them. BACKEND=auto
        forgets them.
        """
        own_args, word = self.operator_choice()
        if word is not None:
            named = backend.named_backend(word, self.environ, self.machine.system, self.paths)
            self.install_engine(replace(named, args=f"{named.args} {own_args or ''}".strip()))
        elif own_args is not None:
            self.install_engine(Backend("CMAKE_ARGS", own_args))
        else:
            self.install_detected()
        self.venv.keep("operator_args", own_args)
        self.venv.keep("operator_backend", word)

    def operator_choice(self) -> tuple[str | None, str | None]:
        """Returns CMAKE_ARGS and the word of BACKEND, of this run or, without both, of an earlier one."""
        word, own_args = self.environ.get("BACKEND", "").strip().lower(), self.environ.get("CMAKE_ARGS")
        if word == "auto":
            if own_args:
                raise progress.StepError(
                    localized(
                        "BACKEND=auto and CMAKE_ARGS exclude each other: give one of them.",
                        "BACKEND=auto et CMAKE_ARGS s’excluent\u00a0: donnez l’un ou l’autre.",
                    )
                )
            return None, None
        if word or own_args is not None:
            return own_args, word or None
        return self.venv.recorded("operator_args"), self.venv.recorded("operator_backend")

    def install_detected(self) -> None:
        """Installs for the detected back end, or for the processor if that cannot be compiled."""
        found = backend.detect_backend(self.environ, self.machine.system, self.paths)
        if self.venv.recorded("gave_up") == self.build_key(found):
            found = backend.cpu(self.paths)
        try:
            self.install_engine(found)
        except progress.StepError:
            if not found.args:
                raise
            message = localized(
                f"The engine could not be compiled with {found.name}: building for the CPU. "
                f"The reason is in {self.venv.log}",
                f"Le moteur n’a pas pu être compilé avec {found.name}\u00a0: compilation pour le processeur central. "
                f"La raison est dans {self.venv.log}",
            )
            self.screen.say(f"  {message}")
            self.venv.record("gave_up", self.build_key(found))
            self.install_engine(backend.cpu(self.paths))

    def install_engine(self, chosen: Backend) -> None:
        """Installs the engine for this back-end, from the cache if it was compiled before. Raises StepError."""
        key = self.build_key(chosen)
        if self.venv.recorded("engine") == key:
            return
        if chosen.message:
            self.screen.say(f"  {chosen.message}")
        folder = engine.cache_folder(self.environ) / key
        wheel = engine.find_wheel(folder) or engine.build_wheel(
            self.screen, self.venv.python, self.engine_pins, chosen.args, folder, self.venv.log, self.environ
        )
        self.pip(localized("Installing the engine", "Installation du moteur"), "--force-reinstall", str(wheel), total=1)
        self.venv.record("engine", key)

    def build_key(self, chosen: Backend) -> str:
        return engine.build_key(self.engine_pins, chosen.args, self.machine, self.environ, chosen.key)

    def checkout(self) -> None:
        file = self.root / "pyproject.toml"
        if self.venv.recorded("checkout") == digest_file(file):
            return
        self.pip(
            localized("Installing csps-llm", "Installation de csps-llm"),
            "--no-build-isolation",
            "-e",
            str(self.root),
            total=1,
        )
        self.venv.record("checkout", digest_file(file))

    def starter(self) -> None:
        """Prepares the starter model in the form that is fast here, again for each engine and each set of weights."""
        inputs = (
            f"{self.venv.recorded('engine')} {self.venv.recorded('packages')} {self.environ.get('CSPS_LLM_DATA', '')}"
        )
        if self.venv.recorded("starter") == inputs:
            return
        command = [str(self.venv.python), "-m", "core.model.worker.prepare"]
        title = localized("Preparing the starter model", "Préparation du modèle de démonstration")
        progress.run(self.screen, title, command, self.venv.log)
        self.venv.record("starter", inputs)

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
        message = localized(
            "Interrupted. The next `make install` continues from here.",
            "Interrompu. Le prochain `make install` continuera à partir d’ici.",
        )
        print(f"\n{message}", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
