from odoo.tests import BaseCase, tagged

from ..services.model_tiers import Tiers

PATTERNS = frozenset(
    {
        ("a.never", "never"),
        ("a.admin*", "admin"),
        ("a.read", "read_only"),
        ("a.master", "admin_write"),
        ("a.*", "read_only"),
    }
)


@tagged("post_install", "-at_install")
class TestServiceModelTiers(BaseCase):
    def test_each_tier_takes_what_it_says(self):
        rows = PATTERNS - {("a.*", "read_only")}
        cases = [
            ("a.never", "read", True, "tier:never"), ("a.admin.x", "read", True, None),
            ("a.admin.x", "read", False, "tier:admin"), ("a.admin.x", "write", True, None),
            ("a.read", "read", False, None), ("a.read", "write", True, "tier:read_only"),
            ("a.master", "read", False, None), ("a.master", "create", False, "tier:admin_write"),
            ("a.master", "create", True, None), ("b.c", "delete", False, None),
        ]  # fmt: skip
        for model, operation, is_admin, rule in cases:
            found = Tiers(rows, is_admin).refusal(model, operation)
            self.assertEqual(found and found[0], rule, (model, operation, is_admin))

    def test_all_tiers_of_a_model_hold(self):
        tiers = Tiers(PATTERNS, is_admin=True)
        self.assertEqual(tiers.refusal("a.admin.x", "write")[0], "tier:read_only")
        self.assertEqual(tiers.refusal("a.never", "read")[0], "tier:never")
        self.assertEqual(tiers.refusal("a.admin.x", "write"), tiers.refusal("a.admin.x", "write"))
