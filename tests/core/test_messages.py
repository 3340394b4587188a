"""What people read: complete in both languages, and never their own words back."""

from __future__ import annotations

import inspect
import re
from typing import get_args, get_type_hints

import pytest

from core import errors
from core.contract import Language, Status
from core.errors import (
    BadRequest,
    CspsError,
    Fault,
    FetchFailed,
    FetchRefused,
    Obstacle,
    Overloaded,
    PromptTooLong,
    Unfetched,
    UnreadableDocument,
)
from core.messages import ERRORS, FAULTS, OBSTACLES, STATES, UNFETCHED, status_words, words

FAMILY = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, CspsError)]
LANGUAGES: tuple[Language, ...] = get_args(Language)


@pytest.mark.parametrize("kind", FAMILY)
def test_every_error_has_a_sentence_of_its_own(kind: type[CspsError]) -> None:
    """In both languages, different ones, and without the developer's message."""
    assert kind.code in ERRORS
    said = [words(kind("developer's words"), language) for language in LANGUAGES]

    assert len(set(said)) == len(LANGUAGES)
    assert all("developer" not in sentence for sentence in said)


def test_every_state_has_a_sentence() -> None:
    """All that `Status` can be."""
    assert set(STATES) == set(get_args(get_type_hints(Status)["state"]))


@pytest.mark.parametrize(
    "sentence",
    [*ERRORS.values(), *OBSTACLES.values(), *UNFETCHED.values(), *FAULTS.values(), *STATES.values()],
)
def test_both_languages_are_complete(sentence: dict[Language, str]) -> None:
    """Neither is empty, both end as sentences."""
    assert set(sentence) == set(LANGUAGES)
    assert all(re.search(r"[.…]$", text) for text in sentence.values())


@pytest.mark.parametrize("reason", get_args(Obstacle))
def test_a_document_that_cannot_be_read_is_told_by_its_reason(reason: Obstacle) -> None:
    """A sentence for each that says what to do, and a general one where nothing is known."""
    error = UnreadableDocument("developer's words", reason)

    assert [words(error, language) for language in LANGUAGES] == [OBSTACLES[reason][each] for each in LANGUAGES]
    assert words(UnreadableDocument("x"), "fr") == ERRORS["unreadable"]["fr"]


@pytest.mark.parametrize("reason", get_args(Unfetched))
def test_an_address_that_cannot_be_read_is_told_by_its_reason(reason: Unfetched) -> None:
    """A sentence for each, whether the site or this service is in the way."""
    for error in (FetchFailed("developer's words", reason), FetchRefused("developer's words", reason)):
        assert [words(error, language) for language in LANGUAGES] == [UNFETCHED[reason][each] for each in LANGUAGES]
    assert words(FetchFailed("x"), "fr") == ERRORS["fetch_failed"]["fr"]


@pytest.mark.parametrize("fault", get_args(Fault))
def test_a_request_is_told_by_what_is_wrong_with_it(fault: Fault) -> None:
    """A sentence for each that a person can act on, and a general one for the rest."""
    said = [words(BadRequest("developer's words", fault), language) for language in LANGUAGES]

    assert said == [FAULTS[fault][language] for language in LANGUAGES]
    assert words(BadRequest("x"), "fr") == ERRORS["bad_request"]["fr"]


def test_a_code_without_a_sentence_is_told_as_its_base() -> None:
    """An edge may have errors of its own."""

    class Stranger(Overloaded):
        code = "stranger"

    assert words(Stranger("x"), "fr") == ERRORS["overloaded"]["fr"]


def test_numbers_are_filled_in() -> None:
    """How long, how much, when."""
    too_long = PromptTooLong("x", tokens=60_244, limit=2048)
    assert "about 46,000 words; there is room for about 1,500." in words(too_long, "en")
    assert "environ 37\u00a0000 mots; il y a de la place pour environ 1\u00a0200." in words(too_long, "fr")
    assert "about 1,600 words; there is room for about 1,500." in words(
        PromptTooLong("x", tokens=2049, limit=2048), "en"
    )
    assert "3 s" in words(Overloaded("x", retry_after_s=2.2), "en")
    assert status_words(Status("queued", position=3, wait_s=1.5), "fr") == (
        "En attente d’une place… Place 3 dans la file. Environ 2 s."
    )
