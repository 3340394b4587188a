"""`csps-llm models pull`: downloads, their display and their problems."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from core.cli.model_pull import DownloadDisplay
from core.errors import BadRequest, ModelError
from core.model.library.download.progress import DownloadProgress
from tests.core.cli.models.support_models import REPO, listed, run
from tests.support.fake_hub import FakeHub


@pytest.mark.usefixtures("hub")
def test_pull_downloads_and_says_where(data: Path) -> None:
    """Without a terminal the progress is plain lines."""
    code, shown = run("pull", "small")
    file = data / "models" / "someone--A-Model-GGUF" / "small.gguf"

    assert 0 == code
    assert 5004 == file.stat().st_size
    assert str(file) in shown
    assert "csps-llm models use small" in shown
    assert "\r" not in shown
    assert "downloaded" == listed()["small"]["state"]


def test_pull_takes_any_repository(data: Path, hub: FakeHub) -> None:
    """A pattern is resolved, and the id is what `use` takes."""
    code, shown = run("pull", REPO, "*Q8.gguf")

    assert 0 == code
    assert f"csps-llm models use {REPO}/small-Q8.gguf" in shown
    run("use", f"{REPO}/small-Q8.gguf")
    assert listed()[f"{REPO}/small-Q8.gguf"]["default"]
    requests = len(hub.requests)
    assert 0 == run("pull", f"{REPO}/small-Q8.gguf")[0]
    assert requests == len(hub.requests)


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((REPO,), "Which file of someone/A-Model-GGUF"),
        (("no-repo", "*.gguf"), "Give a repository and one of its GGUF files"),
        ((REPO, "../x.gguf"), "Give a repository and one of its GGUF files"),
        (("starter",), "not downloaded: it is installed already"),
    ],
)
def test_a_wrong_command_says_what_is_right(arguments: tuple[str, ...], problem: str) -> None:
    with pytest.raises(BadRequest) as refused:
        run("pull", *arguments)
    assert problem in refused.value.message


@pytest.mark.usefixtures("data")
def test_a_gated_repository_is_explained(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the language of the terminal."""
    hub.gated = True
    with pytest.raises(ModelError, match="HF_TOKEN"):
        run("pull", "small")
    monkeypatch.setenv("LANG", "fr_CA.UTF-8")
    with pytest.raises(ModelError, match="HF_TOKEN") as refused:
        run("pull", "small")
    assert "conditions" in refused.value.message


@pytest.mark.usefixtures("data")
def test_an_offline_pull_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE"):
        run("pull", "small")


def test_ctrl_c_keeps_what_has_arrived(data: Path, hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit status is that of an interrupted program; the same command continues."""
    from core.cli import model_pull

    async def interrupted(*_: object) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(model_pull, "fetch", interrupted)
        code, shown = run("pull", "small")
    assert 130 == code
    assert "the same command continues" in shown


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_has_a_bar_and_a_file_has_lines() -> None:
    """The bar is redrawn in place. Plain lines come every ten seconds, and when the state changes."""
    now = [0.0]
    half = DownloadProgress("downloading", 5_000_000, 10_000_000, 1_000_000, 5.0)
    terminal, file = Terminal(), io.StringIO()
    on_terminal, in_file = (DownloadDisplay("Small", "en", stream, lambda: now[0]) for stream in (terminal, file))
    for second in (0.0, 1.0, 11.0):
        now[0] = second
        on_terminal(half)
        in_file(half)
    in_file(DownloadProgress("checking", 10_000_000, 10_000_000))
    on_terminal.close()
    in_file.close()

    assert 3 == terminal.getvalue().count("\r\x1b[2K████████████░░░░░░░░░░░░ Small: 50% of 10 MB, 1 MB/s, 5 secs left")
    assert terminal.getvalue().endswith("\n")
    assert 2 == file.getvalue().count("Small: 50%")
    assert 3 == len(file.getvalue().splitlines())


def test_a_failure_is_printed_once() -> None:
    """By the command, not also by the progress."""
    file = io.StringIO()
    DownloadDisplay("Small", "en", file)(DownloadProgress("failed", 5, 10, problem="The disk is full."))

    assert "" == file.getvalue()


def test_a_bar_never_wraps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that is longer than the terminal would be repeated each second."""
    monkeypatch.setenv("COLUMNS", "40")
    terminal = Terminal()
    DownloadDisplay("A model with a long name", "fr", terminal)(DownloadProgress("downloading", 5, 10, 1.0, 5.0))

    assert 39 == len(terminal.getvalue().removeprefix("\r\x1b[2K"))
