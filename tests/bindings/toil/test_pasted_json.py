"""JSON in messages as people paste it, without a code block."""

from __future__ import annotations

import json

import pytest

from bindings.teams.message_html import parse_html
from bindings.toil.pasted_json import find_pasted_objects
from bindings.toil.schema_reply import find_schema, require_schema

SCHEMA = {"type": "object", "properties": {"name": {"type": "string", "description": "as “signed”, in {full}"}}}
LINES = json.dumps(SCHEMA, indent=2, ensure_ascii=False).split("\n")
HARD = [line.replace(" ", "&nbsp;") for line in LINES]


@pytest.mark.parametrize(
    "html",
    [
        "".join(f"<p>{line}</p>" for line in HARD),
        f"<p>{'<br>'.join(HARD)}</p>",
        f"<div>{''.join(f'<div><span>&nbsp;</span><span>{line}</span></div>' for line in HARD)}</div>",
        "".join(f'<p class="MsoNormal"><span style="mso-spacerun:yes">{line}<o:p></o:p></span></p>' for line in HARD),
        f"<codeblock class='Json'><code>{'<br>'.join(HARD)}</code></codeblock>",
        f'<pre class="language-javascript"><code>{chr(10).join(HARD)}</code></pre>',
        f"<div>{chr(10).join(LINES)}</div>",
        f"<p><code>{'<br>'.join(HARD)}</code></p>",
        "<p>```json</p>" + "".join(f"<p>{line}</p>" for line in HARD) + "<p>```</p>",
    ],
    ids=["paragraphs", "breaks", "VS Code", "Word", "block", "other language", "terminal", "inline", "typed fence"],
)
def test_a_schema_pasted_into_teams_is_found(html: str) -> None:
    """It is removed from the message, and its own quotation marks stay."""
    found = find_schema(parse_html(f"<p>Who is “it”?</p>{html}<p>It is Ada.</p>").text, ())

    assert found is not None
    assert SCHEMA == found.schema
    assert "Who is “it”?\n\nIt is Ada." == found.prompt


def test_curly_quotes_of_a_word_processor_are_read() -> None:
    """The rest of the message keeps its quotes."""
    found = find_schema("Say “yes”:\n{“type”: “object”, “properties”: {«a»: {“type”: “string”}}}", ())

    assert found is not None
    assert ({"type": "object", "properties": {"a": {"type": "string"}}}, "Say “yes”:") == (found.schema, found.prompt)


@pytest.mark.parametrize(
    "text",
    [
        'It is {"type": "object"} there',
        '{"name": "Ada"}\nWho is it?',
        '{"data": {"type": "object"}}',
        '```python\nx = 1\n{"type": "object"}\n``` what is this?',
        '{"type": "object"',
        "{type: object}",
        "{}",
    ],
)
def test_other_braces_are_no_schema(text: str) -> None:
    """An object within a sentence, within data or within program text is not one either."""
    assert find_schema(text, ()) is None


def test_a_required_schema_may_be_any_pasted_object() -> None:
    """Braces that are no JSON do not count."""
    found = require_schema('Use {this}:\n{"odd": 1}\nand that', ())

    assert found is not None
    assert ({"odd": 1}, "Use {this}:\n\nand that") == (found.schema, found.prompt)
    assert require_schema("{this}\nWho?", ()) is None


@pytest.mark.parametrize("part", ["{", "{\n", '{"a":\n', '"', '\\"', "{}\n", "\xa0", '{"', "}\n{", "{“\n", "```{\n"])
def test_hostile_braces_take_linear_time(part: str) -> None:
    """A slower search would meet the time limit of every test."""
    text = "{" + part * (200_000 // len(part))

    assert len(list(find_pasted_objects(text))) <= 20
