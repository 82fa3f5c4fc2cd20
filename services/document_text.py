"""The text of a file, page by page: PDF, Office, OpenDocument, HTML, CSV, plain text.

It decides by content and name which reader applies, keeps to limits of size and time, and never runs anything of the
file: no macros, no links, no external entities. A page is a page of a PDF, a slide, or about 4,000 characters.
Readers use only libraries that Odoo itself needs; where one is missing, the message says so.
"""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .html_text import html_to_markdown

MAX_FILE = 32 * 1024 * 1024
# Text of one file that is looked at; a book has about a million characters.
MAX_TEXT = 3_000_000
SECONDS = 10.0
PAGE_SIZE = 4_000

PDF, WORD, SHEET, SLIDES, OPEN, HTML, TEXT, IMAGE, OLD_OFFICE, OTHER = (
    "pdf", "word", "sheet", "slides", "open", "html", "text", "image", "old_office", "other",
)  # fmt: skip
_BY_SUFFIX = {
    "pdf": PDF, "docx": WORD, "docm": WORD, "xlsx": SHEET, "xlsm": SHEET, "pptx": SLIDES, "pptm": SLIDES,
    "odt": OPEN, "ods": OPEN, "odp": OPEN, "html": HTML, "htm": HTML, "xhtml": HTML,
    "doc": OLD_OFFICE, "xls": OLD_OFFICE, "ppt": OLD_OFFICE,
}  # fmt: skip
_BY_TYPE = {
    "application/pdf": PDF,
    "text/html": HTML,
    "application/xhtml+xml": HTML,
    "application/msword": OLD_OFFICE,
    "application/vnd.ms-excel": OLD_OFFICE,
    "application/vnd.ms-powerpoint": OLD_OFFICE,
    "application/json": TEXT,
    "application/xml": TEXT,
    "image/svg+xml": TEXT,
}
_BY_PART = {"wordprocessingml": WORD, "spreadsheetml": SHEET, "presentationml": SLIDES, "opendocument": OPEN}
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip


class Unreadable(ValueError):
    """The file's text cannot be had; the message says why and is fit for the client."""


class Deadline:
    """Ends the reading of a file that takes too long."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._end = time.monotonic() + seconds

    def check(self) -> None:
        """:raises Unreadable: when the time is up"""
        if time.monotonic() > self._end:
            raise Unreadable("Reading this file takes too long. Ask for fewer pages, or download it.")


@dataclass(frozen=True)
class Document:
    """An opened file.

    :param unit: what a page is: `page`, `slide` or `part`
    :param count: how many pages there are
    :param page: returns the text of a page by its number, from 1
    """

    kind: str
    unit: str
    count: int
    page: Callable[[int], str]


def kind_of(data: bytes, name: str, mimetype: str) -> str:
    """Return what kind of file this is; the first bytes win over what it calls itself."""
    suffix = name.rpartition(".")[2].lower() if "." in name else ""
    if data[:1024].lstrip().startswith(b"%PDF-"):
        return PDF
    if data.startswith(b"PK\x03\x04"):
        named = next((kind for part, kind in _BY_PART.items() if part in mimetype), None)
        return named or (_BY_SUFFIX.get(suffix, OTHER) if _BY_SUFFIX.get(suffix) not in (PDF, HTML) else OTHER)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        return OLD_OFFICE
    if mimetype.startswith("image/") and mimetype != "image/svg+xml":
        return IMAGE
    kind = _BY_TYPE.get(mimetype) or _BY_SUFFIX.get(suffix)
    if kind in (HTML, TEXT):
        return kind
    looks_like_text = not kind and (b"\0" not in data[:8192] or data.startswith(tuple(_BYTE_ORDER_MARKS)))
    return TEXT if looks_like_text or mimetype.startswith("text/") else OTHER


def open_document(data: bytes, name: str, mimetype: str = "", *, deadline: Deadline | None = None) -> Document:
    """Return the opened file, ready to be read page by page.

    :raises Unreadable: no text to be had, too large, damaged, or a library is missing
    """
    if len(data) > MAX_FILE:
        raise Unreadable(f"The file has {len(data):,} bytes; text is read from files of at most {MAX_FILE:,}.")
    deadline = deadline or Deadline()
    kind = kind_of(data, name, mimetype)
    if kind == PDF:
        from .pdf_text import open_pdf

        return open_pdf(data, deadline)
    if kind == SLIDES:
        from .office_text import slides

        pages = slides(data, deadline)
        return Document(kind, "slide", len(pages), lambda number: pages[number - 1])
    if kind in (WORD, SHEET, OPEN):
        from . import office_text

        readers = {WORD: office_text.word, SHEET: office_text.sheets, OPEN: office_text.open_document}
        return _in_parts(kind, _capped(readers[kind](data, deadline)))
    if kind == HTML:
        return _in_parts(kind, html_to_markdown(decoded(data)))
    if kind == TEXT:
        return _in_parts(kind, decoded(data))
    if kind == OLD_OFFICE:
        raise Unreadable("This is an Office file of the old binary kind, which cannot be read as text.")
    raise Unreadable(f"A file of type {mimetype or 'unknown'} has no text to read.")


def decoded(data: bytes) -> str:
    """Return bytes as text: by byte order mark, else UTF-8, else Windows-1252, which most old files are."""
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            return data[: MAX_TEXT * 4].decode(encoding, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def page_numbers(pages: str | None, count: int) -> list[int]:
    """Return the numbers that a text such as "1-3,7" or "4-" names, in order; all for none.

    :raises ValueError: not such a text, or no such page; fit for the client
    """
    if not pages or not pages.strip():
        return list(range(1, count + 1))
    numbers: dict[int, None] = {}
    for part in pages.replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        if not first.isdecimal() or len(first) > 6 or (last and (not last.isdecimal() or len(last) > 6)):
            raise ValueError(f'pages={pages!r} is not understood. Write it like "2", "1-3" or "4-".')
        end = int(last) if last else (count if dash else int(first))
        numbers.update(dict.fromkeys(range(int(first), min(end, count) + 1)))
    found = [number for number in numbers if number >= 1]
    if not found:
        raise ValueError(f"There is no page {pages}: the file has {count}.")
    return found


def page_ranges(numbers: list[int]) -> str:
    """Return numbers as `page_numbers` reads them: [1, 2, 3, 7] as "1-3,7"."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def _in_parts(kind: str, text: str) -> Document:
    pages = list(_parts(text.replace("\r\n", "\n").replace("\0", "")[:MAX_TEXT].strip("\n")))
    return Document(kind, "part", len(pages), lambda number: pages[number - 1])


def _parts(text: str) -> Iterator[str]:
    """Cut a text into pieces of about a page, at the end of a paragraph or line where there is one."""
    start = 0
    while start < len(text):
        end = start + PAGE_SIZE
        if end < len(text):
            for mark in ("\n\n", "\n", " "):
                cut = text.rfind(mark, start + PAGE_SIZE // 2, end)
                if cut > 0:
                    end = cut + len(mark)
                    break
        yield text[start:end].strip("\n")
        start = end


def _capped(lines: Iterator[str]) -> str:
    """Join lines until there are enough of them."""
    kept, size = [], 0
    for line in lines:
        kept.append(line)
        size += len(line) + 1
        if size > MAX_TEXT:
            break
    return "\n".join(kept)
