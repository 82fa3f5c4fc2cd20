import json

from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from ..services.exchange import Exchange, Message
from ..services.topics import gone
from ..services.versions import V2025_06_18, V2025_11_25
from .common import McpCase
from .delivering import DeliveryMixin


@tagged("post_install", "-at_install")
class TestStreamDelivery(DeliveryMixin, McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner = cls.env["res.partner"].create({"name": "Subscribed"})
        cls.uri = f"odoo://record/res.partner/{cls.partner.id}"
        cls.topic = f"record:res.partner:{cls.partner.id}"

    def setUp(self):
        super().setUp()
        self.env.flush_all()

    def session(self, version=V2025_11_25):
        sessions = self.env["mcp.session"]
        key, credential = sessions._new_key(), self.exchange().credential
        sessions._open(Exchange(Message("initialize", {}, 1), version, credential, "r", session_key=key))
        return sessions._find(key, credential)

    def opened(self, session, last_event_id=None):
        """Return the stream of a GET with this session, as the hub begins it."""
        server = self.registry_as().env["mcp.server"]
        held = server._session_stream(self.exchange().credential, session, last_event_id, "r")
        return self.begun(held)

    def listening(self, user=None, **wished):
        server = self.registry_as(user).env["mcp.server"]
        exchange = self.exchange(user, method="subscriptions/listen", params={"notifications": wished})
        return self.begun(
            server._listening_stream(exchange, server._rpc_subscriptions_listen(exchange)["notifications"])
        )

    def begun(self, held):
        held.on_close(self.index.remove)
        self.index.add(held)
        self.delivery.begin([held], 100, 1500)
        return held

    def heard(self, held) -> list:
        """Return the messages that a stream holds, heartbeats and empty events left out; it is over then."""
        held.end(farewell=b"")
        events = b"".join(held).decode().split("\n\n")
        data = [line[6:] for event in events for line in event.splitlines() if line.startswith("data: ")]
        return [json.loads(text) for text in data if text]

    def deliver(self, *topics, notice=101):
        self.delivery.deliver(dict.fromkeys(topics, notice))

    def test_list_changes_reach_a_session(self):
        held = self.opened(self.session())
        self.deliver("tools")
        self.deliver("policy", notice=102)
        methods = [message["method"].split("/")[1] for message in self.heard(held)]
        self.assertEqual(methods, ["tools", "tools", "prompts", "resources"])

    def test_subscribed_records_and_no_others(self):
        session = self.session()
        self.env["mcp.subscription"]._subscribe(session.id, self.exchange().credential.token_id, self.uri)
        held = self.opened(session)
        self.deliver(self.topic, "record:res.partner:1")
        self.assertEqual(
            self.heard(held),
            [{"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": self.uri}}],
        )

    def test_subscription_made_while_the_stream_is_open(self):
        session = self.session()
        held = self.opened(session)
        self.env["mcp.subscription"]._subscribe(session.id, self.exchange().credential.token_id, self.uri)
        self.deliver(f"session:{session.id}")
        self.deliver(self.topic)
        self.assertEqual(len(self.heard(held)), 1)

    def test_who_lost_access_hears_nothing(self):
        for lose in (self.lose_by_record_rule, self.lose_by_profile, self.lose_by_tier):
            with self.subTest(lose=lose.__name__), self.env.cr.savepoint() as savepoint:
                held = self.listening(resourceSubscriptions=[self.uri])
                self.deliver(self.topic)
                lose()
                self.env.flush_all()
                self.deliver(self.topic)
                self.assertEqual([message["method"].split("/")[-1] for message in self.heard(held)],
                                 ["acknowledged", "updated"])  # fmt: skip
                self.env.invalidate_all(flush=False)
                savepoint.rollback()
                self.env.registry.clear_cache()

    def test_a_broken_rule_of_one_user_leaves_the_others(self):
        other = new_test_user(self.env, "with_a_broken_rule", groups="base.group_user,mcp_endpoint.group_mcp_user")
        broken = self.listening(other, resourceSubscriptions=[self.uri])
        held = self.listening(resourceSubscriptions=[self.uri])
        self.env["ir.rule"].create(
            {
                "name": "broken for one",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": f"[('id', '!=', 1 // (user.id - {other.id}))]",
            }
        )
        self.env.flush_all()
        with self.assertLogs("odoo.addons.mcp_endpoint.models.stream_upkeep", "WARNING"):
            self.deliver(self.topic)
        self.assertEqual([len(self.heard(stream)) for stream in (broken, held)], [1, 2])

    def lose_by_record_rule(self):
        self.env["ir.rule"].create(
            {
                "name": "hidden",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": f"[('id', '!=', {self.partner.id})]",
            }
        )

    def lose_by_profile(self):
        rule = {"pattern": "res.country"}
        self.profiles["full"].rule_ids = [Command.create(rule)]

    def lose_by_tier(self):
        self.env["mcp.model.tier"].create({"pattern": "res.partner", "tier": "never"})

    def test_deleted_and_made_up_records_are_nobody_s(self):
        self.partner.copy().unlink()
        held = self.listening(
            resourceSubscriptions=["odoo://record/res.partner/2000000000", "odoo://record/no.model/1"]
        )
        self.deliver("record:res.partner:2000000000", "record:no.model:1")
        self.assertEqual(len(self.heard(held)), 1)

    def test_deletion_is_told_to_those_who_could_read_the_record(self):
        held = self.listening(resourceSubscriptions=[self.uri])
        other = self.listening(self.env.ref("base.user_admin"), resourceSubscriptions=[self.uri])
        self.partner.unlink()
        self.deliver(self.topic, gone(held.credential.token_id, self.uri))
        self.assertEqual((len(self.heard(held)), len(self.heard(other))), (2, 1))

    def test_closed_models_are_never_told(self):
        uris = ["odoo://record/res.users.apikeys/1", "odoo://model/ir.config_parameter", "odoo://record/ir.rule/1"]
        held = self.listening(resourceSubscriptions=uris)
        self.deliver("schema", "record:res.users.apikeys", "record:ir.rule")
        self.assertEqual(len(self.heard(held)), 1)

    def test_a_listener_hears_what_it_asked_for_with_its_tag(self):
        held = self.listening(toolsListChanged=True, promptsListChanged=False)
        self.deliver("tools", "prompts", "resources")
        acknowledged, *changes = self.heard(held)
        self.assertEqual(acknowledged["params"]["notifications"], {"toolsListChanged": True})
        tag = {"_meta": {"io.modelcontextprotocol/subscriptionId": 1}}
        self.assertEqual(changes, [{"jsonrpc": "2.0", "method": "notifications/tools/list_changed", "params": tag}])

    def test_another_user_s_groups_do_not_concern(self):
        other = new_test_user(self.env, "delivery_other", groups="base.group_user")
        held, theirs = self.listening(toolsListChanged=True), self.listening(other, toolsListChanged=True)
        self.deliver(f"user:{other.id}")
        self.assertEqual((len(self.heard(held)), len(self.heard(theirs))), (1, 2))

    def test_stored_events_follow_the_one_named(self):
        session, outbox = self.session(), self.env["mcp.stream.event"]
        name = outbox._new_stream(session.id)
        first = outbox._append(name, session.id, {"id": 1})
        outbox._append(name, session.id, {"id": 2})
        held = self.opened(session, first)
        outbox._append(name, session.id, {"id": 3})
        self.deliver(f"stream:{name}")
        outbox._finish(name, session.id)
        self.assertFalse(held.is_over)
        self.deliver(f"stream:{name}")
        self.assertTrue(held.is_over)
        self.assertEqual([message["id"] for message in self.heard(held)], [2, 3])

    def test_resumed_stream_says_at_once_where_it_is_and_when_to_come_back(self):
        session, outbox = self.session(), self.env["mcp.stream.event"]
        first = outbox._append(outbox._new_stream(session.id), session.id, {"id": 1})
        held = self.opened(session, first)
        next(held)
        self.assertEqual(next(held).decode(), f"id: {first}\nretry: 1500\ndata: \n\n")

    def test_only_clients_that_know_priming_events_get_one(self):
        for version, number in ((V2025_11_25, 1), (V2025_06_18, 0)):
            held = self.opened(self.session(version))
            held.end()
            self.assertEqual(b"".join(held).count(b"id: "), number)

    def test_missed_changes_are_made_up_for(self):
        session = self.session()
        notice = self.env["bus.bus"]
        self.env["mcp.notice"]._send(["tools"])
        self.env.cr.precommit.run()
        seen = notice.search([], order="id desc", limit=1).id
        self.env["mcp.notice"]._send(["prompts"])
        self.env.cr.precommit.run()
        name = self.env["mcp.stream.event"]._standalone(session.id)
        for last, lists in ((seen, ["prompts"]), (seen + 1, [])):
            held = self.opened(session, f"{name}_{last}")
            self.assertEqual([message["method"].split("/")[1] for message in self.heard(held)], lists)

    def test_who_was_away_too_long_is_told_that_all_may_be_another(self):
        session = self.session()
        self.env["mcp.subscription"]._subscribe(session.id, self.exchange().credential.token_id, self.uri)
        self.env["bus.bus"].search([]).unlink()
        name = self.env["mcp.stream.event"]._standalone(session.id)
        self.assertEqual(len(self.heard(self.opened(session, f"{name}_1"))), 4)

    def test_streams_end_with_what_they_stand_on(self):
        credential = self.exchange().credential
        token = self.env["mcp.token"].browse(credential.token_id)
        for end in (
            lambda session: token._revoke(),
            lambda session: setattr(self.env["mcp.session"].browse(session.id), "ended_at", "2026-01-01"),
            lambda session: setattr(self.user, "active", False),
            lambda session: setattr(self.user, "group_ids", [Command.clear()]),
            lambda session: self.env["ir.config_parameter"].set_param("mcp_endpoint.paused", "True"),
            lambda session: setattr(token, "expires_at", "2026-01-01"),
            lambda session: setattr(self.profiles["full"], "ip_allowed", "10.0.0.0/8"),
        ):
            with self.env.cr.savepoint() as savepoint:
                session = self.session()
                held = self.opened(session)
                self.delivery.check()
                self.assertFalse(held.is_over)
                end(session)
                self.env.flush_all()
                self.delivery.check()
                self.assertTrue(held.is_over)
                self.env.invalidate_all(flush=False)
                savepoint.rollback()
                self.env.registry.clear_all_caches()
            held.close()

    def test_ended_session_is_told_at_once(self):
        sessions = self.env["mcp.session"]
        key, credential = sessions._new_key(), self.exchange().credential
        sessions._open(Exchange(Message("initialize", {}, 1), V2025_11_25, credential, "r", session_key=key))
        held = self.opened(sessions._find(key, credential))
        sessions._end(key, credential)
        self.env.flush_all()
        self.deliver(f"session:{held.session_id}")
        self.assertTrue(held.is_over)

    def test_what_the_database_holds_for_a_stream_goes_with_it(self):
        held = self.listening(resourceSubscriptions=[self.uri])
        legacy = self.begun(self.registry_as().env["mcp.server"]._legacy_stream(self.exchange().credential, "", "r"))
        session = self.env["mcp.session"].browse(legacy.session_id)
        self.delivery.note_use()
        self.assertTrue(self.env["mcp.subscription"].search([("listener", "=", held.name)]))
        held.close()
        legacy.close()
        self.delivery.clean_up(self.index.take_closed())
        self.env.invalidate_all()
        self.assertFalse(self.env["mcp.subscription"].search([("listener", "=", held.name)]))
        self.assertEqual(session.state, "ended")

    def test_legacy_stream_names_where_to_post(self):
        server = self.registry_as().env["mcp.server"]
        held = self.begun(server._legacy_stream(self.exchange().credential, "readonly=1", "r"))
        first = next(held).decode()
        self.assertRegex(first, r"^event: endpoint\ndata: /mcp/messages\?session_id=[\w-]{43}&readonly=1\n\n$")
        key = first.partition("session_id=")[2].partition("&")[0]
        self.env.flush_all()
        found, name = self.env["mcp.session"]._find_legacy(key, self.exchange().credential)
        self.assertEqual((found.id, name), (held.session_id, held.name))
        other = self.exchange(self.env.ref("base.user_admin")).credential
        self.assertIsNone(self.env["mcp.session"]._find_legacy(key, other))
        self.env["mcp.stream.event"]._append(name, held.session_id, {"id": 1})
        self.deliver(f"stream:{name}")
        self.assertEqual(self.heard(held), [{"id": 1}])
