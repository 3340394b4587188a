"""Slack's own text, made plain."""

from __future__ import annotations

import pytest

from bindings.slack.mrkdwn import escaped, mentions, plain, without_mention


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("<http://canada.ca|canada.ca>", "http://canada.ca"),
        ("<https://canada.ca/|https://canada.ca>", "https://canada.ca/"),
        ("<https://canada.ca|see here>", "see here (https://canada.ca)"),
        ("<mailto:a@b.ca|a@b.ca>", "a@b.ca"),
        ("<tel:+16135550100|613-555-0100>", "613-555-0100 (+16135550100)"),
        ("<!date^1392734382^{date}|18 February>", "18 February"),
        ("<!channel> <!everyone|everyone>", "@channel everyone"),
        ("<#C1> <@U1|ann>", "#C1 @ann"),
        ("&amp;lt; &lt;b&gt;", "&lt; <b>"),
        ("1 < 2 > 0", "1 < 2 > 0"),
        ("`<@U1>`", "`@U1`"),
        ("<>", "<>"),
    ],
)
def test_tokens_are_said_as_one_would(given: str, said: str) -> None:
    """Addresses are kept, escapes undone once, and what is no token stays."""
    assert said == plain(given)


def test_escaping_is_undone_by_plain() -> None:
    """What we escape, we read back."""
    assert "<!here> & &lt;" == plain(escaped("<!here> & &lt;"))


@pytest.mark.parametrize(
    ("given", "rest"),
    [
        ("<@UB>: hello", "hello"),
        ("<@UB> <@UB|bot>, hello", "hello"),
        ("hello <@UB>", "hello"),
        (": hello", ": hello"),
        ("a\n<@UB> b\n  c", "a\n b\n  c"),
        ("<@UBX> hello", "<@UBX> hello"),
    ],
)
def test_only_the_bot_is_removed(given: str, rest: str) -> None:
    """With the sign after its name at the start; other lines and other people stay."""
    assert rest == without_mention(given, "UB")


def test_a_mention_is_of_the_whole_id() -> None:
    """U1 is not U12."""
    assert mentions("hi <@U1|x>", "U1")
    assert not mentions("hi <@U12>", "U1")
