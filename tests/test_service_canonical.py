from odoo.tests import BaseCase, tagged

from ..services.canonical import digest


@tagged("post_install", "-at_install")
class TestServiceCanonical(BaseCase):
    def test_equal_calls_have_one_digest(self):
        first = digest("t", {"a": 1, "b": [{"x": 2.0, "y": None}]})
        self.assertEqual(first, digest("t", {"b": [{"y": None, "x": 2}], "a": 1.0}))

    def test_how_a_call_is_made_does_not_count(self):
        first = digest("t", {"a": 1})
        self.assertEqual(first, digest("t", {"a": 1, "dry_run": True, "confirm_token": "x", "idempotency_key": "k"}))

    def test_different_calls_differ(self):
        first = digest("t", {"a": [1, 2]})
        for other in (digest("u", {"a": [1, 2]}), digest("t", {"a": [2, 1]}), digest("t", {"a": ["1", 2]})):
            self.assertNotEqual(first, other)
