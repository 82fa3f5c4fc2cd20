from odoo.tests import BaseCase, tagged

from ..services.flood_gate import FloodGate


@tagged("post_install", "-at_install")
class TestServiceFloodGate(BaseCase):
    def test_burst_then_one_a_second_with_the_count_of_the_others(self):
        gate = FloodGate(burst=3, per_second=1)
        self.assertEqual([gate.admit("a", 0.0) for _try in range(5)], [0, 0, 0, None, None])
        self.assertIsNone(gate.admit("a", 0.5))
        self.assertEqual(gate.admit("a", 1.0), 3)
        self.assertIsNone(gate.admit("a", 1.1))

    def test_senders_do_not_share(self):
        gate = FloodGate(burst=1, per_second=1)
        self.assertEqual((gate.admit("a", 0), gate.admit("a", 0), gate.admit("b", 0)), (0, None, 0))

    def test_quiet_sender_has_its_burst_again_and_no_more(self):
        gate = FloodGate(burst=2, per_second=1)
        for _try in range(3):
            gate.admit("a", 0)
        self.assertEqual([gate.admit("a", 1000) for _try in range(3)], [1, 0, None])

    def test_memory_is_bounded_and_the_flooding_sender_is_kept(self):
        gate = FloodGate(burst=1, per_second=0.001, senders=10)
        gate.admit("flood", 0)
        for number in range(100):
            gate.admit(number, 0)
            self.assertIsNone(gate.admit("flood", 0))
        self.assertLessEqual(len(gate._buckets), 10)

    def test_clock_that_goes_back_gives_nothing(self):
        gate = FloodGate(burst=1, per_second=1)
        gate.admit("a", 100)
        self.assertIsNone(gate.admit("a", 0))
