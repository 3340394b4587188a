"""Composes what the model sees: personality, context, earlier turns and question, as one list of messages.

Pure. Knows no tokens (`core.conversation.window` counts them) and no storage.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain

from core.configuration.personalities import Personality
from core.contract import Attachment, Language, Omission, Priority, Prompt, Sampling, Turn
from core.conversation.call_outputs import clean_calls, count_outputs, describe_calls, output_attachments
from core.conversation.draft import AnswerRequest, ExchangeMessages, PromptDraft, join_paragraphs
from core.conversation.exchanges import Conversation, Exchange, Question
from core.conversation.kept_documents import still_needed
from core.errors import BadRequest
from core.openai.chat_protocol import Message
from core.rag.budget import ContextItem, cacheable_text, share_budget, with_passages
from core.rag.candidates import CandidateQuery, Candidates, is_same
from core.rag.context import CONTEXT_START, missing_note, parse_lead_context, plain_name
from core.rag.overview import asks_for_overview, named_documents
from core.rag.passage_cache import PassageCache
from core.rag.rendering import PromptStyle
from core.rag.retrieval import PartlyRead
from core.rag.retrieved import RetrievedDocument
from core.runtime.digest import hash_id
from core.strict_json import storable
from core.texts import format_date, format_zone, text


@dataclass(frozen=True, slots=True)
class PromptContext:
    """A prompt with the personality and the conversation that the answer is based on."""

    personality: Personality
    conversation: Conversation
    question: Question
    sampling: Sampling
    user: str | None
    priority: Priority
    unread_url: str | None  # the page or feed that the first question names, until it is read
    has_documents: bool  # the conversation comes with pasted text, a page that was read, or attachments
    uses_public_sources: bool  # False if the question comes with an attachment, or a first one with a page or a text
    has_unclosed_lead: bool  # a first question that starts with |CONTEXT| and has no |/CONTEXT|


def build_context(prompt: Prompt, personality: Personality, conversation: Conversation | None = None) -> PromptContext:
    """The prompt in its conversation, or in its own history if there is none. Raises BadRequest if it is empty."""
    prompt = clean_prompt(prompt)
    conversation = conversation or from_history(prompt.history, personality.language)
    outputs = output_attachments(prompt.calls, personality.language)
    question = Question(prompt.text, (*prompt.attachments, *outputs), prompt.thread_messages, prompt.calls)
    conversation, question, url = split_lead(conversation, question, personality.language)
    if not question.text.strip():
        raise BadRequest("the prompt is empty: there is nothing to answer", "empty")
    attachments = [each.attachments for each in (question, *(exchange.question for exchange in conversation.exchanges))]
    is_first = not conversation.exchanges and not conversation.earlier
    has_lead = conversation.context is not None or url is not None
    return PromptContext(
        personality,
        conversation,
        question,
        prompt.sampling,
        prompt.user,
        prompt.priority,
        unread_url=url,
        has_documents=has_lead or bool(conversation.lead_documents) or any(attachments),
        uses_public_sources=not question.attachments and not (is_first and has_lead),
        has_unclosed_lead=is_first
        and conversation.context is None
        and question.text.lstrip().startswith(CONTEXT_START),
    )


def build_request(
    context: PromptContext,
    retrieved: Sequence[RetrievedDocument] = (),
    unread: Sequence[str] = (),
    passage_cache: PassageCache | None = None,
    now: datetime | None = None,
    *,
    prose: bool = True,
) -> AnswerRequest:
    """The request for an answer. `retrieved`, `unread`, `passage_cache`, `now`, `prose`: as in `compose`."""
    personality, conversation = context.personality, context.conversation
    question = context.question
    cites = prose and (bool(retrieved) or has_citable_documents(conversation, question))
    draft = compose(
        personality,
        conversation,
        question,
        retrieved,
        unread,
        passage_cache,
        now,
        cites=cites,
        prose=prose,
    )
    user = hash_id(context.user)[:32] if context.user else None  # the engine's fair queue only has to tell users apart
    sampling = personality.sampling.under(context.sampling)
    return AnswerRequest(
        draft,
        sampling,
        user,
        personality.model_id,
        cache_key=conversation.cache_key,
        priority=context.priority,
    )


def compose(
    personality: Personality,
    conversation: Conversation,
    question: Question,
    retrieved: Sequence[RetrievedDocument] = (),
    unread: Sequence[str] = (),
    passage_cache: PassageCache | None = None,
    now: datetime | None = None,
    *,
    cites: bool = True,
    prose: bool = True,
) -> PromptDraft:
    """The draft of the next answer in a conversation.

    `retrieved`: the documents looked up for this question. `unread`: the names of those that could not be read. `now`:
    the present moment in the people's time zone; None leaves out today's date. `cites`: the model is asked to cite the
    documents. `prose`: False for an answer in JSON. Indexes those documents that the `passage_cache` lacks, which takes
    about a second for a megabyte.
    """
    language, passage_cache = personality.language, passage_cache or PassageCache()
    style = PromptStyle(language, (now and now.tzinfo) or UTC, cites, prose)
    items = collect_documents(conversation, question, retrieved, language)
    cached = [[passage_cache.get(cacheable_text(item)) for item in each] for each in items]
    lead, later = ([*map(with_passages, *pair)] for pair in zip(items, cached, strict=True))
    # Keyed by the documents' own passages: the cached ones have the same text, but may have other links.
    each = zip(chain(lead, later), chain.from_iterable(cached), strict=True)
    indexes = {document.passages: entry.index for document, entry in each}
    kept = still_needed(conversation, question.text)
    days = PromptDays(conversation, now, language)
    of_lead = tuple(each for each in kept if any(is_same(document, each.document) for document in lead))
    return PromptDraft(
        system=personality.instructions,
        exchanges=tuple(
            build_exchange_messages(exchange, language, days.sentence(exchange.asked_at))
            for exchange in conversation.exchanges
        ),
        question=join_paragraphs(
            [
                days.current,
                missing_note(unread, language) if unread else "",
                describe_calls(question.calls, language),
                question_text(question, language),
            ]
        ),
        lead_context=tuple(lead),
        kept=of_lead,
        candidates=Candidates(
            later,
            build_query(conversation, question, [document.name for document in (*lead, *later)]),
            style,
            lambda passages: indexes.get(passages) or passage_cache.get(passages).index,
            [each for each in kept if each not in of_lead],
            first_number=1 + len(lead),
        ),
        earlier=conversation.earlier,
        style=style,
        today=days.first,
    )


def build_query(conversation: Conversation, question: Question, names: Sequence[str]) -> CandidateQuery:
    """The question as passages are ranked by it. `names`: of all documents."""
    return CandidateQuery(
        question.text,
        asks_for_overview(question.text, names),
        conversation.exchanges[-1].question.text if conversation.exchanges else "",
        overview_subjects(conversation, question, names),
    )


def overview_subjects(conversation: Conversation, question: Question, names: Sequence[str]) -> tuple[str, ...]:
    """The documents that a question about a whole text means: those it names, else those that came with it, else all
    files and pages of the conversation, before what was looked up. `names`: of all documents.
    """
    return named_documents(question.text, names) or tuple(
        each.name for each in question.attachments or conversation_documents(conversation)
    )


def conversation_documents(conversation: Conversation) -> tuple[ContextItem, ...]:
    """The documents that came with earlier questions."""
    files = chain.from_iterable(each.question.attachments for each in conversation.exchanges)
    return (*conversation.lead_documents, *files)


def has_citable_documents(conversation: Conversation, question: Question) -> bool:
    """True if there is another document than the outputs of calls, which people cannot open."""
    questions = (question, *(exchange.question for exchange in conversation.exchanges))
    return (
        conversation.context is not None
        or bool(conversation.lead_documents)
        or any(len(each.attachments) > count_outputs(each.calls) for each in questions)
    )


class PromptDays:
    """The sentences that tell the model the date. A question that was asked on a later day than the first has its own.

    So the prompt of the next day begins with yesterday's prompt, which the engine may still have computed.
    """

    def __init__(self, conversation: Conversation, now: datetime | None, language: Language) -> None:
        self._now = now
        self._language = language
        began_at = conversation.exchanges[0].asked_at if conversation.exchanges else None
        self._began = now if now is None or began_at is None else datetime.fromtimestamp(began_at, now.tzinfo)
        self._is_dated = began_at is not None

    @property
    def first(self) -> str:
        """The sentence at the start of the prompt."""
        return describe_today(self._began, self._language) if self._began else ""

    @property
    def current(self) -> str:
        """The sentence before the current question; empty on the first day."""
        return self.sentence(self._now.timestamp()) if self._now else ""

    def sentence(self, asked_at: float | None) -> str:
        if not self._is_dated or self._began is None or asked_at is None:
            return ""
        asked = datetime.fromtimestamp(asked_at, self._began.tzinfo)
        return "" if asked.date() == self._began.date() else describe_today(asked, self._language)


def describe_today(now: datetime, language: Language) -> str:
    """The sentence that tells the model the date. It has no time of day, so that it stays the same all day."""
    day = format_date(now.date(), language, weekday=True)
    return text("prompt-today", language, day=day, zone=format_zone(now.tzinfo or UTC, language))


def collect_documents(
    conversation: Conversation, question: Question, retrieved: Sequence[RetrievedDocument], language: Language
) -> tuple[list[ContextItem], list[ContextItem]]:
    """The documents of the lead context, and later ones, the most important first; cut to the limit."""
    lead_attachments, later = split_attachments(conversation, question)
    pasted = (Attachment(text("prompt-pasted-name", language), conversation.context),) if conversation.context else ()
    lead: tuple[ContextItem, ...] = (*pasted, *conversation.lead_documents, *lead_attachments)
    rest: tuple[ContextItem, ...] = (*retrieved, *later)
    return share_budget(lead, rest) if lead or rest else ([], [])


def split_attachments(
    conversation: Conversation, question: Question
) -> tuple[tuple[Attachment, ...], tuple[Attachment, ...]]:
    """The attachments of the first question, which belong to the lead context, and later ones, the newest first."""
    questions = [*(exchange.question for exchange in conversation.exchanges), question]
    first = () if conversation.earlier else questions.pop(0).attachments
    return first, tuple(file for each in reversed(questions) for file in each.attachments)


def partly_shown(draft: PromptDraft, passages: int, context: PromptContext) -> tuple[PartlyRead, ...]:
    """The documents of which the prompt shows less than was read of them.

    Only those that came with this question, unless it asks about a whole document that came earlier.
    """
    new = new_documents(context)
    earlier = {each.name for each in conversation_documents(context.conversation)}
    found: dict[str, list[Omission]] = {}
    hidden = (replace(each, omissions=(omit_all(each),)) for each in draft.candidates.hidden(passages))
    for document in chain((each.document for each in draft.documents(passages)), hidden):
        for omission in document.omissions:
            is_new = omission not in new.get(document.name, (omission,))
            if is_new or (omission.kind == "coverage" and document.name in earlier):
                found.setdefault(document.name, []).append(omission)
    return tuple(PartlyRead(plain_name(name), tuple(omissions)) for name, omissions in found.items())


def new_documents(context: PromptContext) -> dict[str, tuple[Omission, ...]]:
    """The omissions known of each document that came with this question, by its name, which several may share."""
    conversation, items = context.conversation, [*context.question.attachments]
    if not conversation.exchanges and not conversation.earlier:
        pasted = text("prompt-pasted-name", context.personality.language)
        items += [Attachment(pasted, conversation.context)] if conversation.context else []
        items += [Attachment(each.name, "", each.omissions) for each in conversation.lead_documents]
    known: dict[str, tuple[Omission, ...]] = {}
    for each in items:
        known[each.name] = (*known.get(each.name, ()), *each.omissions)
    return known


def omit_all(document: RetrievedDocument) -> Omission:
    return Omission("passages", 0, len(document.passages))


def split_lead(
    conversation: Conversation, question: Question, language: Language
) -> tuple[Conversation, Question, str | None]:
    """Separates the lead context from a first question. Also returns the URL of the page to read, None once it is read.

    Pasted text moves into the conversation, and then no page is read: a URL after it may belong to that text. A first
    question that consists of a URL alone becomes a request for a summary.
    """
    if conversation.earlier:
        return conversation, question, None
    lead = parse_lead_context((conversation.exchanges[0].question if conversation.exchanges else question).text)
    url = None if conversation.lead_documents or conversation.context is not None else lead.url
    if conversation.exchanges:
        return conversation, question, url
    if lead.url is None:
        return replace(conversation, context=lead.context), replace(question, text=lead.question), None
    if not lead.question:
        question = replace(question, text=f"{lead.url} {text('prompt-summarise', language)}")
    return conversation, question, url


def from_history(history: Sequence[Turn], language: Language) -> Conversation:
    """The conversation that a caller keeps itself. Consecutive turns of one role become one."""
    conversation = Conversation(id=0)
    for turn in history:
        exchanges = conversation.exchanges
        if turn.role == "user" or not exchanges:
            question = Question(turn.text if turn.role == "user" else "")
            if not exchanges:
                conversation, question, _url = split_lead(conversation, question, language)
            conversation = replace(conversation, exchanges=(*exchanges, Exchange(question)))
        if turn.role == "assistant":
            *before, last = conversation.exchanges
            answer = join_paragraphs([last.answer, turn.text])
            files = (*last.question.attachments, *output_attachments(turn.calls, language))
            asked = replace(last.question, attachments=files, calls=(*last.question.calls, *turn.calls))
            last = replace(last, answer=answer, question=asked)
            conversation = replace(conversation, exchanges=(*before, last))
    return conversation


def build_exchange_messages(exchange: Exchange, language: Language, day: str = "") -> ExchangeMessages:
    """The messages of an exchange. `day`: the sentence with the date of its question, if it has one."""
    if exchange.reason == "failed" and not exchange.answer:
        return ()  # the person saw the error and asked again
    asked = join_paragraphs([day, question_text(exchange.question, language)])
    return Message("user", asked), Message("assistant", exchange.answer)


def question_text(question: Question, language: Language) -> str:
    """The question after the thread messages that precede it."""
    if not question.thread_messages:
        return question.text
    # Lines after the first are indented: "Ann: …" within a message is not said by Ann.
    messages = [
        f"{plain_name(turn.speaker or turn.role)}: {turn.text}".replace("\n", "\n  ")
        for turn in question.thread_messages
    ]
    return join_paragraphs(["\n".join([text("prompt-thread-messages", language), *messages]), question.text])


def clean_prompt(prompt: Prompt) -> Prompt:
    """The prompt without the characters that neither a database nor JSON can carry."""
    attachments = [replace(each, name=storable(each.name), text=storable(each.text)) for each in prompt.attachments]
    return replace(
        prompt,
        text=storable(prompt.text),
        attachments=tuple(attachments),
        thread_messages=clean_turns(prompt.thread_messages),
        history=clean_turns(prompt.history),
        calls=clean_calls(prompt.calls),
    )


def clean_turns(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    return tuple(
        replace(
            turn,
            text=storable(turn.text),
            speaker=turn.speaker and storable(turn.speaker),
            calls=clean_calls(turn.calls),
        )
        for turn in turns
    )
