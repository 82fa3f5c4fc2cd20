from odoo.tests import TransactionCase, tagged

from ..models.approval_preview import fingerprint, impact, rendered, rendered_arguments


def change(**facts):
    return {"model": "res.partner", "id": 7, "name": "Acme", "operation": "write", **facts}


def preview(*changes, **effects):
    return {"changes": changes, "changes_count": len(changes), "side_effects": effects}


@tagged("post_install", "-at_install")
class TestApprovalPreview(TransactionCase):
    def test_hostile_text_stays_text(self):
        hostile = "<script>alert(1)</script>"
        row = change(name=hostile, field="name", before=hostile, after=hostile)
        html = rendered(self.env, preview(row, emails=[{"to": [hostile], "subject": hostile}]))
        html += rendered_arguments(hostile, {hostile: {hostile: hostile}}) + rendered(
            self.env, {"fingerprint": None, "text": hostile}
        )
        self.assertNotIn("<script", html)
        self.assertIn("&lt;script&gt;", html)

    def test_marks_for_models_are_not_shown_to_people(self):
        row = change(field="name", before="<untrusted id=0123456789ab>Evil</untrusted id=0123456789ab>", after="Good")
        html = rendered(self.env, preview(row))
        self.assertIn("Evil", html)
        self.assertNotIn("untrusted", html)

    def test_says_what_changes_on_which_record(self):
        html = rendered(self.env, preview(change(field="phone", before=None, after="+32 2")))
        for shown in ("Acme", "Phone", "+32 2"):
            self.assertIn(shown, html)

    def test_unknown_models_and_fields_do_not_break_the_page(self):
        html = rendered(self.env, preview(change(model="gone.model", field="x", before=1, after={"a": [1]})))
        self.assertIn("gone.model", html)

    def test_endless_values_are_cut(self):
        self.assertLess(len(rendered_arguments("t", {"data": "x" * 100_000})), 5_000)

    def test_impact_in_a_few_words(self):
        cases = [
            (preview(), ""),
            (preview(change(field="a"), change(field="b")), "1 record"),
            (preview(change(), change(id=8), emails=[{"to": []}]), "2 records · 1 e-mail"),
            (preview(emails=[{}] * 20, emails_count=45), "45 e-mails"),
        ]
        for given, expected in cases:
            self.assertEqual(impact(self.env, given), expected)

    def test_fingerprint_is_of_what_matters(self):
        base = preview(change(field="name", before="A1", after="B"), emails=[{"to": ["a@x"], "subject": "S00012"}])
        new = change(operation="create", field="name", before=None, after="S00012")
        same = [
            (
                base,
                preview(change(field="name", before="A1", after="B"), emails=[{"to": ["a@x"], "subject": "S00099"}]),
            ),
            (preview(new), preview({**new, "id": 8, "after": "S00013"})),
            (
                preview(change(field="date", after="2026-01-01T10:00:00+00:00")),
                preview(change(field="date", after="2026-01-02T11:30:00+00:00")),
            ),
            (
                preview(change(name="<untrusted id=0123456789ab>Evil</untrusted id=0123456789ab>")),
                preview(change(name="<untrusted id=ba9876543210>Evil</untrusted id=ba9876543210>")),
            ),
        ]
        for one, other in same:
            self.assertEqual(fingerprint(one), fingerprint(other))
        different = [
            preview(change(field="name", before="A2", after="B"), emails=base["side_effects"]["emails"]),
            preview(change(field="name", before="A1", after="B")),
            preview(change(field="name", before="A1", after="B"), emails=[{"to": ["b@x"], "subject": "S00012"}]),
            preview(change(id=8, field="name", before="A1", after="B"), emails=base["side_effects"]["emails"]),
            preview(new),
            preview({**new, "after": 100}),
        ]
        self.assertEqual(len({fingerprint(each) for each in [base, *different]}), 1 + len(different))
