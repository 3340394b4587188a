"""Word files: changes, content controls, boxes, notes, tables, numbers, forms, fields, and whole documents."""

from __future__ import annotations

import re
from collections.abc import Iterator

from benchmarks.corpus import Sample
from tests.support import word_files as w

SENTENCES = (
    "Employees who work in a remote community receive an allowance for each day of the month.",
    "The manager decides within ten working days, and gives the reasons in writing.",
    "A claim without receipts is returned to the person who made it.",
    "Leave that is not taken by the end of March is carried over to the next year.",
    "The rate of 17.5 % applies to all contracts that were signed after May 2, 2026.",
    "Long-term projects are reviewed by the committee every second quarter.",
    "Questions go to the regional office, which answers by e-mail or by telephone.",
    "No fee is charged for a first copy; each further copy costs $4.75.",
)
TITLES = (
    "Purpose",
    "Scope",
    "Definitions",
    "Roles",
    "Allowances",
    "Leave",
    "Contracts",
    "Reports",
    "Review",
    "Contact",
)
HEADINGS = "".join(w.style(f"Heading{n}", f"heading {n}") for n in (1, 2, 3)) + w.style("Title", "Title")
FRENCH = w.style("Titre1", "heading 1") + w.style("Titre2", "heading 2") + w.style("Titre", "Title")
LEGAL = w.abstract_list(
    0,
    w.level(0, "decimal", "%1", '<w:pStyle w:val="Heading1"/>'),
    w.level(1, "decimal", "%1.%2", '<w:pStyle w:val="Heading2"/>'),
    w.level(2, "lowerLetter", "(%3)"),
) + w.list_of(1, 0)
STEPS = w.abstract_list(0, w.level(0, "decimal", "Step %1:"), w.level(1, "lowerRoman", "%2.")) + w.list_of(1, 0)
WIDE, TOP, BELOW = '<w:gridSpan w:val="2"/>', '<w:vMerge w:val="restart"/>', "<w:vMerge/>"


def prose(start: int, count: int = 3) -> str:
    return " ".join(SENTENCES[(start + step) % len(SENTENCES)] for step in range(count))


def sample(name: str, body: str, words: str, *, form: str = "docx", **parts: object) -> Sample:
    content = w.word_file(body, form=form, **parts)  # type: ignore[arg-type]
    return Sample(f"{name}.{form}", w.MAIN_TYPES[form], content, words)


def samples() -> Iterator[Sample]:
    yield from whole_documents()
    yield from changes()
    yield from controls()
    yield from beside_the_text()
    yield from tables()
    yield from numbers()
    yield from small_parts()


def whole_documents() -> Iterator[Sample]:
    """Yields a policy of forty sections, in each form that Word saves."""
    sections = [(f"{TITLES[n % 10]} {n + 1}", prose(n), prose(n + 3, 2)) for n in range(40)]
    body = w.styled("Policy on allowances", "Title") + "".join(
        w.styled(title, "Heading1") + w.paragraph(first) + w.paragraph(second) for title, first, second in sections
    )
    words = " ".join(["Policy on allowances", *(" ".join(section) for section in sections)])
    for form in w.MAIN_TYPES:
        yield sample("policy", body, words, form=form, styles=HEADINGS)
    strict = w.word_file(body, strict=True, styles=HEADINGS)
    yield Sample("policy-strict.docx", w.MAIN_TYPES["docx"], strict, words)
    french = (
        w.styled("Indemnités de déplacement", "Titre") + w.styled("Portée", "Titre1")
        + w.paragraph("La présente directive s’applique à tous les employés nommés pour une période indéterminée.")
        + w.styled("Taux", "Titre2") + w.paragraph("Le taux est de 17,5 % depuis le 2 mai 2026.")
    )  # fmt: skip
    yield sample("directive", french, visible(french), styles=FRENCH)


def changes() -> Iterator[Sample]:
    fee = w.run("The fee is ") + w.tracked("del", "$20") + w.tracked("ins", "$25") + w.run(" a day. ")
    insertion = '<w:ins w:id="3" w:author="A. Roy"/>'
    body = (
        w.paragraph(prose(0)) + w.paragraph(fee) + w.paragraph(w.tracked("ins", prose(1)), w.mark_of("ins"))
        + w.paragraph(w.tracked("del", prose(2)), w.mark_of("del"))
        + w.paragraph(w.tracked("moveTo", prose(4)), w.mark_of("moveTo"))
        + w.table(
            w.row("Group", "Rate"), w.row("AS", "50", properties=insertion),
            w.row("CR", "40", properties=insertion.replace("ins", "del")),
        )
        + w.paragraph(w.tracked("moveFrom", prose(4)), w.mark_of("moveFrom")) + w.paragraph(prose(5))
    )  # fmt: skip
    words = f"{prose(0)} The fee is $25 a day. {prose(1)} {prose(4)} Group Rate AS 50 {prose(5)}"
    yield sample("tracked-changes", body, words)
    merged = w.paragraph("The committee meets ", w.mark_of("del")) + w.paragraph("in May.") + w.paragraph(prose(3))
    yield sample("deleted-paragraph-end", merged, f"The committee meets in May. {prose(3)}")


def controls() -> Iterator[Sample]:
    body = (
        w.control(w.styled("Application", "Heading1") + w.paragraph(prose(1)))
        + w.paragraph(w.run("Applicant: ") + w.control(w.run("Anna Roy")) + w.run(", since 2019"))
        + w.control(w.table(
            w.row("Period", "Amount"), w.control(w.row("April", "$120.00")),
            w.row("May", w.control(w.cell("$131.50"))),
        ))
        + w.control(w.control(w.paragraph(prose(2))))
    )  # fmt: skip
    yield sample("content-controls", body, visible(body), styles=HEADINGS)
    box = '<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:checkBox>{}</w:checkBox></w:ffData></w:fldChar></w:r>'
    end = '<w:r><w:instrText> FORMCHECKBOX </w:instrText></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>'
    form = w.paragraph(box.format("<w:checked/>") + end + w.run(" I agree.")) + w.paragraph(
        w.run("Name: ")
        + w.field_of("FORMTEXT", "Luc Tremblay")
        + w.run(" Language: ")
        + w.field_of("FORMTEXT", "French")
    )
    yield sample("form-fields", form, "I agree. Name: Luc Tremblay Language: French")


def beside_the_text() -> Iterator[Sample]:
    box = w.text_box(w.paragraph("Deadline: June 15, 2026") + w.paragraph("Apply in writing."))
    body = w.paragraph(prose(0)) + w.paragraph(w.run(SENTENCES[1]) + box) + w.paragraph(prose(2))
    words = f"{prose(0)} {SENTENCES[1]} Deadline: June 15, 2026 Apply in writing. {prose(2)}"
    yield sample("text-boxes", body, words)
    notes = w.note("footnote", 5, SENTENCES[6]) + w.note("footnote", 8, SENTENCES[7])
    body = w.paragraph(prose(3)) + w.paragraph(
        w.run("Paid for 15") + w.note_mark("footnote", 5) + w.run(" weeks, in advance.") + w.note_mark("footnote", 8)
    )
    noted = f"{prose(3)} Paid for 15 weeks, in advance. {SENTENCES[6]} {SENTENCES[7]}"
    yield sample("footnotes", body, noted, footnotes=notes)
    ends = w.paragraph(prose(4)) + w.paragraph(w.run("Under the Act") + w.note_mark("endnote", 2) + w.run("."))
    endnote = w.note("endnote", 2, SENTENCES[0])
    yield sample("endnotes", ends, f"{prose(4)} Under the Act. {SENTENCES[0]}", endnotes=endnote)
    comments = w.comment(1, "Anna Roy", "Please check this amount.") + w.comment(2, "Luc", "It is right.")
    body = w.paragraph(prose(5))
    words = f"{prose(5)} Anna Roy Please check this amount. Luc It is right."
    yield sample("comments", body, words, comments=comments)


def tables() -> Iterator[Sample]:
    merged = w.paragraph(prose(1)) + w.table(
        w.row("Group", "Level", "Rate", properties="<w:tblHeader/>"),
        w.row(w.cell("Administration", TOP), "AS-1", "$50.10"),
        w.row(w.cell("", BELOW), "AS-2", "$55.75"),
        w.row(w.cell("Others, by agreement", WIDE), "$40.00"),
    )
    yield sample("merged-cells", merged, visible(merged))
    offices = w.table(w.row("City", "Staff"), w.row("Halifax", "12"), w.row("Moncton", "7"))
    nested = w.table(
        w.row("Region", "Offices"),
        w.row("East", w.cell(offices + w.paragraph(""))),
        w.row("West", "Vancouver"),
    )  # fmt: skip
    yield sample("nested-tables", nested + w.paragraph(prose(2)), visible(nested + w.paragraph(prose(2))))
    long = w.table(
        w.row("Code", "Service", "Fee", "Days", properties="<w:tblHeader/>"),
        *(w.row(f"S-{n:03}", f"{TITLES[n % 10]} service {n}", f"${n * 3}.50", str(n % 9 + 1)) for n in range(120)),
    )
    yield sample("long-table", w.paragraph(prose(6)) + long, visible(w.paragraph(prose(6)) + long))
    frame = w.table(w.row(w.cell(w.styled("Important", "Heading2") + w.paragraph(prose(3)))))
    yield sample("framed-text", w.paragraph(prose(0)) + frame, f"{prose(0)} Important {prose(3)}", styles=HEADINGS)


def numbers() -> Iterator[Sample]:
    """Yields lists of which the numbers belong to the text: "See step 2"."""
    steps = (
        w.listed("Open the form.") + w.listed("Fill in both pages:") + w.listed("your name", 1)
        + w.listed("your unit", 1) + w.listed("Send it.") + w.paragraph("If you made a mistake, see step 2.")
    )  # fmt: skip
    words = (
        "Step 1: Open the form. Step 2: Fill in both pages: i. your name ii. your unit Step 3: Send it. "
        "If you made a mistake, see step 2."
    )
    yield sample("steps", steps, words, numbering=STEPS)
    numbered = '<w:numPr><w:numId w:val="1"/></w:numPr>'
    styles = w.style("Heading1", "heading 1", numbered) + w.style("Heading2", "heading 2", numbered)
    legal, shown = "", ""
    for section in range(1, 5):
        legal += w.styled(TITLES[section], "Heading1")
        shown += f" {section} {TITLES[section]}"
        for part in (1, 2):
            legal += (
                w.styled(TITLES[section + part], "Heading2")
                + w.paragraph(prose(section))
                + w.listed(SENTENCES[part], 2)
            )
            shown += f" {section}.{part} {TITLES[section + part]} {prose(section)} (a) {SENTENCES[part]}"
    yield sample("legal-numbers", legal, shown, styles=styles, numbering=LEGAL)


def small_parts() -> Iterator[Sample]:
    """Yields fields, links, signs, hidden text, equations and letters that are set apart."""
    contents = w.paragraph(
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> TOC \\o "1-3" </w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r>' + w.run("Purpose 1")
    ) + w.paragraph(w.run("Scope 2") + '<w:r><w:fldChar w:fldCharType="end"/></w:r>')
    linked = w.paragraph(
        w.run("As ") + f'<w:hyperlink w:anchor="top">{w.run("the guide")}</w:hyperlink>' + w.run(" says, see ")
        + w.field_of("REF _Ref1 \\h", "table 4") + w.run(" of ") + f"<w:smartTag>{w.run('Ottawa')}</w:smartTag>"
        + w.run(" on ") + f'<w:fldSimple w:instr="DATE">{w.run("May 2, 2026")}</w:fldSimple>' + w.run(".")
    )  # fmt: skip
    words = f"Purpose 1 Scope 2 As the guide says, see table 4 of Ottawa on May 2, 2026. {prose(7)}"
    yield sample("fields-and-links", contents + linked + w.paragraph(prose(7)), words)
    hidden = w.paragraph(w.run("Seen") + w.run(" not seen", "<w:vanish/>") + w.run(" again.")) + w.paragraph(prose(0))
    yield sample("hidden-text", hidden, f"Seen again. {prose(0)}")
    signs = (
        "<w:r><w:t>long</w:t><w:noBreakHyphen/><w:t>term</w:t><w:tab/><w:t>plan</w:t><w:br/><w:t>re</w:t><w:softHyphen/>"
        "<w:t>view</w:t></w:r>"
    )
    capital = w.paragraph("T", '<w:framePr w:dropCap="drop"/>') + w.paragraph("he review begins in May.")
    yield sample("signs", w.paragraph(signs) + capital, "long-term plan review The review begins in May.")
    cost, days = (f"<m:r><m:t>{text}</m:t></m:r>" for text in ("cost", "days"))
    equation = f"<m:oMath><m:f><m:num>{cost}</m:num><m:den>{days}</m:den></m:f></m:oMath>"
    rate = w.paragraph(w.run("The rate is ") + equation + w.run(" a year."))
    yield sample("equation", rate, "The rate is cost/days a year.")


def visible(body: str) -> str:
    """Returns the text of WordprocessingML of which everything is seen."""
    return " ".join(re.sub(r"<[^>]*>", " ", re.sub(r"</?w:r>|</?w:t[^>]*>|<w:rPr></w:rPr>", "", body)).split())
