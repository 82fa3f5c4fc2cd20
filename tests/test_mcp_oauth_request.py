from datetime import timedelta
from unittest.mock import patch

from odoo.tests import tagged

from ..models import mcp_oauth_request
from ..services.oauth.authorization import Parameters, RequestRefused
from .common import McpCase


@tagged("post_install", "-at_install")
class TestMcpOauthRequest(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.requests = cls.env["mcp.oauth.request"]

    def store(self, network="192.0.2.1"):
        return self.requests._opened(self.requests._store(Parameters(client_id="a", resource=("b",)), network))

    def test_what_is_stored_comes_back(self):
        self.assertEqual(self.store()._asked(), Parameters(client_id="a", resource=("b",)))

    def test_old_requests_are_deleted(self):
        old, new = self.store(), self.store()
        old.expires_at -= timedelta(minutes=11)
        self.env.flush_all()
        self.assertEqual(self.requests._gc_requests(), (1, False))
        self.env.invalidate_all()
        self.assertEqual((old | new).exists(), new)

    def test_a_new_request_clears_old_ones(self):
        old = self.store()
        old.expires_at -= timedelta(minutes=11)
        self.env.flush_all()
        self.store("198.51.100.1")
        self.env.invalidate_all()
        self.assertFalse(old.exists())

    def test_a_network_pushes_out_its_own_oldest(self):
        stranger = self.store("198.51.100.1")
        with patch.object(mcp_oauth_request, "MOST_PER_NETWORK", 3):
            kept = [self.store() for _number in range(5)]
        self.env.invalidate_all()
        self.assertEqual(self.requests.search([]), stranger + kept[2] + kept[3] + kept[4])

    def test_the_bound_in_all_refuses(self):
        with patch.object(mcp_oauth_request, "MOST_IN_ALL", 2):
            self.store("192.0.2.1")
            self.store("198.51.100.1")
            with self.assertRaises(RequestRefused) as caught:
                self.store("203.0.113.1")
        self.assertEqual((caught.exception.code, caught.exception.status), ("temporarily_unavailable", 503))
