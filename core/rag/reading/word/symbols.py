"""Letters of symbol fonts as Unicode: Wingdings, Wingdings 2 and Symbol, which documents use for boxes and signs. Pure.

They have the codes 0x20 to 0xFF, or those plus 0xF000. A letter that is not known is dropped: its look is not known.
"""

from __future__ import annotations

PRIVATE_START, PRIVATE_END = 0xF000, 0xF0FF
WINGDINGS = {
    0x21: "✏", 0x28: "☎", 0x29: "✆", 0x2A: "✉", 0x46: "☞", 0x4A: "☺", 0x4C: "☹", 0x6C: "●", 0x6E: "■", 0x6F: "☐",
    0x71: "☐", 0x72: "☐", 0x74: "◆", 0x75: "◆", 0x76: "❖", 0x77: "◆", 0x9F: "•", 0xA1: "○", 0xA7: "▪", 0xA8: "☐",
    0xD8: "➢", 0xDF: "←", 0xE0: "→", 0xE1: "↑", 0xE2: "↓", 0xE8: "➔", 0xEF: "⇦", 0xF0: "⇨", 0xFB: "✗", 0xFC: "✓",
    0xFD: "☒", 0xFE: "☑",
}  # fmt: skip
WINGDINGS_2 = {0x4F: "✗", 0x50: "✓", 0x51: "☒", 0x52: "☑", 0x53: "☒", 0x54: "☒", 0x97: "●", 0xA3: "☐", 0xA4: "☐"}
GREEK = {
    **dict(zip(range(0x41, 0x5B), "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ", strict=True)),
    **dict(zip(range(0x61, 0x7B), "αβχδεφγηιϕκλμνοπθρστυϖωξψζ", strict=True)),
}
MATHEMATICS = dict(
    zip(
        range(0xA1, 0xC0),
        "ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵",
        strict=True,
    )
)
SETS = dict(zip(range(0xC4, 0xD8), "⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅", strict=True))
SYMBOL = {**GREEK, **MATHEMATICS, **SETS, 0x22: "∀", 0x24: "∃", 0x2D: "−", 0xD8: "¬", 0xD9: "∧", 0xDA: "∨",
          0xDB: "⇔", 0xDC: "⇐", 0xDD: "⇑", 0xDE: "⇒", 0xDF: "⇓", 0xE5: "∑", 0xF2: "∫"}  # fmt: skip
FONTS = {"wingdings": WINGDINGS, "wingdings 2": WINGDINGS_2, "symbol": SYMBOL}


def symbol(code: int, font: str) -> str:
    """Returns the Unicode letter for a code of a font; "" if it is not known."""
    letters = FONTS.get(font.strip().lower())
    is_private = PRIVATE_START <= code <= PRIVATE_END
    low = code - PRIVATE_START if is_private else code
    if letters is not None:
        return letters.get(low, chr(low) if letters is SYMBOL and 0x20 <= low < 0x7F else "")
    return "" if is_private or not 0x20 <= code < 0x110000 else chr(code)


def without_private_letters(text: str, font: str) -> str:
    """Replaces the letters of symbol fonts that stand in ordinary text, and all known ones in the font Wingdings."""
    if font.strip().lower() in ("wingdings", "wingdings 2"):
        return "".join(symbol(ord(letter), font) or letter for letter in text)
    if not any(PRIVATE_START <= ord(letter) <= PRIVATE_END for letter in text):
        return text
    return "".join(
        symbol(ord(letter), font) if PRIVATE_START <= ord(letter) <= PRIVATE_END else letter for letter in text
    )
