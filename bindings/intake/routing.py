"""Which personality answers where. Pure.

What people chose for a conversation goes before what the operator chose for a channel, that before a workspace's, that
before the platform's; where nobody chose, it is the first personality of the message's language.
"""

from __future__ import annotations

from collections.abc import Callable

from bindings.incoming import Place
from core.configuration.personalities import Personalities
from core.configuration.settings import PlatformSettings
from core.contract import Language
from core.errors import ConfigError, closest_name


def check(
    settings: PlatformSettings, personalities: Personalities, platform: str, origin: Callable[[str, str], str]
) -> None:
    """Raises ConfigError for a name in the settings that no personality has. `origin`: `Settings.origin`."""
    known = personalities.names()
    named = {f"personality_of.{place}": name for place, name in settings.personality_of.items()}
    if settings.personality is not None:
        named["personality"] = settings.personality
    for key, name in named.items():
        if name not in known:
            closest = closest_name(name, known)
            hint = f"did you mean `{closest}`? " if closest else ""
            place = origin(platform, key.partition(".")[0])
            raise ConfigError(
                f"{place}: `{platform}.{key}` names the personality `{name}`, which is not there; "
                f"{hint}There are: {', '.join(known)}"
            )


def route(
    place: Place,
    language: Language | None,
    chosen: str | None,
    settings: PlatformSettings,
    personalities: Personalities,
) -> str:
    """A name that is there. One that was taken away since it was chosen or set is passed over."""
    known = personalities.names()
    of = settings.personality_of
    for name in (chosen, of.get(place.channel), of.get(place.tenant), settings.personality):
        if name in known:
            return name
    return next((name for name in known if personalities.get(name).language == language), known[0])
