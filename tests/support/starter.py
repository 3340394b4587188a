"""The real starter model for tests: transcoded once, cached between runs, served by one process for all tests.

A test that needs a process with other settings starts its own `ModelProcess`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import PROJECT_ROOT
from core.configuration import settings
from core.model.hardware.processor import choose_threads
from core.model.library.starter import STARTER_NAME, find_starter
from core.model.worker.llama.loading import transcode

STARTER_FILE = f"{STARTER_NAME}-Q8_0.gguf"
READY = "model_ready"
START_DEADLINE_S = 60.0
STOP_DEADLINE_S = 30.0


class ModelProcess:
    """`python -m core.model` with its data folder `data` and only the given settings."""

    def __init__(self, data: Path, **variables: str) -> None:
        self.variables = {"CSPS_LLM_DATA": str(data), "LOG_FORMAT": "json", "LLM_AUTO": "off", **variables}
        self.settings = settings.load(self.variables)
        self.socket = self.settings.model_socket
        self.log: list[str] = []
        self._ready = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._stderr_reader: threading.Thread | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @contextlib.contextmanager
    def serving(self) -> Iterator[ModelProcess]:
        """Starts, waits until it is ready, and stops it at the end."""
        self.start()
        try:
            self.wait_ready()
            yield self
        finally:
            self.stop()

    def start(self) -> None:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in os.environ}
        self._ready.clear()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "core.model"],
            cwd=PROJECT_ROOT,
            env={**inherited, **self.variables},
            stderr=subprocess.PIPE,
            text=True,
        )
        self._stderr_reader = threading.Thread(target=self._read_stderr, args=(self._process,), daemon=True)
        self._stderr_reader.start()

    def wait_ready(self) -> None:
        assert self._ready.wait(START_DEADLINE_S), self.stderr_text
        assert any(READY in line for line in self.log), f"it exited: {self.stderr_text}"

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Sends a signal and returns the exit code."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Waits for the exit and returns its code."""
        assert self._process is not None
        assert self._stderr_reader is not None
        try:
            code = self._process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        self._stderr_reader.join()
        return code

    @property
    def stderr_text(self) -> str:
        """All text of its stderr so far."""
        return "".join(self.log)

    def _read_stderr(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        with process.stderr:
            for line in process.stderr:
                self.log.append(line)
                if READY in line:
                    self._ready.set()
        self._ready.set()  # it exited, so nobody should wait any longer


def link_starter(file: Path, data: Path) -> None:
    """Links the starter into the data folder `data`."""
    models = data / "models"
    models.mkdir(parents=True, exist_ok=True)
    (models / STARTER_FILE).symlink_to(file)


@pytest.fixture(scope="session")
def starter_file(request: pytest.FixtureRequest) -> Path:
    """The starter as Q8_0: from the checkout, from an earlier test run, or transcoded now."""
    cached = Path(request.config.cache.mkdir("starter"))
    candidates = [folder / STARTER_FILE for folder in (PROJECT_ROOT / "var" / "models", cached)]
    if found := next((file for file in candidates if file.is_file()), None):
        return found
    with tempfile.TemporaryDirectory(dir=cached) as folder:  # two concurrent test runs must not write the same file
        made = find_starter(Path(folder), lambda source, target: transcode(source, target, choose_threads()))
        return made.path.replace(cached / STARTER_FILE)


@pytest.fixture(scope="session")
def starter_process(starter_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelProcess]:
    """The starter, served on a Unix socket for the whole session."""
    data = tmp_path_factory.mktemp("starter")
    link_starter(starter_file, data)
    with ModelProcess(data).serving() as process:
        yield process


@pytest.fixture(scope="session")
def starter_settings(starter_process: ModelProcess) -> settings.Settings:
    """Settings whose `model_socket` is the starter's."""
    return starter_process.settings


@pytest.fixture(scope="session")
def starter_socket(starter_process: ModelProcess) -> Path:
    return starter_process.socket
