"""Small files of many kinds, made in memory."""

import io
import zipfile

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
_ODF = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
)


def archive(**parts: str | bytes) -> bytes:
    """A zip of parts, whose names are given with `__` for `/` and `_dot_` for `.`."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return target.getvalue()


def docx(*paragraphs: str, row: tuple[str, ...] = ()) -> bytes:
    body = "".join(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>" for text in paragraphs)
    if row:
        cells = "".join(f"<w:tc><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>" for text in row)
        body += f"<w:tbl><w:tr>{cells}</w:tr></w:tbl>"
    return archive(word__document_dot_xml=f"<w:document {_W}><w:body>{body}</w:body></w:document>")


def pptx(*slides: str) -> bytes:
    parts = {
        f"ppt__slides__slide{number}_dot_xml": f"<sld {_A}><a:p><a:r><a:t>{text}</a:t></a:r></a:p></sld>"
        for number, text in enumerate(slides, 1)
    }
    return archive(**parts)


def odt(*paragraphs: str) -> bytes:
    body = "".join(f"<text:p>{text}</text:p>" for text in paragraphs)
    return archive(content_dot_xml=f"<office:document-content {_ODF}>{body}</office:document-content>")


def ods(*rows: tuple[str, ...]) -> bytes:
    lines = "".join(
        "<table:table-row>"
        + "".join(f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in row)
        + '<table:table-cell table:number-columns-repeated="16000"/></table:table-row>'
        for row in rows
    )
    table = f'<table:table table:name="Stock">{lines}</table:table>'
    return archive(content_dot_xml=f"<office:document-content {_ODF}>{table}</office:document-content>")


def xlsx(**sheets: list[list[object]]) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def pdf(*pages: str) -> bytes:
    """A PDF with a line of text on each page; an empty text makes a page with nothing to read."""
    from reportlab.pdfgen import canvas

    target = io.BytesIO()
    sheet = canvas.Canvas(target)
    for text in pages:
        if text:
            sheet.drawString(72, 720, text)
        else:
            sheet.rect(10, 10, 50, 50)
        sheet.showPage()
    sheet.save()
    return target.getvalue()


def picture(side: int = 20) -> bytes:
    """A PNG of noise, which no format makes small."""
    from PIL import Image

    target = io.BytesIO()
    Image.effect_noise((side, side), 90).convert("RGB").save(target, "PNG")
    return target.getvalue()


def zip_bomb() -> bytes:
    return archive(word__document_dot_xml=b"<a>" + b"0" * (20 * 1024 * 1024) + b"</a>")
