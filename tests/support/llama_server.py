"""A real llama-server on the starter model: one process for all tests, from the wheel that the benchmarks use too."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import PROJECT_ROOT

SLOTS = 2
STOP_DEADLINE_S = 30.0


@pytest.fixture(scope="session")
def llama_server(starter_file: Path) -> Iterator[str]:
    """Its URL. It may still be loading."""
    pytest.importorskip("xllamacpp")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = PROJECT_ROOT / "benchmarks" / "peers" / "llama_server.py"
    command = [sys.executable, str(script), "--model", str(starter_file), "--port", str(port), "--parallel", str(SLOTS)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
