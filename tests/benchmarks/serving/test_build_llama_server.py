"""The llama-server of our source: its options and its place in the cache."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from benchmarks.peers import build_llama_server
from benchmarks.peers.build_llama_server import PROGRAM, BuildFailed, cache_key, engine_arguments, find_or_build, unpack
from core import PROJECT_ROOT
from core.install import engine
from core.install.__main__ import Installation
from core.install.progress import Screen

PINS = f"llama-cpp-python==1.0 \\\n    --hash=sha256:{'a' * 64}\n"


def installation(root: Path, **environ: str) -> Installation:
    (root / "requirements.lock").write_text(PINS)
    return Installation(root, environ, Screen())


def test_operators_arguments_hold_for_both_builds(tmp_path: Path) -> None:
    """CMAKE_ARGS of the engine are those of the server, after the ones of the back end."""
    arguments = engine_arguments(installation(tmp_path, BACKEND="cpu", CMAKE_ARGS="-DGGML_AVX512=OFF -DGGML_BMI2=OFF"))

    assert ["-DGGML_AVX512=OFF", "-DGGML_BMI2=OFF"] == arguments


def test_back_end_that_is_not_there_is_a_reason(tmp_path: Path) -> None:
    """The benchmark goes on without the server, and can say why."""
    with pytest.raises(BuildFailed, match="BACKEND=none"):
        engine_arguments(installation(tmp_path, BACKEND="none"))


def test_other_source_or_other_arguments_are_another_build() -> None:
    """A cached server is never one of another version or of other options."""
    keys = {cache_key(PINS, []), cache_key(PINS.replace("aaa", "bbb"), []), cache_key(PINS, ["-DGGML_AVX512=OFF"])}

    assert 3 == len(keys)
    assert cache_key(PINS, []) in keys


def test_server_is_taken_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second call compiles nothing; a failed build leaves nothing behind that looks like a server."""
    environ = {"XDG_CACHE_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    compiled: list[Path] = []

    def build(pins: str, arguments: list[str], folder: Path) -> None:
        compiled.append(folder)
        if len(compiled) == 1:
            raise BuildFailed("no disk")
        folder.mkdir(parents=True)
        (folder / PROGRAM).touch()

    monkeypatch.setattr(build_llama_server, "build", build)
    monkeypatch.setattr(engine, "compiler_problem", lambda environ: None)
    with pytest.raises(BuildFailed, match="no disk"):
        find_or_build(environ)
    found = find_or_build(environ)

    assert found == find_or_build(environ)
    assert engine.cache_folder(environ) == found.parent.parent
    assert 2 == len(compiled)


def test_llama_cpp_is_found_within_the_source_distribution(tmp_path: Path) -> None:
    """It lies below the folder that carries the version."""
    archive = tmp_path / "source.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        member = tarfile.TarInfo("llama_cpp_python-1.0/vendor/llama.cpp/CMakeLists.txt")
        packed.addfile(member, io.BytesIO())

    assert (unpack(archive, tmp_path) / "CMakeLists.txt").exists()


def test_source_is_the_engines_own() -> None:
    """The lock file pins one source distribution of the engine, by its hash."""
    pins = Installation(PROJECT_ROOT, {}, Screen()).engine_pins

    assert 1 == pins.count("--hash=sha256:")
