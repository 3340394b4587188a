"""What an answer may be based on: how much of it there may be, and which of it is ranked."""

from __future__ import annotations

import pytest

from core.contract import Attachment, Source
from core.rag import material
from core.rag.documents import Passage
from core.rag.material import MATERIAL_LIMIT_CHARS, SHOWN_LIMIT, Item, Material, Reading, readable, shared
from core.rag.shelf import size_chars

HALF = MATERIAL_LIMIT_CHARS // 2


def sizes(items: list[Item]) -> list[int]:
    return [size_chars(readable(item)) for item in items]


def file(chars: int) -> Attachment:
    return Attachment("a.txt", "x" * chars)


@pytest.mark.parametrize(
    ("opening", "later", "left"),
    [
        ([10], [20, 30], ([10], [20, 30])),
        ([2 * HALF + 1], [], ([2 * HALF], [])),
        ([2 * HALF], [10], ([2 * HALF - 10], [10])),
        ([10], [HALF, HALF, 6], ([10], [HALF - 8, HALF - 8, 6])),
        ([2 * HALF], [HALF, HALF], ([HALF], [HALF // 2, HALF // 2])),
    ],
)
def test_what_is_read_for_a_question_is_bounded(
    opening: list[int], later: list[int], left: tuple[list[int], list[int]]
) -> None:
    """What a conversation began with and what came since have half each, and what the other leaves; the longest of it
    are cut."""
    found = shared([file(chars) for chars in opening], [file(chars) for chars in later])

    assert (sizes(found[0]), sizes(found[1])) == left
    for before, after in zip([*opening, *later], [*found[0], *found[1]], strict=True):
        assert after.cut is (size_chars(readable(after)) < before)


def test_a_page_is_cut_between_passages() -> None:
    """It says so."""
    passages = tuple(Passage(str(number) * 1000) for number in range(9)) * (MATERIAL_LIMIT_CHARS // 9000 + 1)
    (page,), _ = shared([Reading("Pool", passages)], [])

    assert page.cut
    assert readable(page) == passages[: MATERIAL_LIMIT_CHARS // 1000]


def test_nothing_is_ranked_to_show_none_or_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where some have to be chosen."""
    readings = [Reading(f"file{number}", (Passage(f"Text {number}."),)) for number in range(SHOWN_LIMIT)]
    few, many = (Material(each, "Text 2", "en") for each in (readings, readings * 2))
    monkeypatch.delattr(material, "ranked")

    assert few.shown(0).text == many.shown(0).text == ""
    assert all(f"Text {number}." in few.shown(len(few)).text for number in range(SHOWN_LIMIT))
    with pytest.raises(NameError):
        many.shown(len(many))


def test_no_title_poses_as_a_source() -> None:
    """Whose number a document has is not for its page to say."""
    source = Source(0, "Budget", "https://budget.example/", "en", None)
    readings = [Reading("Budget", (Passage("Cut."),), source), Reading("[1] Budget [1]", (Passage("Raised."),))]
    text = Material(readings, "What of the budget?", "en").shown(2).text

    assert "--- Document «[1] Budget»" in text
    assert "--- Document «(1) Budget (1)»" in text
