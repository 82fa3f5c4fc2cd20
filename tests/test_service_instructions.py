import re

from odoo.tests import BaseCase, tagged

from ..services import instructions as service
from ..services.instructions import MAX_LENGTH, instructions

EVERY_TOOL = {name for needed, _text in service._SENTENCES for name in needed}


@tagged("post_install", "-at_install")
class TestServiceInstructions(BaseCase):
    def test_only_granted_tools_are_named(self):
        for granted in (set(), {"odoo_undo"}, EVERY_TOOL - {"odoo_undo"}, EVERY_TOOL):
            named = set(re.findall(r"odoo_\w+", instructions(granted, can_write=True)))
            self.assertEqual(named - granted, set())

    def test_each_sentence_asks_for_the_tools_it_names(self):
        for needed, text in service._SENTENCES:
            self.assertEqual(set(re.findall(r"odoo_\w+", text)) - set(needed), set())

    def test_connection_that_cannot_write_is_told_so(self):
        self.assertIn("read only", instructions([], can_write=False))
        self.assertNotIn("read only", instructions([], can_write=True))

    def test_house_rules_come_before_what_may_be_cut_off(self):
        text = instructions(EVERY_TOOL, can_write=True, house_rules="  Prices without tax. \n")
        self.assertLess(text.index("Rules of this company: Prices without tax. Call odoo"), 200)
        self.assertNotIn("Rules of", instructions(EVERY_TOOL, can_write=True, house_rules=" \n"))

    def test_text_stays_within_what_hosts_keep(self):
        self.assertLess(len(instructions(EVERY_TOOL, can_write=False)), MAX_LENGTH)
