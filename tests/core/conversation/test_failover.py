"""An answer that breaks off on one engine goes on at another one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

from core.contract import Done, Sampling, Text
from core.conversation.draft import AnswerRequest, PromptDraft
from core.conversation.generation import Generation
from core.model.client import ModelClient
from core.openai.dialects import EngineCapabilities
from core.rag.rendering import PromptStyle
from tests.core.model.client.support_engines import MODEL, engines
from tests.support.fake_model import Body, Die, Fail, FakeModel, Step


def break_off(body: Body) -> Sequence[Step]:
    """Dies after the first text of a new answer, and continues a begun one."""
    return ("lo there.",) if body.get("continue_final_message") else ("Hel", Die())


async def test_a_broken_answer_is_continued_by_another_engine(tmp_path: Path) -> None:
    """The reader sees one answer. The second engine gets the text of the first, and nobody generates it again."""
    models = [FakeModel(answer=break_off), FakeModel(answer=break_off)]
    async with engines(tmp_path, *models) as client:
        request = AnswerRequest(PromptDraft("Be brief.", (), "Hi"), Sampling(), model=MODEL)
        async with aclosing(Generation(client, request, wait_s=5).events()) as events:
            found = [event async for event in events]

    assert "".join(event.text for event in found if isinstance(event, Text)) == "Hello there."
    assert isinstance(found[-1], Done)
    assert found[-1].model == "Large"
    assert [len(model.requests) for model in models] == [1, 1]
    continued = next(body for model in models for body in model.requests if body.get("continue_final_message"))
    assert continued["messages"][-1] == {"role": "assistant", "content": "Hel"}


async def test_an_engine_that_cannot_continue_is_asked_in_words(tmp_path: Path) -> None:
    """It begins with the last words, in the language of the prompt; the reader sees them once."""

    def answer(body: Body) -> Sequence[Step]:
        last = body["messages"][-1]
        if last["role"] == "user" and "derniers mots" in last["content"]:
            return ("Bon", "jour à tous", ".")
        return ("Bonjour à", Die())

    models = [FakeModel(answer=answer), FakeModel(answer=answer)]
    async with engines(tmp_path, *models) as client:
        for connection in client.pools[MODEL].engines.values():
            connection.learn("fake-model", EngineCapabilities(continuation="none"))
        await client.info(MODEL)
        draft = PromptDraft("Soyez bref.", (), "Bonjour", style=PromptStyle("fr"))
        text = await written(client, AnswerRequest(draft, Sampling(), model=MODEL))

    assert text == "Bonjour à tous."
    continued = next(body for model in models for body in model.requests if len(body["messages"]) > 2)
    assert [message["role"] for message in continued["messages"]] == ["system", "user", "assistant", "user"]
    assert continued["messages"][-1]["content"].endswith("Bonjour à")
    assert "continue_final_message" not in continued


async def test_an_engine_that_refuses_the_field_is_asked_in_words(tmp_path: Path) -> None:
    """OpenAI's own servers refuse fields that they do not know. The first refusal teaches it."""

    def answer(body: Body) -> Sequence[Step]:
        if "continue_final_message" in body:
            return (Fail(400, message="Unknown parameter: 'continue_final_message'"),)
        return ("Hello there.",) if "broke off" in body["messages"][-1]["content"] else ("Hello", Die())

    async with engines(tmp_path, FakeModel(answer=answer), FakeModel(answer=answer)) as client:
        text = await written(client, AnswerRequest(PromptDraft("Be brief.", (), "Hi"), Sampling(), model=MODEL))

    assert text == "Hello there."


async def test_an_engine_that_begins_again_is_read_from_the_break(tmp_path: Path) -> None:
    """It ignores the field, and nobody has tried it out yet."""
    whole = "The office is open from nine to five."
    answers = [("The office is open from nine", Die()), ("The office is ", "open from nine to", " five.")]
    model = FakeModel(*answers)
    async with engines(tmp_path, model) as client:
        text = await written(client, AnswerRequest(PromptDraft("Be brief.", (), "Hi"), Sampling(), model=MODEL))

    assert text == whole


async def written(client: ModelClient, request: AnswerRequest) -> str:
    async with aclosing(Generation(client, request, wait_s=5).events()) as events:
        return "".join([event.text async for event in events if isinstance(event, Text)])
