"""A file as an answer: its text by pages within the budget, or an image that fits one."""

import base64
from dataclasses import dataclass

from odoo.exceptions import UserError
from odoo.tools.image import image_process

from ..services.budget import DEFAULT_BUDGET
from ..services.document_text import IMAGE, Document, Unreadable, kind_of, open_document, page_numbers, page_ranges
from ..services.errors import ToolError
from .call_files import Content

MAX_IMAGE = 256 * 1024
# Larger ones are made smaller, in these steps, until they fit.
_SIDES = (1600, 1024, 640)
SHOWN_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_DOWNLOAD = "Ask for a one-time link: mode=link."


@dataclass(frozen=True)
class Pages:
    """Some pages of a file. `rest` names those that did not fit, as the argument `pages` takes them."""

    unit: str
    count: int
    shown: list[int]
    text: str
    rest: str
    notes: list[str]


def is_image(content: Content) -> bool:
    """Say whether a file is a picture rather than a text."""
    return kind_of(content.data, content.name, content.mimetype) == IMAGE


def read_pages(content: Content, pages: str | None, budget: int = DEFAULT_BUDGET) -> Pages:
    """Return as many of the pages asked for as the budget holds, at least a part of the first.

    :raises ToolError: no such page, or no text in it
    """
    try:
        document = open_document(content.data, content.name, content.mimetype)
        numbers = page_numbers(pages, document.count) if document.count else []
        return _filled(document, numbers, budget)
    except Unreadable as error:
        raise ToolError("unreadable", f"{content.name}: {error}", fix=_DOWNLOAD) from error
    except ValueError as error:
        raise ToolError("invalid_arguments", str(error)) from error


def image_block(content: Content) -> tuple[dict[str, str], str | None]:
    """Return the MCP image content of a picture, and a note if it was made smaller.

    :raises ToolError: no picture, or none that can be shown
    """
    if content.mimetype not in SHOWN_IMAGES:
        kind = content.mimetype or "a file"
        raise ToolError("unreadable", f"{content.name} is {kind}, not a PNG, JPEG, GIF or WebP.", fix=_DOWNLOAD)
    data, note = content.data, None
    for side in _SIDES:
        if len(data) <= MAX_IMAGE:
            break
        try:
            data = image_process(content.data, size=(side, side), verify_resolution=True, quality=80)
        except UserError as error:
            raise ToolError("unreadable", f"{content.name}: {error}", fix=_DOWNLOAD) from error
        note = f"The image was made smaller, to at most {side} pixels a side. {_DOWNLOAD}"
    if len(data) > MAX_IMAGE:
        raise ToolError(
            "too_large", f"{content.name} has {len(data):,} bytes; images are shown up to {MAX_IMAGE:,}.", fix=_DOWNLOAD
        )
    block = {"type": "image", "data": base64.b64encode(data).decode(), "mimeType": content.mimetype}
    return block, note


def _filled(document: Document, numbers: list[int], budget: int) -> Pages:
    shown, texts, notes, empty = [], [], [], []
    for number in numbers:
        text = document.page(number)
        if not text.strip():
            empty.append(number)
        head = f"--- {document.unit} {number} of {document.count} ---\n" if document.count > 1 else ""
        if shown and len(text) + len(head) > budget:
            break
        if len(text) + len(head) > budget:
            notes.append(f"{document.unit.capitalize()} {number} has {len(text):,} characters and was cut.")
            text = text[: budget - len(head)]
        budget -= len(text) + len(head)
        shown.append(number)
        texts.append(head + text)
    if not shown or len(empty) == len(shown) == len(numbers):
        raise Unreadable("there is no text in it. It may be a scan or a picture.")
    if empty:
        notes.append(f"No text on {document.unit} {page_ranges(empty)}: a scan or a picture.")
    rest = page_ranges(numbers[len(shown) :])
    return Pages(document.unit, document.count, shown, "\n".join(texts), rest, notes)
