from odoo.tests import BaseCase, tagged

from ..services import job_parts
from ..services.errors import ToolError
from ..services.tool import spec_from_definition

SPEC = spec_from_definition({"name": "a_tool", "inputSchema": {"type": "object", "properties": {}}})


@tagged("post_install", "-at_install")
class TestServiceJobParts(BaseCase):
    def test_first_list_that_is_given_is_cut(self):
        spec = type(SPEC)(**{**SPEC.__dict__, "parts": ("updates", "ids")})
        self.assertEqual(job_parts.argument_of(spec, {"ids": [1], "values": {}}), "ids")
        self.assertEqual(job_parts.argument_of(spec, {"ids": "1", "updates": []}), "updates")
        for arguments in ({}, {"ids": "1"}, {"other": [1]}):
            with self.assertRaises(ToolError):
                job_parts.argument_of(spec, arguments)
        with self.assertRaisesRegex(ToolError, "cannot be run in parts"):
            job_parts.argument_of(SPEC, {"ids": [1]})

    def test_parts_grow_and_shrink_with_their_time(self):
        for size, seconds, expected in (
            (50, 2.0, 50),
            (50, 0.01, 100),
            (50, 60.0, 25),
            (50, 4.0, 25),
            (150, 0.5, 200),
            (6, 100.0, 5),
            (50, 0.0, 100),
        ):
            with self.subTest(size=size, seconds=seconds):
                self.assertEqual(job_parts.next_size(size, seconds), expected)

    def test_slices_are_the_whole(self):
        items = list(range(1_203))
        pieces = list(job_parts.slices(items))
        self.assertEqual([len(piece) for piece in pieces], [200] * 6 + [3])
        self.assertEqual([item for piece in pieces for item in piece], items)

    def test_facts_are_added_up(self):
        parts = [
            {"model": "res.partner", "count": 2, "rows": [1, 2], "ok": True, "company": {"id": 1}},
            {"model": "res.partner", "count": 3, "rows": [3], "ok": True, "errors": ["x"], "company": {"id": 1}},
        ]
        self.assertEqual(
            job_parts.merged(parts),
            {
                "model": "res.partner",
                "count": 5,
                "rows": [1, 2, 3],
                "ok": True,
                "company": {"id": 1},
                "errors": ["x"],
            },
        )
        self.assertEqual(parts[0]["rows"], [1, 2], "the parts stay as they are")
        self.assertEqual(job_parts.merged([]), {})

    def test_small_result_is_one_page(self):
        result = {"content": [{"type": "text", "text": "Done."}], "structuredContent": {"rows": [1]}}
        page = job_parts.page(result, 0, 1_000)
        self.assertEqual((page.structured, page.text, page.next), ({"rows": [1]}, "Done.", None))
        self.assertEqual(job_parts.page({}, 0, 1_000), job_parts.Page({}, "", (), None))

    def test_pages_of_a_list_are_the_list(self):
        rows = [{"row": number, "name": "x" * 20} for number in range(500)]
        result = {"content": [], "structuredContent": {"count": 500, "rows": rows, "errors": ["e"]}}
        found, start, pages = [], 0, 0
        while start is not None:
            page = job_parts.page(result, start, 2_000)
            self.assertLessEqual(len(page.text), 2_100)
            self.assertEqual("errors" in page.structured, start == 0)
            found += page.structured["rows"]
            start, pages = page.next, pages + 1
        self.assertEqual(found, rows)
        self.assertGreater(pages, 5)

    def test_item_larger_than_a_page_is_shown_alone(self):
        result = {"content": [], "structuredContent": {"rows": ["x" * 5_000, "y"]}}
        page = job_parts.page(result, 0, 1_000)
        self.assertEqual((len(page.structured["rows"]), page.next), (1, 1))

    def test_pages_of_a_text_are_the_text(self):
        text = "".join(chr(97 + number % 26) for number in range(5_000))
        image = {"type": "image", "data": ""}
        result = {"content": [{"type": "text", "text": text}, image], "structuredContent": {"pages": 1}}
        found, start = "", 0
        while start is not None:
            page = job_parts.page(result, start, 1_000)
            self.assertEqual(page.content, () if start else (image,))
            found, start = found + page.text, page.next
        self.assertEqual(found, text)

    def test_cursor_past_the_end_is_an_empty_page(self):
        result = {"content": [], "structuredContent": {"rows": ["x" * 900, "y" * 900]}}
        page = job_parts.page(result, 99, 1_000)
        self.assertEqual((page.structured["rows"], page.next), ([], None))
