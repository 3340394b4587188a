"""The compiled engine: the key of its build, its cache, and its compiler."""

from __future__ import annotations

import shlex
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from core.install import engine
from tests.core.install.support_checkout import PINS

MACHINE = engine.BuildTarget("linux-x86_64", "glibc 2.36", ("avx2", "sse"))


def test_the_key_is_the_same_for_the_same_build() -> None:
    """A second clone on the machine finds the wheel of the first, whatever its other variables are."""
    first = engine.build_key(PINS, "-DGGML_CUDA=on", MACHINE, {"PATH": "/a"})
    assert first == engine.build_key(PINS, " -DGGML_CUDA=on ", MACHINE, {"PATH": "/b"})


@pytest.mark.parametrize(
    ("pins", "arguments", "machine", "environ"),
    [
        (PINS.replace("a" * 64, "b" * 64), "", MACHINE, {}),
        (PINS, "-DGGML_CUDA=on", MACHINE, {}),
        (PINS, "", replace(MACHINE, cpu_flags=("avx2", "avx512f", "sse")), {}),
        (PINS, "", replace(MACHINE, system="linux-aarch64"), {}),
        (PINS, "", replace(MACHINE, libc="glibc 2.41"), {}),
        (PINS, "", MACHINE, {"CXX": "clang++"}),
    ],
    ids=["source", "CMAKE_ARGS", "CPU", "system", "libc", "compiler"],
)
def test_the_key_differs_for_another_build(
    pins: str, arguments: str, machine: engine.BuildTarget, environ: dict[str, str]
) -> None:
    """An engine for another CPU, GPU or source is never taken from the cache."""
    assert engine.build_key(PINS, "", MACHINE, {}) != engine.build_key(pins, arguments, machine, environ)


def test_the_operators_cmake_args_come_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They win over the trimming, and a path with a space stays one argument."""
    monkeypatch.setattr(engine, "OPTIONS", tmp_path / "a folder" / "engine-options.cmake")

    arguments = shlex.split(engine.cmake_args("-DGGML_CUDA=on -DLLAVA_BUILD=ON"))
    assert arguments[-2:] == ["-DGGML_CUDA=on", "-DLLAVA_BUILD=ON"]
    assert f"-DCMAKE_PROJECT_llama.cpp_INCLUDE={tmp_path}/a folder/engine-options.cmake" in arguments


def test_a_damaged_wheel_is_deleted(tmp_path: Path) -> None:
    """So a cache on a disk that was full repairs itself."""
    folder = tmp_path / "key"
    folder.mkdir()
    assert engine.find_wheel(folder) is None
    wheel = folder / "engine.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("lib.so", "x" * 1000)
    assert engine.find_wheel(folder) == wheel
    wheel.write_bytes(wheel.read_bytes()[:200])
    assert engine.find_wheel(folder) is None
    assert not folder.exists()


def test_a_missing_compiler_is_reported_before_the_download(tmp_path: Path) -> None:
    """The message says what to install."""
    assert "apt install g++" in (engine.compiler_problem({"PATH": str(tmp_path)}) or "")
    compiler = tmp_path / "my-c++"
    compiler.touch(mode=0o755)
    assert engine.compiler_problem({"PATH": str(tmp_path), "CXX": "my-c++ -m64"}) is None


def test_a_program_that_applies_the_patch_is_missed_before_the_download(tmp_path: Path) -> None:
    """The message says what to install; git does as well as patch."""
    assert "apt install patch" in (engine.patch_problem({"PATH": str(tmp_path)}) or "")
    (tmp_path / "git").touch(mode=0o755)
    assert engine.patch_problem({"PATH": str(tmp_path)}) is None


def test_the_key_changes_with_the_kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine with older kernels is compiled again."""
    patches = shutil.copytree(engine.PATCHES, tmp_path / "patches")
    monkeypatch.setattr(engine, "PATCHES", patches)
    before = engine.build_key(PINS, "", MACHINE, {})
    kernel = patches / "grouped-attention.h"
    kernel.write_text(kernel.read_text(encoding="utf-8") + "// newer", encoding="utf-8")
    assert engine.build_key(PINS, "", MACHINE, {}) != before
