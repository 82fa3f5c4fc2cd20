import hashlib
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL

from ..services.errors import InvalidParams
from ..services.exchange import Exchange, Message
from ..services.versions import V2025_06_18
from .common import McpCase, altered


@tagged("post_install", "-at_install")
class TestMcpSession(McpCase):
    def open(self, credential=None, **facts):
        sessions = self.env["mcp.session"]
        key = sessions._new_key()
        credential = credential or self.exchange().credential
        given = {"client": {"name": "Tests", "version": "1"}, "capabilities": {"elicitation": {}}, **facts}
        exchange = Exchange(
            message=Message("initialize", {}, 1),
            version=V2025_06_18,
            credential=credential,
            request_id="r",
            session_key=key,
            **given,
        )
        sessions._open(exchange)
        return key, credential, sessions.search([("digest", "=", sessions._digest(key))])

    def test_key_is_unguessable_and_stored_only_as_a_digest(self):
        key, _credential, session = self.open()
        self.assertRegex(key, r"^[\x21-\x7e]{43,}$")
        self.assertNotEqual(key, self.env["mcp.session"]._new_key())
        self.assertEqual(session.sudo().digest, hashlib.sha256(key.encode()).hexdigest())
        stored = self.env.execute_query_dict(SQL("SELECT * FROM mcp_session WHERE id = %s", session.id))
        self.assertNotIn(key, str(stored))

    def test_found_session_tells_what_initialize_settled(self):
        key, credential, session = self.open()
        state = self.env["mcp.session"]._find(key, credential)
        self.assertEqual(
            (state.id, state.version, state.client, state.capabilities, state.log_level),
            (session.id, "2025-06-18", {"name": "Tests", "version": "1"}, {"elicitation": {}}, None),
        )
        self.assertEqual(session.state, "open")

    def test_session_is_found_with_one_query(self):
        key, credential, _session = self.open()
        self.env.flush_all()
        with self.assertQueryCount(1):
            self.env["mcp.session"]._find(key, credential)

    def test_other_principal_expired_and_ended_are_not_found(self):
        sessions = self.env["mcp.session"]
        key, credential, session = self.open()
        other = self.exchange(self.env.ref("base.user_admin")).credential
        self.assertIsNone(sessions._find(key, other))
        self.assertFalse(sessions._end(key, other))
        self.assertIsNone(sessions._find(altered(key), credential))
        with patch.object(fields.Datetime, "now", return_value=fields.Datetime.now() + timedelta(hours=25)):
            self.assertIsNone(sessions._find(key, credential))
            session.invalidate_recordset(["state"])
            self.assertEqual(session.state, "expired")
        self.assertTrue(sessions._end(key, credential))
        self.env.flush_all()
        self.assertIsNone(sessions._find(key, credential))
        self.assertFalse(sessions._end(key, credential))
        session.invalidate_recordset(["state"])
        self.assertEqual(session.state, "ended")

    def test_idle_life_is_a_setting(self):
        self.env["ir.config_parameter"].set_param("mcp_endpoint.session_hours", "2")
        _key, _credential, session = self.open()
        self.assertEqual(session.expires_at - session.last_seen, timedelta(hours=2))
        self.env["ir.config_parameter"].set_param("mcp_endpoint.session_hours", "forever")
        self.assertEqual(self.env["mcp.session"]._idle_life(), timedelta(hours=24))

    def test_use_is_noted_after_commit_and_not_at_every_call(self):
        sessions = self.env["mcp.session"]
        key, credential, session = self.open()
        postcommit = self.env.cr.postcommit
        postcommit.clear()
        sessions._find(key, credential)
        self.assertFalse(postcommit._funcs)
        later = fields.Datetime.now() + timedelta(minutes=6)
        with patch.object(fields.Datetime, "now", return_value=later):
            sessions._find(key, credential)
        self.assertEqual(len(postcommit._funcs), 1)
        self.assertLess(session.last_seen, later)
        postcommit.clear()

    def test_log_level_is_remembered(self):
        key, credential, session = self.open()
        self.env["mcp.session"]._set_log_level(session.id, "warning")
        self.env.flush_all()
        self.assertEqual(self.env["mcp.session"]._find(key, credential).log_level, "warning")

    def test_client_texts_are_bounded(self):
        _key, _credential, session = self.open(client={"name": "x" * 1000, "version": 7})
        self.assertEqual((len(session.client_name), session.client_version), (200, False))
        with self.assertRaises(InvalidParams):
            self.open(capabilities={"experimental": {"x": "y" * 20_000}})

    def test_purge_takes_only_what_is_long_dead(self):
        sessions = self.env["mcp.session"]
        now = fields.Datetime.now()
        long_ago, lately = now - timedelta(days=91), now - timedelta(days=89)
        kept, gone = sessions, sessions
        for ended_at, expires_at, dead in (
            (False, now + timedelta(hours=1), False),
            (False, lately, False),
            (lately, now, False),
            (False, long_ago, True),
            (long_ago, now, True),
        ):
            session = self.open()[2]
            session.write({"ended_at": ended_at, "expires_at": expires_at})
            kept, gone = (kept, gone | session) if dead else (kept | session, gone)
        done, more = sessions._purge_expired()
        self.assertGreaterEqual(done, 2)
        self.assertFalse(more)
        self.assertFalse(gone.exists())
        self.assertEqual(kept.exists(), kept)

    def test_purge_retention_is_a_setting(self):
        session = self.open()[2]
        session.expires_at = fields.Datetime.now() - timedelta(days=3)
        self.env["mcp.session"]._purge_expired()
        self.assertTrue(session.exists())
        self.env["ir.config_parameter"].set_param("mcp_endpoint.session_retention_days", "2")
        self.env["mcp.session"]._purge_expired()
        self.assertFalse(session.exists())

    def test_users_see_their_own_and_change_none(self):
        session = self.open()[2]
        stranger = new_test_user(self.env, "mcp_stranger", groups="base.group_user")
        administrator = new_test_user(self.env, "mcp_admin", groups="base.group_user,mcp_endpoint.group_mcp_admin")
        for user, sees in ((self.user, True), (stranger, False), (administrator, True)):
            self.assertIs(session.with_user(user).has_access("read"), sees)
            for operation in ("write", "create", "unlink"):
                self.assertFalse(session.with_user(user).has_access(operation))
        with self.assertRaises(AccessError):
            session.with_user(administrator).read(["digest"])
