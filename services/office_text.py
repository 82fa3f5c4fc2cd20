"""The text of Office Open XML and OpenDocument files: zip archives of XML.

Before anything is unpacked the archive is weighed: the sizes it declares are what Python's `zipfile` will write at
most. Document types are refused, entities never resolved, nothing outside the file is read.
"""

from __future__ import annotations

import datetime
import io
import re
import zipfile
import zlib
from collections.abc import Iterator

from lxml import etree

from .document_text import Deadline, Unreadable

MAX_UNPACKED = 150 * 1024 * 1024
MAX_PART = 25 * 1024 * 1024
MAX_PARTS = 5_000
MAX_RATIO = 200
# Below this even a good ratio is harmless.
SMALL = 2 * 1024 * 1024
MAX_REPEATS = 50
MAX_SLIDES = 1_000

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_DAMAGE = (zipfile.BadZipFile, zlib.error, KeyError, EOFError, NotImplementedError, RuntimeError, OSError)
_SLIDE = re.compile(r"ppt/slides/slide(\d{1,6})\.xml")


def word(data: bytes, deadline: Deadline) -> Iterator[str]:
    """Yield the paragraphs of a DOCX; the cells of a table row stand on one line."""
    root = _xml(_opened(data), "word/document.xml")
    for element in root.iter():
        deadline.check()
        name = _local(element)
        if name == "p" and not _inside(element, "tc"):
            yield _paragraph(element)
        elif name == "tr" and not _inside(element, "tc"):
            cells = [cell for cell in element if _local(cell) == "tc"]
            yield " | ".join(" ".join(map(_paragraph, _named(cell, "p"))) for cell in cells)


def slides(data: bytes, deadline: Deadline) -> list[str]:
    """Return the text of each slide of a PPTX, in the order of their numbers."""
    archive = _opened(data)
    names = {int(match.group(1)): name for name in archive.namelist() if (match := _SLIDE.fullmatch(name))}
    texts = []
    for number in sorted(names)[:MAX_SLIDES]:
        deadline.check()
        paragraphs = (_paragraph(each) for each in _named(_xml(archive, names[number]), "p"))
        texts.append("\n".join(text for text in paragraphs if text.strip()))
    return texts


def sheets(data: bytes, deadline: Deadline) -> Iterator[str]:
    """Yield the rows of an XLSX as tab-separated lines, each sheet under its name; values, not formulas."""
    try:
        import openpyxl
        from openpyxl.utils.exceptions import InvalidFileException
    except ImportError:
        raise Unreadable("XLSX files cannot be read here: the Python package openpyxl is not installed.") from None
    _opened(data)
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        for sheet in book.worksheets:
            # The size a sheet claims may be any; rows are then as long as what is in them.
            sheet.reset_dimensions()
            yield f"## {sheet.title}"
            for row in sheet.iter_rows(values_only=True):
                deadline.check()
                cells = [_cell(value) for value in row]
                if any(cells):
                    yield "\t".join(cells).rstrip("\t")
            yield ""
    except (*_DAMAGE, InvalidFileException, ValueError, TypeError, AttributeError, IndexError, SyntaxError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable("This XLSX file is damaged.") from error


def open_document(data: bytes, deadline: Deadline) -> Iterator[str]:
    """Yield the paragraphs of an ODT or ODP and the rows of an ODS."""
    root = _xml(_opened(data), "content.xml")
    for element in root.iter():
        deadline.check()
        if element.tag == f"{_TABLE}table":
            yield f"## {element.get(f'{_TABLE}name') or 'Table'}"
        elif element.tag == f"{_TABLE}table-row" and not _inside(element, "table-cell"):
            line = "\t".join(_open_cells(element)).rstrip("\t")
            if line:
                yield line
        elif element.tag in (f"{_TEXT}p", f"{_TEXT}h") and not _inside(element, "table-cell"):
            yield _open_paragraph(element)


def _opened(data: bytes) -> zipfile.ZipFile:
    """Return the archive. :raises Unreadable: no archive, or one that unpacks to far more than a document holds"""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except _DAMAGE as error:
        raise Unreadable("This Office file is damaged.") from error
    parts = archive.infolist()
    unpacked = sum(part.file_size for part in parts)
    largest = max((part.file_size for part in parts), default=0)
    if (
        len(parts) > MAX_PARTS
        or unpacked > MAX_UNPACKED
        or largest > MAX_PART
        or (unpacked > SMALL and unpacked > MAX_RATIO * max(len(data), 1))
    ):
        raise Unreadable("This file would unpack to far more than a document holds. It was not opened.")
    for part in parts:
        if part.filename.endswith((".xml", ".rels")):
            _refuse_document_type(archive, part)
    return archive


def _refuse_document_type(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """:raises Unreadable: a part that declares entities, which no Office program writes"""
    try:
        with archive.open(part) as stream:
            head = stream.read(4096)
    except _DAMAGE as error:
        raise Unreadable("This Office file is damaged or protected by a password.") from error
    if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
        raise Unreadable("This file declares XML entities, which no document needs. It was not opened.")


def _xml(archive: zipfile.ZipFile, name: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        return etree.fromstring(archive.read(name), parser)
    except (*_DAMAGE, etree.LxmlError) as error:
        raise Unreadable("This Office file is damaged, or of another kind than its name says.") from error


def _local(element: etree._Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _named(element: etree._Element, name: str) -> Iterator[etree._Element]:
    return element.iter(f"{{*}}{name}")


def _inside(element: etree._Element, name: str) -> bool:
    return next(element.iterancestors(f"{{*}}{name}"), None) is not None


def _paragraph(element: etree._Element) -> str:
    written = []
    for part in element.iter():
        match _local(part):
            case "t":
                written.append(part.text or "")
            case "tab":
                written.append("\t")
            case "br" | "cr":
                written.append("\n")
    return "".join(written)


def _open_paragraph(element: etree._Element) -> str:
    written = [element.text or ""]
    for part in element.iterdescendants():
        if part.tag == f"{_TEXT}s":
            count = part.get(f"{_TEXT}c", "1")
            written.append(" " * min(int(count) if count.isdecimal() and len(count) < 5 else 1, MAX_REPEATS))
        elif part.tag == f"{_TEXT}tab":
            written.append("\t")
        elif part.tag == f"{_TEXT}line-break":
            written.append("\n")
        written.extend((part.text or "", part.tail or ""))
    return "".join(written)


def _open_cells(row: etree._Element) -> Iterator[str]:
    for cell in row:
        if _local(cell) in ("table-cell", "covered-table-cell"):
            text = " ".join(_open_paragraph(each) for each in cell.iter(f"{_TEXT}p"))
            repeats = cell.get(f"{_TABLE}number-columns-repeated", "1")
            count = int(repeats) if repeats.isdecimal() and len(repeats) < 7 else 1
            yield from [text] * min(count, MAX_REPEATS)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ").removesuffix(" 00:00:00")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return " ".join(str(value).split())
