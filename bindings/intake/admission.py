"""Decides who gets an answer, how often, when without a mention, and from which personality. Pure.

The access lists apply before a message is stored: the bot keeps no content of people whom it does not serve.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from bindings.incoming import IncomingMessage, Place
from core.configuration.personalities import Personalities
from core.configuration.platform_sections import PlatformSettings
from core.configuration.setting_types import ReplyMode
from core.contract import Language
from core.errors import ConfigError, closest_name

WINDOW_S = 600.0
BOT_PAUSE_S = 600.0  # between two answers to bots in one conversation, unless a person asks meanwhile
TRACKED_SPEAKERS = 10_000


@dataclass(frozen=True, slots=True)
class AccessLists:
    """Ids of workspaces, channels, users, roles and groups, or the words of `AuthorGroup`. `bots`: ids of bots."""

    allow: Collection[str]
    deny: Collection[str]
    bots: Collection[str] = ()

    def admit(self, incoming: IncomingMessage) -> bool:
        """Deny takes precedence over allow. A non-empty allow list excludes everyone else.

        People of other organisations and bots get answers only if they are named: the former by `external`, their
        organisation or their id in `allow`, the latter by their id in `bots`.
        """
        place, author = incoming.place, {incoming.user, *incoming.groups} - {""}
        ids = author | ({place.tenant, place.channel} - {""})
        if ids.intersection(self.deny):
            return False
        if "bots" in author:
            return bool(author.intersection(self.bots))
        if "external" in author and not author.intersection(self.allow):
            return False
        return not self.allow or bool(ids.intersection(self.allow))


@dataclass(frozen=True, slots=True)
class ReplyRules:
    """The rule by channel for messages that do not mention the bot."""

    threads: ReplyMode
    threads_of: Mapping[str, ReplyMode]
    without_mention: Collection[str]  # ids of channels

    def listens(self, place: Place) -> bool:
        """True for a channel where no message needs a mention."""
        return place.channel in self.without_mention

    def thread_mode(self, place: Place) -> ReplyMode:
        """all: everybody in a thread where the bot was asked; asked: only those who asked it; mentions: nobody."""
        return self.threads_of.get(place.channel, self.threads)


class UserRateLimit:
    """Limits the messages of each person in ten minutes. `clock` gives monotonic seconds."""

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._messages: dict[str, deque[float]] = {}  # times of each person's messages
        self._notices: dict[str, float] = {}  # time of each person's last notice

    def count(self, speaker: str) -> bool:
        """Counts a message. False: the person is over the limit, and the message does not count."""
        now = self._clock()
        times = self._messages.setdefault(speaker, deque())
        while times and times[0] <= now - WINDOW_S:
            times.popleft()
        if len(times) >= self._limit:
            return False
        times.append(now)
        self._drop_old(now)
        return True

    def uncount(self, speaker: str) -> None:
        """Takes back the last count: the message was a repeat, or could not be stored."""
        self._messages[speaker].pop()

    def take_notice(self, speaker: str) -> bool:
        """True if this person gets a notice of the limit now: once in ten minutes. Records it as sent."""
        now = self._clock()
        last = self._notices.get(speaker)
        if last is not None and last > now - WINDOW_S:
            return False
        self._notices[speaker] = now
        return True

    def return_notice(self, speaker: str) -> None:
        """Takes back the last notice: it was not stored."""
        self._notices.pop(speaker, None)

    def wait_s(self, speaker: str) -> float:
        """The time until the person's next message would be answered."""
        times = self._messages.get(speaker)
        if not times or len(times) < self._limit:
            return 0.0
        return max(0.0, times[0] + WINDOW_S - self._clock())

    def _drop_old(self, now: float) -> None:
        if len(self._messages) <= TRACKED_SPEAKERS:
            return
        oldest = now - WINDOW_S
        self._messages = {who: times for who, times in self._messages.items() if times and times[-1] > oldest}
        self._notices = {who: at for who, at in self._notices.items() if at > oldest}


def check_personality_names(
    settings: PlatformSettings, personalities: Personalities, platform: str, origin: Callable[[str, str], str]
) -> None:
    """Raises ConfigError for an unknown personality in the settings. `origin`: `Settings.origin`."""
    existing = personalities.names()
    configured = {f"personality_of.{place}": name for place, name in settings.personality_of.items()}
    if settings.personality is not None:
        configured["personality"] = settings.personality
    for key, name in configured.items():
        if name not in existing:
            closest = closest_name(name, existing)
            hint = f"Did you mean `{closest}`? " if closest else ""
            where = origin(platform, key.partition(".")[0])
            raise ConfigError(
                f"{where}: `{platform}.{key}` names the unknown personality `{name}`. "
                f"{hint}The personalities are: {', '.join(existing)}"
            )


def route_personality(
    place: Place,
    language: Language | None,
    people_choice: str | None,
    settings: PlatformSettings,
    personalities: Personalities,
    usable: Sequence[str] | None = None,
) -> str:
    """The name of the personality that answers in a place.

    In this order: the people's choice, the operator's choice for the channel, the workspace and the platform, then the
    first personality of the language that the author may use. Names that no longer exist are skipped. `usable`: what an
    author may use; None: all. A choice of people or of the operator that is not among it stays, and is refused.
    """
    existing = personalities.names()
    configured = settings.personality_of
    for name in (people_choice, configured.get(place.channel), configured.get(place.tenant), settings.personality):
        if name in existing:
            return name
    free = usable or existing
    return next((name for name in free if personalities.get(name).language == language), free[0])
