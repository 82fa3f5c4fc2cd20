from datetime import date, datetime

from odoo.tests import BaseCase, tagged

from ..services.times import from_wire, to_wire


@tagged("post_install", "-at_install")
class TestServiceTimes(BaseCase):
    def test_datetime_has_the_offset_of_its_day(self):
        for moment, tz, expected in (
            (datetime(2025, 7, 1, 12, 30), "Europe/Paris", "2025-07-01T14:30:00+02:00"),
            (datetime(2025, 1, 1, 12, 30), "Europe/Paris", "2025-01-01T13:30:00+01:00"),
            # The hour that exists twice when summer time ends.
            (datetime(2025, 10, 26, 0, 30), "Europe/Paris", "2025-10-26T02:30:00+02:00"),
            (datetime(2025, 10, 26, 1, 30), "Europe/Paris", "2025-10-26T02:30:00+01:00"),
            (datetime(2025, 7, 1, 12, 30), "Asia/Kathmandu", "2025-07-01T18:15:00+05:45"),
            (datetime(2025, 7, 1, 12, 30, 1, 999), None, "2025-07-01T12:30:01+00:00"),
            (datetime(2025, 7, 1, 12, 30), "No/Where", "2025-07-01T12:30:00+00:00"),
            (datetime(2025, 7, 1, 12, 30), "../../etc/passwd", "2025-07-01T12:30:00+00:00"),
            (datetime(1, 1, 1), "America/New_York", "0001-01-01T00:00:00+00:00"),
        ):
            self.assertEqual(to_wire(moment, tz), expected)

    def test_date_has_no_time(self):
        self.assertEqual(to_wire(date(2025, 7, 1), "Europe/Paris"), "2025-07-01")

    def test_wire_text_becomes_naive_utc(self):
        for text, tz, expected in (
            ("2025-07-01T14:30:00+02:00", None, datetime(2025, 7, 1, 12, 30)),
            ("2025-07-01T12:30:00Z", "Europe/Paris", datetime(2025, 7, 1, 12, 30)),
            ("2025-07-01 14:30:00", "Europe/Paris", datetime(2025, 7, 1, 12, 30)),
            ("2025-01-01 14:30", "Europe/Paris", datetime(2025, 1, 1, 13, 30)),
            (" 2025-07-01 ", None, datetime(2025, 7, 1)),
        ):
            self.assertEqual(from_wire(text, tz), expected, text)

    def test_both_directions_agree_in_the_doubled_hour(self):
        for hour in range(4):
            moment = datetime(2025, 10, 26, hour, 30)
            self.assertEqual(from_wire(to_wire(moment, "Europe/Paris"), "Europe/Paris"), moment)

    def test_unreadable_text_is_refused(self):
        for text in ("", "tomorrow", "2025-13-01", "01/07/2025", "0001-01-01T00:00:00+14:00", "x" * 10_000):
            with self.assertRaisesRegex(ValueError, "ISO 8601"):
                from_wire(text)
