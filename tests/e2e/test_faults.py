"""What breaks in production, broken under load, as `./dev faults` does."""

import unittest

from fixture import restartable

from devtools import faults


class TestFaults(unittest.TestCase):
    def test_each_fault_is_recovered_from(self):
        outcomes = faults.run_against(restartable())
        print(faults.as_text(outcomes))
        self.assertGreaterEqual(len(outcomes), len(faults.FAULTS) - 1)
        for outcome in outcomes:
            with self.subTest(fault=outcome.fault):
                self.assertEqual(outcome.problems, ())
                self.assertGreater(outcome.requests, 0)
