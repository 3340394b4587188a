"""An engine that was compiled for a GPU starts without the GPU's driver. The libraries are small ones, built here."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.install.engine import OPTIONS
from tests.core.model.hardware.support_machine import write

CMAKE = Path(sys.executable).with_name("cmake")
NINJA = Path(sys.executable).with_name("ninja")
# An engine as llama.cpp builds it: `ggml` needs `ggml-cuda`, which needs the driver's library.
PROJECT = """
cmake_minimum_required(VERSION 3.21)
project("llama.cpp" C)
set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)
set(CMAKE_INSTALL_RPATH "$ORIGIN")
set(SKBUILD_PLATLIB_DIR ${CMAKE_BINARY_DIR}/site)
add_library(driver SHARED driver.c)
set_target_properties(driver PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/driver)
add_library(ggml-cuda SHARED cuda.c)
target_link_libraries(ggml-cuda PRIVATE driver)
add_library(ggml SHARED ggml.c)
target_link_libraries(ggml PRIVATE ggml-cuda)
set_target_properties(ggml ggml-cuda PROPERTIES SOVERSION 7)
install(TARGETS ggml ggml-cuda LIBRARY DESTINATION ${SKBUILD_PLATLIB_DIR}/llama_cpp/lib)
"""
SOURCES = {
    "driver.c": "int driver_devices(void) { return 3; }",
    "cuda.c": "int driver_devices(void); int devices; void * ggml_backend_cuda_reg(void)"
    " { devices = driver_devices(); return &devices; }",
    "ggml.c": "void * ggml_backend_cuda_reg(void); int devices(void)"
    " { int * found = ggml_backend_cuda_reg(); return found ? *found : 0; }",
}
START = """
import ctypes, pathlib, sys
sys.modules["llama_cpp"] = None  # the package imports the real engine
from core.model.worker.llama.missing_driver import replace_missing_backends
folder = pathlib.Path(sys.argv[1])
replaced = replace_missing_backends(folder)
print(replaced, ctypes.CDLL(str(folder / "libggml.so")).devices())
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the installer builds these libraries on Linux"),
    pytest.mark.skipif(not CMAKE.exists() or not shutil.which("cc"), reason="needs CMake and a C compiler"),
]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build folder of the small engine, installed below `site`."""
    source = tmp_path_factory.mktemp("engine")
    write(source / "CMakeLists.txt", PROJECT)
    for name, text in SOURCES.items():
        write(source / name, text)
    write(source / "ggml" / "src" / "ggml-cpu" / "grouped-attention.h", "// our kernels are there: nothing to patch")
    folder = source / "build"
    options = [f"-DCMAKE_PROJECT_llama.cpp_INCLUDE={OPTIONS}", "-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={NINJA}"]
    for command in (["-S", str(source), "-B", str(folder), *options], ["--build", str(folder), "--target", "install"]):
        subprocess.run([str(CMAKE), *command], check=True, capture_output=True, timeout=120)
    return folder


def start(build: Path, environ: dict[str, str]) -> tuple[str, str]:
    """Starts the small engine in a process of its own. Returns its last line on each stream."""
    libraries = build / "site" / "llama_cpp" / "lib"
    finished = subprocess.run(
        [sys.executable, "-c", START, str(libraries)],
        capture_output=True,
        text=True,
        check=True,
        env=environ,
        timeout=60,
    )
    return finished.stdout.strip().rpartition("\n")[2], finished.stderr


def test_without_its_driver_the_engine_has_no_devices(build: Path) -> None:
    """It starts, and one line of the log says why it computes on the processor."""
    printed, _ = start(build, {})
    assert "['libggml-cuda.so'] 0" == printed


def test_with_its_driver_the_engine_has_its_devices(build: Path) -> None:
    """Nothing is replaced."""
    printed, _ = start(build, {"LD_LIBRARY_PATH": str(build / "driver")})
    assert "[] 3" == printed


def test_an_engine_for_the_processor_is_left_alone(tmp_path: Path) -> None:
    """It has nothing to replace."""
    from core.model.worker.llama.missing_driver import replace_missing_backends

    assert [] == replace_missing_backends(tmp_path)
