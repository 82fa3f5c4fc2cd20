from odoo.tests import BaseCase, tagged

from ..services.ip_rules import MAX_NETWORKS, AddressRules, networks


@tagged("post_install", "-at_install")
class TestServiceIpRules(BaseCase):
    def test_what_is_admitted(self):
        cases = [
            ("", "", "203.0.113.9", True),
            ("192.0.2.0/24", "", "192.0.2.77", True),
            ("192.0.2.0/24", "", "192.0.3.1", False),
            ("192.0.2.7", "", "192.0.2.7", True),
            ("", "192.0.2.0/24", "192.0.2.7", False),
            ("", "192.0.2.0/24", "2001:db8::1", True),
            ("192.0.2.0/24", "192.0.2.7", "192.0.2.7", False),
            ("192.0.2.0/24\n2001:db8::/32", "", "2001:db8:1::5", True),
            ("2001:db8::/32", "", "192.0.2.1", False),
            # A socket of both versions reports an IPv4 client so.
            ("192.0.2.0/24", "", "::ffff:192.0.2.9", True),
            ("", "192.0.2.0/24", "::ffff:192.0.2.9", False),
            # So do administrators write it who have copied it from there.
            ("", "::ffff:192.0.2.0/120", "192.0.2.9", False),
            ("", "::ffff:192.0.2.0/120", "::ffff:192.0.2.9", False),
            ("::ffff:c000:0207", "", "192.0.2.7", True),
            ("::ffff:c000:0207", "", "192.0.2.8", False),
            # No address (a unix socket) or none that can be read passes only where nothing is asked.
            ("", "192.0.2.0/24", "", False),
            ("192.0.2.0/24", "", "unknown", False),
            ("", "", "", True),
        ]
        for allowed, denied, address, admitted in cases:
            rules = AddressRules(networks(allowed), networks(denied))
            self.assertEqual(rules.admits(address), admitted, (allowed, denied, address))

    def test_texts_of_networks(self):
        self.assertEqual(len(networks("192.0.2.1, 198.51.100.0/24; 2001:db8::1 # office\n# nothing\n\n10.0.0.0/8")), 4)

    def test_what_is_no_network_is_named(self):
        for text, part in (("192.0.2.0/24 office", "office"), ("300.1.1.1", "300.1.1.1"), ("10.0.0.1/8", "10.0.0.0/8")):
            with self.assertRaisesRegex(ValueError, part):
                networks(text)
        with self.assertRaisesRegex(ValueError, "more than"):
            networks(" ".join(["192.0.2.1"] * (MAX_NETWORKS + 1)))
