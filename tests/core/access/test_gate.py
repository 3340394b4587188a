"""Allow lists: who may use a personality, and whose answers are based on a collection."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from core.access.gate import AccessGate
from core.access.names import OPERATORS, build_names, is_admitted
from core.configuration.personalities import Personalities, Personality
from core.configuration.setting_types import AllowList
from core.conversation.exchanges import Conversation, Exchange, Question
from core.conversation.kept_documents import drop_refused
from core.errors import AccessRefused
from core.rag.rendering import NumberedDocument
from core.rag.retrieved import RetrievedDocument
from tests.core.support_chatting import whisper

HR = frozenset(("user:bob", "group:hr"))


class Listed(Personalities):
    """Personalities that need no folder."""

    def __init__(self, *personalities: Personality) -> None:
        self._by_name = {each.name: each for each in personalities}


def gate(**changes: object) -> AccessGate:
    lists = {"leave": ("group:hr",), "pay": None, "closed": ()}
    return AccessGate(Listed(whisper(**changes)), lambda: lists)


@pytest.mark.parametrize(
    ("allow", "names", "admitted"),
    [
        (None, (), True),
        ((), ("user:ana",), False),
        (("user:Ana@Example.gc.ca",), ("user:ana@example.GC.ca",), True),
        (("user:Ana",), ("user:ana",), False),  # an id that is no e-mail address has its own case
        (("group:hr",), ("user:hr",), False),
        (("group:HR",), ("group:hr",), False),
        (("group:Équipe",), ("group:E\u0301quipe",), True),
        (("key:payroll", "group:hr"), ("group:it", "group:hr"), True),
        (("slack:U1",), ("discord:U1",), False),
        (("group:hr",), (), False),
    ],
)
def test_a_list_admits_whom_it_names(allow: tuple[str, ...] | None, names: tuple[str, ...], admitted: bool) -> None:
    """A missing list admits everybody, and an empty one nobody."""
    ids = [each.partition(":") for each in names]
    assert is_admitted(allow, frozenset().union(*(build_names(kind, [name]) for kind, _, name in ids))) is admitted


def test_the_operator_is_on_every_list() -> None:
    """Commands of the machine's operator are not refused."""
    assert is_admitted((), OPERATORS)


@pytest.mark.parametrize("entry", ["hr", "group:", "groups:hr", "operator", "user: ", "web:ana"])
def test_an_entry_that_can_name_nobody_is_refused(entry: str) -> None:
    """Such a list would lock everybody out without a word."""
    with pytest.raises(ValidationError, match="group:hr"):
        TypeAdapter(AllowList).validate_python([entry])


def test_a_refused_personality_is_neither_listed_nor_used() -> None:
    """The refusal has status 403."""
    closed = gate(allow=("group:hr",))

    assert ((), ("whisper",)) == (closed.visible(frozenset()), closed.visible(HR))
    with pytest.raises(AccessRefused) as refused:
        closed.choose("whisper", frozenset(("group:it",)))
    assert refused.value.status == 403


def test_collections_of_others_are_not_searched() -> None:
    """A collection without a list is everybody's."""
    access = gate(collections=("leave", "pay", "closed", "unlisted"))

    assert ("pay", "unlisted") == access.choose("whisper", frozenset()).collections
    assert ("leave", "pay", "unlisted") == access.choose("whisper", HR).collections


def test_documents_of_an_earlier_answer_stay_with_those_who_may_search_them() -> None:
    """Two people ask in one thread; only one of them may search the collection."""
    shown = (
        NumberedDocument(1, RetrievedDocument("Leave", (), collection="leave")),
        NumberedDocument(2, RetrievedDocument("Page", ())),
    )
    conversation = Conversation(1, exchanges=(Exchange(Question("How long?"), "63 weeks [1]", shown=shown),))
    search = gate().may_search

    assert conversation == drop_refused(conversation, HR, search)
    assert shown[1:] == drop_refused(conversation, frozenset(), search).exchanges[0].shown
