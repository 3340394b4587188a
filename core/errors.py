"""The exceptions of this project. Only the edge turns them into texts for people.

    CspsError
    ├── ConfigError              a file or variable of the operator is wrong: where, what, and what to do
    ├── BadRequest        400    the caller's input is wrong
    │   ├── ParameterRefused     one parameter is wrong; the error names it
    │   ├── PromptTooLong 413    personality and question alone exceed the context window
    │   ├── SchemaRefused 422    an invalid JSON Schema, or one that cannot be enforced
    │   ├── NotAnEmbedder        a request for embeddings to a chat model
    │   ├── PersonalInformationRefused  it has personal information that the operator's policy blocks
    │   ├── UnreadableDocument   a page, feed or file without extractable text
    │   └── FetchRefused         a URL that this service does not open, or that leads to one
    ├── NotFound          404    no such personality, session or model
    │   ├── PersonalityUnknown
    │   └── SessionUnknown
    ├── AccessRefused     403    an allow list does not name the caller
    ├── KeyRefused        401    a request without the API key that it needs, or with an invalid one
    ├── ScopeRefused      403    the API key is for other paths
    ├── LimitReached      429    a key or a person used up their requests or tokens (retry_after_s)
    ├── NotAnEditor       403    the person may not change collections of facts
    ├── Overloaded        503    try again later (retry_after_s)
    │   ├── AnswerLost           the process that wrote the answer died
    │   └── Stopping             the process is being stopped
    ├── ModelError        502    the model's engine failed
    │   ├── ModelUnavailable 503 the engine cannot be reached, also after waiting
    │   ├── ModelTooSlow  504    the engine took the request and began no answer in time
    │   └── ModelRefused  502    the engine answered with an error
    │       └── EngineFailed     the engine failed: a status of 500 or more, or an answer against its protocol
    ├── FetchFailed       502    a site did not answer, or sent an unsupported format
    ├── BudgetExhausted   422    the token budget ended before the JSON was complete
    │   └── OnlyThought          the token budget ended while the model was thinking
    ├── NonConforming     422    the model's JSON failed the check in every attempt
    └── StorageError      503    the database refused (disk full, locked)
        ├── StorageAway          PostgreSQL cannot be reached, or is being restarted
        └── LeaseLost            other processes may do this process's work now

Each class carries a stable `code` for programs and an HTTP `status`; an instance's message is one English sentence for
a developer. `core.texts.events` chooses what a person reads, by `code`, `reason` and language.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar, Literal

from core.contract import PersonalInformation

# Reasons that are more precise than the class. Each has a text in `config/locale/`.
RequestFault = Literal["empty", "frame", "attachments", "resume"]
DocumentFault = Literal[
    "locked",
    "encrypted",  # for its recipients: a message, or a protected Office file
    "pictures",  # scanned pages
    "unmapped",  # a PDF whose fonts do not tell their letters
    "xfa",  # a form that only Adobe Acrobat shows
    "kind",  # another unsupported format
    "damaged",
    "large",
    "empty",
    "old_word",
    "old_slides",
    "old_workbook",
    "convert",  # its own program can save it as PDF
    "database",
    "archive",
    "picture",
    "recording",  # sound or video
]
FetchFault = Literal[
    "form",  # the URL is malformed or not HTTP, contains a password, or names another port
    "private",  # the URL is inside the network, or leads there
    "robots",  # the site's robots.txt forbids it
    "unknown",  # the DNS has no such name
    "offline",  # the DNS does not answer
    "silent",  # the site does not answer in time
    "broken",  # the connection breaks, is not HTTP, or has no trusted certificate
    "missing",  # 404, 410
    "login",  # 401, 403, 407
    "busy",  # 429, 503
    "status",  # another status
    "picture",
    "recording",  # sound or video
    "kind",  # another unsupported media type
    "large",
]


class CspsError(Exception):
    """The base of all exceptions that this project raises on purpose."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_s = retry_after_s


class ConfigError(CspsError):
    code = "config"


class BadRequest(CspsError):
    """`fault`: the fault, if people have a text about it (`error-bad_request-*`)."""

    code = "bad_request"
    status = 400

    def __init__(self, message: str, fault: RequestFault | None = None, *, retry_after_s: float | None = None) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.fault = fault


class ParameterRefused(BadRequest):
    """`param` names the wrong parameter."""

    def __init__(self, message: str, param: str | None = None, fault: RequestFault | None = None) -> None:
        super().__init__(message, fault)
        self.param = param


class PromptTooLong(BadRequest):
    """`tokens`: the size of the prompt. `limit`: the tokens that fit."""

    code = "prompt_too_long"
    status = 413

    def __init__(self, message: str, *, tokens: int | None = None, limit: int | None = None) -> None:
        super().__init__(message)
        self.tokens = tokens
        self.limit = limit


class SchemaRefused(BadRequest):
    code = "schema_refused"
    status = 422


class NotAnEmbedder(BadRequest):
    code = "not_an_embedder"


class PersonalInformationRefused(BadRequest):
    """`found`: the kinds and their numbers. Neither the message nor the error has what was found."""

    code = "personal_information"

    def __init__(self, found: tuple[PersonalInformation, ...]) -> None:
        kinds = ", ".join(f"{each.kind} ({each.count})" for each in found)
        super().__init__(
            f"the request has personal information that may not be sent here: {kinds}. Nothing of it was stored or "
            "sent to the model; remove it and send the request again"
        )
        self.found = found


class UnreadableDocument(BadRequest):
    """`reason`: the cause, if people have a text about it (`error-unreadable-*`). The message names the document."""

    code = "unreadable"

    def __init__(self, message: str, reason: DocumentFault | None = None) -> None:
        super().__init__(message)
        self.reason = reason


class FetchRefused(BadRequest):
    """`reason`: the cause, if it is known (`error-fetch-*`)."""

    code = "fetch_refused"

    def __init__(self, message: str, reason: FetchFault | None = None) -> None:
        super().__init__(message)
        self.reason = reason


class NotFound(CspsError):
    code = "not_found"
    status = 404


class PersonalityUnknown(NotFound):
    code = "personality_unknown"


class SessionUnknown(NotFound):
    code = "session_unknown"


class AccessRefused(CspsError):
    code = "access_refused"
    status = 403


class ExchangeOutdated(CspsError):
    """A prompt revises an exchange that is no longer the last one of its conversation."""

    code = "exchange_outdated"
    status = 409


class KeyRefused(CspsError):
    code = "key_refused"
    status = 401


class ScopeRefused(CspsError):
    code = "scope_refused"
    status = 403


class LimitReached(CspsError):
    code = "limit_reached"
    status = 429


class NotAnEditor(CspsError):
    code = "not_an_editor"
    status = 403


class Overloaded(CspsError):
    code = "overloaded"
    status = 503


class AnswerLost(Overloaded):
    code = "answer_lost"


class Stopping(Overloaded):
    code = "stopping"


class ModelError(CspsError):
    code = "model_failed"
    status = 502


class ModelUnavailable(ModelError):
    code = "model_unavailable"
    status = 503


class ModelTooSlow(ModelError):
    code = "model_too_slow"
    status = 504


class ModelRefused(ModelError):
    """`engine_status`: the HTTP status that the engine sent, if it sent one."""

    code = "model_refused"

    def __init__(self, message: str, engine_status: int | None = None) -> None:
        super().__init__(message)
        self.engine_status = engine_status


class EngineFailed(ModelRefused):
    code = ModelError.code  # nothing was refused


class FetchFailed(CspsError):
    """`reason`: the cause, if it is known (`error-fetch-*`). `site_status`: the HTTP status that the site sent."""

    code = "fetch_failed"
    status = 502

    def __init__(self, message: str, reason: FetchFault | None = None, site_status: int | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.site_status = site_status


class BudgetExhausted(CspsError):
    code = "budget_exhausted"
    status = 422


class OnlyThought(BudgetExhausted):
    code = "only_thought"


class NonConforming(CspsError):
    code = "non_conforming"
    status = 422


class StorageError(CspsError):
    code = "storage"
    status = 503


class StorageAway(StorageError):
    """What was being committed may be stored, or not."""


class LeaseLost(StorageError):
    pass


def closest_name(name: str, candidates: Iterable[str]) -> str | None:
    """Returns the known name most like `name`, for a "did you mean" hint; None if no name is alike."""
    return next(iter(difflib.get_close_matches(name, list(candidates), n=1)), None)
