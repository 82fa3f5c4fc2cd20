from unittest.mock import patch

from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..models.mcp_notice import _PENDING
from ..models.stream_upkeep import McpServer
from ..services import topics
from .common import McpCase


@tagged("post_install", "-at_install")
class TestChangeNotices(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner = cls.env["res.partner"].create({"name": "Watched"})
        token = cls.env["mcp.token"].search([("user_id", "=", cls.user.id)], limit=1)
        if not token:
            cls.issue()
            token = cls.env["mcp.token"].search([("user_id", "=", cls.user.id)], limit=1)
        cls.env["mcp.subscription"]._listen("x", token.id, [f"odoo://record/res.partner/{cls.partner.id}"])

    def setUp(self):
        super().setUp()
        self.env.flush_all()
        self.noticed()

    def noticed(self):
        """Return the topics that this transaction has noticed so far, and forget them."""
        self.env.flush_all()
        return self.env.cr.precommit.data.pop(_PENDING, set())

    def test_records_of_watched_models(self):
        self.partner.comment = "new"
        self.assertEqual(self.noticed(), {f"record:res.partner:{self.partner.id}"})
        self.env["res.country"].search([], limit=1).name = "Not watched"
        self.assertEqual(self.noticed(), set())
        gone = self.partner.copy()
        self.noticed()
        gone_id = gone.id
        gone.unlink()
        self.assertIn(f"record:res.partner:{gone_id}", self.noticed())

    def test_stored_computed_fields_count(self):
        parent = self.env["res.partner"].create({"name": "Parent", "is_company": True})
        self.partner.parent_id = parent
        self.noticed()
        parent.name = "Renamed"
        self.assertLessEqual(
            {f"record:res.partner:{self.partner.id}", f"record:res.partner:{parent.id}"}, self.noticed()
        )

    def test_lines_are_a_part_of_their_record(self):
        bank = self.env["res.partner.bank"].create({"acc_number": "BE71096123456769", "partner_id": self.partner.id})
        self.assertIn(f"record:res.partner:{self.partner.id}", self.noticed())
        bank.acc_holder_name = "Somebody"
        self.assertIn(f"record:res.partner:{self.partner.id}", self.noticed())
        bank.unlink()
        self.assertIn(f"record:res.partner:{self.partner.id}", self.noticed())

    def test_who_could_read_a_record_hears_that_it_is_gone(self):
        uri, token = f"odoo://record/res.partner/{self.partner.id}", self.exchange().credential.token_id
        self.env["mcp.subscription"]._listen("y", token, [uri])
        with self.env.cr.savepoint() as savepoint:
            self.partner.unlink()
            self.assertIn(topics.gone(token, uri), self.noticed())
            self.env.invalidate_all(flush=False)
            savepoint.rollback()
        self.env["ir.rule"].create(
            {
                "name": "hidden",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": f"[('id', '!=', {self.partner.id})]",
            }
        )
        self.noticed()
        self.partner.unlink()
        self.assertNotIn(topics.gone(token, uri), self.noticed())

    def test_nobody_s_deletion_fails_for_those_who_subscribe(self):
        def failing(server, call, uri):
            server.env.cr.execute("SELECT 1 / 0")

        uri, token = f"odoo://record/res.partner/{self.partner.id}", self.exchange().credential.token_id
        self.env["mcp.subscription"]._listen("y", token, [uri])
        self.partner.name = "Changed before"
        with (
            patch.object(McpServer, "_check_open", failing),
            mute_logger("odoo.sql_db", "odoo.addons.mcp_endpoint.models.stream_upkeep"),
        ):
            self.partner.unlink()
        self.assertFalse(self.partner.exists())
        self.assertNotIn(topics.gone(token, uri), self.noticed())

    def test_many_records_are_one_topic(self):
        self.env["res.partner"].create([{"name": str(n)} for n in range(topics.MOST_RECORDS + 1)])
        self.assertIn("record:res.partner", self.noticed())

    def test_messages_and_activities_are_the_record_s_chatter(self):
        chatter = f"chatter:res.partner:{self.partner.id}"
        message = self.partner.message_post(body="hello")
        self.assertIn(chatter, self.noticed())
        message.body = "changed"
        self.assertIn(chatter, self.noticed())
        message.unlink()
        self.assertIn(chatter, self.noticed())
        self.partner.activity_schedule("mail.mail_activity_data_todo")
        self.assertIn(chatter, self.noticed())

    def test_rows_that_lists_are_made_of(self):
        prompt = self.env["mcp.prompt"].create({"name": "noticed", "title": "Noticed", "body": "x"})
        self.assertIn("prompts", self.noticed())
        prompt.active = False
        self.assertIn("prompts", self.noticed())
        prompt.unlink()
        self.assertIn("prompts", self.noticed())
        self.env["mcp.resource"].create({"name": "N", "slug": "noticed", "body": "x"})
        self.assertIn("resources", self.noticed())
        self.profiles["write"].copy()
        self.assertIn("policy", self.noticed())
        self.env["mcp.model.tier"].create({"pattern": "x.y", "tier": "never"})
        self.assertIn("policy", self.noticed())
        model_id = self.env["ir.model"]._get_id("res.partner")
        action = self.env["ir.actions.server"].create(
            {"name": "Noticed", "model_id": model_id, "state": "code", "code": "pass"}
        )
        self.env["mcp.tool"].create(
            {
                "name": "noticed_tool",
                "source": "action",
                "server_action_id": action.id,
                "description": "Does something that this test does not look at.",
            }
        )
        self.assertIn("tools", self.noticed())

    def test_groups_of_a_user_concern_that_user(self):
        user = new_test_user(self.env, "noticed_user", groups="base.group_user")
        self.noticed()
        user.group_ids += self.env.ref("base.group_partner_manager")
        self.assertEqual({topic for topic in self.noticed() if topic.startswith("user:")}, {f"user:{user.id}"})
        user.signature = "x"
        self.assertFalse({topic for topic in self.noticed() if topic.startswith("user:")})

    def test_what_is_rolled_back_is_not_noticed(self):
        topic = f"record:res.partner:{self.partner.id}"
        facts = {"model": "res.partner", "ids": self.partner.ids}
        self.ok("odoo_update_records", **facts, values={"comment": "dry"}, dry_run=True)
        self.assertEqual(self.sent(topic), 0)
        self.ok("odoo_update_records", **facts, values={"comment": "real"})
        self.assertEqual(self.sent(topic), 1)

    def sent(self, topic):
        """Return how many notices of this transaction are ready to be sent with a topic."""
        self.env.cr.flush()
        return self.env["bus.bus"].search_count([("message", "like", topic)])
