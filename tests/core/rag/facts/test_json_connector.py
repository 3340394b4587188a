"""JSON endpoints as origins: fields by paths, further pages, limits, and secrets from the environment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from core.errors import ConfigError, FetchFailed, FetchRefused, UnreadableDocument
from core.rag.documents import Document
from core.rag.facts.connectors.json_endpoint import JsonConnector
from core.rag.facts.connectors.protocol import ConnectorTools, Origin
from core.rag.fetching.fetch import FetchedPage
from tests.core.rag.facts.support_fakes import FakeFetcher, FakeReader

URL = "https://api.example/items"
FIELDS = {"title": "name.en", "text": ["answer", "notes"], "id": "id", "url": "links.page"}


def entry(number: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "name": {"en": f"Item {number}"}, "answer": f"Answer {number}.", **more}


class Endpoint:
    """Serves JSON by URL, and lists it with a connector."""

    def __init__(self, pages: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> None:
        bodies = {url: (json.dumps(each).encode(), "application/json") for url, each in pages.items()}
        self.fetcher = FakeFetcher(bodies)
        self.tools = ConnectorTools(self.fetcher, FakeReader(), environ=environ or {})

    async def list(self, **fields: Any) -> Origin:
        connector = JsonConnector.model_validate({"kind": "json", "url": URL, "fields": FIELDS, **fields})
        return await connector.list_origin(self.tools)


def keys(origin: Origin) -> list[str]:
    return [each.key.removeprefix(f"{URL}#") for each in origin.entries]


async def read(origin: Origin, number: int = 0) -> Document:
    return await (await origin.entries[number].open()).read()


async def test_paths_name_the_fields() -> None:
    """Several texts are put together, links become absolute, and entries without text are left out."""
    page = {"data": {"items": [entry(1, notes="Since May.", links={"page": "/one"}), {"id": 2}, "no object"]}}

    origin = await Endpoint({URL: page}).list(entries="data.items")

    document = await read(origin)
    assert ["1"] == keys(origin)
    assert ("Item 1", "https://api.example/one") == (document.title, document.url)
    assert "Answer 1.\n\nSince May." == document.passages[0].text


async def test_a_changed_entry_has_another_digest() -> None:
    """Fields that are not read make no difference."""
    first, other, changed = [
        (await (await Endpoint({URL: [each]}).list()).entries[0].open()).digest
        for each in (entry(1), entry(1, views=7), entry(1, answer="Other."))
    ]

    assert first == other != changed


async def test_the_next_page_is_named_by_the_answer() -> None:
    """Relative addresses are of the endpoint; the last page names none."""
    pages = {URL: {"items": [entry(1)], "next": "?page=2"}, f"{URL}?page=2": {"items": [entry(2)], "next": None}}

    assert ["1", "2"] == keys(await Endpoint(pages).list(entries="items", next_page="next"))


async def test_pages_are_numbered() -> None:
    """An empty page ends the list; so does a server that ignores the number and repeats a page."""
    numbered = {f"{URL}?q=x&page={number}": [entry(number)] for number in (1, 2)}
    repeating = {f"{URL}?q=x&page={number}": [entry(1)] for number in (1, 2)}
    options = {"url": f"{URL}?q=x", "page_parameter": "page"}

    for pages, expected in (({**numbered, f"{URL}?q=x&page=3": []}, 2), (repeating, 1)):
        assert expected == len((await Endpoint(pages).list(**options)).entries)


async def test_what_the_limits_leave_out_is_said() -> None:
    """The operator learns that there is more, from either limit."""
    pages = {URL: {"items": [entry(1), entry(2)], "next": "?p=2"}, f"{URL}?p=2": {"items": [entry(3)]}}
    options = {"entries": "items", "next_page": "next"}

    by_pages = await Endpoint(pages).list(**options, pages_limit=1)
    by_entries = await Endpoint(pages).list(**options, entries_limit=1)

    assert (["1", "2"], ["1"]) == (keys(by_pages), keys(by_entries))
    assert "more than the first 2 entries" in by_pages.left_out
    assert "more than the first 1 entries" in by_entries.left_out
    assert "" == (await Endpoint(pages).list(**options)).left_out


async def test_a_secret_comes_from_the_environment() -> None:
    """It goes to the endpoint alone: a next page of another host is refused. No error repeats it."""
    pages = {URL: {"items": [entry(1)], "next": "https://elsewhere.example/steal"}}
    endpoint = Endpoint(pages, {"API_KEY": "Bearer secret-1"})

    await endpoint.list(entries="items", header_from="API_KEY")
    assert [{"Authorization": "Bearer secret-1"}] == endpoint.fetcher.headers
    with pytest.raises(FetchRefused, match="another host"):
        await endpoint.list(entries="items", header_from="API_KEY", next_page="next")
    with pytest.raises(ConfigError, match="OTHER_KEY is not set"):
        await endpoint.list(header_from="OTHER_KEY")
    with pytest.raises(ConfigError) as refused:
        await Endpoint(pages, {"API_KEY": "secret-1\r\nX: y"}).list(header_from="API_KEY")
    assert "secret-1" not in refused.value.message


@pytest.mark.parametrize("answer", [{"other": []}, "text", 7, None, {"items": {"a": 1}}])
async def test_an_answer_without_the_list_is_refused(answer: Any) -> None:
    """The error names the path."""
    with pytest.raises(UnreadableDocument, match="no list at items"):
        await Endpoint({URL: answer}).list(entries="items")


@pytest.mark.parametrize(
    "fields",
    [
        {"next_page": "a", "page_parameter": "b"},
        {"header": "X Y"},
        {"header_from": "Bearer abc"},
        {"url": "ftp://a"},
        {"fields": {"title": "a"}},
    ],
)
def test_impossible_settings_are_refused(fields: Mapping[str, Any]) -> None:
    """A secret in place of the name of its variable is one of them."""
    with pytest.raises(ValidationError):
        JsonConnector.model_validate({"kind": "json", "url": URL, "fields": FIELDS, **fields})


async def test_numbered_pages_end_where_the_site_refuses() -> None:
    """WordPress answers 400 to the page after the last one. The first page must be there."""
    pages = {f"{URL}?page={number}": [entry(number)] for number in (1, 2)}

    assert ["1", "2"] == keys(await Endpoint(pages).list(page_parameter="page"))
    with pytest.raises(FetchFailed):
        await Endpoint({}).list(page_parameter="page")


async def test_a_site_that_fails_between_pages_is_an_error() -> None:
    """The entries of the other pages would otherwise be removed."""
    endpoint = Endpoint({f"{URL}?page=1": [entry(1)]})
    fetch = endpoint.fetcher.fetch

    async def fail_later(url: str, **options: Any) -> FetchedPage:
        if url.endswith("=2"):
            raise FetchFailed("busy", "busy", 503)
        return await fetch(url, **options)

    endpoint.fetcher.fetch = fail_later  # type: ignore[method-assign]
    with pytest.raises(FetchFailed, match="busy"):
        await endpoint.list(page_parameter="page")


async def test_titles_lose_their_markup() -> None:
    """WordPress renders titles as HTML."""
    origin = await Endpoint({URL: [{"id": 1, "name": {"en": "Leave &amp; <em>pay</em>"}, "answer": "a"}]}).list()

    assert "Leave & pay" == (await read(origin)).title


async def test_entries_without_text_are_said() -> None:
    """A wrong path in `fields` would otherwise look like an empty list."""
    origin = await Endpoint({URL: [{"id": 1}, {"id": 2}]}).list()

    assert "2 entries have neither a title nor a text at the paths of `fields`" == origin.left_out
