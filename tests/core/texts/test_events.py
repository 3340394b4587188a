"""The texts for errors and statuses: complete in both languages, and without what people wrote."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import get_args, get_type_hints

import pytest

from core import errors
from core.contract import Language, PersonalInformation, Status
from core.errors import (
    BadRequest,
    CspsError,
    DocumentFault,
    EngineFailed,
    FetchFailed,
    FetchFault,
    FetchRefused,
    Overloaded,
    PersonalInformationRefused,
    PromptTooLong,
    RequestFault,
    UnreadableDocument,
)
from core.model.library.download.failures import DownloadFault
from core.runtime.disk_faults import KEYS as DISK_KEYS
from core.runtime.network_errors import CAUSE_KEYS
from core.texts import LANGUAGES, error_text, status_text, text
from core.texts.catalogue import catalogue
from web import problems
from web.admin import access

# The text of this one always names what was found.
CODES = {
    kind.code
    for module in (errors, problems, access)
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, CspsError)
} - {PersonalInformationRefused.code}
REASONS = {"unreadable": get_args(DocumentFault), "fetch": get_args(FetchFault), "bad_request": get_args(RequestFault)}
NETWORK_REASONS = [*dict(CAUSE_KEYS).values(), "no_url", "silent", "no_http", "closed", "away"]
# The codes whose text ends with the advice to try again.
WAITS = (
    "internal",
    "overloaded",
    "stopping",
    "model_failed",
    "model_unavailable",
    "model_too_slow",
    "storage",
    "limit_reached",
)
STATES = get_args(get_type_hints(Status)["state"])


def expected_keys() -> Iterator[str]:
    """The keys that `error_text` and `status_text` build from codes, reasons and states."""
    yield from (f"error-{code}" for code in CODES)
    yield from (f"error-{code}-{reason}" for code, reasons in REASONS.items() for reason in reasons)
    yield from (f"status-{state}" for state in STATES)


def test_each_code_reason_and_state_has_a_text_and_no_text_is_left_over() -> None:
    others = {f"error-network-{reason}" for reason in NETWORK_REASONS}
    others |= {f"error-download-{fault}" for fault in get_args(DownloadFault)}
    others |= {f"error-{code}-wait" for code in WAITS}
    others |= {f"error-disk-{key}" for key in DISK_KEYS.values()}
    others |= {
        "error-personal_information-found",
        "error-prompt_too_long-size",
        "error-retry-after",
        "status-queue-position",
        "status-queue-wait",
    }

    for language in LANGUAGES:
        keys = {key for key in catalogue(language) if key.startswith(("error-", "status-"))}
        assert {*expected_keys()} | others == keys


@pytest.mark.parametrize("key", sorted(expected_keys()))
def test_the_texts_are_sentences_that_differ_by_language(key: str) -> None:
    texts = [text(key, language) for language in LANGUAGES]

    assert len(set(texts)) == len(LANGUAGES)
    assert all(re.search(r"[.…]$", each) for each in texts)


@pytest.mark.parametrize(
    "kind", [kind for kind in vars(errors).values() if inspect.isclass(kind) and kind.__module__ == errors.__name__]
)
def test_an_error_never_shows_its_developer_message(kind: type[CspsError]) -> None:
    """The message may quote people or name internals; the log has it."""
    found = (PersonalInformation("email", 1),)
    error = PersonalInformationRefused(found) if kind is PersonalInformationRefused else kind("developer's words")
    assert all(not {"developer", "request"} & set(error_text(error, language).split()) for language in LANGUAGES)


@pytest.mark.parametrize("reason", get_args(DocumentFault))
def test_an_unreadable_document_has_the_text_of_its_reason(reason: DocumentFault) -> None:
    error = UnreadableDocument("developer's words", reason)

    assert [text(f"error-unreadable-{reason}", each) for each in LANGUAGES] == [
        error_text(error, each) for each in LANGUAGES
    ]
    assert text("error-unreadable", "fr") == error_text(UnreadableDocument("x"), "fr")


@pytest.mark.parametrize("reason", get_args(FetchFault))
def test_a_page_that_was_not_fetched_has_the_text_of_its_reason(reason: FetchFault) -> None:
    """The reason can be a refusal of the site or of this service."""
    for error in (FetchFailed("developer's words", reason), FetchRefused("developer's words", reason)):
        assert [text(f"error-fetch-{reason}", each) for each in LANGUAGES] == [
            error_text(error, each) for each in LANGUAGES
        ]
    assert text("error-fetch_failed", "fr") == error_text(FetchFailed("x"), "fr")


@pytest.mark.parametrize("fault", get_args(RequestFault))
def test_a_bad_request_has_the_text_of_its_fault(fault: RequestFault) -> None:
    error = BadRequest("developer's words", fault)

    assert [text(f"error-bad_request-{fault}", each) for each in LANGUAGES] == [
        error_text(error, each) for each in LANGUAGES
    ]
    assert text("error-bad_request", "fr") == error_text(BadRequest("x"), "fr")


def test_a_code_without_a_text_has_the_text_of_its_base_class() -> None:
    """An adapter may have errors of its own."""

    class Stranger(Overloaded):
        code = "stranger"

    assert text("error-overloaded", "fr") == error_text(Stranger("x"), "fr")


@pytest.mark.parametrize(
    ("language", "advice"),
    [("en", "Please try again in about 5 seconds."), ("fr", "Veuillez réessayer dans environ 5 secondes.")],
)
def test_advice_to_try_again_has_the_time(language: Language, advice: str) -> None:
    """No text advises to try again later and tells the time in addition."""
    for code in WAITS:
        shown = error_text(type("Coded", (CspsError,), {"code": code})("x", retry_after_s=4.2), language)
        assert shown.endswith(f". {advice}")
        assert shown.count("again") + shown.count("réessayer") == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_engine_that_fails_has_not_refused(language: Language) -> None:
    """A person reads that the model failed, and a program gets that code."""
    failed = EngineFailed("the engine answered 500", engine_status=500)

    assert text("error-model_failed", language) == error_text(failed, language)
    assert failed.code == "model_failed"


def test_numbers_are_filled_in_by_language() -> None:
    too_long = PromptTooLong("x", tokens=60_244, limit=2048)
    assert "about 46,000 words; there is room for about 1,500." in error_text(too_long, "en")
    assert "environ 37\u00a0000 mots; il y a de la place pour environ 1\u00a0200." in error_text(too_long, "fr")
    assert "about 1,600 words; there is room for about 1,500." in error_text(
        PromptTooLong("x", tokens=2049, limit=2048), "en"
    )
    assert "3 seconds" in error_text(Overloaded("x", retry_after_s=2.2), "en")
    assert status_text(Status("queued", position=3, wait_s=1.5), "fr") == (
        "En attente d’une place… Position 3 dans la file d’attente. Attente prévue\u00a0: environ 2 secondes."
    )
