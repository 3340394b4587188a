"""Translates a schema to one that llguidance 1.9 enforces in full. The result allows the same values, or more.

`SchemaTranslator` visits the document once and reports for each keyword whether it is enforced. When `narrow`, it gives
up values instead: it leaves out every optional part that it cannot enforce, so that even a weak model conforms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from core.errors import SchemaRefused
from core.toil.schema import negation
from core.toil.schema.arrays import translate_arrays
from core.toil.schema.closing import Closure, close
from core.toil.schema.disjointness import ConstraintCache, are_disjoint
from core.toil.schema.drafts import Schema
from core.toil.schema.objects import translate_objects
from core.toil.schema.references import EVERYTHING, NOTHING, LocatedSchema, SchemaNode, SchemaReferences, Sharing
from core.toil.schema.scalars import translate_scalars
from core.toil.schema.translation import UNENFORCED, Translation, intersection, union

STEPS_LIMIT = 50_000
BRANCHES_LIMIT = 100  # of a `oneOf`; each branch is compared to each other
OVERLAPS_LIMIT = 12  # overlapping pairs of `oneOf` that are written out; each makes the grammar larger


class SchemaTranslator:
    """`closing`: limits objects to declared properties (see `closing`)."""

    def __init__(self, references: SchemaReferences, *, narrow: bool = False, closing: bool = True) -> None:
        self.references = references
        self.draft = references.draft
        self.narrow = narrow
        self.definitions: dict[str, Schema] = {}
        self.enforced: dict[str, bool] = {}  # by a keyword's pointer
        self.meant_numbers: dict[int, int | float] = {}  # by the number that the engine can write
        self._closing = closing
        self._names: dict[tuple[str, Sharing | None], str] = {}
        self._exact: dict[str, bool] = {}
        self._unreported = 0
        self._steps = 0

    def translate(self, located: LocatedSchema, sharing: Sharing | None = None) -> Translation:
        """`sharing`: None if no other schema applies to the value; otherwise the enclosing one closes its objects."""
        self.count_step(located.pointer)
        if isinstance(located.schema, bool):
            return Translation(located.schema)
        node = SchemaNode(located.schema, located.pointer, self.draft)
        closure = self._closure(node) if sharing is None else Closure(sharing)
        parts = [*self._references(node, closure), *translate_scalars(self, node)]
        parts += [*translate_objects(self, node, closure), *translate_arrays(self, node, closure)]
        parts += [*self._applicators(node, closure), Translation(closure.here)]
        return intersection(parts)

    def _closure(self, node: SchemaNode) -> Closure:
        return close(node, self.references, narrow=self.narrow) if self._closing else Closure(EVERYTHING)

    def translate_unreported(self, located: LocatedSchema) -> Translation:
        """Translates without reports: the enclosing keyword reports for its content. Closes no objects."""
        with self._without_reports():
            return self.translate(located, EVERYTHING)

    def negate(self, located: LocatedSchema) -> Translation:
        with self._without_reports():
            return negation.negate(self, located)

    @contextmanager
    def _without_reports(self) -> Iterator[None]:
        self._unreported += 1
        try:
            yield
        finally:
            self._unreported -= 1

    def report(self, pointer: str, enforced: bool) -> None:
        if not self._unreported:
            self.enforced[pointer] = self.enforced.get(pointer, True) and enforced

    def report_if_present(self, node: SchemaNode, keyword: str, *, enforced: bool) -> None:
        if keyword in node.keywords:
            self.report(node.pointer_to(keyword), enforced)

    def count_step(self, pointer: str) -> None:
        self._steps += 1
        if self._steps > STEPS_LIMIT:
            raise SchemaRefused(f"{pointer or 'the root'}: the schema unfolds to too many parts; split or simplify it")

    # ---- references

    @property
    def has_exact_definitions(self) -> bool:
        """True if no translation relied on a recursive definition that turned out not to be exact."""
        return all(self._exact.values())

    def _references(self, node: SchemaNode, closure: Closure) -> Iterator[Translation]:
        if isinstance(reference := node.keywords.get("$ref"), str):
            target = self.references.resolve(reference, node.pointer_to("$ref"))
            yield self._reference(node, "$ref", target, closure.sharing)
        if isinstance(reference := node.keywords.get("$dynamicRef"), str):
            target = self.references.resolve_dynamic(reference, node.pointer_to("$dynamicRef"))
            yield self._reference(node, "$dynamicRef", target, closure.sharing)

    def _reference(
        self, node: SchemaNode, keyword: str, target: LocatedSchema | None, sharing: Sharing | None
    ) -> Translation:
        translated = UNENFORCED if target is None else self._definition(target, sharing)
        self.report(node.pointer_to(keyword), translated is not UNENFORCED)
        return translated

    def _definition(self, target: LocatedSchema, sharing: Sharing | None) -> Translation:
        """A `$ref` to the target's definition, which is translated once for each `sharing`."""
        key = (target.pointer, sharing)
        if key not in self._names:
            name = self._names[key] = f"d{len(self._names)}"
            self._exact[name] = True  # assumed by recursive references until the translation is complete
            translated = self.translate(target, sharing)
            self.definitions[name], self._exact[name] = translated
        name = self._names[key]
        schema = self.definitions.get(name)
        return Translation(schema if isinstance(schema, bool) else {"$ref": f"#/$defs/{name}"}, self._exact[name])

    # ---- applicators: keywords that apply schemas to the same value

    def _applicators(self, node: SchemaNode, closure: Closure) -> Iterator[Translation]:
        yield from (self.translate(each, closure.sharing) for each in node.subschemas("allOf"))
        self.report_if_present(node, "allOf", enforced=True)
        if "anyOf" in node.keywords:
            yield self._any_of(node, closure)
        if "oneOf" in node.keywords:
            yield self._one_of(node, closure)
        if "not" in node.keywords:
            negated = self.negate(node.subschema("not"))
            self.report(node.pointer_to("not"), negated.exact)
            yield negated
        if "if" in node.keywords and ("then" in node.keywords or "else" in node.keywords):
            yield self._if(node, closure)

    def _branches(self, node: SchemaNode, keyword: str, closure: Closure) -> list[Translation]:
        sharing = closure.sharing or NOTHING
        return [
            intersection([self.translate(each, closure.sharing), Translation(sharing.closing_of(each))])
            for each in node.subschemas(keyword)
        ]

    def _any_of(self, node: SchemaNode, closure: Closure) -> Translation:
        branches = self._branches(node, "anyOf", closure)
        translated = union(self._prefer_exact(branches))
        self.report(node.pointer_to("anyOf"), translated != UNENFORCED)
        return translated

    def _prefer_exact(self, branches: list[Translation]) -> list[Translation]:
        """Keeps only the exact branches when narrow, if there are any."""
        exact = [branch for branch in branches if branch.exact and branch.schema is not False]
        return exact if self.narrow and exact else branches

    def _one_of(self, node: SchemaNode, closure: Closure) -> Translation:
        branches = node.subschemas("oneOf")
        translated_branches = self._branches(node, "oneOf", closure)
        here = LocatedSchema(node.schema, node.pointer)
        if len(branches) > BRANCHES_LIMIT:
            self.report(node.pointer_to("oneOf"), False)
            return Translation(union(translated_branches).schema, exact=False)
        cache: ConstraintCache = {}
        overlaps = [
            (n, m)
            for n in range(len(branches))
            for m in range(n)
            if not are_disjoint([here, branches[n]], [here, branches[m]], self.references, cache)
        ]
        excluded = overlaps if len(overlaps) <= OVERLAPS_LIMIT else []
        translations = [
            intersection([branch, *(self.negate(branches[m]) for m in partners(n, excluded))])
            for n, branch in enumerate(translated_branches)
        ]
        separated = len(excluded) == len(overlaps) and all(
            self.negate(branches[m]).exact for pair in excluded for m in pair
        )
        self.report(node.pointer_to("oneOf"), separated)
        translated = union(self._prefer_exact(translations) if separated else translations)
        return Translation(translated.schema, translated.exact and separated)

    def _if(self, node: SchemaNode, closure: Closure) -> Translation:
        condition = node.subschema("if")
        then, otherwise = (self.translate(node.subschema(word), closure.sharing) for word in ("then", "else"))
        met, unmet = self.translate_unreported(condition), self.negate(condition)
        translated = union([intersection([met, then]), intersection([unmet, otherwise])])
        decided = met.exact and unmet.exact
        if self.narrow and not decided:
            translated = intersection([then, otherwise])  # conforms whether or not the condition is met
        for keyword in ("if", "then", "else"):
            self.report_if_present(node, keyword, enforced=decided or self.narrow)
        return translated


def partners(number: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """The numbers that are paired with `number`."""
    return [n if m == number else m for n, m in pairs if number in (n, m)]
