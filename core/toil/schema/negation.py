"""Negates schemas, for `not`, `if` and `oneOf`.

Where no schema says exactly the negation, the result also accepts some values that it should refuse: the validator
refuses them later.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from core.toil.schema.numbers import EXACT_LIMIT
from core.toil.schema.patterns import exclude_texts
from core.toil.schema.references import LocatedSchema, SchemaNode
from core.toil.schema.scalars import is_asserted_format
from core.toil.schema.translation import ANY, NONE, UNENFORCED, Translation, Translator, intersection, union
from core.toil.schema.values import TYPES, type_of, unique_values

DEPTH_LIMIT = 12
NUMBERS_LIMIT = 8
# A violating instance has this type; its value is not constrained further.
ONLY_TYPE = {
    **dict.fromkeys(("pattern",), "string"),
    **dict.fromkeys(("multipleOf",), "number"),
    **dict.fromkeys(("contentMediaType", "contentEncoding"), "string"),
    **dict.fromkeys(("items", "prefixItems", "uniqueItems", "unevaluatedItems", "maxContains", "minContains"), "array"),
    **dict.fromkeys(("patternProperties", "additionalProperties", "propertyNames"), "object"),
    **dict.fromkeys(("dependentSchemas", "unevaluatedProperties"), "object"),
    **dict.fromkeys(("minProperties", "maxProperties"), "object"),  # the engine counts in few objects only
}
APPLICATORS = {"allOf", "anyOf", "oneOf", "not", "if", "$ref", "$dynamicRef"}
NAME_KEYWORDS = {"required", "properties", "dependentRequired"}
# keyword: (opposite keyword, step to the nearest violating value, instance type)
OPPOSITE = {
    "minLength": ("maxLength", -1, "string"),
    "maxLength": ("minLength", 1, "string"),
    "minItems": ("maxItems", -1, "array"),
    "maxItems": ("minItems", 1, "array"),
}
OPPOSITE_BOUND = {
    "minimum": "exclusiveMaximum",
    "maximum": "exclusiveMinimum",
    "exclusiveMinimum": "maximum",
    "exclusiveMaximum": "minimum",
}


def negate(translator: Translator, located: LocatedSchema, depth: int = 0) -> Translation:
    translator.count_step(located.pointer)
    if isinstance(located.schema, bool):
        return NONE if located.schema else ANY
    if depth > DEPTH_LIMIT:
        return UNENFORCED
    node = SchemaNode(located.schema, located.pointer, translator.draft)
    return union([way for keyword in node.keywords for way in violations(translator, node, keyword, depth + 1)])


def violations(translator: Translator, node: SchemaNode, keyword: str, depth: int) -> Iterator[Translation]:
    """The alternative ways to violate one keyword."""
    value = node.keywords[keyword]
    if keyword in APPLICATORS:
        yield negate_applicator(translator, node, keyword, depth)
    elif keyword in NAME_KEYWORDS:
        yield from name_violations(translator, node, keyword, depth)
    elif keyword in OPPOSITE:
        opposite, step, kind = OPPOSITE[keyword]
        yield Translation({"type": kind, opposite: int(value) + step}) if int(value) + step >= 0 else NONE
    elif keyword in OPPOSITE_BOUND:
        beyond = abs(value) > EXACT_LIMIT
        yield Translation(
            {"type": "number"} if beyond else {"type": "number", OPPOSITE_BOUND[keyword]: value}, not beyond
        )
    elif keyword == "contains":
        yield negate_contains(translator, node, depth)
    elif keyword in ONLY_TYPE or (keyword == "format" and is_asserted_format(value, node.draft)):
        yield Translation({"type": ONLY_TYPE.get(keyword, "string")}, exact=False)
    else:
        yield value_violation(keyword, value)


def value_violation(keyword: str, value: Any) -> Translation:
    if keyword == "type":
        return other_types([value] if isinstance(value, str) else value)
    if keyword in ("enum", "const"):
        return other_values(value if keyword == "enum" else [value])
    return NONE  # the keyword asserts nothing by itself


def name_violations(translator: Translator, node: SchemaNode, keyword: str, depth: int) -> Iterator[Translation]:
    value = node.keywords[keyword]
    if keyword == "required":
        yield from (Translation({"type": "object", "properties": {name: False}}) for name in value)
    elif keyword == "properties":
        properties = node.subschema_map("properties")
        yield from (require_property(name, negate(translator, each, depth)) for name, each in properties.items())
    else:
        for name, needed in value.items():
            yield from (Translation({"type": "object", "required": [name], "properties": {n: False}}) for n in needed)


def negate_applicator(translator: Translator, node: SchemaNode, keyword: str, depth: int) -> Translation:
    if keyword == "allOf":
        return union([negate(translator, each, depth) for each in node.subschemas("allOf")])
    if keyword == "anyOf":
        return intersection([negate(translator, each, depth) for each in node.subschemas("anyOf")])
    if keyword == "not":
        return translator.translate_unreported(node.subschema("not"))
    if keyword == "if":
        condition = node.subschema("if")
        then, otherwise = (negate(translator, node.subschema(word), depth) for word in ("then", "else"))
        met, unmet = translator.translate_unreported(condition), negate(translator, condition, depth)
        return union([intersection([met, then]), intersection([unmet, otherwise])])
    if keyword == "$ref":
        target = translator.references.resolve(node.keywords["$ref"], node.pointer_to("$ref"))
        return negate(translator, target, depth) if target else UNENFORCED
    return UNENFORCED


def require_property(name: str, negated: Translation) -> Translation:
    if negated.schema is False:
        return Translation(False, negated.exact)
    return Translation({"type": "object", "properties": {name: negated.schema}, "required": [name]}, negated.exact)


def negate_contains(translator: Translator, node: SchemaNode, depth: int) -> Translation:
    """An array without any item that conforms to `contains`."""
    if {"minContains", "maxContains"} & node.keywords.keys():
        return Translation({"type": "array"}, exact=False)
    negated = negate(translator, node.subschema("contains"), depth)
    return Translation({"type": "array", "items": negated.schema}, negated.exact)


def other_types(names: list[str]) -> Translation:
    """All types but these. It is not exact for `integer` alone: no keyword demands a number that is no integer."""
    exact = "integer" not in names or "number" in names
    rest = [name for name in TYPES if name not in names]
    return Translation({"type": rest} if rest else False, exact)


def other_values(values: list[Any]) -> Translation:
    by_type: dict[str, list[Any]] = {}
    for value in unique_values(values):
        by_type.setdefault(type_of(value), []).append(value)
    untouched = [name for name in TYPES if name not in by_type]
    parts = [Translation({"type": untouched} if untouched else False)]
    return union([*parts, *(other_values_of_type(name, excluded) for name, excluded in by_type.items())])


def other_values_of_type(name: str, excluded: list[Any]) -> Translation:
    if name == "null":
        return NONE
    if name == "boolean":
        rest = [value for value in (True, False) if value not in excluded]
        return Translation({"enum": rest} if rest else False)
    if name == "string" and (pattern := exclude_texts(excluded)):
        return Translation({"type": "string", "pattern": pattern})
    if name == "number" and len(excluded) <= NUMBERS_LIMIT and all(abs(each) <= EXACT_LIMIT for each in excluded):
        edges: list[float | None] = [None, *sorted(excluded), None]
        return union([numbers_between(low, high) for low, high in pairwise(edges)])
    if name in ("array", "object") and excluded in ([[]], [{}]):
        return Translation({"type": name, "minItems" if name == "array" else "minProperties": 1})
    return Translation({"type": name}, exact=False)


def numbers_between(low: float | None, high: float | None) -> Translation:
    bounds = {"exclusiveMinimum": low, "exclusiveMaximum": high}
    return Translation({"type": "number", **{word: bound for word, bound in bounds.items() if bound is not None}})
