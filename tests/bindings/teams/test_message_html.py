"""The HTML of messages, as people write and paste it, becomes Markdown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bindings.incoming import UnreadPart
from bindings.teams.message_html import LIMIT_CHARS, HtmlContext, MessageHtml, QuotedReply, parse_html


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ('<p>See <a href="https://x.ca/a">the page</a></p>', "See [the page](https://x.ca/a)"),
        ('<a href="https://x.ca/">https://x.ca</a>', "https://x.ca"),
        ('<a href="https://x.ca/a_(b)" title="t">x.ca</a>', "[x.ca](https://x.ca/a_%28b%29)"),
        ('<a href="mailto:a@b.ca">a@b.ca</a>, <a href="mailto:a@b.ca">Ada</a>', "a@b.ca, [Ada](mailto:a@b.ca)"),
        ('{"a": "<a href="https://x.ca/s%22,">https://x.ca/s",</a>', '{"a": "https://x.ca/s",'),
        ('<a href="https://x.ca/%C3%A9 t">https://x.ca/é t</a>', "https://x.ca/é t"),
        ('<a href="javascript:alert(1)">x</a> <a>y</a>', "x y"),
        ('<a href="https://x.ca/"><img alt="x" src="y"></a>', "https://x.ca/"),
    ],
)
def test_a_link_keeps_its_address(html: str, text: str) -> None:
    """A label that is the address itself is not repeated."""
    assert text == parse_html(html).text


def test_a_table_becomes_a_markdown_table() -> None:
    """Cells that span rows or columns keep the columns aligned; pipes are escaped."""
    html = (
        "<table><thead><tr><th>Day</th><th>Who|what</th></tr></thead><tbody><tr><td rowspan='2'><p>Mon</p></td>"
        "<td>Ada<br>Bob</td></tr><tr><td>Eve</td></tr><tr><td colspan=2>nobody</td></tr></tbody></table><p>after</p>"
    )

    assert (
        "| Day | Who\\|what |\n| --- | --- |\n| Mon | Ada Bob |\n| Mon | Eve |\n| nobody |  |\n\nafter"
        == parse_html(html).text
    )


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ('<ol start="3"><li>a</li><li value="7">b</li><li>c</li></ol>', "3. a\n7. b\n8. c"),
        (
            "<ul><li>a<ol><li>x</li><li><p>y</p><p>z</p></li></ol></li><li>b</li></ul>",
            "- a\n  1. x\n  2. y\n     z\n- b",
        ),
        ("<ol><li>a</li><ol><li>x</li></ol><li>b</li></ol>", "1. a\n   1. x\n2. b"),
        ("<ul><li>a<li>b</ul>after", "- a\n- b\nafter"),
        ("<p>Buy:</p><ul><li>milk</li></ul><p>Thanks</p>", "Buy:\n- milk\nThanks"),
    ],
)
def test_lists_keep_their_numbers_and_levels(html: str, text: str) -> None:
    """Teams writes a deeper list within the item or beside it."""
    assert text == parse_html(html).text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<h2>Title</h2><p>Body</p>", "## Title\nBody"),
        ("<p>On <s>Friday</s> <del>x</del>Monday</p>", "On ~~Friday~~ ~~x~~Monday"),
        ("x<sup>2</sup>, CO<sub>2</sub>, 1<sup>er</sup>", "x², CO₂, 1er"),
        ("<table><tr><td><table><tr><td>a</td><td>b</td></tr></table></td></tr></table>", "| a, b |\n| --- |"),
        ("<p>a</p><p>b</p><p>&nbsp;</p><p>c<br>d<br></p>", "a\nb\n\nc\nd"),
        ("<blockquote>a<br>b</blockquote>c", "> a\n> b\n\nc"),
        ("a<hr>b<hr/>c<pre>d<hr>e</pre>", "a\n\n---\n\nb\n\n---\n\nc\n\n```\nd\ne\n```"),
        ("<div>f</div><div>&nbsp;<span> &nbsp;</span> x</div>", "f\n    x"),
        ("<p>a&nbsp; b &nbsp; c  d</p>", "a  b   c d"),
        (
            '<ul><li><input type="checkbox" checked>a</li><li><input type="checkbox" aria-checked="false"> b</li></ul>',
            "- [x] a\n- [ ] b",
        ),
        ("<p>a  \n b &lt;int&gt; &amp; “c”</p>", "a b <int> & “c”"),
        ("<p>&nbsp;&nbsp;if x:</p><p>&nbsp; &nbsp; &nbsp; y</p>", "if x:\n      y"),
        ("a<!-- b -->c<o:p></o:p><style>p {}</style>d<script>x()", "acdx()"),
        ('<img src="data:image/png;base64,AAAA>" alt="a > b" itemtype="x/Emoji">b', "a > bb"),
    ],
)
def test_text_is_what_people_see(html: str, text: str) -> None:
    """Blanks collapse as on the screen; paragraphs are lines; what was struck out is marked."""
    assert text == parse_html(html).text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ('<codeblock class="Json"><code>{<br>&nbsp; "a": 1<br>}</code></codeblock>', '```json\n{\n  "a": 1\n}\n```'),
        (
            '<p>Run:</p><p itemtype="http://schema.skype.com/CodeBlockEditor" id="x_1">&nbsp;</p>'
            '<pre class="language-python" itemid="1"><code><span class="hljs">if</span> a &lt; b:\n'
            "    <span>c()</span></code></pre>",
            "Run:\n\n```python\nif a < b:\n    c()\n```",
        ),
        ("<pre>a\u200b\n\xa0 b</pre>", "```\na\n  b\n```"),
        ("<pre><div>a</div><div>b</div><p>c</p></pre>", "```\na\nb\nc\n```"),
        ("<pre>a\n```\nb</pre>", "````\na\n```\nb\n````"),
        ("x <code>a&nbsp;b</code> <code>c`d</code> y", "x `a b` ``c`d`` y"),
        ("<code>a<br>b</code>", "```\na\nb\n```"),
    ],
)
def test_code_is_fenced_with_plain_spaces(html: str, text: str) -> None:
    """U+00A0 and zero-width signs, which editors and Teams put into pasted code, would break it."""
    assert text == parse_html(html).text


def test_emoji_are_text_and_pictures_are_named() -> None:
    """Each client has its own element for an emoji."""
    html = parse_html(
        '<p><emoji id="smile" alt="😀" title="Smile"></emoji><span type="(smile)"><img itemtype="http://schema.skype.com'
        '/Emoji" alt="😄"></span><customemoji id="c" alt="party" source="https://x"></customemoji></p>'
        '<img alt="image" src="https://x" itemtype="http://schema.skype.com/AMSImage">'
        '<readonly itemtype="http://schema.skype.com/Sticker">'
        '<img itemtype="http://schema.skype.com/Sticker" alt="Yay" src="x"></readonly>'
        '<img itemtype="http://schema.skype.com/Giphy" alt="Dancing cat (GIF Image)" src="x">'
    )

    assert "😀😄:party:" == html.text
    pictures = (UnreadPart("image"), UnreadPart("sticker", "Yay"), UnreadPart("image", "Dancing cat (GIF Image)"))
    assert pictures == html.images


def test_a_reply_has_author_and_id() -> None:
    """The person's own words follow; a bold word in them is no author."""
    html = parse_html(
        '<blockquote itemtype="http://schema.skype.com/Reply" itemid="17">'
        '<strong itemprop="mri" itemid="8:orgid:7">Adele Vance</strong>'
        '<span itemprop="time" itemid="17"></span><p itemprop="preview">It is <b>due</b> on Friday.</p></blockquote>'
        "<p><strong>Is</strong> it?</p>"
    )

    assert "Is it?" == html.text
    assert (QuotedReply("17", "Adele Vance", "It is due on Friday.", "8:orgid:7"),) == html.quotes


def test_a_forwarded_message_is_apart_from_the_persons_words() -> None:
    """Some clients send it in the text, mostly without an author. What it quotes itself stays in it as a quotation."""
    html = parse_html(
        '<p>Is this right?</p><blockquote itemscope itemtype="http://schema.skype.com/Forward" itemid="18">'
        '<strong itemprop="mri" itemid="8:orgid:7">Adele Vance</strong><span itemprop="time"></span><p>It is due.</p>'
        '<blockquote itemtype="http://schema.skype.com/Reply">When?</blockquote></blockquote>'
    )

    assert "Is this right?" == html.text
    assert (QuotedReply("18", "Adele Vance", "It is due.\n\n> When?", "8:orgid:7"),) == html.forwards
    assert (QuotedReply("", "", "Late again"),) == parse_html(
        '<blockquote itemtype="http://schema.skype.com/Forward"><p><strong>Late</strong> again</p></blockquote>'
    ).forwards


def test_mentions_of_the_bot_are_removed() -> None:
    """By index, or by name in clients without one. Other mentions are names."""
    context = HtmlContext(frozenset({0}), "Whisper")
    mention = '<span itemtype="http://schema.skype.com/Mention" itemid="{}">{}</span>'

    assert "and Bob?" == parse_html(mention.format(0, "Whisper") + "&nbsp;and Bob?", context).text
    assert (
        "Hey you and Bob, ?"
        == parse_html(
            f"Hey {mention.format(0, 'Whisper')}&nbsp;you and {mention.format(1, 'Bob')}, <at id='0'>Whisper</at>?",
            context,
        ).text
    )
    assert "ask Bob" == parse_html("<at>Whisper</at> ask <at>Bob</at>", context).text


def test_clips_and_recordings_are_named() -> None:
    html = parse_html(
        '<video itemtype="http://schema.skype.com/AMSVideo" src="x" title="Demo">old</video><audio src="y"></audio>'
        '<URIObject type="Video.2/CallRecording.1" uri="z">Play<Title>Recording</Title></URIObject>end'
    )

    assert "end" == html.text
    assert (UnreadPart("video", "Demo"), UnreadPart("audio"), UnreadPart("video")) == html.unread


HOSTILE = (
    *("<!--", "<a ", "&", "<", "<div>", "</", "<blockquote itemtype='/Reply'>", "<script>", "&#9", "<b itemid="),
    *("<pre>", "<li>", "<ul>", "<ol><li>", "<table>", "<td>", "<table><tr><td rowspan=99 colspan=99>x", "<a href='"),
    *("`", "<code>`", "<br>", "<blockquote>", "<li><br>", "\xa0", "<p>&nbsp;</p>", "<s>", "<h1>", "<at>x", "a='"),
    *("<a title=\"'>", "a="),
)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("html", HOSTILE)
def test_hostile_html_is_parsed_in_linear_time(html: str) -> None:
    """Python's own parser took minutes for some of these 128 KB. The result stays small, too."""
    parsed = parse_html((html * LIMIT_CHARS)[:LIMIT_CHARS])
    in_a_tag = parse_html(f"<p {(html * LIMIT_CHARS)[: LIMIT_CHARS - 4]}>")

    assert max(len(parsed.text), len(in_a_tag.text)) <= 2 * LIMIT_CHARS


def test_html_beyond_the_limit_is_ignored() -> None:
    assert MessageHtml() == parse_html("x" * (LIMIT_CHARS + 1))


def test_deep_nesting_loses_the_form_and_not_the_text() -> None:
    """Ten thousand levels would exhaust the stack of a recursive parser."""
    html = parse_html("<ul><li>" * 5000 + "deep" + "</li></ul>" * 5000 + "<p>after</p>")

    assert "deep" in html.text
    assert html.text.endswith("\nafter")


def test_a_number_of_thousands_of_digits_is_text() -> None:
    """Python refuses to convert it."""
    assert parse_html(f"&#{'9' * 5000};a").text.endswith("a")


TAGS = st.sampled_from(
    ["p", "div", "li", "ol", "ul", "table", "tr", "td", "pre", "code", "a", "blockquote", "at", "b", "h1", "s", "span"]
)
PIECES = st.one_of(
    TAGS.map(lambda tag: f"<{tag}>"),
    TAGS.map(lambda tag: f"</{tag}>"),
    st.sampled_from(['<a href="https://x.ca">', "<img alt=x>", "<br>", "<blockquote itemtype='x/Reply'>", "&nbsp;"]),
    st.text(max_size=5),
)


@given(st.lists(PIECES, max_size=40).map("".join))
def test_any_html_is_read(html: str) -> None:
    """Elements may be open, crossed or unknown."""
    assert parse_html(html).text == parse_html(html).text.strip()
