"""The formats of files that are refused, with advice. One row for each. Pure. `format_table` has the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import DocumentFault


def split(text: str) -> tuple[str, ...]:
    return tuple(text.split())


@dataclass(frozen=True, slots=True)
class RefusedFormat:
    """A format that is not read. `advice` ends the sentence "this is …"; people read the text of `reason`.

    `by_name`: a file with this suffix has this format for certain, so it need not be fetched.
    """

    reason: DocumentFault
    advice: str
    suffixes: tuple[str, ...] = ()
    media_types: tuple[str, ...] = ()
    by_name: bool = False


# By the name that `core.rag.reading.content_sniffing` uses.
REFUSED: Mapping[str, RefusedFormat] = {
    "old_word": RefusedFormat(
        "old_word",
        "a Word 97–2003 file: save it as .docx",
        split(".doc .dot"),
        split("application/msword application/vnd.ms-word"),
    ),
    "old_slides": RefusedFormat(
        "old_slides",
        "a PowerPoint 97–2003 file: save it as .pptx",
        split(".ppt .pps .pot"),
        split("application/vnd.ms-powerpoint application/mspowerpoint application/x-mspowerpoint"),
    ),
    "old_workbook": RefusedFormat("old_workbook", "an old Excel file: save it as .xlsx", split(".xlw .xlc")),
    "encrypted": RefusedFormat(
        "encrypted",
        "a file that is encrypted for its recipients: open it, and attach its text or a copy without protection",
        split(".p7m .rpmsg .pfile .ptxt .gpg .pgp"),
        split(
            "application/pkcs7-mime application/x-pkcs7-mime application/x-microsoft-rpmsg-message"
            " application/pgp-encrypted"
        ),
    ),
    "old_office": RefusedFormat("convert", "an old Office file: save it in a current format, such as .docx or PDF"),
    "convert": RefusedFormat(
        "convert",
        "a file that only its own program opens: save or export it there as PDF",
        split(
            ".odp .otp .fodp .odg .fodg .odf .sxw .sxi .sxc .pages .key .numbers .vsd .vsdx .vsdm .vdx .one"
            " .onepkg .onetoc2 .pub .mpp .mpt .wpd .wp .wps .epub .mobi .azw .azw3 .djvu .djv .xps .oxps .ps .eps"
            " .ai .indd .dwg .dxf .rvt .pst .ost .msp .chm .hwp .lwp .wri .abw .gdoc .gsheet .gslides .loop .fluid"
            " .whiteboard .xmind .mmap .drawio .fig .sketch"
        ),
        split(
            "application/vnd.oasis.opendocument.presentation application/vnd.oasis.opendocument.graphics"
            " application/vnd.visio application/vnd.ms-visio.drawing.main+xml application/onenote"
            " application/epub+zip application/x-iwork-pages-sffpages application/x-iwork-keynote-sffkey"
            " application/vnd.apple.pages application/vnd.apple.keynote application/vnd.apple.numbers"
            " application/vnd.ms-project application/x-mspublisher application/postscript image/vnd.djvu"
            " application/wordperfect application/vnd.wordperfect application/vnd.ms-xpsdocument application/oxps"
            " image/vnd.dwg image/vnd.dxf application/vnd.ms-outlook-pst"
        ),
    ),
    "database": RefusedFormat(
        "database",
        "a database: export the table as .csv or .xlsx",
        split(".accdb .mdb .accde .sqlite .sqlite3 .db .db3 .dbf .parquet .feather .sav .dta .sas7bdat .rds .rdata"),
        split(
            "application/msaccess application/x-msaccess application/vnd.ms-access application/vnd.sqlite3"
            " application/x-sqlite3 application/vnd.apache.parquet application/x-spss-sav"
        ),
    ),
    "archive": RefusedFormat(
        "archive",
        "an archive, such as a ZIP file: unpack it and attach the files",
        split(".zip .zipx .7z .rar .gz .tgz .bz2 .tbz2 .xz .txz .zst .tar .cab .iso .dmg .jar .war .lzh .lha .arj .z"),
        split(
            "application/zip application/x-zip-compressed application/x-zip application/x-7z-compressed"
            " application/vnd.rar application/x-rar-compressed application/x-rar application/gzip"
            " application/x-gzip application/x-tar application/x-bzip2 application/x-xz application/zstd"
            " application/java-archive application/vnd.ms-cab-compressed application/x-compressed"
            " application/x-gtar"
        ),
        True,
    ),
    "picture": RefusedFormat(
        "picture",
        "a picture: pictures are not read",
        split(
            ".png .jpg .jpeg .jpe .jfif .gif .bmp .dib .tif .tiff .webp .heic .heif .avif .ico .psd .raw .cr2"
            " .nef .dng .emf .wmf .jxl .jp2 .tga .xcf"
        ),
        (),
        True,
    ),
    "recording": RefusedFormat(
        "recording",
        "a sound recording or a video: recordings are not read",
        split(
            ".mp3 .wav .m4a .m4b .aac .ogg .oga .opus .flac .wma .aif .aiff .amr .mid .midi .mp4 .m4v .mov .avi"
            " .mkv .webm .wmv .mpg .mpeg .3gp .ogv .flv .m2ts .vob .caf"
        ),
        split("application/ogg application/mp4 application/vnd.rn-realmedia application/vnd.ms-asf"),
        True,
    ),
    "font": RefusedFormat("kind", "a font", split(".ttf .otf .woff .woff2 .eot"), (), True),
    "program": RefusedFormat(
        "kind",
        "a program",
        split(
            ".exe .dll .msi .msix .scr .so .dylib .o .obj .class .pyc .pyd .wasm .apk .ipa .deb .rpm .bin .elf"
            " .sys .appx .app .lnk"
        ),
        split(
            "application/x-msdownload application/vnd.microsoft.portable-executable application/x-executable"
            " application/x-dosexec application/x-sharedlib application/java-vm application/wasm application/x-msi"
            " application/vnd.android.package-archive application/vnd.debian.binary-package"
        ),
        True,
    ),
}
