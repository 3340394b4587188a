"""The operations of an OpenAPI document (Swagger 2.0, OpenAPI 3), each a Markdown text. Pure.

Reads JSON and YAML. Follows references inside the document only, a few levels deep: references may form circles, and
aliases of YAML may too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core import strict_json
from core.contract import Language
from core.errors import BadRequest, UnreadableDocument
from core.language import detect_language
from core.rag.documents import one_line
from core.rag.reading.charset import decode

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
OPERATIONS_LIMIT = 5_000
ITEMS_LIMIT = 200  # parameters, responses, or properties of one schema
REFERENCES_LIMIT = 8  # that lead to each other
DEPTH_LIMIT = 3  # of schemas inside schemas
SCHEMAS_LIMIT = 1000  # and properties, of one operation: schemas that refer to each other come again and again
TITLE_LIMIT_CHARS = 200
TEXT_LIMIT_CHARS = 20_000  # of one operation
LANGUAGE_SAMPLE_CHARS = 2000
VERSION = re.compile(rb"""(?:^|[{,\s])["']?(?:openapi|swagger)["']?\s*:\s*["']?[23]\.\d""")

Labels = Mapping[str, str]
LABELS: Mapping[Language, Labels] = {
    "en": {
        "parameters": "Parameters",
        "body": "Request body",
        "responses": "Responses",
        "servers": "Servers",
        "operations": "Operations",
        "required": "required",
        "deprecated": "Deprecated: do not use it in new programs.",
        "values": "one of",
    },
    "fr": {
        "parameters": "Paramètres",
        "body": "Corps de la requête",
        "responses": "Réponses",
        "servers": "Serveurs",
        "operations": "Opérations",
        "required": "obligatoire",
        "deprecated": "Désuet : ne pas l’utiliser dans de nouveaux programmes.",
        "values": "une valeur parmi",
    },
}


@dataclass(frozen=True, slots=True)
class ApiText:
    """The overview of an API, or one of its operations. `key` is unique in the document."""

    key: str
    title: str
    text: str  # Markdown
    url: str | None  # of its documentation elsewhere


def looks_like_openapi(body: bytes) -> bool:
    """Tells cheaply whether the body names its version of OpenAPI. `parse_api` knows for certain."""
    return VERSION.search(body) is not None


def parse_api(body: bytes, charset: str | None = None) -> list[ApiText]:
    """Returns the overview, then the operations in order. Raises UnreadableDocument."""
    return [*ApiReader(parse_root(body, charset)).texts()]


def parse_root(body: bytes, charset: str | None) -> Mapping[str, Any]:
    from core.rag.facts.plain_yaml import parse_yaml  # most processes never read YAML

    source = decode(body, charset)
    try:
        is_json = source.lstrip().startswith("{")
        root = (
            strict_json.parse(source.lstrip("\ufeff"), last_wins=True, values_limit=None)
            if is_json
            else parse_yaml(source)
        )
    except BadRequest as exc:
        raise UnreadableDocument(f"this OpenAPI document cannot be read: {exc.message}", "damaged") from exc
    if not isinstance(root, dict) or not ("openapi" in root or "swagger" in root):
        raise UnreadableDocument("this is no OpenAPI document: it names no version of OpenAPI", "kind")
    return root


class ApiReader:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        info = table(root.get("info"))
        self._title = plain(info.get("title")) or "API"
        self._about = "\n\n".join(filter(None, (plain(info.get("summary")), plain(info.get("description")))))
        self._operations = [*self._list_operations()]
        self._labels = LABELS[self._language()]
        self._schemas_left = SCHEMAS_LIMIT

    def _language(self) -> Language:
        described = (self._summary(each) for _, _, _, each in self._operations[:50])
        sample = ". ".join((self._title, self._about, *described))
        return detect_language(sample[:LANGUAGE_SAMPLE_CHARS]) or "en"

    def texts(self) -> Iterator[ApiText]:
        yield ApiText("", self._title[:TITLE_LIMIT_CHARS], self._overview(), link(self._root.get("externalDocs")))
        for path, method, shared, operation in self._operations:
            yield self._describe(path, method, shared, operation)

    def _list_operations(self) -> Iterator[tuple[str, str, Sequence[Any], Mapping[str, Any]]]:
        """Yields path, method, parameters that the path's operations share, and the operation."""
        found = 0
        for path, item in table(self._root.get("paths")).items():
            methods = self._follow(item)
            for method in METHODS:
                if isinstance(methods.get(method), dict):
                    found += 1
                    if found > OPERATIONS_LIMIT:
                        raise UnreadableDocument(f"it has more than {OPERATIONS_LIMIT:,} operations", "large")
                    yield path, method, rows(methods.get("parameters")), methods[method]

    def _overview(self) -> str:
        servers = [plain(self._follow(each).get("url")) for each in rows(self._root.get("servers"))]
        if not servers and "host" in self._root:
            servers = [plain(self._root.get("host")) + plain(self._root.get("basePath"))]
        operations = [
            f"- `{method.upper()} {one_line(path)}` {self._summary(operation)}".rstrip()
            for path, method, _, operation in self._operations[: 5 * ITEMS_LIMIT]
        ]
        parts = (
            self._about,
            self._section("servers", [f"- {each}" for each in servers if each]),
            self._section("operations", operations),
        )
        return "\n\n".join(filter(None, parts)) or self._title

    def _section(self, label: str, lines: Sequence[str]) -> str:
        return "\n".join([f"## {self._labels[label]}", "", *lines]) if lines else ""

    @staticmethod
    def _summary(operation: Mapping[str, Any]) -> str:
        return one_line(plain(operation.get("summary")) or plain(operation.get("operationId")))

    def _describe(self, path: str, method: str, shared: Sequence[Any], operation: Mapping[str, Any]) -> ApiText:
        self._schemas_left = SCHEMAS_LIMIT
        call = f"{method.upper()} {one_line(path)}"
        title = f"{self._summary(operation) or call} ({self._title})"
        parts = (
            f"`{call}`",
            self._labels["deprecated"] if is_true(operation.get("deprecated")) else "",
            plain(operation.get("summary")),
            plain(operation.get("description")),
            self._section("parameters", self._parameters(shared, rows(operation.get("parameters")))),
            self._section("body", self._body(operation)),
            self._section("responses", self._responses(operation)),
        )
        text = "\n\n".join(filter(None, parts))[:TEXT_LIMIT_CHARS]
        return ApiText(call, title[:TITLE_LIMIT_CHARS], text, link(operation.get("externalDocs")))

    # ---------------------------------------------------------------- parts of an operation

    def _parameters(self, shared: Sequence[Any], own: Sequence[Any]) -> list[str]:
        """Lists the parameters. One of the operation replaces a shared one of its name and place."""
        named = {}
        for each in [*shared, *own][:ITEMS_LIMIT]:
            parameter = self._follow(each)
            name, place = plain(parameter.get("name")), plain(parameter.get("in"))
            if name and place != "body":
                named[name, place] = parameter
        return [
            self._line(name, place, parameter, is_required=is_true(parameter.get("required")))
            for (name, place), parameter in named.items()
        ]

    def _line(self, name: str, place: str, value: Mapping[str, Any], *, is_required: bool) -> str:
        """Describes a parameter or property: "- `status` (query, string, required): The status. One of: a, b"."""
        schema = self._follow(value.get("schema")) or value
        about = [place, self._type_of(schema), self._labels["required"] if is_required else ""]
        details = ", ".join(filter(None, about))
        described = one_line(plain(value.get("description")) or plain(schema.get("description")))
        values = [plain(each) for each in rows(schema.get("enum"))[:ITEMS_LIMIT]]
        choice = f"({self._labels['values']} {', '.join(values)})" if values else ""
        line = " ".join(filter(None, (f"- `{name}`{f' ({details})' if details else ''}:", described, choice)))
        return line.removesuffix(":")

    def _type_of(self, schema: Mapping[str, Any]) -> str:
        kind = schema.get("type")
        named = ", ".join(map(plain, kind)) if isinstance(kind, list) else plain(kind)
        inner = self._type_of_items(schema) if named == "array" else plain(schema.get("format"))
        return f"{named} {inner}".strip() if inner else named

    def _type_of_items(self, schema: Mapping[str, Any]) -> str:
        return plain(self._follow(schema.get("items")).get("type"))

    def _body(self, operation: Mapping[str, Any]) -> list[str]:
        body = self._follow(operation.get("requestBody"))
        if not body:
            parameters = map(self._follow, rows(operation.get("parameters"))[:ITEMS_LIMIT])
            body = next((each for each in parameters if each.get("in") == "body"), {})
        described = plain(body.get("description"))
        return [*([described, ""] if described else []), *self._content_lines(body)]

    def _content_lines(self, content: Mapping[str, Any], indent: str = "") -> list[str]:
        """Lists the properties of the first media type's schema; Swagger 2 has the schema itself."""
        media = next(iter(table(content.get("content")).values()), None)
        schema = table(media).get("schema") if media is not None else content.get("schema")
        return [f"{indent}{line}" for line in self._properties(schema, 0)]

    def _properties(self, schema: Any, depth: int) -> list[str]:
        self._schemas_left -= 1
        if self._schemas_left < 0:
            return []
        followed = self._follow(schema)
        if followed.get("type") == "array":
            followed = self._follow(followed.get("items"))
        lines: list[str] = []
        for part in rows(followed.get("allOf"))[:ITEMS_LIMIT] if depth < DEPTH_LIMIT else ():
            lines += self._properties(part, depth + 1)
        required = [each for each in rows(followed.get("required")) if isinstance(each, str)]
        for name, each in list(table(followed.get("properties")).items())[:ITEMS_LIMIT]:
            if self._schemas_left < 0:
                break
            self._schemas_left -= 1
            lines.append(self._line(name, "", self._follow(each), is_required=name in required))
            if depth < DEPTH_LIMIT - 1:
                lines += [f"  {line}" for line in self._properties(each, depth + 1)]
        return lines[:ITEMS_LIMIT]

    def _responses(self, operation: Mapping[str, Any]) -> list[str]:
        lines = []
        for status, each in list(table(operation.get("responses")).items())[:ITEMS_LIMIT]:
            response = self._follow(each)
            lines.append(f"- {status}: {one_line(plain(response.get('description')))}".rstrip(": "))
            lines += self._content_lines(response, "  ")
        return lines

    def _follow(self, value: Any) -> Mapping[str, Any]:
        """Returns the table that a reference leads to, or the table itself; an empty one for anything else."""
        for _ in range(REFERENCES_LIMIT):
            reference = table(value).get("$ref")
            if not isinstance(reference, str):
                return table(value)
            value = self._root if reference.startswith("#/") else None
            for part in reference[2:].split("/"):
                value = table(value).get(part.replace("~1", "/").replace("~0", "~"))
        return {}


def table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def rows(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def plain(value: Any) -> str:
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def is_true(value: Any) -> bool:
    """YAML's texts are read as texts."""
    return value is True or value == "true"


def link(documentation: Any) -> str | None:
    url = plain(table(documentation).get("url"))
    return url if url.startswith(("https://", "http://")) and url.isprintable() and " " not in url else None
