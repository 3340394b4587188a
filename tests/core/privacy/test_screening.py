"""Prompts and tasks without what the policy masks, and the refusal of what it blocks."""

from __future__ import annotations

import json

import pytest

from core.contract import Attachment, PersonalInformation, Prompt, Task, ToolCall, Turn
from core.errors import PersonalInformationRefused
from core.privacy.policy import Policy
from core.privacy.screening import Screen, screen_prompt, screen_task
from core.texts import error_text, masked_text

SIN, CARD, EMAIL = "193 456 787", "4111 1111 1111 1111", "jane@example.com"
MASKED_SIN = "[social insurance number removed]"
MASK = Policy().rules("whisper", "web")
BLOCK = Policy(default={"sin": "block"}).rules("whisper", "web")


def test_every_part_of_a_prompt_is_masked() -> None:
    """Text, files and their names, thread, history, tool calls and their outputs; the report counts them all."""
    call = ToolCall("1", "look_up", json.dumps({"sin": SIN}), json.dumps({"sin": 193456787}))
    prompt = Prompt(
        "whisper",
        f"Mine is {SIN}",
        asked=f"is {SIN}",
        attachments=(Attachment(f"{SIN}.txt", f"card {CARD}"),),
        thread_messages=(Turn("user", f"or {SIN}", "Ann"),),
        history=(Turn("user", SIN), Turn("assistant", EMAIL, calls=(call,))),
        calls=(call,),
    )

    screened, masked = screen_prompt(prompt, MASK, "en")

    assert masked
    written = repr(screened)
    assert all(trace not in written for trace in (SIN, "193456787", CARD, EMAIL))
    assert f"Mine is {MASKED_SIN}" == screened.text == masked.question
    assert f"{MASKED_SIN}.txt" == screened.attachments[0].name
    assert {"sin": MASKED_SIN} == json.loads(str(screened.calls[0].output)) == json.loads(screened.calls[0].arguments)
    assert {"sin": 8, "payment_card": 1, "email": 1} == {each.kind: each.count for each in masked.found}


def test_a_prompt_without_personal_information_stays_as_it_is() -> None:
    prompt = Prompt("whisper", "What does section 34 say?", history=(Turn("user", "Hi"),))

    assert (prompt, None) == screen_prompt(prompt, MASK, "en")


def test_screening_twice_changes_nothing() -> None:
    """The bots screen a message before they record it, and the engine screens it again."""
    text = f"SIN {SIN}, DOB 1985-01-31, Marie Roy, 1985-01-31, call 613-555-0199, card {CARD}, {EMAIL}, K2P 1L4"
    for language in ("en", "fr"):
        once = Screen(MASK, language).own(text)  # type: ignore[arg-type]
        again = Screen(MASK, language)  # type: ignore[arg-type]

        assert once == again.own(once)
        assert again.masked() is None


def test_a_blocked_kind_is_refused_without_its_value() -> None:
    with pytest.raises(PersonalInformationRefused) as refused:
        screen_prompt(Prompt("whisper", f"Mine is {SIN}, {EMAIL}"), BLOCK, "en")

    assert (PersonalInformation("sin", 1),) == refused.value.found
    assert SIN not in refused.value.message
    assert "1 social insurance number" in error_text(refused.value, "en")
    assert "1 numéro d’assurance sociale" in error_text(refused.value, "fr")


def test_what_others_wrote_is_masked_where_the_persons_own_words_are_refused() -> None:
    """The person cannot change a message of another person, a tool's result or an earlier answer."""
    prompt = Prompt(
        "whisper",
        "What is this?",
        thread_messages=(Turn("user", SIN, "Ann"),),
        history=(Turn("user", "Hi"), Turn("assistant", SIN)),
        calls=(ToolCall("1", "look_up", "{}", SIN),),
    )

    screened, masked = screen_prompt(prompt, BLOCK, "en")

    assert masked
    assert SIN not in repr(screened)
    assert MASKED_SIN == screened.thread_messages[0].text


def test_a_task_and_the_words_of_its_schema_are_masked() -> None:
    """The constraints of the schema stay, because values depend on them."""
    schema = {
        "description": f"as in {SIN}",
        "properties": {"title": {"const": EMAIL, "examples": [193456787]}, "description": {"type": "string"}},
    }

    screened, masked = screen_task(Task("whisper", f"Fill in {SIN}", schema), MASK, "fr")

    assert masked
    assert "Fill in [numéro d’assurance sociale retiré]" == screened.prompt
    assert {
        "description": "as in [numéro d’assurance sociale retiré]",
        "properties": {
            "title": {"const": EMAIL, "examples": ["[numéro d’assurance sociale retiré]"]},
            "description": {"type": "string"},
        },
    } == screened.schema


def test_json_stays_json() -> None:
    """A key can say what a value is."""
    screened = Screen(MASK, "en").own_json('{"date of birth": "1985-01-31", "n": [193456787, true, null, 1.5]}')

    assert {"date of birth": "[date of birth removed]", "n": [MASKED_SIN, True, None, 1.5]} == json.loads(screened)


def test_the_message_for_a_person_names_kinds_and_numbers() -> None:
    found = (PersonalInformation("sin", 2), PersonalInformation("pri", 1, (("en", "PRI"), ("fr", "CIDP"))))

    assert "2 social insurance numbers, PRI (1)" in masked_text(found, "en")
    assert "2 numéros d’assurance sociale, CIDP (1)" in masked_text(found, "fr")
