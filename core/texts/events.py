"""Chooses the text for an error or a status. No text repeats what a person or the model wrote; values are numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from core.contract import Language, Status
from core.errors import (
    BadRequest,
    CspsError,
    FetchFailed,
    FetchRefused,
    PersonalInformationRefused,
    PromptTooLong,
    UnreadableDocument,
)
from core.texts.catalogue import catalogue, text
from core.texts.personal_information import list_found

LOADING_STEP_S = 5
WORDS_PER_TOKEN: Mapping[Language, float] = {"en": 0.75, "fr": 0.6}  # of ordinary prose, and roughly


def error_text(error: CspsError, language: Language) -> str:
    """Returns what a person reads about `error`: by its reason if it has one, else by its code."""
    if isinstance(error, PromptTooLong) and error.tokens is not None and error.limit is not None:
        return f"{code_text(error, language)} {prompt_size_text(error.tokens, error.limit, language)}"
    if (reason := reason_text(error, language)) is not None:
        return reason
    if error.retry_after_s is not None:
        return wait_text(error, math.ceil(error.retry_after_s), language)
    return code_text(error, language)


def wait_text(error: CspsError, seconds: int, language: Language) -> str:
    """Returns the text of the error's code with the time after which to try again: in one sentence with its advice."""
    code = text_code(error, language)
    if f"error-{code}-wait" in catalogue(language):
        return text(f"error-{code}-wait", language, seconds=seconds)
    return f"{text(f'error-{code}', language)} {text('error-retry-after', language, seconds=seconds)}"


def code_text(error: CspsError, language: Language) -> str:
    return text(f"error-{text_code(error, language)}", language)


def text_code(error: CspsError, language: Language) -> str:
    """Returns the error's code if it has a text, else that of its base class."""
    codes = [kind.code for kind in type(error).__mro__ if issubclass(kind, CspsError)]
    entries = catalogue(language)
    return next(code for code in codes if f"error-{code}" in entries)


def reason_text(error: CspsError, language: Language) -> str | None:
    """Returns the text for the error's own reason or numbers; None if it has none."""
    match error:
        case UnreadableDocument(reason=reason):
            return text(f"error-unreadable-{reason}", language) if reason else None
        case FetchFailed(reason=reason) | FetchRefused(reason=reason):
            return text(f"error-fetch-{reason}", language) if reason else None
        case PersonalInformationRefused(found=found):
            return text("error-personal_information-found", language, items=list_found(found, language))
        case BadRequest(fault=fault):
            return text(f"error-bad_request-{fault}", language) if fault else None
    return None


def prompt_size_text(tokens: int, limit: int, language: Language) -> str:
    """Gives sizes in words, since people do not know tokens. Rounds them apart, so that they never look equal."""
    needed, available = (number * WORDS_PER_TOKEN[language] for number in (tokens, limit))
    return text(
        "error-prompt_too_long-size",
        language,
        needed=round_to_two_digits(needed, math.ceil),
        available=round_to_two_digits(available, math.floor),
    )


def round_to_two_digits(number: float, rounding: Callable[[float], int]) -> int:
    step: int = 10 ** max(0, int(math.log10(max(number, 1))) - 1)
    return rounding(number / step) * step


def status_text(status: Status, language: Language) -> str:
    """Returns what a person reads while this status lasts."""
    parts = [text(f"status-{status.state}", language)]
    if status.position is not None:
        parts.append(text("status-queue-position", language, position=status.position))
    if status.wait_s is not None:
        parts.append(text("status-queue-wait", language, seconds=shown_wait_s(status.state, status.wait_s)))
    return " ".join(parts)


def shown_wait_s(state: str, wait_s: float) -> int:
    """Whole seconds. A load is reported each second; in steps, a post is edited and read aloud less often."""
    step_s = LOADING_STEP_S if state == "loading" else 1
    return math.ceil(wait_s / step_s) * step_s
