from datetime import timedelta

from odoo.tests import tagged
from odoo.tools import SQL

from ..models.action_effects import EffectWatch
from .common import McpCase


@tagged("post_install", "-at_install")
class TestActionEffects(McpCase):
    def test_only_this_transactions_records_are_new(self):
        made, older = self.env["res.partner"].create([{"name": "Made now"}, {"name": "Made by the call before"}])
        moment = self.env.cr.now() - timedelta(microseconds=1)
        self.env.flush_all()
        self.env.cr.execute(SQL("UPDATE res_partner SET create_date = %s WHERE id = %s", moment, older.id))
        self.env.invalidate_all()
        call = self.make_call("odoo_run_action")
        watch = EffectWatch(call, call.env["res.country"])
        for record in made, older:
            record.message_post(body="Something happened")
        self.assertEqual([row["id"] for row in watch.created(None)], made.ids)
