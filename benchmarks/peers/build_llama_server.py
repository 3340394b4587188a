"""Compiles a llama-server from the source and with the options of our engine, but without our kernels.

    .venv/bin/python -m benchmarks.peers.build_llama_server

The source distribution is the one that requirements.lock pins, by version and SHA-256. The result is kept beside the
engine's wheels, so that it is compiled once for a machine: 5 to 20 minutes on two cores.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from core import PROJECT_ROOT
from core.install import backend, engine
from core.install.__main__ import Installation
from core.install.progress import Screen, StepError
from core.install.venv import allowed_hashes

PROGRAM = "llama-server"
SOURCE = "vendor/llama.cpp"
# Only the server and its libraries; no page, no TLS and no download of either.
OPTIONS = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DBUILD_SHARED_LIBS=ON",
    "-DLLAMA_BUILD_COMMON=ON",
    "-DLLAMA_BUILD_TOOLS=ON",
    "-DLLAMA_BUILD_SERVER=ON",
    "-DLLAMA_BUILD_APP=OFF",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_BUILD_UI=OFF",
    "-DLLAMA_USE_PREBUILT_UI=OFF",
    "-DLLAMA_OPENSSL=OFF",
    "-DCMAKE_BUILD_WITH_INSTALL_RPATH=ON",
    "-DCMAKE_INSTALL_RPATH=$ORIGIN",  # its libraries lie beside it
)


class BuildFailed(Exception):
    """The server cannot be compiled here; the message says why."""


def find_or_build(environ: Mapping[str, str] = os.environ) -> Path:
    """Returns the program, compiled now if it is not in the cache. Raises BuildFailed."""
    installation = Installation(PROJECT_ROOT, environ, Screen())
    arguments = engine_arguments(installation)
    folder = engine.cache_folder(environ) / f"{PROGRAM}-{cache_key(installation.engine_pins, arguments)}"
    if not (folder / PROGRAM).exists():
        if problem := engine.compiler_problem(environ):
            raise BuildFailed(problem)
        build(installation.engine_pins, arguments, folder)
    return folder / PROGRAM


def engine_arguments(installation: Installation) -> list[str]:
    """Returns the arguments that CMake gets for the engine: those of its back end, then the operator's own."""
    own, word = installation.operator_choice()
    system, paths = installation.machine.system, installation.paths
    found = backend.cpu(paths)
    try:
        if word:
            found = backend.named_backend(word, installation.environ, system, paths)
        elif own is None and not installation.venv.recorded("gave_up"):
            found = backend.detect_backend(installation.environ, system, paths)
    except StepError as exc:
        raise BuildFailed(str(exc)) from exc
    return shlex.split(f"{found.args} {own or ''}")


def cache_key(pins: str, arguments: list[str]) -> str:
    target = engine.this_target()
    parts = [*allowed_hashes(pins), *OPTIONS, *arguments, target.system, target.libc, *target.cpu_flags]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def build(pins: str, arguments: list[str], folder: Path) -> None:
    """Compiles in a temporary folder and moves the programs into `folder`. Raises BuildFailed."""
    print(f"{PROGRAM} is compiled once from the engine's source. This takes 5 to 20 minutes.", flush=True)
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        work = Path(temporary)
        source = unpack(download(pins, work), work)
        run(["patch", "-p1", "-d", str(source), "-i", str(engine.PATCHES / "amx-tiles.patch")])  # else it may not run
        tools = Path(sys.executable).parent
        cmake = shutil.which("cmake", path=f"{tools}{os.pathsep}{os.environ['PATH']}") or "cmake"
        run([cmake, "-S", str(source), "-B", str(work / "build"), "-G", "Ninja", *OPTIONS, *arguments])
        run([cmake, "--build", str(work / "build"), "--target", PROGRAM])
        shutil.rmtree(folder, ignore_errors=True)
        (work / "build" / "bin").replace(folder)


def download(pins: str, work: Path) -> Path:
    """Fetches the pinned source distribution; pip checks its hash."""
    pinned = work / "engine.lock"
    pinned.write_text(pins, encoding="utf-8")
    options = ["--no-deps", "--no-build-isolation", "--no-binary", ":all:", "--require-hashes", "--progress-bar", "off"]
    run([sys.executable, "-m", "pip", "download", *options, "-d", str(work), "-r", str(pinned)])
    return next(work.glob("*.tar.gz"))


def unpack(archive: Path, work: Path) -> Path:
    """Returns the folder of llama.cpp within the source distribution."""
    with tarfile.open(archive) as packed:
        packed.extractall(work / "source", filter="data")
    return next((work / "source").glob(f"*/{SOURCE}"))


def run(command: list[str]) -> None:
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise BuildFailed(f"{Path(command[0]).name} {command[1]} failed: {''.join(last)}")


if __name__ == "__main__":
    print(find_or_build())
