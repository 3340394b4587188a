"""Units of systemd: what runs, how it stops, what it may do."""

from __future__ import annotations

import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from core import PROJECT_ROOT
from core.deployment.environment_file import quote
from core.deployment.systemd import escape, systemd_files
from core.errors import ConfigError
from tests.core.deployment.support_plans import PLANTED, REMOTE, WHOLE, plan_of

DATA, CONFIG = Path("/srv/csps-llm"), Path("/etc/csps-llm")


def files_of(environ: dict[str, str], root: Path = PROJECT_ROOT, *, with_secrets: bool = False) -> dict[str, str]:
    return systemd_files(plan_of(environ), root, DATA, CONFIG, with_secrets=with_secrets)


def read_unit(text: str) -> ConfigParser:
    unit = ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[method-assign, assignment]
    unit.read_string(text)
    return unit


def test_each_process_that_would_run_has_a_unit() -> None:
    """The model's process is left out where another engine answers."""
    local, remote = files_of({}), files_of(WHOLE)

    assert {"csps-llm-web.service", "csps-llm-model.service"} == {name for name in local if name.endswith(".service")}
    assert "csps-llm-model.service" not in remote
    assert {"csps-llm-slack.service", "csps-llm-discord.service", "csps-llm-teams.service"} <= set(remote)


def test_a_service_has_longer_to_stop_than_its_answers() -> None:
    """SIGKILL comes after WEB_DRAIN_S and a margin."""
    unit = read_unit(files_of(WHOLE)["csps-llm-web.service"])

    assert int(unit["Service"]["TimeoutStopSec"]) > 45


def test_the_model_stops_after_the_processes_that_need_it() -> None:
    """Units stop in the reverse order of `After`."""
    unit = read_unit(files_of({})["csps-llm-web.service"])

    assert "csps-llm-model.service" in unit["Unit"]["After"]


def test_a_service_is_restarted_unless_only_the_operator_can_help() -> None:
    """Exit code 2 means that a setting must change."""
    service = read_unit(files_of({})["csps-llm-web.service"])["Service"]

    assert ("always", "2") == (service["Restart"], service["RestartPreventExitStatus"])


def test_secrets_are_in_one_file_and_only_if_asked_for() -> None:
    """No other file has a planted value."""
    hidden, shown = files_of(WHOLE), files_of(WHOLE, with_secrets=True)

    assert PLANTED not in "".join(hidden.values())
    assert {"secrets.env"} == {name for name, text in shown.items() if PLANTED in text}


def test_a_checkout_in_a_home_can_be_read() -> None:
    """ProtectHome=yes would hide it."""
    unit = read_unit(files_of({}, Path("/home/ana/csps llm"))["csps-llm-web.service"])

    assert "read-only" == unit["Service"]["ProtectHome"]
    assert '"/home/ana/csps llm/.venv/bin/python" -m web' == unit["Service"]["ExecStart"]


@pytest.mark.parametrize(
    ("value", "written"),
    [("plain", '"plain"'), ('a"b', '"a\\"b"'), ("a$HOME`b\\", '"a\\$HOME\\`b\\\\"'), ("é #x", '"é #x"')],
)
def test_values_are_quoted_for_files_of_variables(value: str, written: str) -> None:
    """Neither systemd nor Compose expands anything in them."""
    assert written == quote("KEY", value)


def test_a_value_of_two_lines_is_refused() -> None:
    """Its second line would be a variable of its own."""
    with pytest.raises(ConfigError, match="KEY"):
        quote("KEY", "a\nLLM_API_KEY=b")


@pytest.mark.parametrize(("part", "written"), [("/a", "/a"), ("/a b", '"/a b"'), ("/50%$x", "/50%%$$x")])
def test_words_of_units_are_escaped(part: str, written: str) -> None:
    """systemd expands percent signs and dollars."""
    assert written == escape(part)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    """It reports unknown names and values, and commands that do not exist."""
    files = files_of({**REMOTE, "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"})
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    units = [str(tmp_path / name) for name in files if not name.endswith(".env")]

    checked = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)

    assert "" == "\n".join(line for line in checked.stderr.splitlines() if "csps-llm" in line)
