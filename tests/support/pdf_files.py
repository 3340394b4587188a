"""Writes PDFs object by object, as several producers do. Without a library: readers must not share its view of PDF."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

LETTER = (612, 792)
# Widths of Helvetica from the blank to "~", from Adobe's font metrics.
WIDTHS = [
    *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556,) * 10,
    *(278, 278, 584, 584, 584, 556, 1015),
    *(667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833),
    *(722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611),
    *(278, 278, 278, 469, 556, 333),
    *(556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833),
    *(556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500),
    *(334, 260, 334, 584),
]
LIGATURES = {"ff": 1, "fi": 2, "fl": 3, "ffi": 4, "ffl": 5}  # codes of the font F3
PLAIN_FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
BOLD_FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>"
LIGATURE_FONT = (
    b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding << /Type /Encoding "
    b"/BaseEncoding /WinAnsiEncoding /Differences [1 /ff /fi /fl /ffi /ffl] >> >>"
)


def join_objects(objects: Sequence[bytes], trailer: bytes = b"") -> bytes:
    """Builds a PDF of the objects, numbered from 1; the first is the catalog."""
    made, places = b"%PDF-1.7\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%b\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(objects) + 1, table)
    return (
        made
        + head
        + b"trailer << /Size %d /Root 1 0 R %b >>\nstartxref\n%d\n%%%%EOF"
        % (
            len(objects) + 1,
            trailer,
            len(made),
        )
    )


def stream(dictionary: bytes, content: bytes) -> bytes:
    return b"<< /Length %d %b >>\nstream\n%b\nendstream" % (len(content), dictionary, content)


def string(text: str) -> bytes:
    """Returns a text string of PDF: UTF-16 in hexadecimal digits."""
    return b"<FEFF%b>" % text.encode("utf-16-be").hex().encode()


class PdfFile:
    """A PDF that grows by pages. Their fonts: F1 Helvetica, F2 its bold face, F3 with ligatures as codes 1 to 5."""

    def __init__(self, *, title: str = "", page_size: tuple[int, int] = LETTER) -> None:
        self._objects = [b"", b"", PLAIN_FONT, BOLD_FONT, LIGATURE_FONT]
        self._pages: list[int] = []
        self._page_size = page_size
        self._trailer = b"/Info %d 0 R" % self.add(b"<< /Title %b >>" % string(title)) if title else b""
        self.catalog: list[bytes] = []  # entries, such as b"/Outlines 7 0 R"

    def add(self, body: bytes) -> int:
        """Returns the number of the new object."""
        self._objects.append(body)
        return len(self._objects)

    def replace(self, number: int, body: bytes) -> None:
        """Sets an object that others refer to, and that refers to them."""
        self._objects[number - 1] = body

    def add_page(
        self, content: str | bytes, *, rotate: int = 0, annotations: Iterable[int] = (), extra: str = ""
    ) -> int:
        """Returns the page's object number. `extra`: entries of its dictionary."""
        body = content.encode("cp1252") if isinstance(content, str) else content
        contents = self.add(stream(b"", body))
        notes = " ".join(f"{number} 0 R" for number in annotations)
        width, height = self._page_size
        page = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}] /Rotate {rotate} /Contents {contents} 0 R "
            f"/Annots [{notes}] {extra} {'' if '/Resources' in extra else resources()} >>"
        )
        self._pages.append(self.add(page.encode()))
        return self._pages[-1]

    def build(self) -> bytes:
        kids = b" ".join(b"%d 0 R" % number for number in self._pages)
        self._objects[0] = b"<< /Type /Catalog /Pages 2 0 R %b >>" % b" ".join(self.catalog)
        self._objects[1] = b"<< /Type /Pages /Count %d /Kids [%b] >>" % (len(self._pages), kids)
        return join_objects(self._objects, self._trailer)

    # Parts that many documents have.

    def add_form(self, fields: Sequence[int], *, xfa: str = "") -> None:
        packets = b" /XFA %d 0 R" % self.add(stream(b"", xfa.encode())) if xfa else b""
        numbers = b" ".join(b"%d 0 R" % number for number in fields)
        self.catalog.append(b"/AcroForm %d 0 R" % self.add(b"<< /Fields [%b]%b >>" % (numbers, packets)))

    def add_field(self, name: str, value: bytes, *, kind: str = "Tx", label: str = "", extra: bytes = b"") -> int:
        """Returns the number of a field that is its own widget. `value`: in PDF's syntax."""
        extra = extra if b"/Rect" in extra else extra + b"/Rect [72 600 300 620]"
        named = b"/TU %b " % string(label) if label else b""
        return self.add(
            b"<< /Type /Annot /Subtype /Widget /FT /%b /T %b %b/V %b %b >>"
            % (kind.encode(), string(name), named, value, extra)
        )

    def add_note(self, subtype: str, contents: str, *, author: str = "", extra: bytes = b"") -> int:
        return self.add(
            b"<< /Type /Annot /Subtype /%b /Rect [72 500 300 520] /Contents %b /T %b %b >>"
            % (subtype.encode(), string(contents), string(author), extra)
        )

    def add_outline(self, entries: Sequence[tuple[str, int]]) -> None:
        """Adds bookmarks: titles and the object numbers of their pages."""
        root = len(self._objects) + 1
        self.catalog.append(b"/Outlines %d 0 R" % root)
        last = root + len(entries)
        self.add(b"<< /Type /Outlines /First %d 0 R /Last %d 0 R /Count %d >>" % (root + 1, last, len(entries)))
        for number, (title, page) in enumerate(entries, root + 1):
            following = b"/Next %d 0 R " % (number + 1) if number < last else b""
            self.add(b"<< /Title %b /Parent %d 0 R %b/Dest [%d 0 R /Fit] >>" % (string(title), root, following, page))

    def add_image(self) -> int:
        """Returns the number of a gray picture of four pixels."""
        return self.add(
            stream(
                b"/Type /XObject /Subtype /Image /Width 2 /Height 2 /ColorSpace /DeviceGray /BitsPerComponent 8",
                b"\x80" * 4,
            )
        )


def resources(objects: str = "") -> str:
    return f"/Resources << /Font << /F1 3 0 R /F2 4 0 R /F3 5 0 R >> {objects} >>"


def scan(image: int) -> tuple[str, str]:
    """Returns the content of a page that a picture fills, and the entries of its dictionary."""
    return "q 612 0 0 792 0 0 cm /I Do Q", resources(f"/XObject << /I {image} 0 R >>")


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def width(text: str, size: float = 11) -> float:
    return sum(WIDTHS[ord(char) - 32] if 32 <= ord(char) < 127 else 556 for char in text) * size / 1000


def show(text: str, x: float, y: float, *, size: float = 11, font: str = "F1") -> str:
    """Shows one piece of text."""
    return f"BT /{font} {size} Tf {x:.2f} {y:.2f} Td ({escaped(text)}) Tj ET\n"


def show_lines(
    lines: Iterable[str], x: float, y: float, *, size: float = 11, leading: float = 0, font: str = "F1"
) -> str:
    """Shows lines below one another."""
    step = leading or size * 1.2
    return "".join(show(line, x, y - index * step, size=size, font=font) for index, line in enumerate(lines))


def show_words(line: str, x: float, y: float, *, size: float = 11) -> str:
    """Shows each word by itself, at its place: no blank is drawn."""
    shown = ""
    for word in line.split():
        shown += show(word, x, y, size=size)
        x += width(word, size) + 0.278 * size
    return shown


def show_kerned(line: str, x: float, y: float, *, size: float = 11) -> str:
    """Shows the line as TeX does: one array, in which kerns are small moves and blanks are large ones."""
    pieces = " -333 ".join(
        " ".join(f"({escaped(word[at : at + 3])}) {20 if at % 2 else -15}" for at in range(0, len(word), 3))
        for word in line.split()
    )
    return f"BT /F1 {size} Tf {x:.2f} {y:.2f} Td [{pieces}] TJ ET\n"


def show_ligatures(line: str, x: float, y: float, *, size: float = 11) -> str:
    """Shows ff, fi, fl, ffi and ffl as one glyph each."""
    text = escaped(line)
    for letters in sorted(LIGATURES, key=len, reverse=True):
        text = text.replace(letters, f"\\{LIGATURES[letters]:03o}")
    return f"BT /F3 {size} Tf {x:.2f} {y:.2f} Td ({text}) Tj ET\n"


def wrap(text: str, room: float, *, size: float = 11) -> list[str]:
    """Breaks the text into lines of at most this width."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if width(longer, size) > room and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
