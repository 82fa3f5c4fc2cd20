import time

from odoo.tests import BaseCase, tagged

from ..services.document_text import (
    MAX_FILE,
    Deadline,
    Unreadable,
    decoded,
    kind_of,
    open_document,
    page_numbers,
    page_ranges,
)
from . import documents


def text_of(data, name, mimetype=""):
    document = open_document(data, name, mimetype)
    return "\n".join(document.page(number) for number in range(1, document.count + 1))


@tagged("post_install", "-at_install")
class TestDocumentText(BaseCase):
    def test_each_kind_gives_its_text(self):
        cases = [
            ("a.pdf", documents.pdf("Hello from PDF"), "Hello from PDF"),
            ("a.docx", documents.docx("Hello", "World", row=("A", "B")), "Hello\nWorld\nA | B"),
            ("a.pptx", documents.pptx("First", "Second"), "First\nSecond"),
            ("a.odt", documents.odt("Hello<text:tab/>x<text:s text:c='3'/>y"), "Hello\tx   y"),
            ("a.ods", documents.ods(("a", "b"), ("c", "d")), "## Stock\na\tb\nc\td"),
            ("a.xlsx", documents.xlsx(Prices=[["item", "price"], ["Desk", 12.5], [None, None], ["Lamp", 3.0]]),
             "## Prices\nitem\tprice\nDesk\t12.5\nLamp\t3"),
            ("a.csv", b"a;b\r\n1;2", "a;b\n1;2"),
            ("a.html", b"<p>Hi <b>there</b></p><script>x()</script>", "Hi **there**"),
            ("a.txt", "Grüße".encode(), "Grüße"),
            ("a.txt", "Grüße".encode("cp1252"), "Grüße"),
            ("a.txt", "Grüße".encode("utf-16"), "Grüße"),
            ("a.json", b'{"a": 1}', '{"a": 1}'),
            ("noname", b"plain", "plain"),
        ]  # fmt: skip
        for name, data, expected in cases:
            with self.subTest(name=name):
                self.assertEqual(text_of(data, name), expected)

    def test_the_content_decides_what_a_file_is(self):
        self.assertEqual(kind_of(documents.pdf("x"), "innocent.txt", "text/plain"), "pdf")
        self.assertEqual(kind_of(documents.docx("x"), "a.pdf", ""), "other")
        self.assertEqual(kind_of(b"\x89PNG\r\n\x1a\n", "a.png", "image/png"), "image")
        self.assertEqual(kind_of(b"<svg/>", "a.svg", "image/svg+xml"), "text")
        self.assertEqual(kind_of(b"\0\1\2", "a.bin", "application/octet-stream"), "other")

    def test_pdf_pages_are_read_one_by_one(self):
        document = open_document(documents.pdf("one", "", "three"), "a.pdf")
        self.assertEqual((document.unit, document.count), ("page", 3))
        self.assertEqual([document.page(number) for number in (3, 2)], ["three", ""])

    def test_long_text_comes_in_parts(self):
        lines = "\n".join(f"line {number}" for number in range(3_000))
        document = open_document(lines.encode(), "a.txt")
        self.assertGreater(document.count, 5)
        pages = [document.page(number) for number in range(1, document.count + 1)]
        self.assertEqual("\n".join(pages), lines)
        self.assertTrue(all(len(page) <= 4_000 for page in pages))

    def test_what_has_no_text_says_why(self):
        bomb = documents.zip_bomb()
        entities = documents.archive(word__document_dot_xml='<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>')
        cases = [
            ("a.docx", bomb, "unpack"),
            ("a.xlsx", documents.zip_bomb(), "unpack"),
            ("a.docx", entities, "entities"),
            ("a.xlsx", documents.archive(xl__workbook_dot_xml="<a/>"), "damaged"),
            ("a.docx", documents.archive(other_dot_xml="<a/>"), "damaged"),
            ("a.docx", b"PK\x03\x04 broken", "damaged"),
            ("a.docx", documents.archive(word__document_dot_xml="<a>"), "damaged"),
            ("a.pdf", b"%PDF-1.7 broken", "damaged|no text"),
            ("a.doc", b"\xd0\xcf\x11\xe0 old", "old binary"),
            ("a.zip", documents.archive(a="b"), "no text"),
            ("a.bin", b"\0\1\2\3", "no text"),
            ("a.txt", b"x" * (MAX_FILE + 1), "at most"),
        ]
        self.assertLess(len(bomb), 100_000)
        for name, data, reason in cases:
            with self.subTest(name=name, reason=reason), self.assertRaisesRegex(Unreadable, reason):
                document = open_document(data, name)
                if not any(document.page(number) for number in range(1, document.count + 1)):
                    raise Unreadable("no text")

    def test_a_sheet_with_one_far_cell_is_read_in_time(self):
        import openpyxl

        book = openpyxl.Workbook()
        book.active.cell(row=200_000, column=16_000, value="far")
        target = documents.io.BytesIO()
        book.save(target)
        started = time.thread_time()
        self.assertIn("far", text_of(target.getvalue(), "a.xlsx"))
        self.assertLess(time.thread_time() - started, 8)

    def test_time_is_limited(self):
        document = open_document(documents.pdf("one"), "a.pdf", deadline=Deadline(-1))
        with self.assertRaisesRegex(Unreadable, "too long"):
            document.page(1)

    def test_page_numbers(self):
        for pages, count, expected in [
            (None, 3, [1, 2, 3]),
            ("2", 3, [2]),
            ("1-2", 3, [1, 2]),
            ("2-", 4, [2, 3, 4]),
            ("3,1", 3, [3, 1]),
            ("2-99", 3, [2, 3]),
        ]:
            with self.subTest(pages=pages):
                self.assertEqual(page_numbers(pages, count), expected)
        for pages in ("x", "1-x", "-2", "1;2", "9" * 20, "0", "7", "3-2"):
            with self.subTest(pages=pages), self.assertRaises(ValueError):
                page_numbers(pages, 3)

    def test_page_ranges_are_read_back(self):
        for numbers in ([1], [1, 2, 3], [1, 3, 4, 9], []):
            self.assertEqual(page_numbers(page_ranges(numbers), 9) if numbers else [], numbers)

    def test_a_wrong_byte_order_mark_is_no_crash(self):
        self.assertIsInstance(decoded(b"\xff\xfe\x00"), str)
