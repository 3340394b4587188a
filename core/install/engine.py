"""Compiles a trimmed llama-cpp-python from its source, and caches the wheel for the next clone on this machine.

llama.cpp is compiled for this CPU, so the cache's key covers all that could change the wheel. The version of Python
could not: the package loads the library through ctypes.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import sysconfig
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.install import progress
from core.install.progress import localized
from core.install.venv import allowed_hashes
from core.model.hardware.processor import cpu_flags

DISTRIBUTION = "llama-cpp-python"
OPTIONS = Path(__file__).with_name("engine-options.cmake")
NO_GPU = Path(__file__).with_name("no-gpu.c")
PATCHES = Path(__file__).with_name("patches")
COMPILER_VARIABLES = ("CC", "CXX", "CFLAGS", "CXXFLAGS", "CUDACXX")


@dataclass(frozen=True)
class BuildTarget:
    """The properties that decide whether a compiled engine runs on a machine."""

    system: str  # "linux-x86_64"
    libc: str  # "glibc 2.36"
    cpu_flags: tuple[str, ...]


def this_target(cpuinfo: Path = Path("/proc/cpuinfo")) -> BuildTarget:
    text = cpuinfo.read_text(encoding="utf-8", errors="replace") if cpuinfo.exists() else ""
    return BuildTarget(
        sysconfig.get_platform(), " ".join(platform.libc_ver()), cpu_flags(text) or (platform.processor(),)
    )


def cmake_args(own: str) -> str:
    """Our trimming, then the operator's arguments: in CMake the last one wins."""
    trimmed = ["-DLLAVA_BUILD=OFF", f"-DCMAKE_PROJECT_llama.cpp_INCLUDE={OPTIONS}"]
    return " ".join([*map(shlex.quote, trimmed), own]).strip()


def build_key(
    pins: str, own_args: str, machine: BuildTarget, environ: Mapping[str, str], backend_key: tuple[str, ...] = ()
) -> str:
    """The cache's key of the wheel that a build would produce. `backend_key`: the GPU and toolkit of its back-end."""
    parts = [
        *allowed_hashes(pins),
        own_args.strip(),
        *(file.read_text(encoding="utf-8") for file in (OPTIONS, NO_GPU, *sorted(PATCHES.iterdir()))),
        machine.system,
        machine.libc,
        *machine.cpu_flags,
        *(f"{name}={environ[name]}" for name in COMPILER_VARIABLES if environ.get(name)),
        *backend_key,
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def cache_folder(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "csps-llm" / "wheels"


def find_wheel(folder: Path) -> Path | None:
    """The wheel in `folder`. A damaged one is deleted."""
    for wheel in sorted(folder.glob("*.whl")):
        try:
            with zipfile.ZipFile(wheel) as archive:
                if archive.testzip() is None:
                    return wheel
        except (OSError, zipfile.BadZipFile):
            shutil.rmtree(folder)
    return None


def compiler_problem(environ: Mapping[str, str]) -> str | None:
    """A message if there is no compiler: people should see it before 77 MB are downloaded."""
    named = shlex.split(environ.get("CXX", ""))[:1]
    if any(shutil.which(name, path=environ.get("PATH")) for name in (*named, "c++", "g++", "clang++")):
        return None
    return localized(
        "A C++ compiler is missing: the engine (llama.cpp) is compiled for this machine.\n"
        "Debian and Ubuntu: apt install g++ · Fedora: dnf install gcc-c++ · macOS: xcode-select --install",
        "Il manque un compilateur C++\u00a0: le moteur (llama.cpp) est compilé pour cette machine.\n"
        "Debian et Ubuntu\u00a0: apt install g++ · Fedora\u00a0: dnf install gcc-c++"
        " · macOS\u00a0: xcode-select --install",
    )


def patch_problem(environ: Mapping[str, str]) -> str | None:
    """Returns a message if no program can apply our patch to llama.cpp."""
    if any(shutil.which(name, path=environ.get("PATH")) for name in ("patch", "git")):
        return None
    return localized(
        "The program patch (or git) is missing: it adds faster kernels to the engine (llama.cpp).\n"
        "Debian and Ubuntu: apt install patch · Fedora: dnf install patch",
        "Il manque le programme patch (ou git)\u00a0: il ajoute des noyaux plus rapides au moteur (llama.cpp).\n"
        "Debian et Ubuntu\u00a0: apt install patch · Fedora\u00a0: dnf install patch",
    )


def build_wheel(
    screen: progress.Screen,
    python: Path,
    pins: str,
    own_args: str,
    folder: Path,
    log: Path,
    environ: Mapping[str, str],
) -> Path:
    """Compiles the wheel and moves it into `folder`. Raises StepError; then `folder` is unchanged."""
    if problem := compiler_problem(environ) or patch_problem(environ):
        raise progress.StepError(problem)
    once = localized(
        "The engine is compiled once for this machine. This takes 2 to 15 minutes.",
        "Le moteur est compilé une seule fois pour cette machine. Il faut de 2 à 15\u00a0minutes.",
    )
    screen.say(f"  {once}")
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        pinned = Path(temporary) / "engine.lock"
        pinned.write_text(pins, encoding="utf-8")
        wheels = Path(temporary) / "wheel"
        command = wheel_command(python, pinned, wheels)
        env = {**environ, "CMAKE_ARGS": cmake_args(own_args), "PATH": f"{python.parent}{os.pathsep}{environ['PATH']}"}
        title = localized("Compiling the engine", "Compilation du moteur")
        progress.run(screen, title, command, log, progress.CompileProgress(), env)
        shutil.rmtree(folder, ignore_errors=True)
        wheels.replace(folder)
    return next(folder.glob("*.whl"))


def wheel_command(python: Path, pinned: Path, wheels: Path) -> list[str]:
    # pip's own cache ignores CMAKE_ARGS. --no-build-isolation uses the locked cmake and ninja.
    options = ["--no-cache-dir", "--no-deps", "--no-build-isolation", "--require-hashes", "--progress-bar", "off"]
    return [str(python), "-m", "pip", "wheel", "-v", *options, "-w", str(wheels), "-r", str(pinned)]
