import random

from odoo.tests import BaseCase, tagged

from ..services.rate_window import EMPTY, SIZE, Budget, Ring, judge, whole_seconds


@tagged("post_install", "-at_install")
class TestRateWindow(BaseCase):
    def run_calls(self, times, limit, window=60):
        """Return the times at which calls were allowed, of those at which they were tried."""
        ring, allowed = EMPTY, []
        for now in times:
            current = Ring(ring, now, window)
            if not current.wait(limit):
                ring = current.add()
                allowed.append(now)
        return allowed

    def test_the_limit_is_reached_and_not_passed(self):
        self.assertEqual(len(self.run_calls([1000.0] * 100, 60)), 60)

    def test_no_stretch_of_a_window_ever_holds_more(self):
        chance = random.Random(1)
        for window, limit in ((60, 7), (60, 1), (3600, 20), (1, 5), (86_400 * 365, 3)):
            now, tried = 5_000.0, []
            for _number in range(2000):
                now += chance.choice((0, 0.001, window / 200, window / 59, window / 3))
                tried.append(now)
            allowed = self.run_calls(tried, limit, window)
            with self.subTest(window=window, limit=limit):
                for first, beyond in zip(allowed, allowed[limit:], strict=False):
                    self.assertGreater(beyond - first, window * 0.999999)

    def test_a_call_fits_after_the_wait_and_not_before(self):
        for start in (0.0, 0.999, 12_345.678):
            ring = EMPTY
            for step in range(5):
                ring = Ring(ring, start + step * 7, 60).add()
            now = start + 30
            wait = Ring(ring, now, 60).wait(5)
            self.assertTrue(30 <= wait <= 31.1, wait)
            self.assertEqual(Ring(ring, now + wait + 0.001, 60).wait(5), 0)
            self.assertGreater(Ring(ring, now + wait - 0.01, 60).wait(5), 0)

    def test_a_clock_set_back_neither_opens_nor_closes_the_window(self):
        ring = EMPTY
        for _number in range(5):
            ring = Ring(ring, 1000.0, 60).add()
        self.assertGreater(Ring(ring, 970.0, 60).wait(5), 0)
        self.assertEqual(Ring(ring, 970.0, 60).wait(6), 0)
        # By more than a window: what was counted says nothing any more, and must not lock anybody out for years.
        self.assertEqual(Ring(ring, 10.0, 60).total, 0)
        self.assertEqual(Ring(ring, 10.0**9, 60).total, 0)

    def test_calls_are_taken_back_but_not_below_none(self):
        ring = Ring(EMPTY, 1.0, 60).add(2)
        self.assertEqual(Ring(Ring(ring, 1.0, 60).add(-1), 1.0, 60).total, 1)
        self.assertEqual(Ring(Ring(ring, 1.0, 60).add(-9), 1.0, 60).total, 0)

    def test_a_limit_of_nothing_never_lets_a_call_in(self):
        self.assertGreater(Ring(EMPTY, 1.0, 60).wait(0), 0)

    def test_the_ring_has_one_size(self):
        self.assertEqual(len(Ring(EMPTY, 1.0, 60).add(2**40)), SIZE)

    def test_the_first_full_budget_is_named_and_the_closest_one_shown(self):
        budgets = [Budget("a", "calls", 10), Budget("b", "writes", 3)]

        def rings(*totals):
            return [Ring(Ring(EMPTY, 1.0, 60).add(total), 1.0, 60) for total in totals]

        verdict = judge(budgets, rings(5, 0))
        self.assertEqual((verdict.allowed, verdict.remaining, verdict.budget.name), (True, 2, "writes"))
        verdict = judge(budgets, rings(9, 3))
        self.assertEqual((verdict.allowed, verdict.budget.name), (False, "writes"))
        self.assertTrue(0 < verdict.retry_after <= 61)

    def test_retry_after_is_a_whole_second_at_least(self):
        self.assertEqual([whole_seconds(wait) for wait in (0.001, 1.0, 1.2, 59.01)], [1, 1, 2, 60])
