"""`csps-llm selftest`: the adapters' real processes on the stand-ins, with the echo model."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core import PROJECT_ROOT
from core.texts import text

PLATFORMS = ("slack", "discord", "teams")
DEADLINE_S = 100  # the machine may be busy


def run(*arguments: str, out: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LLM_", "LC_", "LANG"))}
    return subprocess.run(
        [sys.executable, "-c", "from core.cli import main; main()", "selftest", *arguments, "--out", str(out)],
        env={**inherited, "LC_ALL": "C.UTF-8", "CSPS_LLM_DATA": str(out.parent / "var"), **environ},
        cwd=out.parent,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_transcript_holds_what_people_saw(platform: str, tmp_path: Path) -> None:
    """All steps come out as expected, refusals included. Real tokens and access lists are not used."""
    real = {f"{platform.upper()}_ALLOW": "T9REAL", f"{platform.upper()}_PORT": "1"}
    outcome = run(platform, "--echo", out=tmp_path / "page.html", **real)
    transcript = (tmp_path / "page.txt").read_text(encoding="utf-8")

    assert 0 == outcome.returncode, outcome.stderr + transcript
    assert "What is a statement of work? Answer in two short sentences." in transcript  # the edit's final form
    assert "Qu’est-ce qu’un énoncé des travaux?" in transcript
    assert "Every trip is approved in advance by the director of the branch." in transcript  # the file
    assert text("delivery-stopped", "en") in transcript
    assert "deleted at" in transcript
    assert " 429 " in transcript
    assert "Lost answers: 0" in transcript
    assert not (tmp_path / "var").exists()


@pytest.mark.slow
def test_the_pages_are_in_the_language_of_the_terminal(tmp_path: Path) -> None:
    """Terminal, HTML and text are French under a French locale. The operator's own script replaces the shipped one.

    With a signing secret and no app token, events arrive over HTTP, as they would from Slack.
    """
    config = tmp_path / "config"
    config.mkdir()
    (config / "selftest.toml").write_text(
        '[a]\ntitle = { en = "One", fr = "Une étape à nous" }\ndoes = "ask"\ntext = "Bonjour <b>!"\n',
        encoding="utf-8",
    )
    environ = {"LC_ALL": "fr_CA.UTF-8", "CSPS_LLM_CONFIG": str(config), "SLACK_SIGNING_SECRET": "0123456789abcdef"}
    outcome = run("slack", "--echo", out=tmp_path / "page.html", **environ)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")

    assert 0 == outcome.returncode, outcome.stderr
    assert "1/1 Une étape à nous\u00a0: comme prévu" in outcome.stderr
    assert '<html lang="fr-CA">' in page
    assert "Une étape à nous" in page
    assert "Bonjour &lt;b&gt;!" in page
    assert "<b>" not in page


def test_a_broken_personality_is_named(tmp_path: Path) -> None:
    """The exit status says that something must be corrected; file and key are in the message."""
    config = tmp_path / "config"
    shutil.copytree(PROJECT_ROOT / "config" / "personalities", config / "personalities")
    broken = config / "personalities" / "whisper.toml"
    broken.write_text(broken.read_text(encoding="utf-8").replace("greeting", "greetings"), encoding="utf-8")
    outcome = run("slack", "--echo", out=tmp_path / "page.html", CSPS_LLM_CONFIG=str(config))

    assert 2 == outcome.returncode
    assert str(broken) in outcome.stderr
    assert "did you mean `greeting`?" in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert not (tmp_path / "page.html").exists()


def test_an_error_of_the_bots_own_process_is_shown(tmp_path: Path) -> None:
    """A setting that only the bot checks ends its process; its message is the command's."""
    environ = {"SLACK_PERSONALITY": "wisper"}
    outcome = run("slack", "--echo", out=tmp_path / "page.html", **environ)

    assert 2 == outcome.returncode
    assert "wisper" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_without_a_model_the_remedy_is_named(tmp_path: Path) -> None:
    """The message names `csps-llm up` and --echo; nothing is started."""
    outcome = run("teams", out=tmp_path / "page.html")

    assert 2 == outcome.returncode
    assert "csps-llm up" in outcome.stderr
    assert "csps-llm selftest teams --echo" in outcome.stderr


def test_sigterm_ends_the_bot_and_removes_its_data(tmp_path: Path) -> None:
    """The command passes the signal on, ends with status 130, and writes no transcript."""
    environ = {**os.environ, "LC_ALL": "C.UTF-8", "TMPDIR": str(tmp_path), "CSPS_LLM_DATA": str(tmp_path / "var")}
    command = [sys.executable, "-c", "from core.cli import main; main()", "selftest", "slack", "--echo"]
    with subprocess.Popen(command, cwd=PROJECT_ROOT, env=environ, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        started = child.stderr.readline()
        child.send_signal(signal.SIGTERM)
        printed = child.stderr.read()
        status = child.wait(DEADLINE_S)

    assert "Self-test of the bot for Slack" in started
    assert "Stopped. No transcript was written." in printed
    assert 130 == status
    assert [] == list(tmp_path.iterdir())


def test_a_folder_that_does_not_exist_is_refused_before_the_test(tmp_path: Path) -> None:
    """Nobody waits for a transcript that cannot be written."""
    outcome = subprocess.run(
        [sys.executable, "-m", "bindings.selftest", "slack", "--echo", "--out", str(tmp_path / "no" / "page.html")],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )

    assert 2 == outcome.returncode
    assert str(tmp_path / "no") in outcome.stderr
