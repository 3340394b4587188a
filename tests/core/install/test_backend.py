"""The choice of the back-end for which the engine is compiled."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from core.install import backend, engine, progress
from core.install.__main__ import Installation
from tests.core.install.support_checkout import fake_root


class FakeMachine:
    """A machine's PATH with fake tools, and the installer's screen."""

    def __init__(self, folder: Path) -> None:
        self.root = fake_root(folder)
        self.bin = folder / "tools"
        self.bin.mkdir()
        self.screen = io.StringIO()
        self.environ = {"PATH": f"{self.bin}:/usr/bin:/bin", "XDG_CACHE_HOME": str(folder / "cache")}

    def tool(self, name: str, says: str = "", folder: Path | None = None, status: int = 0) -> Path:
        place = (folder or self.bin) / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"#!/bin/sh\necho '{says}'\nexit {status}\n", encoding="utf-8")
        place.chmod(0o755)
        return place

    def detect(self, *cuda: Path, gpus: Path = Path("/nowhere")) -> backend.Backend:
        return backend.detect_backend(self.environ, "linux-x86_64", backend.SearchPaths(cuda, gpus))

    def install(self, monkeypatch: pytest.MonkeyPatch, *fails: str, **environ: str) -> list[str]:
        """Returns the CMake arguments of each build. Builds whose arguments contain a word of `fails` fail."""
        built: list[str] = []

        def build(_screen: object, _python: Path, _pins: str, args: str, folder: Path, *_: object) -> Path:
            built.append(args)
            if any(word in args for word in fails):
                raise progress.StepError("40 lines of a compiler")
            folder.mkdir(parents=True)
            with zipfile.ZipFile(folder / "engine.whl", "w") as archive:
                archive.writestr("lib.so", args)
            return folder / "engine.whl"

        monkeypatch.setattr(engine, "build_wheel", build)
        nowhere = backend.SearchPaths((), Path("/nowhere"))
        Installation(self.root, {**self.environ, **environ}, progress.Screen(self.screen), nowhere).engine()
        return built


@pytest.fixture
def gpu(tmp_path: Path) -> FakeMachine:
    return FakeMachine(tmp_path)


def test_without_a_gpu_the_engine_is_compiled_for_the_cpu(gpu: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no message. A CUDA compiler is no GPU, nor is a driver's tool that finds none."""
    gpu.tool("nvcc", "release 12.4")
    assert gpu.detect() == backend.CPU
    gpu.tool("nvidia-smi", "No devices were found", status=6)
    assert gpu.detect() == backend.CPU
    assert gpu.install(monkeypatch) == [""]
    assert "CUDA" not in gpu.screen.getvalue()


def test_an_nvidia_gpu_with_its_toolkit_is_used(gpu: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message names the GPU. A second install does nothing."""
    gpu.tool("nvidia-smi", "NVIDIA L4")
    nvcc = gpu.tool("nvcc", "release 12.4")
    assert gpu.install(monkeypatch) == [f"-DGGML_CUDA=on -DCMAKE_CUDA_COMPILER={nvcc}"]
    assert "Found NVIDIA L4: building with CUDA" in gpu.screen.getvalue()
    assert gpu.install(monkeypatch) == []


def test_the_toolkit_is_found_outside_path(gpu: FakeMachine, tmp_path: Path) -> None:
    """CUDA_HOME names it, or it is in NVIDIA's usual folder. A compiler that does not start is ignored."""
    gpu.tool("nvidia-smi", "NVIDIA L4")
    gpu.tool("nvcc", status=1)
    usual, named = tmp_path / "usual", tmp_path / "named folder"
    nvcc = gpu.tool("nvcc", "release 12.4", usual / "bin")
    assert str(nvcc) in gpu.detect(usual).args
    gpu.environ["CUDA_HOME"] = str(named)
    nvcc = gpu.tool("nvcc", "release 12.5", named / "bin")
    assert f"'-DCMAKE_CUDA_COMPILER={nvcc}'" in gpu.detect(usual).args


def test_a_gpu_without_a_toolkit(gpu: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine is compiled for the CPU, and a message says what to install."""
    gpu.tool("nvidia-smi", "NVIDIA L4")
    assert gpu.install(monkeypatch) == [""]
    assert "Found NVIDIA L4, but no CUDA toolkit" in gpu.screen.getvalue()
    assert "apt install nvidia-cuda-toolkit" in gpu.screen.getvalue()


def test_a_gpu_is_found_without_the_drivers_tool(gpu: FakeMachine, tmp_path: Path) -> None:
    """The driver's files in /proc name it."""
    information = tmp_path / "gpus" / "0000:01:00.0" / "information"
    information.parent.mkdir(parents=True)
    information.write_text("Model: \t\t NVIDIA A10\nIRQ: 1\n", encoding="utf-8")
    gpu.tool("nvcc", "release 12.4")
    assert gpu.detect(gpus=information.parent.parent).message.startswith("Found NVIDIA A10: building with CUDA")


def test_cmake_args_replace_detection(gpu: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also empty ones, and also in the next run without CMAKE_ARGS."""
    gpu.tool("nvidia-smi", "NVIDIA L4")
    gpu.tool("nvcc", "release 12.4")
    assert gpu.install(monkeypatch, CMAKE_ARGS="-DGGML_VULKAN=on") == ["-DGGML_VULKAN=on"]
    assert gpu.install(monkeypatch) == []
    assert gpu.install(monkeypatch, CMAKE_ARGS="") == [""]
    assert gpu.install(monkeypatch) == []
    assert "Found" not in gpu.screen.getvalue()


def test_a_wheel_is_for_one_back_end(gpu: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another GPU or toolkit needs another build. An earlier wheel is taken from the cache."""
    assert len(gpu.install(monkeypatch)) == 1
    gpu.tool("nvidia-smi", "NVIDIA L4")
    gpu.tool("nvcc", "release 12.4")
    assert len(gpu.install(monkeypatch)) == 1
    gpu.tool("nvcc", "release 12.5")
    assert len(gpu.install(monkeypatch)) == 1
    gpu.tool("nvidia-smi", "NVIDIA H100")
    assert len(gpu.install(monkeypatch)) == 1
    (gpu.bin / "nvidia-smi").unlink()
    assert gpu.install(monkeypatch) == []


def test_a_back_end_that_fails_to_compile_is_replaced_by_the_cpu(
    gpu: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line names the log. The back-end is tried again only when its GPU or toolkit changes."""
    gpu.tool("nvidia-smi", "NVIDIA L4")
    gpu.tool("nvcc", "release 12.4")
    assert [("CUDA" in args) for args in gpu.install(monkeypatch, "CUDA")] == [True, False]
    [line] = [line for line in gpu.screen.getvalue().splitlines() if "could not be compiled" in line]
    assert "CUDA" in line
    assert str(gpu.root / ".venv" / "install.log") in line
    assert "40 lines" not in gpu.screen.getvalue()
    assert gpu.install(monkeypatch) == []
    gpu.tool("nvcc", "release 12.5")
    assert [("CUDA" in args) for args in gpu.install(monkeypatch)] == [True]


def test_cmake_args_have_no_fallback(gpu: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator who names a back-end gets its error."""
    with pytest.raises(progress.StepError):
        gpu.install(monkeypatch, "CUDA", CMAKE_ARGS="-DGGML_CUDA=on")


def test_apple_silicon_has_metal(gpu: FakeMachine) -> None:
    """It is llama.cpp's own default, so there is a message but no CMake argument."""
    nowhere = backend.SearchPaths((), Path("/nowhere"))
    found = backend.detect_backend(gpu.environ, "macosx-14.0-arm64", nowhere)
    assert ("Metal", "") == (found.name, found.args)
    assert "Metal" in found.message
    assert backend.detect_backend(gpu.environ, "macosx-14.0-x86_64", nowhere) == backend.CPU
