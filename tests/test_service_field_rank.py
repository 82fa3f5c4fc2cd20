from odoo.tests import BaseCase, tagged

from ..services.field_rank import rank


@tagged("post_install", "-at_install")
class TestFieldRank(BaseCase):
    def test_business_fields_come_before_plumbing(self):
        ordered = [
            {"name": "name", "type": "char", "record_name": True, "required": True, "stored": True},
            {"name": "partner_id", "type": "many2one", "required": True, "stored": True},
            {"name": "x_rating", "type": "integer", "custom": True, "stored": True},
            {"name": "note", "type": "text", "stored": True},
            {"name": "message_follower_ids", "type": "one2many"},
            {"name": "invoice_count", "type": "integer", "computed": True},
            {"name": "image_1920", "type": "image"},
        ]
        scores = [rank(facts) for facts in ordered]
        self.assertEqual(scores, sorted(scores, reverse=True), scores)

    def test_each_sign_of_weight_counts(self):
        plain = {"name": "thing", "type": "char", "stored": True}
        for sign in ("record_name", "required", "listed", "tracked", "custom", "ordering", "indexed"):
            self.assertGreater(rank({**plain, sign: True}), rank(plain), sign)
        for sign in ("foreign", "related", "restricted"):
            self.assertLess(rank({**plain, sign: True}), rank(plain), sign)

    def test_unknown_types_and_names_are_ranked_too(self):
        self.assertEqual(rank({"name": "thing", "type": "no_such_type", "stored": True}), 0)
