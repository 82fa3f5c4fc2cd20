import json
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import SQL

from ..models.mcp_notice import TYPE
from ..services.exchange import Exchange, Message
from ..services.versions import V2025_11_25
from .common import McpCase


@tagged("post_install", "-at_install")
class TestMcpStreamEvent(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.outbox = cls.env["mcp.stream.event"]

    def session(self, user=None) -> int:
        sessions = self.env["mcp.session"]
        key, credential = sessions._new_key(), self.exchange(user).credential
        sessions._open(Exchange(Message("initialize", {}, 1), V2025_11_25, credential, "r", session_key=key))
        return sessions._find(key, credential).id

    def notices(self) -> list[list[str]]:
        """Return the topics of the notices that this transaction would send, and forget them."""
        self.env.cr.precommit.run()
        channel = json.dumps(self.env["mcp.notice"]._channel(), separators=(",", ":"))
        rows = self.env["bus.bus"].search([("channel", "=", channel)])
        messages = [json.loads(row.message) for row in rows]
        rows.unlink()
        self.assertEqual({message["type"] for message in messages} | {TYPE}, {TYPE})
        return [message["payload"] for message in messages]

    def test_events_follow_each_other_on_their_stream_only(self):
        session = self.session()
        one, two = self.outbox._new_stream(session), self.outbox._new_stream(session)
        self.assertEqual(self.outbox._after(f"{one}_0", session), [])
        first = self.outbox._append(one, session, {"id": 1, "result": {"text": "ü"}})
        self.outbox._append(two, session, {"id": 2})
        second = self.outbox._append(one, session, {"id": 3})
        self.assertEqual(
            self.outbox._after(f"{one}_0", session), [(first, {"id": 1, "result": {"text": "ü"}}), (second, {"id": 3})]
        )
        self.assertEqual(self.outbox._after(first, session), [(second, {"id": 3})])
        self.assertEqual(self.outbox._after(second, session), [])

    def test_end_of_a_stream_is_no_event(self):
        session = self.session()
        stream = self.outbox._new_stream(session)
        self.outbox._append(stream, session, {"id": 1})
        self.assertFalse(self.outbox._stored(f"{stream}_0", session).is_finished)
        self.outbox._finish(stream, session)
        stored = self.outbox._stored(f"{stream}_0", session)
        self.assertTrue(stored.is_finished)
        self.assertEqual([json.loads(data) for _id, data in stored.events], [{"id": 1}])

    def test_ids_of_other_sessions_and_made_up_ones_are_refused(self):
        mine, other = self.session(), self.session(self.env.ref("base.user_admin"))
        stream = self.outbox._new_stream(mine)
        event = self.outbox._append(stream, mine, {"secret": True})
        for event_id in (event, f"{stream}_0"):
            with self.assertRaises(ValueError):
                self.outbox._after(event_id, other)
        for made_up in ("", "_", "_0", f"{stream}", f"{stream}_", f"{stream}_x", f"{stream}_-1", f"{stream}_¹",
                        f"{stream}_{'9' * 40}", "é" * 40 + "_1", f"x{stream[1:]}_0"):  # fmt: skip
            with self.subTest(made_up=made_up), self.assertRaises(ValueError):
                self.outbox._after(made_up, mine)

    def test_holder_of_the_stream_is_woken_at_the_commit_once(self):
        session = self.session()
        stream = self.outbox._new_stream(session)
        self.notices()
        self.outbox._append(stream, session, {"id": 1})
        self.outbox._append(stream, session, {"id": 2})
        self.assertFalse(self.env["bus.bus"].search([("message", "like", stream)]))
        self.assertEqual(self.notices(), [[f"stream:{stream}"]])
        self.assertEqual(self.notices(), [])

    def test_rolled_back_event_wakes_nobody(self):
        session = self.session()
        stream = self.outbox._new_stream(session)
        self.notices()
        with self.env.cr.savepoint() as savepoint:
            self.outbox._append(stream, session, {"id": 1})
            self.env.cr.clear()
            savepoint.rollback()
        self.assertEqual(self.outbox._after(f"{stream}_0", session), [])
        self.assertEqual(self.notices(), [])

    def test_old_events_go(self):
        session = self.session()
        stream = self.outbox._new_stream(session)
        old, new = (self.outbox._append(stream, session, {"id": number}) for number in (1, 2))
        self.env.flush_all()
        self.env["ir.config_parameter"].set_param("mcp_endpoint.event_minutes", "10")
        self.env.cr.execute(
            SQL(
                "UPDATE mcp_stream_event SET create_date = %s WHERE id = %s",
                fields.Datetime.now() - timedelta(minutes=11),
                int(old.rpartition("_")[2]),
            )
        )
        self.assertEqual(self.outbox._gc_stream_events(), (1, False))
        self.assertEqual([event for event, _payload in self.outbox._after(f"{stream}_0", session)], [new])

    def test_nobody_reads_the_outbox_over_rpc(self):
        with self.assertRaises(AccessError):
            self.outbox.with_user(self.user).search([])
        with self.assertRaises(AccessError):
            self.outbox.with_user(self.env.ref("base.user_admin")).search([])

    def test_events_go_with_their_session(self):
        session = self.session()
        stream = self.outbox._new_stream(session)
        self.outbox._append(stream, session, {"id": 1})
        self.env["mcp.session"].browse(session).unlink()
        self.assertEqual(self.outbox._after(f"{stream}_0", session), [])
