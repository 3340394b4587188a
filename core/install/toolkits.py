"""Finds the toolkits with which llama.cpp is compiled for a GPU, and says what is missing.

The requirements are those of llama.cpp: https://github.com/ggml-org/llama.cpp/blob/master/docs/build.md
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.install.progress import localized
from core.model.hardware.commands import run_command

TOOL_DEADLINE_S = 30.0
OLDEST_ROCM = (6, 1)
LIBRARY_FOLDERS = ("lib", "lib64", "lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu")


@dataclass(frozen=True)
class Toolkit:
    """A toolkit at `place`, and CMake's arguments for it. `problem`: what is missing; then it does not work."""

    args: str = ""
    place: str = ""
    version: str = ""
    problem: str = ""

    @property
    def works(self) -> bool:
        return not self.problem


# ---------------------------------------------------------------- CUDA


def find_cuda(environ: Mapping[str, str], folders: Sequence[Path]) -> Toolkit:
    """Returns the first nvcc that works: on PATH, in CUDA_HOME or CUDA_PATH, or in `folders`."""
    for nvcc in find_programs("nvcc", environ, ("CUDA_HOME", "CUDA_PATH"), folders):
        if version := output_of(nvcc, "--version", environ=environ):
            return Toolkit(f"-DGGML_CUDA=on {define('CMAKE_CUDA_COMPILER', nvcc)}", nvcc, version)
    return Toolkit(
        problem=localized(
            "the CUDA toolkit (nvcc) is missing. Install it (Debian and Ubuntu: apt install nvidia-cuda-toolkit), then"
            " run make install again.",
            "la trousse CUDA (nvcc) est absente. Installez-la (Debian et Ubuntu\u00a0: apt install"
            " nvidia-cuda-toolkit), puis exécutez de nouveau make install.",
        )
    )


# ---------------------------------------------------------------- ROCm


def find_rocm(environ: Mapping[str, str], folders: Sequence[Path], targets: Sequence[str]) -> Toolkit:
    """Returns the ROCm installation of the first hipconfig that works, compiled for the `targets` of the GPUs."""
    for hipconfig in find_programs("hipconfig", environ, ("ROCM_PATH", "HIP_PATH"), folders):
        version = output_of(hipconfig, "--version", environ=environ)
        root = output_of(hipconfig, "--rocmpath", environ=environ) or str(Path(hipconfig).parent.parent)
        if version:
            return rocm_toolkit(hipconfig, Path(root), version, sorted(set(filter(None, targets))), environ)
    return Toolkit(
        problem=localized(
            "ROCm (hipconfig, rocBLAS, hipBLAS) is missing. Install it (Debian and Ubuntu: apt install hipcc"
            " librocblas-dev libhipblas-dev), then run make install again.",
            "ROCm (hipconfig, rocBLAS, hipBLAS) est absent. Installez-le (Debian et Ubuntu\u00a0: apt install hipcc"
            " librocblas-dev libhipblas-dev), puis exécutez de nouveau make install.",
        )
    )


def rocm_toolkit(
    hipconfig: str, root: Path, version: str, targets: Sequence[str], environ: Mapping[str, str]
) -> Toolkit:
    if problem := rocm_problem(root, version, targets):
        return Toolkit(problem=problem)
    args = ["-DGGML_HIP=on", define("CMAKE_HIP_COMPILER_ROCM_ROOT", str(root)), define("CMAKE_PREFIX_PATH", str(root))]
    args.append(define("AMDGPU_TARGETS", ";".join(targets)))
    compiler = Path(output_of(hipconfig, "--hipclangpath", environ=environ) or root / "llvm" / "bin") / "clang++"
    if compiler.exists():
        args.append(define("CMAKE_HIP_COMPILER", str(compiler)))
    return Toolkit(" ".join(args), str(root), f"{version} {' '.join(targets)}")


def rocm_problem(root: Path, version: str, targets: Sequence[str]) -> str:
    """Says why ROCm cannot serve the GPUs; "" if it can."""
    if parse_version(version) < OLDEST_ROCM:
        return localized(
            f"ROCm {version} is too old; llama.cpp needs {join_version(OLDEST_ROCM)} or newer.",
            f"ROCm {version} est trop ancien; llama.cpp nécessite la version {join_version(OLDEST_ROCM)} ou une"
            " version plus récente.",
        )
    if not targets:
        return localized(
            "neither the kernel (/sys/class/kfd) nor rocminfo tells which instruction set the GPU has.",
            "ni le noyau (/sys/class/kfd) ni rocminfo n’indiquent le jeu d’instructions du processeur graphique.",
        )
    missing = [target for target in targets if not has_kernels(root, target)]
    if missing:
        return localized(
            f"this ROCm has no kernels for {', '.join(missing)}.",
            f"ce ROCm n’a pas de noyaux de calcul pour {', '.join(missing)}.",
        )
    return ""


def has_kernels(root: Path, target: str) -> bool:
    """Tells whether rocBLAS has compiled kernels for an instruction set: without them the engine would abort."""
    folders = [root / each / "rocblas" for each in LIBRARY_FOLDERS]
    existing = [folder for folder in folders if folder.is_dir()]
    return not existing or any(target in file.name for folder in existing for file in folder.rglob("*gfx*"))


# ---------------------------------------------------------------- Vulkan


def find_vulkan(environ: Mapping[str, str], folders: Sequence[Path]) -> Toolkit:
    """Returns Vulkan's shader compiler, if the headers and the loader to link with are there too."""
    sdk = [Path(environ["VULKAN_SDK"])] if environ.get("VULKAN_SDK") else []
    glslc = next(find_programs("glslc", environ, ("VULKAN_SDK",), ()), None)
    version = output_of(glslc, "--version", environ=environ) if glslc else ""
    places = [*sdk, *folders]
    parts = {
        "glslc": glslc if version else None,
        "vulkan.h": first_file(places, "include/vulkan/vulkan.h"),
        "libvulkan.so": first_file(places, *(f"{folder}/libvulkan.so" for folder in LIBRARY_FOLDERS)),
        "SPIRV-Headers": first_file(
            places,
            *(f"{folder}/cmake/SPIRV-Headers/SPIRV-HeadersConfig.cmake" for folder in ("share", *LIBRARY_FOLDERS)),
        ),
    }
    missing = ", ".join(name for name, found in parts.items() if found is None)
    if missing:
        return Toolkit(
            problem=localized(
                f"to compile for Vulkan, {missing} is missing. Install it (Debian and Ubuntu: apt install libvulkan-dev"
                " glslc spirv-headers), then run make install again.",
                f"pour compiler avec Vulkan, il manque {missing}. Installez ces éléments (Debian et Ubuntu\u00a0: apt"
                " install libvulkan-dev glslc spirv-headers), puis exécutez de nouveau make install.",
            )
        )
    args = f"-DGGML_VULKAN=on {define('Vulkan_GLSLC_EXECUTABLE', str(glslc))}"
    return Toolkit(args, str(glslc), version)


# ---------------------------------------------------------------- shared


def find_programs(
    name: str, environ: Mapping[str, str], variables: Sequence[str], folders: Sequence[Path]
) -> Iterator[str]:
    """Yields a program's places: on PATH, in `bin` of the folders that variables name, in `bin` of `folders`."""
    named = [Path(environ[variable]) for variable in variables if environ.get(variable)]
    for place in (environ.get("PATH", ""), *(str(folder / "bin") for folder in (*named, *folders))):
        if program := shutil.which(name, path=place):
            yield program


def output_of(program: str, *arguments: str, environ: Mapping[str, str]) -> str:
    return (run_command(program, *arguments, environ=environ, deadline_s=TOOL_DEADLINE_S) or "").strip()


def first_file(folders: Sequence[Path], *names: str) -> Path | None:
    return next((folder / name for folder in folders for name in names if (folder / name).exists()), None)


def define(name: str, value: str) -> str:
    return shlex.quote(f"-D{name}={value}")


def parse_version(text: str) -> tuple[int, ...]:
    found = re.search(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0,)


def join_version(version: Sequence[int]) -> str:
    return ".".join(map(str, version))
