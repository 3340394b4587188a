"""bindings.intake.admission: the personality that answers in a place."""

from __future__ import annotations

from typing import Any

import pytest

from bindings.incoming import Place
from bindings.intake.admission import check_personality_names, route_personality
from core import PROJECT_ROOT
from core.configuration.personalities import Personalities
from core.configuration.platform_sections import SlackSettings
from core.configuration.settings import load
from core.errors import ConfigError

PLACE = Place("slack", "T1", "C1", "1.0", "channel")


@pytest.fixture(scope="module")
def personalities() -> Personalities:
    loaded = Personalities(PROJECT_ROOT / "config" / "personalities")
    loaded.load()
    return loaded


def section(**chosen: Any) -> SlackSettings:
    empty: dict[str, Any] = {
        **dict.fromkeys(("bot_token", "app_token", "signing_secret", "personality")),
        "host": "127.0.0.1",
        "port": 0,
        "personality_of": {},
        "allow": (),
        "deny": (),
        "bots": (),
        "reply_in_threads": "all",
        "reply_in_threads_of": {},
        "answer_without_mention": (),
        "direct_threads": "auto",
        "api_base_url": "https://slack.com/api/",
    }
    return SlackSettings.model_validate({**empty, **chosen})


@pytest.mark.parametrize(
    ("chosen", "settings", "answers"),
    [
        ("guide", {"personality": "chuchotte"}, "guide"),
        ("gone", {"personality": "chuchotte"}, "chuchotte"),
        (None, {"personality_of": {"C1": "guide", "T1": "chuchotte"}}, "guide"),
        (None, {"personality_of": {"T1": "chuchotte"}, "personality": "guide"}, "chuchotte"),
        (None, {"personality": "guide"}, "guide"),
        (None, {}, "whisper"),
    ],
)
def test_the_most_specific_choice_counts(
    chosen: str | None, settings: dict[str, Any], answers: str, personalities: Personalities
) -> None:
    """The order is people, channel, workspace, platform. Names that no longer exist are skipped."""
    assert answers == route_personality(PLACE, "en", chosen, section(**settings), personalities)


@pytest.mark.parametrize(("language", "answers"), [("en", "whisper"), ("fr", "chuchotte"), (None, "whisper")])
def test_without_a_choice_the_language_decides(language: Any, answers: str, personalities: Personalities) -> None:
    assert answers == route_personality(PLACE, language, None, section(), personalities)


def test_an_unknown_name_in_the_settings_is_an_error(personalities: Personalities) -> None:
    """The error has its key, the nearest name and all names."""
    with pytest.raises(ConfigError) as caught:
        check_personality_names(section(personality_of={"C9": "chuchote"}), personalities, "slack", load({}).origin)

    assert "settings.toml: `slack.personality_of.C9`" in caught.value.message
    assert "Did you mean `chuchotte`?" in caught.value.message
    assert "whisper" in caught.value.message
    check_personality_names(section(personality="whisper"), personalities, "slack", load({}).origin)


def test_the_error_names_the_environment_variable(personalities: Personalities) -> None:
    """The file is correct, so naming it would mislead."""
    loaded = load({"SLACK_PERSONALITY": "nobody", "SLACK_PERSONALITIES": "C9=nobody"})
    for key, variable in (("personality", "SLACK_PERSONALITY"), ("personality_of", "SLACK_PERSONALITIES")):
        named = section(**{key: getattr(loaded.slack, key)})
        with pytest.raises(ConfigError, match=rf"^{variable}: `slack\.{key}"):
            check_personality_names(named, personalities, "slack", loaded.origin)
