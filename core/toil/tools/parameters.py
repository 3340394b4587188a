"""The schemas of tools' arguments, which are always objects. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from core.contract import Json, Tool

NO_ARGUMENTS: dict[str, Json] = {"type": "object", "properties": {}, "additionalProperties": False}
# A schema without any of these keywords allows no declared argument. A model that writes undeclared ones invents them.
DECLARING = (
    *("properties", "patternProperties", "additionalProperties", "unevaluatedProperties", "required", "minProperties"),
    *("$ref", "$dynamicRef", "$recursiveRef", "allOf", "anyOf", "oneOf", "if", "not", "enum", "const"),
    *("dependentSchemas", "dependentRequired", "dependencies", "propertyNames"),
)


def arguments_schema(tool: Tool) -> dict[str, Json]:
    """The schema that the arguments are validated against."""
    if takes_none(tool):
        return NO_ARGUMENTS
    schema = dict(tool.parameters or {})
    return schema if "$ref" in schema or "type" in schema else {"type": "object", **schema}


def takes_none(tool: Tool) -> bool:
    """True if `{}` is the only sensible value: the schema declares no argument and requires none."""
    schema = tool.parameters
    if not schema:
        return True
    declares = any(keyword in schema for keyword in DECLARING if keyword not in ("properties", "additionalProperties"))
    is_open = isinstance(schema.get("additionalProperties"), Mapping) or schema.get("additionalProperties") is True
    return not declares and not schema.get("properties") and not is_open
