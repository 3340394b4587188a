"""The choice of the back-end for which the engine is compiled."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from core.install import backend, engine, progress
from core.install.__main__ import Installation
from core.model.hardware.gpus import DriverPaths
from tests.core.install.support_checkout import fake_root
from tests.core.model.hardware.support_machine import FakeTools, write

ONE_NVIDIA = "0, GPU-aa, NVIDIA L4, 23034, 22500"
VULKAN = """
    apiVersion        = 1.3.274
    deviceType        = PHYSICAL_DEVICE_TYPE_{kind}
    deviceName        = {name}
"""


class FakeMachine:
    """A machine's PATH with fake tools, the folders of its drivers and toolkits, and the installer's screen."""

    def __init__(self, folder: Path) -> None:
        self.root = fake_root(folder)
        self.folder = folder
        self.tools = FakeTools(folder / "tools")
        self.bin = self.tools.folder
        self.bin.mkdir()
        self.screen = io.StringIO()
        self.environ = {"PATH": str(self.bin) + ":/bin", "XDG_CACHE_HOME": str(folder / "cache")}
        self.cpuinfo = write(folder / "cpuinfo", "flags : sse avx2\n")

    def tool(self, name: str, says: str = "", folder: Path | None = None, status: int = 0) -> Path:
        return FakeTools(folder or self.bin).add(name, says, status)

    @property
    def paths(self) -> backend.SearchPaths:
        drivers = DriverPaths(self.folder / "nvidia", self.folder / "drm", self.folder / "kfd")
        usual = self.folder / "usual"
        return backend.SearchPaths((usual / "cuda",), (usual / "rocm",), (usual / "vulkan",), drivers, self.cpuinfo)

    def detect(self) -> backend.Backend:
        return backend.detect_backend(self.environ, "linux-x86_64", self.paths)

    def nvidia(self) -> Path:
        """An NVIDIA GPU with its toolkit. Returns the path of nvcc."""
        self.tool("nvidia-smi", ONE_NVIDIA)
        return self.tool("nvcc", "release 12.4")

    def amd(self, target: int = 110000) -> None:
        device = self.folder / "drm" / "card0" / "device"
        for name, value in (("vendor", "0x1002"), ("mem_info_vram_total", "17163091968"), ("product_name", "")):
            write(device / name, value)
        write(self.folder / "kfd" / "1" / "properties", f"gfx_target_version {target}\n")

    def rocm(self, version: str = "6.3.42133", kernels: str = "Kernels.so-000-gfx1100.hsaco") -> Path:
        """ROCm in its usual folder. Returns the folder."""
        root = self.folder / "usual" / "rocm"
        hipconfig = write(
            root / "bin" / "hipconfig",
            f"#!/bin/sh\ncase $1 in --version) echo {version};; --rocmpath) echo {root};;"
            f" --hipclangpath) echo {root}/llvm/bin;; esac\n",
        )
        hipconfig.chmod(0o755)
        write(root / "llvm" / "bin" / "clang++", "")
        write(root / "lib" / "rocblas" / "library" / kernels, "")
        return root

    def vulkan(self, kind: str = "DISCRETE_GPU", name: str = "Intel Arc A770", sdk: bool = True) -> None:
        self.tool("vulkaninfo", VULKAN.format(kind=kind, name=name))
        if sdk:
            self.tool("glslc", "shaderc v2023.8")
            for file in ("include/vulkan/vulkan.h", "lib/libvulkan.so",
                         "share/cmake/SPIRV-Headers/SPIRV-HeadersConfig.cmake"):  # fmt: skip
                write(self.folder / "usual" / "vulkan" / file, "")

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
        Installation(self.root, {**self.environ, **environ}, progress.Screen(self.screen), self.paths).engine()
        return built


@pytest.fixture
def gpu(tmp_path: Path) -> FakeMachine:
    return FakeMachine(tmp_path)


def test_without_a_gpu_the_engine_is_compiled_for_the_cpu(gpu: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message names the instruction sets. A CUDA compiler is no GPU, nor is a driver's tool that finds none."""
    gpu.tool("nvcc", "release 12.4")
    assert "CPU" == gpu.detect().name
    gpu.tool("nvidia-smi", "No devices were found", status=6)
    assert "CPU" == gpu.detect().name
    assert [""] == gpu.install(monkeypatch)
    assert "Building for the processor (AVX2)." in gpu.screen.getvalue()
    assert "CUDA" not in gpu.screen.getvalue()


def test_an_nvidia_gpu_with_its_toolkit_is_used(gpu: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message names the GPU. A second install does nothing."""
    nvcc = gpu.nvidia()
    assert gpu.install(monkeypatch) == [f"-DGGML_CUDA=on -DCMAKE_CUDA_COMPILER={nvcc}"]
    assert "Found NVIDIA L4: building with CUDA" in gpu.screen.getvalue()
    assert gpu.install(monkeypatch) == []


def test_the_cuda_toolkit_is_found_outside_path(gpu: FakeMachine) -> None:
    """CUDA_HOME names it, or it is in NVIDIA's usual folder. A compiler that does not start is ignored."""
    gpu.tool("nvidia-smi", ONE_NVIDIA)
    gpu.tool("nvcc", status=1)
    nvcc = gpu.tool("nvcc", "release 12.4", gpu.folder / "usual" / "cuda" / "bin")
    assert str(nvcc) in gpu.detect().args
    named = gpu.folder / "named folder"
    gpu.environ["CUDA_HOME"] = str(named)
    nvcc = gpu.tool("nvcc", "release 12.5", named / "bin")
    assert f"'-DCMAKE_CUDA_COMPILER={nvcc}'" in gpu.detect().args


def test_a_gpu_without_a_toolkit(gpu: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine is compiled for the CPU, and a message says what to install."""
    gpu.tool("nvidia-smi", ONE_NVIDIA)
    assert gpu.install(monkeypatch) == [""]
    assert "Found NVIDIA L4, not used: the CUDA toolkit (nvcc) is missing" in gpu.screen.getvalue()
    assert "apt install nvidia-cuda-toolkit" in gpu.screen.getvalue()
    assert "Building for the processor (AVX2)." in gpu.screen.getvalue()


def test_several_gpus_are_counted(gpu: FakeMachine) -> None:
    """They are of one kind, or of several."""
    gpu.nvidia()
    gpu.tool("nvidia-smi", f"{ONE_NVIDIA}\n1, GPU-bb, NVIDIA L4, 23034, 22500")
    assert "Found 2 × NVIDIA L4: building" in gpu.detect().message


def test_a_gpu_is_found_without_the_drivers_tool(gpu: FakeMachine) -> None:
    """The driver's files in /proc name it."""
    write(gpu.folder / "nvidia" / "0000:01:00.0" / "information", "Model: \t\t NVIDIA A10\nIRQ: 1\n")
    gpu.tool("nvcc", "release 12.4")
    assert gpu.detect().message.startswith("Found NVIDIA A10: building with CUDA")


def test_an_amd_gpu_with_rocm_is_used(gpu: FakeMachine) -> None:
    """The engine is compiled for the GPU's own instruction set, with ROCm's compiler."""
    gpu.amd()
    root = gpu.rocm()
    found = gpu.detect()
    assert "ROCm" == found.name
    for part in (
        "-DGGML_HIP=on",
        "-DAMDGPU_TARGETS=gfx1100",
        f"-DCMAKE_HIP_COMPILER={root}/llvm/bin/clang++",
        f"-DCMAKE_HIP_COMPILER_ROCM_ROOT={root}",
    ):
        assert part in found.args.split()
    assert "Found AMD GPU gfx1100: building with ROCm" in found.message


@pytest.mark.parametrize(
    ("version", "target", "reason"),
    [
        ("5.7.1", 110000, "ROCm 5.7.1 is too old; llama.cpp needs 6.1 or newer"),
        ("6.3.4", 100306, "this ROCm has no kernels for gfx1036"),
        ("6.3.4", 0, "neither the kernel"),
    ],
)
def test_rocm_that_cannot_serve_the_gpu(gpu: FakeMachine, version: str, target: int, reason: str) -> None:
    """The engine would abort in its first answer: it is compiled for the CPU, and the message says why."""
    gpu.amd(target)
    gpu.rocm(version)
    found = gpu.detect()
    assert "CPU" == found.name
    assert reason in found.message


def test_an_integrated_amd_gpu_is_used_by_request_only(gpu: FakeMachine) -> None:
    """Its share of the memory is small, and the processor reads the same memory."""
    gpu.amd(100306)
    gpu.rocm(kernels="Kernels.so-000-gfx1036.hsaco")
    write(gpu.folder / "drm" / "card0" / "device" / "mem_info_vram_total", str(512 << 20))
    write(gpu.folder / "kfd" / "1" / "properties", "cpu_cores_count 16\ngfx_target_version 100306\n")
    assert "CPU" == gpu.detect().name
    assert "ROCm" == backend.named_backend("rocm", gpu.environ, "linux-x86_64", gpu.paths).name


def test_cmake_args_add_to_the_named_back_end(gpu: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both hold for later runs. A word may have blanks around it."""
    nvcc = gpu.nvidia()
    both = f"-DGGML_CUDA=on -DCMAKE_CUDA_COMPILER={nvcc} -DX=1"
    assert [both] == gpu.install(monkeypatch, BACKEND=" CUDA ", CMAKE_ARGS="-DX=1")
    assert [] == gpu.install(monkeypatch)
    with pytest.raises(progress.StepError, match="BACKEND=auto and CMAKE_ARGS exclude each other"):
        gpu.install(monkeypatch, BACKEND="auto", CMAKE_ARGS="-DX=1")


def test_an_amd_gpu_without_rocm(gpu: FakeMachine) -> None:
    """The message says what to install."""
    gpu.amd()
    assert "ROCm (hipconfig, rocBLAS, hipBLAS) is missing" in gpu.detect().message


def test_a_discrete_gpu_is_used_by_vulkan(gpu: FakeMachine) -> None:
    """Vulkan serves GPUs of any vendor, if it can be compiled."""
    gpu.vulkan()
    found = gpu.detect()
    assert ("Vulkan", f"-DGGML_VULKAN=on -DVulkan_GLSLC_EXECUTABLE={gpu.bin}/glslc") == (found.name, found.args)
    assert "Found Intel Arc A770: building with Vulkan" in found.message


def test_vulkan_serves_an_nvidia_gpu_without_cuda(gpu: FakeMachine) -> None:
    """The toolkit of CUDA is large, and that of Vulkan is small."""
    gpu.tool("nvidia-smi", ONE_NVIDIA)
    gpu.vulkan(name="NVIDIA L4")
    assert "Vulkan" == gpu.detect().name
    gpu.tool("nvcc", "release 12.4")
    assert "CUDA" == gpu.detect().name


@pytest.mark.parametrize(
    "file", ["include/vulkan/vulkan.h", "lib/libvulkan.so", "share/cmake/SPIRV-Headers/SPIRV-HeadersConfig.cmake"]
)
def test_vulkan_without_its_files(gpu: FakeMachine, file: str) -> None:
    """The message names the missing part and its packages."""
    gpu.vulkan()
    (gpu.folder / "usual" / "vulkan" / file).unlink()
    found = gpu.detect()
    assert "CPU" == found.name
    missing = {"S": "SPIRV-Headers", "v": "vulkan.h", "l": "libvulkan.so"}[Path(file).name[0]]
    assert f"{missing} is missing" in found.message
    assert "apt install libvulkan-dev glslc spirv-headers" in found.message


def test_the_vulkan_sdk_is_found(gpu: FakeMachine) -> None:
    """Its variable names a folder with all parts."""
    gpu.vulkan()
    (gpu.bin / "glslc").unlink()
    (gpu.folder / "usual" / "vulkan").rename(gpu.folder / "sdk")
    gpu.tool("glslc", "shaderc v2025.1", gpu.folder / "sdk" / "bin")
    assert "CPU" == gpu.detect().name
    gpu.environ["VULKAN_SDK"] = str(gpu.folder / "sdk")
    assert "Vulkan" == gpu.detect().name


@pytest.mark.parametrize(("kind", "name"), [("CPU", "llvmpipe (LLVM 17)"), ("INTEGRATED_GPU", "Intel UHD 770")])
def test_a_gpu_that_is_no_faster_is_not_used(gpu: FakeMachine, kind: str, name: str) -> None:
    """One imitated by the processor is not even named. An integrated one is only used by request."""
    gpu.vulkan(kind, name)
    found = gpu.detect()
    assert "CPU" == found.name
    assert ("make install BACKEND=vulkan" in found.message) == (kind != "CPU")


def test_a_word_names_the_back_end(gpu: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds for later runs, until another word. `auto` detects again."""
    nvcc = gpu.nvidia()
    gpu.vulkan("INTEGRATED_GPU", "Intel UHD 770")
    assert [""] == gpu.install(monkeypatch, BACKEND="cpu")
    assert [] == gpu.install(monkeypatch)
    assert "CUDA" not in gpu.screen.getvalue()
    assert [f"-DGGML_VULKAN=on -DVulkan_GLSLC_EXECUTABLE={gpu.bin}/glslc"] == gpu.install(monkeypatch, BACKEND="Vulkan")
    assert [] == gpu.install(monkeypatch)
    assert [f"-DGGML_CUDA=on -DCMAKE_CUDA_COMPILER={nvcc}"] == gpu.install(monkeypatch, BACKEND="auto")
    assert [] == gpu.install(monkeypatch)


def test_a_word_replaces_cmake_args(gpu: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The latest choice counts, in both directions."""
    gpu.nvidia()
    assert ["-DX=1"] == gpu.install(monkeypatch, CMAKE_ARGS="-DX=1")
    assert [""] == gpu.install(monkeypatch, BACKEND="cpu")
    assert [] == gpu.install(monkeypatch)
    assert ["-DX=2"] == gpu.install(monkeypatch, CMAKE_ARGS="-DX=2")
    assert [] == gpu.install(monkeypatch)


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ("cuda", "the CUDA toolkit"),
        ("rocm", "ROCm"),
        ("vulkan", "glslc, vulkan.h, libvulkan.so, SPIRV-Headers is missing"),
        ("metal", "BACKEND=metal is not possible here"),
        ("opencl", "The words are: auto, cpu, cuda, rocm, vulkan, metal"),
    ],
)
def test_a_word_that_is_not_possible(
    gpu: FakeMachine, monkeypatch: pytest.MonkeyPatch, word: str, problem: str
) -> None:
    """An operator who names a back end gets its error, and nothing is built. The choice is not kept."""
    with pytest.raises(progress.StepError, match=problem):
        gpu.install(monkeypatch, BACKEND=word)
    assert [""] == gpu.install(monkeypatch)


def test_a_toolkit_without_its_gpu(gpu: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image may be built on another machine than it runs on."""
    nvcc = gpu.tool("nvcc", "release 12.4")
    assert [f"-DGGML_CUDA=on -DCMAKE_CUDA_COMPILER={nvcc}"] == gpu.install(monkeypatch, BACKEND="cuda")
    assert "although no such GPU was found" in gpu.screen.getvalue()


def test_cmake_args_replace_detection(gpu: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also empty ones, and also in the next run without CMAKE_ARGS."""
    gpu.nvidia()
    assert gpu.install(monkeypatch, CMAKE_ARGS="-DGGML_VULKAN=on") == ["-DGGML_VULKAN=on"]
    assert gpu.install(monkeypatch) == []
    assert gpu.install(monkeypatch, CMAKE_ARGS="") == [""]
    assert gpu.install(monkeypatch) == []
    assert "Found" not in gpu.screen.getvalue()


def test_a_wheel_is_for_one_back_end(gpu: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another GPU or toolkit needs another build. An earlier wheel is taken from the cache."""
    assert len(gpu.install(monkeypatch)) == 1
    gpu.nvidia()
    assert len(gpu.install(monkeypatch)) == 1
    gpu.tool("nvcc", "release 12.5")
    assert len(gpu.install(monkeypatch)) == 1
    gpu.tool("nvidia-smi", ONE_NVIDIA.replace("L4", "H100"))
    assert len(gpu.install(monkeypatch)) == 1
    (gpu.bin / "nvidia-smi").unlink()
    assert gpu.install(monkeypatch) == []


def test_a_back_end_that_fails_to_compile_is_replaced_by_the_cpu(
    gpu: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line names the log. The back-end is tried again only when its GPU or toolkit changes."""
    gpu.nvidia()
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
    found = backend.detect_backend(gpu.environ, "macosx-14.0-arm64", gpu.paths)
    assert ("Metal", "") == (found.name, found.args)
    assert "Metal" in found.message
    assert "CPU" == backend.detect_backend(gpu.environ, "macosx-14.0-x86_64", gpu.paths).name
    assert "Metal" == backend.named_backend("metal", gpu.environ, "macosx-14.0-arm64", gpu.paths).name
