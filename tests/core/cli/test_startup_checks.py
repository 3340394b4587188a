"""The checks before a start, and their messages."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from core import PROJECT_ROOT
from core.cli import startup_checks, up
from core.cli.localization import locale_language
from core.errors import ConfigError


def test_two_cannot_share_a_data_folder(tmp_path: Path) -> None:
    """The error names the process that uses it. When that one has ended, the folder is free."""
    with startup_checks.lock_data_folder(tmp_path, "en"):
        with (
            pytest.raises(ConfigError, match=f"already running.*process {os.getpid()}"),
            startup_checks.lock_data_folder(tmp_path, "en"),
        ):
            pass
        with (
            pytest.raises(ConfigError, match="est déjà en cours d’exécution"),
            startup_checks.lock_data_folder(tmp_path, "fr"),
        ):
            pass
    with startup_checks.lock_data_folder(tmp_path, "en"):
        pass


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    """kill -9 leaves the lock file behind, but not the lock."""
    code = f"""
import os, signal
from pathlib import Path
from core.cli import startup_checks
with startup_checks.lock_data_folder(Path({str(tmp_path)!r}), "en"):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code], check=False, cwd=PROJECT_ROOT)
    assert (tmp_path / "run" / "up.lock").exists()
    with startup_checks.lock_data_folder(tmp_path, "en"):
        pass


def test_a_file_in_place_of_the_data_folder(tmp_path: Path) -> None:
    """The error names the file and the variable, and does not blame the owner."""
    (tmp_path / "var").write_text("", encoding="utf-8")
    for folder in (tmp_path / "var", tmp_path / "var" / "deeper"):
        with (
            pytest.raises(ConfigError, match=rf"{tmp_path}/var is a file\. Set CSPS_LLM_DATA to a folder") as caught,
            startup_checks.lock_data_folder(folder, "en"),
        ):
            pass
        assert "owner" not in caught.value.message


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "owner"),
    ],
)
def test_a_data_folder_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    """The error tells the cause, and blames the owner for nothing else."""

    def refuse(_path: Path) -> NoReturn:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(startup_checks, "hold_lock", refuse)
    with pytest.raises(ConfigError, match=words) as caught, startup_checks.lock_data_folder(tmp_path, "en"):
        pass
    assert ("owner" in caught.value.message) is (number == errno.EACCES)
    assert "CSPS_LLM_DATA" in caught.value.message


def test_a_data_folder_with_a_long_name(tmp_path: Path) -> None:
    """The kernel itself refuses it."""
    with (
        pytest.raises(ConfigError, match="the path is too long"),
        startup_checks.lock_data_folder(tmp_path / ("x" * 300), "en"),
    ):
        pass


def test_a_port_that_is_taken() -> None:
    """The error names another port to try. A free port passes."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=f"PORT={port + 1} csps-llm up"):
            startup_checks.require_free_port("127.0.0.1", port, "en")
    startup_checks.require_free_port("127.0.0.1", startup_checks.find_free_port("127.0.0.1"), "en")


def test_an_address_of_another_machine() -> None:
    """192.0.2.1 is reserved for documentation: no machine has it."""
    with pytest.raises(ConfigError, match="HOST and PORT"):
        startup_checks.require_free_port("192.0.2.1", 5000, "en")


def test_only_a_stale_socket_is_removed(tmp_path: Path) -> None:
    """A killed model process leaves its socket. If a process still serves there, the start is refused."""
    path = tmp_path / "model.sock"
    startup_checks.remove_stale_socket(path, "en")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        with pytest.raises(ConfigError, match="started by hand"):
            startup_checks.remove_stale_socket(path, "en")
    startup_checks.remove_stale_socket(path, "en")
    assert not path.exists()


def test_bad_settings_are_found_before_anything_starts(tmp_path: Path) -> None:
    """The error names the variable, the model file or the personality."""
    with pytest.raises(ConfigError, match="PORT"):
        up.plan_start({"PORT": "many"})
    with pytest.raises(ConfigError, match="LLM_MODEL_FILE: there is no file"):
        up.plan_start({"LLM_MODEL_FILE": str(tmp_path / "none.gguf")})
    (tmp_path / "personalities").mkdir()
    (tmp_path / "settings.toml").write_bytes((PROJECT_ROOT / "config" / "settings.toml").read_bytes())
    (tmp_path / "personalities" / "bad.toml").write_text('title = "Bad"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"bad\.toml"):
        up.plan_start({"CSPS_LLM_CONFIG": str(tmp_path)})


def test_port_0_is_replaced_by_a_free_port(tmp_path: Path) -> None:
    """`up` chooses the port, so that it can announce it and give all processes the same one."""
    plan = up.plan_start({"PORT": "0", "CSPS_LLM_DATA": str(tmp_path)})
    assert plan.settings.web.port > 0
    assert plan.environ["PORT"] == str(plan.settings.web.port)


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
def test_locale_language(environ: dict[str, str], language: str) -> None:
    """The variables count in the order of POSIX."""
    assert locale_language(environ) == language


def test_the_catalogue_and_the_named_model_are_checked(tmp_path: Path) -> None:
    """The error names the line, or the nearest id."""
    with pytest.raises(ConfigError, match="LLM_MODEL: no model named 'ministral-3'; did you mean 'ministral-3b'"):
        up.plan_start({"PORT": "0", "CSPS_LLM_DATA": str(tmp_path), "LLM_MODEL": "ministral-3"})
    (tmp_path / "models.toml").write_text("[x]\ntitle = 3\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"models\.toml:2"):
        up.plan_start({"PORT": "0", "CSPS_LLM_DATA": str(tmp_path), "CSPS_LLM_CONFIG": str(tmp_path)})
