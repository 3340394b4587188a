"""What is refused before anything is started, in words for whoever sits at the terminal."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from core import PROJECT_ROOT
from core.cli import preflight, up
from core.cli.words import Words, language_of
from core.errors import ConfigError

ENGLISH = Words(preflight.WORDS, "en")
FRENCH = Words(preflight.WORDS, "fr")


def test_two_cannot_share_a_data_folder(tmp_path: Path) -> None:
    """The second is told who the first is; when the first has left, it may."""
    with preflight.alone(tmp_path, ENGLISH):
        with (
            pytest.raises(ConfigError, match=f"already running.*process {os.getpid()}"),
            preflight.alone(tmp_path, ENGLISH),
        ):
            pass
        with pytest.raises(ConfigError, match="tourne déjà"), preflight.alone(tmp_path, FRENCH):
            pass
    with preflight.alone(tmp_path, ENGLISH):
        pass


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    """kill -9 leaves the file behind, and nobody is locked out by it."""
    code = f"""
import os, signal
from pathlib import Path
from core.cli import preflight
from core.cli.words import Words
with preflight.alone(Path({str(tmp_path)!r}), Words(preflight.WORDS, "en")):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code], check=False, cwd=PROJECT_ROOT)
    assert (tmp_path / "run" / "up.lock").exists()
    with preflight.alone(tmp_path, ENGLISH):
        pass


def test_a_data_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A file in its place is refused with the reason and the variable."""
    (tmp_path / "var").write_text("", encoding="utf-8")
    for folder in (tmp_path / "var", tmp_path / "var" / "deeper"):
        with (
            pytest.raises(ConfigError, match=rf"{tmp_path}/var is a file\. Set CSPS_LLM_DATA to a folder") as caught,
            preflight.alone(folder, ENGLISH),
        ):
            pass
        assert "owner" not in caught.value.message


def test_a_port_that_is_taken() -> None:
    """The message says what to type instead; a free one passes."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=f"PORT={port + 1} csps-llm up"):
            preflight.require_port("127.0.0.1", port, ENGLISH)
    preflight.require_port("127.0.0.1", preflight.free_port("127.0.0.1"), ENGLISH)


def test_an_address_that_is_not_ours() -> None:
    """192.0.2.1 is for documentation: no machine has it."""
    with pytest.raises(ConfigError, match="HOST and PORT"):
        preflight.require_port("192.0.2.1", 5000, ENGLISH)


def test_a_socket_nobody_serves_is_removed_and_a_served_one_refused(tmp_path: Path) -> None:
    """A killed model process leaves its socket; one that was started by hand is told about."""
    path = tmp_path / "model.sock"
    preflight.clear_socket(path, ENGLISH)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        with pytest.raises(ConfigError, match="started by hand"):
            preflight.clear_socket(path, ENGLISH)
    preflight.clear_socket(path, ENGLISH)
    assert not path.exists()


def test_bad_settings_are_found_before_anything_starts(tmp_path: Path) -> None:
    """A variable, a model file, a personality: each is named."""
    with pytest.raises(ConfigError, match="PORT"):
        up.prepare({"PORT": "many"})
    with pytest.raises(ConfigError, match="LLM_MODEL_FILE: there is no file"):
        up.prepare({"LLM_MODEL_FILE": str(tmp_path / "none.gguf")})
    (tmp_path / "personalities").mkdir()
    (tmp_path / "settings.toml").write_bytes((PROJECT_ROOT / "config" / "settings.toml").read_bytes())
    (tmp_path / "personalities" / "bad.toml").write_text('title = "Bad"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"bad\.toml"):
        up.prepare({"CSPS_LLM_CONFIG": str(tmp_path)})


def test_port_0_is_chosen_once_for_all(tmp_path: Path) -> None:
    """`up` must know where to send people, so it chooses the port itself and tells every process."""
    start = up.prepare({"PORT": "0", "CSPS_LLM_DATA": str(tmp_path)})
    assert start.settings.web.port > 0
    assert start.environ["PORT"] == str(start.settings.web.port)


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, "en"),
        ({"LANG": "fr_CA.UTF-8"}, "fr"),
        ({"LANG": "fr_CA.UTF-8", "LC_ALL": "en_CA.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LC_MESSAGES": "fr", "LANG": "en_US"}, "fr"),
    ],
)
def test_the_terminals_language(environ: dict[str, str], language: str) -> None:
    """The locale decides, in the order of POSIX."""
    assert language_of(environ) == language
