from datetime import timedelta

from odoo import fields
from odoo.tests import tagged
from odoo.tools import SQL

from ..models.mcp_watched_model import CHATTER_MODELS
from .common import McpCase

RECORD = "odoo://record/res.partner/7"


@tagged("post_install", "-at_install")
class TestMcpWatchedModel(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.watched = cls.env["mcp.watched.model"]
        cls.subscriptions = cls.env["mcp.subscription"]
        cls.token_id = cls.env["mcp.token"].search([], limit=1).id or cls.token_of_user()

    @classmethod
    def token_of_user(cls):
        cls.issue()
        return cls.env["mcp.token"].search([("user_id", "=", cls.user.id)], limit=1).id

    def listen(self, uri):
        self.subscriptions._listen("x", self.token_id, [uri])

    def test_models_are_watched_whose_records_somebody_subscribes_to(self):
        self.assertEqual(self.watched._names(), frozenset())
        self.listen("odoo://model/res.country")
        self.listen("test://anything")
        self.assertEqual(self.watched._names(), frozenset())
        self.listen(RECORD)
        self.assertLessEqual({"res.partner", *CHATTER_MODELS}, self.watched._names())

    def test_lines_are_watched_and_mere_links_are_not(self):
        self.listen("odoo://record/mcp.prompt/1")
        self.assertEqual(self.watched._lines()["mcp.prompt.argument"], (("prompt_id", "mcp.prompt"),))
        self.listen(RECORD)
        self.assertIn("res.partner.bank", self.watched._names())
        self.assertNotIn("res.users", self.watched._names())

    def test_asking_costs_no_query(self):
        self.listen(RECORD)
        self.watched._names()
        with self.assertQueryCount(0):
            self.watched._names()

    def test_workers_are_told_of_a_new_model_only(self):
        invalidated = self.env.registry.cache_invalidated
        for uri, told in ((RECORD, True), (RECORD, False), ("odoo://chatter/res.partner/7", False)):
            invalidated.discard("assets")
            self.listen(uri)
            self.assertEqual("assets" in invalidated, told)

    def test_made_up_models_empty_no_cache(self):
        invalidated = self.env.registry.cache_invalidated
        invalidated.discard("assets")
        self.listen("odoo://record/made.up/1")
        self.assertNotIn("assets", invalidated)
        self.assertFalse(self.watched.search([("name", "=", "made.up")]))

    def test_it_does_not_follow_the_subscriptions_at_once(self):
        self.listen(RECORD)
        self.subscriptions._forget_listeners(["x"])
        self.watched._gc_watched_models()
        self.env.registry.clear_cache("assets")
        self.assertIn("res.partner", self.watched._names())
        self.age()
        self.watched._gc_watched_models()
        self.assertEqual(self.watched._names(), frozenset())

    def test_what_is_still_subscribed_to_stays(self):
        self.listen(RECORD)
        self.age()
        self.watched._gc_watched_models()
        self.assertIn("res.partner", self.watched._names())
        self.listen(RECORD)
        self.assertGreater(self.watched.search([]).needed_at, fields.Datetime.now() - timedelta(minutes=1))

    def age(self):
        self.env.cr.execute(
            SQL("UPDATE mcp_watched_model SET needed_at = %s", fields.Datetime.now() - timedelta(days=3))
        )
        self.env.invalidate_all()
