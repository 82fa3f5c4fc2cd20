from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import TransactionCase, new_test_user, tagged

from ..models import schema_cache as keeping
from ..models.model_schema import model_schema
from ..models.schema_cache import cached
from ..services import schema_cache


@tagged("post_install", "-at_install")
class TestSchemaCache(TransactionCase):
    def setUp(self):
        super().setUp()
        self.built = 0
        schema_cache.invalidate("test:")
        self.addCleanup(schema_cache.invalidate, "test:")
        self.parameters = self.env["ir.config_parameter"]
        self.parameters.search([("key", "=", keeping.PARAMETER)]).unlink()
        # What other tests of this class's setup flagged is not ours; from here on nothing is pending.
        pending = set(self.registry.cache_invalidated)
        self.registry.cache_invalidated.clear()
        self.addCleanup(self.registry.cache_invalidated.update, pending)

    def build(self):
        self.built += 1
        return {"pairs": [("a", 1)], "number": self.built}

    def as_committed(self):
        """Let what this transaction changed count as signalled."""
        self.env.flush_all()
        self.registry.cache_invalidated.clear()

    def ask(self, env=None, name="test:x", **options):
        return cached(env or self.env, name, self.build, **options)

    def test_built_once_and_equal_when_cached(self):
        first, second = self.ask(), self.ask()
        self.assertEqual(self.built, 1)
        self.assertEqual(first, second)
        self.assertEqual(first, {"pairs": [["a", 1]], "number": 1})

    def test_changing_a_result_does_not_change_the_next(self):
        self.ask()["pairs"].append("mine")
        self.assertEqual(self.ask()["pairs"], [["a", 1]])

    def test_kept_apart_by_name_language_and_criteria(self):
        self.ask()
        self.ask(name="test:y")
        self.ask(self.env(context={"lang": "en_US"}))
        self.ask(by="other")
        self.assertEqual(self.built, 4)

    def test_kept_apart_by_groups_and_shared_between_users_of_the_same_groups(self):
        groups = [(6, 0, self.env.ref("base.group_user").ids)]
        users = self.env["res.users"].create(
            [{"name": name, "login": f"cache_{name}", "group_ids": groups} for name in ("one", "two")]
        )
        self.env.flush_all()
        self.registry.signal_changes()
        self.ask()
        self.ask(self.env(user=users[0].id))
        self.assertEqual(self.built, 2)
        self.ask(self.env(user=users[1].id))
        self.assertEqual(self.built, 2)

    def test_never_read_or_filled_while_changes_are_pending(self):
        self.ask()
        for flag in ("stable", "default", "templates", "groups"):
            self.registry.cache_invalidated.add(flag)
            before = self.built
            self.assertEqual(self.ask()["number"], before + 1)
            self.registry.cache_invalidated.clear()
            self.assertEqual(self.ask()["number"], 1, "the value from before must still be the cached one")
        self.registry.registry_invalidated = True
        self.addCleanup(setattr, self.registry, "registry_invalidated", False)
        before = self.built
        self.ask()
        self.assertEqual(self.built, before + 1)

    def test_not_filled_when_building_changed_something(self):
        def build():
            self.registry.cache_invalidated.add("stable")
            return self.build()

        cached(self.env, "test:x", build)
        self.registry.cache_invalidated.clear()
        self.ask()
        self.assertEqual(self.built, 2)

    def test_a_signalled_change_makes_a_new_entry(self):
        for sequence in ("stable", "default", "groups", "templates"):
            self.ask()
            before, known = self.built, self.registry.cache_sequences[sequence]
            self.registry.cache_sequences[sequence] = known + 1
            self.addCleanup(self.registry.cache_sequences.__setitem__, sequence, known)
            self.ask()
            self.assertEqual(self.built, before + 1, sequence)
        known = self.registry.registry_sequence
        self.registry.registry_sequence = known + 1
        self.addCleanup(setattr, self.registry, "registry_sequence", known)
        before = self.built
        self.ask()
        self.assertEqual(self.built, before + 1)

    def test_documented_invalidate_drops_by_prefix(self):
        self.ask(name="test:sale.order")
        self.ask(name="test:res.partner")
        schema_cache.invalidate("test:sale.")
        self.ask(name="test:res.partner")
        self.assertEqual(self.built, 2)
        self.ask(name="test:sale.order")
        self.assertEqual(self.built, 3)

    def test_age_limit_is_a_setting(self):
        self.parameters.set_param(keeping.PARAMETER, "100")
        self.as_committed()
        with patch.object(self.registry._mcp_schema_cache, "_clock") as clock:
            clock.return_value = 1_000
            self.ask()
            clock.return_value = 1_099
            self.ask()
            self.assertEqual(self.built, 1)
            clock.return_value = 1_100
            self.ask()
            self.assertEqual(self.built, 2)

    def test_zero_keeps_nothing(self):
        self.parameters.set_param(keeping.PARAMETER, "0")
        self.as_committed()
        self.ask()
        self.ask()
        self.assertEqual(self.built, 2)

    def test_a_group_given_to_the_user_changes_the_answer(self):
        group = self.env.ref("base.group_erp_manager")
        user = new_test_user(self.env, "mcp_cache_user", groups="base.group_user")
        env = self.env(user=user)
        self.as_committed()

        def names():
            return {item["name"] for item in model_schema(env, "res.partner")["fields"]}

        self.assertNotIn("signup_type", names())
        self.assertNotIn("signup_type", names())
        user.write({"group_ids": [(4, group.id)]})
        self.assertIn("signup_type", names(), "in the transaction that gave the group")
        self.as_committed()
        self.assertIn("signup_type", names())
        user.write({"group_ids": [(3, group.id)]})
        self.as_committed()
        self.assertNotIn("signup_type", names())

    def test_button_empties_the_cache_and_tells_the_other_workers(self):
        settings = self.env["res.config.settings"].create({})
        self.as_committed()
        self.ask()
        self.ask()
        before = keeping.counts(self.env)
        self.assertGreaterEqual(before.hits, 1)
        self.assertIn(f"{before.hits} hits", self.env["res.config.settings"].new({}).mcp_schema_cache_use)
        settings.action_mcp_clear_schema_cache()
        self.assertEqual(keeping.counts(self.env), schema_cache.Counts(0, 0, 0))
        # What Odoo signals at commit, and what is part of the key there.
        self.assertIn("templates", self.registry.cache_invalidated)
        self.as_committed()
        self.ask()
        self.assertEqual(self.built, 2)

    def test_button_is_for_administrators(self):
        user = new_test_user(self.env, "mcp_cache_user", groups="base.group_user")
        with self.assertRaises(AccessError):
            self.env["res.config.settings"].with_user(user).action_mcp_clear_schema_cache()
