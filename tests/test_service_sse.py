from odoo.tests import BaseCase, tagged

from ..services import sse


@tagged("post_install", "-at_install")
class TestServiceSse(BaseCase):
    def test_event_ends_with_a_blank_line(self):
        self.assertEqual(sse.event(b'{"a":1}'), b'data: {"a":1}\n\n')
