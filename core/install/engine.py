"""Compiles llama-cpp-python from its source, trimmed, and keeps the wheel for the next clone on this machine.

llama.cpp is compiled for the CPU at hand, so the cache's key holds whatever could make a wheel differ. The package's
Python takes no part: it loads the library through ctypes.
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

from core.install import lock, progress

DISTRIBUTION = "llama-cpp-python"
NO_COMMON = Path(__file__).with_name("no-common.cmake")
COMPILER_VARIABLES = ("CC", "CXX", "CFLAGS", "CXXFLAGS", "CUDACXX")


@dataclass(frozen=True)
class Machine:
    """What of a machine decides whether a compiled engine runs on it."""

    system: str  # "linux-x86_64"
    libc: str  # "glibc 2.36"
    cpu_flags: tuple[str, ...]


def this_machine(cpuinfo: Path = Path("/proc/cpuinfo")) -> Machine:
    text = cpuinfo.read_text(encoding="utf-8", errors="replace") if cpuinfo.exists() else ""
    return Machine(sysconfig.get_platform(), " ".join(platform.libc_ver()), cpu_flags(text) or (platform.processor(),))


def cpu_flags(cpuinfo: str) -> tuple[str, ...]:
    """The instruction sets of the first CPU in /proc/cpuinfo ("flags" on x86, "Features" on ARM), sorted."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return tuple(sorted(value.split()))
    return ()


def cmake_args(users: str) -> str:
    """Our trimming, then what the user asks for: CMake lets the last one win."""
    trimmed = ["-DLLAVA_BUILD=OFF", f"-DCMAKE_PROJECT_llama.cpp_INCLUDE={NO_COMMON}"]
    return " ".join([*map(shlex.quote, trimmed), users]).strip()


def key(
    pins: str, users_args: str, machine: Machine, environ: Mapping[str, str], made_from: tuple[str, ...] = ()
) -> str:
    """The cache's key of the wheel that would be made from this source, in this way, on this machine.

    `made_from`: what else its back-end depends on, such as the GPU that it is compiled for.
    """
    parts = [
        *lock.hashes(pins),
        users_args.strip(),
        NO_COMMON.read_text(encoding="utf-8"),
        machine.system,
        machine.libc,
        *machine.cpu_flags,
        *(f"{name}={environ[name]}" for name in COMPILER_VARIABLES if environ.get(name)),
        *made_from,
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def cache_folder(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "csps-llm" / "wheels"


def cached(folder: Path) -> Path | None:
    """The whole wheel in `folder`; a damaged one is thrown away."""
    for wheel in sorted(folder.glob("*.whl")):
        try:
            with zipfile.ZipFile(wheel) as archive:
                if archive.testzip() is None:
                    return wheel
        except (OSError, zipfile.BadZipFile):
            shutil.rmtree(folder)
    return None


def compiler_problem(environ: Mapping[str, str]) -> str | None:
    """Said before 77 MB are fetched, not after."""
    named = shlex.split(environ.get("CXX", ""))[:1]
    if any(shutil.which(name, path=environ.get("PATH")) for name in (*named, "c++", "g++", "clang++")):
        return None
    return (
        "A C++ compiler is missing: the engine (llama.cpp) is compiled for this machine.\n"
        "Debian and Ubuntu: apt install g++ · Fedora: dnf install gcc-c++ · macOS: xcode-select --install"
    )


def build(
    screen: progress.Screen,
    python: Path,
    pins: str,
    users_args: str,
    folder: Path,
    log: Path,
    environ: Mapping[str, str],
) -> Path:
    """Compile into `folder` (all or nothing) and return the wheel. Raises StepError."""
    if problem := compiler_problem(environ):
        raise progress.StepError(problem)
    screen.say("  The engine is compiled for this machine, once: 2 to 15 minutes.")
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        pinned = Path(made) / "engine.lock"
        pinned.write_text(pins, encoding="utf-8")
        wheels = Path(made) / "wheel"
        command = wheel_command(python, pinned, wheels)
        env = {**environ, "CMAKE_ARGS": cmake_args(users_args), "PATH": f"{python.parent}{os.pathsep}{environ['PATH']}"}
        progress.run(screen, "Compiling the engine", command, log, progress.CompileProgress(), env)
        shutil.rmtree(folder, ignore_errors=True)
        wheels.replace(folder)
    return next(folder.glob("*.whl"))


def wheel_command(python: Path, pinned: Path, wheels: Path) -> list[str]:
    # pip's own cache of wheels takes no notice of CMAKE_ARGS; --no-build-isolation uses the locked cmake and ninja.
    options = ["--no-cache-dir", "--no-deps", "--no-build-isolation", "--require-hashes", "--progress-bar", "off"]
    return [str(python), "-m", "pip", "wheel", "-v", *options, "-w", str(wheels), "-r", str(pinned)]
