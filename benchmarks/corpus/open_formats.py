"""OpenDocument texts and Rich Text Format: changes, lists, tables, notes, boxes, hidden text, other alphabets."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.corpus import Sample
from benchmarks.corpus.word import SENTENCES, TITLES, prose
from tests.support import open_files as o

RTF = "application/rtf"
LIST = o.list_style("L1", o.number_level(1, "1", suffix=")"), o.number_level(2, "a", prefix="(", suffix=")"))
RTF_START = (
    r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fswiss\fcharset0 Arial;}{\f1\fcharset204 Arial CYR;}}"
    r"{\stylesheet{Normal;}{\s1 heading 1;}}{\info{\author A. Roy}}"
)


def open_sample(name: str, body: str, words: str, **parts: str) -> Sample:
    return Sample(f"{name}.odt", o.ODT, o.open_file(body, **parts), words)


def rich_sample(name: str, body: str, words: str) -> Sample:
    return Sample(f"{name}.rtf", RTF, f"{RTF_START}{body}}}".encode("cp1252"), words)


def samples() -> Iterator[Sample]:
    yield from open_documents()
    yield from rich_texts()


def open_documents() -> Iterator[Sample]:
    sections = [(f"{TITLES[n % 10]} {n}", prose(n)) for n in range(20)]
    body = "".join(o.heading(title) + o.paragraph(text) for title, text in sections)
    yield open_sample("policy", body, " ".join(f"{title} {text}" for title, text in sections))
    deletion = (
        "<text:tracked-changes><text:changed-region><text:deletion><text:p>$20</text:p></text:deletion>"
        "</text:changed-region></text:tracked-changes>"
    )
    changed = deletion + o.paragraph("The fee is <text:change/><text:change-start/>$25<text:change-end/> a day.")
    yield open_sample("changes", changed + o.paragraph(prose(1)), f"The fee is $25 a day. {prose(1)}")
    steps = o.listing("Open the form.", o.paragraph("Sign:") + o.listing("with ink", attributes="")) + o.paragraph(
        prose(2)
    )
    yield open_sample("steps", steps, f"1) Open the form. 2) Sign: (a) with ink {prose(2)}", styles=LIST)
    wide = o.cell("Others", 'table:number-columns-spanned="2"') + "<table:covered-table-cell/>"
    table = o.table(
        f"<table:table-header-rows>{o.row('Group', 'Level', 'Rate')}</table:table-header-rows>",
        o.row("AS", "1", "$50.10"),
        f"<table:table-row>{wide}{o.cell('$40.00')}</table:table-row>",
    )
    yield open_sample("merged-cells", table, "Group Level Rate AS 1 $50.10 Others $40.00")
    box = "<draw:frame><draw:text-box><text:p>Deadline: June 15</text:p></draw:text-box></draw:frame>"
    noted = (
        o.paragraph(prose(3))
        + o.paragraph(f"Paid for 15{o.note('1', SENTENCES[0])} weeks.")
        + o.paragraph(f"Apply.{box}")
    )
    yield open_sample(
        "notes-and-boxes", noted, f"{prose(3)} Paid for 15 weeks. {SENTENCES[0]} Apply. Deadline: June 15"
    )


def rich_texts() -> Iterator[Sample]:
    sections = [(f"{TITLES[n % 10]} {n}", prose(n)) for n in range(20)]
    body = "".join(rf"\pard\plain\s1\b {title}\par\pard\plain {text}\par" "\n" for title, text in sections)
    yield rich_sample("policy", body, " ".join(f"{title} {text}" for title, text in sections))
    letters = r"\pard Les employ\'e9s re\u231?oivent 20\~$. {\f1 \'cf\'f0\'e8\'e2\'e5\'f2} \ldblquote Oui\rdblquote\par"
    yield rich_sample("letters", letters, "Les employés reçoivent 20 $. Привет Oui")
    table = (
        r"\trowd\cellx1\cellx2\pard\intbl Group\cell Rate\cell\row\trowd\pard\intbl AS\cell $50.10\cell\row"
        r"\pard{\listtext 1.\tab}Open the form.\par{\listtext 2.\tab}Sign it.\par"
    )
    yield rich_sample("table-and-steps", table, "Group Rate AS $50.10 1. Open the form. 2. Sign it.")
    seen = rf"\pard The fee is {{\deleted $20}}$25{{\v secret}} a day{{\footnote {SENTENCES[0]}}}.\par {prose(5)}\par"
    yield rich_sample("changes-and-notes", seen, f"The fee is $25 a day. {SENTENCES[0]} {prose(5)}")
