"""The command `facts`: who may change collections, what they read, and what is stored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bindings.delivery.outlet import Refused
from bindings.incoming import AttachedFile, ThreadMessages
from core.rag.facts.addition import StoreWriter
from core.rag.facts.collections import FactCollections
from core.rag.facts.document_rows import StoredDocument
from core.rag.facts.editing import FactsEditing
from core.rag.facts.glossary import Glossary
from core.rag.facts.store import FactStore
from core.storage.database import Database
from tests.bindings.intake.support_intake import THREAD, BotHarness, message
from tests.core.rag.facts.support_fakes import FakeFetcher, FormatReader, WordEmbedder
from tests.support.fake_engine import FakeEngine

FACTS = """
[leave]
title = { en = "Leave policies", fr = "Congés" }
facts_editors = ["slack:U1", "slack:S9", "discord:U2"]

[secret]
title = { en = "Secret", fr = "Secret" }
facts_editors = []

[desk]
title = { en = "Desk", fr = "Bureau" }
"""
PAGES = {"https://a.example/p": b"<html><h1>Parental leave</h1><p>It is 63 weeks.</p></html>"}


class Editors:
    """A bot, and the collections that its people change. `editors`: those of the settings."""

    def __init__(self, folder: Path, *editors: str) -> None:
        file = folder / "facts.toml"
        file.write_text(FACTS, encoding="utf-8")
        self.collections = FactCollections(file)
        self.collections.load()
        self.editors = editors
        self.harness = BotHarness(folder, FakeEngine(), editing=self.build)
        self.numbers = iter(range(1, 100))

    def build(self, database: Database) -> FactsEditing:
        store = FactStore(database, WordEmbedder(), Glossary())
        writer = StoreWriter(store, FormatReader())
        return FactsEditing(store, self.collections, FakeFetcher(PAGES), writer, self.editors)

    async def say(self, text: str, *groups: str, user: str = "U1", **files: str) -> str:
        """Returns the bot's reply."""
        number = next(self.numbers)
        place = replace(THREAD, thread=f"{number}.0")
        incoming = replace(message(text, number, place, user, **files), groups=groups)  # type: ignore[arg-type]
        await self.harness.answer_all(incoming)
        return self.harness.channels.texts(place.conversation)[-1]

    async def stored(self, collection: str = "leave") -> list[StoredDocument]:
        database = Database(self.harness.settings().database_url)
        store = FactStore(database, WordEmbedder(), Glossary())
        found = [each async for each in store.export(collection)]
        await database.close()
        return found


@pytest.fixture
def bot(tmp_path: Path) -> Editors:
    bot = Editors(tmp_path, "slack:U7")
    bot.harness.channels.files = {
        "plan": b"# Leave plan\n\nAsk your manager.",
        "picture": b"\x89PNG\r\n",
        "gone": Refused("slack answered 404"),
    }
    return bot


async def test_an_editor_adds_a_file(bot: Editors) -> None:
    """The reply says what was read; the document has its platform, and its person as a hash."""
    assert "Added to `leave`: Leave plan (1 passage)." == await bot.say("facts add leave", plan__md="plan")
    assert "Replaced in `leave`: Leave plan (1 passage)." == await bot.say("facts add leave", plan__md="plan")

    [document] = await bot.stored()
    assert ("added:slack", "added:slack:plan.md") == (document.origin, document.key)
    assert document.added_by is not None
    assert "U1" not in document.added_by
    assert "Ask your manager." in document.passages[0].text


async def test_an_editor_adds_a_page(bot: Editors) -> None:
    """A URL stands in place of files; the reply is in the language of the command."""
    added = await bot.say("faits ajouter leave https://a.example/p")

    assert "Ajouté à `leave`\u00a0: Parental leave (1 passage)." == added
    assert "https://a.example/p" == (await bot.stored())[0].url


async def test_what_cannot_be_read_is_said_for_each_file(bot: Editors) -> None:
    """The others are added."""
    reply = await bot.say("facts add leave", plan__md="plan", a__png="picture", b__md="gone")

    added, unreadable, unfetched = reply.splitlines()
    assert added.startswith("Added to `leave`")
    assert unreadable.startswith("Not added: a.png. ")
    assert "b.md" in unfetched
    assert 1 == len(await bot.stored())
    assert "Attach the files" in await bot.say("facts add leave")
    assert "Not added: https://a.example/none. " in await bot.say("facts add leave https://a.example/none")


async def test_several_pages_have_a_line_each(bot: Editors) -> None:
    """Those that cannot be fetched are named."""
    reply = await bot.say("facts add leave https://a.example/p <https://b.example/q|q>")

    added, failed = reply.splitlines()
    assert added.startswith("Added to `leave`: Parental leave")
    assert failed.startswith("Not added: https://b.example/q.")


async def test_a_file_of_the_thread_is_added(bot: Editors) -> None:
    """The command may follow the message with the file. Its own files come first."""
    bot.harness.channels.thread = ThreadMessages(files=(AttachedFile("old.md", "plan", ""),))

    assert "Added to `leave`: Leave plan (1 passage)." == await bot.say("facts add leave")
    assert "added:slack:old.md" == (await bot.stored())[0].key
    await bot.say("facts add leave", new__md="plan")
    assert ["added:slack:new.md", "added:slack:old.md"] == [each.key for each in await bot.stored()]


async def test_accents_of_file_names_are_the_same_in_both_forms(bot: Editors) -> None:
    """macOS sends an accent apart from its letter; the file is still replaced."""
    for name in ("conge\u0301.md", "cong\u00e9.md"):
        bot.harness.channels.thread = ThreadMessages(files=(AttachedFile(name, "plan", ""),))
        await bot.say("facts add leave")

    assert ["added:slack:cong\u00e9.md"] == [each.key for each in await bot.stored()]


async def test_documents_are_listed_and_removed(bot: Editors) -> None:
    """By number, or by title without regard to accents and case."""
    await bot.say("facts add leave", plan__md="plan")
    await bot.say("facts add leave https://a.example/p")

    listed = await bot.say("facts list leave")
    assert "1. Leave plan (1 passage, " in listed
    assert "2. Parental leave" in listed
    assert "No document has this number" in await bot.say("facts remove leave 3")
    assert "Removed from `leave`: Parental leave." == await bot.say("facts remove leave PARENTAL leave")
    assert "Removed from `leave`: Leave plan." == await bot.say("facts remove leave 1")
    assert "Nobody has added documents to `leave` yet." == await bot.say("facts list leave")
    assert [] == await bot.stored()


async def test_others_are_refused_without_names(bot: Editors) -> None:
    """Nothing is read or stored, and no collection is named, not even whether it exists."""
    for text in ("facts list", "facts add leave", "facts add nothing", "facts remove leave 1", "facts add"):
        files = {"plan__md": "plan"} if "add" in text else {}
        reply = await bot.say(text, user="U2", **files)
        assert reply.startswith("You may not change collections of documents here.")
        assert "leave" not in reply

    assert [] == bot.harness.channels.fetched


async def test_an_editor_learns_of_own_collections_only(bot: Editors) -> None:
    """A collection's own editors take the place of those of the settings."""
    own, general = await bot.say("facts list"), await bot.say("facts list", user="U7")

    assert "- `leave`: Leave policies" in own
    assert "secret" not in own + general
    assert "desk" not in own
    assert "- `desk`: Desk" in general
    assert "leave" not in general
    refused = await bot.say("facts add secret", plan__md="plan")
    assert refused.startswith("There is no collection of this name that you may change.")
    assert "- `leave`" in await bot.say("facts remove")


async def test_members_of_a_group_may_edit(bot: Editors) -> None:
    """A group is named as in access lists."""
    assert "`leave`" in await bot.say("facts list", "home", "S9", user="U3")
    assert "may not" in await bot.say("facts list", "home", user="U3")


async def test_without_editors_the_command_is_not_set_up(tmp_path: Path) -> None:
    """`help` says nothing of it then; with editors it does."""
    bot = Editors(tmp_path)
    assert "facts add" in await bot.say("help")
    bot.collections.file.write_text("", encoding="utf-8")
    bot.collections.load()

    assert "Adding documents to collections is not set up here." == await bot.say("facts add leave", plan__md="plan")
    assert "facts add" not in await bot.say("help")
