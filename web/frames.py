"""The two dialects of /gpt-socket, as pure functions between frames and values. docs/protocols.md is the specification.

Knows no socket, no engine and no order of things: what follows what is `web.sockets`' business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from core import strict_json
from core.contract import Attachment, Json, Language, Source, Status, Text, TranscriptTurn, Usage
from core.errors import BadRequest, Fault, ParameterRefused
from core.request_validation import of_validation

SUBPROTOCOL = "csps-llm.v1"
ATTACHMENTS_LIMIT = 16
END = "<END>"
ERROR = "<ERROR>"

# ---------------------------------------------------------------- from the client


@dataclass(frozen=True, slots=True)
class Ask:
    text: str
    language: Language | None = None
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Stop:
    pass


@dataclass(frozen=True, slots=True)
class Resume:
    session: str


@dataclass(frozen=True, slots=True)
class Forget:
    pass


Command = Ask | Stop | Resume | Forget

# ---------------------------------------------------------------- to the client


@dataclass(frozen=True, slots=True)
class Opened:
    session: str
    personality: str
    model: str | None  # None: no model answers just now
    starter: bool | None
    turns: tuple[TranscriptTurn, ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    reason: Literal["stop", "length", "stopped"]
    model: str | None
    session: str
    usage: Usage | None


@dataclass(frozen=True, slots=True)
class Failed:
    code: str
    message: str  # for a person
    retry_after_s: float | None = None
    detail: str | None = None  # in English, for who writes the client: what is wrong with what it sent


@dataclass(frozen=True, slots=True)
class Forgotten:
    pass


Message = Opened | Status | Source | Text | Finished | Failed | Forgotten


class Dialect(Protocol):
    text_alone: bool  # it has no frame for a source

    def decode(self, frame: str) -> Command:
        """Raises BadRequest with what is wrong."""
        ...

    def encode(self, message: Message) -> Sequence[str]:
        """The frames that say it, in order; none where this dialect has no word for it."""
        ...


class Plain:
    """Text frames, `<END>` and `<ERROR> `: the contract of the first version."""

    text_alone = True

    def decode(self, frame: str) -> Command:
        return Ask(frame)

    def encode(self, message: Message) -> Sequence[str]:
        match message:
            case Text(text):
                return unforgeable(text)
            case Finished():
                return [END]
            case Failed():
                return [f"{ERROR} {' '.join(message.message.split())}", END]
            case _:
                return []


def unforgeable(text: str) -> list[str]:
    """A frame of the model's that would read as one of ours is cut after its first character."""
    if text == END or text.startswith(ERROR):
        return [text[0], text[1:]]
    return [text] if text else []


class V1:
    """JSON objects with a `type`."""

    text_alone = False

    def decode(self, frame: str) -> Command:
        value = strict_json.parse(frame)
        if not isinstance(value, dict):
            raise BadRequest("a frame must be a JSON object with a `type`", "frame")
        try:
            return COMMANDS.validate_python(value).command()
        except ValidationError as exc:
            refused = of_validation(exc)
            raise ParameterRefused(refused.message, refused.param, fault_of(exc)) from exc

    def encode(self, message: Message) -> Sequence[str]:
        return [strict_json.dump(as_json(message)).decode("utf-8")]


def fault_of(exc: ValidationError) -> Fault:
    """A person can attach too much; all else is the client's doing."""
    first = exc.errors(include_url=False, include_input=False)[0]
    return "attachments" if first["type"] == "too_long" else "frame"


class Frame(BaseModel):
    """Unknown fields are ignored, so that a newer client can talk to an older service."""

    model_config = ConfigDict(strict=True, extra="ignore")


class AttachmentFrame(Frame):
    name: str
    text: str
    cut: bool = False  # as /read says it

    @property
    def attachment(self) -> Attachment:
        return Attachment(self.name, self.text, self.cut)


class PromptFrame(Frame):
    type: Literal["prompt"]
    text: str
    language: Language | None = None
    attachments: list[AttachmentFrame] = Field(default_factory=list, max_length=ATTACHMENTS_LIMIT)

    def command(self) -> Command:
        return Ask(self.text, self.language, tuple(each.attachment for each in self.attachments))


class StopFrame(Frame):
    type: Literal["stop"]

    def command(self) -> Command:
        return Stop()


class ResumeFrame(Frame):
    type: Literal["resume"]
    session: str

    def command(self) -> Command:
        return Resume(self.session)


class ForgetFrame(Frame):
    type: Literal["forget"]

    def command(self) -> Command:
        return Forget()


COMMANDS: TypeAdapter[PromptFrame | StopFrame | ResumeFrame | ForgetFrame] = TypeAdapter(
    Annotated[PromptFrame | StopFrame | ResumeFrame | ForgetFrame, Field(discriminator="type")]
)


def as_json(message: Message) -> dict[str, Json]:
    match message:
        case Opened():
            turns: list[Json] = [turn_json(turn) for turn in message.turns]
            return {"type": "session", **asdict(message), "turns": turns}
        case Status():
            return {"type": "status", **known(message)}
        case Source():
            return {"type": "source", **source_json(message)}
        case Text(text):
            return {"type": "text", "text": text}
        case Finished():
            return {"type": "done", **asdict(message)}
        case Failed():
            said = {"code": message.code, "message": message.message, "retry_after_s": message.retry_after_s}
            return {"type": "error", **said, **({"detail": message.detail} if message.detail else {})}
        case Forgotten():
            return {"type": "forgotten"}


def turn_json(said: TranscriptTurn) -> dict[str, Json]:
    there: dict[str, Json] = {
        "attachments": list(said.attachments),
        "sources": [source_json(source) for source in said.sources],
        "reason": said.reason,
    }
    return {"role": said.role, "text": said.text, **{key: value for key, value in there.items() if value}}


def source_json(source: Source) -> dict[str, Json]:
    fetched_at = {"fetched_at": source.fetched_at.isoformat()} if source.fetched_at else {}
    return {**known(source), **fetched_at}


def known(message: Status | Source) -> dict[str, Json]:
    return {key: value for key, value in asdict(message).items() if value is not None}
