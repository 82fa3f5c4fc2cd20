from odoo.tests import TransactionCase, tagged

from ..models.schema_cache import cached
from ..services import schema_cache


@tagged("post_install", "-at_install")
class TestSchemaCache(TransactionCase):
    def setUp(self):
        super().setUp()
        self.built = 0
        schema_cache.invalidate("test:")
        self.addCleanup(schema_cache.invalidate, "test:")
        # What other tests of this class's setup flagged is not ours; from here on nothing is pending.
        pending = set(self.registry.cache_invalidated)
        self.registry.cache_invalidated.clear()
        self.addCleanup(self.registry.cache_invalidated.update, pending)

    def build(self):
        self.built += 1
        return {"pairs": [("a", 1)], "number": self.built}

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
