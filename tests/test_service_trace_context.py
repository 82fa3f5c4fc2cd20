from odoo.tests import BaseCase, tagged

from ..services.trace_context import traceparent

VALID = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@tagged("post_install", "-at_install")
class TestServiceTraceContext(BaseCase):
    def test_valid_ones_are_taken(self):
        self.assertEqual(traceparent(VALID), VALID)
        self.assertEqual(traceparent(None, f" {VALID} "), VALID)
        self.assertEqual(traceparent(VALID.replace("00-0", "cc-0", 1) + "-more"), VALID.replace("00-0", "cc-0", 1))

    def test_first_valid_one_wins(self):
        other = VALID.replace("319c", "3190")
        self.assertEqual(traceparent("nonsense", other, VALID), other)

    def test_others_are_ignored(self):
        for value in (
            None,
            7,
            {},
            "",
            "00",
            VALID.upper(),
            VALID + "-more",
            VALID.replace("00-", "ff-", 1),
            f"00-{'0' * 32}-b7ad6b7169203331-01",
            f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01",
            VALID + "\n\nforged log line",
            VALID * 100,
        ):
            with self.subTest(value=value):
                self.assertIsNone(traceparent(value))
