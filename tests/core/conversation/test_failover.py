"""An answer that breaks off on one engine goes on at another one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

from core.contract import Done, Sampling, Text
from core.conversation.draft import AnswerRequest, PromptDraft
from core.conversation.generation import Generation
from tests.core.model.client.support_engines import MODEL, engines
from tests.support.fake_model import Body, Die, FakeModel, Step


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
