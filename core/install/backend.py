"""Chooses the back end that the engine is compiled for: CUDA, ROCm, Vulkan, Metal or the processor.

A GPU needs its toolkit to compile for it. Without the toolkit of its own back end, a discrete GPU is used by Vulkan if
that can be compiled. `toolkits` finds the toolkits; a plain word (BACKEND=…) or CMAKE_ARGS overrides the choice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.install import toolkits
from core.install.progress import StepError, localized
from core.install.toolkits import Toolkit
from core.model.hardware.gpus import DriverPaths, Gpu, GpuKind, find_gpus, vulkan_gpus
from core.model.hardware.processor import CPUINFO, parse_cpu_features

TITLES: dict[GpuKind, str] = {"cuda": "CUDA", "rocm": "ROCm", "vulkan": "Vulkan", "metal": "Metal"}
WORDS = ("auto", "cpu", "cuda", "rocm", "vulkan", "metal")


@dataclass(frozen=True)
class Backend:
    """A back end: "CUDA", "ROCm", "Vulkan", "Metal", "CPU" or "CMAKE_ARGS".

    A wheel fits only the GPUs and toolkit in `key`. `message` is for the person who installs.
    """

    name: str
    args: str = ""  # for CMake
    message: str = ""
    key: tuple[str, ...] = ()


@dataclass(frozen=True)
class SearchPaths:
    """Folders outside PATH: of toolkits, and those in which drivers describe their GPUs."""

    cuda: tuple[Path, ...] = (Path("/usr/local/cuda"),)
    rocm: tuple[Path, ...] = (Path("/opt/rocm"),)
    vulkan: tuple[Path, ...] = (Path("/usr"), Path("/usr/local"))
    drivers: DriverPaths = field(default_factory=DriverPaths)
    cpuinfo: Path = CPUINFO


def detect_backend(environ: Mapping[str, str], system: str, paths: SearchPaths) -> Backend:
    """Returns the best back end that can be compiled here. `system` is that of `engine.BuildTarget`."""
    if system.startswith("macosx") and system.endswith("arm64"):
        return metal()
    gpus = find_gpus(environ, paths.drivers)
    if not gpus:
        return cpu(paths)
    problem = ""
    integrated = [gpu for gpu in gpus if gpu.kind == "rocm" and gpu.unified]
    for kind in dict.fromkeys(gpu.kind for gpu in gpus if gpu.kind != "vulkan" and gpu not in integrated):
        mine = [gpu for gpu in gpus if gpu.kind == kind and gpu not in integrated]
        toolkit = find_toolkit(kind, mine, environ, paths)
        if toolkit.works:
            return gpu_backend(kind, mine, toolkit)
        problem = problem or toolkit.problem
    return vulkan(gpus, environ, paths, problem)


def named_backend(word: str, environ: Mapping[str, str], system: str, paths: SearchPaths) -> Backend:
    """Returns the back end that the operator names. Raises StepError if it cannot be compiled here."""
    if word == "cpu":
        return cpu(paths)
    if word == "metal" or word not in WORDS:
        if word == "metal" and system.startswith("macosx"):
            return metal()
        raise StepError(unknown_word(word))
    kind: GpuKind = {"cuda": "cuda", "rocm": "rocm", "vulkan": "vulkan"}[word]  # type: ignore[assignment]
    gpus = [gpu for gpu in find_gpus(environ, paths.drivers) if kind in ("vulkan", gpu.kind)]
    toolkit = find_toolkit(kind, gpus, environ, paths)
    if not toolkit.works:
        raise StepError(toolkit.problem)
    return gpu_backend(kind, gpus, toolkit)


def unknown_word(word: str) -> str:
    words = ", ".join(WORDS)
    return localized(
        f"BACKEND={word} is not possible here. The words are: {words}. Metal exists on Apple machines only.",
        f"BACKEND={word} n’est pas possible ici. Les mots sont\u00a0: {words}."
        " Metal n’existe que sur les machines Apple.",
    )


def find_toolkit(kind: GpuKind, gpus: Sequence[Gpu], environ: Mapping[str, str], paths: SearchPaths) -> Toolkit:
    find: Callable[[], Toolkit] = {
        "cuda": lambda: toolkits.find_cuda(environ, paths.cuda),
        "rocm": lambda: toolkits.find_rocm(environ, paths.rocm, [gpu.target for gpu in gpus]),
        "vulkan": lambda: toolkits.find_vulkan(environ, paths.vulkan),
    }[kind]
    return find()


def vulkan(gpus: Sequence[Gpu], environ: Mapping[str, str], paths: SearchPaths, problem: str) -> Backend:
    """Returns Vulkan for a discrete GPU that no other back end serves, else the processor with the reason."""
    devices = [gpu for gpu in vulkan_gpus(environ) if not gpu.unified]
    toolkit = toolkits.find_vulkan(environ, paths.vulkan)
    if devices and toolkit.works:
        return gpu_backend("vulkan", devices, toolkit)
    names = join_names(gpus)
    if all(gpu.unified for gpu in gpus) and not problem:
        problem = localized(
            "it shares the machine's memory and is seldom faster than the processor. To try it: make install"
            " BACKEND=vulkan",
            "il partage la mémoire de la machine et est rarement plus rapide que le processeur central. Pour"
            " l’essayer\u00a0: make install BACKEND=vulkan",
        )
    reason = problem or toolkit.problem
    found = localized(f"Found {names}, not used: {reason}", f"{names} présent, non utilisé\u00a0: {reason}")
    return cpu(paths, found)


def gpu_backend(kind: GpuKind, gpus: Sequence[Gpu], toolkit: Toolkit) -> Backend:
    names, title = join_names(gpus), TITLES[kind]
    message = localized(
        f"Found {names}: building with {title} ({toolkit.place}).",
        f"{names} présent\u00a0: compilation avec {title} ({toolkit.place}).",
    )
    if not gpus:
        message = localized(
            f"Building with {title} ({toolkit.place}), although no such GPU was found.",
            f"Compilation avec {title} ({toolkit.place}), bien qu’aucun processeur graphique n’ait été trouvé.",
        )
    return Backend(title, toolkit.args, message, (*(gpu.name for gpu in gpus), toolkit.version))


def metal() -> Backend:
    message = localized(
        "Apple silicon: the engine uses the GPU by Metal, which llama.cpp compiles by default.",
        "Puce Apple\u00a0: le moteur utilise le processeur graphique par Metal, que llama.cpp compile par défaut.",
    )
    return Backend("Metal", message=message)


def cpu(paths: SearchPaths, found: str = "") -> Backend:
    """Returns the processor, whose instruction sets llama.cpp finds by itself. `found`: a GPU that is not used."""
    features = ", ".join(parse_cpu_features(read_cpuinfo(paths.cpuinfo))) or localized("no AVX2", "sans AVX2")
    building = localized(
        f"Building for the processor ({features}).", f"Compilation pour le processeur central ({features})."
    )
    return Backend("CPU", message="\n  ".join(filter(None, (found, building))))


def read_cpuinfo(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""


def join_names(gpus: Sequence[Gpu]) -> str:
    """Joins the names: "2 × NVIDIA L4"."""
    names = [gpu.name for gpu in gpus]
    counts = {name: names.count(name) for name in names}
    return ", ".join(f"{count} × {name}" if count > 1 else name for name, count in counts.items())
