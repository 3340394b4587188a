"""Documents that people add to collections, from a chat platform or the page. Decides who may, and stores them.

An editor is named as in access lists, after the platform: "slack:U123", "discord:<role>", "teams:<id>", "web:<user>".
A collection's own `facts_editors` replace those of the settings. What people add has an origin of its own
("added:slack"), so no synchronisation touches it. The person is stored as a hash.
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import structlog

from core.contract import Language
from core.errors import NotAnEditor, NotFound
from core.rag.documents import one_line
from core.rag.facts.addition import Addition, AdditionRequest, AdditionWriter
from core.rag.facts.collections import FactCollections
from core.rag.facts.document_rows import AddedDocument, added_origin
from core.rag.facts.store import FactStore
from core.rag.fetching.fetch import PageFetcher
from core.rag.stemming import folded_words
from core.strict_json import storable

log = structlog.get_logger()

NUMBER = re.compile(r"#?[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class Editor:
    """A person who asks to edit. `ids`: the person's id, groups and roles on the platform; `key`: a hash."""

    platform: str
    ids: frozenset[str]
    key: str

    def is_named_in(self, editors: Iterable[str]) -> bool:
        """False for bots, and for people of other organisations unless an id of theirs is named."""
        named = {each.partition(":")[2] for each in editors if each.partition(":")[0] == self.platform}
        if "bots" in self.ids:
            return False
        own = self.ids - {"home"} if "external" in self.ids else self.ids
        return bool(own & named)


@dataclass(frozen=True, slots=True)
class EditableCollection:
    name: str
    titles: tuple[tuple[Language, str], ...] = ()  # none: config/facts.toml does not have it

    def title(self, language: Language) -> str:
        return dict(self.titles).get(language, self.name)


class FactsEditing:
    """`editors`: the setting FACTS_EDITORS."""

    def __init__(
        self,
        store: FactStore,
        collections: FactCollections,
        fetcher: PageFetcher,
        writer: AdditionWriter,
        editors: Sequence[str],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._collections = collections
        self._fetcher = fetcher
        self._writer = writer
        self._editors = tuple(editors)
        self._now = now

    def editor_ids(self, platform: str) -> frozenset[str]:
        """All ids that are named for a platform. Empty: nobody may edit from there."""
        own = (each.section.facts_editors or () for each in self._collections.by_name.values())
        named = (self._editors, *own)
        return frozenset(
            each.partition(":")[2] for editors in named for each in editors if each.partition(":")[0] == platform
        )

    async def editable(self, editor: Editor) -> tuple[EditableCollection, ...]:
        """Returns the collections that the person may edit, by name. Raises StorageError."""
        configured = self._collections.by_name
        stored = [size.name for size in await self._store.collections()]
        names = [name for name in sorted({*stored, *configured}) if editor.is_named_in(self._editors_of(name))]
        return tuple(self._describe(name) for name in names)

    def _editors_of(self, name: str) -> Sequence[str]:
        collection = self._collections.by_name.get(name)
        own = collection.section.facts_editors if collection else None
        return self._editors if own is None else own

    def _describe(self, name: str) -> EditableCollection:
        collection = self._collections.by_name.get(name)
        if collection is None:
            return EditableCollection(name)
        title = collection.section.title
        return EditableCollection(name, (("en", title.en), ("fr", title.fr)))

    async def require(self, editor: Editor, name: str) -> EditableCollection:
        """Raises NotAnEditor. For who may edit others, its message names those; nobody learns of further ones."""
        editable = await self.editable(editor)
        for collection in editable:
            if collection.name == name:
                return collection
        if not editable:
            raise NotAnEditor("this person may not change collections")
        names = ", ".join(each.name for each in editable)
        raise NotAnEditor(f"there is no collection of this name that this person may change; there are: {names}")

    async def add_file(self, editor: Editor, name: str, file_name: str, body: bytes, media_type: str) -> Addition:
        """Reads a file into a collection. A file of the same name from the same platform is replaced.

        Raises NotAnEditor, UnreadableDocument, Overloaded, ModelError, StorageError.
        """
        await self.require(editor, name)
        identity = PurePath(unicodedata.normalize("NFC", one_line(file_name))).name  # macOS sends accents apart
        about = {"media_type": media_type, "name": file_name}
        return await self._add(editor, name, body, identity=identity, **about)

    async def add_page(self, editor: Editor, name: str, url: str) -> Addition:
        """Reads a page or file of the Web. Raises what `add_file` raises, FetchRefused and FetchFailed."""
        await self.require(editor, name)
        page = await self._fetcher.fetch(url, robots=False)
        about = {"media_type": page.media_type, "url": page.url, "charset": page.charset}
        return await self._add(editor, name, page.body, identity=url, **about)

    async def _add(self, editor: Editor, collection: str, body: bytes, *, identity: str, **about: Any) -> Addition:
        origin, at = added_origin(editor.platform), self._now()
        request = AdditionRequest(collection, origin, storable(identity), editor.key, at, **about)
        added = await self._writer.write(request, body)
        log.info(
            "fact_added",
            collection=collection,
            platform=editor.platform,
            editor=editor.key[:16],
            passages=added.passages,
        )
        return added

    async def documents(self, editor: Editor, name: str) -> list[AddedDocument]:
        """Returns the documents that people added, oldest first: the numbers of `remove`. Raises NotAnEditor."""
        await self.require(editor, name)
        return await self._store.added(name)

    async def remove(self, editor: Editor, name: str, wanted: str) -> AddedDocument:
        """Removes an added document by its number, title, file name or URL. Raises NotAnEditor, NotFound."""
        document = find_document(await self.documents(editor, name), wanted)
        if document is None:
            raise NotFound("no document that a person added has this number or title")
        await self._store.remove(name, document.key)
        log.info("fact_removed", collection=name, platform=editor.platform, editor=editor.key[:16])
        return document


def find_document(documents: Sequence[AddedDocument], wanted: str) -> AddedDocument | None:
    """Finds a document by its number from 1, or by a name of its own. A name that two have is nobody's."""
    if NUMBER.fullmatch(wanted):
        number = int(wanted.lstrip("#"))
        return documents[number - 1] if 1 <= number <= len(documents) else None
    folded = [*folded_words(wanted)]
    found = [each for each in documents if folded and folded in [[*folded_words(name)] for name in names_of(each)]]
    exact = [each for each in found if wanted.strip() in names_of(each)]
    matches = exact or found
    return matches[0] if len(matches) == 1 else None


def names_of(document: AddedDocument) -> tuple[str, ...]:
    identity = document.key.removeprefix(f"{document.origin}:")
    return tuple(filter(None, (document.title, identity, document.url)))
