from odoo.tests import BaseCase, tagged

from ..services.prometheus import Family, histogram, text


@tagged("post_install", "-at_install")
class TestServicePrometheus(BaseCase):
    def test_counter(self):
        family = Family("x_total", "counter", "Help.", [({"tool": 'a"b\\c\nd', "outcome": "ok"}, 3), ({}, 1.5)])
        self.assertEqual(
            text([family]),
            '# HELP x_total Help.\n# TYPE x_total counter\n'
            'x_total{tool="a\\"b\\\\c\\nd",outcome="ok"} 3\nx_total 1.5\n',
        )

    def test_histogram_is_cumulative_and_ends_with_everything(self):
        lines = text([histogram("d", "H.", [0.005, 1], {0.005: 2, 1: 3, float("inf"): 1}, 12.25)]).splitlines()
        self.assertEqual(
            lines[2:],
            ['d_bucket{le="0.005"} 2', 'd_bucket{le="1"} 5', 'd_bucket{le="+Inf"} 6', "d_sum 12.25", "d_count 6"],
        )

    def test_empty_histogram_is_still_whole(self):
        lines = text([histogram("d", "H.", [1], {}, 0)]).splitlines()
        self.assertEqual(lines[2:], ['d_bucket{le="1"} 0', 'd_bucket{le="+Inf"} 0', "d_sum 0", "d_count 0"])
