"""The text of PDF files, with the library that Odoo brings (`pypdf`, or `PyPDF2` on older systems).

Damaged files make it raise nearly anything; all of that becomes one sentence. Scans have no text: that is told, not
guessed at.
"""

from __future__ import annotations

import io
import re
import struct
import zlib

from .document_text import PDF, Deadline, Document, Unreadable

try:
    import pypdf
except ImportError:
    try:
        import PyPDF2 as pypdf
    except ImportError:
        pypdf = None

# A page whose drawing instructions are longer than this is a picture made of lines, not text.
MAX_CONTENT = 4 * 1024 * 1024
MAX_PAGES = 5_000

# What malformed input makes the parser raise; its own errors are added below.
_DAMAGE: tuple[type[Exception], ...] = (
    ArithmeticError, AssertionError, AttributeError, LookupError, NotImplementedError, OSError, RecursionError,
    TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip
if pypdf is not None:
    _DAMAGE = (*_DAMAGE, *(getattr(pypdf.errors, name) for name in ("PyPdfError",) if hasattr(pypdf.errors, name)))

_SPACES = re.compile(r"[ \t\u00a0]+")


def open_pdf(data: bytes, deadline: Deadline) -> Document:
    """Return the opened PDF. :raises Unreadable: encrypted, damaged, or no library"""
    if pypdf is None:
        raise Unreadable("PDF files cannot be read here: the Python package pypdf is not installed.")
    try:
        reader = pypdf.PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("This PDF is protected by a password.")
        count = len(reader.pages)
    except Unreadable:
        raise
    except _DAMAGE as error:
        raise Unreadable("This PDF is damaged or protected in a way that cannot be read.") from error

    def page(number: int) -> str:
        deadline.check()
        try:
            return _page_text(reader.pages[number - 1])
        except _DAMAGE:
            return f"[page {number} cannot be read]"

    return Document(PDF, "page", min(count, MAX_PAGES), page)


def _page_text(page: object) -> str:
    contents = page.get_contents()
    if contents is None:
        return ""
    if len(contents.get_data()) > MAX_CONTENT:
        return "[a drawing too large to be read as text]"
    lines = (_SPACES.sub(" ", line).strip() for line in page.extract_text().split("\n"))
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines))
    return text.encode("utf-8", "replace").decode().replace("\0", "").strip()
