from odoo.tests import BaseCase, tagged

from ..services.address_block import address_block


@tagged("post_install", "-at_install")
class TestAddressBlock(BaseCase):
    def test_one_sender_is_one_block(self):
        for address, expected in (
            ("203.0.113.9", "203.0.113.9"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
            ("fe80::1%eth0", "fe80::/64"),
            ("", ""),
            ("no address", ""),
            ("203.0.113.9, 10.0.0.1", ""),
        ):
            with self.subTest(address):
                self.assertEqual(address_block(address), expected)
