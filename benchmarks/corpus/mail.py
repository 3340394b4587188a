"""Messages: plain, HTML, in both forms, in other charsets, forwarded, with invitations; and Outlook's own files."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from email.mime.message import MIMEMessage

from benchmarks.corpus import Sample
from tests.support.outlook_files import OutlookFile, packed_rtf

EML, MSG = "message/rfc822", "application/vnd.ms-outlook"
SENDER, RECIPIENT, DATE = "Anne Roy <anne.roy@example.ca>", "hr@example.ca", "Tue, 05 May 2026 21:30:00 -0500"
HEAD = "Anne Roy anne.roy@example.ca hr@example.ca"  # readers show dates in forms of their own
INVITATION = """\
BEGIN:VCALENDAR
BEGIN:VEVENT
SUMMARY:Quarterly review
DTSTART;TZID=America/Toronto:20260512T130000
DTEND;TZID=America/Toronto:20260512T140000
LOCATION:Room 410\\, 90 Elgin Street
DESCRIPTION:Bring the figures of the first quarter.\\nLunch is served.
END:VEVENT
END:VCALENDAR
"""


def samples() -> Iterator[Sample]:
    for name, (message, words) in messages().items():
        yield Sample(f"{name}.eml", EML, message.as_bytes(), f"{message['subject']} {HEAD} {words}")
    for name, (file, words) in outlook_files().items():
        yield Sample(f"{name}.msg", MSG, file.build(), words)


def message(subject: str) -> EmailMessage:
    made = EmailMessage()
    made["Subject"], made["From"], made["To"], made["Date"] = subject, SENDER, RECIPIENT, DATE
    return made


def messages() -> dict[str, tuple[EmailMessage, str]]:
    plain = message("Parking")
    plain.set_content("The fee is $25 a day.\n\nIt begins on May 1.\n")
    french = message("Congés d’été")
    french.set_content("Les congés sont approuvés.\nÀ bientôt\n", charset="iso-8859-1", cte="quoted-printable")
    html = message("Schedule")
    html.set_content(
        "<h2>Hours</h2><p>We open at <b>8:30</b>.</p><table><tr><th>Day</th><th>Until</th></tr>"
        "<tr><td>Monday</td><td>16:00</td></tr></table>",
        subtype="html",
    )
    both = message("Two forms")
    both.set_content("Sign the form before noon.\n")
    both.add_alternative("<p>Sign the <i>form</i> before noon.</p>", subtype="html")
    shell = message("Newsletter")
    shell.set_content("Your program shows no HTML.\n")
    shell.add_alternative(f"<p>{'The cafeteria closes for repairs until the end of June. ' * 5}</p>", subtype="html")
    attached = message("Contract")
    attached.set_content("Please find the contract attached.\n")
    attached.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="contrat signé.pdf")
    forwarded = message("FW: Parking")
    forwarded.set_content("See below.\n")
    forwarded.make_mixed()
    forwarded.attach(MIMEMessage(plain))
    invitation = message("Invitation")
    invitation.set_content("You are invited.\n")
    invitation.add_alternative(INVITATION.encode(), maintype="text", subtype="calendar")
    return {
        "plain": (plain, "The fee is $25 a day. It begins on May 1."),
        "french": (french, "Les congés sont approuvés. À bientôt"),
        "html": (html, "Hours We open at 8:30. Day Until Monday 16:00"),
        "both": (both, "Sign the form before noon."),
        "shell": (shell, "The cafeteria closes for repairs until the end of June. " * 5),
        "attached": (attached, "Please find the contract attached. contrat signé.pdf"),
        "forwarded": (forwarded, f"See below. Parking {HEAD} The fee is $25 a day. It begins on May 1."),
        "invitation": (
            invitation,
            "You are invited. Quarterly review 2026-05-12 13:00 America/Toronto 2026-05-12 14:00 America/Toronto "
            "Room 410, 90 Elgin Street Bring the figures of the first quarter. Lunch is served.",
        ),
    }


def outlook_files() -> dict[str, tuple[OutlookFile, str]]:
    head = {"0037": "Parking", "0C1A": "Anne Roy", "0C1F": "anne.roy@example.ca", "0E04": "HR Service"}
    sent = {0x0039: 134_225_586_000_000_000}
    headers = {"007D": f"From: x\r\nDate: {DATE}\r\n"}
    words = "Parking Anne Roy anne.roy@example.ca HR Service"
    plain = OutlookFile({**head, **headers, "1000": "The fee is $25 a day.\r\n"}, fixed=sent)
    html = OutlookFile({**head, **headers}, {"1013": "<p>Les congés sont <b>payés</b>.</p>".encode()}, sent)
    rtf = rb"{\rtf1\ansi\ansicpg1252 The form is \b due\b0  on May 1.\par Sign it before.}"
    rich = OutlookFile({**head, **headers}, {"1009": packed_rtf(rtf)}, sent)
    inner = OutlookFile({"0037": "Rules", "0C1A": "Luc Roy", "1000": "Cars must show a permit."})
    outer = OutlookFile(
        {**head, **headers, "1000": "See the rules."},
        fixed=sent,
        attachments=[{"3707": "map.pdf"}],
        attached_messages=[inner],
    )
    return {
        "outlook-plain": (plain, f"{words} The fee is $25 a day."),
        "outlook-html": (html, f"{words} Les congés sont payés."),
        "outlook-rich": (rich, f"{words} The form is due on May 1. Sign it before."),
        "outlook-attached": (outer, f"{words} See the rules. map.pdf Rules Luc Roy Cars must show a permit."),
    }
