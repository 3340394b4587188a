"""The form fields, free texts, comments and attached files of PDFs."""

from __future__ import annotations

import pytest

from core.errors import UnreadableDocument
from tests.core.rag.reading.support_pdfs import read, text_of, texts
from tests.support import pdf_files
from tests.support.pdf_files import PdfFile, show


def test_filled_forms_are_read() -> None:
    """Values come with the fields' labels, or with their names. Empty and secret fields are left out."""
    pdf = PdfFile()
    fields = [
        pdf.add_field("form1[0].Page1[0].Surname[0]", pdf_files.string("Tremblay"), label="Nom de famille"),
        pdf.add_field("form1[0].Page1[0].Given_name[0]", pdf_files.string("Marie-Ève")),
        pdf.add_field("Empty", b"()"),
        pdf.add_field("Secret", b"(1234)", extra=b"/Ff 8192"),
        pdf.add_field("Province", b"(QC)", kind="Ch", extra=b"/Ff 131072 /Opt [[(QC) (Quebec)] [(ON) (Ontario)]]"),
        pdf.add_field("Full time", b"/Yes", kind="Btn", extra=b"/AS /Yes /AP << /N << /Yes 3 0 R /Off 3 0 R >> >>"),
        pdf.add_field("Part time", b"/Off", kind="Btn", extra=b"/AS /Off /AP << /N << /Yes 3 0 R /Off 3 0 R >> >>"),
    ]
    pdf.add_page(show("Application for leave from the public service", 72, 740), annotations=fields)
    pdf.add_form(fields)

    assert texts(pdf) == [
        ("p. 1", "Application for leave from the public service"),
        (
            "p. 1 › Form fields",
            "- Nom de famille: Tremblay\n- Given name: Marie-Ève\n- Province: Quebec\n- [x] Full time\n- [ ] Part time",
        ),
    ]


def test_fields_without_names_have_their_labels_on_the_page() -> None:
    """A name that a program made up is replaced. An empty form has no values."""
    pdf = PdfFile()
    filled = pdf.add_field("Text1", b"(Lee)", extra=b"/Rect [150 695 300 712]")
    named = pdf.add_field("Branch", b"(Pay)", extra=b"/Rect [150 665 300 682]")
    box = pdf.add_field("Check Box 2", b"/Off", kind="Btn", extra=b"/AS /Off /AP << /N << /Yes 3 0 R >> >>")
    page = show("Family name:", 72, 700) + show("Other words", 72, 670)
    pdf.add_page(page, annotations=[filled, named])
    pdf.add_page(show("The second page", 72, 700), annotations=[box])
    pdf.add_form([filled, named, box])

    assert texts(pdf)[1:] == [("p. 1 › Form fields", "- Family name: Lee\n- Branch: Pay"), ("p. 2", "The second page")]


def test_free_text_and_attached_files_are_read() -> None:
    """Headings are in the document's language."""
    pdf = PdfFile()
    note = pdf.add_note("FreeText", "Approuvé par la directrice")
    file = pdf.add(
        b"<< /Type /Filespec /F (budget.xlsx) /UF (budget.xlsx) /EF << /F %d 0 R >> >>"
        % pdf.add(pdf_files.stream(b"", b"x"))
    )
    pdf.add_page(show("Voici la demande de congé pour les employés", 72, 740), annotations=[note])
    pdf.catalog.append(b"/Names << /EmbeddedFiles << /Names [(budget.xlsx) %d 0 R] >> >>" % file)

    assert texts(pdf) == [
        ("p. 1", "Voici la demande de congé pour les employés\n\nApprouvé par la directrice"),
        ("Fichiers joints", "- budget.xlsx"),
    ]


def test_comments_are_named_as_such() -> None:
    """Each says who wrote it, and which words it is about. Links, popups and hidden notes are none."""
    pdf = PdfFile()
    notes = [
        pdf.add_note("Text", "Is this still true?", author="Ana"),
        pdf.add_note("Highlight", "Cite the directive", author="Luc"),
        pdf.add_note("Popup", "Cite the directive"),
        pdf.add_note("Link", "https://example.ca/"),
        pdf.add_note("Text", "Hidden", extra=b"/F 2"),
    ]
    pdf.add_page(show("All of the words", 72, 700) + show("Leave is eighteen months", 72, 506), annotations=notes)

    assert texts(pdf) == [
        ("p. 1", "All of the words\n\nLeave is eighteen months"),
        (
            "p. 1 › Comments",
            "- Ana: Is this still true?\n- Luc, on “Leave is eighteen months”: Cite the directive",
        ),
    ]


@pytest.mark.parametrize(
    "sentence", ["Please wait... If this message is not eventually replaced", "Veuillez patienter…", ""]
)
def test_a_form_for_adobe_only_is_refused(sentence: str) -> None:
    """Its page says nothing but that another program is needed."""
    pdf = PdfFile()
    pdf.add_page(show(sentence, 72, 700))
    pdf.add_form([], xfa="<xdp:xdp xmlns:xdp='http://ns.adobe.com/xdp/'/>")

    with pytest.raises(UnreadableDocument, match="XFA") as refusal:
        read(pdf)
    assert refusal.value.reason == "xfa"


def test_a_form_with_pages_of_its_own_is_read() -> None:
    """Many forms are XFA and have ordinary pages too."""
    pdf = PdfFile()
    field = pdf.add_field("Name", b"(Lee)")
    pdf.add_page(show("Application for leave", 72, 740), annotations=[field])
    pdf.add_form([field], xfa="<xdp:xdp xmlns:xdp='http://ns.adobe.com/xdp/'/>")

    assert "- Name: Lee" in text_of(pdf)


STATES = b"/AP << /N << /1 3 0 R /Off 3 0 R >> >>"


def test_a_box_has_its_label_on_the_right() -> None:
    """Programs name boxes "Check Box 1"; people read the words beside them."""
    pdf = PdfFile()
    boxes = [
        pdf.add_field("Check Box1", b"/1", kind="Btn", extra=b"/AS /1 /Rect [72 600 84 612] " + STATES),
        pdf.add_field("Check Box2", b"/Off", kind="Btn", extra=b"/AS /Off /Rect [72 580 84 592] " + STATES),
    ]
    pdf.add_page(show("Vegetarian meal", 88, 602) + show("Wheelchair access", 88, 582), annotations=boxes)
    pdf.add_form(boxes)

    assert texts(pdf)[-1] == ("p. 1 › Form fields", "- [x] Vegetarian meal\n- [ ] Wheelchair access")


def test_a_field_may_have_its_label_above() -> None:
    pdf = PdfFile()
    field = pdf.add_field("Text1", b"(Roy)", extra=b"/Rect [72 580 200 600]")
    pdf.add_page(show("Family name", 72, 605, size=8) + show("Given name", 250, 605, size=8), annotations=[field])
    pdf.add_form([field])

    assert texts(pdf)[-1] == ("p. 1 › Form fields", "- Family name: Roy")


@pytest.mark.parametrize(("label", "expected"), [("", "[x] No"), ("Citizen", "Citizen: No")])
def test_the_chosen_button_is_named_by_its_words(label: str, expected: str) -> None:
    """Its value is often a number that means nothing."""
    pdf = PdfFile()
    group = pdf.add(b"")
    widget = (
        b"<< /Type /Annot /Subtype /Widget /Parent %d 0 R /Rect [%b] /AS /%b /AP << /N << /%b 3 0 R /Off 3 0 R >> >> >>"
    )
    buttons = [
        pdf.add(widget % (group, b"72 600 84 612", b"Off", b"0")),
        pdf.add(widget % (group, b"172 600 184 612", b"1", b"1")),
    ]
    named = b"/TU %b " % pdf_files.string(label) if label else b""
    pdf.replace(group, b"<< /FT /Btn /Ff 49152 /T (Group1) %b/V /1 /Kids [%d 0 R %d 0 R] >>" % (named, *buttons))
    pdf.add_page(show("Yes", 88, 602) + show("No", 188, 602), annotations=buttons)
    pdf.add_form([group])

    assert texts(pdf)[-1] == ("p. 1 › Form fields", f"- {expected}")
