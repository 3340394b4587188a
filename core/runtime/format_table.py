"""The formats of files: those that are read, and those that are refused with advice. One row for each. Pure.

Everything else derives from these rows: how bytes are read (`core.rag.reading.formats`), which attached files are
fetched (`bindings.files`), which types the Web may send (`core.rag.fetching.response`), and what the page's file
chooser shows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePath
from typing import Literal
from urllib.parse import urlsplit

from core.errors import DocumentFault

DocumentFormat = Literal[
    "page",
    "feed",
    "xml",
    "text",
    "markdown",
    "code",
    "csv",
    "json",
    "json_lines",
    "pdf",
    "word",
    "workbook",
    "open_document",
    "rich_text",
    "slides",
    "mail",
    "outlook",
]
FileFamily = Literal["image", "audio", "video", "font"]  # the first part of a media type


@dataclass(frozen=True, slots=True)
class ReadableFormat:
    """A format that is read. The first of `suffixes` and of `media_types` is the usual one.

    `parser`: a module of `core/rag/reading/`, and its function from a `RawDocument` to a `Document`.
    `is_text`: the bytes do not tell the format, so the media type and the file's name do.
    """

    name: DocumentFormat
    label: str
    parser: str
    suffixes: tuple[str, ...]
    media_types: tuple[str, ...]
    is_text: bool = False
    file_names: tuple[str, ...] = ()  # whole names, in lower case


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


FileFormat = ReadableFormat | RefusedFormat


def split(text: str) -> tuple[str, ...]:
    return tuple(text.split())


READABLE: tuple[ReadableFormat, ...] = (
    ReadableFormat(
        "page",
        "HTML",
        "pages.extract:parse_page",
        split(".html .htm .xhtml"),
        split("text/html application/xhtml+xml"),
        True,
    ),
    ReadableFormat(
        "feed",
        "RSS, Atom, JSON Feed",
        "feeds.xml_feed:parse_feed",
        split(".rss .atom .rdf"),
        split("application/rss+xml application/atom+xml application/rdf+xml application/feed+json"),
        True,
    ),
    ReadableFormat(
        "text",
        "text",
        "text.plain_text:parse_text",
        split(".txt .text .log .asc .me .nfo"),
        split("text/plain"),
        True,
        split("readme license licence changelog authors contributors notice todo"),
    ),
    ReadableFormat(
        "markdown",
        "Markdown",
        "text.plain_text:parse_markdown",
        split(".md .markdown .mdown .mkd .mdx .qmd .rmd"),
        split("text/markdown text/x-markdown"),
        True,
    ),
    ReadableFormat(
        "csv",
        "CSV",
        "tables.csv_table:parse_csv",
        split(".csv .tsv .tab"),
        split("text/csv text/tab-separated-values application/csv text/x-csv text/comma-separated-values"),
        True,
    ),
    ReadableFormat(
        "json",
        "JSON",
        "tables.json_data:parse_json",
        split(".json .geojson .webmanifest"),
        split("application/json text/json application/ld+json application/geo+json application/schema+json"),
        True,
    ),
    ReadableFormat(
        "json_lines",
        "JSON Lines",
        "tables.json_data:parse_json_lines",
        split(".jsonl .ndjson"),
        split("application/x-ndjson application/jsonl application/x-jsonlines application/jsonlines"),
        True,
    ),
    ReadableFormat("pdf", "PDF", "pdf.document:parse_pdf", split(".pdf"), split("application/pdf application/x-pdf")),
    ReadableFormat(
        "word",
        "Word (.docx)",
        "word.document:parse_word",
        split(".docx .docm .dotx .dotm"),
        split(
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
            " application/vnd.openxmlformats-officedocument.wordprocessingml.template"
            " application/vnd.ms-word.document.macroenabled.12 application/vnd.ms-word.template.macroenabled.12"
        ),
    ),
    ReadableFormat(
        "workbook",
        "Excel (.xlsx, .xls, .ods)",
        "tables.workbook:parse_workbook",
        split(".xlsx .xlsm .xltx .xltm .xlsb .xls .xlt .ods .ots"),
        split(
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
            " application/vnd.openxmlformats-officedocument.spreadsheetml.template"
            " application/vnd.ms-excel.sheet.macroenabled.12 application/vnd.ms-excel.template.macroenabled.12"
            " application/vnd.ms-excel.sheet.binary.macroenabled.12 application/vnd.ms-excel application/msexcel"
            " application/x-msexcel application/vnd.oasis.opendocument.spreadsheet"
            " application/vnd.oasis.opendocument.spreadsheet-template"
        ),
    ),
    ReadableFormat(
        "slides",
        "PowerPoint (.pptx)",
        "slides.document:parse_slides",
        split(".pptx .pptm .ppsx .ppsm .potx .potm"),
        split(
            "application/vnd.openxmlformats-officedocument.presentationml.presentation"
            " application/vnd.openxmlformats-officedocument.presentationml.slideshow"
            " application/vnd.openxmlformats-officedocument.presentationml.template"
            " application/vnd.ms-powerpoint.presentation.macroenabled.12"
            " application/vnd.ms-powerpoint.slideshow.macroenabled.12"
            " application/vnd.ms-powerpoint.template.macroenabled.12"
        ),
    ),
    ReadableFormat(
        "open_document",
        "OpenDocument (.odt)",
        "open_document.document:parse_open_document",
        split(".odt .ott .fodt"),
        split(
            "application/vnd.oasis.opendocument.text application/vnd.oasis.opendocument.text-template"
            " application/vnd.oasis.opendocument.text-flat-xml"
        ),
    ),
    ReadableFormat(
        "rich_text",
        "RTF",
        "rich_text.document:parse_rich_text",
        split(".rtf"),
        split("application/rtf text/rtf application/x-rtf text/richtext"),
    ),
    ReadableFormat(
        "mail",
        "email (.eml, .msg)",
        "mail.internet_message:parse_mail",
        split(".eml .mht .mhtml .mbox"),
        split(
            "message/rfc822 multipart/related multipart/mixed message/global application/x-mimearchive application/mbox"
        ),
        True,
    ),
    ReadableFormat(
        "outlook", "Outlook", "mail.outlook:parse_outlook", split(".msg"), split("application/vnd.ms-outlook")
    ),
    ReadableFormat(
        "xml",
        "XML",
        "text.code:parse_code",
        split(
            ".xml .xsd .xsl .xslt .svg .wsdl .kml .gpx .opml .plist .dita .xliff .resx .csproj .vcxproj .xaml"
            " .rng .storyboard .xib .axml .xul"
        ),
        split("application/xml text/xml image/svg+xml application/vnd.google-earth.kml+xml application/gpx+xml"),
        True,
    ),
    ReadableFormat(
        "code",
        "code and configuration",
        "text.code:parse_code",
        split(
            ".py .pyi .pyw .js .jsx .mjs .cjs .ts .tsx .mts .cts .vue .svelte .css .scss .sass .less .php .rb"
            " .erb .pl .pm .lua .r .jl .tcl .c .h .cc .cpp .cxx .hh .hpp .ino .m .mm .cs .fs .vb .vbs .bas .vba"
            " .java .kt .kts .scala .groovy .clj .go .rs .swift .dart .zig .hs .elm .ml .ex .exs .erl .lisp .el"
            " .scm .pas .f90 .for .cob .cbl .asm .s .v .vhd .abap .cls .sas .sps .do .ado .stan .sh .bash .zsh"
            " .fish .ksh .csh .bat .cmd .ps1 .psm1 .psd1 .awk .sed .sql .ddl .psql .pls .hql .cypher .sparql .rq"
            " .graphql .gql .proto .thrift .yaml .yml .toml .ini .cfg .cnf .conf .config .env .properties .props"
            " .reg .inf .desktop .service .tf .tfvars .hcl .gradle .cmake .mk .mak .bzl .nix .dockerfile .lock"
            " .json5 .jsonc .jsonnet .rego .puml .mmd .gv .tex .ltx .sty .bib .rst .adoc .asciidoc .org .wiki"
            " .po .pot .ftl .srt .vtt .sbv .lrc .ics .ifb .vcf .diff .patch .http .feature .robot .hbs .mustache"
            " .ejs .j2 .jinja .jinja2 .tmpl .tpl .liquid .twig .cshtml .aspx .jsp .cfm .pem .crt .csr .pub"
        ),
        split(
            "text/x-code text/javascript application/javascript application/x-javascript application/typescript"
            " text/css application/yaml application/x-yaml text/yaml application/toml application/sql"
            " application/x-sql application/x-sh application/x-csh application/x-shellscript application/x-bat"
            " application/x-powershell application/x-python application/x-python-code application/x-ruby"
            " application/x-perl application/x-php application/x-httpd-php application/graphql application/x-tex"
            " application/x-latex application/x-subrip application/rls-services+xml text/calendar text/vcard"
            " text/vtt application/x-pem-file application/json5 application/vnd.oai.openapi application/openapi+yaml"
        ),
        True,
        split(
            "dockerfile containerfile makefile gnumakefile jenkinsfile vagrantfile procfile gemfile rakefile"
            " brewfile podfile fastfile justfile cmakelists.txt .env .gitignore .gitattributes .gitmodules"
            " .dockerignore .editorconfig .bashrc .bash_profile .zshrc .profile .vimrc .npmrc .htaccess .gitconfig"
            " codeowners crontab hosts"
        ),
    ),
)
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
FAMILIES: Mapping[str, str] = {"image": "picture", "audio": "recording", "video": "recording", "font": "font"}
ROWS: tuple[FileFormat, ...] = (*READABLE, *REFUSED.values())
BY_NAME: Mapping[str, ReadableFormat] = {row.name: row for row in READABLE}
BY_SUFFIX: Mapping[str, FileFormat] = {suffix: row for row in reversed(ROWS) for suffix in row.suffixes}
BY_FILE_NAME: Mapping[str, ReadableFormat] = {name: row for row in READABLE for name in row.file_names}
BY_MEDIA_TYPE: Mapping[str, FileFormat] = {media: row for row in reversed(ROWS) for media in row.media_types}
READABLE_MEDIA_TYPES = frozenset(chain.from_iterable(row.media_types for row in READABLE))
# A folder of documents may hold a site with its styles and scripts: they are read when someone attaches them.
DOCUMENT_SUFFIXES = frozenset(
    chain.from_iterable(row.suffixes for row in READABLE if row.name not in ("code", "xml", "json_lines"))
) | {".xml"}
READABLE_FORMATS = f"{', '.join(row.label for row in READABLE)} are read"
STRUCTURED_SUFFIX = re.compile(r"application/[a-z0-9.-]+\+(xml|json)")


def format_of_name(name: str) -> FileFormat | None:
    """Returns the format for a file's name, a path or a URL: by the whole name, else by the suffix."""
    last = last_part(name)
    return BY_FILE_NAME.get(last) or BY_SUFFIX.get(PurePath(last).suffix)


def last_part(name: str) -> str:
    """Returns a file's name without folders, in lower case; of a URL, without its query."""
    if name.startswith(("http://", "https://")):
        try:
            name = urlsplit(name).path
        except ValueError:
            return ""
    return re.split(r"[/\\]", name)[-1].strip().lower()


def format_of_media_type(media_type: str) -> FileFormat | None:
    """Returns the format for a media type. A type of the family "image" without a row is a picture, and so on."""
    declared = media_type.partition(";")[0].strip().lower()
    family, _, subtype = declared.partition("/")
    if row := BY_MEDIA_TYPE.get(declared):
        return row
    if family in FAMILIES:
        return REFUSED[FAMILIES[family]]
    if structured := STRUCTURED_SUFFIX.fullmatch(declared):
        return BY_NAME[structured[1]]
    if family == "text":
        return BY_NAME["code" if subtype.startswith("x-") else "text"]
    return None


def guess_media_type(name: str) -> str:
    """Returns the media type for a file's name or path; "" for an unknown or unreadable format."""
    row = format_of_name(name)
    return row.media_types[0] if isinstance(row, ReadableFormat) else ""


def chooser_types() -> str:
    """Returns the value of `accept` for a file chooser: the suffixes of all readable formats, and text of all kinds."""
    return ",".join([*dict.fromkeys(chain.from_iterable(row.suffixes for row in READABLE)), "text/*"])
