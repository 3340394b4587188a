"""Composes what the model sees: personality, context, earlier turns and question, as one list of messages.

Pure. Knows no tokens (`core.conversation.window` counts them) and no storage.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from core.configuration.personalities import Personality
from core.contract import Attachment, Json, Language, Prompt, Sampling, Source, Turn
from core.conversation.exchanges import Conversation, Exchange, Question
from core.errors import BadRequest
from core.openai.chat_protocol import Message
from core.rag.candidates import (
    Candidates,
    ContextItem,
    RenderedContext,
    RetrievedDocument,
    cacheable_text,
    render,
    share_budget,
    with_passages,
)
from core.rag.context import CONTEXT_START, missing_note, parse_lead_context, plain_name
from core.rag.passage_cache import PassageCache
from core.rag.retrieval import PartlyRead
from core.runtime.digest import hash_id
from core.strict_json import storable
from core.texts import text

ExchangeMessages = tuple[Message, ...]  # a question and its answer; the window drops both or neither


@dataclass(frozen=True, slots=True)
class PromptContext:
    """A prompt with the personality and the conversation that the answer is based on."""

    personality: Personality
    conversation: Conversation
    question: Question
    sampling: Sampling
    user: str | None
    unread_url: str | None  # the page or feed that the first question names, until it is read
    has_documents: bool  # the conversation comes with pasted text, a page that was read, or attachments
    uses_public_sources: bool  # False if the question comes with an attachment, or a first one with a page or a text
    has_unclosed_lead: bool  # a first question that starts with |CONTEXT| and has no |/CONTEXT|


@dataclass(frozen=True, slots=True)
class PromptDraft:
    """A prompt before the window cuts it: the oldest `exchanges` and the worst passages of `candidates` may go.

    `lead_context`: the documents that the conversation started with. They stand in whole at the start of the prompt, so
    that the model computes them once. If they are too long for that, `without_lead` moves them into the candidates.
    """

    system: str
    exchanges: tuple[ExchangeMessages, ...]
    question: str
    lead_context: tuple[RetrievedDocument, ...] = ()
    candidates: Candidates = field(default_factory=lambda: Candidates((), "", "en"))
    earlier: int = 0  # the number of exchanges before `exchanges`, which the draft does not contain
    language: Language = "en"
    rules: str = ""  # the system prompt's rules; they are repeated after quoted documents

    def messages(self, dropped: int = 0, passages: int = 0) -> tuple[Message, ...]:
        """The messages without the `dropped` oldest exchanges, with the best `passages` of the candidates."""
        history = [message for exchange in self.exchanges[dropped:] for message in exchange]
        documents = Message("user", self._render_candidates(passages).text)
        return alternating([*self.head(), *history, documents, Message("user", self.question)])

    def head(self) -> tuple[Message, ...]:
        """The messages that every answer of this conversation starts with."""
        return Message("system", self.system), Message("user", self._render_lead().text)

    def sources(self, passages: int) -> tuple[Source, ...]:
        """The sources that an answer to `messages` can cite."""
        return (*self._render_lead().sources, *self._render_candidates(passages).sources)

    def texts(self, passages: int) -> tuple[str, ...]:
        """The texts that an answer to `messages` can quote."""
        return self._render_lead().text, self._render_candidates(passages).text, self.question

    def _render_lead(self) -> RenderedContext:
        return render(self.lead_context, self.language, self.rules) if self.lead_context else RenderedContext()

    def _render_candidates(self, passages: int) -> RenderedContext:
        if not passages:
            return RenderedContext()
        first_number = 1 + sum(document.source is not None for document in self.lead_context)
        return self.candidates.render(passages, first_number)

    def without_lead(self) -> PromptDraft:
        return replace(self, lead_context=(), candidates=self.candidates.with_documents(self.lead_context))


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """A draft with the settings for generating its answer.

    `user`: a pseudonym. `model`: its name, if the personality has its own. `response_format`: OpenAI's field; after the
    model's death such an answer starts again, because its grammar does. `own_system`: the system message contains only
    the personality's words, so the engine may keep it computed.
    """

    draft: PromptDraft
    sampling: Sampling
    user: str | None = None
    model: str | None = None
    response_format: Json = None
    own_system: bool = True


def build_context(prompt: Prompt, personality: Personality, conversation: Conversation | None = None) -> PromptContext:
    """The prompt in its conversation, or in its own history if there is none. Raises BadRequest if it is empty."""
    prompt = clean_prompt(prompt)
    conversation = conversation or from_history(prompt.history, personality.language)
    question = Question(prompt.text, prompt.attachments, prompt.thread_messages)
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
) -> AnswerRequest:
    """The request for an answer. `retrieved`, `unread`, `passage_cache`: as in `compose`."""
    personality = context.personality
    draft = compose(personality, context.conversation, context.question, retrieved, unread, passage_cache)
    user = hash_id(context.user)[:32] if context.user else None  # the engine's fair queue only has to tell users apart
    return AnswerRequest(draft, personality.sampling.under(context.sampling), user, personality.model)


def compose(
    personality: Personality,
    conversation: Conversation,
    question: Question,
    retrieved: Sequence[RetrievedDocument] = (),
    unread: Sequence[str] = (),
    passage_cache: PassageCache | None = None,
) -> PromptDraft:
    """The draft of the next answer in a conversation.

    `retrieved`: the documents looked up for this question. `unread`: the names of those that could not be read. Indexes
    the documents that the `passage_cache` lacks, which takes about a second for a megabyte.
    """
    language, passage_cache = personality.language, passage_cache or PassageCache()
    items = collect_documents(conversation, question, retrieved, language)
    cached = [[passage_cache.get(cacheable_text(item)) for item in each] for each in items]
    lead, later = ([*map(with_passages, *pair)] for pair in zip(items, cached, strict=True))
    # Keyed by the documents' own passages: the cached ones have the same text, but may have other links.
    each = zip(chain(lead, later), chain.from_iterable(cached), strict=True)
    indexes = {document.passages: entry.index for document, entry in each}
    return PromptDraft(
        system=personality.instructions,
        lead_context=tuple(lead),
        exchanges=tuple(build_exchange_messages(exchange, language) for exchange in conversation.exchanges),
        question=join_paragraphs([missing_note(unread, language) if unread else "", question_text(question, language)]),
        candidates=Candidates(later, question.text, language, personality.system, indexes.__getitem__),
        earlier=conversation.earlier,
        language=language,
        rules=personality.system,
    )


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


def cut_attachments(draft: PromptDraft, question: Question) -> tuple[PartlyRead, ...]:
    """The question's attachments of which the draft omits more than their readers did."""
    documents = {document.name: document for document in (*draft.lead_context, *draft.candidates.documents)}
    pairs = [(file, documents[file.name]) for file in question.attachments if file.name in documents]
    return tuple(
        PartlyRead(plain_name(file.name), document.omissions)
        for file, document in pairs
        if document.omissions != file.omissions
    )


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
            conversation = replace(conversation, exchanges=(*before, replace(last, answer=answer)))
    return conversation


def build_exchange_messages(exchange: Exchange, language: Language) -> ExchangeMessages:
    if exchange.reason == "failed" and not exchange.answer:
        return ()  # the person saw the error and asked again
    return Message("user", question_text(exchange.question, language)), Message("assistant", exchange.answer)


def question_text(question: Question, language: Language) -> str:
    """The question after the thread messages that precede it."""
    if not question.thread_messages:
        return question.text
    messages = [f"{plain_name(turn.speaker or turn.role)}: {turn.text}" for turn in question.thread_messages]
    return join_paragraphs(["\n".join([text("prompt-thread-messages", language), *messages]), question.text])


def alternating(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Joins neighbours of one role and drops empty messages: the templates of many models refuse anything else."""
    merged: list[Message] = []
    for message in messages:
        if merged and merged[-1].role == message.role:
            merged[-1] = replace(message, content=join_paragraphs([merged[-1].content, message.content]))
        elif message.content:
            merged.append(message)
    return tuple(merged)


def join_paragraphs(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part)


def clean_prompt(prompt: Prompt) -> Prompt:
    """The prompt without the characters that neither a database nor JSON can carry."""
    attachments = [replace(each, name=storable(each.name), text=storable(each.text)) for each in prompt.attachments]
    return replace(
        prompt,
        text=storable(prompt.text),
        attachments=tuple(attachments),
        thread_messages=clean_turns(prompt.thread_messages),
        history=clean_turns(prompt.history),
    )


def clean_turns(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    return tuple(
        replace(turn, text=storable(turn.text), speaker=turn.speaker and storable(turn.speaker)) for turn in turns
    )
