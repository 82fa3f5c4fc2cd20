from odoo.tests import BaseCase, tagged

from ..services import cursors

KEY = b"key of this database"


@tagged("post_install", "-at_install")
class TestServiceCursors(BaseCase):
    def test_payload_survives_the_round_trip(self):
        for payload in ("name", 3, None, ["2024-01-01", 7], {"after": ["Zoë", 1]}):
            cursor = cursors.sign(payload, key=KEY, scope="list:1")
            self.assertRegex(cursor, r"^[A-Za-z0-9_-]+$")
            self.assertEqual(cursors.verify(cursor, key=KEY, scope="list:1"), payload)

    def test_cursor_of_another_key_or_scope_is_refused(self):
        cursor = cursors.sign("x", key=KEY, scope="list:1")
        for key, scope in ((b"other", "list:1"), (KEY, "list:2"), (KEY, "list:")):
            with self.subTest(scope=scope), self.assertRaises(ValueError):
                cursors.verify(cursor, key=key, scope=scope)

    def test_every_altered_character_is_noticed(self):
        cursor = cursors.sign(["abc", 7], key=KEY, scope="list:1")
        for position in range(len(cursor) - 1):
            other = "A" if cursor[position] != "A" else "B"
            with self.assertRaises(ValueError):
                cursors.verify(cursor[:position] + other + cursor[position + 1 :], key=KEY, scope="list:1")

    def test_what_is_no_cursor_is_refused(self):
        good = cursors.sign("x", key=KEY, scope="s")
        for cursor in ("", "a", "===", "ü", "x" * 3000, good + "A", good[:-2], good + "\n", None, 1, ["a"], True):
            with self.subTest(cursor=str(cursor)[:20]), self.assertRaises(ValueError):
                cursors.verify(cursor, key=KEY, scope="s")

    def test_cursor_expires(self):
        cursor = cursors.sign("x", key=KEY, scope="s", life=60, now=1000)
        self.assertEqual(cursors.verify(cursor, key=KEY, scope="s", now=1059.9), "x")
        with self.assertRaisesRegex(ValueError, "expired"):
            cursors.verify(cursor, key=KEY, scope="s", now=1060)
