"""Translates `type`, `enum`, `const` and the keywords for strings, `format` included.

The validator asserts the formats that it knows. A format that neither it nor the engine knows is an annotation, as
the specification says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.toil.schema.drafts import Draft
from core.toil.schema.numbers import make_writable, translate_numbers
from core.toil.schema.patterns import translate_pattern
from core.toil.schema.references import SchemaNode
from core.toil.schema.translation import UNENFORCED, Translation, Translator
from core.toil.schema.values import allowed_types, type_of, unique_values

LENGTH_LIMIT = 50_000  # no answer is that long, so a larger bound is enforced as this one
ENGINE_FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid", "uri"}
# The engine enforces only the shape of these; the validator checks the calendar and punycode.
SHAPE_ONLY_FORMATS = {"date-time", "time", "date", "hostname", "idn-hostname"}
# "Narrower": every value written conforms, but some conforming values cannot be written.
FORMAT_SUBSTITUTES: Mapping[str, Mapping[str, Any]] = {
    "idn-email": {"format": "email"},  # narrower
    "idn-hostname": {"format": "hostname"},  # narrower
    "iri": {"format": "uri"},  # narrower
    "uri-reference": {"pattern": r"^[A-Za-z0-9._~/?=&-]*(#[A-Za-z0-9._~/?=&-]*)?$"},  # narrower
    "iri-reference": {"pattern": r"^[A-Za-z0-9._~/?=&-]*(#[A-Za-z0-9._~/?=&-]*)?$"},  # narrower
    "uri-template": {"pattern": r"^([A-Za-z0-9._~/:?=&-]|\{[A-Za-z0-9_]+\})*$"},  # narrower
    "json-pointer": {"pattern": r"^(/([^~/]|~[01])*)*$"},
    "relative-json-pointer": {"pattern": r"^(0|[1-9][0-9]*)(#|(/([^~/]|~[01])*)*)$"},
    "regex": {"pattern": r"^[A-Za-z0-9 ._^$-]*$"},  # narrower
}
FORMAT_SINCE: Mapping[str, Draft] = {
    **dict.fromkeys(("date-time", "email", "hostname", "ipv4", "ipv6", "uri"), Draft.DRAFT4),
    **dict.fromkeys(("uri-reference", "uri-template", "json-pointer"), Draft.DRAFT6),
    **dict.fromkeys(("date", "time", "regex", "relative-json-pointer"), Draft.DRAFT7),
    **dict.fromkeys(("idn-email", "idn-hostname", "iri", "iri-reference"), Draft.DRAFT7),
    **dict.fromkeys(("duration", "uuid"), Draft.DRAFT2019),
}


def is_asserted_format(name: Any, draft: Draft) -> bool:
    return isinstance(name, str) and name in FORMAT_SINCE and draft >= FORMAT_SINCE[name]


def translate_scalars(translator: Translator, node: SchemaNode) -> Iterator[Translation]:
    keywords = node.keywords
    if "type" in keywords:
        translator.report(node.pointer_to("type"), True)
        yield Translation({"type": keywords["type"]} if keywords["type"] != [] else False)
    for keyword in ("enum", "const"):
        if keyword in keywords:
            translator.report(node.pointer_to(keyword), True)
            values = keywords[keyword] if keyword == "enum" else [keywords[keyword]]
            yield translate_enum(
                [make_writable(each, translator.meant_numbers) for each in values], keywords.get("type")
            )
    yield from translate_strings(translator, node)
    yield from translate_numbers(translator, node)


def translate_enum(values: list[Any], type_keyword: Any) -> Translation:
    """Leaves out the values that `type` forbids, to give the engine less work."""
    fitting = [value for value in unique_values(values) if type_of(value) in allowed_types(type_keyword)]
    return Translation({"enum": fitting} if fitting else False)


def translate_strings(translator: Translator, node: SchemaNode) -> Iterator[Translation]:
    lengths = {word: int(node.keywords[word]) for word in ("minLength", "maxLength") if word in node.keywords}
    for word in lengths:
        translator.report(node.pointer_to(word), True)
    if lengths:
        yield Translation({keyword: min(length, LENGTH_LIMIT) for keyword, length in lengths.items()})
    if "pattern" in node.keywords:
        translated = translate_pattern(node.keywords["pattern"])
        translator.report(node.pointer_to("pattern"), translated.exact)
        yield from (Translation({"pattern": pattern}, translated.exact) for pattern in translated.patterns)
        if not translated.patterns:
            yield UNENFORCED
    for keyword in ("contentMediaType", "contentEncoding"):
        if keyword in node.keywords:
            translator.report(node.pointer_to(keyword), False)
            yield UNENFORCED
    name = node.keywords.get("format", "")
    if is_asserted_format(name, node.draft):
        translator.report(node.pointer_to("format"), name not in SHAPE_ONLY_FORMATS)
        yield Translation({"format": name} if name in ENGINE_FORMATS else dict(FORMAT_SUBSTITUTES[name]))
