"""A real service with the starter model, and what each client's program printed there."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core import PROJECT_ROOT
from tests.clients.support_programs import Program, missing_installation, run_program
from tests.support.starter import link_starter

COMMAND = (sys.executable, "-c", "from core.cli import main; main()", "up")
READY = re.compile(r"Chat at +(http://\S+)/")
STOP_LIMIT_S = 60
Reports = Callable[[Program], dict[str, Any]]


@pytest.fixture(scope="session")
def installation() -> None:
    if reason := missing_installation():
        pytest.skip(reason)


@pytest.fixture(scope="session")
def base_url(installation: None, starter_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `/v1` of a running `csps-llm up`."""
    data = tmp_path_factory.mktemp("service")
    link_starter(starter_file, data)
    config = without_sources(tmp_path_factory.mktemp("config"))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LLM_", "WEB_"))}
    settings = {
        "CSPS_LLM_CONFIG": str(config),
        "CSPS_LLM_DATA": str(data),
        "PORT": "0",
        "LLM_AUTO": "off",
        "LC_ALL": "C.UTF-8",
        "WEB_DRAIN_S": "2",
    }
    with subprocess.Popen(
        COMMAND,
        cwd=PROJECT_ROOT,
        env={**inherited, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as service:
        assert service.stdout
        try:
            yield f"{wait_ready(service)}/v1"
        finally:
            service.terminate()
            assert service.wait(STOP_LIMIT_S) == 0


def without_sources(config: Path) -> Path:
    """Writes a Whisper that looks nothing up: questions about the weather must not leave this machine."""
    shipped = (PROJECT_ROOT / "config" / "personalities" / "whisper.toml").read_text(encoding="utf-8")
    changed = re.sub(r"^sources = .*$", "", shipped, flags=re.MULTILINE)
    assert changed != shipped
    (config / "personalities").mkdir()
    (config / "personalities" / "whisper.toml").write_text(changed, encoding="utf-8")
    return config


def wait_ready(service: subprocess.Popen[str]) -> str:
    """Returns the address that the service announces. Goes on reading its log, so that it can go on writing."""
    assert service.stdout
    printed = []
    for line in service.stdout:
        printed.append(line)
        if ready := READY.search(line):
            threading.Thread(target=service.stdout.read, daemon=True).start()
            return ready[1]
    raise AssertionError(f"the service ended:\n{''.join(printed)}")


@pytest.fixture(scope="session")
def reports(base_url: str, tmp_path_factory: pytest.TempPathFactory) -> Reports:
    """Runs each program once and returns what it printed, by ability."""
    seen: dict[str, dict[str, Any]] = {}

    def report(program: Program) -> dict[str, Any]:
        if program.file not in seen:
            folder = tmp_path_factory.mktemp("home")
            seen[program.file] = asyncio.run(run_program(program, base_url, folder))
        return seen[program.file]

    return report
