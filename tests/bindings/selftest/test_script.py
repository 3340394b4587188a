"""bindings.selftest.script and environment: the conversation, and the settings of the bot under test."""

from __future__ import annotations

from pathlib import Path

import pytest

from bindings.selftest.environment import build_environ
from bindings.selftest.script import load_script
from core.configuration import settings as settings_module
from core.errors import ConfigError

STEP = '[{id}]\ntitle = {{ en = "A", fr = "A" }}\ndoes = "{does}"\n{more}\n'


def write_script(folder: Path, *steps: tuple[str, str, str]) -> dict[str, str]:
    body = "".join(STEP.format(id=name, does=does, more=more) for name, does, more in steps)
    (folder / "selftest.toml").write_text(body, encoding="utf-8")
    return {"CSPS_LLM_CONFIG": str(folder)}


@pytest.mark.parametrize("platform", ["slack", "discord", "teams"])
def test_the_shipped_script_has_every_kind_of_step(platform: str) -> None:
    """Each platform plays questions in both languages, a file, an edit, a deletion, a stop and refusals."""
    steps = load_script(settings_module.load({}), platform)  # type: ignore[arg-type]

    assert {"ask", "reply", "edit", "delete", "stop", "command", "rate"} == {step.does for step in steps}
    assert {"en", "fr"} == {step.language for step in steps}
    assert {"throttled"} < {step.fault for step in steps}
    assert any(step.file for step in steps)


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ([("a", "ask", "")], "selftest.toml:1: `a`: `text` is missing"),
        ([("a", "reply", 'text = "b"')], "`of` names an earlier step"),
        ([("a", "ask", 'text = "b"\nof = "a"')], "`of` names an earlier step"),
        ([("a", "reply", 'text = "b"\nof = "z"')], "the step a refers to z, which is no earlier step"),
        ([("A", "ask", 'text = "b"')], "unlike 'A'"),
        ([], "there is no step"),
        ([("a", "ask", 'txt = "b"')], "selftest.toml:4: `a.txt` is not a setting; did you mean `text`?"),
    ],
)
def test_a_mistake_in_a_script_is_named(tmp_path: Path, steps: list[tuple[str, str, str]], problem: str) -> None:
    """The error names the file and the step."""
    loaded = settings_module.load(write_script(tmp_path, *steps))

    with pytest.raises(ConfigError, match=r"selftest\.toml") as raised:
        load_script(loaded, "slack")
    assert problem in raised.value.message


def test_the_bot_gets_no_real_secret_and_no_real_data(tmp_path: Path) -> None:
    """What people see stays as configured: personalities and modes of reply."""
    environ = {
        "SLACK_BOT_TOKEN": "xoxb-real",
        "SLACK_SIGNING_SECRET": "real",
        "SLACK_ALLOW": "T9REAL",
        "SLACK_PERSONALITY": "chuchotte",
        "SLACK_REPLY_IN_THREADS": "mentions",
        "DATABASE_URL": "postgresql+psycopg://real/db",
        "LLM_URL": "http://model:8000/v1",
    }
    stage = {"SLACK_BOT_TOKEN": "xoxb-stage", "SLACK_APP_TOKEN": "xapp-stage"}
    built = settings_module.load(
        build_environ(environ, settings_module.load(environ), "slack", tmp_path / "var", stage)
    )

    assert built.slack.bot_token is not None
    assert "xoxb-stage" == built.slack.bot_token.get_secret_value()
    assert built.slack.signing_secret is None
    assert () == built.slack.allow
    assert ("chuchotte", "mentions") == (built.slack.personality, built.slack.reply_in_threads)
    assert "http://model:8000/v1" == built.model.url
    assert tmp_path / "var" == built.data_folder
    assert str(tmp_path) in built.database_url
