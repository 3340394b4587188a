"""The subschemas of one document, their JSON pointers and the targets of `$ref`. Never fetches anything."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

from core.errors import SchemaRefused
from core.toil.schema.drafts import DRAFT_URIS, Draft, Schema, children, detect_draft, escape_token, normalize_keywords
from core.toil.schema.values import allowed_types

BASE = "http://schema.invalid/"  # for a document without `$id`; RFC 2606 reserves .invalid, so it never resolves
SHOWN_CHARS = 200


@dataclass(frozen=True, slots=True)
class LocatedSchema:
    """A schema and its JSON pointer in the document."""

    schema: Schema
    pointer: str


@dataclass(frozen=True, slots=True)
class Sharing:
    """The parts of a value that several schemas describe. Such a part is closed by the schema that encloses them all.

    `names`: of properties, each with the parts that are shared inside it. `branches`: the schema that closes each
    branch of the value's `anyOf` and `oneOf`, by the branch's pointer, as JSON, because it has to be hashable.
    """

    names: tuple[tuple[str, Sharing], ...] = ()
    items: Sharing | None = None
    everything: bool = False
    branches: tuple[tuple[str, str], ...] = ()

    def closing_of(self, branch: LocatedSchema) -> Schema:
        closing: Schema = json.loads(dict(self.branches).get(branch.pointer, "true"))
        return closing

    def of(self, name: str) -> Sharing | None:
        """The shared parts inside a property; None if one schema describes it alone."""
        return self if self.everything else dict(self.names).get(name)

    @property
    def of_items(self) -> Sharing | None:
        return self if self.everything else self.items

    def union(self, other: Sharing) -> Sharing:
        if self.everything or other.everything:
            return EVERYTHING
        names = dict(self.names)
        for name, inner in other.names:
            names[name] = names[name].union(inner) if name in names else inner
        items = self.items.union(other.items) if self.items and other.items else self.items or other.items
        return Sharing(tuple(names.items()), items)


NOTHING = Sharing()
EVERYTHING = Sharing(everything=True)


@dataclass
class SchemaNode:
    """One schema object in 2020-12 keywords."""

    schema: dict[str, Any]
    pointer: str
    draft: Draft

    def __post_init__(self) -> None:
        self.keywords, self._original_steps = normalize_keywords(self.schema, self.draft)

    def pointer_to(self, keyword: str, *steps: str | int) -> str:
        """The pointer of a keyword, or of a value inside it, in the original document."""
        tokens = "".join(f"/{escape_token(str(step))}" for step in steps)
        return self.pointer + self._original_steps.get(keyword, f"/{keyword}") + tokens

    def subschemas(self, keyword: str) -> list[LocatedSchema]:
        """The schemas of a keyword whose value is a list."""
        value = self.keywords.get(keyword)
        parts = value if isinstance(value, list) else ()
        return [LocatedSchema(each, self.pointer_to(keyword, n)) for n, each in enumerate(parts)]

    def subschema_map(self, keyword: str) -> dict[str, LocatedSchema]:
        """The schemas of a keyword whose value is a map."""
        schemas = self.keywords.get(keyword, {})
        return {name: LocatedSchema(each, self.pointer_to(keyword, name)) for name, each in schemas.items()}

    def subschema(self, keyword: str) -> LocatedSchema:
        """The schema of a keyword that takes one schema; `true` where the keyword is absent."""
        return LocatedSchema(self.keywords.get(keyword, True), self.pointer_to(keyword))

    @cached_property
    def types(self) -> frozenset[str]:
        return allowed_types(self.keywords.get("type"))


@dataclass
class SchemaReferences:
    """The URIs and anchors of one document. `of` collects them in one walk."""

    root: Schema
    draft: Draft
    _bases: dict[str, str] = field(default_factory=dict)  # base URI by JSON pointer
    _resources: dict[str, LocatedSchema] = field(default_factory=dict)  # by URI without its fragment
    _anchors: dict[str, LocatedSchema] = field(default_factory=dict)  # by URI with its fragment
    _dynamic: dict[str, list[LocatedSchema]] = field(default_factory=dict)  # by anchor name

    @classmethod
    def of(cls, schema: Schema) -> SchemaReferences:
        references = cls(schema, detect_draft(schema))
        references._resources[BASE] = LocatedSchema(schema, "")
        waiting: list[tuple[str, Schema, str]] = [("", schema, BASE)]
        while waiting:
            pointer, each, base = waiting.pop()
            if isinstance(each, dict):
                base = references._register(each, pointer, base)
                waiting.extend((pointer + step, inner, base) for step, inner in children(each))
            references._bases[pointer] = base
        return references

    def _register(self, schema: dict[str, Any], pointer: str, base: str) -> str:
        """Records the identifiers that a schema declares. Returns its base URI."""
        here = LocatedSchema(schema, pointer)
        identifier = schema.get("id" if self.draft == Draft.DRAFT4 else "$id")
        # Up to draft 7, `$ref` hides its sibling keywords.
        if isinstance(identifier, str) and not (self.draft <= Draft.DRAFT7 and "$ref" in schema):
            uri, fragment = urldefrag(join_uri(base, identifier))
            if fragment:
                self._anchors.setdefault(f"{uri}#{fragment}", here)
            if not identifier.startswith("#"):
                base = uri
                self._resources.setdefault(uri, here)
        for keyword in ("$anchor", "$dynamicAnchor"):
            if isinstance(name := schema.get(keyword), str):
                self._anchors.setdefault(f"{base}#{name}", here)
                if keyword == "$dynamicAnchor":
                    self._dynamic.setdefault(name, []).append(here)
        if schema.get("$recursiveAnchor") is True:
            self._dynamic.setdefault("", []).append(here)
        return base

    def resolve(self, reference: str, pointer: str) -> LocatedSchema | None:
        """The target of the reference at this pointer; None for a draft's metaschema, which the validator knows.

        Raises SchemaRefused if the target is outside the document or does not exist.
        """
        uri, fragment = urldefrag(join_uri(self._base(pointer), reference))
        if uri.split("://", 1)[-1] in DRAFT_URIS:
            return None
        resource = self._resources.get(uri)
        if resource is None:
            raise SchemaRefused(
                f"{pointer}: {reference[:SHOWN_CHARS]} lies outside of the schema, and nothing is fetched; "
                "put its definition under `$defs`"
            )
        target = self._anchors.get(f"{uri}#{fragment}")
        if target is None and (not fragment or fragment.startswith("/")):
            target = follow_pointer(resource, unquote(fragment))
        if target is None:
            raise SchemaRefused(f"{pointer}: {reference[:SHOWN_CHARS]} refers to nothing in the schema")
        return target

    def resolve_dynamic(self, reference: str, pointer: str) -> LocatedSchema | None:
        """The target of a `$dynamicRef` or `$recursiveRef`; None if it depends on the instance."""
        candidates = self._dynamic.get(reference.rpartition("#")[2], [])
        target = self.resolve(reference, pointer)
        others = [each for each in candidates if target is None or each.pointer != target.pointer]
        return None if others else target

    def _base(self, pointer: str) -> str:
        """The base URI at a pointer. Inside an unknown keyword, the enclosing schema's base applies."""
        while pointer not in self._bases:
            pointer = pointer.rpartition("/")[0]
        return self._bases[pointer]


def in_place_schemas(node: SchemaNode, references: SchemaReferences) -> Iterator[tuple[LocatedSchema, bool]]:
    """The schemas that apply to the same value as `node`, and whether each always applies. Leaves out `not`."""
    if isinstance(reference := node.keywords.get("$ref"), str):
        target = references.resolve(reference, node.pointer_to("$ref"))
        yield from [(target, True)] if target else []
    yield from ((each, True) for each in node.subschemas("allOf"))
    yield from ((each, False) for keyword in ("anyOf", "oneOf") for each in node.subschemas(keyword))
    yield from ((node.subschema(word), False) for word in ("if", "then", "else") if word in node.keywords)
    yield from ((each, False) for each in node.subschema_map("dependentSchemas").values())


def join_uri(base: str, reference: str) -> str:
    """Joins as urljoin does, and also fragments to bases without a hierarchy, such as `urn:…`."""
    return f"{urldefrag(base).url}{reference}" if reference.startswith("#") else urljoin(base, reference)


def follow_pointer(resource: LocatedSchema, pointer: str) -> LocatedSchema | None:
    """The schema at a JSON pointer below the resource."""
    value: Any = resource.schema
    for token in pointer.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, Mapping) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return LocatedSchema(value, resource.pointer + pointer) if isinstance(value, dict | bool) else None
