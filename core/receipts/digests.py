"""SHA-256 digests of what an answer was made from. Pure.

They tell whether two things are the same, and nothing else: no text can be read back from them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from core.configuration.personalities import Personality
from core.conversation.draft import PromptDraft
from core.openai.chat_protocol import Message
from core.rag.rendering import NumberedDocument, PromptStyle, document_text
from core.rag.retrieved import RetrievedDocument
from core.receipts.receipt import DocumentReceipt

# What people see of a personality before they ask. It changes no answer.
SHOWN_FIELDS = {"name", "title", "position", "description", "greeting", "suggestions", "allow"}


def digest_personality(personality: Personality) -> str:
    """The version of a personality: the digest of all that its answers depend on, with its facts as the model sees."""
    content = personality.model_dump(mode="json", exclude=SHOWN_FIELDS)
    return digest_json({**content, "instructions": personality.instructions})


def digest_prompt(receipt: str, messages: Sequence[Message]) -> str:
    """`receipt`: the id, so that equal short questions of two people have different digests."""
    return digest_json([receipt, *([each.role, each.content] for each in messages)])


def digest_documents(draft: PromptDraft, passages: int, given: frozenset[str]) -> tuple[DocumentReceipt, ...]:
    """The documents that the prompt shows. `given`: the names and addresses of those that people gave."""
    return tuple(digest_document(each, draft.style, given) for each in draft.documents(passages))


def digest_document(numbered: NumberedDocument, style: PromptStyle, given: frozenset[str]) -> DocumentReceipt:
    document = numbered.document
    is_given = document.source is None or bool(given & {document.name, document.url or document.name})
    return DocumentReceipt(
        numbered.number,
        "given" if is_given else "looked_up",
        hashlib.sha256(document_text(document, style).encode("utf-8", "surrogatepass")).hexdigest(),
        document.source.fetched_at if document.source else None,
        None if is_given else stored_address(document),
    )


def stored_address(document: RetrievedDocument) -> str | None:
    """The address of a document that the service looked up. A search has the person's words in its query."""
    if document.url is None or document.collection:
        return document.url
    return document.url.partition("#")[0].partition("?")[0]


def digest_stop(stop: Sequence[str]) -> tuple[str, ...]:
    """The stop strings of a program's request, which may hold words of a person."""
    return tuple(f"sha256:{hashlib.sha256(each.encode('utf-8', 'surrogatepass')).hexdigest()}" for each in stop)


def digest_json(value: object) -> str:
    content = json.dumps(value, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(content.encode()).hexdigest()
