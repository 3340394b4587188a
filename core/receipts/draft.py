"""Collects the facts of a receipt while its answer is written. Knows no database and no model."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from typing import Protocol

import sqlalchemy as sa

from core.configuration.personalities import Personality
from core.contract import Ending, Prompt, Usage
from core.conversation.answer_facts import AnswerFacts
from core.conversation.composition import PromptContext
from core.receipts.digests import digest_documents, digest_personality, digest_prompt, digest_stop
from core.receipts.receipt import AnsweringModel, DocumentReceipt, Receipt, ReceiptKind


class ReceiptWriter(Protocol):
    def insert(self, db: sa.Connection, receipt: Receipt, conversation: int) -> None: ...


class ReceiptDraft:
    """One per answer. Implements `core.conversation.sessions.AnswerRecord`. `clock` returns seconds since 1970."""

    def __init__(
        self,
        store: ReceiptWriter,
        prompt: Prompt,
        personality: Personality,
        kind: ReceiptKind = "answer",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.id = prompt.receipt
        self._store = store
        self._prompt = prompt
        self._personality = personality
        self._kind = kind
        self._clock = clock
        self._asked_at = clock()
        self._first_text_at: float | None = None
        self._facts: AnswerFacts | None = None
        self._given: frozenset[str] = frozenset()
        self._usage: Usage | None = None

    def note_text(self) -> None:
        """Notes the time of the first text; later ones change nothing."""
        self._first_text_at = self._first_text_at or self._clock()

    def note_facts(self, facts: AnswerFacts, context: PromptContext) -> None:
        """Replaces what was noted before: an answer may be begun again."""
        self._facts = facts
        self._given = given_names(context)

    def note_usage(self, usage: Usage) -> None:
        self._usage = usage

    def write(self, db: sa.Connection, conversation: int, reason: Ending) -> None:
        """Stores the receipt with its exchange, in one transaction."""
        self._store.insert(db, self.finish(reason, is_stored=True), conversation)

    def finish(self, reason: Ending, *, is_stored: bool) -> Receipt:
        """`is_stored`: the database has the conversation, so that the prompt can be made again."""
        receipt = Receipt(
            self.id,
            self._kind,
            self._prompt.channel,
            self._personality.name,
            digest_personality(self._personality),
            program_version(),
            self._asked_at,
            self._first_text_at,
            self._clock(),
            reason,
            usage=self._usage,
        )
        facts = self._facts
        if facts is None:
            return receipt
        fitted = facts.fitted
        return replace(
            receipt,
            model=describe_model(facts),
            # Only /v1 takes stop strings, and stores no conversation: nothing is made again with them.
            sampling=replace(fitted.sampling, stop=digest_stop(fitted.sampling.stop)),
            documents=self._documents(facts),
            prompt_sha256=digest_prompt(self.id, fitted.messages) if is_stored else None,
            dropped_exchanges=fitted.dropped + fitted.draft.earlier,
            restarts=facts.restarts,
        )

    def _documents(self, facts: AnswerFacts) -> tuple[DocumentReceipt, ...]:
        return digest_documents(facts.fitted.draft, facts.fitted.passages, self._given)


def given_names(context: PromptContext) -> frozenset[str]:
    """The names and addresses of the documents that people gave: files, pasted texts, pages that they named."""
    conversation = context.conversation
    questions = (context.question, *(each.question for each in conversation.exchanges))
    files = (file.name for each in questions for file in each.attachments)
    pages = (name for each in conversation.lead_documents for name in (each.name, each.url))
    return frozenset(filter(None, (*files, *pages)))


def describe_model(facts: AnswerFacts) -> AnsweringModel:
    model = facts.model
    return AnsweringModel(model.name, model.title, model.file, facts.engine, facts.fingerprint)


@cache
def program_version() -> str:
    return version("csps-llm")
