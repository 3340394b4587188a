"""Quotes documents for the model, and parses the context that people paste. Pure. Knows no session and no model."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from core.contract import Attachment, Language, Omission
from core.runtime.log import is_displayable
from core.texts import describe_omissions, text

CONTEXT_START = "|CONTEXT|"
CONTEXT_END = "|/CONTEXT|"
LEADING_URL = re.compile(r"<?(https?://[^\s<>|]{1,2000})>?(?=\s|$)", re.IGNORECASE)
CITATION_NUMBER = re.compile(r"\[(\d+)\]")  # a page's title must not claim a number
NAME_LIMIT_CHARS = 100
SEAL_SECRET = secrets.token_bytes(16)  # one per process, so that a text keeps its seal and stays in the prefix cache
SEAL_BYTES = 4


@dataclass(frozen=True, slots=True)
class LeadContext:
    """The start of a session: pasted context, or the URL of a page or feed, or neither."""

    context: str | None  # "" if the markers are empty
    question: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class QuotedDocument:
    """A document's text, and what stands at the head and the end of its quotation."""

    number: int  # by which the answer cites it
    name: str
    text: str
    fetched_at: datetime | None = None  # in the zone in which it is shown
    omissions: tuple[Omission, ...] = ()


def parse_lead_context(text: str) -> LeadContext:
    """Parses `|CONTEXT|context|/CONTEXT| question` or `https://… question`, the two forms that start a session.

    Blanks around the parts are removed. Any other text is the question, unchanged: a marker or URL later in it, or an
    unclosed marker. The last closing marker counts, because pasted text may contain others. A URL alone leaves the
    question empty; punctuation right after the URL belongs to neither.
    """
    stripped = text.lstrip()
    if url := LEADING_URL.match(stripped):
        address = url[1] if url[0].startswith("<") else url[1].rstrip(",;:.!?")
        return LeadContext(None, stripped[url.end() :].strip(), address)
    context, closing, question = stripped.removeprefix(CONTEXT_START).rpartition(CONTEXT_END)
    if not stripped.startswith(CONTEXT_START) or not closing:
        return LeadContext(None, text)
    return LeadContext(context.strip(), question.strip())


def quote_attachments(attachments: Iterable[Attachment], language: Language) -> str:
    """Quotes whole attachments as `quote_documents` does, for an answer in JSON."""
    quoted = [QuotedDocument(at, each.name, each.text, None, each.omissions) for at, each in enumerate(attachments, 1)]
    return quote_documents(quoted, language, cites=False, prose=False)


def quote_documents(
    documents: Iterable[QuotedDocument], language: Language, *, cites: bool = True, prose: bool = True
) -> str:
    """Quotes the documents as one block, introduced and followed by rules about them; returns "" for none.

    `cites` and `prose`: as in `core.rag.rendering.PromptStyle`.

    The rules after the text are on one line in brackets, because weak models repeat what looks like a text of its own
    (benchmarks/grounding.py). They say again that the text is data: it comes from strangers, and must not come last.
    """
    blocks = [quote_document(document, language) for document in documents]
    if not blocks:
        return ""
    rules = ["prompt-cite"] * cites + ["prompt-data-reminder"] + ["prompt-data-unanswered"] * prose
    after = " ".join(text(rule, language) for rule in rules)
    return "\n\n".join([text("prompt-data-rule", language), *blocks, f"({after})"])


def missing_note(names: Iterable[str], language: Language) -> str:
    """Tells the model which documents could not be read, so that it does not invent them; "" for none."""
    quoted = [f"«{plain_name(name)}»" for name in names]
    return f"({text('prompt-unread', language, count=len(quoted), names=', '.join(quoted))})" if quoted else ""


def quote_document(document: QuotedDocument, language: Language) -> str:
    # The keyed hash of the text: no document can contain its own end line, nor the start line of another.
    seal = hashlib.blake2b(
        document.text.encode("utf-8", "replace"), key=SEAL_SECRET, digest_size=SEAL_BYTES
    ).hexdigest()
    name = plain_name(CITATION_NUMBER.sub(r"(\1)", document.name))
    title = f"«[{document.number}] {name}» {seal}"
    start, end = (text(key, language, title=title) for key in ("prompt-document", "prompt-document-end"))
    lines = [f"--- {start} ---", document.text, f"--- {end} ---"]
    if document.omissions:
        lines.insert(2, note_omissions(document.omissions, language))
    if document.fetched_at:
        lines.insert(1, f"({text('prompt-document-fetched', language, moment=document.fetched_at)})")
    return "\n".join(lines)


def note_omissions(omissions: Iterable[Omission], language: Language) -> str:
    """Tells the model what it does not see of a document."""
    return f"({text('prompt-document-partly', language, read=describe_omissions(omissions, language))})"


def plain_name(name: str) -> str:
    """Returns a file's name on one line, without the signs that delimit it."""
    printable = "".join(char for char in name if is_displayable(char) and char not in "«»")
    return " ".join(printable.split())[:NAME_LIMIT_CHARS]
