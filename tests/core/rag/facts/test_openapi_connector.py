"""OpenAPI documents as origins: a document for each operation, references, YAML, and hostile documents."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from core.errors import UnreadableDocument
from core.rag.facts.api_operations import parse_api
from core.rag.facts.connectors.openapi import OpenApiConnector
from core.rag.facts.connectors.protocol import ConnectorTools, Origin
from core.rag.facts.origins import Origins
from core.rag.facts.plain_yaml import parse_yaml
from tests.core.rag.facts.support_fakes import FakeFetcher, FormatReader

URL = "https://api.example/openapi.yaml"
API = """
openapi: 3.0.3
info: {title: Leave API, description: Leave of public servants.}
servers: [{url: 'https://api.example/v1'}]
paths:
  /leave/{id}:
    parameters:
      - $ref: '#/components/parameters/Id'
    get:
      summary: Get a leave request
      description: Returns the request with its days.
      parameters:
        - {name: lang, in: query, description: Language of the texts, schema: {type: string, enum: [en, fr]}}
      responses:
        200:
          description: The request
          content: {application/json: {schema: {$ref: '#/components/schemas/Leave'}}}
        404: {description: There is no such request}
      externalDocs: {url: 'https://docs.example/leave'}
    delete: {deprecated: true, responses: {'204': {description: Deleted}}}
components:
  parameters:
    Id: {name: id, in: path, required: true, schema: {type: string}, description: The number of the request}
  schemas:
    Leave:
      required: [days]
      properties:
        days: {type: integer, description: Working days}
        person: {$ref: '#/components/schemas/Person'}
    Person: {type: object, properties: {name: {type: string}, manager: {$ref: '#/components/schemas/Person'}}}
"""


async def list_url(body: str, media_type: str = "application/yaml") -> Origin:
    fetcher = FakeFetcher({URL: (body.encode(), media_type)})
    return await Origins(fetcher, FormatReader()).find(URL)


async def test_each_operation_is_a_document() -> None:
    """With its parameters, those of its path, its responses and their properties. The API has an overview."""
    origin = await list_url(API)

    overview, get, delete = [await (await entry.open()).read() for entry in origin.entries]
    assert [f"{URL}#", f"{URL}#GET /leave/{{id}}", f"{URL}#DELETE /leave/{{id}}"] == [e.key for e in origin.entries]
    assert ("Leave API", URL) == (overview.title, overview.url)
    assert ("Get a leave request (Leave API)", "https://docs.example/leave") == (get.title, get.url)
    read = "\n".join(passage.text for passage in get.passages)
    for line in (
        "Returns the request with its days.",
        "- `id` (path, string, required): The number of the request",
        "- `lang` (query, string): Language of the texts (one of en, fr)",
        "- 200: The request",
        "  - `days` (integer, required): Working days",
        "- 404: There is no such request",
    ):
        assert line in read
    assert "Deprecated" in delete.passages[0].text
    assert "GET /leave/{id}" in overview.passages[-1].text


async def test_json_and_swagger_2_are_read(tmp_path: Path) -> None:
    """From a file too. A parameter in the body is the request's body; French descriptions have French headings."""
    api = {
        "info": {"title": "API des congés", "description": "Donne accès aux congés des fonctionnaires."},
        "swagger": "2.0",
        "host": "api.example",
        "basePath": "/v1",
        "paths": {
            "/conges": {
                "post": {
                    "summary": "Créer une demande",
                    "parameters": [{"name": "x", "in": "body", "schema": {"$ref": "#/definitions/Demande"}}],
                    "responses": {"201": {"description": "La demande est créée"}},
                }
            }
        },
        "definitions": {"Demande": {"properties": {"jours": {"description": "Les jours"}}}},
    }
    (tmp_path / "api.json").write_text(json.dumps(api), encoding="utf-8")

    connector = OpenApiConnector(kind="openapi", path="api.json")
    origin = await connector.list_origin(ConnectorTools(FakeFetcher({}), FormatReader(), tmp_path))

    documents = [await (await entry.open()).read() for entry in origin.entries]
    assert "- api.example/v1" in [each.text for each in documents[0].passages]
    read = "\n".join(f"{each.heading}\n{each.text}" for each in documents[1].passages)
    assert ("Créer une demande (API des congés)", "fr") == (documents[1].title, documents[1].language)
    for text in ("Corps de la requête", "`jours`: Les jours", "Réponses", "201: La demande est créée"):
        assert text in read


async def test_a_changed_operation_alone_is_read_again() -> None:
    """Digests belong to operations, so that one sentence does not embed a whole API again."""

    async def digests(body: str) -> list[str]:
        return [(await entry.open()).digest for entry in (await list_url(body)).entries]

    before, after = await digests(API), await digests(API.replace("Deleted", "It is deleted"))

    assert [True, True, False] == [old == new for old, new in zip(before, after, strict=True)]


@pytest.mark.parametrize(
    ("body", "media_type"),
    [("title: openapi\n", "application/yaml"), ('{"apis": [{"openapi": "3.0.0"}]}', "text/plain")],
)
async def test_a_text_about_apis_is_a_document(body: str, media_type: str) -> None:
    """Only the document's own version counts."""
    assert [URL] == [entry.key for entry in (await list_url(body, media_type)).entries]


ITSELF = {"$ref": "#/s"}
SELF_REFERENCE = {"properties": dict.fromkeys(map(str, range(300)), ITSELF), "allOf": [ITSELF] * 200}
RESPONSE = {"200": {"content": {"application/json": {"schema": {"$ref": "#/s"}}}}}


@pytest.mark.parametrize(
    "body",
    [
        "openapi: 3.0.0\nx: " + "[" * 100_000,
        "openapi: 3.0.0\npaths: &a {/x: *a}",
        "openapi: 3.0.0\nx0: &x0 [a]\n" + "".join(f"x{n + 1}: &x{n + 1} [*x{n}, *x{n}]\n" for n in range(60)),
        "openapi: 3.0.0\nx: !!python/object/apply:os.abort []",
        "openapi: 3.0.0\n\tx: y",
        "openapi: 3.0.0\nx: \x01",
        "openapi: 3.0.0\n? [a]\n: b",
        "openapi: 3.0.0\npaths: {/a: {$ref: '#/paths/~1a'}}",
        json.dumps({"openapi": "3.0.0", "paths": {"/a": {"get": {"responses": RESPONSE}}}, "s": SELF_REFERENCE}),
        '{"openapi": "3.0.0", "paths": ' + "[" * 100_000,
        '{"openapi": "3.0.0", "paths": [], "info": 7, "servers": {}}',
    ],
)
def test_hostile_documents_end_in_texts_or_an_error(body: str) -> None:
    """Deep nesting, circles, aliases of aliases, tags, and tables in place of texts."""
    try:
        texts = parse_api(body.encode())
    except UnreadableDocument as exc:
        assert exc.message  # noqa: PT017
    else:
        assert 0 < sum(len(each.text) for each in texts) < 50_000


def test_more_operations_than_the_limit_are_refused() -> None:
    """A part would be taken for all: the rest would be removed from the collection."""
    paths = {f"/{number}": {"get": {}} for number in range(5001)}
    with pytest.raises(UnreadableDocument, match="more than 5,000 operations"):
        parse_api(json.dumps({"openapi": "3.1.0", "paths": paths}).encode())


def test_yaml_values_are_texts() -> None:
    """A version such as 1.10 and a country such as NO stay as they are written. Aliases are resolved."""
    value = parse_yaml("a: &v 1.10\nb: NO\nc: [*v, 2026-01-01]\nd: {<<: *v}\n--- second\n")

    assert {"a": "1.10", "b": "NO", "c": ["1.10", "2026-01-01"], "d": {"<<": "1.10"}} == value


@pytest.mark.parametrize("fields", [{}, {"path": "a", "url": URL}])
def test_an_origin_has_one_place(fields: dict[str, str]) -> None:
    """Either a path or a URL."""
    with pytest.raises(ValidationError, match="either `path` or `url`"):
        OpenApiConnector.model_validate({"kind": "openapi", **fields})
