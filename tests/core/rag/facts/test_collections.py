"""config/facts.toml: its collections, and the place of each problem."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.configuration import settings
from core.configuration.settings import SHIPPED
from core.errors import ConfigError, NotFound
from core.rag.facts.collections import FactCollections, load_collections

WHOLE = """
[leave]
title = { en = "Leave", fr = "Congés" }
refresh = "hourly"
facts_editors = ["slack:U1"]
[leave.origins]
handbook = { place = "leave" }
latest-news = { kind = "feed", url = "https://a.example/feed", keep_days = 3 }

[leave.origins.questions]
kind = "json"
url = "https://a.example/api"
fields = { title = "q", text = "a" }

[desk-2]
title = { en = "Desk", fr = "Bureau" }
"""


def load(tmp_path: Path, text: str) -> FactCollections:
    file = tmp_path / "facts.toml"
    file.write_text(text, encoding="utf-8")
    collections = FactCollections(file)
    collections.load()
    return collections


def test_collections_have_origins_and_a_schedule(tmp_path: Path) -> None:
    """A collection without origins is for what people add, and has no schedule."""
    collections = load(tmp_path, WHOLE)

    leave, desk = collections.get("leave"), collections.get("desk-2")
    assert ["guessed", "feed", "json"] == [each.kind for each in leave.origins.values()]
    assert ["handbook", "latest-news", "questions"] == list(leave.origins)
    assert (3600.0, ("slack:U1",)) == (leave.interval_s, leave.section.facts_editors)
    assert (None, None, "daily") == (desk.interval_s, desk.section.facts_editors, desk.section.refresh)
    with pytest.raises(NotFound, match="did you mean 'leave'"):
        collections.get("leaves")


TITLE = '[leave]\ntitle = { en = "L", fr = "C" }\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[leave]\n", "facts.toml:1: `leave.title` is missing"),
        (TITLE + 'refresh = "dayly"\n', "facts.toml:3: `leave.refresh`"),
        (TITLE + "refesh = 1\n", "facts.toml:3: `leave.refesh` is not a setting; did you mean `refresh`?"),
        (
            TITLE + '[leave.origins.news]\nkind = "fed"\n',
            "facts.toml:4: there is no kind of origin 'fed'; did you mean",
        ),
        (
            TITLE + '[leave.origins.news]\nkind = "feed"\nurl = "a"\n',
            "facts.toml:5: `leave.origins.news.url`: expected",
        ),
        (TITLE + '[leave.origins.news]\nkind = "feed"\nulr = "a"\n', "facts.toml:5: `leave.origins.news.ulr` is not"),
        (TITLE + '[leave.origins.news]\nkind = "folder"\n', "facts.toml:3: `leave.origins.news.path` is missing"),
        (TITLE + '[leave.origins.x]\nkind = "csv"\n', "facts.toml:3: `leave.origins.x`: either `path` or `url`"),
        (
            TITLE + 'facts_editors = ["U1"]\n',
            "facts.toml:3: `leave.facts_editors`: expected slack, discord, teams, web, a",
        ),
        ("[Leave]\n", "facts.toml:1: 'Leave' cannot name a collection"),
        ("leave = 1\n", "facts.toml:1: `leave`"),
        ("[leave\n", "facts.toml: not valid TOML"),
    ],
)
def test_a_problem_has_its_line(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, text)

    assert problem in refused.value.message


def test_the_shipped_file_has_no_collections() -> None:
    """Its example is one that loads."""
    shipped = SHIPPED / "facts.toml"
    assert {} == load_collections(shipped)


def test_the_example_of_the_shipped_file_loads(tmp_path: Path) -> None:
    """An operator removes the comment marks."""
    lines = (SHIPPED / "facts.toml").read_text(encoding="utf-8").splitlines()
    start = lines.index("# [leave]")

    collections = load(tmp_path, "\n".join(line.removeprefix("# ").removeprefix("#") for line in lines[start:]))

    assert ["handbook", "news", "questions"] == list(collections.get("leave").origins)


def test_a_bad_file_leaves_the_collections_as_they_are(tmp_path: Path) -> None:
    collections = load(tmp_path, WHOLE)
    collections.file.write_text("[leave\n")

    with pytest.raises(ConfigError):
        collections.load()

    assert ("leave", "desk-2") == collections.names()


def test_an_editor_of_the_settings_has_a_platform() -> None:
    """The error names the variable, and does not repeat the value."""
    assert ("slack:U1", "web:a@b.ca") == settings.load({"FACTS_EDITORS": "slack:U1, web:a@b.ca"}).rag.facts_editors
    for value in ("U777", "slack:, web:ana", "irc:x"):
        with pytest.raises(ConfigError, match="FACTS_EDITORS") as refused:
            settings.load({"FACTS_EDITORS": value})
        assert value not in refused.value.message
