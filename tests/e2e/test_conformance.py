"""The official conformance suite, as far as `./dev conformance` runs it."""

import unittest

from fixture import shared

from devtools import clients, conformance


class TestConformance(unittest.TestCase):
    """No scenario fails, and none is forgotten."""

    def test_scenarios_pass(self):
        running = shared()
        outcomes = conformance.run_against(running.base, running.token)
        self.assertGreater(len(outcomes), 30)
        for outcome in outcomes:
            with self.subTest(scenario=outcome.scenario, revision=outcome.revision):
                self.assertFalse(outcome.failed, outcome.problems)

    def test_authorization_scenarios_pass(self):
        outcomes = conformance.run_login(shared())
        # Both scenarios at each revision, with and without the resource named; a warning is none of ours either.
        self.assertEqual(len(outcomes), 2 * 2 * len(conformance.REVISIONS))
        for outcome in outcomes:
            with self.subTest(scenario=outcome.scenario, revision=outcome.revision):
                self.assertFalse(outcome.failed, outcome.problems)
                self.assertEqual(set(outcome.counts), {"SUCCESS"})

    def test_reasons_are_of_scenarios_that_exist(self):
        listed = conformance.scenarios(clients.node())
        for pattern in conformance.LEFT_OUT:
            with self.subTest(pattern=pattern):
                stem = pattern.removesuffix("*")
                self.assertTrue(any(name.startswith(stem) for name in listed))
