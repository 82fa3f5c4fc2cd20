"""What tests of long-lived streams share: a server behind nginx, people with tokens, and what streams are told of."""

import os
import time
import unittest

import fixture
from streams import Client

from devtools import databases, tokens

RECORD = "odoo://record/res.partner/1"
UPDATED = "notifications/resources/updated"
# Seconds between two signs of life.
HEARTBEAT = 15
PATIENCE = 60
# Run in `odoo shell`: as in the settings, so that every worker hears of it.
SETTINGS = """
env["ir.config_parameter"].set_param("mcp_endpoint.streams_routed", "True")
env["ir.config_parameter"].set_param("mcp_endpoint.streams_token", "%d")
"""
PEOPLE = """
env["res.users"].create([{"name": login, "login": login, "group_ids": [(6, 0, [
    env.ref("base.group_user").id, env.ref("mcp_endpoint.group_mcp_user").id])]}
    for login in ("streams_reader", "streams_leaver")])
"""


class StreamCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.running = fixture.shared()
        cls.client = Client(cls.running.base, cls.running.token)
        if not hasattr(StreamCase, "people"):
            wanted = (tokens.Wanted(login, "full") for login in ("streams_reader", "streams_leaver"))
            prepare = SETTINGS % 5 + PEOPLE + databases.COMMIT
            StreamCase.people = tokens.issue(cls.running.database, *wanted, before=prepare)

    def change(self, uri=RECORD):
        """Change a record in an HTTP worker."""
        model, record_id = uri.removeprefix("odoo://record/").split("/")
        values = {"comment": os.urandom(4).hex()}
        self.client.endpoint.facts("odoo_update_records", model=model, ids=[int(record_id)], values=values)

    def told_session(self):
        """The headers of a session that was told of a change, and the stream by which it heard."""
        session = self.client.session()
        self.client.ask("resources/subscribe", {"uri": RECORD}, session)
        stream = self.opened(self.client.get(session))
        self.change()
        stream.message()
        return session, stream

    def opened(self, stream):
        self.addCleanup(stream.close)
        self.assertEqual(stream.status, 200)
        return stream

    def wait_for_evented(self):
        """Wait until streams are served again."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            stream = self.client.listen()
            stream.close()
            if stream.status == 200:
                return
            time.sleep(0.5)
        raise AssertionError("The evented process does not come back.")
