from odoo.tests import BaseCase, tagged

from ..services import description_text as wording


def field(number, **facts):
    return {"name": f"field_{number}", "type": "char", "label": f"Field {number}", **facts}


@tagged("post_install", "-at_install")
class TestDescriptionText(BaseCase):
    def test_shown_leaves_out_what_is_not_so(self):
        self.assertEqual(
            wording.shown(field(1, searchable=True, sortable=True), is_full=False),
            {"name": "field_1", "type": "char", "label": "Field 1"},
        )
        self.assertTrue(wording.shown(field(1, searchable=True), is_full=True)["searchable"])

    def test_choices_are_cut_at_twenty_and_said(self):
        entry = wording.shown(field(1, selection=[[str(n), f"N{n}"] for n in range(33)]), is_full=True)
        self.assertEqual(len(entry["selection"]), 20)
        self.assertEqual(entry["selection_omitted"], 13)
        self.assertIn("and 13 more", wording.field_line(entry))

    def test_help_is_cut_in_brief(self):
        item = field(1, help="word " * 100)
        self.assertLessEqual(len(wording.shown(item, is_full=False)["help"]), wording.HELP_LENGTH)
        self.assertEqual(wording.shown(item, is_full=True)["help"], item["help"])

    def test_fitting_gives_up_choices_then_help_then_fields(self):
        choices = [[str(n), f"Choice {n}"] for n in range(20)]
        entries = [wording.shown(field(n, help="h" * 70, selection=choices), is_full=False) for n in range(30)]
        whole = wording.size(entries)
        self.assertEqual(wording.fitted(entries, 40, whole), entries)
        fewer = wording.fitted(entries, 40, whole - 1)
        self.assertEqual(len(fewer), 30)
        self.assertEqual((len(fewer[0]["selection"]), fewer[0]["selection_omitted"]), (6, 14))
        self.assertIn("help", fewer[0])
        bare = wording.fitted(entries, 40, wording.size(fewer) - 1)
        self.assertEqual(len(bare), 30)
        self.assertNotIn("help", bare[0])
        cut = wording.fitted(entries, 40, wording.size(bare) // 2)
        self.assertLess(len(cut), 16)
        self.assertLessEqual(wording.size(cut), wording.size(bare) // 2)
        self.assertEqual(len(wording.fitted(entries, 40, 10)), 1)
        self.assertEqual(len(wording.fitted(entries, 7, whole)), 7)

    def test_line_says_all_that_the_entry_says(self):
        entry = {
            "name": "partner_id", "type": "many2one", "label": "Customer", "relation": "res.partner", "required": True,
            "readonly": True, "per_company": True, "computed": True, "help": "Who buys.",
        }  # fmt: skip
        self.assertEqual(
            wording.field_line(entry),
            '- partner_id* many2one→res.partner "Customer" (read-only) (per company) {computed} Who buys.',
        )

    def test_text_names_operations_state_and_what_is_missing(self):
        text = wording.as_text({
            "model": "x.y", "label": "Thing", "operations": ["read"],
            "state": {"field": "state", "values": [["a", "A"]]},
            "fields": [field(1)], "omitted": {"fields": 7, "how": "Ask."},
        })  # fmt: skip
        for part in ("x.y “Thing”, you may read.", "state: state [a=A]", "field_1 char", "7 more fields. Ask."):
            self.assertIn(part, text)
