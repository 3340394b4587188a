"""Which personality answers where."""

from __future__ import annotations

from typing import Any

import pytest

from bindings.incoming import Place
from bindings.intake.admission import check_personality_names, route_personality
from core import PROJECT_ROOT
from core.configuration.personalities import Personalities
from core.configuration.settings import SlackSettings, load
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
def test_the_nearest_choice_counts(
    chosen: str | None, settings: dict[str, Any], answers: str, personalities: Personalities
) -> None:
    """People's, the channel's, the workspace's, the platform's; what is not there any more is passed over."""
    assert answers == route_personality(PLACE, "en", chosen, section(**settings), personalities)


@pytest.mark.parametrize(("language", "answers"), [("en", "whisper"), ("fr", "chuchotte"), (None, "whisper")])
def test_where_nobody_chose_the_language_does(language: Any, answers: str, personalities: Personalities) -> None:
    assert answers == route_personality(PLACE, language, None, section(), personalities)


def test_a_name_that_is_not_there_is_refused_at_the_start(personalities: Personalities) -> None:
    """With its key, the nearest name and those there are."""
    with pytest.raises(ConfigError) as caught:
        check_personality_names(section(personality_of={"C9": "chuchote"}), personalities, "slack", load({}).origin)

    assert "settings.toml: `slack.personality_of.C9`" in caught.value.message
    assert "did you mean `chuchotte`?" in caught.value.message
    assert "whisper" in caught.value.message
    check_personality_names(section(personality="whisper"), personalities, "slack", load({}).origin)


def test_the_variable_is_blamed_that_a_name_came_from(personalities: Personalities) -> None:
    """The file is right, and nobody finds the mistake in it."""
    loaded = load({"SLACK_PERSONALITY": "nobody", "SLACK_PERSONALITIES": "C9=nobody"})
    for key, variable in (("personality", "SLACK_PERSONALITY"), ("personality_of", "SLACK_PERSONALITIES")):
        named = section(**{key: getattr(loaded.slack, key)})
        with pytest.raises(ConfigError, match=rf"^{variable}: `slack\.{key}"):
            check_personality_names(named, personalities, "slack", loaded.origin)
