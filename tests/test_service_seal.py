from datetime import date, datetime

from odoo.tests import BaseCase, tagged

from ..services import seal

ROWS = [(1, datetime(2026, 1, 2, 3, 4, 5), "a", None, True), (2, datetime(2026, 1, 2, 3, 4, 6), "b|c", 7, False)]


def digest(rows):
    hashed = seal.DayHash()
    hashed.add(rows)
    return hashed.digest


@tagged("post_install", "-at_install")
class TestServiceSeal(BaseCase):
    def test_same_rows_have_the_same_hash_in_any_portions(self):
        hashed = seal.DayHash()
        hashed.add(ROWS[:1])
        hashed.add(ROWS[1:])
        self.assertEqual((hashed.digest, hashed.rows), (digest(ROWS), 2))

    def test_every_change_is_seen(self):
        for other in (
            ROWS[:1],
            ROWS[::-1],
            [*ROWS, ROWS[0]],
            [(*ROWS[0][:2], "A", None, True), ROWS[1]],
            [(*ROWS[0][:2], "a", "", True), ROWS[1]],
            [(*ROWS[0][:2], "a", None, 1), ROWS[1]],
            [ROWS[0], (2, ROWS[1][1], "b", "c", 7, False)],
        ):
            with self.subTest(rows=other):
                self.assertNotEqual(digest(other), digest(ROWS))

    def test_the_form_is_fixed(self):
        # A change here makes every seal that exists look tampered with: make a new version instead.
        self.assertEqual(digest(ROWS), "680880ac18da631fe5638bea3c0c038086af4a7c31c82e178e5756cb03fa0604")
        self.assertEqual(
            seal.chained(seal.GENESIS, date(2026, 1, 2), 2, "ab", version=1),
            "630596a847f73aa922186059145c4b78df829077b27967dbe5a82e7f254097dd",
        )
        self.assertEqual(
            seal.payload_digest("é", None), "7668f6c3a5908e9c4147632fd202da4d96c80fa345b33625b746c4e7210c05c5"
        )

    def test_chain_covers_each_part(self):
        parts = ("0" * 64, date(2026, 1, 2), 2, "ab")
        for other in (
            ("1" * 64, *parts[1:]),
            (parts[0], date(2026, 1, 3), 2, "ab"),
            (*parts[:2], 3, "ab"),
            (*parts[:3], "ac"),
        ):
            self.assertNotEqual(seal.chained(*other), seal.chained(*parts))
        self.assertNotEqual(seal.chained(*parts, version=1), seal.chained(*parts))
