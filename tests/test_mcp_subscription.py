from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import SQL

from ..models.mcp_subscription import LONGEST_URI, MOST_URIS
from ..services.errors import InvalidParams
from ..services.exchange import Exchange, Message
from ..services.versions import V2025_11_25
from .common import McpCase

RECORD = "odoo://record/res.partner/7"


@tagged("post_install", "-at_install")
class TestMcpSubscription(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subscriptions = cls.env["mcp.subscription"]

    def setUp(self):
        super().setUp()
        sessions = self.env["mcp.session"]
        key, self.credential = sessions._new_key(), self.exchange().credential
        sessions._open(Exchange(Message("initialize", {}, 1), V2025_11_25, self.credential, "r", session_key=key))
        self.session = sessions._find(key, self.credential).id

    def subscribe(self, uri):
        self.subscriptions._subscribe(self.session, self.credential.token_id, uri)

    def test_a_session_has_each_resource_once(self):
        self.subscribe(RECORD)
        self.subscribe(RECORD)
        self.subscribe("test://anything")
        self.assertEqual(self.subscriptions._of_session(self.session), [RECORD, "test://anything"])
        self.subscriptions._unsubscribe(self.session, RECORD)
        self.subscriptions._unsubscribe(self.session, "odoo://record/res.partner/8")
        self.assertEqual(self.subscriptions._of_session(self.session), ["test://anything"])

    def test_number_and_length_are_limited(self):
        for number in range(MOST_URIS):
            self.subscribe(f"test://{number}")
        with self.assertRaises(InvalidParams):
            self.subscribe("test://one-more")
        for wrong in (None, "", 7, "x" * (LONGEST_URI + 1)):
            with self.assertRaises(InvalidParams):
                self.subscriptions._checked([wrong])
        with self.assertRaises(InvalidParams):
            self.subscriptions._checked("odoo://context")

    def test_listeners_that_are_gone_and_sessions_that_are_over_are_forgotten(self):
        self.subscriptions._listen("killed", self.credential.token_id, [RECORD])
        self.subscriptions._listen("alive", self.credential.token_id, [RECORD])
        self.subscribe(RECORD)
        self.env.cr.execute(
            SQL(
                "UPDATE mcp_subscription SET alive_at = %s WHERE alive_at IS NOT NULL",
                fields.Datetime.now() - timedelta(hours=3),
            )
        )
        self.subscriptions._keep_listeners(["alive"])
        self.env["mcp.session"].browse(self.session).ended_at = fields.Datetime.now()
        self.env.flush_all()
        self.assertEqual(self.subscriptions._gc_subscriptions(), (2, False))
        self.env.invalidate_all()
        self.assertEqual(self.subscriptions.search([]).mapped("listener"), ["alive"])
        self.subscriptions._forget_listeners(["alive"])
        self.assertFalse(self.subscriptions.search([]))

    def test_nobody_reads_them_over_rpc(self):
        with self.assertRaises(AccessError):
            self.subscriptions.with_user(self.user).search([])
