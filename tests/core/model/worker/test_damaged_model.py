"""Damaged or missing model files: a clear error, never a crash."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core import PROJECT_ROOT
from tests.core.model.worker.support_model_client import ask, connect
from tests.support.starter import ModelProcess, link_starter

Damage = Callable[[bytes], bytes]
READ_BYTES = 4_000_000  # of the starter: its metadata and some weights
LOAD_ALL = """
import sys
from pathlib import Path
from core.errors import ConfigError
from core.model.worker.llama.loading import RunnerConfig, load
for path in map(Path, sys.argv[1:]):
    try:
        load(path, RunnerConfig(window=512, cache_tokens=512, sequences=1, threads=1))
    except ConfigError as refused:
        print(repr(refused.message))
"""


def cut(at: int) -> Damage:
    return lambda whole: whole[:at]


def overwritten(at: int, data: bytes) -> Damage:
    return lambda whole: whole[:at] + data + whole[at + len(data) :]


def of_another_architecture(whole: bytes) -> bytes:
    return whole.replace(b"\x05\0\0\0\0\0\0\0llama", b"\x05\0\0\0\0\0\0\0lxxxx", 1)


FILES: dict[str, Damage] = {
    "nothing-but-its-magic": cut(4),
    "in-its-metadata": cut(4096),
    "in-its-weights": cut(3_000_000),
    "no-gguf": lambda _: b"<html>Not found</html>",
    "empty": cut(0),
    "of-another-version": overwritten(4, struct.pack("<I", 99)),
    "with-too-many-tensors": overwritten(8, struct.pack("<Q", 2**63)),
    "with-too-much-metadata": overwritten(16, struct.pack("<Q", 2**62)),
    "with-garbage-in-its-metadata": overwritten(64, b"\xff" * 512),
    "of-an-unknown-architecture": of_another_architecture,
}


@pytest.fixture(scope="module")
def damaged(starter_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    with starter_file.open("rb") as file:
        whole = file.read(READ_BYTES)
    paths = {name: tmp_path_factory.mktemp("cut") / f"cut {name}.gguf" for name in FILES}
    for name, path in paths.items():
        path.write_bytes(FILES[name](whole))
    return paths


def test_a_damaged_model_is_refused_with_its_path(damaged: dict[str, Path]) -> None:
    """llama.cpp does not crash the process, and the message names the file."""
    done = subprocess.run(
        [sys.executable, "-c", LOAD_ALL, *map(str, damaged.values())],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    messages = done.stdout.splitlines()
    assert len(messages) == len(damaged)
    for path, message in zip(damaged.values(), messages, strict=True):
        assert str(path) in message
        assert "could not load" in message


@pytest.mark.parametrize("name", ["in-its-weights", "no-gguf"])
async def test_the_starter_answers_instead_of_a_damaged_model(
    damaged: dict[str, Path], starter_file: Path, tmp_path: Path, name: str
) -> None:
    """One line of the log says why, and the list of models has the reason."""
    link_starter(starter_file, tmp_path)
    process = ModelProcess(tmp_path, LLM_MODEL_FILE=str(damaged[name]), LLM_CONTEXT_WINDOW="512")
    with process.serving():
        async with connect(process) as http:
            assert "starter" == (await ask(http, "Hello", max_tokens=1))["model"]
            first, second = (await http.get("/v1/models")).json()["data"]

    assert ("failed", "loaded") == (first["state"], second["state"])
    assert damaged[name].name in first["download"]["problem"]
    assert str(damaged[name].parent) not in first["download"]["problem"]  # callers need no folder of this machine
    (line,) = [line for line in process.log if "starter_answers_instead" in line]
    assert str(damaged[name]) in line
    assert "Traceback" not in process.stderr_text


def test_the_starter_answers_instead_of_a_missing_model(starter_file: Path, tmp_path: Path) -> None:
    """The file's name may be invalid UTF-8."""
    link_starter(starter_file, tmp_path)
    process = ModelProcess(tmp_path, LLM_MODEL_FILE=str(tmp_path / "é\udcff.gguf"), LLM_CONTEXT_WINDOW="512")
    with process.serving():
        pass

    assert "there is no file" in process.stderr_text
    assert "Traceback" not in process.stderr_text


def test_a_starter_that_cannot_be_loaded_ends_the_process(damaged: dict[str, Path], tmp_path: Path) -> None:
    """Exit code 2, because a restart cannot help; the message names the file, without a traceback."""
    link_starter(damaged["in-its-weights"], tmp_path)
    process = ModelProcess(tmp_path)
    process.start()

    assert process.wait() == 2, process.stderr_text
    assert "could not load this model" in process.stderr_text
    assert "Traceback" not in process.stderr_text
