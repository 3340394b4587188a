"""Translates the keywords for arrays."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Any

from core.toil.schema.closing import Closure
from core.toil.schema.disjointness import collect_constraints
from core.toil.schema.references import LocatedSchema, SchemaNode, in_place_schemas
from core.toil.schema.translation import UNENFORCED, Translation, Translator, intersection

ITEMS_LIMIT = 2000  # no answer holds as many, so a larger bound is enforced as this one
PERMUTED_LIMIT = 4  # values whose permutations are listed in full: 65 arrays
VISITED_LIMIT = 200


def translate_arrays(translator: Translator, node: SchemaNode, closure: Closure) -> Iterator[Translation]:
    if "array" not in node.types:
        return
    keywords = node.keywords
    low, high = int(keywords.get("minItems", 0)), keywords.get("maxItems")
    for keyword in ("prefixItems", "items", "minItems", "maxItems"):
        translator.report_if_present(node, keyword, enforced=True)
    counts: dict[str, Any] = {
        keyword: min(int(keywords[keyword]), ITEMS_LIMIT) for keyword in ("minItems", "maxItems") if keyword in keywords
    }
    yield Translation(counts or True)
    yield translate_items(translator, node, closure, low)
    if keywords.get("uniqueItems") is True:
        yield translate_unique(translator, node, low, high)
    elif "uniqueItems" in keywords:
        translator.report(node.pointer_to("uniqueItems"), True)
    if "contains" in keywords:
        yield translate_contains(translator, node)
    if "unevaluatedItems" in keywords:
        yield translate_unevaluated_items(translator, node)


def translate_items(translator: Translator, node: SchemaNode, closure: Closure, low: int) -> Translation:
    inside = closure.sharing.of_items if closure.sharing else None
    prefix = [translator.translate(each, inside) for each in node.subschemas("prefixItems")]
    rest = translator.translate(node.subschema("items"), inside)
    if translator.narrow:  # end the array before the first optional item that cannot be enforced
        count = next((n for n, part in enumerate(prefix) if not part.exact and n >= low), len(prefix))
        if count < len(prefix) or (not rest.exact and low <= len(prefix)):
            prefix, rest = prefix[:count], Translation(False)
    schema: dict[str, Any] = {"prefixItems": [part.schema for part in prefix]} if prefix else {}
    if rest.schema is not True:
        schema["items"] = rest.schema
    return Translation(schema or True, all(part.exact for part in (*prefix, rest)))


def translate_unique(translator: Translator, node: SchemaNode, low: int, high: int | None) -> Translation:
    """Exact for at most one item, and for a few listed values; otherwise the validator compares the items."""
    translated, enforced = Translation(True, exact=False), False
    enum_values = list_item_values(translator, node)
    if high is not None and high <= 1:
        translated, enforced = Translation(True), True
    elif enum_values is not None and len(enum_values) <= PERMUTED_LIMIT:
        arrays = [
            list(each)
            for count in range(low, min(len(enum_values), len(enum_values) if high is None else int(high)) + 1)
            for each in permutations(enum_values, count)
        ]
        others = [{"type": name} for name in sorted(node.types - {"array"})]
        alternatives = [*others, {"enum": arrays}]
        translated, enforced = Translation({"anyOf": alternatives} if arrays or others else False), True
    elif translator.narrow and low <= 1:
        translated, enforced = Translation({"maxItems": 1}), True
    elif enum_values is not None:
        translated = Translation({"maxItems": len(enum_values)}, exact=False)
    translator.report(node.pointer_to("uniqueItems"), enforced)
    return translated


def list_item_values(translator: Translator, node: SchemaNode) -> list[Any] | None:
    """The values that every item must be one of; None if they are not limited to a list."""
    if "prefixItems" in node.keywords or "items" not in node.keywords:
        return None
    constraints = collect_constraints([node.subschema("items")], translator.references)
    if constraints.values is not None:
        return constraints.values
    return [True, False] if constraints.types == {"boolean"} else None


def translate_contains(translator: Translator, node: SchemaNode) -> Translation:
    """Counts matching items. When narrow, the first items are the matching ones."""
    since_2019 = node.draft >= 2019
    low = int(node.keywords.get("minContains", 1)) if since_2019 else 1
    high = node.keywords.get("maxContains") if since_2019 else None
    item = translator.translate_unreported(node.subschema("contains"))
    vacuous = low == 0 and high is None
    narrow = translator.narrow and item.exact and (high is None or low == high)
    for keyword in ("contains", "minContains", "maxContains"):
        translator.report_if_present(node, keyword, enforced=vacuous or (narrow and high is None))
    if vacuous:
        return Translation(True)
    if not narrow:
        return Translation({"minItems": low}, exact=False) if low else UNENFORCED
    others: dict[str, Any] = {} if high is None else {"items": translator.negate(node.subschema("contains")).schema}
    return Translation({"prefixItems": [item.schema] * low, "minItems": low, **others}, exact=high is None)


def translate_unevaluated_items(translator: Translator, node: SchemaNode) -> Translation:
    """Translates `unevaluatedItems` to `items`, where the items that other keywords evaluate are certain."""
    certain = "$dynamicRef" not in node.keywords
    longest, covered = 0, "items" in node.keywords
    waiting: list[tuple[LocatedSchema, bool]] = [(LocatedSchema(node.schema, node.pointer), True)]
    for located, always in waiting:
        if isinstance(located.schema, bool) or len(waiting) > VISITED_LIMIT:
            continue
        inner = SchemaNode(located.schema, located.pointer, node.draft)
        evaluating = {"prefixItems", "items", "contains", "unevaluatedItems"} & inner.keywords.keys() - {
            "unevaluatedItems" if inner.pointer == node.pointer else ""
        }
        certain = certain and (always or not evaluating) and "contains" not in inner.keywords
        covered = covered or bool({"items", "unevaluatedItems"} & evaluating)
        longest = max(longest, len(inner.keywords.get("prefixItems", ())))
        waiting.extend((each, always and applies) for each, applies in in_place_schemas(inner, translator.references))
    translator.report(node.pointer_to("unevaluatedItems"), certain)
    if not certain or covered:
        return Translation(True, certain)
    rest = translator.translate(node.subschema("unevaluatedItems"))
    prefix: dict[str, Any] = {"prefixItems": [True] * longest} if longest else {}
    return intersection([Translation({**prefix, "items": rest.schema}, rest.exact)])
