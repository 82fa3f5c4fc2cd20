from odoo.tests import BaseCase, tagged

from ..services.tool_page import tool_page
from ..services.versions import V2024_11_05, V2026_07_28

DEFINITION = {"name": "a", "title": "A", "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": True}}


@tagged("post_install", "-at_install")
class TestServiceToolPage(BaseCase):
    def test_same_definitions_are_written_once_per_version(self):
        page = [DEFINITION]
        self.assertIs(tool_page(page, V2026_07_28), tool_page(list(page), V2026_07_28))
        self.assertEqual(tool_page(page, V2026_07_28), [DEFINITION])
        self.assertNotIn("annotations", tool_page(page, V2024_11_05)[0])

    def test_equal_but_other_definitions_are_written_anew(self):
        other = dict(DEFINITION, description="changed")
        self.assertNotEqual(tool_page([other], V2026_07_28), tool_page([DEFINITION], V2026_07_28))
        self.assertIsNot(tool_page([dict(DEFINITION)], V2026_07_28), tool_page([DEFINITION], V2026_07_28))
