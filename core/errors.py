"""The error family. Raised where something is known to be wrong; turned into words only at the edge.

    CspsError
    ├── ConfigError              a file or variable of the operator is wrong: where, what, and what to do
    ├── BadRequest        400    the caller's input is wrong
    │   ├── ParameterRefused     one named part of it is
    │   ├── PromptTooLong 413    personality and question alone exceed the context window
    │   ├── SchemaRefused 422    a JSON Schema that is none, or that cannot be held
    │   ├── NotAnEmbedder        embeddings were asked of a chat model
    │   ├── UnreadableDocument   a page, feed or file that no text can be read from
    │   └── FetchRefused         a URL, or where it leads, that this service does not open
    ├── NotFound          404    no such personality, session, model
    │   ├── PersonalityUnknown
    │   └── SessionUnknown
    ├── Overloaded        503    come back later (retry_after_s)
    │   └── Stopping             the process is being stopped
    ├── ModelError        502    the engine behind us failed
    │   ├── ModelUnavailable 503 it cannot be reached, also after waiting
    │   ├── ModelTooSlow  504    it took the request, and began no answer in time
    │   └── ModelRefused  502    it answered with an error of its own
    ├── FetchFailed       502    a site did not answer, or not with what is read here
    ├── BudgetExhausted   422    the token budget ended before the JSON was whole
    │   └── OnlyThought          or before anything but the model's thinking was written
    ├── NonConforming     422    the model's JSON failed the check, however often it was asked
    └── StorageError      503    the database refused (disk full, locked)

Each class carries a stable `code` for programs and an HTTP `status`; an instance's message is one English sentence for
a developer. `core.texts.events` chooses what a person reads, by `code`, `reason` and language.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar, Literal

# Reasons: what is known beyond the class. Each has a text in `config/locale/`.
# Of a request: what about it is wrong.
Fault = Literal["empty", "frame", "attachments", "resume"]
# Of a document: why it cannot be read, as far as a person can do something about it.
Obstacle = Literal["locked", "pictures", "kind", "damaged", "large", "empty"]
# Of an address: why nothing was fetched from it.
Unfetched = Literal[
    "form",  # the address is none that is opened: not HTTP, malformed, with a password, on another port
    "private",  # it is, or leads, inside
    "robots",  # the site's robots.txt forbids it
    "unknown",  # the DNS knows no such site
    "offline",  # the DNS cannot be asked
    "silent",  # nobody answers, or not in time
    "broken",  # what answers breaks off, speaks no HTTP, shows no certificate that can be trusted
    "missing",  # 404, 410
    "login",  # 401, 403, 407
    "busy",  # 429, 503
    "status",  # another status
    "picture",
    "recording",  # sound or video
    "kind",  # another kind of content that is not read
    "large",
]


class CspsError(Exception):
    """Base of everything that this project raises on purpose."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_s = retry_after_s


class ConfigError(CspsError):
    code = "config"


class BadRequest(CspsError):
    """`fault`: what is wrong with it, where people have a text on it (`error-bad_request-*`)."""

    code = "bad_request"
    status = 400

    def __init__(self, message: str, fault: Fault | None = None, *, retry_after_s: float | None = None) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.fault = fault


class ParameterRefused(BadRequest):
    """`param` names what in the request is wrong."""

    def __init__(self, message: str, param: str | None = None, fault: Fault | None = None) -> None:
        super().__init__(message, fault)
        self.param = param


class PromptTooLong(BadRequest):
    """`tokens` is what the prompt takes, `limit` what there is room for."""

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


class UnreadableDocument(BadRequest):
    """The message says what it was and why; `core.rag.reading.formats.READ` names the formats that are read.

    `reason`: what is in the way, where people have a text on it (`error-unreadable-*`).
    """

    code = "unreadable"

    def __init__(self, message: str, reason: Obstacle | None = None) -> None:
        super().__init__(message)
        self.reason = reason


class FetchRefused(BadRequest):
    """`reason`: why the address is not opened, where it is known (`error-fetch-*`)."""

    code = "fetch_refused"

    def __init__(self, message: str, reason: Unfetched | None = None) -> None:
        super().__init__(message)
        self.reason = reason


class NotFound(CspsError):
    code = "not_found"
    status = 404


class PersonalityUnknown(NotFound):
    code = "personality_unknown"


class SessionUnknown(NotFound):
    code = "session_unknown"


class Overloaded(CspsError):
    code = "overloaded"
    status = 503


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
    code = "model_refused"


class FetchFailed(CspsError):
    """`reason`: what went wrong, where it is known (`error-fetch-*`)."""

    code = "fetch_failed"
    status = 502

    def __init__(self, message: str, reason: Unfetched | None = None) -> None:
        super().__init__(message)
        self.reason = reason


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


def closest_name(name: str, known: Iterable[str]) -> str | None:
    """Returns the known name most like `name`, for a "did you mean" hint; None if no name is alike."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1)), None)
