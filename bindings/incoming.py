"""What an adapter makes of an event of its platform: values that are the same everywhere. Knows no SDK and no database.

An `Incoming` can be written down and read again, for it is what a delivery is finished from after a crash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from core.contract import Attachment, Language, Prompt, Turn

PlatformName = Literal["slack", "discord", "teams"]
CommandName = Literal["help", "stop", "regenerate", "forget", "personality"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was said, and where the answer goes."""

    platform: PlatformName
    tenant: str  # the workspace, guild or Teams tenant; "" in a Discord direct message
    channel: str
    thread: str | None  # whose root or id names the conversation; None: the channel is the conversation
    kind: Literal["personal", "group", "channel"]
    route: Mapping[str, str] = field(default_factory=dict)  # what else the platform needs to answer there
    threaded: bool = False  # no thread is named, though conversations are threads here

    @property
    def conversation(self) -> str:
        """As in `Prompt`: "slack:T1:C2:1712.5"."""
        return ":".join(part for part in (self.platform, self.tenant, self.channel, self.thread) if part)

    @property
    def beginnings(self) -> str:
        """All conversations that begin in the channel, as what is chosen for them is kept: the name of none."""
        return f"{self.platform}:{self.tenant}:{self.channel}:*"


@dataclass(frozen=True, slots=True)
class File:
    """Something attached, not fetched yet."""

    name: str
    url: str
    media_type: str
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """What a person wants done instead of answered."""

    name: CommandName
    argument: str = ""  # personality: its name; regenerate: the answer's id, by a button; "": the latest answer


@dataclass(frozen=True, slots=True)
class Incoming:
    """A person's message to the bot.

    `event` is the same each time the platform delivers it, and for every event that one message makes (Slack sends
    `message` and `app_mention` for one post): it is the key by which a repeat is known, "slack:T1:C2:1712.5".
    """

    event: str
    place: Place
    message: str  # the platform's id of it
    user: str  # the platform's id
    text: str  # the mention removed, the platform's escapes undone
    language: Language | None = None  # as the platform tells; the text's own goes before
    files: tuple[File, ...] = ()
    quoted: tuple[Attachment, ...] = ()  # messages that it quotes, forwards or replies to
    heard_since: str | None = None  # of what else was said: where to begin, if the platform knows
    command: Command | None = None  # by a slash command or button; those in words are found in the text
    toil: bool = False  # asked for by a command: a schema is expected

    @property
    def speaker(self) -> str:
        """For fairness, limits and privacy: the same person everywhere in one workspace."""
        return f"{self.place.platform}:{self.place.tenant}:{self.user}"

    @property
    def begins(self) -> bool:
        """Nothing was said before in its conversation: it is the first of its thread, or about no thread at all."""
        place = self.place
        return (place.threaded and place.kind != "personal") or (
            place.thread is not None and place.thread == self.message
        )

    def prompt(self, personality: str, attachments: tuple[Attachment, ...], heard: tuple[Turn, ...]) -> Prompt:
        return Prompt(
            personality,
            self.text,
            conversation=self.place.conversation,
            user=self.speaker,
            language=self.language,
            attachments=(*self.quoted, *attachments),
            thread_messages=heard,
            key=self.event,
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(replace(self, place=replace(self.place, route=dict(self.place.route))))

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> Incoming:
        return cls(
            **{
                **value,
                "place": Place(**value["place"]),
                "files": tuple(File(**each) for each in value["files"]),
                "quoted": tuple(Attachment(**each) for each in value["quoted"]),
                "command": Command(**value["command"]) if value["command"] else None,
            }
        )
