"""Translates the keywords for objects: property names, property values and counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from core.toil.schema import patterns
from core.toil.schema.references import LocatedSchema, SchemaNode, SchemaReferences, in_place_schemas
from core.toil.schema.translation import UNENFORCED, Translation, Translator, intersection, union

SHAPE_KEYWORDS = {"properties", "patternProperties", "additionalProperties", "propertyNames"}
DEPENDENTS_LIMIT = 6  # each doubles the number of ways to write the object
VISITED_LIMIT = 200


def translate_objects(translator: Translator, node: SchemaNode) -> Iterator[Translation]:
    if "object" not in node.types:
        return
    required = [name for name in node.keywords.get("required", ()) if isinstance(name, str)]
    if required:
        translator.report(node.pointer_to("required"), True)
        yield Translation({"required": required})
    shape = _ObjectShape(translator, node, set(required))
    if SHAPE_KEYWORDS & node.keywords.keys():
        yield shape.translate()
    yield from shape.translate_counts()
    yield from translate_dependents(translator, node, set(required))
    if "unevaluatedProperties" in node.keywords or (translator.narrow and node.alone and not is_closed(node)):
        yield translate_unevaluated_properties(translator, node)


def is_closed(node: SchemaNode) -> bool:
    """True if the schema, or the only schema that it refers to, decides about further properties."""
    only_a_reference = len(node.keywords) == 1 and "$ref" in node.keywords
    return only_a_reference or node.keywords.get("additionalProperties") is False


@dataclass
class _ObjectShape:
    """Translates `properties` and the keywords whose meaning depends on it."""

    translator: Translator
    node: SchemaNode
    required: set[str]
    properties: dict[str, Translation] = field(default_factory=dict)
    closed: bool = False

    def translate(self) -> Translation:
        declared = self.node.subschema_map("properties")
        self.properties = {name: self._property(name, each) for name, each in declared.items()}
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
        translated = self.translator.translate(located)
        omitted = self.translator.narrow and not translated.exact and name not in self.required
        return Translation(False) if omitted else translated

    def _additional_properties(self) -> Translation:
        translated = self.translator.translate(self.node.subschema("additionalProperties"))
        self.translator.report_if_present(self.node, "additionalProperties", enforced=True)
        return Translation(False) if self.translator.narrow and not translated.exact else translated

    def _pattern_properties(self) -> tuple[dict[str, Translation], bool]:
        """Translates the patterns that no name can match two of; the engine cannot combine their schemas."""
        translations: dict[str, Translation] = {}
        complete = True
        for original, located in self.node.subschema_map("patternProperties").items():
            pattern = patterns.translate_pattern(original)
            part = self.translator.translate(located)
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

    def translate_counts(self) -> Iterator[Translation]:
        """`minProperties` and `maxProperties`, where the engine can count: see llguidance's docs/json_schema.md."""
        low, high = (self.node.keywords.get(keyword) for keyword in ("minProperties", "maxProperties"))
        possible = [name for name, part in self.properties.items() if part.schema is not False]
        if low is not None and low <= len(self.required):
            low = None
            self.translator.report(self.node.pointer_to("minProperties"), True)
        if high is not None and self.closed and high >= len(possible):
            high = None
            self.translator.report(self.node.pointer_to("maxProperties"), True)
        if low is None and high is None:
            return
        optional = [name for name in possible if name not in self.required]
        countable = not optional or (self.closed and low in (None, 0, 1) and high in (None, 0, 1))
        for keyword, limit in (("minProperties", low), ("maxProperties", high)):
            if limit is not None:
                self.translator.report(self.node.pointer_to(keyword), countable or self.translator.narrow)
        if countable:
            limits = {"minProperties": low, "maxProperties": high}
            yield Translation({keyword: int(limit) for keyword, limit in limits.items() if limit is not None})
        else:
            yield self._fixed_choice(optional, low, high) if self.translator.narrow else UNENFORCED

    def _fixed_choice(self, optional: list[str], low: int | None, high: int | None) -> Translation:
        """Requires the first optional names that make up the count, and forbids those above it."""
        minimum = max(0, int(low or 0) - len(self.required))
        room = len(optional) if high is None else max(0, int(high) - len(self.required))
        required_names, omitted = optional[:minimum], optional[max(minimum, room) :]
        without: dict[str, Any] = {"properties": dict.fromkeys(omitted, False)} if omitted else {}
        return Translation({**without, "required": required_names} if required_names else without or True)


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


def translate_dependents(translator: Translator, node: SchemaNode, required: set[str]) -> Iterator[Translation]:
    """Two ways to write the object: without the property, or with it and its dependents."""
    dependents = [
        *(("dependentRequired", name, names) for name, names in node.keywords.get("dependentRequired", {}).items()),
        *(("dependentSchemas", name, each) for name, each in node.subschema_map("dependentSchemas").items()),
    ]
    for number, (keyword, name, dependent) in enumerate(dependents):
        if isinstance(dependent, LocatedSchema):
            present = Translation({"properties": {name: True}, "required": [name]})
            then = intersection([present, translator.translate(dependent, alone=False)])
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
    required: dict[str, None] = field(default_factory=dict)
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
        evaluated.required |= dict.fromkeys(node.keywords.get("required", ()))
        evaluated.patterns |= node.keywords.get("patternProperties", {}).keys()
        evaluating = {"properties", "patternProperties"} & node.keywords.keys()
        rests = [w for w in ("additionalProperties", "unevaluatedProperties") if each is not located or w[0] == "a"]
        evaluated.all = evaluated.all or any(node.keywords.get(word, False) is not False for word in rests)
        evaluated.certain = evaluated.certain and (always or not evaluating)
        waiting.extend((inner, always and applies) for inner, applies in in_place_schemas(node, references))
    return evaluated


def translate_unevaluated_properties(translator: Translator, node: SchemaNode) -> Translation:
    """Translates `unevaluatedProperties` to `additionalProperties` beside all evaluated names.

    When narrow, it also closes objects that say nothing of further names: a weak model would go on inventing them.
    """
    present = "unevaluatedProperties" in node.keywords
    evaluated = collect_evaluated(LocatedSchema(node.schema, node.pointer), translator.references)
    dynamic = "$dynamicRef" in node.keywords
    if evaluated.all or evaluated.patterns or dynamic or (not present and not evaluated.names):
        vacuous = evaluated.all and evaluated.certain
        if present:
            translator.report(node.pointer_to("unevaluatedProperties"), vacuous)
        return UNENFORCED if present and not vacuous else Translation(True)
    rest = translator.translate(node.subschema("unevaluatedProperties")) if present else Translation(False)
    if present:
        translator.report(node.pointer_to("unevaluatedProperties"), evaluated.certain)
    names = evaluated.names if present else evaluated.names | evaluated.required
    schema = {"properties": dict.fromkeys(names, True), "additionalProperties": rest.schema}
    return Translation(schema, rest.exact and (evaluated.certain or not present))
