"""What a `$ref` means within its own document. Nothing is ever fetched: what lies elsewhere is refused by its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

from core.errors import SchemaRefused
from core.toil.schema.drafts import URIS, Draft, Schema, children, draft_of

BASE = "http://schema.invalid/"  # of a document that names none; no such host can be
SHOWN_CHARS = 200


@dataclass(frozen=True, slots=True)
class Target:
    """A schema and its pointer in the document."""

    schema: Schema
    at: str


@dataclass
class References:
    """The document's own addresses. `of` builds it in one walk."""

    root: Schema
    draft: Draft
    _bases: dict[str, str] = field(default_factory=dict)  # by pointer: the URI that references there are relative to
    _resources: dict[str, Target] = field(default_factory=dict)  # by URI without a fragment
    _anchors: dict[str, Target] = field(default_factory=dict)  # by URI with its fragment
    _dynamic: dict[str, list[Target]] = field(default_factory=dict)  # by bare name

    @classmethod
    def of(cls, schema: Schema) -> References:
        found = cls(schema, draft_of(schema))
        found._resources[BASE] = Target(schema, "")
        waiting: list[tuple[str, Schema, str]] = [("", schema, BASE)]
        while waiting:
            at, each, base = waiting.pop()
            if isinstance(each, dict):
                base = found._note(each, at, base)
                waiting.extend((at + step, inner, base) for step, inner in children(each))
            found._bases[at] = base
        return found

    def _note(self, schema: dict[str, Any], at: str, base: str) -> str:
        """Takes down the names that a schema gives itself; its base."""
        here = Target(schema, at)
        named = schema.get("id" if self.draft == Draft.DRAFT4 else "$id")
        # Up to draft 7 a `$ref` hides all that stands beside it.
        if isinstance(named, str) and not (self.draft <= Draft.DRAFT7 and "$ref" in schema):
            uri, fragment = urldefrag(joined(base, named))
            if fragment:
                self._anchors.setdefault(f"{uri}#{fragment}", here)
            if not named.startswith("#"):
                base = uri
                self._resources.setdefault(uri, here)
        for word in ("$anchor", "$dynamicAnchor"):
            if isinstance(name := schema.get(word), str):
                self._anchors.setdefault(f"{base}#{name}", here)
                if word == "$dynamicAnchor":
                    self._dynamic.setdefault(name, []).append(here)
        if schema.get("$recursiveAnchor") is True:
            self._dynamic.setdefault("", []).append(here)
        return base

    def resolve(self, reference: str, at: str) -> Target | None:
        """What the reference at this pointer means; None for a draft's own metaschema, which the check knows.

        Raises SchemaRefused if it lies elsewhere or nowhere.
        """
        uri, fragment = urldefrag(joined(self._base(at), reference))
        if uri.split("://", 1)[-1] in URIS:
            return None
        resource = self._resources.get(uri)
        if resource is None:
            raise SchemaRefused(
                f"{at}: {reference[:SHOWN_CHARS]} lies outside of the schema, and nothing is fetched; "
                "put what it refers to under `$defs`"
            )
        target = self._anchors.get(f"{uri}#{fragment}")
        if target is None and (not fragment or fragment.startswith("/")):
            target = descend(resource, unquote(fragment))
        if target is None:
            raise SchemaRefused(f"{at}: {reference[:SHOWN_CHARS]} refers to nothing in the schema")
        return target

    def resolve_dynamic(self, reference: str, at: str) -> Target | None:
        """What a `$dynamicRef` or `$recursiveRef` means if that can be known before an instance is there, else None."""
        candidates = self._dynamic.get(reference.rpartition("#")[2], [])
        target = self.resolve(reference, at)
        others = [each for each in candidates if target is None or each.at != target.at]
        return None if others else target

    def _base(self, at: str) -> str:
        """A pointer into an unknown keyword belongs to what is round it."""
        place = at
        while place not in self._bases:
            place = place.rpartition("/")[0]
        return self._bases[place]


def joined(base: str, reference: str) -> str:
    """As urljoin, also for bases that have no hierarchy, such as urn:…"""
    return f"{urldefrag(base).url}{reference}" if reference.startswith("#") else urljoin(base, reference)


def descend(resource: Target, pointer: str) -> Target | None:
    """The schema at a JSON pointer below the resource."""
    value: Any = resource.schema
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, Mapping) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return Target(value, resource.at + pointer) if isinstance(value, dict | bool) else None
