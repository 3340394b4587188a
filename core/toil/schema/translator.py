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
from core.toil.schema.disjointness import ConstraintCache, are_disjoint
from core.toil.schema.drafts import Schema
from core.toil.schema.objects import translate_objects
from core.toil.schema.references import LocatedSchema, SchemaNode, SchemaReferences
from core.toil.schema.scalars import translate_scalars
from core.toil.schema.translation import UNENFORCED, Translation, intersection, union

STEPS_LIMIT = 50_000
BRANCHES_LIMIT = 100  # of a `oneOf`; each branch is compared to each other
OVERLAPS_LIMIT = 12  # overlapping pairs of `oneOf` that are written out; each makes the grammar larger


class SchemaTranslator:
    def __init__(self, references: SchemaReferences, *, narrow: bool = False) -> None:
        self.references = references
        self.draft = references.draft
        self.narrow = narrow
        self.definitions: dict[str, Schema] = {}
        self.enforced: dict[str, bool] = {}  # by a keyword's pointer
        self._names: dict[tuple[str, bool], str] = {}
        self._exact: dict[str, bool] = {}
        self._unreported = 0
        self._steps = 0

    def translate(self, located: LocatedSchema, *, alone: bool = True) -> Translation:
        self.count_step(located.pointer)
        if isinstance(located.schema, bool):
            return Translation(located.schema)
        node = SchemaNode(located.schema, located.pointer, self.draft, alone)
        parts = [*self._references(node), *translate_scalars(self, node)]
        parts += [*translate_objects(self, node), *translate_arrays(self, node), *self._applicators(node)]
        return intersection(parts)

    def translate_unreported(self, located: LocatedSchema, *, alone: bool = False) -> Translation:
        """Translates without reports: the enclosing keyword reports for its content."""
        with self._without_reports():
            return self.translate(located, alone=alone)

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

    def _references(self, node: SchemaNode) -> Iterator[Translation]:
        alone = node.alone and len(node.keywords) == 1
        if isinstance(reference := node.keywords.get("$ref"), str):
            yield self._reference(node, "$ref", self.references.resolve(reference, node.pointer_to("$ref")), alone)
        if isinstance(reference := node.keywords.get("$dynamicRef"), str):
            target = self.references.resolve_dynamic(reference, node.pointer_to("$dynamicRef"))
            yield self._reference(node, "$dynamicRef", target, alone)

    def _reference(self, node: SchemaNode, keyword: str, target: LocatedSchema | None, alone: bool) -> Translation:
        translated = UNENFORCED if target is None else self._definition(target, alone=alone)
        self.report(node.pointer_to(keyword), translated is not UNENFORCED)
        return translated

    def _definition(self, target: LocatedSchema, *, alone: bool) -> Translation:
        """A `$ref` to the target's definition, which is translated once."""
        key = (target.pointer, alone)
        if key not in self._names:
            name = self._names[key] = f"d{len(self._names)}"
            self._exact[name] = True  # assumed by recursive references until the translation is complete
            translated = self.translate(target, alone=alone)
            self.definitions[name], self._exact[name] = translated
        name = self._names[key]
        schema = self.definitions.get(name)
        return Translation(schema if isinstance(schema, bool) else {"$ref": f"#/$defs/{name}"}, self._exact[name])

    # ---- applicators: keywords that apply schemas to the same value

    def _applicators(self, node: SchemaNode) -> Iterator[Translation]:
        yield from (self.translate(each, alone=False) for each in node.subschemas("allOf"))
        self.report_if_present(node, "allOf", enforced=True)
        if "anyOf" in node.keywords:
            yield self._any_of(node)
        if "oneOf" in node.keywords:
            yield self._one_of(node)
        if "not" in node.keywords:
            negated = self.negate(node.subschema("not"))
            self.report(node.pointer_to("not"), negated.exact)
            yield negated
        if "if" in node.keywords and ("then" in node.keywords or "else" in node.keywords):
            yield self._if(node)

    def _any_of(self, node: SchemaNode) -> Translation:
        branches = [self.translate(each, alone=False) for each in node.subschemas("anyOf")]
        translated = union(self._prefer_exact(branches))
        self.report(node.pointer_to("anyOf"), translated != UNENFORCED)
        return translated

    def _prefer_exact(self, branches: list[Translation]) -> list[Translation]:
        """Keeps only the exact branches when narrow, if there are any."""
        exact = [branch for branch in branches if branch.exact and branch.schema is not False]
        return exact if self.narrow and exact else branches

    def _one_of(self, node: SchemaNode) -> Translation:
        branches = node.subschemas("oneOf")
        here = LocatedSchema(node.schema, node.pointer)
        if len(branches) > BRANCHES_LIMIT:
            self.report(node.pointer_to("oneOf"), False)
            return Translation(union([self.translate(branch, alone=False) for branch in branches]).schema, exact=False)
        cache: ConstraintCache = {}
        overlaps = [
            (n, m)
            for n in range(len(branches))
            for m in range(n)
            if not are_disjoint([here, branches[n]], [here, branches[m]], self.references, cache)
        ]
        excluded = overlaps if len(overlaps) <= OVERLAPS_LIMIT else []
        translations = [
            intersection(
                [self.translate(branch, alone=False), *(self.negate(branches[m]) for m in partners(n, excluded))]
            )
            for n, branch in enumerate(branches)
        ]
        separated = len(excluded) == len(overlaps) and all(
            self.negate(branches[m]).exact for pair in excluded for m in pair
        )
        self.report(node.pointer_to("oneOf"), separated)
        translated = union(self._prefer_exact(translations) if separated else translations)
        return Translation(translated.schema, translated.exact and separated)

    def _if(self, node: SchemaNode) -> Translation:
        condition = node.subschema("if")
        then, otherwise = (self.translate(node.subschema(word), alone=False) for word in ("then", "else"))
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
