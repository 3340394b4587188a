"""Answers the command `facts`: lists collections, adds the attached files or a page, removes what people added.

Who may do so is decided by `core.rag.facts.editing`. Others get a refusal that names no collection.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from bindings.delivery.outlet import DeliveryError
from bindings.files import FILES_LIMIT, explain_reason
from bindings.incoming import AttachedFile, IncomingMessage, Platform
from bindings.intake.commands import FactsCommand
from core.contract import Language
from core.errors import CspsError, FetchFailed, FetchRefused, ModelError, NotFound, UnreadableDocument
from core.rag.context import plain_name
from core.rag.facts.addition import Addition
from core.rag.facts.document_rows import AddedDocument
from core.rag.facts.editing import EditableCollection, Editor, FactsEditing
from core.runtime.digest import hash_id
from core.texts import describe_omissions, error_text, format_date, text

log = structlog.get_logger()

DOCUMENTS_LIMIT = 50  # in one list
REPORTED = (UnreadableDocument, FetchRefused, FetchFailed, ModelError)  # storage errors are tried again


class FactsCommands:
    """`limit_bytes`: the largest file."""

    def __init__(self, editing: FactsEditing | None, platform: Platform, limit_bytes: int) -> None:
        self._editing = editing
        self._platform = platform
        self._limit_bytes = limit_bytes

    @property
    def is_set_up(self) -> bool:
        """True if the settings name anybody on this platform."""
        return self._editing is not None and bool(self._editing.editor_ids(self._platform.name))

    async def reply(
        self, command: FactsCommand, incoming: IncomingMessage, files: Sequence[AttachedFile], language: Language
    ) -> str:
        """Runs the command, and returns what the person reads. Raises StorageError, Overloaded; then retry."""
        editing = self._editing
        if editing is None or not self.is_set_up:
            return text("bot-facts-unset", language)
        run = FactsRun(editing, build_editor(incoming), language)
        editable = await editing.editable(run.editor)
        if not editable:
            return text("bot-facts-refused", language)
        if command.collection and command.collection not in {each.name for each in editable}:
            return f"{text('bot-facts-unknown', language)}\n\n{list_collections(editable, language)}"
        if command.action == "list":
            return await run.list(command.collection) if command.collection else list_collections(editable, language)
        if not command.collection:
            return f"{text('bot-facts-usage', language)}\n\n{list_collections(editable, language)}"
        if command.action == "remove":
            return await run.remove(command.collection, command.subject)
        if urls := command.subject.split()[:FILES_LIMIT]:
            return "\n".join([await run.add_page(command.collection, url) for url in urls])
        return await self._add_files(run, command.collection, files)

    async def _add_files(self, run: FactsRun, name: str, files: Sequence[AttachedFile]) -> str:
        if not files:
            return text("bot-facts-no-file", run.language)
        lines = [await self._add_file(run, name, file) for file in files[:FILES_LIMIT]]
        if more := [plain_name(file.name) for file in files[FILES_LIMIT:]]:
            lines.append(explain_reason("number", more, self._limit_bytes, run.language))
        return "\n".join(lines)

    async def _add_file(self, run: FactsRun, name: str, file: AttachedFile) -> str:
        shown, limit_bytes = [plain_name(file.name)], self._limit_bytes
        if file.size_bytes is not None and file.size_bytes > limit_bytes:
            return explain_reason("size", shown, limit_bytes, run.language)
        try:
            body = await self._platform.fetch(file, limit_bytes)
        except DeliveryError as exc:
            log.warning("file_fetch_failed", platform=self._platform.name, problem=exc.message)
            return explain_reason("fetch", shown, limit_bytes, run.language)
        return await run.add_file(name, file, body)


class FactsRun:
    """One command of one person."""

    def __init__(self, editing: FactsEditing, editor: Editor, language: Language) -> None:
        self._editing = editing
        self.editor = editor
        self.language = language

    async def add_file(self, name: str, file: AttachedFile, body: bytes) -> str:
        try:
            added = await self._editing.add_file(self.editor, name, file.name, body, file.media_type)
        except REPORTED as exc:
            return self._explain_failure(file.name, exc)
        return self._describe(added, name)

    async def add_page(self, name: str, url: str) -> str:
        try:
            added = await self._editing.add_page(self.editor, name, url)
        except REPORTED as exc:
            return self._explain_failure(url, exc)
        return self._describe(added, name)

    async def list(self, name: str) -> str:
        documents = await self._editing.documents(self.editor, name)
        if not documents:
            return text("bot-facts-empty", self.language, name=name)
        lines = [self._entry(number, each) for number, each in enumerate(documents[:DOCUMENTS_LIMIT], 1)]
        if len(documents) > DOCUMENTS_LIMIT:
            lines.append(text("bot-facts-more", self.language, count=len(documents) - DOCUMENTS_LIMIT))
        return "\n".join([text("bot-facts-documents", self.language, name=name), "", *lines])

    async def remove(self, name: str, wanted: str) -> str:
        try:
            removed = await self._editing.remove(self.editor, name, wanted)
        except NotFound:
            listed = await self.list(name)
            return f"{text('bot-facts-not-found', self.language)}\n\n{listed}"
        return text("bot-facts-removed", self.language, title=plain_name(removed.title), name=name)

    def _entry(self, number: int, document: AddedDocument) -> str:
        values = {"title": plain_name(document.title), "count": document.passages}
        day = format_date(document.added_at.date(), self.language)
        return text("bot-facts-entry", self.language, number=str(number), day=day, **values)

    def _describe(self, added: Addition, name: str) -> str:
        title, count = plain_name(added.title), added.passages
        key = "bot-facts-added" if added.is_new else "bot-facts-replaced"
        line = text(key, self.language, title=title, name=name, count=count)
        if not added.omissions:
            return line
        read = describe_omissions(added.omissions, self.language)
        return f"{line} {text('source-partly-read', self.language, name=title, read=read)}"

    def _explain_failure(self, name: str, exc: CspsError) -> str:
        log.info("fact_not_added", code=exc.code)
        reason = error_text(exc, self.language)
        return text("bot-facts-not-added", self.language, name=plain_name(name), reason=reason)


def build_editor(incoming: IncomingMessage) -> Editor:
    ids = frozenset((incoming.user, *incoming.groups)) - {""}
    return Editor(incoming.place.platform, ids, hash_id(incoming.speaker))


def list_collections(editable: Sequence[EditableCollection], language: Language) -> str:
    entries = [text("bot-facts-collection", language, name=each.name, title=each.title(language)) for each in editable]
    return "\n".join([text("bot-facts-collections", language), "", *entries])
