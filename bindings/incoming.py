"""The border between a platform and the intake: the values of an event, and the interface of a platform. Knows no SDK.

The database keeps each `IncomingMessage` as JSON, so that the next process can finish a delivery after a crash. Field
names are therefore part of the stored form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Protocol

from bindings.delivery.outlet import Outlet
from core.access.names import build_names
from core.contract import Attachment, Language, PersonalInformation, Prompt, Turn

PlatformName = Literal["slack", "discord", "teams"]
CommandName = Literal["help", "stop", "regenerate", "forget", "personality", "share", "facts"]
AuthorGroup = Literal["home", "guests", "external", "bots"]  # words that access lists may contain
UnreadKind = Literal[
    "image",
    "audio",
    "video",
    "file",
    "link",
    "card",
    "poll",
    "sticker",
    "canvas",
    "list",
    "form",
    "call",
    "message",
    "other",
]


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a message, where its answer is posted."""

    platform: PlatformName
    tenant: str  # the workspace, guild or Teams tenant; "" in a Discord direct message
    channel: str
    thread: str | None  # its root or id names the conversation; None: the channel is the conversation
    kind: Literal["personal", "group", "channel"]
    route: Mapping[str, str] = field(default_factory=dict)  # further values that the platform needs to answer there
    threaded: bool = False  # no thread is named, although conversations are threads here

    @property
    def conversation(self) -> str:
        """The conversation id as in `Prompt`: "slack:T1:C2:1712.5"."""
        return ":".join(part for part in (self.platform, self.tenant, self.channel, self.thread) if part)

    @property
    def new_threads_key(self) -> str:
        """The key of choices for all threads that begin in this channel. No conversation has this id."""
        return f"{self.platform}:{self.tenant}:{self.channel}:*"


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file attached to a message, not yet downloaded."""

    name: str
    url: str
    media_type: str
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class UnreadPart:
    """A part of a message that cannot be read. `name` is its title or file name, if there is one."""

    kind: UnreadKind
    name: str = ""


@dataclass(frozen=True, slots=True)
class FoundParts:
    """Parts of the question that its event did not have. They are no longer `unread`, by which the event named them."""

    files: tuple[AttachedFile, ...] = ()
    quoted: tuple[Attachment, ...] = ()
    unread: tuple[UnreadPart, ...] = ()


@dataclass(frozen=True, slots=True)
class ThreadMessages:
    """The other messages of a thread that the bot has not answered yet, oldest first, and their files."""

    turns: tuple[Turn, ...] = ()
    files: tuple[AttachedFile, ...] = ()
    found: FoundParts = FoundParts()
    unread: tuple[UnreadPart, ...] = ()  # parts of these messages that cannot be read, as the turns tell the model
    masked: tuple[PersonalInformation, ...] = ()  # taken out of them

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "turns": [turn.to_json() for turn in self.turns]}

    @classmethod
    def from_json(cls, value: Any) -> ThreadMessages:
        """Parses the stored form. Version 0.1.0 stored the list of turns alone."""
        stored: Mapping[str, Any] = {"turns": value} if isinstance(value, list) else value
        found = stored.get("found", {})
        return cls(
            tuple(Turn(**turn) for turn in stored["turns"]),
            tuple(AttachedFile(**file) for file in stored.get("files", ())),
            FoundParts(
                tuple(AttachedFile(**file) for file in found.get("files", ())),
                tuple(Attachment.from_json(each) for each in found.get("quoted", ())),
                tuple(UnreadPart(**part) for part in found.get("unread", ())),
            ),
            tuple(UnreadPart(**part) for part in stored.get("unread", ())),
            parse_masked(stored),
        )


@dataclass(frozen=True, slots=True)
class BotCommand:
    """A command from a person, in place of a question."""

    name: CommandName
    # personality: its name; share: the answer; facts: the command as it is typed; regenerate: an answer's id, from a
    # button; "": the latest answer
    argument: str = ""


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """A person's message to the bot.

    `event` identifies the message over all deliveries and all events about it: "slack:T1:C2:1712.5". (Slack sends
    `message` and `app_mention` for one post.) The intake recognises repeats by it.
    """

    event: str
    place: Place
    message: str  # the platform's message id
    user: str  # the platform's user id
    text: str  # without the mention, with the platform's escapes undone
    language: Language | None = None  # the platform's setting; the language of the text takes precedence
    files: tuple[AttachedFile, ...] = ()
    quoted: tuple[Attachment, ...] = ()  # messages that it quotes or forwards, and what it embeds
    unread: tuple[UnreadPart, ...] = ()  # parts that cannot be read; people and the model learn of them
    groups: tuple[str, ...] = ()  # of the author, as access lists name them: role and group ids, and `AuthorGroup`
    heard_since: str | None = None  # the message id where the unread part of the thread begins, if known
    command: BotCommand | None = None  # from a slash command or button; typed commands are found in the text
    toil: bool = False  # from the command for JSON answers: a schema is expected
    masked: tuple[PersonalInformation, ...] = ()  # taken out of it before it was stored

    @property
    def speaker(self) -> str:
        """The person's key for fairness, limits and privacy: one per person and workspace."""
        return f"{self.place.platform}:{self.place.tenant}:{self.user}"

    @property
    def names(self) -> frozenset[str]:
        """The author as access lists of personalities and collections know them, by the rules of `AccessLists`."""
        place, ids = self.place, {self.user, *self.groups}
        if "bots" in ids:
            ids = {self.user}
        elif "external" in ids:
            ids -= {"home"}
        else:
            ids |= {place.tenant, place.channel}
        return build_names(place.platform, ids)

    @property
    def is_thread_root(self) -> bool:
        """True if no earlier message exists in its conversation: a thread's first message, or one outside threads."""
        place = self.place
        return (place.threaded and place.kind != "personal") or (
            place.thread is not None and place.thread == self.message
        )

    def build_prompt(
        self, personality: str, attachments: tuple[Attachment, ...], thread_messages: tuple[Turn, ...]
    ) -> Prompt:
        return Prompt(
            personality,
            self.text,
            conversation=self.place.conversation,
            user=self.speaker,
            language=self.language,
            attachments=(*self.quoted, *attachments),
            thread_messages=thread_messages,
            key=self.event,
            channel=self.place.platform,
            names=self.names,
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(replace(self, place=replace(self.place, route=dict(self.place.route))))

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> IncomingMessage:
        return cls(
            **{
                **value,
                "place": Place(**value["place"]),
                "files": tuple(AttachedFile(**each) for each in value["files"]),
                "quoted": tuple(Attachment.from_json(each) for each in value["quoted"]),
                "unread": tuple(UnreadPart(**each) for each in value.get("unread", ())),
                "groups": tuple(value.get("groups", ())),
                "command": BotCommand(**value["command"]) if value["command"] else None,
                "masked": parse_masked(value),
            }
        )


def parse_masked(stored: Mapping[str, Any]) -> tuple[PersonalInformation, ...]:
    """Messages of older versions have none."""
    return tuple(
        PersonalInformation(each["kind"], each["count"], tuple((name, title) for name, title in each["titles"]))
        for each in stored.get("masked", ())
    )


class Platform(Protocol):
    """One chat platform. Methods raise `bindings.delivery.outlet.DeliveryError`."""

    name: str  # "slack"

    def outlet(self, incoming: IncomingMessage) -> Outlet:
        """Returns the outlet for the answer, without waiting. May start a typing indicator there."""
        ...

    async def thread_messages(self, incoming: IncomingMessage) -> ThreadMessages:
        """Other people's messages in the thread since the bot's last one; empty if not available."""
        ...

    async def fetch(self, file: AttachedFile, limit_bytes: int) -> bytes:
        """Downloads a file with the bot's credentials. Raises Refused if it is too large or not the platform's."""
        ...

    async def forget(self, place: Place) -> None:
        """Deletes data of a conversation that is kept outside the database. Raises StorageError."""
        ...

    async def purge(self) -> None:
        """Deletes old data that is kept outside the database. Raises StorageError."""
        ...
