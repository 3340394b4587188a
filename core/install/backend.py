"""Which back-end the engine is compiled for: what this machine has, and whether it can be compiled for here.

Owns what is looked for and what is said of it. AMD's and Vulkan's are left to CMAKE_ARGS: what CMake has to be told for
those differs with what is installed. Standard library only.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

NO_TOOLKIT = (
    "but no CUDA toolkit (nvcc): building for the CPU. To use the GPU, install the toolkit"
    " (Debian and Ubuntu: apt install nvidia-cuda-toolkit), then run make install again."
)
ASK_TIMEOUT_S = 30.0  # a driver that hangs must not hang the installation


@dataclass(frozen=True)
class Backend:
    """`name`: "CUDA", "Metal" or "CPU". `made_from`: what else decides whether a wheel made for it can be used."""

    name: str
    args: str = ""  # for CMake
    said: str = ""  # to who installs
    made_from: tuple[str, ...] = ()


CPU = Backend("CPU")


@dataclass(frozen=True)
class Places:
    """Where things are that are not on PATH. `cuda`: where NVIDIA's own packages put the toolkit."""

    cuda: tuple[Path, ...] = (Path("/usr/local/cuda"),)
    gpus: Path = Path("/proc/driver/nvidia/gpus")


def detected(environ: Mapping[str, str], system: str, places: Places) -> Backend:
    """The best one that can be compiled here. `system`: as `engine.Machine` has it."""
    if system.startswith("macosx") and system.endswith("arm64"):
        return Backend("Metal", said="Apple silicon: the engine uses its GPU by Metal, which llama.cpp compiles in.")
    gpus = nvidia_gpus(environ, places.gpus)
    if not gpus:
        return CPU
    found = f"Found {', '.join(gpus)}"
    nvcc, version = compiler(environ, places.cuda)
    if nvcc is None:
        return Backend("CPU", said=f"{found}, {NO_TOOLKIT}")
    args = f"-DGGML_CUDA=on {shlex.quote(f'-DCMAKE_CUDA_COMPILER={nvcc}')}"
    return Backend("CUDA", args, f"{found}: building with CUDA ({nvcc}).", (*gpus, version))


def nvidia_gpus(environ: Mapping[str, str], proc: Path) -> tuple[str, ...]:
    """Their names, by the driver's own tool or, where that is missing, by what the kernel says."""
    told = answer(environ, "nvidia-smi", "--query-gpu=name", "--format=csv,noheader")
    if told:
        return tuple(line.strip() for line in told.splitlines() if line.strip())
    try:
        return tuple(model_of(file) for file in sorted(proc.glob("*/information")))
    except OSError:
        return ()


def model_of(information: Path) -> str:
    for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "Model" and value.strip():
            return value.strip()
    return "an NVIDIA GPU"


def compiler(environ: Mapping[str, str], folders: tuple[Path, ...]) -> tuple[str | None, str]:
    """nvcc and its version, of the first that works: on PATH, in CUDA_HOME or CUDA_PATH, where it usually is."""
    named = [Path(environ[name]) for name in ("CUDA_HOME", "CUDA_PATH") if environ.get(name)]
    for place in (environ.get("PATH", ""), *(str(folder / "bin") for folder in (*named, *folders))):
        nvcc = shutil.which("nvcc", path=place)
        if nvcc is not None and (version := answer(environ, nvcc, "--version")):
            return nvcc, version
    return None, ""


def answer(environ: Mapping[str, str], name: str, *arguments: str) -> str:
    """What a program prints; "" if there is none, or it fails."""
    program = shutil.which(name, path=environ.get("PATH", ""))
    if program is None:
        return ""
    try:
        done = subprocess.run([program, *arguments], capture_output=True, text=True, errors="replace",
                              timeout=ASK_TIMEOUT_S, check=True, env=dict(environ))  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
