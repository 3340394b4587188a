"""Translates the keywords for objects: property names, property values and counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from core.toil.schema import patterns
from core.toil.schema.closing import Closure
from core.toil.schema.counts import CountedNames, translate_counts
from core.toil.schema.references import LocatedSchema, SchemaNode, SchemaReferences, Sharing, in_place_schemas
from core.toil.schema.translation import ANY, NONE, UNENFORCED, Translation, Translator, intersection, union

SHAPE_KEYWORDS = {"properties", "patternProperties", "additionalProperties", "propertyNames"}
DEPENDENTS_LIMIT = 6  # each doubles the number of ways to write the object
VISITED_LIMIT = 200


def translate_objects(translator: Translator, node: SchemaNode, closure: Closure) -> Iterator[Translation]:
    if "object" not in node.types:
        return
    required = [name for name in node.keywords.get("required", ()) if isinstance(name, str)]
    if required:
        translator.report(node.pointer_to("required"), True)
        yield Translation({"required": required})
    shape = _ObjectShape(translator, node, closure, set(required))
    if SHAPE_KEYWORDS & node.keywords.keys():
        yield shape.translate()
    possible = [name for name, part in shape.properties.items() if part.schema is not False]
    counted = CountedNames(tuple(sorted(required)), tuple(n for n in possible if n not in required), shape.closed)
    yield from translate_counts(translator, node, counted, sole=closure.sole)
    yield from translate_dependents(translator, node, closure, set(required))
    if "unevaluatedProperties" in node.keywords:
        yield translate_unevaluated_properties(translator, node)


@dataclass
class _ObjectShape:
    """Translates `properties` and the keywords whose meaning depends on it."""

    translator: Translator
    node: SchemaNode
    closure: Closure
    required: set[str]
    properties: dict[str, Translation] = field(default_factory=dict)
    closed: bool = False

    def translate(self) -> Translation:
        declared = self.node.subschema_map("properties")
        self.properties = {name: self._property(name, each) for name, each in declared.items()}
        self.properties |= dict.fromkeys(self.closure.names, ANY)
        self.translator.report_if_present(self.node, "properties", enforced=True)
        by_pattern, all_patterns = self._pattern_properties()
        rest = self._additional_properties()
        names_enforced = True
        if "propertyNames" in self.node.keywords:
            by_pattern, rest, names_enforced = self._property_names(by_pattern, rest)
        self.closed = rest.schema is False and not by_pattern
        schema: dict[str, Any] = {}
        if self.properties:
            schema["properties"] = {name: part.schema for name, part in self.properties.items()}
        if by_pattern:
            schema["patternProperties"] = {pattern: part.schema for pattern, part in by_pattern.items()}
        if rest.schema is not True:
            schema["additionalProperties"] = rest.schema
        exact = all_patterns and names_enforced and rest.exact
        parts = (*self.properties.values(), *by_pattern.values())
        return Translation(schema or True, exact and all(part.exact for part in parts))

    def _property(self, name: str, located: LocatedSchema) -> Translation:
        translated = self.translator.translate(located, self._inside(name))
        omitted = self.translator.narrow and not translated.exact and name not in self.required
        return Translation(False) if omitted else translated

    def _inside(self, name: str) -> Sharing | None:
        return self.closure.sharing.of(name) if self.closure.sharing else None

    def _additional_properties(self) -> Translation:
        self.translator.report_if_present(self.node, "additionalProperties", enforced=True)
        if self.closure.own:
            return NONE
        translated = self.translator.translate(self.node.subschema("additionalProperties"), self._inside(""))
        return Translation(False) if self.translator.narrow and not translated.exact else translated

    def _pattern_properties(self) -> tuple[dict[str, Translation], bool]:
        """Translates the patterns that no name can match two of; the engine cannot combine their schemas."""
        translations: dict[str, Translation] = {}
        complete = True
        for original, located in self.node.subschema_map("patternProperties").items():
            pattern = patterns.translate_pattern(original)
            part = self.translator.translate(located, self._inside(""))
            separate = all(patterns.are_disjoint(original, other) for other in translations)
            enforced = pattern.exact and len(pattern.patterns) == 1 and separate
            self.translator.report(self.node.pointer_to("patternProperties", original), enforced)
            complete = complete and enforced
            if enforced and not (self.translator.narrow and not part.exact):
                translations[pattern.patterns[0]] = part
        return translations, complete

    def _property_names(
        self, by_pattern: dict[str, Translation], rest: Translation
    ) -> tuple[dict[str, Translation], Translation, bool]:
        """Translates `propertyNames` to one pattern for every undeclared name."""
        names = self.node.keywords["propertyNames"]
        allowed = name_pattern(names)
        self.translator.report(self.node.pointer_to("propertyNames"), allowed is not None and not by_pattern)
        if allowed is None or by_pattern:
            return by_pattern, rest, False
        for name in self.properties:
            if not allows_name(names, name):
                self.properties[name] = Translation(False)
        return ({allowed: rest} if allowed and rest.schema is not False else {}), Translation(False), True


def name_pattern(names: Any) -> str | None:
    """A pattern for exactly the names that a schema allows; "" if it allows none, None if they cannot be determined."""
    if isinstance(names, bool):
        return "^" if names else ""
    supported = {"enum", "const", "pattern", "minLength", "maxLength"}
    keywords = {keyword: value for keyword, value in names.items() if keyword in supported}
    others = names.keys() - keywords.keys() - {"type", "title", "description", "$comment"}
    if others or names.get("type", "string") != "string" or len(keywords) > 2:
        return None
    if keywords.keys() <= {"minLength", "maxLength"}:
        low, high = int(keywords.get("minLength", 0)), keywords.get("maxLength", "")
        return rf"^[\s\S]{{{low},{high}}}$" if keywords else "^"
    if len(keywords) > 1:
        return None
    if "pattern" in keywords:
        pattern = patterns.translate_pattern(keywords["pattern"])
        return pattern.patterns[0] if pattern.exact and len(pattern.patterns) == 1 else None
    allowed = [each for each in keywords.get("enum", [keywords.get("const")]) if isinstance(each, str)]
    return patterns.match_texts(allowed) if allowed else ""


def allows_name(names: Any, name: str) -> bool:
    """True if a declared name is allowed. A `pattern` counts as met here; the validator checks it."""
    if isinstance(names, bool):
        return names
    low, high = names.get("minLength", 0), names.get("maxLength", len(name))
    allowed = names.get("enum", [names["const"]] if "const" in names else [name])
    return low <= len(name) <= high and name in allowed


def translate_dependents(
    translator: Translator, node: SchemaNode, closure: Closure, required: set[str]
) -> Iterator[Translation]:
    """Two ways to write the object: without the property, or with it and its dependents."""
    dependents = [
        *(("dependentRequired", name, names) for name, names in node.keywords.get("dependentRequired", {}).items()),
        *(("dependentSchemas", name, each) for name, each in node.subschema_map("dependentSchemas").items()),
    ]
    for number, (keyword, name, dependent) in enumerate(dependents):
        if isinstance(dependent, LocatedSchema):
            present = Translation({"properties": {name: True}, "required": [name]})
            then = intersection([present, translator.translate(dependent, closure.sharing)])
        else:
            then = Translation({"required": [name, *dependent]})
        enforced = number < DEPENDENTS_LIMIT or name in required or translator.narrow
        translator.report(node.pointer_to(keyword, name), enforced)
        without = Translation({"properties": {name: False}})
        if name in required:
            yield union([then])
        elif number < DEPENDENTS_LIMIT and not (translator.narrow and not then.exact):
            yield union([without, then])
        else:
            yield without if translator.narrow else UNENFORCED


@dataclass
class EvaluatedProperties:
    """The property names that the schemas of one object evaluate. `certain`: for every object."""

    names: dict[str, None] = field(default_factory=dict)
    patterns: set[str] = field(default_factory=set)
    all: bool = False
    certain: bool = True


def collect_evaluated(located: LocatedSchema, references: SchemaReferences) -> EvaluatedProperties:
    evaluated = EvaluatedProperties()
    waiting, visited = [(located, True)], set[str]()
    while waiting and len(visited) < VISITED_LIMIT:
        each, always = waiting.pop(0)
        if isinstance(each.schema, bool) or each.pointer in visited:
            continue
        visited.add(each.pointer)
        node = SchemaNode(each.schema, each.pointer, references.draft)
        evaluated.names |= dict.fromkeys(node.keywords.get("properties", {}))
        evaluated.patterns |= node.keywords.get("patternProperties", {}).keys()
        evaluating = {"properties", "patternProperties"} & node.keywords.keys()
        rests = [w for w in ("additionalProperties", "unevaluatedProperties") if each is not located or w[0] == "a"]
        evaluated.all = evaluated.all or any(node.keywords.get(word, False) is not False for word in rests)
        evaluated.certain = evaluated.certain and (always or not evaluating)
        waiting.extend((inner, always and applies) for inner, applies in in_place_schemas(node, references))
    return evaluated


def translate_unevaluated_properties(translator: Translator, node: SchemaNode) -> Translation:
    """Translates `unevaluatedProperties` to `additionalProperties` beside all evaluated names."""
    evaluated = collect_evaluated(LocatedSchema(node.schema, node.pointer), translator.references)
    if evaluated.all or evaluated.patterns or "$dynamicRef" in node.keywords:
        vacuous = evaluated.all and evaluated.certain
        translator.report(node.pointer_to("unevaluatedProperties"), vacuous)
        return ANY if vacuous else UNENFORCED
    rest = translator.translate(node.subschema("unevaluatedProperties"))
    translator.report(node.pointer_to("unevaluatedProperties"), evaluated.certain)
    schema = {"properties": dict.fromkeys(evaluated.names, True), "additionalProperties": rest.schema}
    return Translation(schema, rest.exact and evaluated.certain)
