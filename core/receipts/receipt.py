"""The values of a receipt, and its stored form. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import TypeAdapter

from core.contract import Channel, Ending, Json, Sampling, Usage
from core.model.client import ListedFile

# OpenAI's objects have their kind in front of the id.
ID_PREFIXES = ("chatcmpl-", "resp_")
ReceiptKind = Literal["answer", "json"]


@dataclass(frozen=True, slots=True)
class AnsweringModel:
    """The model that wrote an answer. `engine`: host, port and path of a remote one; None: a local model.

    `fingerprint`: what a remote engine sends as `system_fingerprint`.
    """

    name: str
    title: str
    file: ListedFile | None = None
    engine: str | None = None
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentReceipt:
    """A document that the prompt showed. `sha256`: of the text that it showed, not of the original file.

    `url`: of a document that the service looked up by itself, without the query, which may be a person's words. An
    address that a person named is left out.
    """

    number: int
    kind: Literal["looked_up", "given"]
    sha256: str
    fetched_at: datetime | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The facts of one answer. Times are seconds since 1970.

    `sampling`: as the engine got it, with its seed, but stop strings as digests. `prompt_sha256`: of the messages that
    the model got; None for an answer whose conversation is not stored, which cannot be made again. `restarts`: how
    often the model died within it.
    """

    id: str
    kind: ReceiptKind
    channel: Channel
    personality: str
    personality_sha256: str
    program: str  # the version of csps-llm
    asked_at: float
    first_text_at: float | None
    done_at: float
    reason: Ending
    model: AnsweringModel | None = None  # None: no model was reached
    sampling: Sampling | None = None
    documents: tuple[DocumentReceipt, ...] = ()
    usage: Usage | None = None
    prompt_sha256: str | None = None
    dropped_exchanges: int = 0
    restarts: int = 0

    def to_json(self) -> dict[str, Json]:
        stored: dict[str, Json] = RECEIPT.dump_python(self, mode="json")
        return stored


RECEIPT = TypeAdapter(Receipt)


def parse_receipt(stored: str) -> Receipt:
    return RECEIPT.validate_json(stored)


def plain_id(shown: str) -> str:
    """The id of a receipt, from the id of an object of OpenAI's API or from itself."""
    for prefix in ID_PREFIXES:
        shown = shown.removeprefix(prefix)
    return shown.strip()


def describe_sampling(sampling: Sampling) -> dict[str, Any]:
    """The values that were set."""
    return {name: value for name, value in asdict(sampling).items() if value not in (None, ())}
