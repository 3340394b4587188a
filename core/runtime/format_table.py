"""The formats of files that are read. One row for each. Pure. `refused_formats` has those that are refused.

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

from core.runtime.refused_formats import REFUSED, RefusedFormat, split

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


FileFormat = ReadableFormat | RefusedFormat


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
# By the first part of a media type.
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
