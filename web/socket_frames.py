"""The two dialects of /gpt-socket, as pure functions between frames and values. docs/protocols.md specifies them.

Knows no socket, no engine and no order: `web.sockets` decides which frame follows which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from core import strict_json
from core.contract import (
    Attachment,
    Json,
    Language,
    Omission,
    OmissionKind,
    PersonalInformation,
    Source,
    Status,
    Text,
    TranscriptTurn,
    Usage,
)
from core.errors import BadRequest, ParameterRefused, RequestFault
from core.request_validation import to_parameter_refused
from web.masked import encode_found

SUBPROTOCOL = "csps-llm.v1"
ATTACHMENTS_LIMIT = 16
OMISSIONS_LIMIT = 16
PLACES_LIMIT_CHARS = 200
END_MARKER = "<END>"
ERROR_MARKER = "<ERROR>"

# ---------------------------------------------------------------- from the client


@dataclass(frozen=True, slots=True)
class PromptCommand:
    text: str
    language: Language | None = None
    attachments: tuple[Attachment, ...] = ()
    revises: bool = False
    revised: int | None = None
    goes_on: bool = False  # also when the connection ends
    keeps_attachments: bool = False


@dataclass(frozen=True, slots=True)
class StopCommand:
    pass


@dataclass(frozen=True, slots=True)
class ResumeCommand:
    session: str


@dataclass(frozen=True, slots=True)
class ForgetCommand:
    pass


Command = PromptCommand | StopCommand | ResumeCommand | ForgetCommand

# ---------------------------------------------------------------- to the client


@dataclass(frozen=True, slots=True)
class SessionOpened:
    session: str
    personality: str
    model: str | None  # None while no model answers
    starter: bool | None
    turns: tuple[TranscriptTurn, ...] = ()
    answering: bool = False  # the answer to the last turn follows, from its beginning


@dataclass(frozen=True, slots=True)
class AnswerFinished:
    reason: Literal["stop", "length", "stopped"]
    model: str | None
    session: str
    usage: Usage | None
    exchange: int | None = None  # the number of the stored exchange
    receipt: str | None = None  # the id of the answer's receipt


@dataclass(frozen=True, slots=True)
class AnswerFailed:
    code: str
    message: str  # for a person
    retry_after_s: float | None = None
    detail: str | None = None  # in English, for the author of the client: the error in its frame


@dataclass(frozen=True, slots=True)
class InformationMasked:
    """Personal information was taken out of the prompt."""

    found: tuple[PersonalInformation, ...]
    question: str  # without it, as it is stored
    message: str  # for a person


@dataclass(frozen=True, slots=True)
class SessionForgotten:
    pass


ServerMessage = (
    SessionOpened | InformationMasked | Status | Source | Text | AnswerFinished | AnswerFailed | SessionForgotten
)


class Dialect(Protocol):
    sources_in_text: bool  # the dialect has no frame for a source

    def decode(self, frame: str) -> Command:
        """Raises BadRequest with the error in the frame."""

    def encode(self, message: ServerMessage) -> Sequence[str]:
        """The frames of a message, in order; none if the dialect cannot express it."""


class PlainDialect:
    """Text frames, `<END>` and `<ERROR> `: the protocol of the first version."""

    sources_in_text = True

    def decode(self, frame: str) -> Command:
        return PromptCommand(frame)

    def encode(self, message: ServerMessage) -> Sequence[str]:
        match message:
            case Text(text):
                return escape_markers(text)
            case InformationMasked():
                return [f"{message.message}\n\n"]
            case AnswerFinished():
                return [END_MARKER]
            case AnswerFailed():
                return [f"{ERROR_MARKER} {' '.join(message.message.split())}", END_MARKER]
            case _:
                return []


def escape_markers(text: str) -> list[str]:
    """Splits a text that reads as a marker of ours after its first character."""
    if text == END_MARKER or text.startswith(ERROR_MARKER):
        return [text[0], text[1:]]
    return [text] if text else []


class V1Dialect:
    """JSON objects with a `type`."""

    sources_in_text = False

    def decode(self, frame: str) -> Command:
        value = strict_json.parse(frame)
        if not isinstance(value, dict):
            raise BadRequest("a frame must be a JSON object with a `type`", "frame")
        try:
            return COMMAND_ADAPTER.validate_python(value).command()
        except ValidationError as exc:
            error = to_parameter_refused(exc)
            raise ParameterRefused(error.message, error.param, classify_fault(exc)) from exc

    def encode(self, message: ServerMessage) -> Sequence[str]:
        return [strict_json.dump(encode_message(message)).decode("utf-8")]


def classify_fault(exc: ValidationError) -> RequestFault:
    """ "attachments" if there are too many, which a person can change; "frame" for any other client error."""
    first = exc.errors(include_url=False, include_input=False)[0]
    return "attachments" if first["type"] == "too_long" else "frame"


class ClientFrame(BaseModel):
    """Ignores unknown fields, so that a newer client can talk to an older service."""

    model_config = ConfigDict(strict=True, extra="ignore")


class OmissionFrame(ClientFrame):
    kind: OmissionKind
    read: int = Field(default=0, ge=0)
    total: int = Field(default=0, ge=0)
    places: str = Field(default="", max_length=PLACES_LIMIT_CHARS)

    def omission(self) -> Omission:
        return Omission(self.kind, self.read, self.total, self.places)


class AttachmentFrame(ClientFrame):
    name: str
    text: str
    omissions: list[OmissionFrame] = Field(default_factory=list, max_length=OMISSIONS_LIMIT)  # as in /read's response

    def attachment(self) -> Attachment:
        return Attachment(self.name, self.text, tuple(each.omission() for each in self.omissions))


class PromptFrame(ClientFrame):
    type: Literal["prompt"]
    text: str
    language: Language | None = None
    attachments: list[AttachmentFrame] = Field(default_factory=list, max_length=ATTACHMENTS_LIMIT)
    revises: bool | Annotated[int, Field(ge=1)] = False  # a number: that of the exchange
    goes_on: bool = False
    keeps_attachments: bool = False

    def command(self) -> Command:
        attachments = tuple(each.attachment() for each in self.attachments)
        return PromptCommand(
            self.text,
            self.language,
            attachments,
            revises=self.revises is not False,
            revised=None if isinstance(self.revises, bool) else self.revises,
            goes_on=self.goes_on,
            keeps_attachments=self.keeps_attachments,
        )


class StopFrame(ClientFrame):
    type: Literal["stop"]

    def command(self) -> Command:
        return StopCommand()


class ResumeFrame(ClientFrame):
    type: Literal["resume"]
    session: str

    def command(self) -> Command:
        return ResumeCommand(self.session)


class ForgetFrame(ClientFrame):
    type: Literal["forget"]

    def command(self) -> Command:
        return ForgetCommand()


COMMAND_ADAPTER: TypeAdapter[PromptFrame | StopFrame | ResumeFrame | ForgetFrame] = TypeAdapter(
    Annotated[PromptFrame | StopFrame | ResumeFrame | ForgetFrame, Field(discriminator="type")]
)


def encode_message(message: ServerMessage) -> dict[str, Json]:
    match message:
        case SessionOpened():
            turns: list[Json] = [encode_turn(turn) for turn in message.turns]
            return {"type": "session", **asdict(message), "turns": turns}
        case InformationMasked():
            kinds = encode_found(message.found)
            return {"type": "masked", "kinds": kinds, "question": message.question, "message": message.message}
        case Status():
            return {"type": "status", **without_none(message)}
        case Source():
            return {"type": "source", **encode_source(message)}
        case Text(text):
            return {"type": "text", "text": text}
        case AnswerFinished():
            return {"type": "done", **asdict(message)}
        case AnswerFailed():
            fields = {"code": message.code, "message": message.message, "retry_after_s": message.retry_after_s}
            return {"type": "error", **fields, **({"detail": message.detail} if message.detail else {})}
        case SessionForgotten():
            return {"type": "forgotten"}


def encode_turn(turn: TranscriptTurn) -> dict[str, Json]:
    optional: dict[str, Json] = {
        "attachments": list(turn.attachments),
        "sources": [encode_source(source) for source in turn.sources],
        "reason": turn.reason,
        "exchange": turn.exchange,
        "at": turn.at.isoformat() if turn.at else None,
        "model": turn.model,
        "receipt": turn.receipt,
        "rating": turn.rating,
    }
    return {"role": turn.role, "text": turn.text, **{key: value for key, value in optional.items() if value}}


def encode_source(source: Source) -> dict[str, Json]:
    fetched_at = {"fetched_at": source.fetched_at.isoformat()} if source.fetched_at else {}
    return {**without_none(source), **fetched_at}


def without_none(message: Status | Source) -> dict[str, Json]:
    return {key: value for key, value in asdict(message).items() if value is not None}
