import time
from datetime import timedelta
from types import SimpleNamespace
from unittest import skipUnless
from unittest.mock import Mock, patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models import mcp_key_set
from .common import McpCase
from .identity import IdentityMixin, jwt, signing_key
from .test_mcp_auth_failure import OneCursor

LOGGER = "odoo.addons.mcp_endpoint.models.mcp_key_set"


@tagged("post_install", "-at_install")
@skipUnless(jwt, "needs PyJWT")
class TestMcpKeySet(IdentityMixin, McpCase):
    def setUp(self):
        super().setUp()
        self.startPatcher(patch.object(type(self.registry), "cursor", lambda *_args, **_options: OneCursor(self.cr)))
        self.uri = self.server.url(self.server.path)
        self.server.documents[self.server.path] = {"keys": [self.key.jwk()]}
        self.server.requests.clear()

    def keys(self, kid="key-1"):
        return [key["kid"] for key in self.env["mcp.key.set"]._keys(self.uri, kid)]

    def sleeping(self, sleep):
        """Replace how this module waits, and nobody else: threads of other modules sleep meanwhile."""
        return patch.object(mcp_key_set, "time", SimpleNamespace(monotonic=time.monotonic, sleep=sleep))

    def pass_time(self, **span):
        """Make what is stored older."""
        self.env.cr.execute(
            "UPDATE mcp_key_set SET attempted_at = attempted_at - %(span)s, fetched_at = fetched_at - %(span)s",
            {"span": timedelta(**span)},
        )

    def test_keys_are_fetched_once_and_again_when_old(self):
        for _number in range(5):
            self.assertEqual(self.keys(), ["key-1"])
        self.assertEqual(len(self.server.requests), 1)
        self.pass_time(seconds=290)
        self.keys()
        self.assertEqual(len(self.server.requests), 1)
        self.pass_time(seconds=20)
        self.keys()
        self.assertEqual(len(self.server.requests), 2)

    def test_unknown_key_id_is_looked_for_and_found_after_a_rotation(self):
        self.keys()
        self.server.documents[self.server.path] = {"keys": [signing_key(kid="key-2").jwk()]}
        self.assertEqual(self.keys("key-2"), ["key-1"])
        self.pass_time(seconds=31)
        self.assertEqual(self.keys("key-2"), ["key-2"])

    def test_flood_of_unknown_key_ids_fetches_once_in_thirty_seconds(self):
        self.keys()
        for period in range(1, 4):
            self.pass_time(seconds=31)
            for number in range(300):
                self.assertEqual(self.keys(f"random-{number}"), ["key-1"])
                self.assertEqual(self.keys(), ["key-1"])
            self.assertEqual(len(self.server.requests), 1 + period)

    def test_known_keys_stay_in_use_while_fetching_fails_but_not_for_ever(self):
        self.keys()
        good = self.server.documents[self.server.path]
        for broken in ({"keys": []}, {"keys": [{**self.key.jwk(), "d": "x"}]}, None):
            self.server.documents[self.server.path] = broken
            if broken is None:
                del self.server.documents[self.server.path]
            self.pass_time(seconds=310)
            with mute_logger(LOGGER):
                self.assertEqual(self.keys(), ["key-1"])
        self.env.invalidate_all()
        self.assertIn("404", self.env["mcp.key.set"].search([("uri", "=", self.uri)]).failure)
        self.pass_time(days=1)
        with mute_logger(LOGGER):
            self.assertEqual(self.keys(), [])
        self.server.documents[self.server.path] = good
        self.pass_time(seconds=31)
        self.assertEqual(self.keys(), ["key-1"])
        self.env.invalidate_all()
        self.assertFalse(self.env["mcp.key.set"].search([("uri", "=", self.uri)]).failure)

    def test_one_worker_fetches(self):
        key_sets = self.env["mcp.key.set"]
        self.assertTrue(key_sets._claim(self.uri))
        self.assertFalse(key_sets._claim(self.uri))
        with patch.object(mcp_key_set, "LONGEST_WAIT", 0.1):
            self.assertEqual(self.keys(), [])
        self.assertEqual(self.server.requests, [])
        self.pass_time(seconds=31)
        self.assertEqual(self.keys(), ["key-1"])

    def test_first_keys_are_waited_for_while_another_worker_fetches_them(self):
        key_sets = self.env["mcp.key.set"]
        self.assertTrue(key_sets._claim(self.uri))
        with self.sleeping(lambda seconds: key_sets._fetch(self.uri)):
            self.assertEqual(self.keys(), ["key-1"])
        self.assertEqual(len(self.server.requests), 1)

    def test_nobody_waits_after_a_failure(self):
        del self.server.documents[self.server.path]
        sleep = Mock()
        with mute_logger(LOGGER), self.sleeping(sleep):
            for _number in range(3):
                self.assertEqual(self.keys(), [])
        sleep.assert_not_called()

    def test_nothing_is_locked_while_fetching(self):
        fetch = self.registry["mcp.egress"]._fetch_json
        seen = []

        def watched(model, *args, **options):
            # What was claimed is stored already: no transaction of ours is open around the fetch.
            self.assertFalse(self.env["mcp.key.set"]._claim(self.uri))
            seen.append(args)
            return fetch(model, *args, **options)

        with patch.object(self.registry["mcp.egress"], "_fetch_json", watched):
            self.keys()
        self.assertEqual(len(seen), 1)

    def test_unused_sets_are_purged(self):
        self.keys()
        self.assertEqual(self.env["mcp.key.set"]._gc_unused(), (0, False))
        self.pass_time(days=mcp_key_set.KEPT_DAYS + 1)
        self.assertEqual(self.env["mcp.key.set"]._gc_unused(), (1, False))
