from odoo.tests import BaseCase, tagged

from ..services.custom_tools import Argument, CustomTool
from ..services.schema import params
from ..services.tool import spec_from_definition
from ..services.tool_governance import Decision, Governance, default_sequence


def spec(name, toolset):
    return spec_from_definition({"name": name, "toolset": toolset, "inputSchema": params(), "description": "Code."})


CODED = {
    each.name: each for each in (spec("bbb", "core"), spec("aaa", "core"), spec("zzz", "find"), spec("mmm", "own"))
}


@tagged("post_install", "-at_install")
class TestServiceToolGovernance(BaseCase):
    def test_without_decisions_the_code_is_the_list(self):
        applied = Governance().applied(CODED)
        self.assertEqual(list(applied), ["zzz", "aaa", "bbb", "mmm"])
        self.assertTrue(all(applied[name] is CODED[name] for name in CODED))

    def test_decisions_switch_off_describe_and_move(self):
        decisions = {
            "aaa": Decision(enabled=False),
            "bbb": Decision(description="Ours.", on_request=True),
            "mmm": Decision(sequence=0),
            "zzz": Decision(toolset="write"),
            "gone": Decision(description="Nobody."),
        }
        applied = Governance(decisions).applied(CODED)
        self.assertEqual(list(applied), ["mmm", "bbb", "zzz"])
        self.assertEqual((applied["bbb"].description, applied["bbb"].on_request), ("Ours.", True))
        self.assertEqual(applied["bbb"].definition["description"], "Ours.")
        self.assertEqual(applied["zzz"].toolset, "write")
        self.assertEqual(CODED["bbb"].description, "Code.")

    def test_made_tools_join_and_code_wins(self):
        made = {
            name: CustomTool(
                1, name, name, "Made here.", "filter", 2, "res.partner", arguments=(Argument("x", "text", "X"),)
            )
            for name in ("aaa", "own_filter")
        }
        applied = Governance({}, made).applied(CODED)
        self.assertEqual(applied["aaa"].description, "Code.")
        self.assertEqual(list(applied)[-2:], ["own_filter", "mmm"])

    def test_toolsets_follow_one_another(self):
        order = [default_sequence(toolset) for toolset in ("find", "core", "builder", "unknown")]
        self.assertEqual(order, sorted(set(order)))
