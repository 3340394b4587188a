"""Chooses the back-end that the engine is compiled for: Metal, CUDA or the CPU.

AMD's back-end and Vulkan are left to CMAKE_ARGS: their CMake arguments depend on the installed packages.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.install.progress import localized

TOOL_DEADLINE_S = 30.0  # a hanging driver must not hang the installation


@dataclass(frozen=True)
class Backend:
    """A back-end: "CUDA", "Metal", "CPU" or "CMAKE_ARGS". A wheel fits only the GPUs and toolkit in `key`."""

    name: str
    args: str = ""  # for CMake
    message: str = ""  # for the person who installs
    key: tuple[str, ...] = ()


CPU = Backend("CPU")


@dataclass(frozen=True)
class SearchPaths:
    """Folders outside PATH. NVIDIA's own packages put the toolkit into `cuda`."""

    cuda: tuple[Path, ...] = (Path("/usr/local/cuda"),)
    gpus: Path = Path("/proc/driver/nvidia/gpus")


def detect_backend(environ: Mapping[str, str], system: str, paths: SearchPaths) -> Backend:
    """The best back-end that can be compiled here. `system` is that of `engine.BuildTarget`."""
    if system.startswith("macosx") and system.endswith("arm64"):
        english = "Apple silicon: the engine uses the GPU by Metal, which llama.cpp compiles by default."
        french = (
            "Puce Apple\u00a0: le moteur utilise le processeur graphique par Metal, que llama.cpp compile par défaut."
        )
        return Backend("Metal", message=localized(english, french))
    gpus = nvidia_gpus(environ, paths.gpus)
    if not gpus:
        return CPU
    names = ", ".join(gpus)
    nvcc, version = find_nvcc(environ, paths.cuda)
    if nvcc is None:
        message = localized(
            f"Found {names}, but no CUDA toolkit (nvcc): building for the CPU. To use the GPU, install the toolkit"
            " (Debian and Ubuntu: apt install nvidia-cuda-toolkit), then run make install again.",
            f"{names} présent, mais sans la trousse CUDA (nvcc)\u00a0: compilation pour le processeur central."
            " Pour utiliser le processeur graphique, installez la trousse"
            " (Debian et Ubuntu\u00a0: apt install nvidia-cuda-toolkit), puis exécutez de nouveau make install.",
        )
        return Backend("CPU", message=message)
    args = f"-DGGML_CUDA=on {shlex.quote(f'-DCMAKE_CUDA_COMPILER={nvcc}')}"
    message = localized(
        f"Found {names}: building with CUDA ({nvcc}).", f"{names} présent\u00a0: compilation avec CUDA ({nvcc})."
    )
    return Backend("CUDA", args, message, (*gpus, version))


def nvidia_gpus(environ: Mapping[str, str], proc: Path) -> tuple[str, ...]:
    """The GPUs' names from the driver's own tool or, without it, from /proc."""
    names = run_tool(environ, "nvidia-smi", "--query-gpu=name", "--format=csv,noheader")
    if names:
        return tuple(line.strip() for line in names.splitlines() if line.strip())
    try:
        return tuple(read_gpu_model(file) for file in sorted(proc.glob("*/information")))
    except OSError:
        return ()


def read_gpu_model(information: Path) -> str:
    for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "Model" and value.strip():
            return value.strip()
    return "an NVIDIA GPU"


def find_nvcc(environ: Mapping[str, str], folders: tuple[Path, ...]) -> tuple[str | None, str]:
    """The first nvcc that works, and its version: on PATH, in CUDA_HOME or CUDA_PATH, or in `folders`."""
    named = [Path(environ[name]) for name in ("CUDA_HOME", "CUDA_PATH") if environ.get(name)]
    for place in (environ.get("PATH", ""), *(str(folder / "bin") for folder in (*named, *folders))):
        nvcc = shutil.which("nvcc", path=place)
        if nvcc is not None and (version := run_tool(environ, nvcc, "--version")):
            return nvcc, version
    return None, ""


def run_tool(environ: Mapping[str, str], name: str, *arguments: str) -> str:
    """The output of a program; "" if it is missing or fails."""
    program = shutil.which(name, path=environ.get("PATH", ""))
    if program is None:
        return ""
    try:
        finished = subprocess.run([program, *arguments], capture_output=True, text=True, errors="replace",
                              timeout=TOOL_DEADLINE_S, check=True, env=dict(environ))  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return finished.stdout.strip()
